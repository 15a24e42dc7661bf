"""How bright it is where an object stands, read off the scene token: a moved object takes on the light of its new place.

That is so in worlds of one floor under one kind of lamps. Where a floor may meet a wall of another paint its brightness says
nothing of light."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.tokenizer.blocks import Extent

POINTS = 8  # on each side of the grid at which the floor is looked at
MOST = 1.25  # the floor may differ for other reasons than light, such as paint: a gain is at most this, at least 1 / this


def light_gain(scene: Tensor, size: tuple[int, int], old: Tensor, new: Tensor) -> float:
    """How much brighter an object gets that moves from frame `old` to `new`, (4,) in canvas units: as the floor at its
    foot does, since what falls on the one falls on the other.

    Args:
        scene: (1, 3, s, s) the decoded scene token, 0..1.
        size: height and width of the picture.
    """
    extent = Extent.of(*size)
    gain = float((brightness(scene, extent, new) / brightness(scene, extent, old).clamp(min=1e-3)).cpu())
    return min(max(gain, 1 / MOST), MOST)


def brightness(scene: Tensor, extent: Extent, where: Tensor) -> Tensor:
    """Mean of the scene token (1, 3, s, s) about the foot of the object of frame `where` (4,): its lower half and a
    little below and beside it."""
    cx, cy, width, height = where.to(scene)
    across = torch.linspace(-0.3, 0.3, POINTS, device=scene.device)  # of the frame, whose half is the object
    down = torch.linspace(0.0, 0.3, POINTS, device=scene.device)
    x, y = (cx + across * width - 0.5) / extent.width * 2, (cy + down * height - 0.5) / extent.height * 2
    grid = torch.stack([x[None].expand(POINTS, -1), y[:, None].expand(-1, POINTS)], -1)
    return F.grid_sample(scene, grid[None], "bilinear", "border", False).mean()
