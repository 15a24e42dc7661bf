"""What is asked to be behind another thing is seen to be: it stands higher, and beside that, covered in part, not on it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from prompts.request import Mention, Relation, SceneRequest
from prompts.satisfied import overlap
from prompts.vocabulary import BEHIND, FRONT
from vle_gen.generation.framing import HORIZON, LARGEST, MARGIN
from vle_gen.generation.lining_up import tokens_of
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

PILED = 0.4  # heights of the nearer thing below its top, down to which the foot of the other may look to stand on it,
ABOVE = 0.3  # from so many above its top on,
OVER = 0.3  # where they share so much of the narrower one's width
BACK = 0.45  # of the nearer one's height, how much higher than that the other then stands,
TOLD, MOST_BACK = 0.13, 0.8  # in canvas units how much at least, so that it is seen, and at most, again of that height
CLEAR = 0.1  # share of the smaller of two boxes that it may then share with what else there is
COVERED = 0.35  # of the narrower one's width that they share then
NEARER = 1.4  # times as large as it was, at most, it then is, since it stands nearer
LEAST = 0.05  # canvas units that its foot was below the horizon, at least, for that

Box = tuple[float, float, float, float]  # cx, cy, w, h in canvas units


def stood_behind(tokens: VLETokens, request: SceneRequest | None, wanted: Sequence[Mention | None]) -> VLETokens:
    """The tokens of one picture in which each single thing that a request has behind another single one is seen to be. Where it
    looks to stand on that it comes down beside it, and is as much larger as it is nearer then; where it stands hardly higher it
    goes up, or the other one down. What more is said of does not move, nor does anything where there is no room. `wanted` says
    what each object token (all but token 0) was to be; None where that is not known."""
    where = tokens.where.clone()
    for one in [] if request is None else request.relations:
        if one.kind not in (FRONT, BEHIND):
            continue
        near, far = one.mentions[:: 1 if one.kind == FRONT else -1]
        at = [tokens_of(request.mentions[k], wanted) for k in (near, far)]
        if [len(found) for found in at] != [1, 1]:
            continue
        boxes = {k: _box(frame) for k, frame in enumerate(where[0].tolist()) if k}
        (nearer,), (farther,) = at
        two = boxes.pop(nearer), boxes.pop(farther)
        if _free(request, one, far):
            moved, ways = farther, _behind(*two, 1.0 if request.mentions[far].size is not None else NEARER)
        else:
            moved, ways = nearer, _before(*two) if _free(request, one, near) else []
        clear = (box for box in ways if all(overlap(box, other) <= CLEAR for other in boxes.values()))
        if (box := next(clear, None)) is not None:
            where[0, moved] = where.new_tensor([*box[:2], *(FRAME_SCALE * side for side in box[2:])])
    return tokens if torch.equal(where, tokens.where) else replace(tokens, where=where)


def _free(request: SceneRequest, relation: Relation, mention: int) -> bool:
    """Whether a request says nothing else of where a thing is."""
    return request.mentions[mention].place is None and not any(
        mention in other.mentions for other in request.relations if other is not relation
    )


def _box(frame: Sequence[float]) -> Box:
    x, y, width, height = frame
    return x, y, width / FRAME_SCALE, height / FRAME_SCALE


def _behind(near: Box, far: Box, larger: float) -> list[Box]:
    """Where the farther one of two boxes may come to be, none where it is seen to be behind. Where it looks to stand on the
    nearer one: beside that, on the side on which it is already, and in the middle on that with more room, or on the other side;
    as much larger, up to so many times, as things are where it then stands. Where it stands hardly higher: a little higher."""
    (near_x, near_y, near_w, near_h), (x, y, width, height) = near, far
    down = (y + height / 2 - (near_y - near_h / 2)) / near_h
    shared = min(near_x + near_w / 2, x + width / 2) - max(near_x - near_w / 2, x - width / 2)
    if not (-ABOVE < down < PILED and shared > OVER * min(near_w, width)):
        more = _more(near, far)
        return [(x, y - more, width, height)] if more > 0 else []
    foot = near_y + near_h / 2 - min(max(BACK * near_h, TOLD), MOST_BACK * near_h)
    nearer = (foot - HORIZON) / max(y + height / 2 - HORIZON, LEAST)
    factor = max(1.0, min(nearer, larger, LARGEST / max(width, height)))
    right = x > near_x if abs(x - near_x) > min(near_w, width) / 8 else near_x < 0.5
    width, height = factor * width, factor * height
    aside = (near_w + width) / 2 - COVERED * min(near_w, width)
    return [(near_x + way * aside, foot - height / 2, width, height) for way in ((1, -1) if right else (-1, 1))]


def _before(near: Box, far: Box) -> list[Box]:
    """Where the nearer one of two boxes may come to be: lower, where it hardly stands lower and there is room."""
    x, y, width, height = near
    more = _more(near, far)
    return [(x, y + more, width, height)] if more > 0 and y + more + height / 2 <= 1 - MARGIN else []


def _more(near: Box, far: Box) -> float:
    """How much higher (canvas units) the foot of the farther one of two boxes would have to be for a picture to tell; 0 where
    it does, and where the other one stands higher by far."""
    more = TOLD - (near[1] + near[3] / 2 - far[1] - far[3] / 2)
    return more if 0 < more <= 2 * TOLD else 0.0
