"""Writing safetensors files whole or not at all."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from vle_gen.io.image_files import write_whole


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor], header: Mapping[str, str] | None = None) -> Path:
    """Writes tensors and a header of texts; the path. Raises `UserError` where the file cannot be written: safetensors' own
    writer has errors of its own for a full disk."""
    return write_whole(path, lambda part: part.write_bytes(save(dict(tensors), None if header is None else dict(header))))
