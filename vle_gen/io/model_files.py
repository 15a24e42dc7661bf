"""What the parts of a checkpoint share as diffusers models: how they are loaded and saved."""
from __future__ import annotations

import copy
import json
from pathlib import Path

import torch
from safetensors import SafetensorError

from vle_gen.device import aligned
from vle_gen.errors import UNLOADABLE, UserError, cannot_load
from vle_gen.io.checkpoints import weights_of
from vle_gen.io.image_files import readable_by_others


class SavedModel:
    """Goes before `ModelMixin` and `ConfigMixin`: a checkpoint is a folder with the config and float16 safetensors. `part` is
    what messages call it, and `about` heads its model card."""

    part = ""
    about = ""

    @classmethod
    def from_pretrained(cls, path, **options):
        """As for every diffusers model, but from safetensors alone, and in float32 unless `torch_dtype` says otherwise
        (shipped weights are float16)."""
        options["torch_dtype"] = options.get("torch_dtype") or torch.float32
        options["use_safetensors"] = True  # a pickle can run any code
        options.setdefault("low_cpu_mem_usage", False)  # the models are small, and it would need accelerate
        return aligned(super().from_pretrained(path, **options).eval())

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu"):
        """The checkpoint in `folder`, ready to use. Raises `UserError` when there is none, or it cannot be read."""
        if not (Path(folder) / cls.config_name).is_file():
            raise UserError(f"no {cls.part} checkpoint in {folder}: expected {cls.config_name} and weights there")
        if not any(weights_of(Path(folder)).glob("*.safetensors")):  # diffusers would log a line of its own
            raise UserError(f"cannot load the {cls.part} checkpoint {folder}: there are no weights, a .safetensors, in it")
        try:
            return cls.from_pretrained(str(folder)).to(device)
        except UNLOADABLE as fault:
            raise cannot_load(f"the {cls.part} checkpoint {folder}", fault) from None

    def save_pretrained(self, path, **options) -> None:
        """As for every diffusers model, with the permissions that new files have. Raises `UserError` where there is no room."""
        try:
            super().save_pretrained(path, **options)
        except (OSError, SafetensorError) as fault:
            why = getattr(fault, "strerror", None) or fault
            raise UserError(f"cannot write the {self.part} checkpoint {path}: {why}") from None
        readable_by_others(path)

    def save_checkpoint(self, folder: str | Path, card: dict | None = None) -> None:
        """Writes config, float16 weights and, with `card`, a model card: what it is, and how it was trained. Data is named
        there, not located."""
        copy.deepcopy(self).cpu().half().save_pretrained(str(folder))
        if card is None:
            return
        data = {key: Path(value).name if isinstance(value, str) else value for key, value in card.get("data", {}).items()}
        trained = "## Training\n\n```json\n" + json.dumps(card | {"data": data}, indent=2, default=str) + "\n```\n"
        (Path(folder) / "README.md").write_text(f"{self.about}\n\n{trained}", "utf-8")
