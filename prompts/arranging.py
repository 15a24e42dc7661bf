"""Several things that stand so to one another, in relations that captions have: "a cat and a dog side by side" is a cat left
of and next to a dog, "three cups in a row" is so each of the next, and "a cat with a tree on each side" a cat between two."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.lexicon import Lexicon
from prompts.nouns import COMPARED, adjectives_at, noun_at
from prompts.places import PICTURES, READ_AS
from prompts.synonyms import EACH, STOPS
from prompts.undrawn_words import POSTURES
from prompts.vocabulary import (
    ABOVE,
    BELOW,
    BETWEEN,
    LEFT,
    MORE_SAID_AS,
    NEXT,
    NUMBERS,
    ON,
    RELATION_SAID_AS,
    RIGHT,
)

MOST = max(EACH)  # things of a row or a stack; pictures of more come out wrong as a rule
_BESIDE = f"{LEFT} and {NEXT}"
_ALIKE = ("each other", "one another")
EACH_OTHER = tuple(tuple(said.split()) for said in _ALIKE)
_ROW = ("row", "line", "horizontal row", "horizontal line", "straight line")
_ORDERS = {LEFT: "left to right", RIGHT: "right to left", ABOVE: "top to bottom", BELOW: "bottom to top"}
_ORDER = {said: kind for kind, order in _ORDERS.items() for said in (f"from {order}", f"from the {order}", order)}
_STACKED = ("stacked", "stacked up", "piled up", "in a stack", "in a tower")
_AMONG: dict[str, str] = {  # said after several things -> how each stands to the next
    "side by side": _BESIDE, **{f"in a {row}": _BESIDE for row in _ROW}, "lined up": _BESIDE, "lined up in a row": _BESIDE,
    **{f"lined up {said}": kind for said, kind in _ORDER.items()},
    **_ORDER, **{f"in a row {said}": kind for said, kind in _ORDER.items()}, **dict.fromkeys(_STACKED, ON),
    **{
        form: kind
        for kind, forms in (RELATION_SAID_AS | MORE_SAID_AS).items()
        for said in forms
        for form in (
            *(f"{said} {alike}" for alike in _ALIKE), f"one {said} the other", f"one {said} another", f"one is {said} the other"
        )
    },
    **{f"stacked {said} {alike}": ON for said in MORE_SAID_AS[ON] for alike in _ALIKE},
}  # fmt: skip
_OF = {**dict.fromkeys(("row", "line"), _BESIDE), **dict.fromkeys(("stack", "tower", "pile"), ON), "column": ABOVE}
_SIDES = tuple(
    f"{at} {sides}" for at in ("on", "at", "to") for sides in ("each side", "either side", "both sides", "both its sides")
)
_PLACED = POSTURES | frozenset("laid out placed arranged positioned located seated stand sit lie all both each".split())


def _longest_first(said: Sequence[str]) -> list[tuple[str, ...]]:
    return sorted((tuple(text.split()) for text in said), key=len, reverse=True)


_AMONG_WORDS, _ORDER_WORDS, _SIDE_WORDS = map(_longest_first, (tuple(_AMONG), tuple(_ORDER), _SIDES))

_KIND_OF = {tuple(said.split()): kind for kind, forms in (RELATION_SAID_AS | MORE_SAID_AS).items() for said in forms}
_RELATED = _longest_first([" ".join(said) for said in _KIND_OF])
_RELATED_BY_END = {end: [said for said in _RELATED if said[-1] == end] for end in {said[-1] for said in _RELATED}}
_PLACED_AT = _longest_first([said for forms in READ_AS.values() for said in forms])

_SIGNS = frozenset(
    "row line stack tower pile column flanked each either both sides other another lined stacked piled side".split()
)
"""One of these is in whatever is changed here, but for orders."""
_TURNS = frozenset("right left bottom top".split())  # of which an order has two


def arranged(words: Sequence[str], lexicon: Lexicon | None) -> list[str]:
    """The words of a prompt with what is said of several things together said of each."""
    words = list(words)
    if not _SIGNS & set(words) and len(_TURNS & set(words)) < 2:  # most prompts
        return words
    for change in (_ordered, _crowd, _flanked, _one_side, _sides, _among):
        at = 0
        while at < len(words):
            changed = change(words, at, lexicon)
            words, at = (words, at + 1) if changed is None else changed
    return words


def _at(words: Sequence[str], at: int, said: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The first of some phrases that begins here."""
    return next((one for one in said if tuple(words[at : at + len(one)]) == one), ())


