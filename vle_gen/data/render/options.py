"""Sizes and numbers as a person types them."""
from __future__ import annotations

import re

from vle_gen.errors import UserError

MOST = 10  # solids, as many as in CLEVR, that fit on the floor with room between them
SIDES = (64, 1024)


def read_range(text: str) -> tuple[int, int]:
    """Least and most solids of a scene from text such as "3-6" or "4". Raises `UserError` for anything else."""
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip())
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= least <= most <= MOST:
        raise UserError(f"cannot read '{text}' as a number of objects: expected such as 1-9 or 4, from 1 to {MOST}")
    return least, most


def read_size(text: str) -> tuple[int, int]:
    """Width and height from text such as "480x320" or "256". Raises `UserError` for anything else."""
    found = re.fullmatch(r"(\d+)(?:x(\d+))?", text.strip().lower())
    width, height = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not SIDES[0] <= min(width, height) <= max(width, height) <= SIDES[1]:
        limits = f"from {SIDES[0]} to {SIDES[1]} pixels"
        raise UserError(f"cannot read '{text}' as a size: expected such as 256 or 480x320, {limits}")
    return width, height


def read_side(text: str) -> int:
    """The side of a square from the same text. Raises `UserError` where it is not square."""
    width, height = read_size(text)
    if width != height:
        raise UserError(f"sprites are rendered in squares: expected a size such as 256, not {text}")
    return width
