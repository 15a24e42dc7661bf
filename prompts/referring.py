"""What a later clause says of a thing that was named before and is told from others by what it is like or where it is: "a small
ball and a big one, the small ball is red", "two cats, the left one is black", "the cat on the left is black"."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from prompts.arranging import listed, relates
from prompts.lexicon import Lexicon
from prompts.nouns import Noun, adjectives_at, noun_at, nouns_before
from prompts.places import READ_AS
from prompts.synonyms import EACH, SAME, STOPS
from prompts.vocabulary import (
    ABOVE,
    ADJECTIVES,
    BEHIND,
    BELOW,
    FRONT,
    LEFT,
    MORE_SAID_AS,
    NUMBER_WORDS,
    NUMBERS,
    ON,
    RELATION_SAID_AS,
    RELATION_TO_IT,
    RIGHT,
    SIZE,
    SIZES,
    SMALLER,
)

_IS = ("is", "are")
_ENDS = (*STOPS, "and", "but")
_EXTRA = 10  # words at most that say where a thing is, between its name and what is said of it
_SIDES = {  # what tells things apart by where they are, and by which of those that stand so it is
    **{side: side for side in ("left", "right", "top", "bottom", "front", "back", "middle")}, "leftmost": "left",
    "rightmost": "right", "upper": "top", "lower": "bottom", "rear": "back", "central": "middle", "center": "middle",
    "centre": "middle", **dict.fromkeys(("nearest", "nearer", "closest", "closer"), "front"),
    **dict.fromkeys(("farthest", "furthest", "farther", "further"), "back"),
    **dict.fromkeys(("topmost", "uppermost", "highest", "higher"), "top"),
    **dict.fromkeys(("bottommost", "lowermost", "lowest"), "bottom"),
    **dict.fromkeys(("larger", "biggest", "largest"), "bigger"), "smallest": "smaller",
    **{which: which for which in ("first", "second", "third", "last", "other", "smaller", "bigger")},
}  # fmt: skip
_ALONE = {"in front": "front", "behind": "back", "in the front": "front", "in the back": "back", "at the back": "back"}
_OF_PAIR = {  # of two that stand so, the side of the first, and that of the second
    LEFT: ("left", "right"), RIGHT: ("right", "left"), ABOVE: ("top", "bottom"), ON: ("top", "bottom"),
    BELOW: ("bottom", "top"), FRONT: ("front", "back"), BEHIND: ("back", "front"),
}  # fmt: skip
_CHAIN = {"left": LEFT, "right": LEFT, "top": ABOVE, "bottom": ABOVE, "front": FRONT, "back": FRONT, "smaller": SMALLER,
    "bigger": SMALLER,
}  # fmt: skip
_SIZES = {"smaller": (SIZE, SIZES.index("small")), "bigger": (SIZE, SIZES.index("large"))}
_ORDINALS = ("first", "second", "third")
_PLACES = {tuple(said.split()): region for region, forms in READ_AS.items() for said in forms}
_KINDS = {tuple(said.split()): kind for kind, forms in (RELATION_SAID_AS | MORE_SAID_AS).items() for said in forms}
_TO_IT = {tuple(said.split()): kind for kind, forms in RELATION_TO_IT.items() for said in forms}


class Phrase(NamedTuple):
    """A thing that is named: the words for it, what they say that it is like, how many there are, and where it is."""

    first: int  # where its adjectives begin
    noun: Noun
    like: tuple[str, ...]
    count: int
    region: str | None


class _Clause(NamedTuple):
    """A clause that says what a thing is like: "the big one on the left is red"."""

    at: int
    side: str | None
    like: tuple[str, ...]
    noun: Noun | None  # None for "one"
    verb: int
    region: str | None  # where it says in passing that the thing is
    related: bool  # whether it says in passing how the thing stands to another
    said: list[str]
    end: int
    head: int  # where the words that say which it is begin, after "the"
    after: int  # and where those end


def told(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"two cats, the left one is black" -> "a black cat left of another cat", and "a small ball and a big one. The small ball
    is red" -> "a red small ball and a big one"."""
    clause = _clause(words, at, lexicon)
    if clause is None or not (clause.side or clause.like or clause.region or clause.related or clause.noun is None):
        return None  # "the ball is red" is not told from others
    phrases = phrases_before(words, at, lexicon)
    alike = [one for one in phrases if words[at] == "the" and _may_be(words, one, clause)]
    several = [one for one in alike if one.count > 1]
    if clause.noun is None and len(several) == 1 and phrases[0] is several[0]:  # "one" of these
        alike = several
    if len(alike) == 1 and alike[0].count > 1:
        return _split(words, clause, alike[0], phrases, lexicon)
    if len(alike) == 1 and clause.noun and (clause.side is None or (clause.region and alike[0].region is None)):
        meant = alike
    else:
        meant = [one for one in alike if _is_at(words, one, alike if alike[1:] else phrases, clause)]
    if len(meant) == 1 and meant[0].count == 1:
        return _said_of(words, clause, meant[0])
    elsewhere = all(one.region and clause.region for one in alike)  # these are others
    if meant or not elsewhere or (clause.side and clause.region is None):
        return None
    if clause.noun is not None:
        first = clause.noun.start - len(clause.like)
        named = [*words[:first], *clause.said, *words[first : clause.verb]]
    elif clause.region and len({one.noun.means for one in phrases}) == 1:  # "a dog on the left is red, the one ..."
        name = phrases[0].noun.one
        named = [*words[:at], "a", *clause.said, *clause.like, *name, *words[clause.after : clause.verb]]
    else:
        return None
    return [*named, *words[clause.end :]], at


