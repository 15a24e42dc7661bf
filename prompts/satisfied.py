"""Whether a scene is what a prompt asked for: searches for objects to stand for each mention, and names what fails.

Geometry is in canvas units; a caption claims a relation only where it is clear, a check accepts half of that margin.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from itertools import combinations

from prompts.grounds import shows
from prompts.places import SAID_AS, extent, inside, is_of_size
from prompts.request import NO_KINDS, Mention, Relation, SceneRequest
from prompts.vocabulary import (
    ABOVE,
    BEHIND,
    BELOW,
    BETWEEN,
    BIGGER,
    FRONT,
    LEFT,
    NEXT,
    ON,
    RIGHT,
    SIZE,
    SMALLER,
)

CLEAR, ENOUGH = 1.0, 0.5  # share of the margins that a caption needs, and that a check needs
LOWER, ASIDE, COVERS = 0.03, 0.1, 0.1  # canvas units; of what lies between two, beside; share of the smaller one's box
BESIDE, LEVEL = 0.4, 0.2  # of two widths, that the middles of neighbours are apart; of the lower one's height, that they share
_MAX_STEPS = 50_000  # search effort after which a hopeless scene is given up; satisfied ones take far fewer


def holds(
    kind: str, box_a: Sequence[float], depth_a: float, box_b: Sequence[float], depth_b: float, margin: float,
) -> bool:
    """Whether "a KIND b" is true in the picture. Boxes cx, cy, w, h in canvas units, depths in metres, larger farther.

    `margin` scales how clear it must be: CLEAR for what a caption may claim, ENOUGH for what a check accepts.
    """
    if kind == LEFT or kind == RIGHT:
        gap = box_b[0] - box_a[0] if kind == LEFT else box_a[0] - box_b[0]
        return gap > margin * (0.03 + 0.15 * (box_a[2] + box_b[2]))
    if kind == FRONT:
        return depth_b - depth_a > margin * 0.5 and looks_nearer(box_a, box_b, margin)
    if kind == BEHIND:
        return depth_a - depth_b > margin * 0.5 and looks_nearer(box_b, box_a, margin)
    if kind == NEXT:
        reach = (box_a[2] + box_a[3] + box_b[2] + box_b[3]) / 4  # centre distance of two that touch, roughly
        distance = ((box_a[0] - box_b[0]) ** 2 + (box_a[1] - box_b[1]) ** 2) ** 0.5
        return distance < reach * (2.0 - 0.5 * margin)
    if kind == ABOVE or kind == BELOW:
        upper, lower = (box_a, box_b) if kind == ABOVE else (box_b, box_a)
        over = abs(box_a[0] - box_b[0]) < (1.5 - 0.5 * margin) * (box_a[2] + box_b[2]) / 2
        return over and lower[1] - upper[1] > margin * (box_a[3] + box_b[3]) / 2
    if kind == ON:
        top, foot = box_b[1] - box_b[3] / 2, box_a[1] + box_a[3] / 2
        rests = -0.06 / margin * box_b[3] < foot - top < 0.2 / margin * box_b[3]
        return rests and abs(box_a[0] - box_b[0]) < box_b[2] / 2 and abs(depth_a - depth_b) < 0.3 / margin
    if kind == BIGGER or kind == SMALLER:
        large, small = (box_a, box_b) if kind == BIGGER else (box_b, box_a)
        return extent(large) > (1 + 0.3 * margin) * extent(small)
    raise ValueError(f"unknown relation {kind!r}")


def looks_nearer(box_a: Sequence[float], box_b: Sequence[float], margin: float) -> bool:
    """Whether a picture shows that a thing is nearer than another one, which its depth alone does not: it stands lower, or is
    before a part of the other. On a floor what is nearer stands lower; what hangs or lies on a wall may be at any depth."""
    foot_a, foot_b = (cy + height / 2 for _, cy, _, height in (box_a, box_b))
    if foot_a - foot_b > 0.03 * (margin - 1):
        return True
    return overlap(box_a, box_b) > 0.2 * margin


def seen_so(kind: str, box_a: Sequence[float], box_b: Sequence[float]) -> bool:
    """Whether a person would say of things of any sort, too, that "a KIND b", where `holds` does. Solids tell how far away they
    are by their size and by how little they differ; of a balloon and a castle side by side neither is before the other. What
    is before another thing stands lower, and the more so the farther aside it is, or it covers a part and does not hang. What
    is next to another thing is to its side: neither before it nor above."""
    if kind == NEXT:
        low, high = (max(a - h / 2 for _, a, _, h in (box_a, box_b)), min(a + h / 2 for _, a, _, h in (box_a, box_b)))
        level = high - low > LEVEL * min(box_a[3], box_b[3])
        return level and abs(box_a[0] - box_b[0]) > BESIDE * (box_a[2] + box_b[2])
    if kind not in (FRONT, BEHIND):
        return True
    near, far = (box_a, box_b) if kind == FRONT else (box_b, box_a)
    lower = near[1] + near[3] / 2 - far[1] - far[3] / 2
    aside = abs(near[0] - far[0]) - (near[2] + far[2]) / 2
    return lower > LOWER + ASIDE * max(0.0, aside) or (lower > -LOWER and overlap(near, far) > COVERS)


def overlap(box_a: Sequence[float], box_b: Sequence[float]) -> float:
    """The share of the smaller of two boxes that lies in the other."""
    shared = 1.0
    for centre, size in ((0, 2), (1, 3)):
        low = max(box_a[centre] - box_a[size] / 2, box_b[centre] - box_b[size] / 2)
        high = min(box_a[centre] + box_a[size] / 2, box_b[centre] + box_b[size] / 2)
        shared *= max(0.0, high - low)
    return shared / max(min(box_a[2] * box_a[3], box_b[2] * box_b[3]), 1e-9)


def check(
    request: SceneRequest,
    attributes,
    box,
    depth,
    exact: bool = False,
    known: Mapping[int, int] | None = None,
    kinds: Sequence[Set[str]] | None = None,
    background: Sequence[str] | None = None,
) -> list[str]:
    """What of `request` does not hold in a scene; an empty list when all does.

    `attributes` (N, 4) indices, `box` (N, 4) cx, cy, w, h in canvas units, `depth` (N,) larger farther: lists, arrays
    or tensors, real objects only. With `exact`, objects that the prompt did not ask for are a failure too.
    `known` says which object stands for a mention, whatever its attributes, and for no other. `kinds` are the concepts of
    a lexicon that each object falls under; attributes of objects that have none are -1. `background` describes what is
    behind the objects; where it is left out, it is not checked.
    """
    scene = _Search(request, _rows(attributes), _rows(box), _rows(depth), exact, known or {}, kinds)
    unseen = [asked for asked in request.background if background is not None and not shows(background, asked)]
    return [f"no {asked}" for asked in unseen] + (scene.missing() or scene.broken())


def assign(
    request: SceneRequest, attributes, box, depth, kinds: Sequence[Set[str]] | None = None
) -> list[tuple[int, ...]] | None:
    """Which objects stand for each mention, in the order of the mentions; None where the scene is not what is asked for.

    Arguments as for `check`.
    """
    search = _Search(request, _rows(attributes), _rows(box), _rows(depth), False, {}, kinds)
    return None if search.missing() or search.broken() else list(search.chosen)


def fits(mention: Mention, attributes: Sequence[int], kinds: Set[str], box: Sequence[float]) -> bool:
    """Whether an object is what a mention describes; what has no size of its own has that which it shows."""
    if mention.size is not None and attributes[SIZE] < 0:
        if not is_of_size(mention.size, box, ENOUGH):
            return False
        mention = replace(mention, size=None)
    return mention.covers(attributes, kinds)


def _rows(values) -> list:
    return values.tolist() if hasattr(values, "tolist") else list(values)


class _Search:
    """Assignment of objects to mentions by backtracking, with as few broken relations as possible."""

    def __init__(
        self,
        request: SceneRequest,
        attributes: list,
        box: list,
        depth: list,
        exact: bool,
        known: Mapping[int, int],
        kinds: Sequence[Set[str]] | None,
    ) -> None:
        self.request, self.attributes, self.box, self.depth, self.exact = request, attributes, box, depth, exact
        self.kinds = [NO_KINDS] * len(attributes) if kinds is None else kinds
        free = [k for k in range(len(attributes)) if k not in known.values()]
        self.candidates = [
            [known[index]] if index in known else [k for k in free if self.fits(mention, k)]
            for index, mention in enumerate(request.mentions)
        ]
        spare = [len(fitting) - m.count for fitting, m in zip(self.candidates, request.mentions, strict=True)]
        self.order = sorted(range(len(spare)), key=spare.__getitem__)  # hardest to place first
        self.chosen: list[tuple[int, ...]] = [()] * len(request.mentions)
        self.steps = 0

    def fits(self, mention: Mention, k: int) -> bool:
        return fits(mention, self.attributes[k], self.kinds[k], self.box[k])

    def missing(self) -> list[str]:
        """Mentions for which the scene has too few objects (maximum bipartite matching)."""
        holder: dict[int, int] = {}

        def place(mention: int, seen: set[int]) -> bool:
            for k in self.candidates[mention]:
                if k not in seen:
                    seen.add(k)
                    if k not in holder or place(holder[k], seen):
                        holder[k] = mention
                        return True
            return False

        problems = []
        for index in self.order:
            mention = self.request.mentions[index]
            placed = 0
            for _ in range(mention.count):
                placed += place(index, set())
            if placed < mention.count:
                problems.append(f"no {mention}" if not placed else f"{placed} instead of {mention}")
        return problems

    def broken(self) -> list[str]:
        """What fails in the assignment that fails least (iterative deepening on the number of failures)."""
        for budget in range(len(self.request.relations) + len(self.request.mentions) + 2):
            self.steps = 0
            found = self.assign(0, frozenset(), [], budget)
            if found is not None:
                return found
        return ["the relations between the objects do not hold"]

    def assign(self, position: int, used: frozenset[int], problems: list[str], budget: int) -> list[str] | None:
        self.steps += 1
        if len(problems) > budget or self.steps > _MAX_STEPS:
            return None
        if position == len(self.order):
            problems = problems + self.leftovers(used)
            return problems if len(problems) <= budget else None
        index = self.order[position]
        mention = self.request.mentions[index]
        free = [k for k in self.candidates[index] if k not in used]
        for chosen in combinations(free, mention.count):
            self.chosen[index] = chosen
            bad = self.violations(index, self.order[:position])
            found = self.assign(position + 1, used.union(chosen), problems + bad, budget)
            if found is not None:
                return found
        return None

    def violations(self, index: int, placed: list[int]) -> list[str]:
        """The place of mention `index`, and relations between it and those already placed, that do not hold."""
        problems, there = [], {index, *placed}
        mention = self.request.mentions[index]
        if mention.place and not all(inside(mention.place, self.box[k], ENOUGH) for k in self.chosen[index]):
            problems.append(f"{mention} not {SAID_AS[mention.place][0]}")
        for relation in self.request.relations:
            if index in relation.mentions and there.issuperset(relation.mentions) and not self.true(relation):
                anchors = [self.request.mentions[k] for k in relation.mentions[1:]]
                what = " and ".join(str(anchor) for anchor in anchors)
                problems.append(f"{self.request.mentions[relation.subject]} not {relation.kind} {what}")
        return problems

    def true(self, relation: Relation) -> bool:
        """Whether a relation holds between the objects chosen for its mentions."""
        subjects, objects = self.chosen[relation.subject], self.chosen[relation.object]
        named = any(self.request.mentions[k].name is not None for k in relation.mentions)
        if named and relation.kind == NEXT:
            return self.adjoin({*subjects, *objects})
        if named and not all(seen_so(relation.kind, self.box[a], self.box[b]) for a in subjects for b in objects):
            return False
        if relation.kind == ON:  # on a stack of books a thing is on one of them
            return all(any(self.stands(a, ON, b) for b in objects) for a in subjects)
        if relation.kind != BETWEEN:
            return all(self.stands(a, relation.kind, b) for a in subjects for b in objects)
        one, *rest = objects
        (other,) = rest or self.chosen[relation.other]
        return all(
            self.stands(a, LEFT, one) and self.stands(a, RIGHT, other)
            or self.stands(a, RIGHT, one) and self.stands(a, LEFT, other)
            for a in subjects
        )  # fmt: skip

    def adjoin(self, several: set[int]) -> bool:
        """Whether objects stand next to one another, be it by way of others of them: "two cats next to a dog" are a row."""
        reached, edge = set(), {min(several)}
        while edge:
            reached |= edge
            edge = {
                b for b in several - reached for a in edge
                if self.stands(a, NEXT, b) and seen_so(NEXT, self.box[a], self.box[b])
            }  # fmt: skip
        return reached == several

    def stands(self, a: int, kind: str, b: int) -> bool:
        return holds(kind, self.box[a], self.depth[a], self.box[b], self.depth[b], ENOUGH)

    def leftovers(self, used: frozenset[int]) -> list[str]:
        """Objects that no mention stands for, where that makes a count wrong."""
        left = [k for k in range(len(self.attributes)) if k not in used]
        problems = []
        for mention in self.request.mentions:
            more = [k for k in left if self.fits(mention, k)]
            if mention.open:
                left = [k for k in left if k not in more]
            elif mention.count > 1 and more:
                problems.append(f"{mention.count + len(more)} instead of {mention}")
        if self.exact and left:
            problems.append(f"{len(left)} object{'s' * (len(left) > 1)} more than asked for")
        return problems
