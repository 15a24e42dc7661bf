"""What is asked to be on another thing touches it: it comes down to where that is below it, be that lower than its highest part
as a car is before its spoiler. Where there are several of either, each comes down to that which it is over."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from prompts.request import Mention, SceneRequest
from prompts.vocabulary import ON
from vle_gen.generation.lining_up import tokens_of
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

SOLID = 0.5  # of a silhouette, from which something is there
STANDS_ON = 0.5  # share of a thing's width, in its middle, that it stands on
OF_OTHER, OF_OWN = 0.35, 0.3  # heights of what is below and of its own that it may come to reach into the other's box
PILED = 0.25  # of the lower one's width, that the middles of two of a pile are apart at most


def resting(tokens: VLETokens, request: SceneRequest | None, wanted: Sequence[Mention | None]) -> VLETokens:
    """The tokens of one picture with each thing that a request has on another one moved down to touch that, as far as they then
    still are two things; and of several of one name that another thing is on, those that are over one another. `wanted` says
    what each object token (all but token 0) was to be; None where that is not known."""
    upon = [] if request is None else [one for one in request.relations if one.kind == ON]
    if not upon or tokens.scope is None:
        return tokens
    pairs = [[tokens_of(request.mentions[k], wanted) for k in relation.mentions] for relation in upon]
    below: dict[int, list[int]] = {}  # what each may rest on
    for subjects, objects in pairs:
        for one in subjects:
            below[one] = [*below.get(one, ()), *(k for k in objects if k != one and k not in below.get(one, ()))]
    where, silhouettes = tokens.where.clone(), tokens.scope[0]
    for pile in {tuple(objects): None for _, objects in pairs if len(objects) > 1}:
        for _ in pile:
            for one in pile:
                lower = [k for k in pile if k != one and _over(where[0, one], where[0, k], PILED)]
                _come_down(where, silhouettes, one, lower)
    for _ in upon:  # what stands on what comes down does so too
        for subjects, _ in pairs:
            for one in subjects:
                alone = len(below[one]) == 1
                _come_down(where, silhouettes, one, [k for k in below[one] if alone or _over(where[0, one], where[0, k], 0.5)])
    return tokens if torch.equal(where, tokens.where) else replace(tokens, where=where)


def _come_down(where: Tensor, silhouettes: Tensor, one: int, lower: Sequence[int]) -> None:
    """Moves a token in frames (1, N, 4) down to the nearest of some others, each with a silhouette (S, S)."""
    gaps = (_gap(where[0, one].tolist(), where[0, k].tolist(), silhouettes[k].tolist()) for k in lower)
    where[0, one, 1] += min((gap for gap in gaps if gap is not None), default=0.0)


def _over(above: Tensor, below: Tensor, most: float) -> bool:
    """Whether of two frames (4,) the middle of the first is over the second, so many of that one's widths aside at most, and
    higher."""
    return bool((above[0] - below[0]).abs() < most * below[2] / FRAME_SCALE) and bool(above[1] < below[1])


def _gap(above: Sequence[float], below: Sequence[float], silhouette: Sequence[Sequence[float]]) -> float | None:
    """How far (canvas units) a thing in a frame (cx, cy, w, h) comes down to touch another, which has a silhouette (S, S): 0
    where it does already; None where it is not over that, or would come to stand in it."""
    x, y, width, height = (*above[:2], *(side / FRAME_SCALE for side in above[2:]))
    across, cell = len(silhouette), (below[2] / len(silhouette), below[3] / len(silhouette))
    left, top = below[0] - below[2] / 2, below[1] - below[3] / 2
    half = STANDS_ON * width / 2
    columns = [k for k in range(across) if abs(left + (k + 0.5) * cell[0] - x) <= max(half, cell[0] / 2)]
    tops = (next((row for row in range(across) if silhouette[row][k] > SOLID), None) for k in columns)
    highest = min((row for row in tops if row is not None), default=None)
    if highest is None:
        return None
    foot, surface = y + height / 2, top + highest * cell[1]
    box_top = below[1] - below[3] / FRAME_SCALE / 2
    reaches = surface - box_top <= min(OF_OTHER * below[3] / FRAME_SCALE, OF_OWN * height)
    if foot >= surface:
        return 0.0 if foot - height < surface else None
    return surface - foot if reaches else None
