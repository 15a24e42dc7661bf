"""What varies smoothly, such as light, is found in a large picture made smaller: cells of whole pixels, and stretched back."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.tokenizer.render import Window
from vle_gen.tokens import VLETokens

SIDE = 750  # pixels of the longer side, roughly: what is larger by half or more is worked on smaller


def cell_of(size: Sequence[int]) -> int:
    """Pixels on a side of a cell for a picture of height and width `size`; 1 where it is no large one."""
    return max(1, round(max(size) / SIDE))


def reduced(planes: Tensor, cell: int) -> Tensor:
    """Means of cells of `cell` x `cell` pixels of planes (C, h, w), at the ends of those that there are."""
    return planes if cell == 1 else F.avg_pool2d(planes[None], cell, ceil_mode=True, count_include_pad=False)[0]


def reduced_window(window: Window, cell: int) -> Window:
    """The cells that the pixels of a window lie in."""
    return Window(window.top // cell, -(-window.bottom // cell), window.left // cell, -(-window.right // cell))


def stretched(planes: Tensor, cell: int, cells: Window, window: Window) -> Tensor:
    """Planes (C, h, w) of the window `cells`, interpolated at the pixels of `window`, which lies in them. What is 0 all about a
    pixel is 0 there."""
    if cell == 1:
        return planes if cells == window else planes[window.within(cells).planes]
    needed = reduced_window(window, cell)  # and one more on each side, which the outermost pixels lie between
    needed = Window(needed.top - 1, needed.bottom + 1, needed.left - 1, needed.right + 1).inside(cells)
    part = planes[needed.within(cells).planes]
    inside = window.within(Window(*(cell * edge for edge in needed))).slices
    result = planes.new_empty(len(planes), window.bottom - window.top, window.right - window.left)
    for plane, larger in zip(part, result, strict=True):  # all at once torch takes twice the memory, and longer
        larger.copy_(F.interpolate(plane[None, None], scale_factor=cell, mode="bilinear", align_corners=False)[0, 0][inside])
    return result


def at_working_size(tokens: VLETokens, cell: int) -> VLETokens:
    """Tokens that carry their source's detail, with the detail of that picture made smaller."""
    if cell == 1:
        return tokens
    detail = tokens.detail
    picture = torch.cat([reduced(plane[None].float(), cell) for plane in detail.picture])  # no longer whole numbers
    owner = owner_of_cells(detail.owner, cell)
    return replace(tokens.resized(*owner.shape), detail=replace(detail, picture=picture, owner=owner))


def owner_of_cells(owner: Tensor, cell: int) -> Tensor:
    """Owners (h, w) of the cells of a picture (H, W): those of their middles and, of what is so thin that none about it is its
    own, that."""
    height, width = owner.shape
    rows, columns = ((torch.arange(0, count, cell) + cell // 2).clamp(max=count - 1) for count in (height, width))
    middles = owner[rows][:, columns]
    padded = F.pad(owner, (0, -width % cell, 0, -height % cell))
    highest = reduce(torch.maximum, (padded[y::cell, x::cell] for y in range(cell) for x in range(cell)))
    around = F.pad(middles, (1, 1, 1, 1))
    about = (around[y : y + len(middles), x : x + middles.shape[1]] for y in range(3) for x in range(3))
    missed = reduce(torch.logical_and, (one != highest for one in about))
    return torch.where(missed & (middles == 0), highest, middles)
