"""What words call a thing, "small airplane" or "balls", and what they say that it is like."""
from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from prompts.colours import nearest
from prompts.lexicon import Lexicon
from prompts.plurals import plural
from prompts.synonyms import NEAR, SAME, SHADES, split_words
from prompts.vocabulary import ADJECTIVES, ANY_SHAPE, COLOR, NOUNS, PLURALS, SAID_AS, SHAPE

COMPARED = frozenset({"bigger", "larger", "smaller"})  # these want a "than"
_SINGULAR = {PLURALS[noun]: noun for noun in (*sum(SAID_AS[SHAPE], ()), *ANY_SHAPE)}


class Noun(NamedTuple):
    """What words call a thing."""

    start: int
    end: int
    means: str  # the same for all words for one thing
    plural: bool
    one: tuple[str, ...]  # its words in the singular
    many: tuple[str, ...]  # and in the plural


def noun_at(words: Sequence[str], at: int, lexicon: Lexicon | None) -> Noun | None:
    """The noun that begins here."""
    if at >= len(words):
        return None
    for said in () if lexicon is None else lexicon.starting.get(words[at], ()):
        if tuple(words[at : at + len(said)]) == said:
            form = lexicon.form_at(words, at, said)
            return Noun(at, at + len(said), form.concept, form.plural, *_one_and_many(form.concept))
    word = SAME.get(words[at]) or NEAR.get(words[at]) or words[at]
    if word not in NOUNS:
        return None
    shape, many = NOUNS[word]
    one = _SINGULAR.get(word, word)
    return Noun(at, at + 1, f"shape {shape}", many, (one,), (PLURALS[one],))


@lru_cache(maxsize=4096)
def _one_and_many(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a name, and of its plural."""
    return tuple(split_words(name)), tuple(split_words(plural(name)))


def noun_before(words: Sequence[str], end: int, lexicon: Lexicon | None) -> Noun | None:
    """The longest noun that ends here."""
    found = (noun_at(words, start, lexicon) for start in range(max(0, end - 5), end))
    return next((noun for noun in found if noun is not None and noun.end == end), None)


def nouns_before(words: Sequence[str], end: int, lexicon: Lexicon | None) -> list[Noun]:
    """The nouns that end before `end`."""
    found, at = [], 0
    while at < end:
        noun = noun_at(words, at, lexicon)
        if noun is not None and not (noun.end == at + 1 and is_colour(words[at]) and noun_at(words, at + 1, lexicon)):
            found.append(noun)
            at = noun.end
        else:
            at += 1
    return [noun for noun in found if noun.end <= end]


def is_colour(word: str) -> bool:
    return nearest(word) is not None or ADJECTIVES.get(word, (None,))[0] == COLOR


def adjective_at(words: Sequence[str], at: int) -> int:
    """How many words an adjective has that begins here, 0 where there is none: "dark red" has two."""
    if at >= len(words):
        return 0
    word = words[at]
    if word in SHADES and at + 1 < len(words) and is_colour(words[at + 1]):
        return 2
    means = (None if word in COMPARED else SAME.get(word)) or NEAR.get(word) or word
    return int(is_colour(word) or means in ADJECTIVES)


def adjectives_at(words: Sequence[str], at: int) -> tuple[list[str], int]:
    """The adjectives from here on, with the "and" between them, and where they end."""
    found: list[str] = []
    end = at
    while True:
        join = end < len(words) and bool(found) and words[end] in (",", "and")
        size = adjective_at(words, end + join)
        if not size:
            return found, end
        last = words[end + join + size - 1]
        listed = ["and"] if join and is_colour(found[-1]) and is_colour(last) else []
        found += [*listed, *words[end + join : end + join + size]]
        end += join + size
