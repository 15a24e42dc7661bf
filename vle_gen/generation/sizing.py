"""Things of the size that a prompt asks for, where the prior writes none of that name so: "a tiny castle"; and one thing alone
as large as a person would show it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from prompts.places import LARGE, SMALL, extent, is_of_size
from prompts.request import Mention, SceneRequest
from prompts.satisfied import CLEAR
from prompts.vocabulary import SIZES
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

ALONE, LARGE_ALONE = 0.36, 0.5  # least longer side of one thing alone, of the canvas, and of one that is to be large
IN_PLACE = 0.3  # the same where it is to be in a corner or at an edge
SURELY = 1.05  # times as large, or as small, as it takes
EDGE = 0.02  # canvas units that a thing that is made larger keeps from the picture's edge


def least_drawn(request: SceneRequest | None) -> float:
    """How large the longer side of each thing of a request is drawn at least, in canvas units: one thing alone has the picture
    to itself, others would come to stand in one another. 0 where any size is right."""
    if request is None or request.count != 1 or any(mention.open for mention in request.mentions):
        return 0.0
    (mention,) = request.mentions
    if mention.size is None:
        return ALONE if mention.place is None else IN_PLACE
    return LARGE_ALONE if SIZES[mention.size] == "large" and mention.place is None else 0.0


def sized(tokens: VLETokens, wanted: Sequence[Mention | None], least: float = 0.0) -> VLETokens:
    """The tokens with those objects scaled, standing where they stand, that are not of the size that their mention says, or
    whose longer side is less than `least` canvas units. `wanted` has a mention for each object token (all but token 0), None
    where that is not known. What would then be cut off by the picture's edge stands so far inside."""
    where = tokens.where.clone()
    for index, mention in enumerate(wanted, 1):
        x, y, w, h = where[0, index].tolist()
        box = x, y, w / FRAME_SCALE, h / FRAME_SCALE
        factor = 1.0 if mention is None or mention.name is None else _factor(mention, box, least)
        if factor != 1:
            where[0, index] = where.new_tensor(_scaled(box, factor))
    return replace(tokens, where=where)


def _factor(mention: Mention, box: Sequence[float], least: float) -> float:
    """How many times as large a thing is to be as its box (cx, cy, w, h)."""
    longest = max(box[2:])
    if mention.size is not None and SIZES[mention.size] == "small":
        return 1.0 if is_of_size(mention.size, box, CLEAR) else SMALL / SURELY / extent(box)
    factor = max(1.0, least / longest)
    if mention.size is None or is_of_size(mention.size, box, CLEAR):
        return factor
    return max(factor, min(LARGE * SURELY / extent(box), (1 - 2 * EDGE) / longest))


def _scaled(box: Sequence[float], factor: float) -> list[float]:
    """The frame of a box (cx, cy, w, h) scaled about its foot."""
    x, y, w, h = box
    foot, w, h = y + h / 2, factor * w, factor * h
    centre = x, foot - h / 2
    if factor > 1:
        centre = tuple(min(max(at, side / 2 + EDGE), 1 - side / 2 - EDGE) for at, side in zip(centre, (w, h), strict=True))
    return [*centre, FRAME_SCALE * w, FRAME_SCALE * h]
