"""Things of the size that a prompt asks for, where the prior writes none of that name so: "a tiny castle"."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from prompts.places import LARGE, SMALL, extent, is_of_size
from prompts.request import Mention, SceneRequest
from prompts.satisfied import CLEAR
from prompts.vocabulary import SIZES
from vle_gen.refusing import least_extent
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

ALONE = 0.3  # least longer side of one thing alone, of the canvas
SURELY = 1.05  # times as large, or as small, as it takes
EDGE = 0.02  # canvas units that a thing that is made larger keeps from the picture's edge


def least_drawn(request: SceneRequest | None) -> float:
    """How large the longer side of each thing of a request is drawn at least, in canvas units: one thing alone has the picture
    to itself, others would come to stand in one another."""
    return ALONE if request is not None and request.count == 1 and least_extent(request) else 0.0


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
    if mention.size is None:
        return max(1.0, least / longest)
    if is_of_size(mention.size, box, CLEAR):
        return 1.0
    if SIZES[mention.size] == "small":
        return SMALL / SURELY / extent(box)
    return min(LARGE * SURELY / extent(box), max(1.0, (1 - 2 * EDGE) / longest))


def _scaled(box: Sequence[float], factor: float) -> list[float]:
    """The frame of a box (cx, cy, w, h) scaled about its foot."""
    x, y, w, h = box
    foot, w, h = y + h / 2, factor * w, factor * h
    centre = x, foot - h / 2
    if factor > 1:
        centre = tuple(min(max(at, side / 2 + EDGE), 1 - side / 2 - EDGE) for at, side in zip(centre, (w, h), strict=True))
    return [*centre, FRAME_SCALE * w, FRAME_SCALE * h]
