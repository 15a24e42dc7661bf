"""How a moved object looks to the camera: what is seen further from the middle of a picture is stretched, and as lamps
stand near, the end of a shadow moves further than what casts it."""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from editors.perspective import LEAST_HEIGHT, Perspective
from vle_gen.compositing.body import Body
from vle_gen.inpainting.lights import BRIGHTEST, DARKEST
from vle_gen.segmentation.outlines import around_mask
from vle_gen.source import centre_of
from vle_gen.tokenizer.render import Window
from vle_gen.tokenizer.sizes import FRAME_SCALE, TokenizerSizes
from vle_gen.tokens import VLETokens

NOTHING = 0.3  # pixels: what is off by less stays as it is, pixel for pixel
STEPS = 4  # of the iteration that finds where a pixel of a shadow came from
COARSE = 8  # pixels between places for which that is done: it changes slowly
BICUBIC = 2  # pixels that bicubic interpolation reaches


@dataclass(frozen=True)
class Camera:
    """A camera without roll over a flat floor, and the lamps about it.

    Lengths on the floor are in heights of the camera, x to the right and z away; those in the picture in canvas units.

    Args:
        size: height and width of the picture in pixels.
        focal: focal length.
        lamps: how far lamps stand from what they light, sideways; infinite for the sun.
        horizon: its y.
    """

    size: tuple[int, int]
    focal: float
    lamps: float
    horizon: float

    @staticmethod
    def of(tokens: VLETokens, sizes: TokenizerSizes) -> Camera | None:
        """As the checkpoint and the picture's own tokens tell; None where the checkpoint knows of none."""
        if not sizes.focal:
            return None
        horizon = min(Perspective.of(tokens).horizon, 0.5 - 2 * LEAST_HEIGHT)
        return Camera(tokens.size, sizes.focal, sizes.lamps or math.inf, horizon)

    @property
    def down(self) -> tuple[float, float]:
        """Cosine and sine of the angle by which it looks down."""
        angle = math.atan((0.5 - self.horizon) / self.focal)
        return math.cos(angle), math.sin(angle)

    def floor_at(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The floor that is seen at places (x, y) of the picture: x, z, and the distance along the camera's axis."""
        cos, sin = self.down
        across, below = (x - 0.5) / self.focal, (y.clamp(min=self.horizon + LEAST_HEIGHT) - 0.5) / self.focal
        far = 1 / (below * cos + sin)
        return across * far, far * (cos - below * sin), far

    def seen_at(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Where in the picture the floor at (x, z) is seen."""
        cos, sin = self.down
        far = (z * cos + sin).clamp(min=1e-3)
        return x / far * self.focal + 0.5, (cos - z * sin) / far * self.focal + 0.5


@dataclass(frozen=True)
class Stretch:
    """What moving sideways does to how a body looks, about its centre (cx, cy) in pixels: x becomes wider * x + lean * y.

    Of a thing as deep as it is wide and high, seen in the direction (u, v), the picture has the spread of I + (u, v)(u, v)^T;
    its rows stay where they are.
    """

    cx: float
    cy: float
    wider: float = 1.0
    lean: float = 0.0

    @staticmethod
    def of(where: Tensor, dx: float, camera: Camera) -> Stretch:
        """For an object of frame `where` (4,) that moves `dx` pixels to the right."""
        (height, width), side = camera.size, max(camera.size)
        cx, cy = centre_of(where, camera.size)
        u, v = (cx - width / 2) / side / camera.focal, (cy - height / 2) / side / camera.focal
        new = u + dx / side / camera.focal
        wider = math.sqrt((1 + v * v + new * new) / (1 + v * v + u * u))
        lean = (new - wider * u) * v / (1 + v * v)
        off = abs(wider - 1) * float(where[2]) + abs(lean) * float(where[3])  # at the outline, times 2 * FRAME_SCALE
        return Stretch(cx, cy, wider, lean) if off * side / 2 / FRAME_SCALE > NOTHING else Stretch(cx, cy)

    @property
    def none(self) -> bool:
        """Whether it changes nothing."""
        return self.wider == 1 and self.lean == 0

    def before(self, x: Tensor, y: Tensor) -> Tensor:
        """Where in x the pixels were that it brings to (x, y)."""
        return self.cx + (x - self.cx - self.lean * (y - self.cy)) / self.wider


def moved_aside(body: Body, where: Tensor, dx: float, camera: Camera) -> Body:
    """The layers of an object of frame `where` (4,) as they will look when it has moved `dx` pixels to the right over the
    floor, still where they are."""
    stretch = Stretch.of(where, dx, camera)
    body = fallen(body, where, dx, camera, stretch)
    near = around_mask(body.matte[0] > 0, 0)
    if stretch.none or near.empty:
        return body
    more = BICUBIC + math.ceil(abs(stretch.wider - 1) * body.matte.shape[2] + abs(stretch.lean) * body.matte.shape[1])
    near = Window(near.top, near.bottom, near.left - more, near.right + more).inside(
        Window(0, body.matte.shape[1], 0, body.matte.shape[2])
    )
    planes = torch.cat([body.colour, body.matte])[near.planes]
    x = torch.arange(near.left, near.right, device=planes.device) + 0.5 + body.window.left
    y = torch.arange(near.top, near.bottom, device=planes.device)[:, None] + 0.5 + body.window.top
    at = sampled_at(stretch.before(x, y) - body.window.left - near.left, y - body.window.top - near.top, planes)
    planes = F.grid_sample(planes[None], at, "bicubic", "zeros", False)[0].clamp(0, 1)
    colour, matte = torch.zeros_like(body.colour), torch.zeros_like(body.matte)
    matte[near.planes] = planes[3:]
    colour[near.planes] = torch.minimum(planes[:3], planes[3:])
    return Body(body.window, body.shadow, body.light, colour, matte)


def fallen(body: Body, where: Tensor, dx: float, camera: Camera, stretch: Stretch) -> Body:
    """The layers in a wider window, with the light as it will fall. A place of a shadow is as much further from the lamp than
    what casts it, in proportion, wherever that stands: for a step d it moves by d * (1 + its distance / that of the lamp)."""
    (height, width), side, (cos, sin) = camera.size, max(camera.size), camera.down
    cx, cy, wide, high = (float(v) for v in where.double() / torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE]))
    foot = max(cy + wide / 2 * cos, cy + high / 2 - wide / 2 * sin)  # the middle of what it stands on
    x0, z0, far = (float(v) for v in camera.floor_at(torch.tensor(cx), torch.tensor(foot)))
    step, radius = dx / side / camera.focal * far, wide / 2 / camera.focal * far
    old, (tall, broad) = body.window, body.matte.shape[1:]
    more = math.ceil(min(abs(dx), abs(step) / camera.lamps * broad)) + BICUBIC
    if more <= BICUBIC + NOTHING and stretch.none:
        return body
    window = Window(old.top, old.bottom, old.left - more, old.right + more)
    x = torch.linspace(window.left + 0.5, window.right - 0.5, spots(broad + 2 * more), device=body.light.device)
    y = torch.linspace(window.top + 0.5, window.bottom - 0.5, spots(tall), device=body.light.device)
    x, y = (x + dx - width / 2) / side + 0.5, (y[:, None] - height / 2) / side + 0.5
    wanted, z, _ = camera.floor_at(x, y)
    wanted, z = wanted - x0 - step, z - z0  # from the foot at its new place
    was = wanted
    for _ in range(STEPS):
        was = wanted - step * ((was.square() + z.square()).sqrt() - radius).clamp(min=0) / camera.lamps
    x, y = camera.seen_at(x0 + was, z0 + z)
    x, y = (x - 0.5) * side + width / 2, (y - 0.5) * side + height / 2
    at = sampled_at(stretch.before(x, y) - old.left, y - old.top, body.light).permute(0, 3, 1, 2)
    at = F.interpolate(at, (tall, broad + 2 * more), mode="bilinear", align_corners=True).permute(0, 2, 3, 1)
    light = 1 + F.grid_sample((body.light - 1)[None], at, "bilinear", "zeros", False)[0]
    planes = F.pad(torch.cat([body.shadow, body.colour, body.matte]), (more, more))
    return Body(window, planes[:3], light.clamp(1 - DARKEST, BRIGHTEST), planes[3:6], planes[6:])


def spots(pixels: int) -> int:
    """At how many places along a row or column of so many pixels a smooth shift is computed."""
    return max(2, math.ceil(pixels / COARSE) + 1)


def sampled_at(x: Tensor, y: Tensor, planes: Tensor) -> Tensor:
    """Pixel places (h, w) in planes (C, H, W) as `grid_sample` takes them, (1, h, w, 2)."""
    x, y = torch.broadcast_tensors(x / planes.shape[-1] * 2 - 1, y / planes.shape[-2] * 2 - 1)
    return torch.stack([x, y], -1)[None].to(planes.dtype)
