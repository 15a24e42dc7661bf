"""A prompt as a checkpoint is to read it: in words that it has seen, with what must hold, and what it draws instead of
what it cannot."""
from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from prompts.captions import say
from prompts.grammar import Mention, Relation, SceneRequest, parse
from prompts.rewording import EXTRA, reword
from prompts.vocabulary import BETWEEN, LEFT, RIGHT, WORDS

SAYINGS = 24  # ways of saying a request that are tried until one leaves nothing out


@dataclass(frozen=True)
class Reading:
    """A prompt, read.

    Args:
        text: for the prior, in the words that it was trained on.
        request: what must hold; None where the grammar cannot read the prompt.
        order: what `text` says, its mentions in the order in which the prior writes them.
        instead: (word, what is drawn instead).
    """

    text: str
    request: SceneRequest | None
    order: SceneRequest | None
    instead: tuple[tuple[str, str], ...] = ()


def read(prompt: str, known: frozenset[str] = WORDS) -> Reading:
    """Reads a prompt whose words are all known (see `require_known`)."""
    reworded = reword(prompt, known)
    request = parse(prompt)
    if request is None or not EXTRA & set(reworded.words):
        return Reading(reworded.text, request, request, reworded.instead)
    text = restated(request)
    return Reading(text, request, parse(text), reworded.instead)


def notes(prompt: str, known: frozenset[str] = WORDS) -> list[str]:
    """What is drawn otherwise than a prompt says, in lines for the user."""
    return [f"'{word}' is drawn as {other}" for word, other in reword(prompt, known).instead]


def restated(request: SceneRequest) -> str:
    """A request in words that captions use, whole where that can be said."""
    plain = _without_between(request)
    said = [say(plain, Random(seed)) for seed in range(SAYINGS)]
    return max(said, key=lambda caption: len(caption.request.relations)).text


def _without_between(request: SceneRequest) -> SceneRequest:
    """The same with what stands between two others right of the first and left of the second."""
    mentions, relations = list(request.mentions), []
    for relation in request.relations:
        if relation.kind != BETWEEN:
            relations.append(relation)
            continue
        other = relation.other
        if other is None:  # the two are one mention: each gets its own
            mentions[relation.object] = _one(mentions[relation.object])
            other = len(mentions)
            mentions.append(_one(mentions[relation.object]))
        relations.append(Relation(relation.subject, RIGHT, relation.object))
        relations.append(Relation(relation.subject, LEFT, other))
    return SceneRequest(tuple(mentions), tuple(relations))


def _one(mention: Mention) -> Mention:
    return replace(mention, count=1, open=False)
