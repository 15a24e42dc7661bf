"""`.vle` files: tokens as safetensors, with the pictures that carry their detail as PNG inside."""
from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from torch import Tensor

from vle_gen.errors import UserError
from vle_gen.io.image_files import MAX_PIXELS
from vle_gen.io.tensor_files import write_tensors
from vle_gen.source import SourceDetail

if TYPE_CHECKING:
    from vle_gen.tokens import VLETokens

SERIES = "vle-"  # what the format of each version begins with
FORMAT = SERIES + "1"
CODED = FORMAT  # the one tensor of a file whose tokens are entropy-coded (see `vle_gen.compact.file`)
HISTORY = "history"  # in the metadata: the edits that made the tokens
CODED_AT_FIRST = "coded"  # what that tensor was called while such files had metadata too
ALWAYS = ("what", "where", "depth", "kind", "scope", "score", "source", "length")
WHERE_USED = ("origin", "mirrored", "turn", "paint", "opacity")  # left out of files in which no token has any of it
TYPES = {"kind": torch.uint8, "length": torch.long, "source": torch.long, "origin": torch.long, "mirrored": torch.bool}
"""Types of the fields that are not float32."""
OF_DETAIL = ("what", "where", "depth")


def write(tokens: VLETokens, path: str | Path, carry: bool = True) -> None:
    """Writes one picture's tokens; without `carry` the detail of source pictures is left out."""
    if not carry:
        tokens = tokens.resized(*tokens.size)
    tensors = {name: getattr(tokens, name).cpu().contiguous() for name in ALWAYS}
    tensors["scope"] = (tensors["scope"] * 255).round().to(torch.uint8)
    for name in WHERE_USED:
        value = getattr(tokens, name)
        if not torch.equal(value, usual(name, tokens.depth)):
            tensors[name] = value.cpu().contiguous()
    details = [tokens.detail, *tokens.foreign]
    for number, detail in enumerate(details):
        if detail is None:
            continue
        tensors[_key(number, "picture")] = _packed(detail.picture.permute(1, 2, 0).numpy())
        tensors[_key(number, "owner")] = _packed(detail.owner.numpy())
        # safetensors refuses tensors that share memory, and these may be the tokens' own
        tensors |= {_key(number, name): getattr(detail, name).clone() for name in OF_DETAIL}
        if detail.profile:
            tensors[_key(number, "profile")] = torch.frombuffer(bytearray(detail.profile), dtype=torch.uint8)
    header = {
        "format": FORMAT,
        "size": json.dumps(list(tokens.size)),
        "checkpoint": tokens.checkpoint,
        HISTORY: json.dumps(list(tokens.history)),
    }
    write_tensors(path, tensors, header)


def read(path: str | Path) -> VLETokens:
    """Raises `UserError` when the file is missing, corrupt, or holds something else."""
    from vle_gen.tokens import SCENE, VLETokens

    if not os.path.isfile(path):  # Path's fails on names that are too long
        raise UserError(f"{path} {'is a folder' if os.path.isdir(path) else 'does not exist'}: expected a .vle file")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            if coded_tensor(file) is not None:
                raise UserError(
                    f"{path} holds coded tokens (of --quality), which take a checkpoint to read: every command that takes a "
                    "picture reads them, and in Python vle_gen.workflows.files.read_tokens(pipe, path)"
                )
            if header.get("format") != FORMAT:
                found = str(header.get("format"))
                newer = found.removeprefix(SERIES).isdecimal() and found.startswith(SERIES)
                hint = ": it was written by a newer vlegen, which reads it" if newer else ""
                raise UserError(f"{path} is no token file: expected format {FORMAT}, found {found}{hint}")
            # A copy lies in memory of torch's own: sums of numbers that lie elsewhere can differ in their last bit.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
        if missing := [name for name in ALWAYS if name not in tensors]:
            raise UserError(f"{path} is corrupt: it lacks {', '.join(missing)}")
        present = [*ALWAYS, *(name for name in WHERE_USED if name in tensors)]
        named = {name: tensors[name].to(type_of(name)) for name in present}
        named["scope"] = named["scope"] / 255
        foreign = []
        while _key(len(foreign) + 1, "picture") in tensors:
            foreign.append(_detail(tensors, len(foreign) + 1))
        tokens = VLETokens(
            **named,
            size=_size(json.loads(header["size"])),
            checkpoint=header["checkpoint"],
            detail=_detail(tensors, 0) if _key(0, "picture") in tensors else None,
            foreign=tuple(foreign),
            history=_noted(header),
        )
        if tokens.batch != 1:
            raise UserError(f"it holds {tokens.batch} pictures: expected one")
        if int(tokens.kind[0, 0]) != SCENE:
            raise UserError("its first token is no scene's")
        return next(iter(tokens))
    except UserError as fault:
        raise fault if str(path) in str(fault) else UserError(f"{path} is corrupt: {fault}") from None
    except SafetensorError:
        raise UserError(f"{path} is no token file: expected what --save, or -o NAME.vle, writes") from None
    except Exception as fault:  # whatever reading stumbles over is the fault of what is in the file
        said = " ".join(str(fault).split()) or type(fault).__name__
        raise UserError(f"{path} is no readable token file: {said}") from None


