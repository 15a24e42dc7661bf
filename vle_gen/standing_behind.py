"""What is asked to be behind another thing stands to its side, covered in part, so that it does not look to stand on it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from prompts.request import Mention, Relation, SceneRequest
from prompts.satisfied import overlap
from prompts.vocabulary import BEHIND, FRONT
from vle_gen.framing import HORIZON, LARGEST
from vle_gen.lining_up import tokens_of
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

PILED = 0.4  # heights of the nearer thing below its top, down to which the foot of the other may look to stand on it,
ABOVE = 0.3  # from so many above its top on,
OVER = 0.3  # where they share so much of the narrower one's width
BACK, TOLD, MOST_BACK = 0.3, 0.1, 0.7  # of the nearer one's height, how much higher than that the other then stands; in canvas
# units, how much at least, so that it is seen; and at most, again of that height
CLEAR = 0.1  # share of the smaller of two boxes that it may then share with what else there is
COVERED = 0.35  # of the narrower one's width that they share then
NEARER = 1.6  # times as large as it was, at most, it then is, since it stands nearer
LEAST = 0.05  # canvas units that its foot was below the horizon, at least, for that

Box = tuple[float, float, float, float]  # cx, cy, w, h in canvas units


def stood_behind(tokens: VLETokens, request: SceneRequest | None, wanted: Sequence[Mention | None]) -> VLETokens:
    """The tokens of one picture with each single thing that a request has behind another single one, and says no more of,
    moved down and aside where it looks to stand on that, if there is room, and as much larger as it is nearer then. `wanted`
    says what each object token (all but token 0) was to be; None where that is not known."""
    where = tokens.where.clone()
    for one in [] if request is None else request.relations:
        if one.kind not in (FRONT, BEHIND):
            continue
        near, far = one.mentions[:: 1 if one.kind == FRONT else -1]
        at = [tokens_of(request.mentions[k], wanted) for k in (near, far)]
        if [len(found) for found in at] == [1, 1] and _free(request, one, far):
            boxes = {k: _box(frame) for k, frame in enumerate(where[0].tolist()) if k}
            (nearer,), (farther,) = at
            ways = _beside(boxes.pop(nearer), boxes.pop(farther), 1.0 if request.mentions[far].size is not None else NEARER)
            clear = (box for box in ways if all(overlap(box, other) <= CLEAR for other in boxes.values()))
            if (box := next(clear, None)) is not None:
                where[0, farther] = where.new_tensor([*box[:2], *(FRAME_SCALE * side for side in box[2:])])
    return tokens if torch.equal(where, tokens.where) else replace(tokens, where=where)


def _free(request: SceneRequest, relation: Relation, mention: int) -> bool:
    """Whether a request says nothing else of where a thing is."""
    return request.mentions[mention].place is None and not any(
        mention in other.mentions for other in request.relations if other is not relation
    )


def _box(frame: Sequence[float]) -> Box:
    x, y, width, height = frame
    return x, y, width / FRAME_SCALE, height / FRAME_SCALE


def _beside(near: Box, far: Box, larger: float) -> list[Box]:
    """Where the farther one of two boxes may come to be: nowhere else, unless it looks to stand on the nearer one; else beside
    that, on the side on which it is already, and in the middle on that with more room, or on the other side; as much larger, up
    to so many times, as things are where it then stands."""
    (near_x, near_y, near_w, near_h), (x, y, width, height) = near, far
    down = (y + height / 2 - (near_y - near_h / 2)) / near_h
    shared = min(near_x + near_w / 2, x + width / 2) - max(near_x - near_w / 2, x - width / 2)
    if not (-ABOVE < down < PILED and shared > OVER * min(near_w, width)):
        return []
    foot = near_y + near_h / 2 - min(max(BACK * near_h, TOLD), MOST_BACK * near_h)
    nearer = (foot - HORIZON) / max(y + height / 2 - HORIZON, LEAST)
    factor = max(1.0, min(nearer, larger, LARGEST / max(width, height)))
    right = x > near_x if abs(x - near_x) > min(near_w, width) / 8 else near_x < 0.5
    width, height = factor * width, factor * height
    aside = (near_w + width) / 2 - COVERED * min(near_w, width)
    return [(near_x + way * aside, foot - height / 2, width, height) for way in ((1, -1) if right else (-1, 1))]
