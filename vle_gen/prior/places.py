"""Places as five numbers in 0..1 (x, y, scale, aspect, depth), and the bins that the prior writes them in.

Scale and aspect stand for width and height: a token's shape is then known far more finely than its size must be.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

VARIABLES = 5
X, Y, SCALE, ASPECT, DEPTH = range(VARIABLES)
CENTRE = (-0.2, 1.2)  # canvas units; a frame's centre may lie a little outside the picture
FRAME_SCALE = (0.03, 1.5)  # sqrt(width * height) in canvas units, on a log scale
LOG_ASPECT = (-0.8, 0.8)  # log(width / height)


@dataclass(frozen=True)
class PlaceCode:
    """Between frames with depths and numbers in 0..1. `depth_range`: nearest and farthest depth, on a log scale."""

    depth_range: tuple[float, float]
    bins: int

    def _span(self, like: Tensor) -> tuple[Tensor, Tensor]:
        scale = (math.log(FRAME_SCALE[0]), math.log(FRAME_SCALE[1]))
        depth = (math.log(self.depth_range[0]), math.log(self.depth_range[1]))
        low, high = zip(CENTRE, CENTRE, scale, LOG_ASPECT, depth, strict=True)
        return like.new_tensor(low), like.new_tensor(high)

    def encode(self, where: Tensor, depth: Tensor) -> Tensor:
        """Frames (..., 4) and depths (...) as (..., 5) in 0..1; what lies outside the ranges is clamped to them."""
        log_w, log_h = where[..., 2:].clamp(min=1e-4).log().unbind(-1)
        raw = [where[..., 0], where[..., 1], (log_w + log_h) / 2, log_w - log_h, depth.clamp(min=1e-4).log()]
        low, high = self._span(where)
        return ((torch.stack(raw, -1) - low) / (high - low)).clamp(0, 1)

    def decode(self, place: Tensor) -> tuple[Tensor, Tensor]:
        """The inverse of `encode`: frames (..., 4) and depths (...)."""
        low, high = self._span(place)
        x, y, scale, aspect, depth = (low + place * (high - low)).unbind(-1)
        frame = torch.stack([x, y, (scale + aspect / 2).exp(), (scale - aspect / 2).exp()], -1)
        return frame, depth.exp()

    def blurred(self, place: Tensor, by: float, generator: torch.Generator) -> Tensor:
        """Places (..., 5) told inexactly: scale, aspect and depth are off by about the share `by` of themselves, a centre
        by a third of that in canvas units. The exact numbers would give away which sprite stands there."""
        if not by:
            return place
        low, high = self._span(place)
        size = by * place.new_tensor([1 / 3, 1 / 3, 1.0, 1.0, 1.0]) / (high - low)
        noise = torch.randn(place.shape, generator=generator, device=place.device)
        return (place + size * noise).clamp(0, 1)

    def fixed(
        self,
        centre: tuple[float, float] | None = None,
        extent: float | None = None,
        aspect: float | None = None,
        depth: float | None = None,
    ) -> Tensor:
        """A place (5,) of which only some numbers are fixed, NaN where free: centre and `extent` (geometric mean of width
        and height) of a frame in canvas units, its width over its height, its depth."""
        x, y = centre or (0.5, 0.5)
        w, h = (extent or 1.0) * (aspect or 1.0) ** 0.5, (extent or 1.0) / (aspect or 1.0) ** 0.5
        place = self.encode(torch.tensor([x, y, w, h]), torch.tensor(depth or 1.0))
        given = torch.tensor([centre is not None] * 2 + [v is not None for v in (extent, aspect, depth)])
        return torch.where(given, place, torch.nan)

    def to_bins(self, place: Tensor) -> Tensor:
        """Bin indices, long, of numbers in 0..1."""
        return (place * self.bins).long().clamp(0, self.bins - 1)


def waves(values: Tensor, octaves: int = 7) -> Tensor:
    """Numbers in 0..1, any shape (...), as (..., 2 * octaves + 1) smooth features from coarse to fine."""
    angle = values[..., None] * (math.pi * 2.0 ** torch.arange(octaves, device=values.device))
    return torch.cat([values[..., None] * 2 - 1, angle.sin(), angle.cos()], -1)


WAVES = 15  # features of `waves` per number
