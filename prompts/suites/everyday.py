"""Prompts with the names of a lexicon, in categories as those of the solids: 'vlegen data prompts LEXICON' writes them.

The same prompts for the same lexicon; none is ever trained on (heldout.py), and each reads back as what was asked.
"""
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random

from prompts.grammar import parse
from prompts.heldout import held_out
from prompts.lexicon import Lexicon
from prompts.places import REGIONS
from prompts.plurals import is_mass, plural
from prompts.request import Mention, Relation, SceneRequest
from prompts.scene_captions import say
from prompts.suites import Suite
from prompts.vocabulary import ABOVE, BEHIND, BIGGER, FRONT, LEFT, NEXT, ON, RIGHT, SMALLER
from vle_gen.errors import UserError

WIDE = 0.12  # chance that a thing is asked for by the name of a sort, such as "animal"
KINDS = (LEFT, RIGHT, LEFT, RIGHT, FRONT, BEHIND, NEXT)
FEW = 12  # members of a sort that counts as one
PATIENCE = 4000  # requests in a row that make no new prompt, after which a lexicon is too small for a suite


class Asking:
    """Draws requests. Names of a lexicon are drawn a sort first, so that large sorts do not crowd out small ones."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        sorts: dict[str, list[str]] = {}
        for member, kinds in sorted(lexicon.kinds.items()):
            few = len(lexicon.named[kinds[-1]].members) < FEW
            sorts.setdefault("" if few else kinds[-1], []).append(member)
        self.sorts = list(sorts.values())
        self.weights = [len(members) ** 0.5 for members in self.sorts]

    def thing(self, random: Random) -> Mention:
        """One thing by its most special name, or now and then by that of a sort."""
        (sort,) = random.choices(self.sorts, self.weights)
        kinds = self.lexicon.kinds[random.choice(sort)]
        return Mention(name=random.choice(kinds) if random.random() < WIDE else kinds[0])

    def things(self, random: Random, count: int) -> tuple[Mention, ...]:
        """Things none of which could be taken for another."""
        found: list[Mention] = []
        while len(found) < count:
            new = self.thing(random)
            members = self.lexicon.named[new.name].members
            if all(members.isdisjoint(self.lexicon.named[old.name].members) for old in found):
                found.append(new)
        return tuple(found)

    def single_object(self, random: Random) -> SceneRequest:
        return SceneRequest((self.thing(random),))

    def two_objects(self, random: Random) -> SceneRequest:
        return SceneRequest(self.things(random, 2))

    def relation_of_2(self, random: Random) -> SceneRequest:
        return SceneRequest(self.things(random, 2), (Relation(0, random.choice(KINDS), 1),))

    def relations_of_3(self, random: Random) -> SceneRequest:
        """Three things, each in a relation to the one before; along two axes, so that all can be true at once."""
        axes = [random.choice((LEFT, RIGHT)), random.choice((FRONT, BEHIND, NEXT))]
        random.shuffle(axes)
        return SceneRequest(self.things(random, 3), (Relation(1, axes[0], 0), Relation(2, axes[1], 1)))

    def counting(self, random: Random) -> SceneRequest:
        while is_mass((thing := self.thing(random)).name) or plural(thing.name) == thing.name:
            pass
        return SceneRequest((replace(thing, count=random.randint(2, 4)),))

    def heights(self, random: Random) -> SceneRequest:
        return SceneRequest(self.things(random, 2), (Relation(0, random.choice((ABOVE, ON)), 1),))

    def sizes(self, random: Random) -> SceneRequest:
        return SceneRequest(self.things(random, 2), (Relation(0, random.choice((BIGGER, SMALLER)), 1),))

    def places(self, random: Random) -> SceneRequest:
        return SceneRequest((replace(self.thing(random), place=random.choice(REGIONS)),))

    def backgrounds(self, random: Random) -> SceneRequest:
        ground = random.choice(self.lexicon.grounds.phrases)
        return SceneRequest(self.things(random, random.randint(1, 2)), background=(str(ground),))


CATEGORIES: dict[str, tuple[Callable[[Asking, Random], SceneRequest], int]] = {
    "1_single_object": (Asking.single_object, 100),
    "2_two_objects": (Asking.two_objects, 60),
    "3_relation_of_2": (Asking.relation_of_2, 100),
    "4_relations_of_3": (Asking.relations_of_3, 100),
    "5_counting": (Asking.counting, 40),
    "6_above_and_on": (Asking.heights, 40),
    "7_sizes": (Asking.sizes, 40),
    "8_places": (Asking.places, 40),
    "9_backgrounds": (Asking.backgrounds, 40),
}


def make(name: str, lexicon: Lexicon, seed: int = 2026) -> list[str]:
    """The prompts of one category: different texts, held out, that say all that was asked and read back as it.

    Raises:
        UserError: a lexicon with too few names for so many prompts.
    """
    request_of, wanted = CATEGORIES[name]
    random, made, asking, tried = Random(f"{seed} {name}"), {}, Asking(lexicon), 0
    if request_of is Asking.backgrounds and not lexicon.grounds.descriptions:
        return []
    while len(made) < wanted:
        tried += 1
        if tried > PATIENCE:
            raise UserError(f"{len(lexicon.kinds)} names are too few for the prompts of {name}: expected some hundreds")
        request = request_of(asking, random)
        caption = say(request, lexicon, random)
        whole = len(caption.request.relations) == len(request.relations) and caption.request.background == request.background
        if whole and held_out(caption.text) and caption.text not in made and parse(caption.text, lexicon) == caption.request:
            made[caption.text] = None
            tried = 0
    return list(made)


def suites_of(lexicon: Lexicon, seed: int = 2026) -> list[Suite]:
    """All categories that the lexicon has something for."""
    suites = [Suite(name, tuple(make(name, lexicon, seed))) for name in CATEGORIES]
    return [suite for suite in suites if suite.prompts]


def as_lines(suite: Suite) -> str:
    """A suite as the text of its .jsonl."""
    return "".join(json.dumps({"prompt": prompt}, ensure_ascii=False) + "\n" for prompt in suite.prompts)
