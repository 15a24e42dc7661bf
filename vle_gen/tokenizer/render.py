"""Tokens to pixels: each layer is decoded once, small, and drawn at any resolution only where its frame lies."""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.blocks import Extent
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.warp import SLOPE, to_glimpse

FINEST = 1.7  # pixels of a layer per pixel of the picture, at most: more would alias
BRINK = 0.97  # of the way from a frame's middle to its edge: up to where a layer says what is there, and not what to fade to


class Window(NamedTuple):
    """A rectangle of picture pixels, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def planes(self) -> tuple[slice, slice, slice]:
        """All channels, rows and columns of a picture (C, H, W)."""
        return (slice(None), *self.slices)

    def inside(self, other: Window) -> Window:
        """The part of this window that lies in another; it may be empty."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        return Window(top, min(self.bottom, other.bottom), left, min(self.right, other.right))

    def within(self, other: Window) -> Window:
        """The same pixels, counted from another window's corner."""
        return Window(self.top - other.top, self.bottom - other.top, self.left - other.left, self.right - other.left)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def empty(self) -> bool:
        """Whether no pixel lies inside."""
        return self.bottom <= self.top or self.right <= self.left


def window_of(where: Tensor, height: int, width: int, margin: int = 0) -> Window:
    """The pixels of a height x width picture that the frame `where` (4,) touches, `margin` more on each side."""
    side, extent = max(height, width), Extent.of(height, width)
    cx, cy, w, h = (float(v) for v in where)
    x, y = (cx - 0.5 + extent.width / 2) * side, (cy - 0.5 + extent.height / 2) * side
    top, bottom = math.floor(y - h * side / 2) - margin, math.ceil(y + h * side / 2) + margin
    left, right = math.floor(x - w * side / 2) - margin, math.ceil(x + w * side / 2) + margin
    return Window(max(top, 0), min(bottom, height), max(left, 0), min(right, width))


def draw(layer: Tensor, where: Tensor, height: int, width: int, window: Window) -> Tensor:
    """A layer (C, L, L) of frame `where` (4,), sampled at the pixels of `window` of a height x width picture; one that is
    finer than the picture is averaged first."""
    side = max(height, width)
    fine = layer.shape[-1] / (SLOPE * float(where[2:].max()) * side)  # pixels of the layer per pixel of the picture
    while fine > FINEST and layer.shape[-1] % 2 == 0:
        layer, fine = F.avg_pool2d(layer, 2), fine / 2
    x, y = in_frame(where, height, width, window)
    gx, gy = to_glimpse(x), to_glimpse(y)
    grid = torch.stack([gx[None].expand(len(y), -1), gy[:, None].expand(-1, len(x))], -1)
    return F.grid_sample(layer[None], grid[None], "bilinear", "zeros", False)[0]


def draw_beyond(layer: Tensor, where: Tensor, height: int, width: int, window: Window, wider: float) -> Tensor:
    """What a layer (C, L, L) of frame `where` (4,) says beyond its frame, at the pixels of `window`: it goes on as at the
    frame's edge in the same direction from the middle, fading to nothing at `wider` times the frame. 0 inside it."""
    x, y = in_frame(where, height, width, window)
    out = torch.maximum(x.abs()[None], y.abs()[:, None])  # (h, w), 1 at the frame's edge
    inward = BRINK / out.clamp(min=BRINK)
    grid = torch.stack([to_glimpse(x * inward), to_glimpse(y[:, None] * inward)], -1)
    fade = ((wider - out) / (wider - BRINK)).clamp(0, 1) * (out > BRINK)
    return F.grid_sample(layer[None], grid[None], "bilinear", "border", False)[0] * fade


def in_frame(where: Tensor, height: int, width: int, window: Window) -> tuple[Tensor, Tensor]:
    """The pixel columns (w,) and rows (h,) of `window`, of a height x width picture, in coordinates of the frame `where`
    (4,), -1..1 from edge to edge."""
    side, extent = max(height, width), Extent.of(height, width)
    x = (torch.arange(window.left, window.right, device=where.device) + 0.5) / side + 0.5 - extent.width / 2
    y = (torch.arange(window.top, window.bottom, device=where.device) + 0.5) / side + 0.5 - extent.height / 2
    return (x - where[0]) / where[2] * 2, (y - where[1]) / where[3] * 2


@torch.no_grad()
def render_tokens(
    net: TokenizerNetwork, what: Tensor, where: Tensor, depth: Tensor, height: int, width: int
) -> Tensor:
    """What the tokens alone say: a picture (3, height, width), 0..1, from what (T, D), where (T, 4), depth (T,).

    Token 0 is the scene token; the others are composited over it from far to near.
    """
    canvas = stretch_to(net.background_decoder(what[:1]), height, width)[0]
    if len(what) == 1:
        return canvas
    layers = net.glimpse_decoder(what[1:]).premultiplied  # (T - 1, 4, S, S)
    for index in depth[1:].argsort(descending=True).tolist():
        window = window_of(where[index + 1], height, width)
        if window.empty:
            continue
        drawn = draw(layers[index], where[index + 1], height, width, window)
        rows, columns = window.slices
        canvas[:, rows, columns] = drawn[:3] + canvas[:, rows, columns] * (1 - drawn[3:])
    return canvas
