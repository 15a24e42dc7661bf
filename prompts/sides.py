"""Sides that are those of a thing, and not of the picture: in "a dog to the right of a house and a cat to the left" the cat is
left of the house, and so it is in "a house with a cat to the left"."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.arranging import listed, placed, related_at
from prompts.lexicon import Lexicon
from prompts.nouns import Noun, noun_before, nouns_before
from prompts.places import PICTURES
from prompts.synonyms import STOPS
from prompts.vocabulary import BEHIND, FRONT, LEFT, OPPOSITE, RIGHT

_SIDES = {"left": LEFT, "right": RIGHT}
_OTHER = ("on", "the", "other", "side")
_PICTURES = tuple([picture] for picture in PICTURES)
_FRONTED = ("is", "are", "there", "a", "an")  # what a clause that begins with a side goes on with


def sided(words: Sequence[str], lexicon: Lexicon | None) -> list[str]:
    """The words of a prompt with "to the left", "to the right" and "on the other side" said of the thing that they are sides
    of, where one thing stands by another that was named before and is itself at no place in the picture."""
    words = list(words)
    if {*_SIDES, "side"}.isdisjoint(words):  # most prompts
        return words
    at = 0
    while at < len(words):
        found = _side_of(words, at, lexicon)
        if found is None:
            at += 1
        else:
            said, end = found
            words[at:end] = said
            at += len(said)
    return words


def _side_of(words: Sequence[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """What is said for a side of a thing that begins here, and where that side ends; None where it is the picture's."""
    other = tuple(words[at : at + len(_OTHER)]) == _OTHER
    end = at + (len(_OTHER) if other else 3 if tuple(words[at : at + 2]) == ("to", "the") else 1)
    side = _SIDES.get(words[end - 1]) if end <= len(words) else None
    end += 2 * (other and words[end : end + 2] == ["of", "it"])
    if not other and side is None:
        return None
    fronted = at > 0 and words[at - 1] in (*STOPS, "and") and end < len(words) and words[end] in _FRONTED
    ends = end == len(words) or words[end] in (*STOPS, "and", "with")
    noun = None if fronted else noun_before(words, at - (at > 0 and words[at - 1] in ("is", "are")), lexicon)
    if not fronted and (noun is None or not ends):
        return None
    start = at if noun is None else noun.start
    kind, anchor = _related(words, start, lexicon) or (None, None if other else _first(words, start, lexicon))
    if other:
        side = OPPOSITE[kind] if kind in (LEFT, RIGHT, FRONT, BEHIND) else None
    bare = end == at + 1 and kind != OPPOSITE[side]  # "a cat left, a dog right"
    return None if bare or side is None or anchor is None else ([*side.split(), *anchor], end)


def _related(words: Sequence[str], end: int, lexicon: Lexicon | None) -> tuple[str, list[str]] | None:
    """The last relation before `end`, and the words for what it is to."""
    for start in range(end - 1, -1, -1):
        found = related_at(words, start)
        of_picture = found is not None and words[start + found[1] + 1 : start + found[1] + 2] in _PICTURES
        things = listed(words, start + found[1], lexicon)[0] if found is not None and not of_picture else ()
        if things and things[0].end <= end and (again := _again(words, things[0].noun, end, lexicon)):
            return found[0], again
    return None


def _first(words: Sequence[str], end: int, lexicon: Lexicon | None) -> list[str] | None:
    """The words for the one thing that is named before `end`, if it is at no place in the picture."""
    nouns = nouns_before(words, end, lexicon)
    if not nouns or nouns[-1].means != nouns[0].means:
        return None
    after = next((k for k in range(nouns[0].end, end) if words[k] in (*STOPS, "and", "with")), end)
    if any(placed(words, k) for k in (*range(nouns[0].start), *range(nouns[0].end, after))):
        return None
    return _again(words, nouns[0], end, lexicon)


def _again(words: Sequence[str], noun: Noun, end: int, lexicon: Lexicon | None) -> list[str] | None:
    """The words for a thing that was named before `end`; None where they could mean another."""
    alike = [one.start for one in nouns_before(words, end, lexicon) if one.means == noun.means]
    named = [start for start in alike if start == 0 or words[start - 1] != "the"]  # and not said again
    return ["the", *words[noun.start : noun.end]] if len(named or alike) == 1 else None
