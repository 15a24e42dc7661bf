"""Things that are asked to be one above the other are near to one another, so that there is room for both to be large."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from prompts.request import Mention, SceneRequest
from prompts.vocabulary import ABOVE, BELOW
from vle_gen.generation.lining_up import tokens_of
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

NEAR = 0.1  # canvas units between what is above a thing and that thing, at most


def closed_up(tokens: VLETokens, request: SceneRequest | None, wanted: Sequence[Mention | None]) -> VLETokens:
    """The tokens of one picture with what a request has above another thing moved down until it is near to that, together with
    all that is to stand in another way to what moves; nothing else moves. `wanted` says what each object token (all but token
    0) was to be; None where that is not known."""
    stacked = [] if request is None else [one for one in request.relations if one.kind in (ABOVE, BELOW)]
    if not stacked:
        return tokens
    where, at = tokens.where.clone(), [tokens_of(mention, wanted) for mention in request.mentions]
    for _ in stacked:  # what is above what moves moves too
        for relation in stacked:
            upper, lower = relation.mentions[:: 1 if relation.kind == ABOVE else -1]
            group = _together(upper, request)
            if lower in group or not at[upper] or not at[lower] or any(request.mentions[k].place is not None for k in group):
                continue
            (_, foot), (top, _) = (_extent(where[0, at[k]].tolist()) for k in (upper, lower))
            if foot <= top - NEAR:
                where[0, sorted({token for k in group for token in at[k]}), 1] += top - NEAR - foot
    return tokens if torch.equal(where, tokens.where) else replace(tokens, where=where)


def _together(mention: int, request: SceneRequest) -> set[int]:
    """A mention and all that a request has stand to it otherwise than above or below, by whatever is between them."""
    group = {mention}
    for _ in request.relations:
        for one in request.relations:
            if one.kind not in (ABOVE, BELOW) and group & set(one.mentions):
                group |= set(one.mentions)
    return group


def _extent(frames: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The upper and lower ends of things in frames (cx, cy, w, h), in canvas units."""
    tops, feet = ([y + side * h / FRAME_SCALE / 2 for _, y, _, h in frames] for side in (-1, 1))
    return min(tops), max(feet)
