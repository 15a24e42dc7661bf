"""What is rendered, decided by a seed alone and before anything is rendered: rigs, solids and where they stand.

Every part has random numbers of its own, so that a longer job, or one that goes on, plans the same things.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import cos, hypot, pi, sin
from random import Random

import numpy as np

from vle_gen.data.render.camera import Camera
from vle_gen.data.render.meshes import half_extents
from vle_gen.data.render.palette import RADIUS, Palette

CAMERA = (7.481, -6.508, 5.344)
CAMERA_JITTER = 0.5  # in each direction, as in CLEVR
LIGHT_JITTER = 1.0
FLOOR = 3.2  # sprites stand on -3.2..3.2 in x and y
SCENE_FLOOR = 3.0
MARGIN = 0.35  # least gap between two solids of a scene
TRIES = 60  # places tried for a solid before the scene is begun anew, and moves tried in a scene
MOVES = (0.75, 2.2)  # how far a solid is moved along the picture's x
LIGHTS = ("key", "fill", "back")

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Rig:
    """One camera, and how far each light of `LIGHTS` stands from its usual place."""

    camera: Camera
    shifts: tuple[Point, Point, Point]


@dataclass(frozen=True)
class Solid:
    """One object: `xyz` its centre, `rotation` about the vertical in radians."""

    shape: str
    size: str
    material: str
    color: str
    rgb: tuple[int, int, int]
    xyz: Point
    rotation: float

    @property
    def radius(self) -> float:
        """Of the circle on the floor that the solid keeps to."""
        return RADIUS[self.size]

    def placed(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) of the shape with floor radius 1 where this solid has them."""
        c, s = cos(self.rotation), sin(self.rotation)
        return points * self.radius @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + self.xyz

    def corners(self) -> np.ndarray:
        """(8, 3) corners of the box around the solid that turns with it."""
        signs = np.array(np.meshgrid((-1, 1), (-1, 1), (-1, 1))).reshape(3, -1).T
        return self.placed(signs * np.array(half_extents(self.shape)))


@dataclass(frozen=True)
class Scene:
    """Solids under one rig."""

    rig: Rig
    solids: tuple[Solid, ...]


@dataclass(frozen=True)
class Move:
    """One solid of a scene, by its place in the list, and the same solid where it was moved to."""

    object: int
    solid: Solid

    def applied(self, scene: Scene) -> Scene:
        """The scene after the move."""
        solids = list(scene.solids)
        solids[self.object] = self.solid
        return Scene(scene.rig, tuple(solids))


def plan_rig(seed: int, number: int, kind: str = "rig", width: int = 256, height: int = 256) -> Rig:
    """The rig of that number; `kind` keeps those of sprites and scenes apart."""
    random = _random(seed, kind, number)
    shifted = tuple(value + random.uniform(-CAMERA_JITTER, CAMERA_JITTER) for value in CAMERA)
    shifts = tuple(tuple(random.uniform(-LIGHT_JITTER, LIGHT_JITTER) for _ in range(3)) for _ in LIGHTS)
    return Rig(Camera(shifted, width, height), shifts)


def plan_sprite(seed: int, rig: int, number: int, palette: Palette) -> Solid:
    """The solid of that number under that rig."""
    return _solid(_random(seed, "sprite", rig, number), palette, FLOOR)


def plan_scene(
    seed: int, number: int, palette: Palette, least: int = 1, most: int = 9, width: int = 256, height: int = 256
) -> Scene:
    """A scene of `least` to `most` solids, none of them too close to another."""
    random = _random(seed, "scene", number)
    rig = plan_rig(seed, number, "scene rig", width, height)
    wanted = random.randint(least, most)
    while True:
        solids: list[Solid] = []
        for solid in _candidates(random, palette, wanted):
            if all(_gap(solid, other) > MARGIN for other in solids):
                solids.append(solid)
            if len(solids) == wanted:
                return Scene(rig, tuple(solids))


def plan_move(seed: int, number: int, scene: Scene) -> Move | None:
    """A move of one solid to the left or right that keeps its distance to the others and stays in the picture; None
    where none was found."""
    random, camera = _random(seed, "move", number), scene.rig.camera
    for _ in range(TRIES):
        index, way = random.randrange(len(scene.solids)), random.uniform(*MOVES) * random.choice((-1, 1))
        solid = scene.solids[index]
        moved = replace(solid, xyz=tuple(map(float, np.array(solid.xyz) + way * camera.right)))
        x0, y0, x1, y1 = camera.box(moved.corners())
        others = (*scene.solids[:index], *scene.solids[index + 1 :])
        if x0 > 0 and y0 > 0 and x1 < camera.width and y1 < camera.height:
            if all(_gap(moved, other) > MARGIN for other in others):
                return Move(index, moved)
    return None


def _candidates(random: Random, palette: Palette, wanted: int) -> Iterator[Solid]:
    return (_solid(random, palette, SCENE_FLOOR) for _ in range(TRIES * wanted))


def _solid(random: Random, palette: Palette, floor: float) -> Solid:
    shape, size = random.choice(palette.shapes), random.choice(tuple(RADIUS))
    material, (color, rgb) = random.choice(palette.materials), random.choice(palette.colors)
    x, y = random.uniform(-floor, floor), random.uniform(-floor, floor)
    height = half_extents(shape)[2] * RADIUS[size]
    return Solid(shape, size, material, color, rgb, (x, y, height), random.uniform(0, 2 * pi))


def _gap(one: Solid, other: Solid) -> float:
    return hypot(one.xyz[0] - other.xyz[0], one.xyz[1] - other.xyz[1]) - one.radius - other.radius


def _random(*key: object) -> Random:
    return Random("/".join(map(str, key)))  # text seeds are hashed the same way everywhere
