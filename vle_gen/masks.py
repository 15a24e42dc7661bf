"""Masks that a person, or another program, has drawn of objects: which pixels their tokens own, exactly."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from vle_gen.encoding import Box, Hints
from vle_gen.errors import UserError
from vle_gen.image_io import open_image
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

HALF = 128  # of 255, from which on a pixel is the object's


def read_mask(path: str | Path, size: tuple[int, int]) -> np.ndarray:
    """The mask (H, W) bool in a picture of `size` (height, width): where it is white or, of a cut-out, not transparent.

    Raises:
        UserError: no picture, one of another size, or one that marks next to nothing.
    """
    seen = np.asarray(open_image(path).convert("L"))
    with Image.open(path) as file:
        if "A" in file.getbands() or "transparency" in file.info:
            alpha = np.asarray(ImageOps.exif_transpose(file).convert("RGBA"))[..., 3]
            seen = seen if alpha.min() == 255 else alpha
    if seen.shape != size:
        raise UserError(f"mask {path} is {seen.shape[1]} x {seen.shape[0]}: expected {size[1]} x {size[0]}, as the picture is")
    mask = seen >= HALF
    if not mask.any():
        raise UserError(f"mask {path} marks nothing: expected white pixels, or opaque ones, where the object is")
    return mask


def box_of(mask: np.ndarray) -> Box:
    """Left, top, width and height, in pixels, of what a mask (H, W) marks."""
    rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def as_masked(tokens: VLETokens, masks: Sequence[np.ndarray]) -> VLETokens:
    """The tokens of a picture that was encoded with a box about each of the masks (H, W): those tokens own the pixels that
    their masks mark and no others. Where masks overlap the last has the pixels; a token that was not worth keeping has none."""
    owner = tokens.detail.owner.clone()
    for mask in masks:
        x, y, width, height = Hints.of((box_of(mask),), (), *tokens.size).boxes[0]
        frame = tokens.where.new_tensor([x, y, FRAME_SCALE * width, FRAME_SCALE * height])
        off = (tokens.where[0, 1:] - frame).abs().amax(-1)
        if not len(off) or off.min() > 1e-4:
            continue
        index = 1 + int(off.argmin())
        owner[owner == index] = 0
        owner[torch.from_numpy(mask)] = index
    return replace(tokens, detail=replace(tokens.detail, owner=owner))
