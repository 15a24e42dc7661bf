"""Turns of phrase that captions do not have, put in words that are read: "near the left edge", "a dog that has a bone", "left:
an owl", "this is a cat", "his hat"; what is only near to what was said is told, and what is left out, too."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from prompts.arranging import is_related_to, listed, placed, related_at, relates
from prompts.dressing import dressed
from prompts.holding import HAVING, WEARING, contents, held, wearer, worn
from prompts.lexicon import Lexicon
from prompts.marking import CROWDS, said_ground
from prompts.nouns import adjectives_at, noun_at, noun_before, nouns_before
from prompts.places import READ_AS, REGIONS
from prompts.synonyms import PHRASES, STOPS, UNITS
from prompts.turns import FIRST, NEAR, NEAR_NAMED, SAME, SAME_NAMED, phrase_table, starting
from prompts.undrawn_words import LOOKS
from prompts.vocabulary import FRONT, NEXT, NUMBERS
from prompts.wishes import POLITE, without_wish


class Plain(NamedTuple):
    """Words of a prompt without turns of phrase; (phrase, what is drawn instead), and what is left out."""

    words: list[str]
    instead: dict[str, str]
    left: list[str]


_DEGREES = frozenset("directly immediately right straight just".split())  # before a relation: as good as nothing
_CHANGING = frozenset("slightly far high way well diagonally partly almost".split())  # what is left out of these is told
_TO = (("left", "to"), ("right", "to"))  # "on the left to the right of a tree" has a place
_SAID_OF = _DEGREES | _CHANGING
_WHOSE = frozenset("my his her its their our your".split())
_HOLDING = frozenset("hand hands arm arms mouth paw paws beak trunk claws fingers lap pocket".split())
_ON_IT = (("on",), ("on", "top", "of"))
_ALL_ARE = tuple(tuple(said.split()) for said in (
    *(f"{all_of} are" for many in ("both", "all") for all_of in (f"{many} of them", f"{many} of which", many)),
    "they are both", "they are all",
))  # fmt: skip
_NOT_ENTERED = frozenset(("piece of clothing", "gesture", "hand", "face"))
_GROUPS = frozenset("group set bunch herd flock crowd pack family collection".split())
_BARE = {tuple(region.split()): READ_AS[region][1 if " " in region else 0].split() for region in REGIONS}
_BARE |= {(edge, middle): ["at", "the", edge] for edge in ("top", "bottom") for middle in ("center", "centre", "middle")}
_BARE |= {("center",): ["in", "the", "middle"], ("centre",): ["in", "the", "middle"]}
_BARE |= {("upper", side): _BARE["top", side] for side in ("left", "right")}
_BARE |= {("lower", side): _BARE["bottom", side] for side in ("left", "right")}
_BARE |= {(region.replace(" ", ""),): _BARE[tuple(region.split())] for region in REGIONS if " " in region}
_AGAIN = ("it", "he", "she", "they")
_CENTRED = ("centered", "centred")
_DRESSING = frozenset(said[0] for said in (*WEARING, *HAVING)) | {"both", "all", "each"}  # that say what is worn begin so

_BARE_WORDS = frozenset(place[0] for place in _BARE)


_TABLES = {
    False: (phrase_table(SAME), phrase_table(NEAR)),
    True: (phrase_table(SAME, SAME_NAMED), phrase_table(NEAR, NEAR_NAMED)),
}
PHRASED = (
    frozenset(word for table in (SAME, SAME_NAMED, NEAR, NEAR_NAMED, FIRST) for said in table for word in said.split())
    | frozenset(word for said in WEARING for word in said)
    | frozenset((*_CENTRED, *_CHANGING, "flanked", "lined", "stacked", "piled"))
) - LOOKS  # "a tall house"
"""Words that turns of phrase are made of."""


def plainly(words: Sequence[str], lexicon: Lexicon | None) -> Plain:
    """The words of a prompt, as `split_words` has them, without turns of phrase."""
    asked = [word for k, word in enumerate(words) if word not in POLITE and words[k - 1 : k + 1] != ["thank", "you"]]
    words = without_wish(asked, lexicon)
    same, near = _TABLES[lexicon is not None]
    result: list[str] = []
    instead: dict[str, str] = {}
    left: list[str] = []
    at = 0
    while at < len(words):
        after = words[at + 1] if at + 1 < len(words) else ","
        if lexicon is not None and (measured := held(words, at, lexicon)):
            words[at : measured.end] = measured.words
            left += measured.left
        noun = noun_at(words, at, lexicon)
        if noun is not None:  # what is part of a name is no turn of phrase
            result += words[at : noun.end]
            at = noun.end
            if lexicon is not None and (inside := contents(words, noun, lexicon)):
                at = inside[0]
                left.append(inside[1])
            if lexicon is not None and (place := _bare(words, at)):
                result += _BARE[place]
                at += len(place)
        elif lexicon is not None and (not result or result[-1] in STOPS) and (place := _heading(words, at)):
            result += [*_BARE[place], ","]
            at += len(place) + 1
        elif lexicon is not None and (place := _side_before(words, at, result, lexicon)):
            at += len(place)
            noun = noun_at(words, adjectives_at(words, at)[1], lexicon)
            result += [*_BARE[place], ",", *(["a"] if noun is not None and not noun.plural else [])]
        elif end := _in_hand(words, at):
            left.append(" ".join(words[at:end]))
            at = end
        elif lexicon is not None and words[at] in _DRESSING and (each := dressed(result, words, at, lexicon)):
            result = each.words
            instead |= {each.beside: NEXT} if each.beside else {}
            at = each.end
        elif lexicon is not None and words[at] in _DRESSING and (clothed := worn(words, at, lexicon)):
            result += [*wearer(result, words[at], lexicon), *clothed.words]
            instead |= {clothed.beside: NEXT} if clothed.beside else {}
            at = clothed.end
        elif words[at] in _AGAIN and after in ("is", "are") and _has_begun(result, lexicon):  # "the apple it is red"
            at += 1
        elif (found := starting(words, at, same)) and not (
            _else_meant(found[0], result, lexicon) or _runs_on(words, at, found[0], lexicon)
        ):
            result += found[1]
            at += len(found[0])
        elif lexicon is not None and words[at] in _CENTRED and (_ends(after) or lexicon.grounds.at_preposition(words, at + 1)):
            result += ["in", "the", "middle"]
            at += 1
        elif found := starting(words, at, near):
            instead[" ".join(found[0])] = " ".join(found[1])
            result += found[1]
            at += len(found[0])
            several, end = listed(words, at, lexicon) if found[0][-1] == "by" else ([], at)
            if len(several) > 1 and (end == len(words) or words[end] in STOPS):  # it is surrounded by all of them
                result += [word for k, one in enumerate(several) for word in (["and", *one.words] if k else one.words)]
                at = end
        elif lexicon is not None and _topping(words, at, result):
            result += ["on", "top"]
            at += 3
        elif all_of := _of_all(words, at):
            result += all_of[0]
            at = all_of[1]
        elif end := _measure(words, at):
            left.append(" ".join(words[at:end]))
            at = end
        elif word_degree := _degree(words, at):
            left += [word_degree] if word_degree in _CHANGING else []
            at += 1
        elif words[at] in _WHOSE and (owned := noun_at(words, adjectives_at(words, at + 1 + (after in NUMBERS))[1], lexicon)):
            result += [] if owned.plural or after in NUMBERS else ["a"]
            at += 1
        elif words[at] == "both" and result and _ends(after) and not _ends(result[-1]):  # "a cat and a dog, a bird above both"
            result.append("them")
            at += 1
        elif words[at] == "too" and _ends(after):
            at += 1
        elif colour := _in_colour(words, at):  # "a ball in red"
            result += words[at + 1 : colour[0]]
            at = colour[1]
        elif words[at] == "her":
            result.append("it")
            at += 1
        elif words[at] in ("that", "it") and (pointed := _pointed(words, at, result, lexicon)):
            result += pointed
            at += 1
        elif words[at] == "in" and (inner := _within(words, at, result, lexicon)):
            instead[" ".join(words[at:inner])] = FRONT
            result += FRONT.split()
            at += 1
        elif lexicon is not None and (ground := _ground_stated(words, at, lexicon)):  # "the sky is blue"
            result += ground
            at += 4
        elif many := _group(words, at, lexicon):
            result += many[0]
            at += many[1]
        elif "which" in words[at + 1 : at + 7] and (of_it := _relative(words, at, result, lexicon)):
            result += of_it[0]
            at = of_it[1]
        elif words[at] in ("both", "all") and result and relates(words, at + 1):  # "a cat and a dog both behind a house"
            result[-1:] = ["are"] if result[-1] == "," else [result[-1], "are"]
            at += 1
        elif words[at] == "then" and (not result or result[-1] in (*STOPS, "and")):
            at += 1
        elif words[at] == "in" and after in ("front", "back") and (ground := _depth(words, at)):
            result += ["in", "the", ground]
            at += 2
        elif words[at] == "x" and result and result[-1] in NUMBERS:
            at += 1
        elif words[at][:-1] in NUMBERS and words[at].endswith("x"):
            result.append(words[at][:-1])
            at += 1
        else:
            result.append(words[at])
            at += 1
    return Plain(result, instead, left)


def _depth(words: Sequence[str], at: int) -> str | None:
    """What "in front" or "in back" is called, where a prompt says both of things: "a ball in front, a cube in back"."""
    inside = (k for k in range(1, len(words)) if words[k - 1] == "in")
    at_end = {words[k] for k in inside if k + 1 == len(words) or _ends(words[k + 1])}
    side = words[at + 1] if {"front", "back"} <= at_end and at + 2 <= len(words) else ""
    ends = at + 2 == len(words) or (at + 2 < len(words) and _ends(words[at + 2]))
    return {"front": "foreground", "back": "background"}.get(side) if ends else None


def _runs_on(words: Sequence[str], at: int, said: Sequence[str], lexicon: Lexicon | None) -> bool:
    """Whether a name goes on after an article where a turn of phrase would end: "a second place medal"."""
    noun = noun_at(words, at + 1, lexicon) if said[0] == "a" else None
    return noun is not None and noun.end > at + len(said)


def _else_meant(said: Sequence[str], before: Sequence[str], lexicon: Lexicon | None) -> bool:
    """Whether a turn of phrase says something else after these words: several things "stacked on" another are a stack."""
    several = said[0] == "stacked" and (noun := noun_before(before, len(before), lexicon)) is not None and noun.plural
    return several or (said[:2] in _TO and before[-1:] == ["the"])


def _topping(words: Sequence[str], at: int, before: Sequence[str]) -> bool:
    """Whether what a thing is said to be "with" here is "on the top" of that, and not of the picture."""
    since = next((k + 1 for k in range(len(before) - 1, -1, -1) if before[k] in STOPS), 0)
    ends = at + 3 == len(words) or (at + 3 < len(words) and _ends(words[at + 3]))
    return ends and list(words[at : at + 3]) == ["on", "the", "top"] and "with" in before[since:]


def _in_colour(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """Where a colour ends that is said after "in" or "of", "in red" and "of a red color", and where what says so ends; nothing
    more is said of what has it."""
    said, end = adjectives_at(words, at + 1) if words[at] in ("in", "of") else ([], at)
    after = end + (words[end : end + 1] in (["color"], ["colour"]))
    ends = after == len(words) or _ends(words[after]) or relates(words, after)
    return (end, after) if said and ends and (after > end or words[at] == "in") else None


def _ground_stated(words: Sequence[str], at: int, lexicon: Lexicon) -> list[str] | None:
    """A background of which a clause says what it is like, as captions say it: "the sky is blue"."""
    noun, verb, like = words[at + 1 : at + 2], words[at + 2 : at + 3], words[at + 3 : at + 4]
    if words[at] != "the" or verb not in (["is"], ["are"]) or not like or not (at + 4 == len(words) or _ends(words[at + 4])):
        return None
    found = lexicon.grounds.at([*like, *noun], 0)
    return said_ground(found[1]).split() if found is not None and found[0] == 2 else None


def _group(words: Sequence[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """What is said for "a group of" before a number, and, of solids, for "lots of"; and how many words that has."""
    if words[at] == "a" and words[at + 1 : at + 2] and words[at + 1] in _GROUPS and words[at + 2 : at + 3] == ["of"]:
        if words[at + 3 : at + 4] and words[at + 3] in NUMBERS:
            return [], 3
    if lexicon is None and (said := next((one for one in CROWDS if tuple(words[at : at + len(one)]) == one), None)):
        noun = noun_at(words, adjectives_at(words, at + len(said))[1], None)
        if noun is not None and noun.plural:
            return ["some"], len(said)
    return None


def _relative(
    words: Sequence[str], at: int, before: Sequence[str], lexicon: Lexicon | None
) -> tuple[list[str], int] | None:
    """What is said for a relation that begins here and is said of "which", and where that ends: "a cat, behind which is a dog".
    It is said of the thing that was named last, by its name where that is another one than what was named first: "a cat left of
    a tree, behind which is a dog"."""
    start = at + (words[at] == ",")
    related = related_at(words, start) if start < len(words) else None
    end = 0 if related is None else start + related[1]
    if not end or words[end : end + 1] != ["which"] or words[end + 1 : end + 2] not in (["is"], ["are"], ["there"]):
        return None
    noun = noun_before(before, len(before), lexicon)
    if noun is None and start == at:
        return None
    nouns = nouns_before(before, len(before), lexicon)
    alone = noun is not None and not noun.plural and [one.means for one in nouns].count(noun.means) == 1
    named = ["the", *noun.one] if alone and nouns[0].means != noun.means else ["it"]
    return [",", *words[start:end], *named], end + 1


