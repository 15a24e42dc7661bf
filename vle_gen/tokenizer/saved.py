"""What both variants of the tokenizer share as diffusers models: how checkpoints are loaded and saved."""
from __future__ import annotations

import copy
import json
from pathlib import Path

import torch

from vle_gen.device import aligned
from vle_gen.errors import UserError
from vle_gen.image_io import readable_by_others


class SavedTokenizer:
    """Goes before `ModelMixin` and `ConfigMixin`: a checkpoint is a folder with the config and float16 weights. `about` heads
    its model card."""

    about = ""

    @classmethod
    def from_pretrained(cls, path, **options):
        """As for every diffusers model, but in float32 unless `torch_dtype` says otherwise (shipped weights are float16)."""
        options["torch_dtype"] = options.get("torch_dtype") or torch.float32
        options.setdefault("low_cpu_mem_usage", False)  # the models are small, and it would need accelerate
        return aligned(super().from_pretrained(path, **options).eval())

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu"):
        """The checkpoint in `folder`, ready to use. Raises `UserError` when there is none."""
        if not (Path(folder) / cls.config_name).is_file():
            raise UserError(f"no tokenizer checkpoint in {folder}: expected {cls.config_name} and weights there")
        return cls.from_pretrained(str(folder)).to(device)

    def save_checkpoint(self, folder: str | Path, card: dict | None = None) -> None:
        """Writes config, float16 weights and, with `card`, a model card."""
        copy.deepcopy(self).cpu().half().save_pretrained(str(folder))
        readable_by_others(folder)
        if card is not None:
            trained = "## Training\n\n```json\n" + json.dumps(card, indent=2, default=str) + "\n```\n"
            (Path(folder) / "README.md").write_text(f"{self.about}\n\n{trained}")
