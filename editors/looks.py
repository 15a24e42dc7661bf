"""Edits of how objects look: flip, recolor."""
from __future__ import annotations

import math
from dataclasses import replace
from numbers import Real

from editors.language import colour_said
from editors.rows import Which, named, objects, recorded, said
from vle_gen.errors import UserError
from vle_gen.imaging.colours import colour_named
from vle_gen.tokens import VLETokens

LEAST_TURN = 2e-3  # degrees: less than this is what rounding leaves of a turn and its inverse


def flip(tokens: VLETokens, which: Which) -> VLETokens:
    """The tokens with some objects mirrored left to right, each in its place. Shadows stay as the lamps cast them.
    Flipping again undoes it exactly.

    Raises:
        UserError: there is no such object.
    """
    indices = objects(tokens, which, "flipped")
    mirrored = tokens.mirrored.clone()
    mirrored[0, indices] = ~mirrored[0, indices]
    return recorded(replace(tokens, mirrored=mirrored), f"flip {named(indices)}")


def recolor(tokens: VLETokens, which: Which, hue: float | None = None, to: str | None = None) -> VLETokens:
    """The tokens with some objects in another colour; shape, shading, texture and highlights stay.

    Args:
        hue: degrees to turn the hue by, such as 120 from red to green. Turns add up, and -120 undoes 120 exactly.
        to: the name of a colour, such as "blue", or one like "#3366cc", that replaces what the object was painted in
            and turned by before.

    Raises:
        UserError: no such object or colour, or not one of `hue` and `to`.
    """
    indices = objects(tokens, which, "recoloured")
    if (hue is None) == (to is None):
        raise UserError("say which colour: either a hue to turn by, or the colour to paint in")
    turn, paint = tokens.turn.clone(), tokens.paint.clone()
    if hue is not None:
        if not (isinstance(hue, Real) and math.isfinite(hue)):
            raise UserError(f"a hue cannot be turned by {hue}: expected degrees, such as 120; a colour is given as to='red'")
        for index in indices:
            turned = (float(turn[0, index]) + float(hue)) % 360
            turn[0, index] = 0.0 if min(turned, 360 - turned) < LEAST_TURN else turned
        return recorded(replace(tokens, turn=turn), f"recolor {named(indices)} by {said(hue)}")
    turn[0, indices] = 0
    if not isinstance(to, str):
        raise UserError(f"{to!r} is no colour: expected a name such as 'blue', or one like '#3366cc'")
    paint[0, indices] = paint.new_tensor([*colour_named(to), 1.0])
    return recorded(replace(tokens, turn=turn, paint=paint), f"recolor {named(indices)} to {colour_said(to.strip().lower())}")
