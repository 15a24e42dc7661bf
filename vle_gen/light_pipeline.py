"""`LightPipeline`: the tokenizer at once, the rest of a pipeline when it is asked for.

Most edits need the tokenizer alone, and importing diffusers and loading CLIP and the prior takes longer than the edit.
"""
from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import vle_gen
from vle_gen.io.checkpoints import INDEX, located
from vle_gen.picture_coder import PictureCoder
from vle_gen.tokenizer.core import TokenizerCore

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.whole_frames import WholeFramePipeline

    AnyPipeline = VLEPipeline | WholeFramePipeline

TOKENIZER = ["vle_gen.tokenizer.model", "VLETokenizer"]  # as model_index.json names it
NONE = [None, None]  # a part that the checkpoint does without


class LightPipeline(PictureCoder):
    """Encodes and decodes as `VLEPipeline` does, and becomes one on the first use of anything else.

    Args:
        tokenizer: picture <-> tokens.
        load_whole: loads the pipeline that `tokenizer` is of, on the same device.
    """

    def __init__(self, tokenizer: TokenizerCore, load_whole: Callable[[], AnyPipeline]):
        self.tokenizer = tokenizer
        self._load_whole = load_whole

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.tokenizer.device

    @cached_property
    def _whole(self) -> AnyPipeline:
        return self._load_whole()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # of this object alone: asked for before __init__, as by copy, it would never end
            raise AttributeError(name)
        return getattr(self._whole, name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """See `VLEPipeline`."""
        return self._whole(*arguments, **options)


def load(checkpoint: str | Path | None = None, device: str | torch.device = "cpu") -> LightPipeline | AnyPipeline:
    """As `vle_gen.load`, but light where the checkpoint is a folder as `VLEPipeline.save_pretrained` writes it."""
    folder = Path(located(checkpoint))
    try:
        parts = json.loads((folder / INDEX).read_text())
        folders = [name for name, kind in parts.items() if not name.startswith("_") and kind != NONE]
        complete = parts["tokenizer"] == TOKENIZER and all((folder / name).is_dir() for name in folders)
        tokenizer = TokenizerCore.load_plain(folder / "tokenizer", device) if complete else None
    except Exception:  # no such folder, or another one than we wrote: diffusers may know it, or says what is wrong
        tokenizer = None
    if tokenizer is None:
        return vle_gen.load(checkpoint, device)
    return LightPipeline(tokenizer, lambda: vle_gen.load(checkpoint, device))