def relates(words: Sequence[str], at: int) -> bool:
    """Whether a relation begins here."""
    return bool(_at(words, at, _RELATED))


def related_at(words: Sequence[str], at: int) -> tuple[str, int] | None:
    """The relation that begins here, and how many words it has."""
    said = _at(words, at, _RELATED)
    return (_KIND_OF[said], len(said)) if said else None


def placed(words: Sequence[str], at: int) -> bool:
    """Whether a place in the picture begins here."""
    return bool(_at(words, at, _PLACED_AT))


def is_related_to(words: Sequence[str], at: int) -> bool:
    """Whether what begins here is what a relation is to."""
    said_before = _RELATED_BY_END.get(words[at - 1], ()) if at else ()
    return any(tuple(words[max(0, at - len(said)) : at]) == said for said in said_before)


class Phrase:
    """A noun phrase: how many, what they are like, and the words for one of them and for several."""

    def __init__(self, words: Sequence[str], at: int, lexicon: Lexicon | None) -> None:
        determiner = words[at] if at < len(words) and (words[at] in _DETERMINERS or words[at] in NUMBERS) else None
        start = at + (determiner is not None)
        bigger = list(words[start : start + 1]) if words[start : start + 1] and words[start] in COMPARED else []
        start += len(bigger)
        self.like, after = adjectives_at(words, start)
        noun = noun_at(words, start, lexicon)  # "an orange" is one, and "an orange cat" none
        if noun is None or (after > start and noun_at(words, after, lexicon) is not None):
            noun = noun_at(words, after, lexicon)
        else:
            self.like = []
        self.noun, self.end = noun, at if noun is None else noun.end
        self.words = list(words[at : self.end])
        self.count = NUMBERS.get(determiner, 1) if determiner is not None else 1
        if bigger and self.count > 1:  # of two bigger cats the second is not bigger than the first
            self.noun, self.end, self.words = None, at, []
        self.like = [*bigger, *self.like]
        self.several = noun is not None and self.count == 1 and noun.plural and noun.one != noun.many

    def each(self) -> list[list[str]]:
        """The words for each of so many."""
        if self.count == 1:
            return [self.words]
        return [[one, *self.like, *self.noun.one] for one in ("a", *["another"] * (self.count - 1))]

    def two(self) -> list[str]:
        return ["two", *self.like, *self.noun.many]


_DETERMINERS = ("a", "an", "the", "another", "some")


def listed(words: Sequence[str], at: int, lexicon: Lexicon | None) -> tuple[list[Phrase], int]:
    """The noun phrases that are listed from here on, and where they end."""
    found: list[Phrase] = []
    end = at
    while True:
        start = end
        while found and start < len(words) and words[start] in (",", "and"):
            start += 1
        more = not found or start > end or (end < len(words) and words[end] in NUMBERS)  # "2 apples 3 pears"
        phrase = Phrase(words, start, lexicon) if more else None
        if phrase is None or phrase.noun is None:
            return found, end
        found.append(phrase)
        end = phrase.end


def _chain(phrases: Sequence[Phrase], kind: str) -> list[str] | None:
    """Each of the things so to the next; None where nobody knows how many they are, there is one, or there are too many."""
    each = [one for phrase in phrases for one in phrase.each()]
    if not 1 < len(each) <= MOST or any(phrase.several for phrase in phrases):
        return None
    return [word for k, one in enumerate(each) for word in ((*kind.split(), *one) if k else one)]


