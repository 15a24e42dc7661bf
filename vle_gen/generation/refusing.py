"""Which places are drawn again as the prior writes them: where there is no room, where a relation that the prompt asks for
would not hold, beyond the part of the floor that renders show, and where a thing would be too small, too hidden or too far at
the edge to be told, not of the size that was asked for, or piled on another thing that nobody asked it to stand on."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from prompts.places import is_of_size
from prompts.request import Mention, SceneRequest
from prompts.satisfied import CLEAR, holds
from prompts.vocabulary import ABOVE, BEHIND, BELOW, BETWEEN, BIGGER, FRONT, ON, SMALLER
from vle_gen.prior.room import HOVERS, SINKS, covering, crowded, cut_off, piled
from vle_gen.tokenizer.sizes import FRAME_SCALE

TOLD = (0.18, 0.14)  # least longer side, of the canvas, of one thing alone and of each of two; more would stand in one another
SINKS_BEHIND = 0.15  # of `room.rests`, where one is to be behind the other: nobody takes it to stand on that as easily
MARGIN = 1.2  # of what a caption may claim: clearer than that, since what holds by a hair is not seen


class Pair(NamedTuple):
    """What is written in one turn stands so to what is written in another; the scene is turn 0."""

    one: int
    kind: str
    other: int


def written_by(request: SceneRequest | None) -> tuple[Mention, ...]:
    """What each turn from the first on is to write, in the order of a request's mentions; nothing where that is open."""
    if request is None or any(mention.open for mention in request.mentions):  # how many there are is the prior's choice
        return ()
    return tuple(mention for mention in request.mentions for _ in range(mention.count))


def pairs_of(request: SceneRequest | None) -> tuple[Pair, ...]:
    """The relations of what is written in the order of a request's mentions, those aside that are between two others."""
    if not written_by(request):
        return ()
    turns, first = [], 1
    for mention in request.mentions:
        turns.append(range(first, first + mention.count))
        first += mention.count
    return tuple(
        Pair(one, relation.kind, other)
        for relation in request.relations if relation.kind != BETWEEN
        for one in turns[relation.subject] for other in turns[relation.object]
    )  # fmt: skip


def least_extent(request: SceneRequest | None) -> float:
    """How large the longer side of each thing of a request is to be at least, in canvas units: 0 where sizes are asked for,
    or many things."""
    if request is None or any(mention.size is not None or mention.open for mention in request.mentions):
        return 0.0
    if any(relation.kind in (BIGGER, SMALLER) for relation in request.relations):
        return 0.0
    count = sum(mention.count for mention in request.mentions)
    return TOLD[count - 1] if 1 <= count <= len(TOLD) else 0.0


def sinks_of(pairs: Sequence[Pair]) -> dict[frozenset[int], float]:
    """`sinks` of `room.rests` for what two turns write, where one is asked to be behind the other or over it, in so many words
    or by what is between them: what is on or above another thing may look to stand on it."""
    return {both: SINKS_BEHIND for both in _chained(pairs, (FRONT,), (BEHIND,))} | {
        both: HOVERS for both in _chained(pairs, (ON, ABOVE), (BELOW,))
    }


def _chained(told: Sequence[Pair], forth: tuple[str, ...], back: tuple[str, ...]) -> set[frozenset[int]]:
    """The turns, two by two, of which one stands so to the other as the relations `forth` say, and `back` the other way round,
    or to one that does."""
    pairs = {(one, other) for one, kind, other in told if kind in forth}
    pairs |= {(other, one) for one, kind, other in told if kind in back}
    while more := {(one, last) for one, end in pairs for begin, last in pairs if end == begin} - pairs:
        pairs = pairs | more
    return {frozenset(both) for both in pairs}


def sizes_of(written: Sequence[Mention]) -> dict[int, int]:
    """Which turns are to write small (0) or large (1) things, of those that have no size of their own; `written` says what each
    turn writes (see `written_by`)."""
    return {
        turn: thing.size for turn, thing in enumerate(written, 1) if thing.size is not None and thing.name is not None
    }


class Refusing:
    """Says which samples' newest place is to be drawn again: see `sampling.Refusal`.

    Args:
        pairs: of each sample.
        room: whether there must be room.
        farthest: the largest depth that may be; None for any.
        least: of each sample the least longer side of an object that may be, in canvas units; None for any.
        shown: of each sample, whether its objects must show: neither the edge nor another one takes much of them.
        sized: of each sample, which turns are to write small or large things: see `sizes_of`.
        sinks: of each sample, which turns' things may look to stand on one another: see `sinks_of`. None where any may.
    """

    def __init__(
        self,
        pairs: Sequence[Sequence[Pair]],
        room: bool = True,
        farthest: float | None = None,
        least: Sequence[float] | None = None,
        shown: Sequence[bool] | None = None,
        sized: Sequence[Mapping[int, int]] | None = None,
        sinks: Sequence[Mapping[frozenset[int], float] | None] | None = None,
    ):
        self.pairs, self.room, self.farthest = pairs, room, math.inf if farthest is None else farthest
        self.least = torch.tensor([0.0] * len(pairs) if least is None else list(least))
        self.sized = [{}] * len(pairs) if sized is None else sized
        self.sinks = [None] * len(pairs) if sinks is None else sinks
        self.shown = torch.tensor([False] * len(pairs) if shown is None else list(shown))

    def __call__(self, turn: int, where: Tensor, depth: Tensor) -> Tensor:
        broken = torch.tensor([self._broken(turn, k, where, depth) for k in range(len(where))], device=where.device)
        broken |= torch.tensor([self._missized(turn, k, where) for k in range(len(where))], device=where.device)
        broken |= self._piled(turn, where)
        broken |= depth[:, -1] > self.farthest
        broken |= where[:, -1, 2:].amax(1) / FRAME_SCALE < self.least.to(where.device)
        broken |= self.shown.to(where.device) & (covering(where) | cut_off(where))
        return broken | crowded(where, depth) if self.room else broken

    def _broken(self, turn: int, row: int, where: Tensor, depth: Tensor) -> bool:
        told = [pair for pair in self.pairs[row] if max(pair.one, pair.other) == turn]
        if not told:
            return False
        boxes = [[x, y, w / FRAME_SCALE, h / FRAME_SCALE] for x, y, w, h in where[row].tolist()]
        far = depth[row].tolist()
        return not all(
            holds(kind, boxes[one - 1], far[one - 1], boxes[other - 1], far[other - 1], MARGIN) for one, kind, other in told
        )

    def _missized(self, turn: int, row: int, where: Tensor) -> bool:
        size = self.sized[row].get(turn)
        if size is None:
            return False
        x, y, width, height = where[row, -1].tolist()
        return not is_of_size(size, (x, y, width / FRAME_SCALE, height / FRAME_SCALE), CLEAR)

    def _piled(self, turn: int, where: Tensor) -> Tensor:
        """Whether each sample's newest thing looks to stand on another, or another on it, that is not to (B,)."""
        others = range(1, turn)
        sinks = [[HOVERS if one is None else one.get(frozenset((k, turn)), SINKS) for k in others] for one in self.sinks]
        return piled(where, where.new_tensor(sinks).view(len(where), -1)).any(1)
