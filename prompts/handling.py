"""What is done with a thing that somebody has in hand, "a woman reading a book on a chair": where that is said to be done is
where she is, and not the book."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.arranging import related_at
from prompts.holding import ALIVE
from prompts.lexicon import Lexicon
from prompts.nouns import adjectives_at, noun_at, noun_before
from prompts.vocabulary import NEXT

_DONE = frozenset("reading reads eating eats drinking drinks playing plays holding holds carrying carries using".split())
_WITH_IT = frozenset("a an the his her its their some my".split())
_LINKS = frozenset("that which who is".split())


def handled(words: Sequence[str], lexicon: Lexicon) -> list[str]:
    """The words of a prompt with "and" before where somebody is who has a thing in hand: "a woman reading a book and on a
    chair". What is next to that thing is next to both, and stays as it is said."""
    told = list(words)
    for at in range(len(told) - 1, 0, -1):
        if told[at] in _DONE and (end := _in_hand(told, at, lexicon)) is not None:
            told.insert(end, "and")
    return told


def _in_hand(words: Sequence[str], at: int, lexicon: Lexicon) -> int | None:
    """Where the words for the thing end that is had in hand, if somebody alive does that and another thing is said to be where
    that is done."""
    before = at
    while before and words[before - 1] in _LINKS:
        before -= 1
    who = noun_before(words, before, lexicon)
    start = at + 1 + (words[at + 1 : at + 2] != [] and words[at + 1] in _WITH_IT)
    what = noun_at(words, adjectives_at(words, start)[1], lexicon) or noun_at(words, start, lexicon)
    if who is None or what is None or who.plural or ALIVE.isdisjoint(lexicon.above(who.means)):
        return None
    related = related_at(words, what.end)
    if related is None or related[0] == NEXT or words[what.end + related[1] :][:1] not in (["a"], ["an"], ["the"]):
        return None
    return what.end
