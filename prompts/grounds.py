"""What is behind and under the things: "on a lawn under a blue sky". A background is said by its noun, with any of the words
that packs describe it with, so that "a wall" is any wall and "a white wall" a white brick wall too."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

ARTICLES = ("a", "an", "the", "some")
UNDER, AGAINST, UPON = ("under", "beneath", "below"), ("in front of", "before", "against"), ("on", "in", "at")
PREPOSITIONS = tuple(tuple(said.split()) for said in (*UNDER, *AGAINST, *UPON, "over", "with"))
FIRST = frozenset(said[0] for said in PREPOSITIONS)
BEHIND = tuple(tuple(said.split()) for said in ("in the background", "in the back", "behind it", "behind them", "behind"))
OVERHEAD = ("sky", "sunset", "clouds", "night")
UPRIGHT = ("wall", "backdrop", "hills", "background", "foliage")
SKIES = frozenset(("sky", "clouds"))  # that things are in, where they are "at night"
ALOFT = (("before",), ("against",), ("over",), ("in", "front", "of"))  # said before a sky by whoever wants nothing but sky
GROUNDED = "in front of hills"  # said to a prior, that there is ground below a sky: of what, is then left to it
TOO_PLAIN = ("floor", "ground")  # "on the floor" says nothing
TOGETHER = frozenset(("table", "tablecloth"))  # one lies on the other
FLOOR = "floor"
PATTERNED = frozenset("tiles stones brick striped dots checkered".split())  # said of what has a pattern
Look = tuple[float, float, float]  # a colour in OKLab
SPELLINGS = {"gray": "grey"}


@dataclass(frozen=True)
class Phrase:
    """The parts of a description: "a blue wall with dots" has noun wall, before it blue, and after it "with dots"."""

    noun: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @staticmethod
    def of(description: str) -> Phrase:
        words = [SPELLINGS.get(word, word) for word in description.lower().split()]
        if words and words[0] in ARTICLES:
            words = words[1:]
        at = words.index("with") if "with" in words[1:] else len(words)
        return Phrase(words[at - 1], tuple(words[: at - 1]), tuple(words[at:]))

    def __str__(self) -> str:
        return " ".join((*self.before, self.noun, *self.after))


def shows(descriptions: Iterable[str], asked: str) -> bool:
    """Whether a background that is described so shows what is asked for, such as "wall" or "blue sky"."""
    wanted = set(str(Phrase.of(asked)).split())
    return any(wanted <= set(str(Phrase.of(description)).split()) for description in descriptions)


def at_odds(asked: Sequence[str]) -> tuple[str, str] | None:
    """Two of the backgrounds that are asked for of which a picture shows one: two skies, two walls, or two floors; None where
    there are none. "A wall" and "a white wall" are one."""
    for one, other in combinations(dict.fromkeys(asked), 2):
        first, second = Phrase.of(one), Phrase.of(other)
        same = layer_of(one) == layer_of(other) and not TOGETHER >= {first.noun, second.noun}
        if same and not (shows((one,), other) or shows((other,), one)):
            return one, other
    return None


def patterned(asked: str) -> bool:
    """Whether a background has a pattern by what it is called, which scene tokens hardly say."""
    return not PATTERNED.isdisjoint(str(Phrase.of(asked)).split())


def layer_of(asked: str) -> str:
    """Where a background is: hills are beside walls and skies, and floors, whatever they are of, are under the things."""
    noun = Phrase.of(asked).noun
    return OVERHEAD[0] if noun in OVERHEAD else noun if noun in UPRIGHT else FLOOR


def preposition(asked: str) -> str:
    """The word that a caption puts before a background: "on", "under" or "in front of"."""
    noun = Phrase.of(asked).noun
    return UNDER[0] if noun in OVERHEAD else AGAINST[0] if noun in UPRIGHT else UPON[0]


@dataclass(frozen=True)
class Grounds:
    """The backgrounds that a lexicon knows.

    Args:
        descriptions: as packs have them, each once.
        also: other words for some -> those words, such as "meadow" -> "lawn".
        looks: what descriptions look like, as far as that is known (see `vle_gen.recognition.ground_looks`).
    """

    descriptions: tuple[str, ...] = ()
    also: Mapping[str, str] = field(default_factory=dict)
    looks: Mapping[str, Look] = field(default_factory=dict)

    @cached_property
    def phrases(self) -> tuple[Phrase, ...]:
        """The descriptions, in parts."""
        return tuple(map(Phrase.of, self.descriptions))

    @cached_property
    def nouns(self) -> dict[str, tuple[frozenset[str], tuple[tuple[str, ...], ...]]]:
        """What may stand before each noun, and after it, longest first."""
        found: dict[str, tuple[set, set]] = {}
        for phrase in self.phrases:
            before, after = found.setdefault(phrase.noun, (set(), set()))
            before.update(phrase.before)
            after.add(phrase.after)
        return {
            noun: (frozenset(before), tuple(sorted(after, key=len, reverse=True))) for noun, (before, after) in found.items()
        }

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of it."""
        texts = (*map(str, self.phrases), *self.also)
        return frozenset(word for text in texts for word in text.split())

    def at_preposition(self, words: Sequence[str], at: int) -> tuple[int, str] | None:
        """Where a background that begins at `at` with its preposition ends, and what it is."""
        if words[at] not in FIRST:
            return None
        for said in PREPOSITIONS:
            if tuple(words[at : at + len(said)]) == said:
                found = self.at(words, at + len(said))
                if found is None or tuple(words[at : found[0]]) == ("in", "the", "background"):  # that is where a thing is
                    continue
                end = found[0]
                behind = next((said for said in BEHIND if tuple(words[end : end + len(said)]) == said), ())
                if said[0] in UNDER and not any(word in OVERHEAD for word in found[1].split()):
                    continue  # "under a table"
                if said == ("with",) and not behind and words[end - 1] not in (*OVERHEAD, "background", "backdrop"):
                    continue
                if said[0] != "with" and behind in (BEHIND[2], BEHIND[3], BEHIND[4]):
                    behind = ()
                return end + len(behind), found[1]
        return None

    def lacks_ground(self, asked: Sequence[str], words: Sequence[str]) -> bool:
        """Whether of what a prompt of such words asks for as background there is nothing to stand on, though it has its things
        under a sky and not before one, as "a kite before a blue sky" or "a bird in the sky"."""
        if not asked or any(layer_of(one) != OVERHEAD[0] for one in asked) or "hills" not in self.descriptions:
            return False
        for at in range(len(words)):
            found = self.at_preposition(words, at) if words[at] in FIRST else None
            if found is not None and layer_of(found[1]) == OVERHEAD[0]:
                said = words[at : found[0]]
                if said[0] == "in" and not SKIES.isdisjoint(said) or any(tuple(said[: len(one)]) == one for one in ALOFT):
                    return False
        return True

    def at(self, words: Sequence[str], at: int) -> tuple[int, str] | None:
        """The same without a preposition."""
        start = at
        if start < len(words) and words[start] in ARTICLES:
            start += 1
        found = [self._plain(words, start)]
        for said in self._also:
            if tuple(words[start : start + len(said)]) == said:
                found.append((start + len(said), self.also[" ".join(said)]))
        return max((one for one in found if one is not None), key=lambda one: one[0], default=None)

    def _plain(self, words: Sequence[str], start: int) -> tuple[int, str] | None:
        """A background as packs say it: its noun, with words that some of its kind have before it."""
        before = []
        for end in range(start, len(words)):
            word = SPELLINGS.get(words[end], words[end])
            known = self.nouns.get(word)
            if word == "background" and before and not (known and known[0].issuperset(before)):
                # "a blue background", which packs call a plain blue backdrop
                word, before = "backdrop", ["plain", *(one for one in before if one != "plain")]
                known = self.nouns.get(word)
            if known is not None and known[0].issuperset(before):
                after = next((said for said in known[1] if tuple(words[end + 1 : end + 1 + len(said)]) == said), ())
                plain = word in TOO_PLAIN and not before and not after
                return None if plain else (end + 1 + len(after), str(Phrase(word, tuple(before), after)))
            if word not in self.words:
                return None
            before.append(word)
        return None

    @cached_property
    def _also(self) -> list[tuple[str, ...]]:
        return sorted((tuple(said.split()) for said in self.also), key=len, reverse=True)
