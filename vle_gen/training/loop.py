"""The training loop, the same for every model: warm-up and cosine, bf16, averaged weights, saved states, logs.

What differs between models is a `Task`: its model, its loss on a batch that it draws itself, its pictures, its export.
"""
from __future__ import annotations

import copy
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor, nn

from vle_gen import config as configs
from vle_gen.errors import UserError
from vle_gen.io.image_files import require_folder
from vle_gen.training.log import RunLog
from vle_gen.training.optimizer import Optimizer
from vle_gen.training.state import RunState

STATE = "state.safetensors"


class Task(Protocol):
    """One thing to train."""

    model: nn.Module  # on its device; parameters that do not require a gradient stay as they are

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Draws a batch with `generator` (on the model's device); the scalar loss, and numbers to log."""

    def sample_grid(self, ema_model: nn.Module) -> Image.Image | None:
        """A picture that shows what the averaged model can do by now; None when there is nothing to see."""

    def export(self, ema_model: nn.Module, folder: Path, card: dict) -> None:
        """Writes the checkpoint to ship, with the model card `card`."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `checkpoint` is None when it was interrupted (and can be resumed)."""

    step: int
    minutes: float
    checkpoint: Path | None


def check_folder(out: str | Path, resume: bool) -> None:
    """Raises `UserError` when `out` holds a run that would be overwritten, or none that could be resumed."""
    require_folder(out)
    there = (Path(out) / STATE).exists()
    if resume and not there:
        raise UserError(f"nothing to resume: {out} holds no {STATE}; leave --resume out to begin")
    if there and not resume:
        raise UserError(f"{out} already holds a run: give --resume to go on with it, or another --out")


def check_minutes(max_minutes: float | None) -> None:
    """Raises `UserError` when there is no time to train in."""
    if max_minutes is not None and not max_minutes > 0:
        raise UserError(f"--max-minutes is {max_minutes}: expected more than 0")


def run(
    task: Task, config: configs.Config, out: str | Path, resume: bool = False, max_minutes: float | None = None
) -> Outcome:
    """Trains `task` in the folder `out`: logs, sample pictures, states to resume from, and the checkpoint at the end.

    SIGTERM or Ctrl-C saves the state after the step under way and returns; resumed, the run continues as if it had not
    been interrupted. With `max_minutes` the schedule is the further of steps and minutes, so that the learning rate
    reaches its floor when time ends.
    """
    cfg, out = config.train, Path(out)
    check_minutes(max_minutes)
    check_folder(out, resume)
    out.mkdir(parents=True, exist_ok=True)

    model = task.model.to(memory_format=torch.channels_last)
    device = next(model.parameters()).device
    ema = copy.deepcopy(model).float().eval().requires_grad_(False)
    optimizer = Optimizer(model, cfg.lr, cfg.matrix_lr, cfg.weight_decay)
    generator = torch.Generator(device).manual_seed(cfg.seed)
    state = RunState(model, ema, optimizer, generator)
    step, minutes = state.load(out / STATE) if resume else (0, 0.0)
    (out / "config.yaml").write_text(configs.to_yaml(config))
    log = RunLog(out, step)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=cfg.precision == "bf16")

    began, saved = time.monotonic() - 60 * minutes, time.monotonic()
    with log, stop_on_signal() as stopped:
        while (progress := share_done(cfg, step, minutes, max_minutes)) < 1 and not stopped.is_set():
            lr = learning_rate(cfg, step, progress)
            optimizer.scale(lr / cfg.lr)
            model.train()
            with autocast:
                loss, numbers = task.loss(step, generator)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), cfg.grad_clip or math.inf)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step += 1
            update_average(ema, model, min(cfg.ema_decay, step / (step + 9)))

            minutes = (time.monotonic() - began) / 60
            log.add(loss=loss, grad_norm=norm, **numbers)
            if step % cfg.log_every == 0:
                log.write(step, minutes, share_done(cfg, step, minutes, max_minutes), lr=lr)
            if cfg.sample_every and step % cfg.sample_every == 0:
                sample(task, ema, device, out / "samples" / f"{step:07d}.png")
            if time.monotonic() - saved >= 60 * cfg.save_minutes:
                state.save(out / STATE, step, minutes)
                saved = time.monotonic()
        state.save(out / STATE, step, minutes)

    if progress < 1:
        return Outcome(step, minutes, None)
    card = {"steps": step, "minutes": round(minutes, 1), "device": describe(device), **configs.card_of(config)}
    (out / "checkpoint").mkdir(exist_ok=True)
    task.export(ema, out / "checkpoint", card | {"last": log.last})
    return Outcome(step, minutes, out / "checkpoint")


def share_done(cfg: configs.TrainConfig, step: int, minutes: float, max_minutes: float | None) -> float:
    """How far the run is, 0..1 and beyond, by steps or by minutes, whichever is further."""
    return max(step / cfg.steps, minutes / max_minutes if max_minutes is not None else 0.0)


def learning_rate(cfg: configs.TrainConfig, step: int, progress: float) -> float:
    """Linear warm-up by steps, then a cosine from lr to lr_floor over `progress` 0..1."""
    warm = min(1.0, (step + 1) / max(cfg.warmup_steps, 1))
    return warm * (cfg.lr_floor + (cfg.lr - cfg.lr_floor) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


@torch.no_grad()
def update_average(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """ema <- decay * ema + (1 - decay) * model for what trains; buffers are copied."""
    pairs = [(e, p) for e, p in zip(ema.parameters(), model.parameters(), strict=True) if p.requires_grad]
    torch._foreach_lerp_([e for e, _ in pairs], [p.float() for _, p in pairs], 1 - decay)
    for averaged, buffer in zip(ema.buffers(), model.buffers(), strict=True):
        averaged.copy_(buffer)


@torch.no_grad()
def sample(task: Task, ema: nn.Module, device: torch.device, path: Path) -> None:
    """Writes the task's picture; the random state is put back, so that pictures do not change what is learnt."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        picture = task.sample_grid(ema)
    if picture is not None:
        path.parent.mkdir(exist_ok=True)
        picture.save(path)


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set; a second signal acts as it would have without us."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield stopped
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: object) -> None:
        stopped.set()
        restore()

    for number in before:
        signal.signal(number, handle)
    try:
        yield stopped
    finally:
        restore()


def describe(device: torch.device) -> str:
    """The device in words, for the model card."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
