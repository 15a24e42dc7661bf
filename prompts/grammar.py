"""Parses a prompt into a `SceneRequest`: which objects, how many of each, and how they stand to one another.

One pass of recursive descent over the words; whatever the language does not cover gives None, never a guess.
"""
from __future__ import annotations

from dataclasses import dataclass

from prompts.rewording import STOPS, is_free, likely, reword
from prompts.vocabulary import (
    ADJECTIVES,
    BETWEEN,
    MATERIAL,
    NOTHING,
    NOUNS,
    NUMBERS,
    OPENERS,
    PLURALS,
    RELATION_SAID_AS,
    RELATION_TO_IT,
    RELATION_TO_THEM,
    SHAPE,
    WORDS,
    describe,
)
from vle_gen.errors import UserError


@dataclass(frozen=True)
class Mention:
    """One thing that a prompt asks for: "three red cubes" has color red, shape cube, count 3.

    Attributes are indices into the vocabulary, None where nothing is said. `count` objects are wanted, exactly so many
    when it is two or more; with `open` ("some cubes") so many at least.
    """

    shape: int | None = None
    size: int | None = None
    material: int | None = None
    color: int | None = None
    count: int = 1
    open: bool = False

    @property
    def attributes(self) -> tuple[int | None, int | None, int | None, int | None]:
        return self.shape, self.size, self.material, self.color

    def covers(self, attributes: tuple[int | None, ...] | list[int]) -> bool:
        """Whether an object (or a fuller mention) with these attributes is what this mention describes."""
        return all(wanted is None or wanted == given for wanted, given in zip(self.attributes, attributes, strict=True))

    def __str__(self) -> str:
        name = describe(self.attributes)
        if self.count == 1:
            return name
        *words, noun = name.split()
        return " ".join(["some" if self.open else str(self.count), *words, PLURALS[noun]])


@dataclass(frozen=True)
class Relation:
    """`subject` stands `kind` (one of vocabulary.RELATIONS) `object`; both are indices of mentions.

    What stands `BETWEEN` has two of them beside it: `object` and `other`, or the two that `object` counts.
    """

    subject: int
    kind: str
    object: int
    other: int | None = None

    @property
    def mentions(self) -> tuple[int, ...]:
        """All mentions that it is about."""
        return (self.subject, self.object) + (() if self.other is None else (self.other,))


@dataclass(frozen=True)
class SceneRequest:
    """What a prompt asks for. A prompt for an empty scene has no mentions."""

    mentions: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()

    @property
    def count(self) -> int:
        """Number of objects asked for (a lower bound where a mention is open)."""
        return sum(mention.count for mention in self.mentions)


def unknown_words(prompt: str, known: frozenset[str] | set[str] = WORDS) -> list[str]:
    """Words of `prompt` that cannot be said in the words `known`, each once, in order. Punctuation is not a word."""
    return list(reword(prompt, frozenset(known)).unknown)


def require_known(prompt: str, known: frozenset[str] | set[str] = WORDS) -> None:
    """Raises UserError for a prompt without words, or with words that a checkpoint trained on `known` never saw and that
    mean nothing near to what it saw. One that was trained on free text may be asked for anything."""
    read = reword(prompt, frozenset(known))
    if is_free(known):
        if not prompt.strip():
            raise UserError("the prompt is empty: say what to draw")
        return
    if not any(word not in STOPS for word in read.words):
        raise UserError("the prompt is empty: say what to draw, for example 'red ball left of a cube'")
    if read.unknown:
        words = ", ".join(repr(word) for word in read.unknown)
        meant = {word: likely(word) for word in read.unknown}
        hint = "".join(f"; {word!r} may be {other!r}" for word, other in meant.items() if other)
        raise UserError(
            f"this checkpoint has never seen the word{'s' * (len(read.unknown) > 1)} {words}{hint}: it knows cubes, spheres "
            "and cylinders, their colors, sizes and materials, and where they stand"
        )


def parse(prompt: str) -> SceneRequest | None:
    """The request that `prompt` makes, or None where the grammar cannot read it."""
    try:
        return _Parser(list(reword(prompt).words)).request()
    except _Unreadable:
        return None


class _Unreadable(Exception):
    """The words do not form a prompt of the language."""


def _phrases(table: dict[str, tuple[str, ...]]) -> list[tuple[tuple[str, ...], str]]:
    pairs = [(tuple(said.split()), kind) for kind, forms in table.items() for said in forms]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


_RELATIONS = _phrases(RELATION_SAID_AS | {BETWEEN: (BETWEEN,)})
_POSTFIX = _phrases(RELATION_TO_IT) + _phrases(RELATION_TO_THEM | {BETWEEN: ("between them",)})
_OPENERS = _phrases({"opener": OPENERS})
_NOTHING = {tuple(said.split()) for said in NOTHING}
_IS = ("is", "are")
_STOPS = tuple(STOPS)


