"""Things that are said to be alike or unlike in something: "a red ball and a cube of the same color" has a red cube. Where
nothing says which colour or size that is, nothing is drawn of it, which is told."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.lexicon import Lexicon
from prompts.nouns import Noun, adjectives_at, is_colour, nouns_before
from prompts.synonyms import NEAR, SAME, STOPS
from prompts.vocabulary import ADJECTIVES, COLOR, MATERIAL, SIZE

_ALIKE = {
    form: attribute
    for attribute, said in ((COLOR, ("color", "colour")), (SIZE, ("size",)), (MATERIAL, ("material",)))
    for one in said
    for form in (one, f"{one}s")
}
_BEFORE = frozenset(("a", "the", "of", "in", "with", "each", "all", "both", "is", "are", "have", "has", ","))


def compared(words: Sequence[str], lexicon: Lexicon | None) -> tuple[list[str], list[str]]:
    """The words of a prompt without "of the same size" and "of different colors", and these where they change nothing."""
    words, left = list(words), []
    for at in range(len(words) - 2, -1, -1):
        alike = words[at : at + 1] in (["same"], ["different"]) and at + 1 < len(words) and words[at + 1] in _ALIKE
        if not alike or words[at + 2 : at + 3] == ["as"]:
            continue
        begin = at
        while begin and words[begin - 1] in _BEFORE:
            begin -= 1
        if not (at + 2 == len(words) or words[at + 2] in (*STOPS, "and")):
            continue
        nouns = nouns_before(words, begin, lexicon)
        said = _said(words, nouns, _ALIKE[words[at + 1]]) if words[at] == "same" else None
        if said is None:
            left.insert(0, " ".join(words[begin + (words[begin] == ",") : at + 2]))
        del words[begin : at + 2]
        if said is not None:
            words[nouns[-1].start : nouns[-1].start] = said
    return words, left


def _said(words: Sequence[str], nouns: Sequence[Noun], attribute: int) -> list[str] | None:
    """What is said of the thing before the last, of the sort that the last has nothing said of; None where nothing is."""
    if len(nouns) < 2:
        return None
    own, other = ([word for word in _before(words, noun) if _is_of(word, attribute)] for noun in (nouns[-1], nouns[-2]))
    return other if other and not own else None


def _before(words: Sequence[str], noun: Noun) -> list[str]:
    """The adjectives before a noun."""
    start = next((k for k in range(max(0, noun.start - 5), noun.start) if adjectives_at(words, k)[1] == noun.start), noun.start)
    return list(words[start : noun.start])


def _is_of(word: str, attribute: int) -> bool:
    means = SAME.get(word) or NEAR.get(word) or word
    return ADJECTIVES.get(means, (None,))[0] == attribute or (attribute == COLOR and is_colour(word))
