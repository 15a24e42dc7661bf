"""Makes a lexicon of the objects of packs: their names and aliases, sorts of things, and words that people use for them."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from prompts.grounds import Grounds, Phrase
from prompts.lexicon import Concept, Lexicon, claim
from prompts.plurals import head, singular
from prompts.synonyms import split_words
from prompts.vocabulary import COLOR, SAID_AS

COLOR_OF = {word: color for color, words in enumerate(SAID_AS[COLOR]) for word in words}


@dataclass(frozen=True)
class Thing:
    """One sort of object of a pack, as the pack has it."""

    name: str
    aliases: tuple[str, ...] = ()
    category: str = ""


@dataclass(frozen=True)
class Sort:
    """A word for several things. `of` are names of things, where * stands for anything, or of other sorts."""

    of: tuple[str, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """What packs do not say about their objects.

    Args:
        say: name -> how it is said, and other words for the same.
        drop: aliases that are no names of the thing; * stands for anything.
        heads: words that cover whatever ends in them: "car" a police car.
        sorts: other words that cover several.
        categories: a pack's category -> words for one of its objects; none where there is no such word.
        backgrounds: other words for backgrounds -> how packs say it.
        near: words that nothing is called by -> the name nearest in meaning.
    """

    say: Mapping[str, Sequence[str]] = field(default_factory=dict)
    drop: Sequence[str] = ()
    heads: Sequence[str] = ()
    sorts: Mapping[str, Sort] = field(default_factory=dict)
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    backgrounds: Mapping[str, str] = field(default_factory=dict)
    near: Mapping[str, str] = field(default_factory=dict)


def lexicon_of(things: Iterable[Thing], descriptions: Iterable[str] = (), words: Words | None = None) -> Lexicon:
    """The lexicon of things, and of backgrounds with these descriptions."""
    return _Making(words or Words()).lexicon(list(things), list(descriptions))


class _Making:
    """The lexicon while it grows: concepts by name, and which words they have won."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.concepts: dict[str, Concept] = {}
        self.taken: dict[tuple[str, ...], str] = {}
        self.colors: dict[str, int] = {}

    def lexicon(self, things: list[Thing], descriptions: list[str]) -> Lexicon:
        spoken = {thing.name: tuple(self.words.say.get(thing.name, (thing.name,))) for thing in things}
        for thing in things:
            self.cover(self.of_colour(thing.name, spoken[thing.name][0]), [thing.name])
        self.shorten(things, spoken)
        self.sort(things)
        for thing in things:
            for said in spoken[thing.name][1:]:
                self.alias(thing.name, said)
        self.categorise(things)
        for thing in things:
            for said in thing.aliases:
                if not any(fnmatchcase(said, pattern) for pattern in self.words.drop):
                    self.alias(thing.name, said)
        texts = {str(Phrase.of(text)): text for text in descriptions}
        known = Grounds(tuple(texts.values()), {})
        also = {said: meant for said, meant in self.words.backgrounds.items() if known.at(meant.split(), 0)}
        near = {
            word: name
            for word, name in self.words.near.items()
            if name in self.concepts and tuple(split_words(word)) not in self.taken
        }
        return Lexicon(tuple(self.concepts.values()), self.colors, replace(known, also=also), near)

    def cover(self, name: str, members: Iterable[str]) -> None:
        """Lets a concept cover more; a new one needs a name that is free."""
        members = frozenset(members)
        old = self.concepts.get(name)
        if old is not None:
            self.concepts[name] = replace(old, members=old.members | members)
        elif members and claim(self.taken, name, name):
            self.concepts[name] = Concept(name, members)

    def of_colour(self, thing: str, said: str) -> str:
        """What a name says without its colour, which is kept: "red apple" is an apple."""
        first, _, rest = said.partition(" ")
        if first not in COLOR_OF or not rest:
            return said
        self.colors[thing] = COLOR_OF[first]
        return rest

    def shorten(self, things: list[Thing], spoken: Mapping[str, tuple[str, ...]]) -> None:
        """The face of a cat is a cat, and so is any cat."""
        for thing in things:
            name = spoken[thing.name][0]
            words = name.split()
            if words[-1] == "face" and len(words) > 1 and thing.category != "faces":
                self.cover(" ".join(words[:-1]), [thing.name])
            noun = words[head(name)]
            if noun in self.words.heads or (singular(noun) or noun) in self.words.heads:
                self.cover(singular(noun) or noun, [thing.name])

    def sort(self, things: list[Thing]) -> None:
        for name, sort in self.words.sorts.items():
            found: set[str] = set()
            for pattern in sort.of:
                known = self.concepts.get(pattern)
                found |= known.members if known else {thing.name for thing in things if fnmatchcase(thing.name, pattern)}
            self.cover(name, found)
            if name in self.concepts:
                for said in sort.also:
                    self.also(name, said)

    def categorise(self, things: list[Thing]) -> None:
        members: dict[str, set[str]] = {}
        for thing in things:
            members.setdefault(thing.category, set()).add(thing.name)
        for category, found in members.items():
            plain = (singular(category) or category,) if category else ()
            said = self.words.categories.get(category, plain)
            if said:
                name, *also = said
                self.cover(name, found)
                for other in also:
                    self.also(name, other)

    def alias(self, thing: str, said: str) -> None:
        """Another word for a thing: for its concept, or for a wider one with a colour ("red car")."""
        first, _, rest = said.partition(" ")
        if first in COLOR_OF and rest in self.concepts:
            self.colors.setdefault(thing, COLOR_OF[first])
            self.cover(rest, [thing])
            return
        covering = [concept for concept in self.concepts.values() if thing in concept.members]
        self.also(min(covering, key=lambda concept: len(concept.members)).name, said) if covering else None

    def also(self, name: str, said: str) -> None:
        if claim(self.taken, said, name):
            self.concepts[name] = replace(self.concepts[name], also=(*self.concepts[name].also, said))


