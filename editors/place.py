"""Edits of where things are."""
from __future__ import annotations

import math
from dataclasses import replace

from editors.perspective import Perspective
from vle_gen.errors import UserError
from vle_gen.tokens import SCENE, VLETokens


def move(
    tokens: VLETokens, index: int, dx: float, dy: float = 0.0, perspective: Perspective | bool = False
) -> VLETokens:
    """The tokens of one picture with object token `index` moved by (dx, dy) pixels of the picture, x right, y down.

    Moving past the edge is allowed: what leaves the picture is not drawn, and comes back when moved back.

    Args:
        perspective: with True the object moves over the floor: it grows and comes nearer as it moves down, by the
            horizon of the picture's own tokens (`Perspective.of`); or the `Perspective` to use. False keeps its size.

    Raises:
        UserError: there is no such token, it is the scene token, the step is no finite number, or in perspective it
            would end above the horizon.
    """
    count = len(tokens)
    if not 0 <= index < count:
        raise UserError(f"token {index} does not exist: there are tokens 0 to {count - 1}")
    if int(tokens.kind[0, index]) == SCENE:
        raise UserError(f"token {index} is the scene itself, which everything stands on: only objects can be moved")
    if not (math.isfinite(dx) and math.isfinite(dy)):
        raise UserError(f"a step of {dx}, {dy} pixels is no place to move to: expected finite numbers")
    where, depth = tokens.where.clone(), tokens.depth.clone()
    side = max(tokens.size)
    if perspective is not False and dy:
        view = Perspective.of(tokens) if perspective is True else perspective
        y = float(where[0, index, 1])
        scale = view.scale(y, y + dy / side)
        where[0, index, 2:] *= scale
        depth[0, index] /= scale
    where[0, index, 0] += dx / side
    where[0, index, 1] += dy / side
    return replace(tokens, where=where, depth=depth)
