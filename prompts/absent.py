"""What a prompt says is not to be there: "without a hat", "no people". It is left out and told, for what is not asked for is
not drawn."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.arranging import placed, relates
from prompts.lexicon import Lexicon
from prompts.nouns import adjectives_at, noun_at, noun_before
from prompts.synonyms import STOPS
from prompts.vocabulary import NUMBERS

_BEGINNINGS = sorted((tuple(said.split()) for said in (
    "without", "with no", "has no", "have no", "having no", "that has no", "that have no", "and no", "but no", "no", "and not",
    "but not", "not", "there is no", "there are no",
)), key=len, reverse=True)  # fmt: skip
_DETERMINERS = frozenset(("a", "an", "the", "any", "other", "more", "single", "his", "her", "its", "their", *NUMBERS))
_THERE = frozenset("around there visible anywhere present".split())
_IT = ("it", "them", "him", "her")


def without_absent(words: Sequence[str], lexicon: Lexicon | None) -> tuple[list[str], list[str]]:
    """The words of a prompt, as `split_words` has them, without what is not to be there; and that. Where nothing else is said,
    or where nobody knows where that ends, the words stay."""
    if {"no", "not", "without"}.isdisjoint(words):  # most prompts
        return list(words), []
    kept: list[str] = []
    left: list[str] = []
    at = 0
    while at < len(words):
        noun = noun_at(words, at, lexicon)  # it may be called so: "a face without mouth"
        end = None if noun is not None else _absent(words, at, lexicon)
        if end is None:
            kept += words[at : at + 1] if noun is None else words[at : noun.end]
            at = at + 1 if noun is None else noun.end
        else:
            left.append(" ".join(words[at:end]))
            at = end
            if at < len(words) and words[at] in STOPS and (not kept or kept[-1] in STOPS):  # "no people, a cat"
                at += 1
    return (kept, left) if any(word not in STOPS for word in kept) else (list(words), [])


def _absent(words: Sequence[str], at: int, lexicon: Lexicon | None) -> int | None:
    """Where ends what is not to be there, if that begins here."""
    said = next((one for one in _BEGINNINGS if tuple(words[at : at + len(one)]) == one), None)
    if said is None or (said[0] in ("no", "there") and at and words[at - 1] not in STOPS):
        return None
    start = at + len(said)
    if said[-1] == "not" and not (words[start : start + 1] and words[start] in _DETERMINERS and _named(words, at, lexicon)):
        return None  # "a ball that is not red"
    end = _thing(words, start, lexicon)
    while end is not None and end < len(words):
        begun = next((k for k in (1, 2) if tuple(words[end : end + k]) in ((",", "no"), ("and", "no"), ("or",), ("nor",))), 0)
        if not begun:
            break
        end = _thing(words, end + begun, lexicon)
    if end is None or end == len(words) or words[end] in (*STOPS, "but", "with"):
        return end
    if words[end] == "and":  # "no hat and a scarf" has one, but "without a hat and a scarf" hardly
        introduced = words[end + 1 : end + 2] and (words[end + 1] in ("a", "an", "the") or words[end + 1] in NUMBERS)
        return end if introduced and said != ("without",) else None
    on_ground = lexicon is not None and lexicon.grounds.at_preposition(words, end) is not None
    return end if relates(words, end) or on_ground or (lexicon is not None and placed(words, end)) else None


def _named(words: Sequence[str], at: int, lexicon: Lexicon | None) -> bool:
    """Whether something is named before, of which it is not said what it is like: "a cat, not a dog"."""
    while at and words[at - 1] in STOPS:
        at -= 1
    return noun_before(words, at, lexicon) is not None


def _thing(words: Sequence[str], start: int, lexicon: Lexicon | None) -> int | None:
    """Where a thing ends that is named from here on, with where it is not; it may be one that nothing is called by."""
    while start < len(words) and words[start] in _DETERMINERS:
        start += 1
    _, after = adjectives_at(words, start)
    noun = noun_at(words, start, lexicon) or noun_at(words, after, lexicon)
    if noun is not None:
        end = noun.end
    elif after < len(words) and words[after] not in (*STOPS, "and"):
        end = after + 1
    else:
        return None
    if end < len(words) and words[end] in _THERE:
        return end + 1
    pointing = next((k for k in (end + 1, end + 2, end + 3) if words[k : k + 1] and words[k] in _IT), None)
    if pointing is not None and (words[end] == "in" or relates(words, end)):
        return pointing + 1
    return end
