"""Edits of where things are."""
from __future__ import annotations

import math
from dataclasses import replace

from vle_gen.errors import UserError
from vle_gen.tokens import SCENE, VLETokens


def move(tokens: VLETokens, index: int, dx: float, dy: float = 0.0) -> VLETokens:
    """The tokens of one picture with object token `index` moved by (dx, dy) pixels of the picture, x right, y down.

    Moving past the edge is allowed: what leaves the picture is not drawn, and comes back when moved back.

    Raises:
        UserError: there is no such token, it is the scene token, or the step is no finite number.
    """
    count = len(tokens)
    if not 0 <= index < count:
        raise UserError(f"token {index} does not exist: there are tokens 0 to {count - 1}")
    if int(tokens.kind[0, index]) == SCENE:
        raise UserError(f"token {index} is the scene itself, which everything stands on: only objects can be moved")
    if not (math.isfinite(dx) and math.isfinite(dy)):
        raise UserError(f"a step of {dx}, {dy} pixels is no place to move to: expected finite numbers")
    where = tokens.where.clone()
    side = max(tokens.size)
    where[0, index, 0] += dx / side
    where[0, index, 1] += dy / side
    return replace(tokens, where=where)
