"""Hard negatives: captions like a true one but false of its scene."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from prompts.captions import Caption, say
from prompts.request import Mention, SceneRequest
from prompts.satisfied import check
from prompts.vocabulary import ATTRIBUTES, NEXT, OPPOSITE, VALUES


def negative(
    caption: Caption, attributes: Sequence[Sequence[int]], box: Sequence[Sequence[float]], depth: Sequence[float],
    random: Random,
) -> Caption | None:
    """A caption like `caption` but false of the scene, or None where the changes tried stay true.

    A relation is turned round, attributes of two objects are exchanged, or one attribute or count is changed.
    """
    changes = [swap_relation, _swap_attributes, _change_attribute, change_count]
    random.shuffle(changes)
    for change in changes:
        changed = change(caption.request, random)
        if changed is not None:
            wrong = say(changed, random)
            if check(wrong.request, attributes, box, depth):
                return wrong
    return None


def swap_relation(request: SceneRequest, random: Random) -> SceneRequest | None:
    turning = [r for r in request.relations if r.kind != NEXT]
    if not turning:
        return None
    chosen = random.choice(turning)
    turned = replace(chosen, kind=OPPOSITE[chosen.kind])
    return replace(request, relations=tuple(turned if r is chosen else r for r in request.relations))


def _swap_attributes(request: SceneRequest, random: Random) -> SceneRequest | None:
    """Two objects exchange one attribute: "red cube and blue ball" becomes "blue cube and red ball"."""
    mentions = list(request.mentions)
    if len(mentions) < 2:
        return None
    a, b = random.sample(range(len(mentions)), 2)
    names = [name for name in ATTRIBUTES if getattr(mentions[a], name) != getattr(mentions[b], name)]
    if not names:
        return None
    name = random.choice(names)
    first, second = getattr(mentions[a], name), getattr(mentions[b], name)
    mentions[a], mentions[b] = replace(mentions[a], **{name: second}), replace(mentions[b], **{name: first})
    return replace(request, mentions=tuple(mentions))


def _change_attribute(request: SceneRequest, random: Random) -> SceneRequest | None:
    mentions = list(request.mentions)
    if not mentions:
        return None
    k = random.randrange(len(mentions))
    said = [(a, name) for a, name in enumerate(ATTRIBUTES) if getattr(mentions[k], name) is not None]
    if not said:
        return None
    attribute, name = random.choice(said)
    others = [v for v in range(len(VALUES[attribute])) if v != getattr(mentions[k], name)]
    mentions[k] = replace(mentions[k], **{name: random.choice(others)})
    return replace(request, mentions=tuple(mentions))


def change_count(request: SceneRequest, random: Random) -> SceneRequest | None:
    def other(mention: Mention) -> Mention:
        counts = [c for c in (mention.count - 1, mention.count + 1) if 2 <= c <= 9]
        return replace(mention, count=random.choice(counts))

    return change_one(request, lambda mention: mention.count > 1 and not mention.open, other, random)


def change_one(
    request: SceneRequest, fits: Callable[[Mention], bool], other: Callable[[Mention], Mention], random: Random
) -> SceneRequest | None:
    """The request with `other` in the place of one of the mentions that fit; None where none does."""
    fitting = [k for k, mention in enumerate(request.mentions) if fits(mention)]
    if not fitting:
        return None
    mentions, k = list(request.mentions), random.choice(fitting)
    mentions[k] = other(mentions[k])
    return replace(request, mentions=tuple(mentions))
