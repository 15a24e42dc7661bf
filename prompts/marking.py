"""Finds what a lexicon knows in the words of a prompt, before they are reworded: names, places in the picture, backgrounds,
and relations beyond those of the solids. Each becomes one `Atom` among the words."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.colours import nearest
from prompts.grounds import preposition
from prompts.lexicon import Form, Lexicon
from prompts.places import PICTURES, READ_AS
from prompts.places import SAID_AS as PLACES
from prompts.plurals import article, invariant, is_mass, is_plural, plural
from prompts.synonyms import NEAR, SAME, SHADES, STOPS
from prompts.vocabulary import ADJECTIVES, BIGGER, COLOR, COLORS, MATERIAL, MORE_SAID_AS, NOUNS, ON, OPENERS, SMALLER

NAME, PLACE, GROUND, RELATION = "name", "place", "ground", "relation"
MEASURES = frozenset("loaf slice piece bunch bowl cup glass plate bottle mug stick pile pair bit head ear".split())
CONTAINERS = frozenset("bowl cup glass plate bottle mug".split())  # of these measures
WORDS = frozenset(word for table in (PLACES, MORE_SAID_AS) for said in table.values() for text in said for word in text.split())
"""The words of places and relations, for a checkpoint that is trained on them."""
CROWDS = tuple(tuple(said.split()) for said in (
    "several", "many", "a few", "lots of", "a lot of", "a number of", "a group of", "a herd of", "a flock of", "a crowd of",
    "a bunch of", "a pile of", "a stack of", "a swarm of", "a school of", "a pack of", "loads of", "plenty of",
    "tons of", "a family of",
))  # fmt: skip
"""What is said before a plural for "some"."""
COMPARISONS = frozenset(tuple(said.split()) for kind in (BIGGER, SMALLER) for said in MORE_SAID_AS[kind])
_OPENERS = sorted((tuple(said.split()) for said in OPENERS), key=len, reverse=True)
PARSED = ("on",)  # read by the grammar itself, for it begins other relations too


class Atom(str):
    """A phrase as one word: its text is the one that captions have for it.

    Args:
        kind: NAME, PLACE, GROUND or RELATION.
        value: the concept's name, region, background or relation.
        plural: of a name.
        dye: the colour, in words, that what has the name is to be painted in; none of that name has it by itself.
    """

    kind: str
    value: str
    plural: bool
    dye: str | None

    def __new__(cls, text: str, kind: str, value: str, many: bool = False, dye: str | None = None) -> Atom:
        self = super().__new__(cls, text)
        self.kind, self.value, self.plural, self.dye = kind, value, many, dye
        return self


def _longest_first(table: dict[str, tuple[str, ...]], endings: Sequence[str] = ("",)) -> dict[str, list]:
    pairs = [(tuple((said + end).split()), kind) for kind, forms in table.items() for said in forms for end in endings]
    found: dict[str, list] = {}
    for words, kind in sorted(pairs, key=lambda pair: len(pair[0]), reverse=True):
        found.setdefault(words[0], []).append((words, kind))
    return found


_PLACES = _longest_first(READ_AS, ["", *(f" of the {picture}" for picture in PICTURES)])
_RELATIONS = _longest_first({kind: tuple(s for s in said if s not in PARSED) for kind, said in MORE_SAID_AS.items()})
_RELATIONS["on"] = [(words, ON) for words, kind in _RELATIONS["on"] if kind == ON]


def marked(words: Sequence[str], lexicon: Lexicon) -> list[str]:
    """The words with atoms in the place of what the lexicon knows."""
    result: list[str] = []
    at = 0
    if found := _opening_ground(words, lexicon):
        at, atom = found
        result.append(atom)
    while at < len(words):
        found = _phrase(words, at, lexicon) or _tag(words, at, lexicon) or _name(words, at, lexicon)
        if found is None and (paint := _dye(words, at, lexicon)):
            at, between, atom = paint
            result += [*between, atom]
            continue
        if found is None and (many := _crowd(words, at, lexicon)):
            result.append("some")
            at += many
            continue
        if found is not None:
            at, atom = found
            result.append(atom)
            continue
        result.append(words[at])
        at += 1
    return result


def said(form: Form) -> Atom:
    """A name as captions say it."""
    return Atom(plural(form.concept) if form.plural else form.concept, NAME, form.concept, form.plural)


def said_ground(asked: str) -> str:
    """A background as captions say it: "on a wooden floor"."""
    if is_mass(asked) or is_plural(asked):
        return f"{preposition(asked)} {asked}"
    return f"{preposition(asked)} {article(asked)} {asked}"


def _phrase(words: Sequence[str], at: int, lexicon: Lexicon) -> tuple[int, Atom] | None:
    """A place, a background or a relation that begins here, and where it ends."""
    for said_as, region in _PLACES.get(words[at], ()):
        end = at + len(said_as)
        if tuple(words[at:end]) == said_as and (end == len(words) or words[end] not in ("of", "side", "corner", "edge")):
            return end, Atom(PLACES[region][0], PLACE, region)
    found = lexicon.grounds.at_preposition(words, at)
    if found is not None and not _runs_on(words, at, found[0], lexicon):
        return found[0], Atom(said_ground(found[1]), GROUND, found[1])
    for said_as, kind in _RELATIONS.get(words[at], ()):
        if tuple(words[at : at + len(said_as)]) == said_as:
            return at + len(said_as), Atom(kind, RELATION, kind)
    return None


def _opening_ground(words: Sequence[str], lexicon: Lexicon) -> tuple[int, Atom] | None:
    """A background that a prompt begins with, without a preposition: "a lawn with a cat". What joins it to the things goes with
    it. What ends in a name is a thing."""
    start = next((len(opener) for opener in _OPENERS if tuple(words[: len(opener)]) == opener), 0)
    found = lexicon.grounds.at(words, start)
    if found is None:
        return None
    end = found[0]
    if any((name := _name(words, k, lexicon)) is not None and name[0] >= end for k in range(start, end)):
        return None
    if end < len(words) and words[end] not in ("with", "and", *STOPS):
        return None
    while end < len(words) and words[end] in ("with", "and", *STOPS):
        end += 1
    return end, Atom(said_ground(found[1]), GROUND, found[1])


def _tag(words: Sequence[str], at: int, lexicon: Lexicon) -> tuple[int, Atom] | None:
    """A background that is listed among things, without a preposition: "a cow, blue sky"."""
    if at == 0 or words[at - 1] not in STOPS:
        return None
    start = at + (words[at] in ("a", "an", "the"))
    found = lexicon.grounds.at(words, start)
    if found is None:
        return None
    end = found[0]
    if start > at and words[end - 1].startswith("table"):  # "a chair, a table" is a thing more, and there is none
        return None
    if any((name := _name(words, k, lexicon)) is not None and name[0] >= end for k in range(start, end)):
        return None
    end += words[end : end + 1] == ["background"]
    return (end, Atom(said_ground(found[1]), GROUND, found[1])) if end == len(words) or words[end] in STOPS else None


def _runs_on(words: Sequence[str], at: int, end: int, lexicon: Lexicon) -> bool:
    """Whether a name goes on where a background would end: "under a snow cloud"."""
    return any((name := _name(words, k, lexicon)) is not None and name[0] > end for k in range(at + 1, end))


def _name(words: Sequence[str], at: int, lexicon: Lexicon) -> tuple[int, Atom] | None:
    """A name that begins here, and where it ends; "a slice of pizza" is a pizza."""
    said_as = _form(words, at, lexicon)
    measured = _measured(words, at, lexicon) if len(said_as) < 2 else None
    if measured is not None:
        return measured
    return (at + len(said_as), said(lexicon.form_at(words, at, said_as))) if said_as else None


def _measured(words: Sequence[str], at: int, lexicon: Lexicon) -> tuple[int, Atom] | None:
    """The name in "a slice of pizza" or "two slices of pizza", and where it ends."""
    several = words[at].endswith("s") and words[at][:-1] in MEASURES - {"head", "ear", "bit", "pair"}
    if (words[at] in MEASURES or several) and at + 2 < len(words) and words[at + 1] == "of":
        found = _name(words, at + 2, lexicon)
        if found is None or found[1].plural or (words[at] == "pair" and not is_plural(found[1].value)):
            return None
        many = several and not is_plural(found[1].value)
        return (found[0], Atom(plural(str(found[1])), NAME, found[1].value, True)) if many else found
    return None


def _dye(words: Sequence[str], at: int, lexicon: Lexicon) -> tuple[int, list[str], Atom] | None:
    """Where a name ends before which a colour is said here that none of that name has, what else stands between the two, and
    the name, to be painted in that colour: "pink cat", "light blue car"."""
    start = at + _shades(words, at, lexicon)
    word = words[start]
    if nearest(word) is None and ADJECTIVES.get(word, (None,))[0] != COLOR:
        return None
    end = start + 1
    while end < len(words) and words[end] in ADJECTIVES and ADJECTIVES[words[end]][0] != COLOR:
        end += 1
    found = _name(words, end, lexicon) if end < len(words) else None
    if found is None:
        return None
    after, name = found
    own = ADJECTIVES[word][1] if word in ADJECTIVES else None
    if start == at and own is not None and any(lexicon.colors.get(one) == own for one in lexicon.named[name.value].members):
        return None
    dye = " ".join((*words[at:start], word if own is None else COLORS[own]))
    return after, list(words[start + 1 : end]), Atom(str(name), NAME, name.value, name.plural, dye)


def _shades(words: Sequence[str], at: int, lexicon: Lexicon) -> bool:
    """Whether a word says which of the next colour is meant: "light blue", "navy blue"."""
    colour = _colour(words[at + 1]) if at + 1 < len(words) else None
    if colour is None or words[at] in SHADES:
        return colour is not None
    return _colour(words[at]) == colour and words[at] != words[at + 1] and _name(words, at + 1, lexicon) is None


def _colour(word: str) -> str | None:
    """Which of the eight colours a word means; None for what is no colour word."""
    attribute, value = ADJECTIVES.get(word, (None, 0))
    return COLORS[value] if attribute == COLOR else nearest(word)


def _form(words: Sequence[str], at: int, lexicon: Lexicon) -> tuple[str, ...]:
    """The words of the longest name that begins here."""
    for said_as in lexicon.starting.get(words[at], ()) if at < len(words) else ():
        if tuple(words[at : at + len(said_as)]) == said_as and not (len(said_as) == 1 and _describes(words, at, lexicon)):
            return said_as
    return ()


def _crowd(words: Sequence[str], at: int, lexicon: Lexicon) -> int:
    """How many words here say that there are some of what follows, such as "a herd of" before "cows"."""
    for said_as in CROWDS:
        end = at + len(said_as)
        a_sort = said_as[0] == "a" and _form(words, at + 1, lexicon)  # "a stack of books" is one thing
        if tuple(words[at:end]) == said_as and not a_sort:
            while end < len(words) and words[end] in ADJECTIVES:
                end += 1
            name = _name(words, end, lexicon) if end < len(words) else None
            plural_solid = end < len(words) and NOUNS.get(words[end], (None, False))[1]
            if plural_solid or (name is not None and (name[1].plural or is_plural(name[1].value) or invariant(name[1].value))):
                return len(said_as)
    return 0


def left_out(words: Sequence[str], lexicon: Lexicon) -> tuple[str, ...]:
    """What things are in, where another thing is drawn for it, each once: "bottle of" wine."""
    kept_in = (
        f"{word} of" for k, word in enumerate(words)
        if CONTAINERS & {word, word[:-1]} and len(_form(words, k, lexicon)) < 2 and _measured(words, k, lexicon) is not None
    )  # fmt: skip
    return tuple(dict.fromkeys(kept_in))


def aside(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Marked words without those that say what a named thing is made of, "wooden chair", as is not ours to say; and these."""
    kept, left = [], []
    for k, word in enumerate(words):
        after = k + 1
        while after < len(words) and (words[after] in ADJECTIVES or _is_stuff(words[after])):
            after += 1
        named = after < len(words) and isinstance(words[after], Atom) and words[after].kind == NAME
        if named and not isinstance(word, Atom) and _is_stuff(word):
            left.append(word)
            if kept[-1:] == [","] and len(kept) > 1 and kept[-2] in ADJECTIVES:  # "a big, wooden chair"
                kept.pop()
        else:
            kept.append(word)
    return kept, left


def _is_stuff(word: str) -> bool:
    """Whether a word says what a thing is made of."""
    means = NEAR.get(word, word)
    return ADJECTIVES.get(means, (None,))[0] == MATERIAL or word == "brick"


def _describes(words: Sequence[str], at: int, lexicon: Lexicon) -> bool:
    """Whether a word that is a name too says here what the next thing is like: "an orange cat"."""
    word = words[at]
    if at > 1 and words[at - 1] in ("of", "from") and words[at - 2] in ("made", "out", "from"):
        return True
    if not (nearest(word) or word in ADJECTIVES or word in NEAR or word in SHADES) or at + 1 == len(words):
        return False
    following = words[at + 1]
    if tuple(words[at + 1 : at + 3]) in COMPARISONS:
        return False
    if following in lexicon.starting or nearest(following):
        return True
    means = SAME.get(following) or NEAR.get(following) or following
    return means in NOUNS or means in ADJECTIVES
