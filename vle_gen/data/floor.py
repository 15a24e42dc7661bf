"""The floor that a background shows, as a camera without roll sees it: where a foot is says how far and how large."""
from __future__ import annotations

from dataclasses import dataclass

FOCAL = 1.4  # focal length of backgrounds that do not say theirs, in canvas units


@dataclass(frozen=True)
class Floor:
    """Canvas units: 0..1 over the square picture, y down.

    An object of size 1 whose foot is at y is (y - horizon) / height large, and focal * height / (y - horizon) away.
    """

    horizon: float  # y at which the floor would end, were it endless; may lie above the picture
    height: float  # of the camera over the floor, in units of the objects' sizes
    top: float  # y of the farthest place where a foot may stand
    bottom: float = 0.97  # y of the nearest
    focal: float = FOCAL