def _goes_on(words: Sequence[str], end: int, lexicon: Lexicon | None, each: int = 0, inner: bool = False) -> list[str] | None:
    """What follows such a phrase, so that it is not read as said of the last of the things alone; None where it would be.

    `each`: of how many things what follows may be said, if of any; `inner`: whether something was said to be so to them.
    """
    marks = [EACH[each]] if each else []
    said_of = end + (words[end : end + 1] in ([","], ["and"]))
    pointing = {"it", "them"} & set(words[said_of : said_of + 4])  # "two cats side by side, behind them a dog"
    if marks and not pointing and (relates(words, said_of) or _at(words, said_of, _PLACED_AT if lexicon is not None else ())):
        return [*marks, *words[said_of:]]
    if marks and words[end : end + 1] == ["are"] and end + 1 < len(words):
        return [*marks, *words[end:]]
    marks = marks if inner else []
    if end >= len(words) or words[end] in STOPS:
        return [*marks, *words[end:]]
    if words[end] in ("and", "with") and Phrase(words, end + 1, lexicon).noun is not None:
        return [*marks, ",", *words[end + 1 :]]
    if lexicon is not None and lexicon.grounds.at_preposition(words, end) is not None:
        return [*marks, *words[end:]]
    return [*marks, *words[end:]] if inner and words[end] == "and" else None


