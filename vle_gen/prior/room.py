"""Whether there is room for an object where it was drawn, as there is in every layout that priors of solids are trained on: it
stands in no other, neither hides one nor is hidden, and its centre is in the picture; and whether it looks piled on another.
Batched, in the units of tokens."""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.standing import FOCAL, TOUCHING
from vle_gen.tokenizer.sizes import FRAME_SCALE

COVERED = 0.4  # share of the smaller of two boxes within the other from which the farther one would be hidden too much
EDGE = 0.03  # canvas units that a centre keeps from the edge of the picture
CUT = 0.03  # of a box's width or height, that may be beyond the edge where all of a thing is to show
HOVERS, SINKS = -0.15, 0.25  # heights of a thing from its top down, between which the foot of what looks to stand on it is
OVER = 0.5  # share of the narrower one's width, from which one thing is over another
WIDER = 1.6  # times as wide as what is below it: a thing that is wider looks to be behind


def crowded(where: Tensor, depth: Tensor) -> Tensor:
    """Whether the last of N objects, frames (B, N, 4) and depths (B, N), has no room beside those before it: (B,) bool."""
    centre, box = where[..., :2], where[..., 2:] / FRAME_SCALE
    radius = box[..., 0] * depth / FOCAL / 2  # metres, as is what follows
    floor = torch.stack([(centre[..., 0] - 0.5) * depth / FOCAL, depth], -1)
    apart = (floor[:, :-1] - floor[:, -1:]).norm(dim=-1)  # (B, N - 1)
    inside = apart < TOUCHING * (radius[:, :-1] + radius[:, -1:])
    beyond = ((centre[:, -1] < EDGE) | (centre[:, -1] > 1 - EDGE)).any(-1)
    return inside.any(1) | beyond | covering(where)


def covering(where: Tensor) -> Tensor:
    """Whether the last of N frames (B, N, 4) would hide too much of one before it, or be hidden by one: (B,) bool."""
    low, high = _sides(where)
    common = (torch.minimum(high[:, :-1], high[:, -1:]) - torch.maximum(low[:, :-1], low[:, -1:])).clamp(min=0).prod(-1)
    area = (high - low).prod(-1)
    return (common > COVERED * torch.minimum(area[:, :-1], area[:, -1:])).any(1)


def any_covered(where: Tensor) -> bool:
    """Whether one of N frames (N, 4) hides too much of another one."""
    return any(bool(covering(where[None, :count]).any()) for count in range(2, len(where) + 1))


def piled(where: Tensor, sinks: Tensor | float = SINKS) -> Tensor:
    """Whether the last of N frames (B, N, 4) looks to stand on each one before it, or that one on it: (B, N - 1) bool; `sinks`
    as for `rests`."""
    box = torch.cat([where[..., :2], where[..., 2:] / FRAME_SCALE], -1)
    last, before = box[:, -1:], box[:, :-1]
    return rests(last, before, sinks) | rests(before, last, sinks)


def rests(one: Tensor, other: Tensor, sinks: Tensor | float = SINKS) -> Tensor:
    """Whether things look to stand on others, by boxes (..., 4), centre and size, that broadcast: (...) bool. Depths are not
    asked, since nobody sees them where a thing ends just above another one. What ends by more than `sinks` heights of the
    other below its top looks to be behind it."""
    (over_x, over_y, over_w, over_h), (x, y, w, h) = one.unbind(-1), other.unbind(-1)
    down = (over_y + over_h / 2 - (y - h / 2)) / h
    common = torch.minimum(x + w / 2, over_x + over_w / 2) - torch.maximum(x - w / 2, over_x - over_w / 2)
    return (down > HOVERS) & (down < sinks) & (common > OVER * torch.minimum(w, over_w)) & (over_w < WIDER * w)


def cut_off(where: Tensor) -> Tensor:
    """Whether the picture's edge cuts the last of N frames' (B, N, 4) boxes off: (B,) bool."""
    low, high = (side[:, -1] for side in _sides(where))
    beyond = (-low).clamp(min=0) + (high - 1).clamp(min=0)
    return (beyond > CUT * (high - low)).any(-1)


def _sides(where: Tensor) -> tuple[Tensor, Tensor]:
    """The left and upper, and the right and lower sides of frames' boxes, (B, N, 2) each."""
    half = where[..., 2:] / (2 * FRAME_SCALE)
    return where[..., :2] - half, where[..., :2] + half
