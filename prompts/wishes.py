"""What a prompt begins with that is no part of the picture: "could you draw me", "once upon a time", "the picture shows"."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.lexicon import Lexicon
from prompts.nouns import noun_at
from prompts.synonyms import STOPS
from prompts.turns import FIRST, phrase_table, starting

_ASKING = frozenset(
    "i i'd we we'd you u me us want need wish like love to see have get draw make create generate render paint show give "
    "imagine visualise produce put place add just".split()
)
_ASKERS = frozenset("i we you me us to".split())  # of these, what alone asks for nothing: "me and a cat"
_MODALS, _ASKED = frozenset("can could may would will".split()), frozenset("i we you u".split())
POLITE = frozenset("please pls plz thanks thank hi hello hey".split())
_OPENING = phrase_table(FIRST)


def without_wish(words: list[str], lexicon: Lexicon | None) -> list[str]:
    """Without what a prompt begins with that is no part of the picture."""
    while words and words[0] in STOPS:
        words = words[1:]
    wished = _wished(words, lexicon)
    words = words[wished + (wished > 0 and words[wished : wished + 1] == ["that"]) :]  # "I want that a cat is there"
    while words and words[0] in STOPS:  # "draw: a cat"
        words = words[1:]
    if words[:1] == ["first"] and words[1:2] in (["a"], ["an"], ["one"], ["the"]):
        words = words[1:]
    found = starting(words, 0, _OPENING) if words else None
    if found is None:
        return words
    rest = words[len(found[0]) :]
    return [*found[1], *rest[_wished(rest, lexicon) if not found[1] else 0 :]]


def _wished(words: Sequence[str], lexicon: Lexicon | None) -> int:
    """How many words ask for what follows: "could you draw me", "i would like to see"."""
    at = 0
    while at < len(words):
        beside = {*words[max(0, at - 1) : at], *words[at + 1 : at + 2]}
        modal = words[at] in _MODALS and not _ASKED.isdisjoint(beside)
        other = words[at] not in _ASKING or noun_at(words, at, lexicon)  # "a love letter"
        if not modal and (other or (words[at] == "to" and words[at + 1 : at + 2] and words[at + 1] not in _ASKING)):
            said = words[at] == "and" or _ASKERS.issuperset(words[:at])  # of one who is in the picture
            return 0 if said else at
        at += 1
    return 0
