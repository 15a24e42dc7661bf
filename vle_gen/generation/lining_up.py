"""Rows as a person lays them: things that are asked to stand side by side, next to one another or between two others stand on
one line, as far apart as each other."""
from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import torch
from torch import Tensor

from prompts.request import Mention, SceneRequest
from prompts.vocabulary import ABOVE, BEHIND, BELOW, BETWEEN, FRONT, LEFT, NEXT, ON, RIGHT
from vle_gen.generation.framing import APART, HORIZON, Room, room_of
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

GAP = 0.35  # most that things of a row are apart, of their mean width
FLOOR = 0.05  # canvas units below the horizon from which on a thing stands on the floor, where what is farther looks smaller
SMALLEST = 0.6  # of the largest thing of a row, that every other one is at least
SCALED = 2.0  # times as large, or as small, as a thing may come to be by standing nearer or farther


def rows_of(request: SceneRequest) -> list[list[int]]:
    """The rows that a request asks for, each the mentions of its things from left to right: each is left of and next to the
    one that follows. Those of which a thing has a place in the picture are laid by that alone."""
    near = {frozenset((one.subject, one.object)) for one in request.relations if one.kind == NEXT}
    follows = {}
    for one in request.relations:
        if one.kind in (LEFT, RIGHT) and frozenset((one.subject, one.object)) in near:
            left, right = (one.subject, one.object) if one.kind == LEFT else (one.object, one.subject)
            follows.setdefault(left, right)
    rows = []
    for first in sorted(follows.keys() - set(follows.values())):
        row = [first]
        while row[-1] in follows and follows[row[-1]] not in row:
            row.append(follows[row[-1]])
        if all(request.mentions[k].count == 1 and request.mentions[k].place is None for k in row):
            rows.append(row)
    return rows


def neighbours_of(request: SceneRequest) -> list[list[int]]:
    """The mentions of things, some of which have names, that a request asks to stand next to one another, each beside the one
    that follows, whichever of the two is on the left. None of them is in one of `rows_of`, has a place in the picture or is
    asked to stand otherwise to its neighbour too."""
    rows = {k for row in rows_of(request) for k in row}
    across = _across(request)
    beside: dict[int, list[int]] = defaultdict(list)
    for one in request.relations:
        pair = (one.subject, one.object)
        mentions = [request.mentions[k] for k in pair]
        named = any(mention.name is not None for mention in mentions)
        if one.kind != NEXT or not named or rows & set(pair) or frozenset(pair) in across:
            continue
        if all(mention.place is None and not mention.open for mention in mentions):
            beside[one.subject].append(one.object)
            beside[one.object].append(one.subject)
    chains, seen = [], set()
    for first in sorted(beside, key=lambda k: len(set(beside[k]))):  # those with one neighbour first: they are the ends
        chain = [] if first in seen else [first]
        while chain and (after := [k for k in beside[chain[-1]] if k not in seen and k not in chain]):
            chain.append(after[0])
        seen.update(chain)
        if len(chain) > 1:
            chains.append(chain)
    return chains


def between_of(request: SceneRequest) -> list[list[int]]:
    """The mentions of what a request asks to stand between two others, each with these two around it; one mention of both is at
    both ends. None of them is in one of `rows_of` or `neighbours_of`, or in another of these, has a place in the picture or is
    asked to stand otherwise to what it stands by too."""
    taken = {k for row in (*rows_of(request), *neighbours_of(request)) for k in row}
    across, chains = _across(request), []
    for one in request.relations:
        chain = [one.object, one.subject, one.object if one.other is None else one.other]
        mentions = [request.mentions[k] for k in chain]
        free = all(mention.place is None and not mention.open for mention in mentions)
        named = any(mention.name is not None for mention in mentions)
        pairs = {frozenset(pair) for pair in combinations(set(chain), 2)}
        if one.kind == BETWEEN and free and named and not taken & set(chain) and not pairs & across:
            chains.append(chain)
            taken |= set(chain)
    return chains


def _across(request: SceneRequest) -> set[frozenset[int]]:
    """The mentions, two by two, of which a request asks that one is not to the side of the other."""
    return {frozenset((r.subject, r.object)) for r in request.relations if r.kind in (ABOVE, BELOW, ON, FRONT, BEHIND)}


def lined_up(tokens: VLETokens, request: SceneRequest | None, wanted: Sequence[Mention | None]) -> VLETokens:
    """The tokens of one picture with the things of each row that a request asks for on one line, those of one name equally
    large, but each as it is in rows where sizes are asked for. Neighbours come to stand where the lowest of them does, and
    what else is asked to stand so or so to one of them comes along. `wanted` says what each object token (all but token 0)
    was to be; None where that is not known."""
    if request is None:
        return tokens
    rows = [(_standing_for([request.mentions[k] for k in row], tokens, wanted), None) for row in rows_of(request)]
    rows += [(_abreast(row, request, tokens, wanted), row) for row in (*neighbours_of(request), *between_of(request))]
    rows = [(at, row) for at, row in rows if at]
    if not rows:
        return tokens
    where, depth = tokens.where.clone(), tokens.depth.clone()
    room = room_of(tokens.size)
    for at, neighbours in rows:
        before = where[0, at].clone()
        boxes = [[x, y, w / FRAME_SCALE, h / FRAME_SCALE] for x, y, w, h in before.tolist()]
        row = [wanted[k - 1] for k in at]
        names = None if any(one is not None and one.size is not None for one in row) else list(map(_called, row))
        feet = [y + h / 2 for _, y, _, h in boxes]
        lined = _lined(boxes, names, max(feet) if neighbours else sum(feet) / len(feet), room[0])
        where[0, at] = where.new_tensor([[x, y, w * FRAME_SCALE, h * FRAME_SCALE] for x, y, w, h in lined])
        depth[0, at] = depth[0, at].mean()
        if neighbours:
            shifts = {wanted[k - 1]: where[0, k, :2] - old[:2] for k, old in zip(at, before, strict=True)}
            for k, shift in _coming_along(neighbours, request, wanted, shifts, at).items():
                where[0, k] = _within(where[0, k] + torch.cat([shift, torch.zeros_like(shift)]), room)
    return replace(tokens, where=where, depth=depth)