def _has_begun(before: Sequence[str], lexicon: Lexicon | None) -> bool:
    """Whether a clause has begun with a thing, of which alone it has told so far."""
    noun = noun_before(before, len(before), lexicon)
    start = 0 if noun is None else noun.start
    while start and adjectives_at(before, start - 1)[0]:
        start -= 1
    start -= start > 0 and before[start - 1] in ("a", "an", "the")
    begins = start == 0 or before[start - 1] in STOPS or (before[start - 1] == "and" and before[start] == "the")
    return noun is not None and begins


def _ends(word: str) -> bool:
    return word in (*STOPS, "and", "with")


def _bare(words: Sequence[str], at: int) -> tuple[str, ...] | None:
    """A place without what is said before it, as in "an owl left, a fox right"."""
    if at >= len(words) or words[at] not in _BARE_WORDS:
        return None
    for place in _BARE:
        end = at + len(place)
        if tuple(words[at:end]) == place and (end == len(words) or _ends(words[end])):
            return place
    return None


def _heading(words: Sequence[str], at: int) -> tuple[str, ...] | None:
    """A place before a colon, as in "left: an owl"."""
    if words[at] not in _BARE_WORDS:
        return None
    for place in _BARE:
        end = at + len(place)
        if tuple(words[at:end]) == place and end < len(words) and words[end] == ":":
            return place
    return None


