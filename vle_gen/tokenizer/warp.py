"""The glimpse's warp: pixels of a glimpse lie closer together over the object than out in its frame's shadow.

A frame is twice as wide as its object. Drawn evenly, the object would have half of the glimpse's rows and columns; the
shadow around it is smooth and needs few. So the middle of the frame is drawn larger by 1 / SLOPE, the rest is squeezed.
All coordinates run over -1..1, the frame's or the glimpse's edges.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor

SLOPE = 0.7  # frame coordinate per glimpse coordinate in the middle: the object has 0.5 / 0.7 of the glimpse
CORE = 0.72  # glimpse coordinate up to which that holds; the object's box ends at 0.714
BEND = (1 - SLOPE) / (1 - CORE) ** 2


def to_frame(glimpse: Tensor) -> Tensor:
    """Frame coordinates of glimpse coordinates, any shape."""
    past = (glimpse.abs() - CORE).clamp(min=0)
    return glimpse * SLOPE + glimpse.sign() * BEND * past.square()


def to_glimpse(frame: Tensor) -> Tensor:
    """The inverse of `to_frame`."""
    size = frame.abs()
    past = (size - SLOPE * CORE).clamp(min=0)
    bent = (torch.sqrt(SLOPE**2 + 4 * BEND * past) - SLOPE) / (2 * BEND)
    return frame.sign() * ((size / SLOPE).clamp(max=CORE) + bent)


def pixel_centres(size: int, device: torch.device | None = None) -> Tensor:
    """Frame coordinates (size,) of the pixel centres along one axis of a glimpse."""
    return to_frame((torch.arange(size, device=device) + 0.5) / size * 2 - 1)


def density(size: int, device: torch.device | None = None) -> Tensor:
    """How much of the frame each pixel of a glimpse stands for: (size, size), mean 1."""
    edges = to_frame(torch.arange(size + 1, device=device) / size * 2 - 1)
    share = (edges[1:] - edges[:-1]) * size / 2
    return share[:, None] * share


def evenly(layers: Tensor, size: int) -> Tensor:
    """Warped layers (K, C, S, S) as even ones of their frames, (K, C, size, size)."""
    fine = size * math.ceil(layers.shape[-1] / size)
    at = to_glimpse((torch.arange(fine, device=layers.device) + 0.5) / fine * 2 - 1).to(layers.dtype)
    grid = torch.stack([at[None].expand(fine, -1), at[:, None].expand(-1, fine)], -1)
    even = torch.nn.functional.grid_sample(layers, grid.expand(len(layers), -1, -1, -1), "bilinear", "border", False)
    return torch.nn.functional.interpolate(even, (size, size), mode="area")