def _abreast(
    chain: Sequence[int], request: SceneRequest, tokens: VLETokens, wanted: Sequence[Mention | None]
) -> list[int]:
    """The object tokens of neighbours from left to right, in that direction in which they were drawn."""
    row = [replace(request.mentions[k], count=1) for k in chain for _ in range(request.mentions[k].count // chain.count(k))]
    across = [[float(tokens.where[0, k, 0]) for k in tokens_of(end, wanted)] for end in (row[0], row[-1])]
    if not all(across):
        return []
    first, last = (sum(xs) / len(xs) for xs in across)
    return _standing_for(row if first <= last else row[::-1], tokens, wanted)


def _coming_along(
    chain: Sequence[int],
    request: SceneRequest,
    wanted: Sequence[Mention | None],
    shifts: Mapping[Mention, Tensor],
    at: Sequence[int],
) -> dict[int, Tensor]:
    """How far, in canvas units, other object tokens move that are to stand so or so to those of a chain, by token."""
    moved = {k: shifts[one] for k in chain for one in shifts if _is(one, request.mentions[k])}
    found = {}
    for _ in request.relations:  # what stands on what stands on one of them comes along too
        for one in request.relations:
            for near, other in (one.mentions[:2], one.mentions[1::-1]):
                if near in moved and other not in moved:
                    moved[other] = moved[near]
                    for k, mention in enumerate(wanted, 1):
                        if k not in at and _is(mention, request.mentions[other]):
                            found[k] = moved[near]
    return found


def _within(where: Tensor, room: Room) -> Tensor:
    """A token's place (4,) with its thing shifted into the picture, as far as there is room."""
    kept = where.clone()
    for axis, (first, last) in enumerate(room):
        half = float(where[2 + axis]) / FRAME_SCALE / 2
        kept[axis] = (first + last) / 2 if 2 * half > last - first else where[axis].clamp(first + half, last - half)
    return kept


def tokens_of(asked: Mention, wanted: Sequence[Mention | None]) -> list[int]:
    """The object tokens that were to be what a mention asks for."""
    return [k for k, one in enumerate(wanted, 1) if _is(one, asked)]


def _is(mention: Mention | None, asked: Mention) -> bool:
    return mention is not None and _called(mention) == _called(asked)


def _called(mention: Mention | None) -> tuple:
    return () if mention is None else (mention.name, mention.dye, mention.attributes)


def _standing_for(row: list[Mention], tokens: VLETokens, wanted: Sequence[Mention | None]) -> list[int]:
    """The object tokens of a row's mentions: of several of one name the first stands farthest left. Empty where some were not
    written, or things besides may be meant."""
    left = {}
    for k, mention in sorted(enumerate(wanted, 1), key=lambda one: float(tokens.where[0, one[0], 0])):
        left.setdefault(_called(mention), []).append(k)
    asked = Counter(map(_called, row))
    if any(len(left.get(called, ())) != count for called, count in asked.items()):
        return []
    return [left[_called(mention)].pop(0) for mention in row]


def _lined(
    boxes: list[list[float]], names: Sequence[tuple] | None, line: float, room: tuple[float, float]
) -> list[list[float]]:
    """Boxes (cx, cy, w, h) of things called `names`, left to right, with their feet on one line, evenly apart and within the
    `room` from left to right. Without names they keep their sizes, where there is room."""
    sides = [(w, h) for _, _, w, h in boxes] if names is None else _alike(boxes, names, line)
    widths = [w for w, _ in sides]
    mean = sum(widths) / len(widths)
    left, right = boxes[0][0] - widths[0] / 2, boxes[-1][0] + widths[-1] / 2
    gap = (right - left - sum(widths)) / (len(widths) - 1)
    gap = min(max(gap, APART), max(APART, GAP * mean))
    length = sum(widths) + gap * (len(widths) - 1)
    scale = min(1.0, (room[1] - room[0]) / length)
    start = (left + right - scale * length) / 2
    start = min(max(start, room[0]), room[1] - scale * length)
    lined = []
    for w, h in sides:
        w, h = scale * w, scale * h
        lined.append([start + w / 2, line - h / 2, w, h])
        start += w + scale * gap
    return lined


def _alike(boxes: list[list[float]], names: Sequence[tuple], line: float) -> list[tuple[float, float]]:
    """Widths and heights of boxes (cx, cy, w, h) that come to stand on a line, those of one name equally large."""
    sides = []
    for _, y, w, h in boxes:
        foot = y + h / 2
        stands = min(foot, line) - HORIZON > FLOOR
        factor = (line - HORIZON) / (foot - HORIZON) if stands else 1.0
        factor = min(max(factor, 1 / SCALED), SCALED)
        sides.append((factor * w, factor * h))
    extents = [(w * h) ** 0.5 for w, h in sides]
    wanted = {name: [one for one, called in zip(extents, names, strict=True) if called == name] for name in names}
    wanted = {name: max(sum(ones) / len(ones), SMALLEST * max(extents)) for name, ones in wanted.items()}
    factors = [wanted[name] / one for name, one in zip(names, extents, strict=True)]
    return [(factor * w, factor * h) for factor, (w, h) in zip(factors, sides, strict=True)]  # each keeps its proportions