class _Parser:
    """State of one parse: where it stands, and what it has understood so far."""

    def __init__(self, words: list[str]) -> None:
        while words and words[-1] in _STOPS:
            words = words[:-1]
        self.words, self.at = words, 0
        self.mentions: list[Mention] = []
        self.relations: list[Relation] = []
        self.last_shape: int | None = None  # of the noun said last, for "a small one"

    def request(self) -> SceneRequest:
        self.take_any(_OPENERS)
        if tuple(self.words) in _NOTHING:
            return SceneRequest()
        if not self.words:
            raise _Unreadable
        subject: int | None = None
        while self.at < len(self.words):
            subject = self.clause(subject)
            self.separator()
        return SceneRequest(tuple(self.mentions), tuple(dict.fromkeys(self.relations)))

    def clause(self, subject: int | None) -> int:
        """One clause; `subject` is that of the clause before, for "and behind a cube". Returns its own subject."""
        if self.take_word("there") and not self.take_word(*_IS):
            raise _Unreadable
        fronted = self.is_fronted()
        if kind := self.relation():
            if fronted:  # "behind a can (there) is a box"
                target, other = self.target(kind)
                self.take_word("there")
                self.take_word(*_IS)
                subject = self.mention(exclude=target)
                self.relations.append(Relation(subject, kind, target, other))
                return subject
            if subject is None:
                raise _Unreadable
            target = self.relate(subject, kind)
        else:
            subject = target = self.mention()
            kind = None
        self.tail(subject, target, kind)
        return subject

    def tail(self, subject: int, last: int, kind: str | None) -> None:
        """What may follow a mention within its clause: relations, one after the other."""
        first = kind is None
        while True:
            start = self.at
            which = self.take_word("that", "which")
            linked = self.take_word(*_IS)
            if found := self.relation():
                # "a ball left of a cube behind a can": the nearest noun before a relation is its subject
                subject_here = last if which or not (first and linked) else subject
                last = self.relate(subject_here, found)
                kind, first = found, False
            elif which or linked:
                raise _Unreadable
            elif self.take_word("with"):
                anchor, last = last, self.mention(exclude=last)
                if found := self.take_any(_POSTFIX):
                    if found == BETWEEN and self.mentions[anchor].count != 2:
                        raise _Unreadable
                    self.relations.append(Relation(last, found, anchor))
                    kind = None  # "and" after this starts a new thing
                else:
                    self.tail(last, last, None)
                    return
            elif kind is not None and self.take("and"):
                if self.starts_clause() or (kind == BETWEEN and not self.at_relation()):
                    self.at = start
                    return
                if found := self.relation():  # "left of a cube and behind a can"
                    last = self.relate(subject, found)
                    kind = found
                else:  # "left of a cube and a can": of both
                    last = self.relate(subject, kind)
            else:
                self.at = start
                return

    def relate(self, subject: int, kind: str) -> int:
        target, other = self.target(kind, subject)
        self.relations.append(Relation(subject, kind, target, other))
        return target if other is None else other

    def target(self, kind: str, subject: int | None = None) -> tuple[int, int | None]:
        """What a relation is to: one mention, or two where the subject stands between them."""
        target = self.mention(exclude=subject)
        if kind != BETWEEN or self.mentions[target].count == 2:
            return target, None
        if self.mentions[target].count != 1 or not self.take("and"):
            raise _Unreadable
        return target, self.mention(exclude=subject)

    def starts_clause(self) -> bool:
        """Whether the mention that begins here is the subject of its own relation (nothing is consumed)."""
        if self.peek() == "there" or self.is_fronted():
            return True
        start, shape, count = self.at, self.last_shape, len(self.mentions)
        own = False
        if not self.relation():
            self.mention()
            own = bool(self.relation()) or self.peek() in (*_IS, "with", "that", "which")
        self.at, self.last_shape = start, shape
        del self.mentions[count:]
        return own

    def at_relation(self) -> bool:
        """Whether a relation begins here (nothing is consumed)."""
        start, found = self.at, self.relation()
        self.at = start
        return found is not None

    def is_fronted(self) -> bool:
        """Whether "RELATION object (there) is subject" begins here (nothing is consumed)."""
        start, shape, count = self.at, self.last_shape, len(self.mentions)
        fronted = False
        if kind := self.relation():
            self.target(kind)
            fronted = self.peek() in ("there", *_IS)
        self.at, self.last_shape = start, shape
        del self.mentions[count:]
        return fronted

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
        while True:
            word = self.peek()
            if word == "," and values != [None] * 4 and self.peek(1) in ADJECTIVES:  # "a large, red cube"
                self.at += 1
                continue
            if word not in ADJECTIVES:
                break
            self.set_value(values, *ADJECTIVES[word])
            self.at += 1
        if word == "one":  # "a small one": the same noun as before
            shape, plural = self.last_shape, False
        elif word in NOUNS:
            shape, plural = NOUNS[word]
        else:
            raise _Unreadable
        self.at += 1
        values[SHAPE] = self.last_shape = shape
        if self.take("made", "of"):
            attribute, value = ADJECTIVES.get(self.peek() or "", (None, None))
            if attribute != MATERIAL:
                raise _Unreadable
            self.set_value(values, attribute, value)
            self.at += 1
        found = Mention(*values)
        if definite and not another:
            for index, earlier in enumerate(self.mentions):
                if index != exclude and found.covers(earlier.attributes) and count in (None, earlier.count):
                    return index
        if count is None:
            count = 2 if plural else 1
            plural_open = plural_open or plural
        self.mentions.append(Mention(*values, count=count, open=plural_open and count > 1))
        return len(self.mentions) - 1

    @staticmethod
    def set_value(values: list[int | None], attribute: int, value: int) -> None:
        if values[attribute] not in (None, value):  # "a red blue cube"
            raise _Unreadable
        values[attribute] = value

    def after_is_end(self, ahead: int) -> bool:
        """Whether "one" here stands for a noun: nothing that could be counted follows."""
        following = self.peek(ahead)
        return following not in ADJECTIVES and following not in NOUNS

    def relation(self) -> str | None:
        return self.take_any(_RELATIONS)

    def separator(self) -> None:
        """Punctuation, "and", "with" between clauses; at least one is needed."""
        start = self.at
        while self.take_word(*_STOPS, "and", "with"):
            pass
        if self.at == start < len(self.words):
            raise _Unreadable

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
