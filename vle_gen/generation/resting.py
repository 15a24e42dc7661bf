"""What is asked to be on another thing touches it: it comes down to where that is below it, be that lower than its highest part
as a car is before its spoiler."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from prompts.request import Mention, SceneRequest
from prompts.vocabulary import ON
from vle_gen.generation.lining_up import tokens_of
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

SOLID = 0.5  # of a silhouette, from which something is there
STANDS_ON = 0.5  # share of a thing's width, in its middle, that it stands on
OF_OTHER, OF_OWN = 0.35, 0.3  # heights of what is below and of its own that it may come to reach into the other's box


def resting(tokens: VLETokens, request: SceneRequest | None, wanted: Sequence[Mention | None]) -> VLETokens:
    """The tokens of one picture with each single thing that a request has on another single one moved down to touch that,
    as far as they then still are two things. `wanted` says what each object token (all but token 0) was to be; None where
    that is not known."""
    upon = [] if request is None else [one for one in request.relations if one.kind == ON]
    if not upon or tokens.scope is None:
        return tokens
    where = tokens.where.clone()
    for _ in upon:  # what stands on what comes down does so too
        for relation in upon:
            pair = [tokens_of(request.mentions[k], wanted) for k in relation.mentions]
            if [len(one) for one in pair] == [1, 1]:
                (above,), (below,) = pair
                where[0, above, 1] += _gap(where[0, above].tolist(), where[0, below].tolist(), tokens.scope[0, below].tolist())
    return tokens if torch.equal(where, tokens.where) else replace(tokens, where=where)


def _gap(above: Sequence[float], below: Sequence[float], silhouette: Sequence[Sequence[float]]) -> float:
    """How far (canvas units) a thing in a frame (cx, cy, w, h) comes down to touch another, which has a silhouette (S, S): 0
    where it does already, or would come to stand in that."""
    x, y, width, height = (*above[:2], *(side / FRAME_SCALE for side in above[2:]))
    across, cell = len(silhouette), (below[2] / len(silhouette), below[3] / len(silhouette))
    left, top = below[0] - below[2] / 2, below[1] - below[3] / 2
    half = STANDS_ON * width / 2
    columns = [k for k in range(across) if abs(left + (k + 0.5) * cell[0] - x) <= max(half, cell[0] / 2)]
    tops = (next((row for row in range(across) if silhouette[row][k] > SOLID), None) for k in columns)
    highest = min((row for row in tops if row is not None), default=None)
    if highest is None:
        return 0.0
    foot, surface = y + height / 2, top + highest * cell[1]
    box_top = below[1] - below[3] / FRAME_SCALE / 2
    reaches = surface - box_top <= min(OF_OTHER * below[3] / FRAME_SCALE, OF_OWN * height)
    return surface - foot if surface > foot and reaches else 0.0
