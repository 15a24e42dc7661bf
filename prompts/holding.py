"""What is said of what a thing holds and wears: "a glass of red wine" is a glass of wine, "a basket of apples" a basket, and
what wears a scarf has one beside it."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from prompts.arranging import related_at, relates
from prompts.lexicon import Lexicon
from prompts.marking import CONTAINERS, MEASURES
from prompts.nouns import Noun, adjectives_at, noun_at, noun_before, nouns_before
from prompts.places import PICTURES
from prompts.plurals import is_mass
from prompts.synonyms import STOPS
from prompts.vocabulary import NEXT, ON

TEMPERATURES = frozenset("hot cold iced warm fresh".split())  # of what is in a glass or on a plate

WEARING = tuple(tuple(said.split()) for said in (
    *(f"{which}{verb}" for verb in ("wears", "wear", "is wearing", "are wearing") for which in ("that ", "which ", "who ", "")),
    "wearing", "dressed in", "clad in", "in", "with",
))  # fmt: skip
HAVING = tuple((*which, has) for which in ((), ("that",), ("which",), ("who",)) for has in ("has", "have", "having"))
_HEADWEAR = frozenset("hat crown helmet cap".split())
ALIVE = frozenset(("animal", "person", "face", "toy"))  # a robot and a snowman may wear something, too
_FULL = (("full", "of"), ("filled", "with"))
_CLOTHES = "piece of clothing"


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
    """Where "of apples" ends after "a basket", which is drawn with what is in it as it is, and these words; also "full of"."""
    if tuple(words[noun.end : noun.end + 2]) in _FULL and not noun.plural:
        start = adjectives_at(words, noun.end + 2)[1]
        inner = noun_at(words, noun.end + 2, lexicon) or noun_at(words, start, lexicon)
        end = start + 1 if inner is None else inner.end
        unknown = inner is None and start < len(words) and (end == len(words) or words[end] in STOPS)  # water, say
        several = inner is not None and (inner.plural or is_mass(inner.means))
        return (end, " ".join(words[noun.end : end])) if unknown or several else None
    solid = noun.means.startswith("shape ")
    if noun.plural or solid or words[noun.start] in MEASURES or words[noun.end : noun.end + 1] != ["of"]:
        return None
    inner = noun_at(words, noun.end + 1, lexicon) or noun_at(words, adjectives_at(words, noun.end + 1)[1], lexicon)
    if inner is None or not (inner.plural or is_mass(inner.means)):
        return None
    return inner.end, " ".join(words[noun.end : inner.end])


class Worn(NamedTuple):
    """The words for what a thing wears, where what said so ends, and what said it, if some is drawn beside the thing."""

    words: list[str]
    end: int
    beside: str | None


def worn(words: Sequence[str], at: int, lexicon: Lexicon) -> Worn | None:
    """What is worn as is said from here on: "wearing a scarf and a hat" -> "with a scarf next to it with a hat on top of it".
    "With" a hat it is worn where no more is said of that, and what else a thing is with is not worn."""
    said = next((one for one in (*WEARING, *HAVING) if tuple(words[at : at + len(one)]) == one), None)
    if not at or words[at - 1] in PICTURES:  # "a photo with a hat"
        return None
    told: list[str] = []
    anyway = _worn_anyway(words, at, lexicon)
    end, beside = at + len(said or ()), False
    said = ("with",) if said in HAVING else said
    one = said is not None and {"are", "wear"}.isdisjoint(said)
    while said is not None:
        start = end
        while told and words[start : start + 1] in ([","], ["and"]):
            start += 1
        first = start + (words[start : start + 1] in (["a"], ["an"], ["the"]))
        noun = noun_at(words, adjectives_at(words, first)[1], lexicon) or noun_at(words, first, lexicon)
        how = None if noun is None else worn_as(noun, lexicon, said)
        if how is None or (told and start == end):
            break
        if noun.means == anyway and not told and words[noun.end : noun.end + 1] not in ([","], ["and"]):
            return Worn([], noun.end, None)
        told += ["with", *words[start : noun.end], *how.split(), "it" if one else "them"]
        end, beside = noun.end, beside or how == NEXT
        if said == ("with",):
            break
    on_it = end + (words[end : end + 1] == ["on"])  # "with a hat on"
    ends = on_it == len(words) or words[on_it] in (*STOPS, "and", "with", "each") or (on_it > end and relates(words, on_it))
    of_wearer = _stands_by(words, at, end, lexicon)
    if not told or (said == ("with",) and not (ends or of_wearer or lexicon.grounds.at_preposition(words, end))):
        return None
    return Worn(told, on_it if ends else end, " ".join(said) if beside else None)


def _stands_by(words: Sequence[str], at: int, end: int, lexicon: Lexicon) -> bool:
    """Whether a relation after a hat, which ends there, is that of who is named before `at`, as in "a bear with a hat left of a
    tree", and not in "a bear with a hat next to it"."""
    noun, related = noun_before(words, at, lexicon), related_at(words, end)
    alive = noun is not None and not ALIVE.isdisjoint(lexicon.above(noun.means))
    return alive and related is not None and words[end + related[1] : end + related[1] + 1] in (["a"], ["an"], ["another"])


def worn_as(noun: Noun, lexicon: Lexicon, said: Sequence[str]) -> str | None:
    """How what a noun means stands to who is `said` to wear it: on top, or next to; None where that is not worn."""
    if not _HEADWEAR.isdisjoint({noun.means, *lexicon.above(noun.means)}):
        return ON
    return NEXT if tuple(said) != ("with",) and _is_clothing(noun, lexicon) else None


def _worn_anyway(words: Sequence[str], at: int, lexicon: Lexicon) -> str | None:
    """What the thing that is named before `at` is drawn with whatever is said: "king" means a person with a crown."""
    wearing = noun_before(words, at, lexicon)
    said = "" if wearing is None else wearing.means.partition(" with ")[2]
    return said.removeprefix("a ").removeprefix("an ") or None


def wearer(before: Sequence[str], said: str, lexicon: Lexicon) -> list[str]:
    """What names who wears what is worn here, where something else was named last: "a cat on a chair wearing a hat"."""
    since = next((k + 1 for k in range(len(before) - 1, -1, -1) if before[k] in STOPS), 0)
    nouns = [] if said == "with" else nouns_before(before[since:], len(before) - since, lexicon)
    alive = [noun for noun in nouns if not ALIVE.isdisjoint(lexicon.above(noun.means))]
    return [",", "the", *alive[0].one] if len(alive) == 1 and alive[0] != nouns[-1] and not alive[0].plural else []


def _is_clothing(noun: Noun, lexicon: Lexicon) -> bool:
    """Whether what a noun means is worn, or half of that; what is in a bag does not wear it."""
    meant, clothes = (lexicon.named[name].members if name in lexicon.named else frozenset() for name in (noun.means, _CLOTHES))
    return 2 * len(meant & clothes) >= max(1, len(meant)) and "bag" not in {noun.means, *lexicon.above(noun.means)}
