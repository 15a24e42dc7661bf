"""Edits of where things are: move, resize, swap."""
from __future__ import annotations

import math
from dataclasses import replace
from numbers import Real

from editors.depth import in_order
from editors.perspective import Perspective, view_of
from editors.rows import Which, box, finite, named, objects, recorded, said, shifted
from vle_gen.errors import UserError
from vle_gen.tokens import VLETokens

SMALLEST, LARGEST = 1.0, 16.0  # an object's box: at least so many pixels, at most so many times the picture's longer side


def move(
    tokens: VLETokens, which: Which, dx: float, dy: float = 0.0, perspective: Perspective | bool = False
) -> VLETokens:
    """The tokens of one picture with some objects moved by (dx, dy) pixels of the picture, x right, y down.

    Moving past the edge is allowed: what leaves the picture is not drawn, and comes back when moved back.

    Args:
        which: index of an object token, or several.
        perspective: with True the objects move over the floor: they grow and come nearer as they move down, by the
            horizon of the picture's own tokens (`Perspective.of`); or the `Perspective` to use. False keeps their size.

    Raises:
        UserError: there is no such token, it is the scene token, the step is no finite number, or in perspective it
            would end above the horizon, or become too small or large.
    """
    indices = objects(tokens, which, "moved")
    finite(dx, dy)
    moved = shifted(tokens, dict.fromkeys(indices, (dx, dy)))
    view = view_of(tokens, perspective)
    if view is not None and dy:
        where, depth = moved.where.clone(), moved.depth.clone()
        for index in indices:
            scale = view.scale(float(tokens.where[0, index, 1]), float(tokens.where[0, index, 1]) + dy / max(tokens.size))
            _require_size(tokens, index, scale)
            where[0, index, 2:] *= scale
            depth[0, index] /= scale
        moved = replace(moved, where=where, depth=depth)
    how = "" if view is None else " in perspective"
    return recorded(moved, f"move {named(indices)} by {said(dx, dy)}{how}")


def resize(tokens: VLETokens, which: Which, factor: float) -> VLETokens:
    """The tokens with some objects made `factor` times as large, about the middle of the bottom of each one's box, so
    that what stands on the floor still does. Depth is kept.

    Raises:
        UserError: there is no such object, the factor is not a number above 0, or what comes of it is too small or large.
    """
    indices = objects(tokens, which, "resized")
    if not (isinstance(factor, Real) and math.isfinite(factor) and factor > 0):
        raise UserError(f"an object cannot be made {factor} times as large: expected a number above 0")
    where = tokens.where.clone()
    for index in indices:
        _require_size(tokens, index, factor)
        where[0, index, 1] += (1 - factor) * where[0, index, 3] / 4  # the frame is twice the box
        where[0, index, 2:] *= factor
    return recorded(replace(tokens, where=where), f"resize {named(indices)} by {said(factor)}")


def swap(tokens: VLETokens, a: int, b: int, perspective: Perspective | bool = False) -> VLETokens:
    """The tokens with two objects in one another's places: each stands on the floor where the other stood, as near to the
    camera as the other was.

    Args:
        perspective: with True each also takes on the size that it has there, by the horizon of the picture.

    Raises:
        UserError: there is no such object, or it is the same one twice.
    """
    indices = objects(tokens, [a, b], "swapped")
    if len(indices) != 2:
        raise UserError(f"token {a} cannot be swapped with itself: expected two objects")
    a, b = indices
    where, depth, side = tokens.where.clone(), tokens.depth.clone(), max(tokens.size)
    view = view_of(tokens, perspective)
    for one, other in ((a, b), (b, a)):
        mine, place = box(tokens, one), box(tokens, other)
        scale = 1.0
        if view is not None:
            middle = (1 - tokens.size[0] / side) / 2  # of the canvas, above the picture
            scale = view.scale(mine.floor / side + middle, place.floor / side + middle)
            _require_size(tokens, one, scale)
        where[0, one, 0] = tokens.where[0, other, 0]
        where[0, one, 1] += (place.floor - mine.floor) / side + (1 - scale) * where[0, one, 3] / 4
        where[0, one, 2:] *= scale
        depth[0, one] = tokens.depth[0, other]
    how = "" if view is None else " in perspective"
    return recorded(replace(tokens, where=where, depth=in_order(depth)), f"swap {a} {b}{how}")


def _require_size(tokens: VLETokens, index: int, factor: float) -> None:
    """Raises `UserError` where an object that grows by a factor would be too small or large."""
    before = box(tokens, index)
    extent = [side * factor for side in (before.width, before.height)]
    if min(extent) < SMALLEST or max(extent) > LARGEST * max(tokens.size):
        raise UserError(
            f"token {index} would become {extent[0]:.3g} x {extent[1]:.3g} pixels: expected {SMALLEST:g} or more, "
            f"and at most {LARGEST:g} times the picture"
        )
