"""A camera that looks at the middle of the floor: where points of the scene come out in the picture."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LENS = 35 / 32  # focal length over the width of the sensor, CLEVR's


@dataclass(frozen=True)
class Camera:
    """A camera at `position`, looking at the origin, upright, for a picture of `width` x `height` pixels."""

    position: tuple[float, float, float]
    width: int = 256
    height: int = 256

    @property
    def axes(self) -> np.ndarray:
        """(3, 3): right, up and the direction of sight, as unit rows in the scene."""
        sight = -np.asarray(self.position) / np.linalg.norm(self.position)
        right = np.cross(sight, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(right, sight), sight])

    @property
    def right(self) -> np.ndarray:
        """Unit vector on the floor along the picture's x."""
        return self.axes[0]

    @property
    def forward(self) -> np.ndarray:
        """Unit vector on the floor, away from the camera."""
        flat = self.axes[2] * (1.0, 1.0, 0.0)
        return flat / np.linalg.norm(flat)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the scene as (..., 3): x and y in pixels, and the distance along the direction of sight."""
        seen = (np.asarray(points, float) - self.position) @ self.axes.T
        focal = LENS * max(self.width, self.height)
        x = self.width / 2 + focal * seen[..., 0] / seen[..., 2]
        y = self.height / 2 - focal * seen[..., 1] / seen[..., 2]
        return np.stack([x, y, seen[..., 2]], -1)

    def box(self, points: np.ndarray) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in pixels of what `points` (N, 3) span in the picture; may reach outside it."""
        seen = self.project(points)
        return (*map(float, seen[:, :2].min(0)), *map(float, seen[:, :2].max(0)))
