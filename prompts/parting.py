"""Several things of a name that are told apart after it: "two balls, a red one and a small one", "two cats, one on the left and
one on the right"."""
from __future__ import annotations

from prompts.lexicon import Lexicon
from prompts.nouns import Noun, adjectives_at, noun_at
from prompts.vocabulary import NUMBER_WORDS, NUMBERS


def apposed(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"two balls, a red one and a small one" -> "a red ball and a small ball"."""
    count = NUMBERS.get(words[at])
    noun = noun_at(words, at + 1, lexicon) if count is not None and count > 1 else None
    if noun is None or not noun.plural or noun.end >= len(words) or words[noun.end] not in (",", ":", ";"):
        return None
    parts: list[tuple[int, list[str]]] = []
    end = noun.end
    while end < len(words) and words[end] in (",", ":", ";", "and"):
        start = end
        while start < len(words) and words[start] in (",", ":", ";", "and"):
            start += 1
        other = words[start : start + 2] == ["the", "other"]
        many = (1 if other else NUMBERS.get(words[start], 0)) if start < len(words) else 0
        if start >= len(words) or not (many or words[start] in ("a", "an")):
            break
        said, stop = adjectives_at(words, start + 1 + other)
        if not said or (not many and words[stop : stop + 1] != ["one"]) or noun_at(words, stop, lexicon) is not None:
            break
        parts.append((many or 1, said))
        end = stop + (words[stop : stop + 1] in (["one"], ["ones"]))
    if sum(many for many, _ in parts) != count:
        return None
    told = [["a", *said, *noun.one] if many == 1 else [NUMBER_WORDS[many], *said, *noun.many] for many, said in parts]
    flat = [word for k, one in enumerate(told) for word in (["and", *one] if k else one)]
    return [*words[:at], *flat, *words[end:]], at


def parted(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"two balls, one on the left and one on the right" -> "a ball on the left, a ball on the right"."""
    count = NUMBERS.get(words[at], 1)
    noun = noun_at(words, at + 1, lexicon) if count > 1 else None
    if noun is None or not noun.plural or words[noun.end : noun.end + 1] not in ([","], [":"]):
        return None
    end = next((k for k in range(noun.end, len(words)) if words[k] in (".", ";")), len(words))
    told: list[str] = []
    spoken: Noun | None = None  # what "it" is
    ones, k = 0, noun.end + 1
    while k < end:
        other = words[k : k + 2] == ["the", "other"]
        part = (other or words[k] in ("one", "another")) and words[k - 1] in (",", ":", "and")
        said, stop = adjectives_at(words, k + 1) if words[k] in ("a", "an") else ([], k)
        if said and words[stop : stop + 1] == ["one"]:
            if told:
                told[-1:] = [","]
            told += ["a", *said, *noun.one]
            k, ones = stop + 1, ones + 1
        elif part and noun_at(words, adjectives_at(words, k + 1 + other)[1], lexicon) is None:  # "two balls, one cube"
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
        said, end = adjectives_at(words, k + 1) if words[k] == "the" else ([], k)
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
