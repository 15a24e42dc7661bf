"""Whether there is room for an object where it was drawn, as there is in every layout that priors of solids are trained on: it
stands in no other, neither hides one nor is hidden, and its centre is in the picture. Batched, in the units of tokens."""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.standing import FOCAL, TOUCHING
from vle_gen.tokenizer.sizes import FRAME_SCALE

COVERED = 0.4  # share of the smaller of two boxes within the other from which the farther one would be hidden too much
EDGE = 0.03  # canvas units that a centre keeps from the edge of the picture
CUT = 0.03  # of a box's width or height, that may be beyond the edge where all of a thing is to show


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


def cut_off(where: Tensor) -> Tensor:
    """Whether the picture's edge cuts the last of N frames' (B, N, 4) boxes off: (B,) bool."""
    low, high = (side[:, -1] for side in _sides(where))
    beyond = (-low).clamp(min=0) + (high - 1).clamp(min=0)
    return (beyond > CUT * (high - low)).any(-1)


def _sides(where: Tensor) -> tuple[Tensor, Tensor]:
    """The left and upper, and the right and lower sides of frames' boxes, (B, N, 2) each."""
    half = where[..., 2:] / (2 * FRAME_SCALE)
    return where[..., :2] - half, where[..., :2] + half
