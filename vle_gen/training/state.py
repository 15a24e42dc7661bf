"""A run's whole state in one safetensors file: weights, their average, the optimiser's moments, the random states.

The file is written beside its place and renamed, so a kill at any moment leaves the old state or the new one.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from vle_gen.errors import UserError
from vle_gen.io.tensor_files import write_tensors
from vle_gen.training.optimizer import Optimizer

MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class RunState:
    """What changes while a run trains."""

    model: nn.Module
    ema: nn.Module
    optimizer: Optimizer
    generator: torch.Generator

    def save(self, path: Path, step: int, minutes: float) -> None:
        """Writes everything that `load` needs to go on from here. Raises `UserError` where weights are not finite."""
        tensors = {name: value.detach().cpu().contiguous().clone() for name, value in self._tensors().items()}
        if not all(p.isfinite().all() for p in self._trained().values()):
            again = f" and --resume, as {path} is still good" if path.exists() else ""
            raise UserError(f"training diverged by step {step}: a weight is not finite; give a smaller train.lr{again}")
        tensors |= {"random/generator": self.generator.get_state(), "random/cpu": torch.get_rng_state()}
        if self.generator.device.type == "cuda":
            tensors["random/cuda"] = torch.cuda.get_rng_state(self.generator.device)
        write_tensors(path, tensors, {"run": json.dumps({"step": step, "minutes": minutes})})

    @torch.no_grad()
    def load(self, path: Path) -> tuple[int, float]:
        """Puts a saved state back; the step and the minutes it had reached. Raises `UserError` when it does not fit."""
        try:
            with safe_open(path, "pt") as file:
                scalars = json.loads(file.metadata()["run"])
                saved = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, OSError, KeyError, TypeError) as fault:
            raise UserError(f"cannot resume from {path}: {fault}") from None
        for group in self.optimizer.param_groups:  # moments are made at the first step: make them now
            for parameter in group["params"]:
                self.optimizer.state[parameter] = self.optimizer.blank(group, parameter, scalars["step"])
        own = self._tensors()
        wrong = [n for n, t in own.items() if n not in saved or saved[n].shape != t.shape]
        if wrong:
            said = f"cannot resume from {path}: it was made with another configuration ({wrong[0]} differs)"
            raise UserError(f"{said}; give the same, as {path.with_name('config.yaml')} has it, or another --out")
        if saved["random/generator"].shape != self.generator.get_state().shape:
            raise UserError(f"cannot resume from {path}: it was made on another kind of device: give --device")
        for name, tensor in own.items():
            tensor.copy_(saved[name])
        self.generator.set_state(saved["random/generator"])
        torch.set_rng_state(saved["random/cpu"])
        if self.generator.device.type == "cuda" and "random/cuda" in saved:
            torch.cuda.set_rng_state(saved["random/cuda"], self.generator.device)
        return scalars["step"], scalars["minutes"]

    def _trained(self) -> dict[str, nn.Parameter]:
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def _tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by name; parameters that do not train are left out, they come with the model."""
        trained = self._trained()
        tensors = {f"model/{name}": p.data for name, p in trained.items()}
        tensors |= {f"buffer/{name}": b for name, b in self.model.named_buffers()}
        tensors |= {f"average/{name}": p for name, p in self.ema.named_parameters() if name in trained}
        for moment in MOMENTS:
            for name, parameter in trained.items():
                if moment in self.optimizer.state.get(parameter, {}):
                    tensors[f"{moment}/{name}"] = self.optimizer.state[parameter][moment]
        return tensors
