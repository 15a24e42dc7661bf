"""Masks that a person, or another program, has drawn of objects: which pixels their tokens own, exactly."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from vle_gen.encoding import Box, Hints
from vle_gen.errors import UserError
from vle_gen.io.image_files import open_image
from vle_gen.segmentation.colour_segmentation import cut
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import PER_TOKEN, SURE, VLETokens

HALF = 128  # of 255, from which on a pixel is the object's
WITHIN = 0.8  # share of an unsure token's pixels from which on they lie in a box
STRANGE = 0.5  # the score that half of a picture's tokens are below, where it is unlike those that the model knows
CERTAIN = 0.6  # and one from which on it is believed even there
PART = 0.5  # share of a token's pixels from which on a mask that marks them says that the token is a part of its object


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
    return require_marked(seen >= HALF, path)


def require_marked(mask: np.ndarray, path: str | Path) -> np.ndarray:
    """The mask (H, W) bool. Raises `UserError` where it marks nothing."""
    if not mask.any():
        raise UserError(f"mask {path} marks nothing: expected white pixels, or opaque ones, where the object is")
    return mask


def box_of(mask: np.ndarray) -> Box:
    """Left, top, width and height, in pixels, of what a mask (H, W) marks."""
    rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def as_masked(tokens: VLETokens, masks: Sequence[np.ndarray]) -> VLETokens:
    """The tokens of a picture that was encoded with a box about each of the masks (H, W): those tokens own the pixels that
    their masks mark and no others. Where masks overlap the last has the pixels; a token that was not worth keeping has none.
    Tokens that were found besides and are rather parts of what a mask marks are left out: else they stayed when that moves."""
    owner, chosen, marked = tokens.detail.owner.clone(), [], np.zeros(tokens.size, bool)
    for mask in masks:
        if not (index := token_of(tokens, box_of(mask))):
            continue
        owner[owner == index] = 0
        owner[torch.from_numpy(mask)] = index
        chosen.append(index)
        marked |= mask
    before, inside = (torch.bincount(one.flatten().long(), minlength=len(tokens)) for one in (
        tokens.detail.owner, tokens.detail.owner[torch.from_numpy(marked)]
    ))  # fmt: skip
    parts = (inside > PART * before).tolist()
    kept = [k for k in range(len(tokens)) if k == 0 or k in chosen or not parts[k]]
    return only(replace(tokens, detail=replace(tokens.detail, owner=owner)), kept)


def as_boxed(tokens: VLETokens, boxes: Sequence[Box]) -> VLETokens:
    """The tokens of a picture that was encoded with `boxes`: each of their tokens has the pixels of all unsure ones that were
    found in its box besides, since a person says that there is one thing and they say that there may be one. In a picture
    unlike those that the model knows it has what colours say (see `vle_gen.segmentation.colour_segmentation`), unless it is
    sure for all that."""
    chosen = {index: box for box in boxes if (index := token_of(tokens, box))}
    if not chosen:
        return tokens
    scores, owner, gone = tokens.score[0].tolist(), tokens.detail.owner.clone(), set()
    strange = is_strange(tokens)
    for index, box in chosen.items():
        by_colours = strange and scores[index] < CERTAIN
        believed = CERTAIN if by_colours else SURE
        inside, rest = _in_box(owner, box), set(range(1, len(tokens))) - gone - {index}
        unsure = {k for k in rest if k not in chosen and scores[k] < believed}
        parts = {k for k in unsure if inside[owner == k].float().mean() > WITHIN}
        owner[_any_of(owner, parts)] = index
        gone |= parts
        if by_colours:
            taken = _any_of(owner, {k for k in rest - parts if k in chosen or scores[k] >= SURE})
            mask = cut(tokens.detail.picture, box, owner == index, taken)
            if mask is not None:
                owner[owner == index] = 0
                owner[mask] = index
    if torch.equal(owner, tokens.detail.owner):
        return tokens
    before, after = (torch.bincount(one.flatten(), minlength=len(tokens)) for one in (tokens.detail.owner, owner))
    gone |= set(((before > 0) & (after == 0)).nonzero()[:, 0].tolist()) - chosen.keys() - {0}
    kept = [k for k in range(len(tokens)) if k not in gone]
    return only(replace(tokens, detail=replace(tokens.detail, owner=owner)), kept)


def is_strange(tokens: VLETokens, missed: int = 0) -> bool:
    """Whether a picture that was just encoded is unlike those that the model knows: half of its tokens are unsure, of which
    objects that it `missed` are some."""
    return median([*tokens.score[0, 1:].tolist(), *[0.0] * missed] or [1.0]) < STRANGE


def _in_box(owner: Tensor, box: Box) -> Tensor:
    """Which pixels (H, W) lie in a box."""
    inside = torch.zeros_like(owner, dtype=torch.bool)
    left, top, width, height = (round(float(v)) for v in box)
    inside[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)] = True
    return inside


def _any_of(owner: Tensor, tokens: set[int]) -> Tensor:
    """Which pixels (H, W) any of these tokens owns."""
    return torch.isin(owner, torch.tensor(sorted(tokens), dtype=owner.dtype))


def token_of(tokens: VLETokens, box: Box) -> int:
    """The token that was written for a box; 0 where it was not worth keeping."""
    x, y, width, height = Hints.of((box,), (), *tokens.size).boxes[0]
    frame = tokens.where.new_tensor([x, y, FRAME_SCALE * width, FRAME_SCALE * height])
    off = (tokens.where[0, 1:] - frame).abs().amax(-1)
    return 1 + int(off.argmin()) if len(off) and off.min() <= 1e-4 else 0


def only(tokens: VLETokens, kept: list[int]) -> VLETokens:
    """Tokens just encoded, and the detail that they carry, with these tokens alone; pixels of the others are the scene's."""
    if len(kept) == len(tokens):
        return tokens
    detail, rank = tokens.detail, torch.zeros(len(tokens), dtype=torch.uint8)
    rank[kept] = torch.arange(len(kept), dtype=torch.uint8)
    rows = {name: getattr(detail, name)[kept] for name in ("what", "where", "depth")}
    return replace(
        tokens,
        **{name: getattr(tokens, name)[:, kept] for name in PER_TOKEN if name != "source"},
        source=torch.arange(len(kept), device=tokens.source.device)[None],
        length=torch.full_like(tokens.length, len(kept)),
        detail=replace(detail, owner=rank[detail.owner.long()], **rows),
    )
