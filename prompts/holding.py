"""What is said of what a thing holds: "a glass of red wine" is a glass of wine, and "a basket of apples" a basket."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from prompts.lexicon import Lexicon
from prompts.marking import CONTAINERS, MEASURES
from prompts.nouns import Noun, adjectives_at, noun_at
from prompts.plurals import is_mass

TEMPERATURES = frozenset("hot cold iced warm fresh".split())  # of what is in a glass or on a plate


class Held(NamedTuple):
    """The words for something and what it holds, where these end, and what is left out."""

    words: list[str]
    end: int
    left: list[str]


def held(words: Sequence[str], at: int, lexicon: Lexicon) -> Held | None:
    """What begins here, where that is a measure of something described: "a slice of green cake" is a green slice of cake."""
    if words[at] not in MEASURES or words[at + 1 : at + 2] != ["of"]:
        return None
    start = at + 2
    left = []
    while start < len(words) and words[start] in TEMPERATURES and noun_at(words, start, lexicon) is None:
        left.append(words[start])
        start += 1
    if noun_at(words, start, lexicon) is None:
        said, end = adjectives_at(words, start)
    else:
        said, end = [], start
    noun = noun_at(words, end, lexicon)
    if noun is None or noun.plural or not (said or left) or noun.means.startswith("shape "):  # "a bunch of red roses" are some
        return None
    told = [words[at], "of", *words[end : noun.end]]
    if words[at] in CONTAINERS:  # its colour is not that of the glass
        return Held(told, noun.end, [*left, *said])
    return Held([*said, *told], noun.end, left)


def contents(words: Sequence[str], noun: Noun, lexicon: Lexicon) -> tuple[int, str] | None:
    """Where "of apples" ends after "a basket", which is drawn with what is in it as it is, and these words."""
    solid = noun.means.startswith("shape ")
    if noun.plural or solid or words[noun.start] in MEASURES or words[noun.end : noun.end + 1] != ["of"]:
        return None
    inner = noun_at(words, noun.end + 1, lexicon) or noun_at(words, adjectives_at(words, noun.end + 1)[1], lexicon)
    if inner is None or not (inner.plural or is_mass(inner.means)):
        return None
    return inner.end, " ".join(words[noun.end : inner.end])
