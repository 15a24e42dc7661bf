"""Which pixels solids cover, from their surfaces alone: antialiased for one, by owner for several."""
from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import hypot

import numpy as np
from PIL import Image, ImageDraw

from vle_gen.data.render.camera import Camera
from vle_gen.data.render.meshes import Mesh, mesh_of
from vle_gen.data.render.plan import Solid

FINE = 12  # subpixels on a side
SAMPLED = 15  # subpixels on a side, where of these the middle one alone counts
FILTER = 1.5  # pixels: width of Cycles' pixel filter


def coverage(camera: Camera, solid: Solid, box: tuple[int, int, int, int]) -> np.ndarray:
    """How much of each pixel (H, W) of `box`, whole left, top, right, bottom, the solid covers: 0..1, through the
    same filter as the rendered picture."""
    left, top, right, bottom = box
    pad = 1  # the filter sees beyond the box
    fine = _filled(camera, solid, (left - pad, top - pad, right + pad, bottom + pad), FINE).astype(np.float32)
    taps = _filter_taps()
    for axis in (0, 1):
        fine = np.moveaxis(fine, axis, -1)
        pixels = fine.shape[-1] // FINE - 2 * pad
        start = pad * FINE + FINE // 2 - len(taps) // 2
        strips = [fine[..., start + k : start + k + pixels * FINE : FINE] * tap for k, tap in enumerate(taps)]
        fine = np.moveaxis(sum(strips), -1, axis)
    return fine.clip(0, 1)


def owners(camera: Camera, solids: Sequence[Solid]) -> np.ndarray:
    """(H, W) uint8: the number of the solid, from 1, that each pixel's centre shows, 0 for the floor.

    Solids keep to circles on the floor that do not meet, so seen from the camera's foot the circle whose tangent is
    shorter hides the other.
    """
    labels = np.zeros((camera.height, camera.width), np.uint8)
    foot = camera.position
    reach = lambda s: hypot(s.xyz[0] - foot[0], s.xyz[1] - foot[1]) ** 2 - s.radius**2
    for number in sorted(range(len(solids)), key=lambda k: -reach(solids[k])):
        fine = _filled(camera, solids[number], (0, 0, camera.width, camera.height), SAMPLED)
        labels[fine[SAMPLED // 2 :: SAMPLED, SAMPLED // 2 :: SAMPLED] > 0] = number + 1
    return labels


def _filled(camera: Camera, solid: Solid, box: tuple[int, int, int, int], fine: int) -> np.ndarray:
    """1 where the solid is, on a grid of `fine` x `fine` points per pixel of `box`."""
    left, top, right, bottom = box
    surface = _mesh(solid.shape)
    seen = camera.project(solid.placed(surface.vertices))[:, :2]
    corners = ((seen - (left, top)) * fine)[surface.faces]  # (F, 4, 2); Pillow fills to a third of a subpixel beyond
    one, other = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    facing = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0] < 0  # y runs down
    canvas = Image.new("L", ((right - left) * fine, (bottom - top) * fine))
    draw = ImageDraw.Draw(canvas)
    for face in corners[facing].reshape(-1, 8).tolist():
        draw.polygon(face, fill=1)
    return np.asarray(canvas)


def _filter_taps() -> np.ndarray:
    """The Blackman-Harris window over the filter's width, in subpixels; sums to 1."""
    count = round(FILTER * FINE)
    angle = 2 * np.pi * (np.arange(count) + 0.5) / count
    window = 0.35875 - 0.48829 * np.cos(angle) + 0.14128 * np.cos(2 * angle) - 0.01168 * np.cos(3 * angle)
    return window / window.sum()


@cache
def _mesh(shape: str) -> Mesh:
    return mesh_of(shape)
