"""Coded `.vle` files: what `VLETokenizer.compress` gives, as the one tensor of a safetensors file."""
from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from vle_gen.compact.code import DEFAULT_QUALITY
from vle_gen.errors import UserError
from vle_gen.io.image_files import write_whole
from vle_gen.io.token_file import CODED, HISTORY, coded_tensor, history_of
from vle_gen.tokens import VLETokens

if TYPE_CHECKING:
    from vle_gen.tokenizer.core import TokenizerCore


def save_coded(tokenizer: TokenizerCore, tokens: VLETokens, path: str | Path, quality: float = DEFAULT_QUALITY) -> Path:
    """Writes the tokens of one picture, without its fine detail, as a small .vle file; the path.

    Raises:
        UserError: the tokens cannot be coded (see `VLETokenizer.compress`), or the file cannot be written.
    """
    data = coded_file(tokenizer, tokens, quality)
    return write_whole(path, lambda part: part.write_bytes(data))


def coded_file(tokenizer: TokenizerCore, tokens: VLETokens, quality: float = DEFAULT_QUALITY) -> bytes:
    """What `save_coded` writes."""
    data = tokenizer.compress(tokens, quality)
    # The tensor's name tells the format, and size and checkpoint are in its bytes: with metadata of its own the file would be
    # half as large again. Only tokens that were edited have any: what was done to them.
    header = {HISTORY: json.dumps(list(tokens.history))} if tokens.history else None
    return save({CODED: torch.from_numpy(np.frombuffer(data, np.uint8).copy())}, header)


def load_tokens(tokenizer: TokenizerCore, path: str | Path) -> VLETokens:
    """The tokens of a .vle file, coded or not. Raises `UserError` for anything else."""
    data = coded_bytes(path)
    if data is None:
        return VLETokens.load(path).to(tokenizer.device)
    try:
        return replace(tokenizer.decompress(data), history=history_of(path))
    except UserError as fault:
        raise UserError(f"{path} cannot be read: {fault}") from None


def coded_bytes(path: str | Path) -> bytes | None:
    """What a coded .vle file holds; None for any other file."""
    if not os.path.isfile(path):
        return None
    try:
        with safe_open(path, "pt") as file:
            name = coded_tensor(file)
            return None if name is None else file.get_tensor(name).numpy().tobytes()
    except (SafetensorError, OSError):
        return None
