"""Glimpses: the square cut-outs of a picture that CLIP looks at to name its tokens."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.filters import antialiased
from vle_gen.tokenizer.sizes import FRAME_SCALE

METRES = 3.4  # width of what a glimpse shows, at its object's depth: the largest solid fits with some floor
FILLED = 0.6  # share of a fitted glimpse that its object's longer side takes
SIDE = 256  # longer side that a picture is brought to before glimpses are cut, when it is larger


def cut_glimpses(picture: Tensor, where: Tensor, depth: Tensor, size: int = 96, fit: float = 0.0) -> Tensor:
    """Square cut-outs (K, 3, size, size) of a picture (3, H, W).

    `where` (K, 4) frames in canvas units; `depth` (K,) in metres. With `fit` 0 a glimpse shows the same extent of the world
    whatever the depth, so that large objects look large: the apparent size alone does not tell. With 1 it shows its object
    alone, however small; in between it is between the two.
    """
    height, width = picture.shape[-2:]
    side = max(height, width)
    if side > SIDE:
        height, width = (max(1, round(v * SIDE / side)) for v in (height, width))
        picture = antialiased(picture[None], (height, width))[0]
        side = max(height, width)
    extent = METRES / depth.clamp(min=1.0)  # (K,) canvas units
    if fit:
        longer = where[:, 2:].amax(1).clamp(min=0.02) / FRAME_SCALE
        extent = extent ** (1 - fit) * (longer / FILLED) ** fit
    extent = extent.clamp(max=1.0)
    unit = (torch.arange(size, device=picture.device) + 0.5) / size - 0.5
    x = (where[:, 0:1] + unit * extent[:, None] - 0.5) * side / width * 2  # (K, size) in the picture's -1..1
    y = (where[:, 1:2] + unit * extent[:, None] - 0.5) * side / height * 2
    grid = torch.stack([x[:, None].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], -1)
    source = picture.expand(len(where), -1, -1, -1)
    return F.grid_sample(source, grid.to(picture.dtype), "bilinear", "border", False)
