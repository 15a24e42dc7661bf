"""Edits that put several objects in line: align, distribute."""
from __future__ import annotations

from editors.rows import Which, box, named, objects, recorded, shifted
from vle_gen.errors import UserError
from vle_gen.tokens import VLETokens

EDGES = ("left", "right", "top", "bottom", "center", "middle")
DIRECTIONS = ("horizontally", "vertically")


def align(tokens: VLETokens, which: Which, edge: str) -> VLETokens:
    """The tokens with the boxes of several objects in line.

    Args:
        edge: "left", "right", "top" or "bottom" bring that edge of each to the outermost one, so "bottom" makes all stand
            at one distance; "center" brings their centres to one x, "middle" to one y, halfway between the outermost.

    Raises:
        UserError: fewer than two objects, or another edge.
    """
    indices = objects(tokens, which, "aligned")
    if edge not in EDGES:
        raise UserError(f"objects cannot be aligned {edge!r}: expected {', '.join(EDGES)}")
    if len(indices) < 2:
        raise UserError(f"token {indices[0]} alone cannot be aligned: expected two objects or more")
    boxes = {k: box(tokens, k) for k in indices}
    if edge in ("left", "right", "center"):
        side = {"left": -0.5, "right": 0.5, "center": 0.0}[edge]
        at = {k: b.x + side * b.width for k, b in boxes.items()}
    else:
        side = {"top": -0.5, "bottom": 0.5, "middle": 0.0}[edge]
        at = {k: b.y + side * b.height for k, b in boxes.items()}
    low, high = min(at.values()), max(at.values())
    line = (low + high) / 2 if side == 0 else low if side < 0 else high
    across = edge in ("left", "right", "center")
    steps = {k: (line - at[k], 0.0) if across else (0.0, line - at[k]) for k in indices}
    return recorded(shifted(tokens, steps), f"align {named(indices)} {edge}")


def distribute(tokens: VLETokens, which: Which, direction: str = "horizontally") -> VLETokens:
    """The tokens with the centres of several objects evenly spaced, "horizontally" or "vertically", between the two
    outermost, which stay.

    Raises:
        UserError: fewer than three objects, or another direction.
    """
    indices = objects(tokens, which, "distributed")
    if direction not in DIRECTIONS:
        raise UserError(f"objects cannot be distributed {direction!r}: expected {' or '.join(DIRECTIONS)}")
    if len(indices) < 3:
        raise UserError(f"{len(indices)} objects cannot be distributed: expected three or more")
    across = direction == "horizontally"
    at = {k: box(tokens, k).x if across else box(tokens, k).y for k in indices}
    order = sorted(indices, key=at.get)
    low, high = at[order[0]], at[order[-1]]
    steps = {}
    for place, k in enumerate(order):
        step = low + (high - low) * place / (len(order) - 1) - at[k]
        steps[k] = (step, 0.0) if across else (0.0, step)
    return recorded(shifted(tokens, steps), f"distribute {named(indices)} {direction}")
