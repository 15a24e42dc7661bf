"""The surfaces of solids with floor radius 1, each centred at the origin: vertices, faces and true normals, in numpy."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

AROUND = 96  # steps around an axis: an outline that is round at any size rendered here
ARC = 8  # steps of a rounded edge


@dataclass(frozen=True)
class Mesh:
    """A closed surface whose normals point outwards, smooth across faces as the solid is, not as its faces are."""

    vertices: np.ndarray  # (V, 3)
    normals: np.ndarray  # (V, 3) unit length
    faces: np.ndarray  # (F, 4) vertex indices

    @property
    def half(self) -> np.ndarray:
        """(3,) half extents; the solid stands on the floor when its centre is `half[2]` above it."""
        return np.abs(self.vertices).max(0)


def mesh_of(shape: str) -> Mesh:
    """The surface of a solid by its name."""
    return _MAKERS[shape]()


def half_extents(shape: str) -> tuple[float, float, float]:
    """Half of the length, width and height of a solid with floor radius 1."""
    return _HALF[shape]


def _cube(edge: float = 0.08) -> Mesh:
    half = 1 / sqrt(2)  # as in CLEVR, the corners stand on the radius
    inner = half - edge
    bend = edge * np.tan(np.linspace(0, pi / 4, ARC + 1))
    line = np.concatenate([-inner - bend[::-1], inner + bend])
    u, v = np.meshgrid(line, line, indexing="ij")
    parts = []
    for axis in range(3):
        for side in (-1.0, 1.0):
            outer = np.empty((*u.shape, 3))
            outer[..., axis] = side * half
            outer[..., axis - 2], outer[..., axis - 1] = (u, v) if side > 0 else (v, u)  # so that the sheet faces outwards
            core = outer.clip(-inner, inner)
            normal = outer - core
            normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
            parts.append(_grid(core + edge * normal, normal))
    return _joined(parts)


def _sphere() -> Mesh:
    return _turned(_arc(0, 0, 1, -pi / 2, pi / 2, AROUND // 2))


def _cylinder(edge: float = 0.06) -> Mesh:
    low = _arc(1 - edge, -1 + edge, edge, -pi / 2, 0)
    high = _arc(1 - edge, 1 - edge, edge, 0, pi / 2)
    return _turned(np.concatenate([_cap(-1), low, high, _cap(1)]))


def _cone(edge: float = 0.06, tip: float = 0.09) -> Mesh:
    # A rounded tip ends at height 1 and a rounded foot at radius 1 and height -1; between them a straight side touches both.
    foot, top = np.array([1 - edge, -1 + edge]), np.array([0.0, 1 - tip])
    along = top - foot
    distance = np.hypot(*along)
    slope = np.arctan2(along[1], along[0]) - np.arcsin((edge - tip) / distance) - pi / 2
    low = _arc(*foot, edge, -pi / 2, slope)
    high = _arc(*top, tip, slope, pi / 2)
    return _turned(np.concatenate([_cap(-1), low, high]))


def _torus(tube: float = 0.3) -> Mesh:
    return _turned(_arc(1 - tube, 0, tube, -pi, pi, AROUND // 2))


def _capsule(thick: float = 0.5) -> Mesh:
    straight = 1 - thick
    profile = np.concatenate([
        _arc(0, -straight, thick, -pi / 2, 0, AROUND // 4), _arc(0, straight, thick, 0, pi / 2, AROUND // 4),
    ])
    standing = _turned(profile)
    turn = lambda points: points[:, [2, 0, 1]]  # lies along x
    return Mesh(turn(standing.vertices), turn(standing.normals), standing.faces)


def _arc(x: float, z: float, radius: float, start: float, end: float, steps: int = ARC) -> np.ndarray:
    """Part of a profile (N, 4): distance from the axis, height, and the normal's two parts."""
    angle = np.linspace(start, end, steps + 1)
    normal = np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.concatenate([np.array([x, z]) + radius * normal, normal], 1)


def _cap(height: float) -> np.ndarray:
    return np.array([[0.0, height, 0.0, np.sign(height)]])


def _turned(profile: np.ndarray) -> Mesh:
    """The surface that a profile, from bottom to top, sweeps around the z axis."""
    angle = np.linspace(0, 2 * pi, AROUND + 1)[:, None]
    around = lambda part: np.stack([np.cos(angle) * part[:, 0], np.sin(angle) * part[:, 0], 0 * angle + part[:, 1]], -1)
    return _grid(around(profile[:, :2]), around(profile[:, 2:]))


def _grid(points: np.ndarray, normals: np.ndarray) -> Mesh:
    """A sheet of quads over points (M, N, 3); M, N and the normal turn right-handed."""
    index = np.arange(points.shape[0] * points.shape[1]).reshape(points.shape[:2])
    faces = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1)
    return Mesh(points.reshape(-1, 3), normals.reshape(-1, 3), faces.reshape(-1, 4))


def _joined(parts: list[Mesh]) -> Mesh:
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]),
    )


_MAKERS: dict[str, Callable[[], Mesh]] = {
    "cube": _cube, "sphere": _sphere, "cylinder": _cylinder, "cone": _cone, "torus": _torus, "capsule": _capsule,
}
_HALF = {shape: tuple(map(float, make().half)) for shape, make in _MAKERS.items()}
