"""Whether there is room for an object where it was drawn, as there is in every layout that priors of solids are trained on: it
stands in no other, neither hides one nor is hidden, and its centre is in the picture. Batched, in the units of tokens."""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.standing import FOCAL, TOUCHING
from vle_gen.tokenizer.sizes import FRAME_SCALE

COVERED = 0.4  # share of the smaller of two boxes within the other from which the farther one would be hidden
EDGE = 0.03  # canvas units that a centre keeps from the edge of the picture


def crowded(where: Tensor, depth: Tensor) -> Tensor:
    """Whether the last of N objects, frames (B, N, 4) and depths (B, N), has no room beside those before it: (B,) bool."""
    centre, box = where[..., :2], where[..., 2:] / FRAME_SCALE
    radius = box[..., 0] * depth / FOCAL / 2  # metres, as is what follows
    floor = torch.stack([(centre[..., 0] - 0.5) * depth / FOCAL, depth], -1)
    apart = (floor[:, :-1] - floor[:, -1:]).norm(dim=-1)  # (B, N - 1)
    inside = apart < TOUCHING * (radius[:, :-1] + radius[:, -1:])
    low, high = centre - box / 2, centre + box / 2
    common = (torch.minimum(high[:, :-1], high[:, -1:]) - torch.maximum(low[:, :-1], low[:, -1:])).clamp(min=0).prod(-1)
    area = box.prod(-1)
    covered = common > COVERED * torch.minimum(area[:, :-1], area[:, -1:])
    beyond = ((centre[:, -1] < EDGE) | (centre[:, -1] > 1 - EDGE)).any(-1)
    return (inside | covered).any(1) | beyond
