"""One token's layers in pixels, cut from a picture or decoded: moved, grown, and composited over a floor."""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.filters import antialiased
from vle_gen.inpainting.lights import BRIGHTEST, DARKEST
from vle_gen.source import Placement, centre_of
from vle_gen.tokenizer.render import Window


@dataclass
class Body:
    """One token's layers on the pixels of `window`: what it does to the light there, and over that a body (premultiplied).

    What lies behind comes out as itself * light + shadow: light is below 1 in a shadow, and above 1 where the object
    reflects onto the floor.
    """

    window: Window
    shadow: Tensor  # (3, h, w)
    light: Tensor  # (3, h, w)
    colour: Tensor  # (3, h, w) of the body, times its matte
    matte: Tensor  # (1, h, w)
    doubt: Tensor | None = None  # (1, h, w): how much of the light may be another's; of what was just cut from a picture alone


def shifted(body: Body, shift: tuple[float, float], arena: Window) -> Body:
    """The layers moved by (dx, dy) pixels, cut to the arena; whole pixels exactly, fractions by bicubic interpolation."""
    dx, dy = shift
    if dx == dy == 0 and body.window.inside(arena) == body.window:
        return body  # as it is, to the last bit: what nothing moves is no edit
    whole_x, whole_y = int(dx // 1), int(dy // 1)
    fraction_x, fraction_y = dx - whole_x, dy - whole_y
    if not fraction_x and not fraction_y:
        return moved_whole(body, whole_x, whole_y, arena)
    planes = F.pad(torch.cat([body.shadow, 1 - body.light, body.colour, body.matte]), (2, 2, 2, 2))
    rows, columns = planes.shape[-2:]
    x = (torch.arange(columns, device=planes.device) + 0.5 - fraction_x) / columns * 2 - 1
    y = (torch.arange(rows, device=planes.device) + 0.5 - fraction_y) / rows * 2 - 1
    grid = torch.stack([x[None].expand(rows, -1), y[:, None].expand(-1, columns)], -1)
    planes = F.grid_sample(planes[None], grid[None], "bicubic", "zeros", False)[0]
    top, left = body.window.top + whole_y - 2, body.window.left + whole_x - 2
    full = Window(top, top + planes.shape[1], left, left + planes.shape[2])
    window = full.inside(arena)
    if window.empty:
        return resampled(window, planes[:, :0, :0])
    planes = planes[window.within(full).planes]
    return resampled(window, planes)


def moved_whole(body: Body, dx: int, dy: int, arena: Window) -> Body:
    """The layers moved by whole pixels, cut to the arena: views of what they were."""
    old = body.window
    full = Window(old.top + dy, old.bottom + dy, old.left + dx, old.right + dx)
    window = full.inside(arena)
    part = (slice(None), slice(0, 0), slice(0, 0)) if window.empty else window.within(full).planes
    return Body(window, body.shadow[part], body.light[part], body.colour[part], body.matte[part])


def scaled(body: Body, placement: Placement, where: Tensor, size: tuple[int, int], arena: Window) -> Body:
    """The layers moved and grown about the centre of their frame `where` (4,) in their source picture of
    height and width `size`, cut to the arena.

    Bicubic interpolation; layers that shrink are averaged first, so that nothing finer than a pixel is left to flicker.
    """
    scale, (cx, cy) = placement.scale, centre_of(where, size)
    at_x, at_y = cx + placement.dx, cy + placement.dy
    old = body.window
    top, bottom = (math.floor(at_y + (old.top - cy) * scale) - 2, math.ceil(at_y + (old.bottom - cy) * scale) + 2)
    left, right = (math.floor(at_x + (old.left - cx) * scale) - 2, math.ceil(at_x + (old.right - cx) * scale) + 2)
    window = Window(top, bottom, left, right).inside(arena)
    planes = torch.cat([body.shadow, 1 - body.light, body.colour, body.matte])
    if window.empty:
        return resampled(window, planes[:, :0, :0])
    if scale < 1:
        small = [max(1, round(s * scale)) for s in planes.shape[-2:]]
        planes = antialiased(planes[None], small, "bicubic")[0]
    x = (torch.arange(window.left, window.right, device=planes.device) + 0.5 - at_x) / scale + cx - old.left
    y = (torch.arange(window.top, window.bottom, device=planes.device) + 0.5 - at_y) / scale + cy - old.top
    gx, gy = x / (old.right - old.left) * 2 - 1, y / (old.bottom - old.top) * 2 - 1
    grid = torch.stack([gx[None].expand(len(y), -1), gy[:, None].expand(-1, len(x))], -1)
    planes = F.grid_sample(planes[None], grid[None].to(planes.dtype), "bicubic", "zeros", False)[0]
    return resampled(window, planes)


def flipped(body: Body, edge: int) -> Body:
    """The body mirrored left to right, pixel column c to `edge - 1 - c`, under the same light: shadows and reflections on
    the floor stay, since the lamps do."""
    old = body.window
    left, right = edge - old.right, edge - old.left
    window = Window(old.top, old.bottom, min(left, old.left), max(right, old.right))
    before, after = old.left - window.left, window.right - old.right
    mirrored = torch.cat([body.colour, body.matte]).flip(-1)
    mirrored = F.pad(mirrored, (left - window.left, window.right - right))
    dark = F.pad(torch.cat([body.shadow, 1 - body.light]), (before, after))
    return Body(window, dark[:3], 1 - dark[3:], mirrored[:3], mirrored[3:])


def faded(body: Body, opacity: float) -> Body:
    """The layers made transparent, shadow and all; `opacity` 1 changes nothing."""
    if opacity == 1:
        return body
    light = 1 + (body.light - 1) * opacity
    return Body(body.window, body.shadow * opacity, light, body.colour * opacity, body.matte * opacity)


def composite(base: Tensor, bodies: list[Body], arena: Window) -> Tensor:
    """Layers, far to near, over the floor (3, h, w) of the arena."""
    canvas = base.clone()
    for body in bodies:
        part = canvas[body.window.within(arena).planes]  # a view, written in place
        part.mul_(body.light).add_(body.shadow)
        part.mul_(1 - body.matte).add_(body.colour)
    return canvas


def resampled(window: Window, planes: Tensor) -> Body:
    """From planes (10, h, w) that were resampled: shadow 3, 1 - light 3, colour 3, matte 1."""
    shadow, dark, colour, matte = planes.split([3, 3, 3, 1])
    return Body(window, shadow.clamp(0, 1), (1 - dark).clamp(1 - DARKEST, BRIGHTEST), colour.clamp(0, 1), matte.clamp(0, 1))
