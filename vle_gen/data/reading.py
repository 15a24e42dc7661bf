"""The files of a pack or of scenes, whether they lie in a folder or in a tar; whatever is wrong with one names it."""
from __future__ import annotations

import io
import json
import lzma
import math
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vle_gen.errors import UserError

MAX_SIDE = 4096  # pixels of a picture in a pack


def read_files(path: str | Path) -> dict[str, bytes]:
    """All files under a folder or in a tar, by path relative to its top."""
    path = Path(path)
    if path.is_dir():
        return {f.relative_to(path).as_posix(): f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()}
    if not path.is_file():
        raise UserError(f"no data at {path}: give a folder or a .tar")
    try:
        with tarfile.open(path) as tar:
            return {m.name.removeprefix("./"): tar.extractfile(m).read() for m in tar if m.isfile()}
    except PermissionError:
        raise UserError(f"{path} cannot be read: permission denied") from None
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError):  # what they say is of formats that were tried
        raise UserError(f"{path} is neither a folder nor a .tar, or it is damaged: expected a whole one") from None


def read_json(files: dict[str, bytes], name: str, source: str | Path) -> Any:
    """The JSON value of the file `name`. Raises `UserError` where it is missing or damaged."""
    if name not in files:
        raise UserError(f"{source}: {name} is missing")
    try:
        return json.loads(files[name], parse_constant=_number, parse_float=_number)
    except (ValueError, UnicodeDecodeError) as fault:
        raise UserError(f"{source}: {name} is not valid JSON: {fault}") from None


def _number(text: str) -> float:
    """A number of a JSON file. Raises `ValueError` for NaN and what is infinite, which Python would read."""
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text} is no number")
    return value


def read_pixels(files: dict[str, bytes], name: str, source: str | Path, mode: str) -> np.ndarray:
    """The picture `name` as uint8 (H, W, channels of `mode`). Raises `UserError` where it is missing or damaged."""
    if name not in files:
        raise UserError(f"{source}: {name} is missing")
    try:
        return pixels_of(files[name], mode)
    except ValueError as fault:
        raise UserError(f"{source}: {name} {fault}") from None


def read_as_large(files: dict[str, bytes], name: str, source: str | Path, mode: str, height: int, width: int) -> np.ndarray:
    """The picture `name` as `read_pixels` has it. Raises `UserError` where its size is another, too."""
    pixels = read_pixels(files, name, source, mode)
    if pixels.shape[:2] != (height, width):
        size = f"{pixels.shape[1]} x {pixels.shape[0]}"
        raise UserError(f"{source}: {name} is {size}: expected {width} x {height}, as its scene")
    return pixels


def pixels_of(data: bytes, mode: str) -> np.ndarray:
    """The picture in a file's bytes as uint8 (H, W, channels of `mode`). Raises `ValueError` that says what is wrong."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if max(image.size) <= MAX_SIDE:
                return np.array(ImageOps.exif_transpose(image).convert(mode))
            width, height = image.size
    except UnidentifiedImageError:
        raise ValueError("is not a picture that can be read: it has no format that is known") from None
    except Exception as fault:  # whatever a reader of Pillow's stumbles over is the fault of what is in the file
        raise ValueError(f"is not a picture that can be read: {' '.join(str(fault).split())}") from None
    raise ValueError(f"is {width} x {height}: expected at most {MAX_SIDE} on a side")
