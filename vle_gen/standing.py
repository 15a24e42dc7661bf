"""Whether objects stand plausibly on one floor: not inside one another, and as far away as their height in the picture
says. Plain numbers, no model."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from editors.perspective import GROUND, LEAST_HEIGHT, Perspective
from editors.rows import rows
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import OBJECT, VLETokens

FOCAL = 1.09  # focal length of the camera in canvas units (35 mm before a sensor of 32 mm, as in CLEVR)
TOUCHING = 0.9  # share of two radii nearer than which two objects would stand in one another
OVERLAPPING = 0.35  # share of the smaller of two boxes within the other, from which one is not merely on the other
SLANT = 0.2  # most that the logarithm of a depth may be off the floor's
SHOWS = 0.3  # share of an object's own pixels that must show
BEYOND = 0.25  # share of an object's width or height that may lie outside the picture


@dataclass(frozen=True)
class Standing:
    """An object as it stands: its box in canvas units (centre, width, height) and its depth in metres."""

    x: float
    y: float
    width: float
    height: float
    depth: float

    @property
    def radius(self) -> float:
        """Half its width in metres."""
        return self.width * self.depth / FOCAL / 2

    @property
    def box(self) -> list[float]:
        """Centre x, centre y, width, height in canvas units."""
        return [self.x, self.y, self.width, self.height]

    def inside(self, other: Standing) -> bool:
        """Whether the two would take up the same floor."""
        aside = ((self.x - 0.5) * self.depth - (other.x - 0.5) * other.depth) / FOCAL
        apart = math.hypot(aside, self.depth - other.depth)
        return apart < TOUCHING * (self.radius + other.radius)

    def covers(self, other: Standing) -> bool:
        """Whether the two lie over one another in the picture by more than their edges."""
        across = (self.width + other.width) / 2 - abs(self.x - other.x)
        down = (self.height + other.height) / 2 - abs(self.y - other.y)
        smaller = min(self.width * self.height, other.width * other.height)
        return across > 0 and down > 0 and across * down > OVERLAPPING * smaller

    def beyond(self, size: tuple[int, int]) -> bool:
        """Whether too much of it lies outside a picture of `size` (height, width) in pixels."""
        height, width = (value / max(size) for value in size)
        left, right = self.x - self.width / 2 - 0.5 + width / 2, self.x + self.width / 2 - 0.5 - width / 2
        top, bottom = self.y - self.height / 2 - 0.5 + height / 2, self.y + self.height / 2 - 0.5 - height / 2
        return max(-left, right) > BEYOND * self.width or max(-top, bottom) > BEYOND * self.height


def standings(tokens: VLETokens) -> list[Standing]:
    """The object tokens of one picture, in their order (all but token 0)."""
    rows = zip(tokens.where[0, 1:].tolist(), tokens.depth[0, 1:].tolist(), strict=True)
    return [Standing(x, y, w / FRAME_SCALE, h / FRAME_SCALE, depth) for (x, y, w, h), depth in rows]


@dataclass(frozen=True)
class Floor:
    """The floor of one picture: at y (canvas units, down) it is slope / (y - horizon) metres away."""

    horizon: float
    slope: float

    @staticmethod
    def of(tokens: VLETokens) -> Floor:
        """As the picture's own tokens tell, in the places where they were found if that is known; without objects, as floors
        are in training."""
        horizon = Perspective.of(tokens).horizon
        objects = tokens.kind[0] == OBJECT
        where, depth = tokens.where[0, objects], tokens.depth[0, objects]
        if tokens.detail is not None:
            where, depth = tokens.detail.where[1:], tokens.detail.depth[1:]
        below = where[:, 1] - horizon
        told = (depth * below)[below > LEAST_HEIGHT].tolist()  # what is above the horizon stands on no floor
        usual = GROUND.slope * (GROUND.noise / 0.05) ** 2  # counts little beside even one object
        weight = (GROUND.noise / 0.05) ** 2
        return Floor(horizon, (sum(told) + usual) / (len(told) + weight))

    def fits(self, thing: Standing) -> bool:
        """Whether an object's depth is that of the floor where it stands."""
        below = thing.y - self.horizon
        return below > LEAST_HEIGHT and abs(math.log(thing.depth * below / self.slope)) < SLANT


def clashes(thing: Standing, others: Sequence[Standing], lifted: bool = False) -> list[int]:
    """Which of the others an object stands in. With `lifted` things may stand on one another, or hang."""
    return [k for k, other in enumerate(others) if thing.inside(other) and (not lifted or thing.covers(other))]


def hidden(tokens: VLETokens) -> list[int]:
    """The object tokens of one picture of which too little shows."""
    owned = np.bincount(tokens.label_map().ravel(), minlength=len(tokens))
    return [k for k in range(1, len(tokens)) if owned[k] < SHOWS * max(whole(tokens, k), 1)]


def whole(tokens: VLETokens, index: int) -> int:
    """How many pixels an object would cover if nothing hid it."""
    alone = rows(tokens.resized(*tokens.size), [0, index])
    return int((alone.label_map() == 1).sum())