def _ordered(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"from left to right: a cat, a dog" -> "a cat left of a dog"."""
    said = _at(words, at, _ORDER_WORDS)
    kind = _ORDER.get(" ".join(said))
    if kind is None or (at and words[at - 1] not in STOPS) or (kind in MORE_SAID_AS and lexicon is None):
        return None
    start = at + len(said)
    start += words[start : start + 1] in ([","], [":"])
    phrases, end = listed(words, start, lexicon)
    chain, rest = _chain(phrases, kind), _goes_on(words, end, lexicon)
    return None if chain is None or rest is None else ([*words[:at], *chain, *rest], at + len(chain))


def _crowd(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a stack of three books" -> "a book on top of another book on top of another book"."""
    kind = _OF.get(words[at + 1]) if words[at] == "a" and at + 3 < len(words) and words[at + 2] == "of" else None
    if kind is None or words[at + 3] not in NUMBERS or (kind in MORE_SAID_AS and lexicon is None):
        return None
    phrase = Phrase(words, at + 3, lexicon)
    chain = None if phrase.noun is None else _chain([phrase], kind)
    rest = None if chain is None else _goes_on(words, phrase.end, lexicon, phrase.count, is_related_to(words, at))
    return None if rest is None else ([*words[:at], *chain, *rest], at + len(chain))


def _flanked(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a cat flanked by trees" -> "a cat between two trees"."""
    if words[at : at + 2] != ["flanked", "by"]:
        return None
    phrase = Phrase(words, at + 2, lexicon)
    if phrase.several:
        return [*words[:at], BETWEEN, *phrase.two(), *words[phrase.end :]], at + 1
    return [*words[:at], BETWEEN, *words[at + 2 :]], at + 1


def _sides(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a cat with a tree on each side" and "a tree on each side of a cat" -> "a cat between two trees"."""
    said = _at(words, at, _SIDE_WORDS)
    starts = range(max(0, at - 6), at) if said else ()
    start = next((k for k in starts if _begins(words, k) and _is_phrase(words, k, at, lexicon)), None)
    if start is None:
        return None
    beside, end = Phrase(words, start, lexicon), at + len(said)
    two = beside.two()
    firsts = range(max(0, start - 6), start - 1) if words[start - 1 : start] == ["and"] else ()
    first = next((k for k in firsts if _begins(words, k) and _is_phrase(words, k, start - 1, lexicon)), None)
    if first is not None:  # "a cat and a dog on either side"
        start, two = first, list(words[first:at])
    elif beside.count > 1 and ("both" not in said or beside.count > 2):  # "two on each side" are four
        return None
    pictured = words[end : end + 2] == ["of", "the"] and words[end + 2 : end + 3] != [] and words[end + 2] in PICTURES
    if words[end : end + 1] == ["of"] and not pictured and words[end + 1 : end + 2] != ["it"]:
        middle = Phrase(words, end + 1, lexicon)
        if middle.noun is None or middle.count > 1 or middle.several:
            return None
        told = [*middle.words, BETWEEN, *two]
        rest = _goes_on(words, middle.end, lexicon)
        return None if rest is None else ([*words[:start], *told, *rest], start + len(told))
    end += 2 * (words[end : end + 2] == ["of", "it"])
    if pictured or not start or words[start - 1] != "with":
        return None
    rest = _goes_on(words, end, lexicon)
    return None if rest is None else ([*words[: start - 1], BETWEEN, *two, *rest], start)


def _one_side(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a cat with a tree on one side and a car on the other" and "a tree on one side of a cat and a car on the other" -> "a cat
    between a tree and a car"."""
    if words[at : at + 3] != ["on", "one", "side"]:
        return None
    starts = range(max(0, at - 6), at)
    start = next((k for k in starts if _begins(words, k) and _is_phrase(words, k, at, lexicon)), None)
    middle = Phrase(words, at + 4, lexicon) if words[at + 3 : at + 4] == ["of"] and words[at + 4 : at + 5] != ["it"] else None
    after = at + 3 + 2 * (words[at + 3 : at + 5] == ["of", "it"]) if middle is None else middle.end
    begun = after
    while words[begun : begun + 1] in ([","], ["and"]):
        begun += 1
    second = Phrase(words, begun, lexicon) if begun > after else None
    end = 0 if second is None or second.noun is None else second.end + 3
    if start is None or words[end - 3 : end] != ["on", "the", "other"] or (middle is not None and middle.noun is None):
        return None
    end += words[end : end + 1] == ["side"]
    end += 2 * (words[end : end + 2] == ["of", "it"])
    two = [*words[start:at], "and", *second.words]
    if middle is None and (not start or words[start - 1] != "with"):
        return None
    told = [BETWEEN, *two] if middle is None else [*middle.words, BETWEEN, *two]
    begin, rest = (start - 1 if middle is None else start), _goes_on(words, end, lexicon)
    return None if rest is None else ([*words[:begin], *told, *rest], begin + len(told))


def _begins(words: Sequence[str], at: int) -> bool:
    """Whether what begins here is not said after a relation, which it would be the object of."""
    return at == 0 or words[at - 1] in (*STOPS, "and", "with", "is", "are", "of", "has")


def _is_phrase(words: Sequence[str], start: int, end: int, lexicon: Lexicon | None) -> bool:
    phrase = Phrase(words, start, lexicon)
    return phrase.noun is not None and phrase.end == end


def _among(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a cat and a dog side by side" -> "a cat next to a dog"."""
    said = _at(words, at, _AMONG_WORDS)
    if not said:
        return None
    kind, last = _AMONG[" ".join(said)], at
    while last and words[last - 1] in (",", ":", "is", "are", *_PLACED):
        last -= 1
    if last > 1 and words[last - 1] == "they":  # "a cat and a dog. They are side by side"
        last -= 1
        while last and words[last - 1] in (*STOPS, "and"):
            last -= 1
    if kind in MORE_SAID_AS and lexicon is None:
        return None
    for start in range(last):
        inner = is_related_to(words, start) and "," not in words[start:last]  # "above a house, a cat and a dog side by side"
        phrases, end = listed(words, start, lexicon) if inner or _begins(words, start) else ([], 0)
        if end != last:
            continue
        if (chain := _chain(phrases, kind)) is None and sum(phrase.count for phrase in phrases) > MOST:
            return None  # nor is a part of too many such a row: "three cups and three cubes side by side"
        if chain is not None:
            rest = _goes_on(words, at + len(said), lexicon, sum(phrase.count for phrase in phrases), inner)
            return None if rest is None else ([*words[:start], *chain, *rest], start + len(chain))
    return None
