"""Where in the picture a thing is: its corners, edges and middle, in words and in numbers; and how large it is there.

Numbers are in canvas units, which for a square picture are its sides.
"""
from __future__ import annotations

from collections.abc import Sequence

from prompts.vocabulary import SIZES

TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = "top left", "top right", "bottom left", "bottom right"
TOP, BOTTOM, LEFT_SIDE, RIGHT_SIDE, MIDDLE = "top", "bottom", "left", "right", "middle"
REGIONS = (TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT, TOP, BOTTOM, LEFT_SIDE, RIGHT_SIDE, MIDDLE)
PICTURES = ("picture", "image", "photo", "scene", "frame", "canvas")


def _corner(vertical: tuple[str, ...], side: str) -> tuple[str, ...]:
    return tuple(
        said
        for high in vertical
        for said in (f"in the {high} {side} corner", f"in the {high} {side}", f"at the {high} {side}", f"on the {high} {side}")
    )


SAID_AS: dict[str, tuple[str, ...]] = {
    TOP_LEFT: _corner(("top", "upper"), "left"),
    TOP_RIGHT: _corner(("top", "upper"), "right"),
    BOTTOM_LEFT: _corner(("bottom", "lower"), "left"),
    BOTTOM_RIGHT: _corner(("bottom", "lower"), "right"),
    TOP: ("at the top", "near the top"),
    BOTTOM: ("at the bottom", "near the bottom"),
    LEFT_SIDE: ("on the left", "on the left side", "at the left", "at the left edge"),
    RIGHT_SIDE: ("on the right", "on the right side", "at the right", "at the right edge"),
    MIDDLE: ("in the middle", "in the center", "in the centre", "at the center", "at the centre"),
}
"""Every way to say a region, the commonest first; each may be followed by "of the picture"."""

READ_AS: dict[str, tuple[str, ...]] = {
    **SAID_AS,
    TOP: (*SAID_AS[TOP], "on the top", "along the top", "at the top edge", "on the top edge", "in the top half",
        "in the upper half"),
    BOTTOM: (*SAID_AS[BOTTOM], "along the bottom", "at the bottom edge", "on the bottom edge", "in the bottom half",
        "in the lower half"),
    LEFT_SIDE: (*SAID_AS[LEFT_SIDE], "to the left", "at the left side", "on the left hand side", "in the left half",
        "on the left edge", "on the far left", "at the far left"),
    RIGHT_SIDE: (*SAID_AS[RIGHT_SIDE], "to the right", "at the right side", "on the right hand side", "in the right half",
        "on the right edge", "on the far right", "at the far right"),
    MIDDLE: (*SAID_AS[MIDDLE], "at the middle", "in the very middle", "in the middle part"),
}  # fmt: skip
"""What prompts may say besides."""

FAR, NEAR_MIDDLE = 0.2, 0.15  # of a thing's centre from the picture's: beyond it for an edge, within it for the middle
MARGINS = (1.0, 0.5, 0.0)  # of `inside`, one after the other, until something is
LARGE, SMALL = 0.36, 0.13  # square root of the box's area, from which a thing is large in the picture, or small


def inside(region: str, box: Sequence[float], margin: float) -> bool:
    """Whether a box (cx, cy, w, h) is in a region; `margin` as for `satisfied.holds`."""
    x, y = box[0] - 0.5, box[1] - 0.5
    if region == MIDDLE:
        reach = NEAR_MIDDLE * (2 - margin)
        return abs(x) < reach and abs(y) < reach
    far = FAR * margin
    asked = region.split()
    return (
        ("left" not in asked or x < -far)
        and ("right" not in asked or x > far)
        and ("top" not in asked or y < -far)
        and ("bottom" not in asked or y > far)
    )


def leaning(region: str, boxes: Sequence[Sequence[float]]) -> list[int]:
    """Which of some boxes a person means who says that one thing is in a region: those that are inside it or, where none is,
    those that lean to it; none where all are on other sides."""
    for margin in MARGINS:
        found = [k for k, box in enumerate(boxes) if inside(region, box, margin)]
        if found:
            return found
    return []


def extent(box: Sequence[float]) -> float:
    """How large a box is, as the side of a square of its area."""
    return (box[2] * box[3]) ** 0.5


def is_of_size(size: int, box: Sequence[float], margin: float) -> bool:
    """Whether a thing without a size of its own is small (0) or large (1) in the picture."""
    if SIZES[size] == "large":
        return extent(box) > LARGE * (0.7 + 0.3 * margin)
    return extent(box) < SMALL * (1.3 - 0.3 * margin)