def history_of(path: str | Path) -> tuple[str, ...]:
    """The edits that made the tokens of a .vle file, coded or not, a line for each command. Raises `UserError` as `read`."""
    try:
        with safe_open(path, "pt") as file:
            header = None if coded_tensor(file) is None else file.metadata() or {}
    except (SafetensorError, OSError):
        header = None  # whatever is wrong with it, `read` says
    if header is None:
        return read(path).history
    try:
        return _noted(header)
    except (UserError, ValueError) as fault:
        raise UserError(f"{path} is corrupt: {fault}") from None


def coded_tensor(file: safe_open) -> str | None:
    """The tensor of an open .vle file that holds coded tokens; None where they are not coded."""
    if CODED in file.keys():
        return CODED
    older = (file.metadata() or {}).get("format") == FORMAT and CODED_AT_FIRST in file.keys()
    return CODED_AT_FIRST if older else None


def usual(name: str, like: Tensor) -> Tensor:
    """The value of an optional per-token field for tokens that have nothing of it; `like` (B, T)."""
    if name == "paint":
        return like.new_zeros(*like.shape, 4, dtype=torch.float32)
    if name == "opacity":
        return torch.ones_like(like, dtype=torch.float32)
    return torch.zeros_like(like, dtype=type_of(name))


def type_of(name: str) -> torch.dtype:
    """Of which type a field's tensor is."""
    return TYPES.get(name, torch.float32)


def _key(number: int, name: str) -> str:
    """What a tensor of the token's own detail (0) or of a foreign one is called in the file."""
    return f"foreign.{number}.{name}" if number else f"detail.{name}"


def _detail(tensors: dict[str, Tensor], number: int) -> SourceDetail:
    return SourceDetail(
        picture=torch.from_numpy(_unpacked(tensors[_key(number, "picture")], "RGB")).permute(2, 0, 1).contiguous(),
        owner=torch.from_numpy(_unpacked(tensors[_key(number, "owner")], "L")),
        **{name: tensors[_key(number, name)].float() for name in OF_DETAIL},
        profile=tensors[_key(number, "profile")].numpy().tobytes() if _key(number, "profile") in tensors else b"",
    )


def _packed(pixels: np.ndarray) -> Tensor:
    """Pixels as the bytes of a PNG: lossless, and much smaller."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)


def _unpacked(data: Tensor, mode: str) -> np.ndarray:
    """The pixels of a PNG of a Pillow mode."""
    with Image.open(io.BytesIO(data.numpy().tobytes()), formats=["PNG"]) as image:
        if image.mode != mode or image.width * image.height > MAX_PIXELS:
            raise UserError(f"it holds a picture of {image.width} x {image.height} in mode {image.mode}: expected {mode}")
        return np.array(image)


def _size(value: object) -> tuple[int, int]:
    """Height and width from the header. What is no pair of whole numbers is refused, and what no picture can be."""
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(v, int) and v > 0 for v in value)):
        raise UserError(f"its size is {value}: expected height and width in pixels")
    if value[0] * value[1] > MAX_PIXELS:
        raise UserError(f"its size is {value}: expected at most {MAX_PIXELS // 10**6} megapixels")
    return value[0], value[1]


def _noted(header: Mapping[str, str]) -> tuple[str, ...]:
    """The history from the header."""
    value = json.loads(header.get(HISTORY, "[]"))
    if not (isinstance(value, list) and all(isinstance(line, str) for line in value)):
        raise UserError("its history is no list of edits")
    return tuple(value)
