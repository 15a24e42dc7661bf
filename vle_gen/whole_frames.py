"""`WholeFramePipeline`: a tokenizer of the variant `reconstruction` where commands expect a pipeline.

It encodes and decodes; what takes object tokens, such as naming, finding and writing objects, is refused in one line.
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import torch

from vle_gen.errors import UserError
from vle_gen.picture_coder import PictureCoder

if TYPE_CHECKING:
    from vle_gen.tokenizer.reconstruction_model import ReconstructionTokenizer
    from vle_gen.tokens import VLETokens


def is_reconstruction(folder: str | Path) -> bool:
    """Whether a folder holds a tokenizer of the variant `reconstruction`."""
    try:
        config = json.loads((Path(folder) / "config.json").read_text())
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("_class_name") == "ReconstructionTokenizer"


class WholeFramePipeline(PictureCoder):
    """Pictures to whole-frame tokens and back."""

    tokenizer: ReconstructionTokenizer

    def __init__(self, tokenizer: ReconstructionTokenizer):
        self.tokenizer = tokenizer

    @staticmethod
    def load(folder: str | Path, device: str | torch.device = "cpu") -> WholeFramePipeline:
        """The pipeline of the checkpoint in `folder`. Raises `UserError` where it cannot be read."""
        from vle_gen.tokenizer.reconstruction_model import ReconstructionTokenizer

        return WholeFramePipeline(ReconstructionTokenizer.load(folder, device))

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.tokenizer.device

    @property
    def checkpoint_id(self) -> str:
        """That of the tokenizer."""
        return self.tokenizer.checkpoint_id

    def name_tokens(self, tokens: VLETokens) -> list[str]:
        """Every token shows the whole scene."""
        return ["scene"] * len(tokens)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # asked for by copy and the like, which expect this error
            raise AttributeError(name)
        raise UserError("this checkpoint writes whole-frame tokens and has no object tokens: it encodes and decodes only")

    def __call__(self, *arguments: object, **options: object) -> NoReturn:
        """There is no prior: raises `UserError`."""
        raise UserError("this checkpoint writes whole-frame tokens and has no prior: it encodes and decodes only")
