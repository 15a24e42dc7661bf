"""Hard negatives of scenes whose things have names: captions like a true one but false."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from prompts.captions import Caption
from prompts.lexicon import Lexicon
from prompts.negatives import change_count, change_one, swap_relation
from prompts.places import REGIONS
from prompts.request import Mention, SceneRequest
from prompts.scene import Scene
from prompts.scene_captions import say
from prompts.vocabulary import COLORS

Change = Callable[[SceneRequest, Lexicon, Random], "SceneRequest | None"]


def negative(caption: Caption, scene: Scene, lexicon: Lexicon, random: Random) -> Caption | None:
    """A caption like `caption` but false of the scene, or None where the changes tried stay true.

    A relation is turned round, the things of two mentions are exchanged, or a name, colour, count, place or background is
    changed for another.
    """
    changes = list(CHANGES)
    random.shuffle(changes)
    for change in changes:
        changed = change(caption.request, lexicon, random)
        if changed is not None:
            wrong = say(changed, lexicon, random)
            if scene.check(wrong.request, lexicon):
                return wrong
    return None


def _swap_things(request: SceneRequest, lexicon: Lexicon, random: Random) -> SceneRequest | None:
    """"a cat left of a dog" becomes "a dog left of a cat"."""
    mentions = list(request.mentions)
    if len(mentions) < 2:
        return None
    a, b = random.sample(range(len(mentions)), 2)
    first, second = mentions[a], mentions[b]
    if (first.shape, first.name) == (second.shape, second.name):
        return None
    mentions[a], mentions[b] = _as(first, second), _as(second, first)
    return replace(request, mentions=tuple(mentions))


def _as(mention: Mention, other: Mention) -> Mention:
    """`other`, where and as many as `mention` is."""
    return replace(other, count=mention.count, open=mention.open, place=mention.place)


def change_name(request: SceneRequest, lexicon: Lexicon, random: Random) -> SceneRequest | None:
    """The same of another thing, more often than not of the same sort; None where none has a name."""

    def other(mention: Mention) -> Mention:
        kinds = lexicon.kinds[random.choice(sorted(lexicon.named[mention.name].members))]
        sort = lexicon.named[random.choice(kinds)] if random.random() < 0.6 else random.choice(lexicon.concepts)
        return replace(mention, name=lexicon.kinds[random.choice(sorted(sort.members))][0], color=None)

    return change_one(request, lambda mention: mention.name in lexicon.named, other, random)


def _change_color(request: SceneRequest, lexicon: Lexicon, random: Random) -> SceneRequest | None:
    def other(mention: Mention) -> Mention:
        return replace(mention, color=random.randrange(len(COLORS)))

    return change_one(request, lambda mention: mention.color is not None, other, random)


def _change_place(request: SceneRequest, lexicon: Lexicon, random: Random) -> SceneRequest | None:
    def other(mention: Mention) -> Mention:
        return replace(mention, place=random.choice(REGIONS))

    return change_one(request, lambda mention: mention.place is not None, other, random)


def _change_background(request: SceneRequest, lexicon: Lexicon, random: Random) -> SceneRequest | None:
    if not request.background or not lexicon.grounds.descriptions:
        return None
    said = list(request.background)
    said[random.randrange(len(said))] = str(random.choice(lexicon.grounds.phrases))
    return replace(request, background=tuple(said))


CHANGES: tuple[Change, ...] = (
    lambda request, lexicon, random: swap_relation(request, random),
    lambda request, lexicon, random: change_count(request, random),
    _swap_things,
    change_name,
    _change_color,
    _change_place,
    _change_background,
)
