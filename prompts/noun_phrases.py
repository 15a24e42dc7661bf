"""Reads words one after the other, and the noun phrases among them: "two large red balls", "the small one", "another cat"."""
from __future__ import annotations

from dataclasses import replace

from prompts.lexicon import Lexicon
from prompts.marking import NAME, Atom
from prompts.nouns import COMPARED
from prompts.plurals import OWN, invariant, is_mass, is_plural
from prompts.request import Mention
from prompts.vocabulary import ADJECTIVES, BIGGER, MATERIAL, NOUNS, NUMBERS, SHAPE, SMALLER


class Unreadable(Exception):
    """The words do not form a prompt of the language."""


def phrases(table: dict[str, tuple[str, ...]]) -> list[tuple[tuple[str, ...], str]]:
    """The ways of saying each kind of a table, in words, the longest first."""
    pairs = [(tuple(said.split()), kind) for kind, forms in table.items() for said in forms]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def kind_of(word: str | None) -> str | None:
    """Which kind of atom a word is."""
    return word.kind if isinstance(word, Atom) else None


class NounPhrases:
    """The words of a prompt, how far they are read, and what they have mentioned so far."""

    def __init__(self, words: list[str], lexicon: Lexicon | None) -> None:
        self.words, self.at, self.lexicon = words, 0, lexicon
        self.mentions: list[Mention] = []
        self.usual = True  # whether captions might say what is read so far so
        self.last_noun: tuple[int | None, str | None] = (None, None)  # shape and name said last, for "a small one"
        self.compared: dict[int, str | None] = {}  # of each mention, how large it is beside those before it

    def mention(self, exclude: int | None = None) -> int:
        """Reads a noun phrase; returns the index of its mention: an earlier one for "the ...", else a new one.

        `exclude`: the mention it stands in relation to, which it cannot be.
        """
        definite = another = plural_open = False
        count = None
        if self.take_word("the"):
            definite = True
        elif self.take_word("another"):
            another = True
        elif self.take_word("some"):
            plural_open = True
        elif self.take_word("a", "an"):
            count = 1
        if count is None and self.peek() in NUMBERS and not self.after_is_end(1):
            count = NUMBERS[self.words[self.at]]
            self.at += 1
        values: list[int | None] = [None] * 4
        compared = None
        while True:
            word = self.peek()
            if word in COMPARED:
                compared = SMALLER if word == "smaller" else BIGGER
                self.at += 1
                continue
            following = self.peek(1)
            painted = isinstance(following, Atom) and following.kind == NAME and following.dye is not None
            if word == "," and values != [None] * 4 and (following in ADJECTIVES or painted):  # "a large, red cube"
                self.at += 1
                continue
            if word not in ADJECTIVES:
                break
            self.set_value(values, *ADJECTIVES[word])
            self.at += 1
        name, plural, dye = None, False, None
        if another and values == [None] * 4 and self.after_is_end(0) and word != "one":  # "and another on the right"
            shape, name = self.last_noun
            if not self.mentions or any((one.shape, one.name) != self.last_noun for one in self.mentions):
                raise Unreadable  # another what?
            self.at -= 1
            self.usual = False
        elif word == "one":  # "a small one": the same noun as before
            shape, name = self.last_noun
        elif word in NOUNS:
            shape, plural = NOUNS[word]
        elif kind_of(word) == NAME:
            shape, name, plural, dye = None, word.value, word.plural, word.dye
        else:
            raise Unreadable
        self.at += 1
        values[SHAPE] = shape
        self.last_noun = shape, name
        if self.take("made", "of"):
            attribute, value = ADJECTIVES.get(self.peek() or "", (None, None))
            if attribute != MATERIAL:
                raise Unreadable
            self.set_value(values, attribute, value)
            self.at += 1
        if name is not None and values[MATERIAL] is not None:  # what a thing is made of is not ours to say
            raise Unreadable
        found = Mention(*values, name=name, dye=dye)
        own = count is None and name is not None and name.startswith(f"{OWN} ") and not plural  # "my mug" is one thing
        if (definite or own) and not another:
            for index, earlier in enumerate(self.mentions):
                as_many = earlier.count == 1 if own else count in (None, earlier.count)
                if index != exclude and as_many and self.covers(found, earlier):
                    return index
            self.usual = self.usual and own  # captions say "the" of what they have mentioned
        if count is None:
            plural = plural or (plural_open and name is not None and invariant(name) and not (is_plural(name) or is_mass(name)))
            count = 2 if plural else 1
            plural_open = plural_open or plural
        self.mentions.append(replace(found, count=count, open=plural_open and count > 1))
        self.compared[len(self.mentions) - 1] = compared
        return len(self.mentions) - 1

    def at_mention(self) -> bool:
        """Whether a noun phrase begins here (nothing is consumed)."""
        start, noun, count, usual = self.at, self.last_noun, len(self.mentions), self.usual
        try:
            self.mention()
        except Unreadable:
            return False
        finally:
            self.at, self.last_noun, self.usual = start, noun, usual
            del self.mentions[count:]
        return True

    def covers(self, mention: Mention, other: Mention) -> bool:
        """Whether all that `other` describes is what `mention` describes."""
        above = frozenset() if self.lexicon is None else self.lexicon.above(other.name)
        return mention.covers(other.attributes, above | other.kinds)

    @staticmethod
    def set_value(values: list[int | None], attribute: int, value: int) -> None:
        if values[attribute] not in (None, value):  # "a red blue cube"
            raise Unreadable
        values[attribute] = value

    def after_is_end(self, ahead: int) -> bool:
        """Whether "one" here stands for a noun: nothing that could be counted follows."""
        following = self.peek(ahead)
        said = following in ADJECTIVES or following in COMPARED or following in NOUNS
        return not said and kind_of(following) != NAME

    def is_one(self, mention: int) -> bool:
        """Whether "are" after a mention cannot be said of it alone."""
        one = self.mentions[mention]
        return one.count == 1 and not (one.name is not None and is_plural(one.name))

    def introduces(self, ahead: int) -> bool:
        """Whether a thing is mentioned so many words from here."""
        word = self.peek(ahead)
        return word in ("a", "an", "the", "another", "some") or word in NUMBERS or kind_of(word) == NAME

    def take_atom(self, kind: str) -> str | None:
        """Consumes a phrase that the lexicon knows, of this kind, and returns what it stands for."""
        word = self.peek()
        if kind_of(word) != kind:
            return None
        self.at += 1
        return word.value

    def peek(self, ahead: int = 0) -> str | None:
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else None

    def take_word(self, *choices: str) -> bool:
        taken = self.peek() in choices
        self.at += taken
        return taken

    def take(self, *words: str) -> bool:
        taken = tuple(self.words[self.at : self.at + len(words)]) == words
        self.at += len(words) * taken
        return taken

    def take_any(self, phrases: list[tuple[tuple[str, ...], str]]) -> str | None:
        """Consumes the first matching phrase (longest first) and returns its kind."""
        for words, kind in phrases:
            if self.take(*words):
                return kind
        return None
