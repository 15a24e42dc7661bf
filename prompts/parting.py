"""Several things of a name that are told apart after it: "two balls, a red one and a small one", "two cats, one on the left and
one on the right"."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.arranging import relates
from prompts.lexicon import Lexicon
from prompts.nouns import COMPARED, Noun, adjectives_at, noun_at
from prompts.synonyms import EMPHASIS, STOPS
from prompts.vocabulary import NUMBER_WORDS, NUMBERS

MOST_EACH = 4  # things that each have or are somewhere what is said of each: a picture of more comes out wrong as a rule


def apposed(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"two balls, a red one and a small one" -> "a red ball and a small ball", "three balls, two of them red" -> "two red balls
    and a ball"."""
    count = NUMBERS.get(words[at], 1)
    alike, start = adjectives_at(words, at + 1) if count > 1 else ([], at + 1)
    noun = noun_at(words, at + 1, lexicon) or noun_at(words, start, lexicon) if count > 1 else None
    if noun is None or not noun.plural or noun.end >= len(words):
        return None
    if words[noun.end] not in (",", ":", ";") and words[noun.end : noun.end + 3] != [".", "one", "is"]:
        return None
    alike = alike if noun.start > at + 1 else []
    parts: list[tuple[int, list[str]]] = []
    end = noun.end
    while end < len(words) and (
        words[end] in (",", ":", ";", "and") or (end == noun.end and not parts) or words[end : end + 2] == [".", "the"]
    ):
        start = end + 1
        while start < len(words) and words[start] in (",", ":", ";", "and"):
            start += 1
        other: int = words[start : start + 2] == ["the", "other"]
        many = (1 if other else NUMBERS.get(words[start], 0)) if start < len(words) else 0
        left, counted = count - sum(one for one, _ in parts), NUMBERS.get(words[start + 2]) if start + 2 < len(words) else None
        if words[start : start + 2] == ["the", "others"] or (other and left > 1 and counted == left):  # "the other two"
            other, many = 1 + other, left
        if start >= len(words) or not (many or words[start] in ("a", "an")):
            break
        of_them = _of_them(words, start + 1) or int(words[start + 1 + other : start + 2 + other] in (["is"], ["are"]))
        said, stop = _like(words, start + 1 + other + of_them)
        if alike and not of_them:  # "three red balls, a small one" may be four
            break
        if not said or (not many and words[stop : stop + 1] != ["one"]) or noun_at(words, stop, lexicon) is not None:
            break
        parts.append((many or 1, said))
        end = stop + (words[stop : stop + 1] in (["one"], ["ones"]))
    others = count - sum(many for many, _ in parts)
    if others and not (parts and others > 0 and (end == len(words) or words[end] in (".", ";"))):
        return None
    if others:
        parts.append((others, []))
    told = [
        ["a", *said, *alike, *noun.one] if many == 1 else [NUMBER_WORDS[many], *said, *alike, *noun.many]
        for many, said in parts
    ]
    flat = [word for k, one in enumerate(told) for word in (["and", *one] if k else one)]
    return [*words[:at], *flat, *words[end:]], at


