"""What solids can be: shapes, sizes, materials and colours by name, and how a person chooses among them."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar

from prompts import vocabulary
from vle_gen.errors import UserError

SHAPES = ("cube", "sphere", "cylinder", "cone", "torus", "capsule")
MATERIALS = ("rubber", "metal", "ceramic")
RADIUS = {"small": 0.35, "large": 0.7}  # on the floor, in the floor's units, as in CLEVR
COLORS = {  # CLEVR's eight first, then more; 8-bit values that stand for reflectance, not for what a screen shows
    "gray": (87, 87, 87), "red": (173, 35, 35), "blue": (42, 75, 215), "green": (29, 105, 20),
    "brown": (129, 74, 25), "purple": (129, 38, 192), "cyan": (41, 208, 208), "yellow": (255, 238, 51),
    "orange": (255, 116, 8), "pink": (245, 110, 165), "white": (232, 232, 228), "black": (14, 14, 15),
}

Value = TypeVar("Value")


@dataclass(frozen=True)
class Palette:
    """The choices that solids are drawn from; every one is as likely as the others of its kind."""

    shapes: tuple[str, ...] = vocabulary.SHAPES
    materials: tuple[str, ...] = vocabulary.MATERIALS
    colors: tuple[tuple[str, tuple[int, int, int]], ...] = tuple((name, COLORS[name]) for name in vocabulary.COLORS)

    def unspoken(self) -> list[str]:
        """Names that the caption language has no word for, so that no captions can be written of a pack with them yet."""
        spoken = (*vocabulary.SHAPES, *vocabulary.MATERIALS, *vocabulary.COLORS)
        chosen = (*self.shapes, *self.materials, *(name for name, _ in self.colors))
        return [name for name in chosen if name not in spoken]


def read_palette(shapes: str | None = None, materials: str | None = None, colors: str | None = None) -> Palette:
    """Choices as typed: names with commas between, and for colours also `NAME=#RRGGBB`; None for CLEVR's own.

    Raises:
        UserError: a name that is not known, a name given twice, or a colour that is neither known nor written as hex.
    """
    usual = Palette()
    return Palette(
        usual.shapes if shapes is None else _known(shapes, SHAPES, "shape"),
        usual.materials if materials is None else _known(materials, MATERIALS, "material"),
        usual.colors if colors is None else _read_colors(colors),
    )


def _known(text: str, names: tuple[str, ...], kind: str) -> tuple[str, ...]:
    for name in _split(text, kind):
        if name not in names:
            raise UserError(f"no {kind} '{name}': expected some of {', '.join(names)}")
    return tuple(_split(text, kind))


def _read_colors(text: str) -> tuple[tuple[str, tuple[int, int, int]], ...]:
    chosen = []
    for item in _split(text, "color"):
        name, given, value = (part.strip() for part in item.partition("="))
        if given and name and re.fullmatch("#[0-9a-fA-F]{6}", value):
            chosen.append((name, tuple(bytes.fromhex(value[1:]))))
        elif not given and name in COLORS:
            chosen.append((name, COLORS[name]))
        else:
            raise UserError(f"no color '{item}': expected NAME=#RRGGBB or some of {', '.join(COLORS)}")
    if len({name for name, _ in chosen}) < len(chosen):
        raise UserError("a color is named twice: each name stands for one color")
    return tuple(chosen)


def _split(text: str, kind: str) -> list[str]:
    parts = [part.strip().lower() for part in text.split(",") if part.strip()]
    if not parts:
        raise UserError(f"no {kind} named: give one or more with commas between")
    if len(set(parts)) < len(parts):
        raise UserError(f"a {kind} is named twice in '{text}': each name once")
    return parts
