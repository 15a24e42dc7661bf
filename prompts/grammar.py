"""Parses a prompt into a `SceneRequest`: which objects, how many of each, and how they stand to one another.

One pass of recursive descent over the words; whatever the language does not cover gives None, never a guess.
"""
from __future__ import annotations

from dataclasses import replace

from prompts.lexicon import Lexicon
from prompts.marking import GROUND, NAME, PLACE, RELATION, Atom
from prompts.plurals import OWN
from prompts.request import Mention, Relation, SceneRequest
from prompts.rewording import reword
from prompts.synonyms import STOPS
from prompts.vocabulary import (
    ADJECTIVES,
    BETWEEN,
    MATERIAL,
    NOTHING,
    NOUNS,
    NUMBERS,
    ON,
    OPENERS,
    RELATION_SAID_AS,
    RELATION_TO_IT,
    RELATION_TO_THEM,
    SHAPE,
)


def parse(prompt: str, lexicon: Lexicon | None = None) -> SceneRequest | None:
    """The request that `prompt` makes, or None where the grammar cannot read it.

    With a lexicon it may name that lexicon's things, say where in the picture they are, and before what background.
    """
    try:
        return _Parser(list(reword(prompt, lexicon=lexicon).words), lexicon).request()
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


def _kind(word: str | None) -> str | None:
    """Which kind of atom a word is."""
    return word.kind if isinstance(word, Atom) else None


