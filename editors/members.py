"""Edits of which objects there are: remove, duplicate, paste."""
from __future__ import annotations

from dataclasses import replace

from editors.depth import put_before
from editors.language import quoted
from editors.rows import (
    Which,
    box,
    finite,
    joined,
    named,
    objects,
    one_object,
    place_of,
    recorded,
    require_tokens,
    rows,
    said,
    shifted,
)
from vle_gen.errors import UserError
from vle_gen.tokens import VLETokens

UNNAMED = "a picture without a name"  # in the history, where `paste` was not told the file


def remove(tokens: VLETokens, which: Which) -> VLETokens:
    """The tokens without some objects; what lay behind them is seen. Tokens after a removed one move up by one index.

    Raises:
        UserError: there is no such object.
    """
    indices = objects(tokens, which, "removed")
    kept = rows(tokens, [k for k in range(len(tokens)) if k not in indices])
    return recorded(kept, f"remove {named(indices)}")


def duplicate(tokens: VLETokens, index: int, dx: float, dy: float = 0.0) -> VLETokens:
    """The tokens with a copy of an object (dx, dy) pixels of the picture away, x right, y down, directly in front of it where
    they overlap.

    The copy is the last token: its index is `len(tokens)` of the tokens given.

    Raises:
        UserError: there is no such object, several are named, or the step is no finite number.
    """
    index = one_object(tokens, index, "duplicated")
    finite(dx, dy)
    count = len(tokens)
    both = shifted(joined(tokens, tokens, [index]), {count: (dx, dy)})
    both = replace(both, depth=put_before(both.depth, both.near_to_far(), count, index))
    return recorded(both, f"duplicate {index} by {said(dx, dy)}")


def paste(
    tokens: VLETokens, other: VLETokens, which: Which, to: tuple[float, float] | None = None, name: str = ""
) -> VLETokens:
    """The tokens with objects of another picture added, with their detail and shadows, as the last tokens, in the order of
    `which`.

    Args:
        other: tokens of the other picture, edited or not.
        which: its object tokens to paste.
        to: pixels of the picture (x, y) where the centre of the pasted ones goes; without it they lie where they lay, as
            shares of the canvas. Their size is kept as a share of the canvas too.
        name: of the file that holds the other picture, for the history.

    Raises:
        UserError: no such object, or tokens that another checkpoint made.
    """
    require_tokens(tokens)
    indices = objects(other, which, "pasted")
    if tokens.checkpoint != other.checkpoint:
        raise UserError(
            f"tokens of checkpoint {other.checkpoint} cannot be pasted into those of {tokens.checkpoint}: "
            "write them as a picture with 'vlegen decode', and paste from that"
        )
    count = len(tokens)
    both = joined(tokens, other, indices)
    new = list(range(count, len(both)))
    if to is not None:
        to = place_of(to)
        finite(*to, what="a place")
        x, y = centre(both, new)
        both = shifted(both, dict.fromkeys(new, (to[0] - x, to[1] - y)))
    place = "" if to is None else f" to {said(*to)}"
    return recorded(both, f"paste {named(indices)} from {quoted(str(name or UNNAMED))}{place}")


def centre(tokens: VLETokens, indices: list[int]) -> tuple[float, float]:
    """The centre, in pixels, of the box that holds the boxes of some objects."""
    boxes = [box(tokens, k) for k in indices]
    left, right = min(b.x - b.width / 2 for b in boxes), max(b.x + b.width / 2 for b in boxes)
    top, bottom = min(b.y - b.height / 2 for b in boxes), max(b.y + b.height / 2 for b in boxes)
    return (left + right) / 2, (top + bottom) / 2
