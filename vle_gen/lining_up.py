"""Rows as a person lays them: things that are asked to stand side by side stand on one line, as far apart as each other."""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from prompts.request import Mention, SceneRequest
from prompts.vocabulary import LEFT, NEXT, RIGHT
from vle_gen.framing import APART, HORIZON, MARGIN
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


def lined_up(tokens: VLETokens, request: SceneRequest | None, wanted: Sequence[Mention | None]) -> VLETokens:
    """The tokens of one picture with the things of each row that a request asks for on one line, those of one name equally
    large, but each as it is in rows where sizes are asked for. `wanted` says what each object token (all but token 0) was to
    be; None where that is not known."""
    rows = [] if request is None else rows_of(request)
    rows = [at for at in (_standing_for([request.mentions[k] for k in row], tokens, wanted) for row in rows) if at]
    if not rows:
        return tokens
    where, depth = tokens.where.clone(), tokens.depth.clone()
    for at in rows:
        boxes = [[x, y, w / FRAME_SCALE, h / FRAME_SCALE] for x, y, w, h in where[0, at].tolist()]
        row = [wanted[k - 1] for k in at]
        names = None if any(one is not None and one.size is not None for one in row) else list(map(_called, row))
        lined = _lined(boxes, names)
        where[0, at] = where.new_tensor([[x, y, w * FRAME_SCALE, h * FRAME_SCALE] for x, y, w, h in lined])
        depth[0, at] = depth[0, at].mean()
    return replace(tokens, where=where, depth=depth)


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


def _lined(boxes: list[list[float]], names: Sequence[tuple] | None) -> list[list[float]]:
    """Boxes (cx, cy, w, h) of things called `names`, left to right, on one line, evenly apart and within the picture. Without
    names they keep their sizes, where there is room."""
    feet = [y + h / 2 for _, y, _, h in boxes]
    line = sum(feet) / len(feet)
    sides = [(w, h) for _, _, w, h in boxes] if names is None else _alike(boxes, names, line)
    widths = [w for w, _ in sides]
    mean = sum(widths) / len(widths)
    left, right = boxes[0][0] - widths[0] / 2, boxes[-1][0] + widths[-1] / 2
    gap = (right - left - sum(widths)) / (len(widths) - 1)
    gap = min(max(gap, APART), max(APART, GAP * mean))
    length = sum(widths) + gap * (len(widths) - 1)
    scale = min(1.0, (1 - 2 * MARGIN) / length)
    start = (left + right - scale * length) / 2
    start = min(max(start, MARGIN), 1 - MARGIN - scale * length)
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
