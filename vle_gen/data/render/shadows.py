"""Where the shadows of a solid may fall: only that part of the picture is rendered."""
from __future__ import annotations

from math import ceil, floor

import numpy as np

from vle_gen.data.render.lights import LAMPS
from vle_gen.data.render.plan import Rig, Solid

LONGEST = 3.0  # a shadow is followed for this many times the solid's height; beyond it is too faint to see
MARGIN = 8  # pixels
NEAREST = 1.0  # points nearer to the camera's plane than this are out of sight


def reach(rig: Rig, solid: Solid) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in whole pixels, right and bottom outside, of a solid with its shadows."""
    corners = solid.corners()
    points = [corners]
    for lamp, shift in zip(LAMPS.values(), rig.shifts, strict=True):
        light = np.array(lamp.position) + shift
        height = corners[:, 2:]
        fallen = (corners - light)[:, :2] * height / np.maximum(light[2] - height, 0.1)
        length = np.linalg.norm(fallen, axis=1, keepdims=True)
        fallen *= np.minimum(1, LONGEST * height / np.maximum(length, 1e-6))
        points.append(np.concatenate([corners[:, :2] + fallen, 0 * height], 1))
    camera, points = rig.camera, np.concatenate(points)
    x0, y0, x1, y1 = camera.box(points[camera.project(points)[:, 2] > NEAREST])
    return (
        max(floor(x0) - MARGIN, 0), max(floor(y0) - MARGIN, 0),
        min(ceil(x1) + MARGIN, camera.width), min(ceil(y1) + MARGIN, camera.height),
    )