class _Parser:
    """State of one parse: where it stands, and what it has understood so far."""

    def __init__(self, words: list[str], lexicon: Lexicon | None) -> None:
        while words and words[-1] in _STOPS:
            words = words[:-1]
        self.words, self.at, self.lexicon = words, 0, lexicon
        self.mentions: list[Mention] = []
        self.relations: list[Relation] = []
        self.background: list[str] = []
        self.last_noun: tuple[int | None, str | None] = (None, None)  # shape and name said last, for "a small one"

    def request(self) -> SceneRequest:
        self.take_any(_OPENERS)
        if tuple(word for word in self.words if _kind(word) != GROUND) in _NOTHING:
            return SceneRequest(background=tuple(word.value for word in self.words if _kind(word) == GROUND))
        if not self.words:
            raise _Unreadable
        subject: int | None = None
        while self.at < len(self.words):
            if self.scenery():
                self.take_word(*_IS)
            if self.at < len(self.words):
                subject = self.clause(subject)
                self.separator()
        return SceneRequest(tuple(self.mentions), tuple(dict.fromkeys(self.relations)), tuple(dict.fromkeys(self.background)))

    def scenery(self) -> bool:
        """Takes the backgrounds that are said here, with what joins them; whether there were any."""
        count = len(self.background)
        while ground := self.take_atom(GROUND):
            self.background.append(ground)
            start = self.at
            if self.take_word(",", "and") and _kind(self.peek()) != GROUND and self.words[start] == "and":
                self.at = start
        return len(self.background) > count

    def clause(self, subject: int | None) -> int:
        """One clause; `subject` is that of the clause before, for "and behind a cube". Returns its own subject."""
        if self.take_word("there") and not self.take_word(*_IS):
            raise _Unreadable
        if place := self.take_atom(PLACE):
            return self.placed(place, subject)
        fronted = self.is_fronted()
        if kind := self.relation():
            if fronted:  # "behind a can (there) is a box"
                target, other = self.target(kind)
                self.take_word("there")
                self.take_word(*_IS)
                subject = self.mention(exclude=target)
                self.relations.append(Relation(subject, kind, target, other))
                if place := self.take_atom(PLACE):
                    self.put(subject, place)
                self.scenery()
                return subject
            if subject is None:
                raise _Unreadable
            target = self.relate(subject, kind)
        else:
            subject = target = self.mention()
            kind = None
        self.tail(subject, target, kind)
        return subject

    def placed(self, place: str, subject: int | None) -> int:
        """A clause that begins with a place: "at the top (there) is a kite", or of the subject, "and at the top"."""
        if self.peek() in (None, *_STOPS, "and"):
            if subject is None:
                raise _Unreadable
            self.put(subject, place)
            return subject
        if not self.take_word(","):
            self.take_word("there")
            self.take_word(*_IS)
        subject = self.mention()
        self.put(subject, place)
        self.tail(subject, subject, None)
        return subject

    def put(self, mention: int, place: str) -> None:
        if self.mentions[mention].place not in (None, place):
            raise _Unreadable
        self.mentions[mention] = replace(self.mentions[mention], place=place)

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
            elif place := self.take_atom(PLACE):
                self.put(last if which or not (first and linked) else subject, place)
                kind = None  # "and" after this starts a new thing, as after a background
            elif self.scenery():
                kind = None
            elif which or linked:
                raise _Unreadable
            elif self.take_word("with"):
                anchor, last = last, self.mention(exclude=last)
                if found := self.postfix():
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
        if self.peek() == "there" or _kind(self.peek()) in (PLACE, GROUND) or self.is_fronted():
            return True
        start, noun, count = self.at, self.last_noun, len(self.mentions)
        own = False
        if not self.relation():
            self.mention()
            self.take_atom(PLACE)
            own = bool(self.relation()) or self.peek() in (*_IS, "with", "that", "which")
        self.at, self.last_noun = start, noun
        del self.mentions[count:]
        return own

    def at_relation(self) -> bool:
        """Whether a relation begins here (nothing is consumed)."""
        start, found = self.at, self.relation()
        self.at = start
        return found is not None

    def is_fronted(self) -> bool:
        """Whether "RELATION object (there) is subject" begins here (nothing is consumed)."""
        start, noun, count = self.at, self.last_noun, len(self.mentions)
        fronted = False
        if kind := self.relation():
            self.target(kind)
            fronted = self.peek() in ("there", *_IS)
        self.at, self.last_noun = start, noun
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
        name, plural, dye = None, False, None
        if word == "one":  # "a small one": the same noun as before
            shape, name = self.last_noun
        elif word in NOUNS:
            shape, plural = NOUNS[word]
        elif _kind(word) == NAME:
            shape, name, plural, dye = None, word.value, word.plural, word.dye
        else:
            raise _Unreadable
        self.at += 1
        values[SHAPE] = shape
        self.last_noun = shape, name
        if self.take("made", "of"):
            attribute, value = ADJECTIVES.get(self.peek() or "", (None, None))
            if attribute != MATERIAL:
                raise _Unreadable
            self.set_value(values, attribute, value)
            self.at += 1
        if name is not None and values[MATERIAL] is not None:  # what a thing is made of is not ours to say
            raise _Unreadable
        found = Mention(*values, name=name, dye=dye)
        own = count is None and name is not None and name.startswith(f"{OWN} ") and not plural  # "my mug" is one thing
        if (definite or own) and not another:
            for index, earlier in enumerate(self.mentions):
                as_many = earlier.count == 1 if own else count in (None, earlier.count)
                if index != exclude and as_many and self.covers(found, earlier):
                    return index
        if count is None:
            count = 2 if plural else 1
            plural_open = plural_open or plural
        self.mentions.append(replace(found, count=count, open=plural_open and count > 1))
        return len(self.mentions) - 1

    def covers(self, mention: Mention, other: Mention) -> bool:
        """Whether all that `other` describes is what `mention` describes."""
        above = frozenset() if self.lexicon is None else self.lexicon.above(other.name)
        return mention.covers(other.attributes, above | other.kinds)

    @staticmethod
    def set_value(values: list[int | None], attribute: int, value: int) -> None:
        if values[attribute] not in (None, value):  # "a red blue cube"
            raise _Unreadable
        values[attribute] = value

    def after_is_end(self, ahead: int) -> bool:
        """Whether "one" here stands for a noun: nothing that could be counted follows."""
        following = self.peek(ahead)
        return following not in ADJECTIVES and following not in NOUNS and _kind(following) != NAME

    def relation(self) -> str | None:
        found = self.take_atom(RELATION) or self.take_any(_RELATIONS)
        return ON if found is None and self.lexicon is not None and self.take_word("on") else found

    def postfix(self) -> str | None:
        """A relation to the thing said before: "on its left", "above it"."""
        if found := self.take_any(_POSTFIX):
            return found
        start = self.at
        if self.lexicon is not None and (found := self.relation()) and self.take_word("it", "them"):
            return found
        self.at = start
        return None

    def take_atom(self, kind: str) -> str | None:
        """Consumes a phrase that the lexicon knows, of this kind, and returns what it stands for."""
        word = self.peek()
        if _kind(word) != kind:
            return None
        self.at += 1
        return word.value

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