def _side_before(words: Sequence[str], at: int, before: Sequence[str], lexicon: Lexicon) -> tuple[str, ...] | None:
    """A place before a thing that is there, where a clause begins with it: "left cat, right dog"."""
    if words[at] not in _BARE_WORDS or not (not before or before[-1] in (*STOPS, "and")):
        return None
    place = max((place for place in _BARE if tuple(words[at : at + len(place)]) == place), key=len, default=None)
    if place is None:
        return None
    start = at + len(place)
    start += words[start : start + 1] != [] and (words[start] in ("a", "an", "some") or words[start] in NUMBERS)
    return place if noun_at(words, adjectives_at(words, start)[1], lexicon) or noun_at(words, start, lexicon) else None


def _in_hand(words: Sequence[str], at: int) -> int | None:
    """Where "in his hand" ends, which is not drawn: what is held is."""
    end = at + 3 + (words[at + 2 : at + 3] in (["left"], ["right"]))
    whose = words[at] == "in" and end <= len(words) and words[at + 1] in _WHOSE
    return end if whose and words[end - 1] in _HOLDING and (end == len(words) or _ends(words[end])) else None


def _pointed(words: Sequence[str], at: int, before: Sequence[str], lexicon: Lexicon | None) -> list[str]:
    """What is said for "that", and for "it" on which something more is put, "a cube, on it a ball, on it a cat": what was named
    last, if it is the only one of its name."""
    following = words[at + 1] if at + 1 < len(words) else ","
    if at < 2 or not is_related_to(words, at) or not (following in ("a", "an", "is", "are", "there") or _ends(following)):
        return []
    if words[at] == "it":
        on = next((len(said) for said in _ON_IT if tuple(words[max(0, at - len(said)) : at]) == said), 0)
        its = [k for k in range(at) if words[k] == "it"]
        again = any(tuple(words[max(0, k - len(said)) : k]) == said for said in _ON_IT for k in its)
        if not on or not again or words[at - on - 1] not in STOPS:
            return []
    nouns = nouns_before(before, len(before), lexicon)
    alone = nouns and not nouns[-1].plural and [noun.means for noun in nouns].count(nouns[-1].means) == 1
    return ["the", *nouns[-1].one] if alone else []


