"""Tells what a scene shows in a sentence or two that the grammar reads back: who is there, and how they stand to one another.

Unlike `captions`, which writes a scene in many ways, it says the same of the same scene, and all that is there.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from prompts.plurals import article, is_mass, is_plural, plural
from prompts.request import Mention, Relation, SceneRequest
from prompts.satisfied import CLEAR, holds, seen_so
from prompts.vocabulary import BEHIND, FRONT, LEFT, PLURALS, RIGHT, SHAPES, number_said

TOGETHER = 3  # objects of one sentence: one, and two others that it is related to
RELATED = 2  # sentences of that kind; what is left is listed
AXES = ((LEFT, RIGHT), (FRONT, BEHIND))


@dataclass(frozen=True)
class Telling:
    """What is told: the text, and what it says; `members` are the objects that each mention stands for."""

    text: str
    request: SceneRequest
    members: tuple[tuple[int, ...], ...]


def tell(
    attributes: Sequence[Sequence[int]],
    box: Sequence[Sequence[float]],
    depth: Sequence[float],
    names: Sequence[str | None] = (),
) -> Telling:
    """What a scene shows. `attributes` (N, 4) indices, `box` (N, 4) cx, cy, w, h in canvas units, `depth` (N,) larger
    farther: plain lists. `names` are those of a lexicon, None for solids; attributes that a thing has none of are -1. The
    largest objects come first; look-alikes are counted together."""
    names = names or [None] * len(attributes)
    groups: dict[tuple, list[int]] = {}
    for k in sorted(range(len(attributes)), key=lambda k: -box[k][2] * box[k][3]):
        groups.setdefault((names[k], *attributes[k]), []).append(k)
    members = list(groups.values())
    mentions = [
        Mention(*(value if value >= 0 else None for value in row), count=len(group), name=name)
        for (name, *row), group in groups.items()
    ]
    if not mentions:
        return Telling("An empty scene.", SceneRequest(), ())

    def related(a: int, b: int, axis: tuple[str, str]) -> str | None:
        """The relation along `axis` that clearly holds between all that mentions a and b stand for."""
        named = mentions[a].name is not None or mentions[b].name is not None
        pairs = [(p, q) for p in members[a] for q in members[b]]
        for kind in axis:
            holding = all(holds(kind, box[p], depth[p], box[q], depth[q], CLEAR) for p, q in pairs)
            if holding and (not named or all(seen_so(kind, box[p], box[q]) for p, q in pairs)):
                return kind
        return None

    left, order, relations, sentences = list(range(len(mentions))), [], [], []
    while len(left) >= 2 and len(sentences) < RELATED:
        first, *others = left
        said: list[tuple[str, int]] = []
        for axis in AXES:
            free = [k for k in others if k not in (o for _, o in said)]
            found = next(((kind, k) for k in free if (kind := related(first, k, axis)) is not None), None)
            if found and len(said) < TOGETHER - 1:
                said.append(found)
        if not said:
            break
        used = [first, *(k for _, k in said)]
        tail = " and ".join(f"{kind} {_introduced(mentions[k])}" for kind, k in said)
        sentences.append(f"{_introduced(mentions[first])} {_is(mentions[first])} {tail}")
        relations += [(first, kind, k) for kind, k in said]
        order += used
        left = [k for k in left if k not in used]
    if len(left) == 1 and order:
        last, hub = left[0], order[0]
        kind = related(last, hub, AXES[0]) or related(last, hub, AXES[1])
        if kind is not None:
            sentences.append(f"{_introduced(mentions[last])} {_is(mentions[last])} {kind} the {_named(mentions[hub])}")
            relations.append((last, kind, hub))
            order, left = [*order, last], []
    if left:
        names = [_introduced(mentions[k]) for k in left]
        listed = ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
        sentences.append(f"there {_is(mentions[left[0]])} {listed}")
        order += left
    place = {k: position for position, k in enumerate(order)}
    request = SceneRequest(
        tuple(mentions[k] for k in order), tuple(Relation(place[a], kind, place[b]) for a, kind, b in relations)
    )
    text = " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences)
    return Telling(text, request, tuple(tuple(members[k]) for k in order))


def _introduced(mention: Mention) -> str:
    if mention.count == 1:
        name = str(mention)
        return name if mention.name and (is_plural(name) or is_mass(name)) else f"{article(name)} {name}"
    return f"{number_said(mention.count)} {_named(mention)}"


def _named(mention: Mention) -> str:
    name = str(replace(mention, count=1))
    if mention.count == 1:
        return name
    noun = mention.name or SHAPES[mention.shape]
    return name.removesuffix(noun) + (plural(noun) if mention.name else PLURALS[noun])


def _is(mention: Mention) -> str:
    return "is" if mention.count == 1 and not (mention.name and is_plural(mention.name)) else "are"
