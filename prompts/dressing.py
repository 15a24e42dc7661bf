"""What each of several things wears: "a cat and a dog wearing hats" is a cat with a hat and a dog with a hat."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from prompts.arranging import Phrase, listed, relates
from prompts.holding import ALIVE, WEARING, worn_as
from prompts.lexicon import Lexicon
from prompts.nouns import nouns_before
from prompts.parting import MOST_EACH
from prompts.plurals import is_plural
from prompts.synonyms import STOPS
from prompts.vocabulary import NEXT

_OF_EACH = ("both", "all", "each")
_AFTER = (*STOPS, "and", "with")


class Dressed(NamedTuple):
    """The words for what is read so far with what each wears, where what said so ends, and what said it, if some is drawn
    beside who wears it."""

    words: list[str]
    end: int
    beside: str | None


def dressed(before: Sequence[str], words: Sequence[str], at: int, lexicon: Lexicon) -> Dressed | None:
    """What several things wear that `before` ends with, if what begins here says so: hats, one hat each, or as many as they
    are. None where one thing wears something, or nobody knows how many there are."""
    marked = words[at] in _OF_EACH
    begun = at + marked
    said = next((one for one in WEARING if tuple(words[begun : begun + len(one)]) == one), None)
    if said is None or not before:
        return None
    what = Phrase(words, begun + len(said), lexicon)
    worn = None if what.noun is None else worn_as(what.noun, lexicon, said)
    stop = _listed_to(before, marked)
    wearers = None if worn is None else _wearers(before, stop, lexicon)
    related = None if worn is None or wearers or words[at] != "both" else _two_alive(before[:stop], lexicon)
    end = _end_of(words, what.end, lexicon)
    if end is None or not (wearers or related):
        return None
    start, each = wearers or (stop, related)
    one_each = words[at] == "each" and what.count == 1
    if not (one_each or what.several or what.count == len(each) or (what.count == 1 and is_plural(what.noun.means))):
        return None
    told = [word for one in each for word in (",", *one, "with", "a", *what.like, *what.noun.one, *worn.split(), "it")]
    told = told[1:] if wearers else told
    return Dressed([*before[:start], *told], end, " ".join(said) if worn == NEXT else None)


def _listed_to(before: Sequence[str], marked: bool) -> int:
    """Where those end who wear something, before what says so: "a cat and a dog. They are"."""
    end = len(before)
    while end and before[end - 1] in (",", "are", "is", "they"):
        end -= 1
    while end and before[end - 1] in STOPS and (marked or "they" in before[end:]):
        end -= 1
    return end


def _end_of(words: Sequence[str], end: int, lexicon: Lexicon) -> int | None:
    """Where what says what is worn ends, with "on" in "with hats on"; None where more is said of that, or of who wears it."""
    after = end + (words[end : end + 1] == ["on"] and (end + 1 == len(words) or words[end + 1] in _AFTER))
    joined = after < len(words) and words[after] in (",", "and") and relates(words, after + 1)
    on_ground = after < len(words) and lexicon.grounds.at_preposition(words, after)
    ends = after == len(words) or words[after] in _AFTER or on_ground
    return after if ends and not joined else None


def _wearers(before: Sequence[str], end: int, lexicon: Lexicon) -> tuple[int, list[list[str]]] | None:
    """Where several things begin that are listed up to `end`, in a clause of their own, and the words for each."""
    for start in range(end):
        if start and before[start - 1] not in (*STOPS, "of", "is", "are", "there", "showing"):
            continue
        phrases, stop = listed(before, start, lexicon)
        if stop == end and phrases:
            each = [one for phrase in phrases for one in phrase.each()]
            some = any(phrase.several for phrase in phrases)
            return None if some or not 1 < len(each) <= MOST_EACH else (start, each)
    return None


def _two_alive(before: Sequence[str], lexicon: Lexicon) -> list[list[str]] | None:
    """The words for two that are alive, and stand so or so to one another: "a cat next to a dog"."""
    since = next((k + 1 for k in range(len(before) - 1, -1, -1) if before[k] in STOPS), 0)
    nouns = nouns_before(before[since:], len(before) - since, lexicon)
    alive = [noun for noun in nouns if not ALIVE.isdisjoint(lexicon.above(noun.means))]
    two = len(alive) == 2 and alive[0].means != alive[1].means and not any(noun.plural for noun in alive)
    return [["the", *noun.one] for noun in alive] if two else None