def _within(words: Sequence[str], at: int, before: Sequence[str], lexicon: Lexicon | None) -> int | None:
    """Where "in" ends that says that a thing is within another, and that is drawn before it: "a bird in a tree". What is worn
    or held is not before who wears it."""
    start = at + 1 + (words[at + 1 : at + 2] != [] and words[at + 1] in ("a", "an", "the", *_WHOSE))
    noun = noun_at(words, adjectives_at(words, start)[1], lexicon) or noun_at(words, start, lexicon)
    end = len(before)
    while end and (before[end - 1] in ("is", "are") or PHRASES.get(before[end - 1]) == ""):  # "sitting"
        end -= 1
    if start == at + 1 or noun is None or noun_before(before, end, lexicon) is None:
        return None
    sorts = {noun.means} if lexicon is None else {noun.means, *lexicon.above(noun.means)}
    if not sorts.isdisjoint(_NOT_ENTERED) or noun.plural or placed(words, at):
        return None
    if lexicon is not None and lexicon.grounds.at_preposition(words, at):
        return None
    return at + 1


def _of_all(words: Sequence[str], at: int) -> tuple[list[str], int] | None:
    """What is said for a clause that begins with "both are" or "they are all", and where these words end."""
    for said in _ALL_ARE:
        end = at + 1 + len(said)
        if words[at] in STOPS and tuple(words[at + 1 : end]) == said:
            alike = "both" if "both" in said else "all"
            return ([",", alike] if adjectives_at(words, end)[0] else [".", "they", "are"]), end
    return None


def _measure(words: Sequence[str], at: int) -> int | None:
    """Where a distance ends before a relation, "5 cm" left of a cube."""
    end = at + 1 + (words[at].isdigit() and words[at + 1 : at + 2] != [] and words[at + 1] in UNITS)
    measured = end == at + 2 or (words[at][:1].isdigit() and words[at].lstrip("0123456789") in UNITS)
    return end if measured and relates(words, end) else None


def _degree(words: Sequence[str], at: int) -> str | None:
    """A word before a relation that says how far."""
    placed = at > 0 and words[at - 1] in ("the", "top", "bottom", "upper", "lower", "far")  # "at the top right near a lion"
    if words[at] not in _SAID_OF or placed or words[at + 1 : at + 2] == ["on"]:
        return None
    return words[at] if relates(words, at + 1) else None