def verbless(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"two cats, the first black, the second white" -> "two cats, the first is black, the second is white"."""
    if words[at] != "the" or not at or words[at - 1] not in (",", ":", ";", "and"):
        return None
    side = words[at + 1] in _SIDES if at + 1 < len(words) else False
    end = at + 2 + (words[at + 2 : at + 3] == ["one"])
    said, stop = adjectives_at(words, end) if side else ([], end)
    if not said or not stops(words, stop) or noun_at(words, at + 1, lexicon) is not None:
        return None
    return [*words[:end], "is", *words[end:]], stop + 1


def begins(words: Sequence[str], at: int) -> bool:
    return at == 0 or words[at - 1] in _ENDS


def stops(words: Sequence[str], at: int) -> bool:
    return at >= len(words) or words[at] in _ENDS


def _clause(words: Sequence[str], at: int, lexicon: Lexicon | None) -> _Clause | None:
    """The clause of this kind that begins here."""
    if words[at] not in ("the", "a", "an") or not begins(words, at):
        return None
    start = at + 1
    side = None if noun_at(words, start, lexicon) else _SIDES.get(words[start] if start < len(words) else "")
    start += side is not None
    like, after = adjectives_at(words, start)
    noun = noun_at(words, after, lexicon)
    if noun is None and (noun := noun_at(words, start, lexicon)):  # "the orange is red"
        like = []
    end = noun.end if noun else after + (words[after : after + 1] == ["one"])
    if noun is None and end == after and side is None:  # "the first is red", but not "the red is"
        return None
    verb = next((k for k in range(end, min(end + _EXTRA, len(words))) if words[k] in (*_IS, *STOPS, "that", "which")), None)
    if verb is None or words[verb] not in _IS:
        return None
    extra = tuple(words[end:verb])
    region = _PLACES.get(extra)
    alone = _ALONE.get(" ".join(extra)) or (region if region in _SIDES else None)
    region = None if lexicon is None else region
    related = extra in _TO_IT or (relates(words, end) and noun_at(words[:verb], _last_noun(words, end, verb, lexicon), lexicon))
    if extra and not (region or alone or related):
        return None
    said, stop = adjectives_at(words, verb + 1)
    if not said or not stops(words, stop) or (side and alone):
        return None
    return _Clause(at, side or alone, tuple(like), noun, verb, region, bool(related), said, stop, start, end)


def _last_noun(words: Sequence[str], start: int, end: int, lexicon: Lexicon | None) -> int:
    """Where a noun begins that ends there, `end` where there is none."""
    found = (k for k in range(start, end) if (noun := noun_at(words, k, lexicon)) and noun.end == end)
    return next(found, end)


def phrases_before(words: Sequence[str], end: int, lexicon: Lexicon | None) -> list[Phrase]:
    """The things that are named before `end`, each once."""
    found: list[Phrase] = []
    for noun in nouns_before(words, end, lexicon):
        starts = range(max(0, noun.start - 5), noun.start)
        first = next((k for k in starts if adjectives_at(words[k : noun.start], 0)[1] == noun.start - k), noun.start)
        determiner = words[first - 1] if first else ""
        like = tuple(word for word in words[first : noun.start] if word != ",")
        again = determiner == "the" and any(one.noun.means == noun.means and {*like} <= {*one.like} for one in found)
        if not again:
            count = NUMBERS.get(determiner, 2 if noun.plural and noun.one != noun.many else 1)
            found.append(Phrase(first, noun, like, count, _region(words, first, noun.end, lexicon)))
    return found


def _region(words: Sequence[str], first: int, end: int, lexicon: Lexicon | None) -> str | None:
    """Where in the picture words say that a thing is: "a cat on the left", "on the left is a cat"."""
    if lexicon is None:
        return None
    end += words[end : end + 1] == ["is"]
    for said, region in _PLACES.items():
        if tuple(words[end : end + len(said)]) == said and words[end + len(said) : end + len(said) + 1] != ["of"]:
            return region
    begin = first - 1
    while begin > 0 and words[begin - 1] in ("there", "is", ",", ":"):
        begin -= 1
    fronted = (region for said, region in _PLACES.items() if tuple(words[max(0, begin - len(said)) : max(0, begin)]) == said)
    found = next(fronted, None)
    return found if found is None or words[begin] != "," or begin == first - 1 else None


def _may_be(words: Sequence[str], phrase: Phrase, clause: _Clause) -> bool:
    """Whether a clause may speak of a thing that was named, as far as words for the two go."""
    named = clause.noun is None or phrase.noun.means == clause.noun.means
    extra, end = tuple(words[clause.after : clause.verb]), phrase.noun.end
    other_side = extra in _TO_IT and any(tuple(words[end : end + len(said)]) == said != extra for said in _TO_IT)
    return named and not other_side and set(clause.like) <= set(phrase.like)


def _is_at(words: Sequence[str], phrase: Phrase, alike: Sequence[Phrase], clause: _Clause) -> bool:
    """Whether one of some things is where a clause says that it is; things of which nobody knows where they are, are not."""
    wanted = clause.side or clause.region
    if wanted is None:
        return True
    if wanted in _SIZES:
        return any(ADJECTIVES.get(SAME.get(word, word)) == _SIZES[wanted] for word in phrase.like)
    if phrase.region is not None:
        return set(wanted.split()) <= set(phrase.region.split())
    if wanted in _ORDINALS:
        place = _ORDINALS.index(wanted)
        return place < len(alike) and alike[place] is phrase
    if wanted == "middle" and len(alike) % 2:
        return alike[len(alike) // 2] is phrase
    if wanted == "last":
        return alike[-1] is phrase
    return len(alike) == 2 and phrase is alike[0 if wanted in _pair(words, alike)[:1] else 1] and wanted in _pair(words, alike)


def _pair(words: Sequence[str], two: Sequence[Phrase]) -> tuple[str, ...]:
    """The sides of two things by how one stands to the other; empty where nothing is said of that."""
    one, other = two
    start = one.noun.end + (words[one.noun.end] in _IS)
    between = tuple(words[start : other.first])
    for size in range(len(between), 0, -1):
        if (kind := _KINDS.get(between[:size])) is not None and len(between) - size <= 1:
            return _OF_PAIR.get(kind, ())
        if (kind := _KINDS.get(between[:size])) in _OF_PAIR and between[size : size + 1] == ("and",):
            return _OF_PAIR[kind]
    start = other.noun.end + (words[other.noun.end : other.noun.end + 1] in (["is"], ["are"]))
    for said, kind in _KINDS.items():
        end = start + len(said)
        if tuple(words[start:end]) == said and words[end : end + 1] == ["it"] and kind in _OF_PAIR:
            return _OF_PAIR[kind][::-1]
    kinds = [kind for said, kind in _TO_IT.items() if tuple(words[start : start + len(said)]) == said]
    return _OF_PAIR.get(kinds[0], ())[::-1] if kinds else ()


def _said_of(words: Sequence[str], clause: _Clause, meant: Phrase) -> tuple[list[str], int]:
    """The words with what a clause says of a thing said where that is named. What the clause says in passing stays."""
    if clause.related or (clause.region is not None and meant.region is None):
        name = words[clause.head : clause.after] if clause.noun else (*clause.like, *meant.noun.one)
        passing, before = ["the", *name, *words[clause.after : clause.verb]], words[: clause.at]
    else:
        passing, before = [], _withoutstops(words[: clause.at])
    told_of = [*before[: meant.first], *clause.said, *before[meant.first :], *passing]
    return [*told_of, *words[clause.end :]], len(told_of)


def _withoutstops(words: Sequence[str]) -> list[str]:
    end = len(words)
    while end and words[end - 1] in _ENDS:
        end -= 1
    return list(words[:end])


def _split(
    words: Sequence[str], clause: _Clause, group: Phrase, phrases: Sequence[Phrase], lexicon: Lexicon | None
) -> tuple[list[str], int] | None:
    """The words with several things of a name said one by one, as clauses tell them apart: "two cats, the left one is black and
    the right one is white" -> "a black cat left of a white cat"."""
    if words[group.first - 1 : group.first] == [] or NUMBERS.get(words[group.first - 1]) != group.count:
        return None
    between = _withoutstops(words[group.noun.end : clause.at])
    ground = lexicon.grounds.at_preposition(between, 0) if between and lexicon is not None else None
    related = bool(between) and relates(between, 0) and group.count in EACH and {*STOPS, "and"}.isdisjoint(between)
    others = [] if related else _listed_on(between, lexicon)
    alone = related or others or (len(phrases) == 1 and (not between or (ground and ground[0] == len(between))))
    if not alone:
        return None
    if clause.side in _SIZES and group.count > 2 and lexicon is not None and not related:  # the smallest of them
        others = [NUMBER_WORDS[group.count - 1], *group.like, *group.noun.many]
        one = ["a", *clause.said, *group.like, *group.noun.one, clause.side, "than", *others, *between]
        return [*words[: group.first - 1], *one, *words[clause.end :]], group.first + len(one) - 1
    said: dict[int, list[str]] = {}
    kinds: set[str] = set()
    end, following = clause.at, clause
    while following is not None and following.side and not following.related and _may_be(words, group, following):
        kinds |= {_CHAIN[following.side]} if following.side in _CHAIN else set()
        places = _places(following.side, group.count, said)
        if not places or not said.keys().isdisjoint(places) or (following.side == "other" and following is clause):
            return None
        said |= dict.fromkeys(places, following.said)
        end = following.end
        start = end
        while start < len(words) and words[start] in _ENDS:
            start += 1
        following = _clause(words, start, lexicon) if start < len(words) else None
    if len(kinds) > 1 or not said or (kinds and kinds <= {ABOVE} and lexicon is None):
        return None
    sized = ("small", "large") if lexicon is None and kinds == {SMALLER} else ()
    if not kinds and clause.side == "middle":
        kinds = {LEFT}
    if related and (sized or not kinds):
        return None
    link = [*kinds.pop().split()] if kinds and not sized else ["and"]
    told_of: list[str] = []
    for k in range(group.count):
        like = [*sized[k : k + 1], *said.get(k, ()), *group.like]
        again = any(said.get(k) == said.get(j) for j in range(k))
        told_of += [*(link if k else ()), "another" if again else "a", *like, *group.noun.one]
    told_of += [EACH[group.count], *between] if related else [",", *others] if others else between
    return [*words[: group.first - 1], *told_of, *words[end:]], group.first + len(told_of) - 1


def _listed_on(words: Sequence[str], lexicon: Lexicon | None) -> list[str]:
    """What is listed after several things, "and a dog on a lawn", of which nothing more is said than before what it is."""
    start = next((k for k, word in enumerate(words) if word not in (",", "and")), len(words))
    things, end = listed(words, start, lexicon) if start else ([], 0)
    ground = lexicon.grounds.at_preposition(words, end) if lexicon is not None and things and end < len(words) else None
    return list(words[start:]) if things and (end if ground is None else ground[0]) == len(words) else []


def _places(side: str, count: int, said: dict[int, list[str]]) -> list[int]:
    """Which of so many things in a row a side, or a number, says; none where it says nothing of so many."""
    if side == "other":
        return [k for k in range(count) if k not in said] if len(said) == count - 1 else []
    if side == "middle":
        return [count // 2] if count % 2 else []
    if side in _ORDINALS:
        return [_ORDINALS.index(side)] if _ORDINALS.index(side) < count else []
    if side in _SIZES and count != 2:
        return []
    return [0 if side in ("left", "top", "front", "smaller") else count - 1]
