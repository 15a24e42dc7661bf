"""What a caller may ask of encoding a picture: when to stop, how many tokens at most, and where a person says tokens are."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path

from vle_gen.errors import UserError

Box = tuple[float, float, float, float]
Point = tuple[float, float]
MOST_HINTS = 200  # with what the loop writes by itself, fewer tokens than an 8-bit picture of owners tells apart
BOX_FORM, POINT_FORM = "box: expected left, top, width and height in pixels", "point: expected x and y in pixels"


@dataclass(frozen=True)
class Halting:
    """When the loop stops, and which of the tokens that it wrote are kept.

    A token is written while the step network's score and the part of it that is new reach `least_score`, `least_new` and
    `least_area`. Then tokens have to be worth their bits: with `quality` (0..100, as for `VLETokenizer.compress`) those go
    that lower the squared error by less than their bits are worth at that quality; with `max_tokens` those that lower it
    least.
    """

    least_score: float = 0.3
    least_new: float = 0.25  # share of the scope that no earlier token covers
    least_area: float = 8.0  # pixels of the glimpse picture
    max_tokens: int = 33  # in all, the scene token too
    quality: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.max_tokens, Integral) or self.max_tokens < 1:
            raise UserError(f"at most {self.max_tokens} tokens cannot be: expected 1 (the scene token alone) or more")
        if self.quality is not None and not (isinstance(self.quality, Real) and 0 <= self.quality <= 100):
            raise UserError(f"quality is {self.quality}: expected 0 to 100")
        if not (isinstance(self.least_score, Real) and 0 < self.least_score <= 1):
            raise UserError(f"the least score is {self.least_score}: expected more than 0, up to 1")


HALTING = Halting()


@dataclass(frozen=True)
class Encoding:
    """How to encode a picture: `boxes` (left, top, width, height) are of objects and `points` (x, y) on them, in pixels,
    as a person gives them where a token should be; `masks` are pictures of exactly which pixels are an object's (see
    `vle_gen.segmentation.masks`); `refine` is how many steps the tokens are fitted to the picture."""

    halting: Halting = HALTING
    boxes: tuple[Box, ...] = ()
    points: tuple[Point, ...] = ()
    refine: int = 0
    masks: tuple[str | Path, ...] = ()

    @staticmethod
    def parse(
        boxes: list[str] | None,
        points: list[str] | None,
        max_tokens: int | None = None,
        quality: float | None = None,
        refine: int = 0,
        masks: Sequence[str | Path] | None = None,
    ) -> Encoding:
        """From the options of commands, such as --box 10,20,40,30 and --point 120,80. Raises `UserError`."""
        limits = {} if max_tokens is None else {"max_tokens": max_tokens}
        return Encoding(
            Halting(**limits, quality=quality),
            tuple(_numbers("--box", text, "X,Y,W,H", 4) for text in boxes or ()),
            tuple(_numbers("--point", text, "X,Y", 2) for text in points or ()),
            refine,
            tuple(masks or ()),
        )

    @property
    def looks(self) -> Encoding:
        """What concerns the looking alone: the same without a quality."""
        return replace(self, halting=replace(self.halting, quality=None))


AS_USUAL = Encoding()


@dataclass(frozen=True)
class Hints:
    """Boxes (centre x, centre y, width, height) of objects and points on them, in canvas units."""

    boxes: tuple[Box, ...] = ()
    points: tuple[Point, ...] = ()

    @staticmethod
    def of(boxes: tuple[Box, ...], points: tuple[Point, ...], height: int, width: int) -> Hints:
        """From pixels of a height x width picture. Raises `UserError` for what lies outside it or has no extent."""
        boxes, points = (tuple(one.tolist() if hasattr(one, "tolist") else one for one in some) for some in (boxes, points))
        for said, form, one in (*((box, BOX_FORM, 4) for box in boxes), *((point, POINT_FORM, 2) for point in points)):
            if not isinstance(said, Sequence) or len(said) != one or not all(isinstance(v, Real) for v in said):
                raise UserError(f"{said!r} is no {form}")
        if len(boxes) + len(points) > MOST_HINTS:
            raise UserError(f"{len(boxes) + len(points)} boxes, points and masks are too many: expected at most {MOST_HINTS}")
        side = max(height, width)
        left, top = (side - width) / 2, (side - height) / 2
        size = f"the picture is {width} x {height}"
        placed_boxes, placed_points = [], []
        for box in boxes:
            x, y, w, h = box
            if not all(map(math.isfinite, box)) or w < 1 or h < 1:
                raise UserError(f"box {_said(box)} is no box: expected X,Y,W,H with a width and height of 1 or more")
            if not (x + w / 2 > 0 and y + h / 2 > 0 and x + w / 2 < width and y + h / 2 < height):
                raise UserError(f"the centre of box {_said(box)} lies outside: {size}")
            placed_boxes.append(((x + w / 2 + left) / side, (y + h / 2 + top) / side, w / side, h / side))
        for x, y in points:
            if not (0 <= x < width and 0 <= y < height):
                raise UserError(f"point {_said((x, y))} lies outside: {size}")
            placed_points.append(((x + left) / side, (y + top) / side))
        return Hints(tuple(placed_boxes), tuple(placed_points))


NO_HINTS = Hints()


def _numbers(option: str, text: str, form: str, count: int) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        example = "40,30,60,50" if count == 4 else "120,80"
        raise UserError(f"{option} {text}: expected {form} in pixels, such as {option} {example}")
    return numbers


def _said(numbers: tuple[float, ...]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
