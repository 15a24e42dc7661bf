"""Tokens to pixels: each layer is decoded once, small, and drawn at any resolution only where its frame lies."""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.filters import halved
from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.blocks import Extent
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.warp import SLOPE, to_glimpse

FINEST = 1.7  # pixels of a layer per pixel of the picture, at most: more would alias
BRINK = 0.85  # of the way from a frame's middle to its edge: from there on a decoded shadow fades, and has no edge of its own
SHADOWS_END = 1.4  # of that way: where such a shadow ends
EDGE = 1.25  # half-width of the uncertain band along an object's outline, in pixels of its glimpse
SEEN = 0.01  # alpha from which a shadow at the brink is seen to end


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
    return frame_window(where, height, width, margin).inside(Window(0, height, 0, width))


def frame_window(where: Tensor, height: int, width: int, margin: int = 0) -> Window:
    """The same with those that lie beyond the picture's edges."""
    side, extent = max(height, width), Extent.of(height, width)
    cx, cy, w, h = (float(v) for v in where)
    x, y = (cx - 0.5 + extent.width / 2) * side, (cy - 0.5 + extent.height / 2) * side
    top, bottom = math.floor(y - h * side / 2) - margin, math.ceil(y + h * side / 2) + margin
    left, right = math.floor(x - w * side / 2) - margin, math.ceil(x + w * side / 2) + margin
    return Window(top, bottom, left, right)


def band_of(where: Tensor, height: float, width: float, glimpse: int) -> int:
    """Half-width in picture pixels of the uncertain band along the outline of a token of frame `where`."""
    frame = float(where[2:].max()) * max(height, width)
    return max(1, round(EDGE * max(1.0, SLOPE * frame / glimpse)))


def widened(where: Tensor, times: float) -> Tensor:
    """The frame `where` (4,), `times` as wide and high about its middle."""
    return torch.cat([where[:2], where[2:] * times])


def draw(layer: Tensor, where: Tensor, height: int, width: int, window: Window) -> Tensor:
    """A layer (C, L, L) of frame `where` (4,), sampled at the pixels of `window` of a height x width picture; one that is
    finer than the picture is averaged first."""
    side = max(height, width)
    fine = layer.shape[-1] / (SLOPE * float(where[2:].max()) * side)  # pixels of the layer per pixel of the picture
    while fine > FINEST and layer.shape[-1] % 2 == 0:
        layer, fine = halved(layer), fine / 2
    x, y = in_frame(where, height, width, window)
    gx, gy = to_glimpse(x), to_glimpse(y)
    grid = torch.stack([gx[None].expand(len(y), -1), gy[:, None].expand(-1, len(x))], -1)
    return F.grid_sample(layer[None], grid[None], "bilinear", "zeros", False)[0]


def draw_beyond(
    layer: Tensor, where: Tensor, height: int, width: int, window: Window, brink: float = BRINK, reach: float = SHADOWS_END
) -> Tensor:
    """What a layer (C, L, L) of frame `where` (4,) says beyond `brink` of its frame, at the pixels of `window`: it goes on
    as there in the same direction from the middle, fading to nothing at `reach` times the frame. 0 inside the brink."""
    x, y = in_frame(where, height, width, window)
    out = torch.maximum(x.abs()[None], y.abs()[:, None])  # (h, w), 1 at the frame's edge
    inward = brink / out.clamp(min=brink)
    grid = to_glimpse(torch.stack([x * inward, y[:, None] * inward], -1))
    fade = ((reach - out) / (reach - brink)).clamp(0, 1) * (out > brink)
    return F.grid_sample(layer[None], grid[None], "bilinear", "border", False)[0] * fade


def go_on(alpha: Tensor) -> Tensor:
    """Which layers' alpha (K, L, L) is still seen at the brink, so that `draw_beyond` has something to draw: (K,) bool."""
    far = int((1 + float(to_glimpse(torch.tensor(BRINK)))) / 2 * alpha.shape[-1])
    near = alpha.shape[-1] - 1 - far
    rows, columns = alpha[:, [near, far], near : far + 1], alpha[:, near : far + 1, [near, far]]
    return torch.maximum(rows.amax((1, 2)), columns.amax((1, 2))) > SEEN


def in_frame(where: Tensor, height: int, width: int, window: Window) -> tuple[Tensor, Tensor]:
    """The pixel columns (w,) and rows (h,) of `window`, of a height x width picture, in coordinates of the frame `where`
    (4,), -1..1 from edge to edge; none of a window that is empty."""
    side, extent = max(height, width), Extent.of(height, width)
    right, bottom = max(window.left, window.right), max(window.top, window.bottom)
    x = (torch.arange(window.left, right, device=where.device) + 0.5) / side + 0.5 - extent.width / 2
    y = (torch.arange(window.top, bottom, device=where.device) + 0.5) / side + 0.5 - extent.height / 2
    return (x - where[0]) / where[2] * 2, (y - where[1]) / where[3] * 2


def far_to_near(depth: Tensor) -> list[int]:
    """Indices of the object tokens (all but token 0) of depth (T,); of equally deep ones the first is nearest, as it is in
    `VLETokens.near_to_far`."""
    return (depth[1:].argsort(stable=True).flip(0) + 1).tolist()


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
    on = go_on(layers[:, 3]).tolist()
    for index in far_to_near(depth):
        place = where[index]
        window = window_of(widened(place, SHADOWS_END) if on[index - 1] else place, height, width)
        if window.empty:
            continue
        drawn = draw(layers[index - 1], place, height, width, window)
        covered = drawn[3:]
        if on[index - 1]:
            covered = covered.maximum(draw_beyond(layers[index - 1, 3:], place, height, width, window))
        rows, columns = window.slices
        canvas[:, rows, columns] = drawn[:3] + canvas[:, rows, columns] * (1 - covered)
    return canvas
