"""Writes the suites: `python -m prompts.suites.make`. The same prompts every time; none is ever trained on (heldout.py)."""
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random

from prompts.captions import say
from prompts.grammar import parse
from prompts.heldout import held_out
from prompts.request import Mention, Relation, SceneRequest
from prompts.suites import FOLDER
from prompts.vocabulary import BEHIND, COLORS, FRONT, LEFT, MATERIALS, NEXT, RIGHT, SHAPES, SIZES

ASIDE, APART = 0.12, 1.5  # canvas units and metres between things of which a relation is said


def _thing(random: Random, chance: tuple[float, float, float, float] = (1.0, 0.3, 0.3, 0.7)) -> Mention:
    """A thing with shape, size, material and colour said with these chances."""
    counts = (SHAPES, SIZES, MATERIALS, COLORS)
    return Mention(*[random.randrange(len(v)) if random.random() < c else None for v, c in zip(counts, chance, strict=True)])


def _things(random: Random, count: int, *chance: tuple) -> tuple[Mention, ...]:
    """Things none of which could be taken for another."""
    things: list[Mention] = []
    while len(things) < count:
        new = _thing(random, *chance)
        if not any(new.covers(old.attributes) or old.covers(new.attributes) for old in things):
            things.append(new)
    return tuple(things)


def single_object(random: Random) -> SceneRequest:
    """One thing with some attributes, more or less than a colour."""
    thing = _thing(random, (0.95, 0.5, 0.5, 0.6))
    more = thing.size is not None or thing.material is not None or thing.color is None
    return SceneRequest((thing,)) if more else single_object(random)


def two_objects(random: Random) -> SceneRequest:
    """Two things of different shapes, without a word of where."""
    things = _things(random, 2, (1.0, 0.15, 0.15, 0.7))
    return SceneRequest(things) if things[0].shape != things[1].shape else two_objects(random)


def counting(random: Random) -> SceneRequest:
    """Two to four alike."""
    return SceneRequest((replace(_thing(random, (0.9, 0.2, 0.2, 0.5)), count=random.randint(2, 4)),))


def colors(random: Random) -> SceneRequest:
    """One thing of a colour."""
    return SceneRequest((_thing(random, (0.97, 0.0, 0.0, 1.0)),))


def position(random: Random) -> SceneRequest:
    """Two things and how they stand."""
    kind = random.choice((LEFT, RIGHT, FRONT, BEHIND, NEXT))
    return SceneRequest(_things(random, 2), (Relation(0, kind, 1),))


def attribute_binding(random: Random) -> SceneRequest:
    """Two things that share no attribute, each with at least a colour and a size or material."""
    while True:
        which = random.choice(((1.0, 1.0, 0.0, 1.0), (1.0, 0.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0)))
        one, other = _thing(random, which), _thing(random, which)
        said = [(a, b) for a, b in zip(one.attributes[1:], other.attributes[1:], strict=True) if a is not None]
        if all(a != b for a, b in said):
            return SceneRequest((one, other))


def chain(count: int) -> Callable[[Random], SceneRequest]:
    """Things each of which stands in a relation to the one before; all of it can be true at once."""

    def request(random: Random) -> SceneRequest:
        things = _things(random, count, (1.0, 0.2, 0.2, 0.95))
        places = [(random.uniform(0.1, 0.9), random.uniform(6, 16)) for _ in things]
        relations = []
        for k in range(1, count):
            (x0, d0), (x1, d1) = places[k - 1], places[k]
            kinds = [LEFT if x1 < x0 else RIGHT] * (abs(x1 - x0) > ASIDE) + [FRONT if d1 < d0 else BEHIND] * (
                abs(d1 - d0) > APART
            )
            if not kinds:
                return request(random)
            relations.append(Relation(k, random.choice(kinds), k - 1))
        return SceneRequest(things, tuple(relations))

    return request


CATEGORIES = {
    "1_single_object": (single_object, 150),
    "2_two_objects": (two_objects, 150),
    "3_counting": (counting, 150),
    "4_colors": (colors, 120),
    "5_position": (position, 200),
    "6_attribute_binding": (attribute_binding, 200),
    **{f"7_relations_of_{count}": (chain(count), 75) for count in (3, 4, 5, 6)},
}


def make(name: str, seed: int = 2026) -> list[str]:
    """The prompts of one category: different texts, held out, that say all that was asked and read back as it."""
    request_of, wanted = CATEGORIES[name]
    random, made = Random(f"{seed} {name}"), {}
    while len(made) < wanted:
        request = request_of(random)
        caption = say(request, random)
        whole = len(caption.request.relations) == len(request.relations)
        if whole and held_out(caption.text) and parse(caption.text) == caption.request:
            made[caption.text] = None
    return list(made)


def main() -> None:
    for name in CATEGORIES:
        lines = [json.dumps({"prompt": prompt}) for prompt in make(name)]
        (FOLDER / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        print(f"{name}: {len(lines)}")


if __name__ == "__main__":
    main()