def parted(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"two balls, one on the left and one on the right" -> "a ball on the left, a ball on the right"."""
    count = NUMBERS.get(words[at], 1)
    noun = noun_at(words, at + 1, lexicon) if count > 1 else None
    if noun is None or not noun.plural or noun.end >= len(words):
        return None
    if words[noun.end] not in (",", ":") and words[noun.end : noun.end + 2] != [".", "one"]:
        return None
    end = next((k for k in range(noun.end + 1, len(words)) if words[k] in (".", ";")), len(words))
    told: list[str] = []
    spoken: Noun | None = None  # what "it" is
    ones, k = 0, noun.end + 1
    while k < end:
        other = words[k : k + 2] == ["the", "other"]
        part = (other or words[k] in ("one", "another")) and words[k - 1] in (",", ":", ".", "and")
        said, stop = adjectives_at(words, k + 1) if words[k] in ("a", "an") else ([], k)
        if said and words[stop : stop + 1] == ["one"]:
            if told:
                told[-1:] = [","]
            told += ["a", *said, *noun.one]
            k, ones = stop + 1, ones + 1
        elif part and not _names(words, k + 1 + other, lexicon):  # "two balls, one cube"
            if told:
                told[-1:] = [","]
            told += ["a" if not ones else "another", *noun.one]
            k, ones = k + 1 + other, ones + 1
        elif words[k] == "it" and spoken is not None:
            told += ["the", *spoken.one]
            k += 1
        elif not ones:
            return None
        else:
            spoken = noun_at(words, k, lexicon) or spoken
            told.append(words[k])
            k += 1
    if not ones or ones > count:
        return None
    rest = [] if ones == count else [",", "another", *noun.one] if count == ones + 1 else [",", str(count - ones), *noun.many]
    return [*words[:at], *told, *rest, *words[end:]], at + len(told) + len(rest)


def contrasted(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"three balls, the red one left of the small one" -> "a red ball left of a small ball, another ball"."""
    count = NUMBERS.get(words[at], 1)
    noun = noun_at(words, at + 1, lexicon) if count > 1 else None
    if noun is None or not noun.plural or words[noun.end : noun.end + 2] not in ([",", "the"], [":", "the"]):
        return None
    told: list[str] = []
    k, ones = noun.end + 1, 0
    while k < len(words) and words[k] not in (".", ";"):
        said, end = _like(words, k + 1) if words[k] == "the" else ([], k)
        if said and words[end : end + 1] == ["one"]:
            told += ["a", *said, *noun.one]
            k, ones = end + 1, ones + 1
        else:
            told.append(words[k])
            k += 1
    if not 1 < ones <= count:
        return None
    if count > ones:
        told += [",", "another", *noun.one] if count == ones + 1 else [",", str(count - ones), *noun.many]
    return [*words[:at], *told, *words[k:]], at + len(told)


def each_with(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"two cats, each on a chair" and "two cats on a chair each" -> "a cat on a chair, a cat on a chair"."""
    count = NUMBERS.get(words[at], 1)
    alike, start = adjectives_at(words, at + 1) if 1 < count <= MOST_EACH else ([], at + 1)
    noun = noun_at(words, at + 1, lexicon) or noun_at(words, start, lexicon) if 1 < count <= MOST_EACH else None
    if noun is None or not noun.plural or (at and words[at - 1] not in (*STOPS, "are")):
        return None
    begin = noun.end + (words[noun.end : noun.end + 1] == [","])
    first = words[begin : begin + 1] == ["each"]
    begin += first
    end = next((k for k in range(begin, len(words)) if words[k] in (*STOPS, "each")), len(words))
    if not first and words[end : end + 1] != ["each"]:
        return None
    said = words[begin:end]
    if not said or not (said[0] == "with" or relates(said, 0)) or not {"a", "an"} & set(said):
        return None
    one = ["a", *(alike if noun.start > at + 1 else []), *noun.one, *said]
    told = [word for k in range(count) for word in ([",", *one] if k else one)]
    return [*words[:at], *told, *words[end + (not first) :]], at + len(told)


def _of_them(words: Sequence[str], at: int) -> int:
    """How many words here say that what was counted before is a part of all: "of them", "of which are"."""
    if words[at : at + 2] not in (["of", "them"], ["of", "which"], ["of", "these"]):
        return 0
    return 2 + (words[at + 2 : at + 3] in (["is"], ["are"]))


def _names(words: Sequence[str], at: int, lexicon: Lexicon | None) -> bool:
    """Whether a thing of another name begins here, with what is said of it."""
    end = at
    while end < len(words) and (words[end] in EMPHASIS or adjectives_at(words, end)[0]) and not noun_at(words, end, lexicon):
        end = max(end + 1, adjectives_at(words, end)[1])
    return noun_at(words, end, lexicon) is not None


def _like(words: Sequence[str], at: int) -> tuple[list[str], int]:
    """What is said of "one" from here on, which may compare it to others, and where that ends."""
    if at < len(words) and words[at] in COMPARED and words[at + 1 : at + 2] == ["one"]:
        return [words[at]], at + 1
    return adjectives_at(words, at)
