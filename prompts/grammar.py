"""Parses a prompt into a `SceneRequest`: which objects, how many of each, and how they stand to one another.

One pass of recursive descent over the words; whatever the language does not cover gives None, never a guess.
"""
from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from prompts.lexicon import Lexicon
from prompts.marking import GROUND, NAME, PLACE
from prompts.noun_phrases import Unreadable, kind_of, phrases
from prompts.relating import IN_PICTURE, IS
from prompts.request import Relation, SceneRequest
from prompts.rewording import REMEMBERED, reword
from prompts.synonyms import EACH, STOPS, split_words
from prompts.together import Together
from prompts.vocabulary import (
    ABOVE,
    ADJECTIVES,
    BEHIND,
    BELOW,
    BETWEEN,
    BIGGER,
    FRONT,
    NEXT,
    NOTHING,
    NOUNS,
    NUMBERS,
    ON,
    OPENERS,
    RELATION_IN_PICTURE,
    SMALLER,
)


def parse(prompt: str, lexicon: Lexicon | None = None) -> SceneRequest | None:
    """The request that `prompt` makes, or None where the grammar cannot read it.

    With a lexicon it may name that lexicon's things, say where in the picture they are, and before what background.
    """
    return parsed(prompt, lexicon).request


class Parsed(NamedTuple):
    """What the grammar makes of a prompt."""

    request: SceneRequest | None  # None where it cannot be read
    usual: bool  # whether captions might say it so
    unread: str  # the words that are not understood; none where all are
    left_out: tuple[str, ...] = ()  # what is understood, and is so of nothing


@lru_cache(maxsize=REMEMBERED)
def parsed(prompt: str, lexicon: Lexicon | None = None) -> Parsed:
    """The same as `parse`, with what else can be said of it."""
    reworded = reword(prompt, lexicon=lexicon)
    parser = _Parser(list(reworded.words), lexicon)
    try:
        request = parser.request()
    except Unreadable:
        own = {other: said for said, other in reworded.instead if other not in split_words(prompt)}
        return Parsed(None, False, " ".join(own.get(word, word) for word in parser.unread().split()))
    return Parsed(request, parser.usual, "", parser.of_nothing())


_OPENERS = phrases({"opener": OPENERS})
_NOTHING = {tuple(said.split()) for said in NOTHING}
_STOPS = tuple(STOPS)
_ROWS = {mark: count for count, mark in EACH.items()}
_PICTURED = {BEHIND: "foreground", FRONT: "background"}  # of what is in one of them, the word for the other
UNREAD = 8  # words that are not understood which are said again


class _Parser(Together):
    """State of one parse: where it stands, and what it has understood so far."""

    def __init__(self, words: list[str], lexicon: Lexicon | None) -> None:
        while words and words[-1] in _STOPS:
            words = words[:-1]
        super().__init__(words, lexicon)
        self.opened = False  # whether the sentence began with a background, which "it" is then
        self.spoken: int | None = None  # what "it" was in the clause before

    def request(self) -> SceneRequest:
        self.take_any(_OPENERS)
        if tuple(word for word in self.words if kind_of(word) != GROUND) in _NOTHING:
            return SceneRequest(background=tuple(word.value for word in self.words if kind_of(word) == GROUND))
        if not self.words:
            raise Unreadable
        subject: int | None = None
        self.opened = kind_of(self.words[self.at]) == GROUND
        while self.at < len(self.words):
            if self.scenery():
                self.take_word(",")
                self.take_word(*IS)
                if self.opened and not self.mentions and self.take("on", "it"):  # "a table, on it a cup"
                    self.usual = False
                    self.take_word("there", ",")
                    self.take_word(*IS)
            if self.at < len(self.words):
                said_more = subject if self.words[max(0, self.at - 2) : self.at] == [".", "with"] else None
                subject = self.clause(subject)
                subject = subject if said_more is None else said_more  # "- with a hat", "- next to a dog" are said of a cat
                self.separator()
        for index, kind in self.pictured:
            for other in range(len(self.mentions)):  # but for what is "in the background" too
                related = any({index, other} == {one.subject, one.object} for one in self.relations)
                if other != index and (other, kind) not in self.pictured and not related:
                    self.relations.append(Relation(index, kind, other))
        self.compare()
        return SceneRequest(tuple(self.mentions), tuple(dict.fromkeys(self.relations)), tuple(dict.fromkeys(self.background)))

    def of_nothing(self) -> tuple[str, ...]:
        """"in the foreground" where there is nothing farther away, and the like."""
        placed = {k for one in self.relations if one.kind in RELATION_IN_PICTURE for k in one.mentions}
        return tuple(dict.fromkeys(RELATION_IN_PICTURE[kind][0] for index, kind in self.pictured if index not in placed))

    def unread(self) -> str:
        """What comes after all that was understood, up to the end of the clause."""
        end = self.at
        while end < len(self.words) and (end == self.at or self.words[end] not in _STOPS):
            end += 1
        words = [word for word in self.words[self.at : end] or self.words if word not in _ROWS]
        said = [f"{word.dye} {word}" if kind_of(word) == NAME and word.dye else word for word in words[:UNREAD]]
        return " ".join([*said, *(["..."] if len(words) > UNREAD else [])])

    def scenery(self) -> bool:
        """Takes the backgrounds that are said here, with what joins them; whether there were any."""
        count = len(self.background)
        while ground := self.take_atom(GROUND):
            self.background.append(ground)
            start = self.at
            if self.take_word(",", "and") and kind_of(self.peek()) != GROUND:
                self.at = start
        return len(self.background) > count

    def clause(self, subject: int | None) -> int:
        """One clause; `subject` is that of the clause before, for "and behind a cube". Returns its own subject."""
        if self.take_word("there") and not self.take_word(*IS):
            raise Unreadable
        if place := self.take_atom(PLACE):
            return self.placed(place, subject)
        if found := self.fronted_in_picture():
            return self.pictures(found)
        if subject is not None and self.take("it", "is"):
            self.usual = False
            return self.stated(subject)
        if subject is not None and self.words[self.at - 1] == "," and self.take_word("is"):
            self.usual = False  # "a cat, with a hat on top of it, is on a box"
            return self.stated(subject if self.spoken is None else self.spoken)
        if subject is not None and self.take("they", "are"):
            listed = self.group or (self.listed if self.listed[1:] else range(len(self.mentions)))
            several = listed if self.is_one(subject) else ()
            self.said_of_all(subject, several, lambda: self.stated(subject))
            return subject
        if subject is not None and (found := self.fronted_postfix()):
            self.usual = False
            spoken = self.one_spoken_of(subject, found) if self.spoken is None else self.spoken
            other = self.mention()
            self.stands(other, found, spoken)
            self.joined_after(other)
            self.tail(other, other, None)
            return subject
        fronted, found, joined = self.is_fronted(subject), None, ()
        if kind := self.relation():
            if fronted:  # "behind a can (there) is a box"
                target, other = self.target(kind)
                if not self.take_word("there"):
                    self.usual = not self.take_word(",", ":") and self.peek() in IS and self.usual
                self.take_word(*IS)
                subject = self.mention(exclude=target)
                self.relations.append(Relation(subject, kind, target, other))
                self.joined_after(subject)
                if place := self.take_atom(PLACE):
                    self.put(subject, place)
                self.scenery()
                return subject
            if subject is None:
                raise Unreadable
            count = len(self.relations)
            target = self.relate(subject, kind)
            said = self.relations[count:]
            self.relations += [replace(one, subject=k) for one in said for k in self.group if k != subject]
        else:
            before, began, subject = subject, self.at, self.mention()
            target, kind = subject, None
            if self.peek() == "are" and self.bare and self.is_one(subject):
                self.said_of_all(subject, self.bare, lambda: self.tail(subject, subject, None))
                self.bare = []
                return subject
            if before is None and (found := self.linked(lambda: self.take_any(IN_PICTURE))):
                self.usual = False
                self.pictured.append((subject, found))
            elif self.opened and self.bare and self.take("on", "it"):  # "a table with a cup and a plate on it"
                self.usual = False
            elif found := self.postfix() or (before is not None and self.linked(self.postfix)):
                self.usual = False
                if self.in_picture() and self.bare and self.pictured_together(found, began):
                    self.pictured += [(one, found) for one in (*self.bare, subject)]
                elif self.in_picture() or not self.stand_together(subject, found, began):
                    self.spoken = self.one_spoken_of(before, found) if self.spoken is None else self.spoken
                    self.stands(subject, found, self.beside(subject) if self.spoken == subject else self.spoken)
            if not found:
                self.spoken, self.group = None, ()
            joined = self.listed_before(subject, began)
        end, count = self.at, len(self.relations)
        if not kind and not found and joined and self.together():  # "a cat and a dog in front of a house"
            self.said_of_all(subject, joined, lambda: self.tail(subject, target, kind))
            self.group = (*joined, subject)
            if len(self.relations) > count:
                self.spoken = self.relations[-1].object  # "a cat and a dog in front of a house, a tree behind it"
        else:
            self.tail(subject, target, kind)
        if kind or found or self.at != end:
            self.bare = []
        else:
            self.bare_at = self.bare_at if self.bare else began
            self.bare = [*self.bare, subject]
        return subject

    def beside(self, subject: int) -> int | None:
        """What "it" is in a clause of what the clause before was of: "a cat above a dog. The cat is on its left"."""
        by = (one for one in reversed(self.relations) if subject in one.mentions and one.kind != BETWEEN)
        other = next(by, None)
        return None if other is None else other.object if other.subject == subject else other.subject

    def together(self) -> bool:
        """Whether what begins here can be said of several things at once: a place, or how they stand to another."""
        start, found = self.at, self.relation()
        self.at = start
        return kind_of(self.peek()) == PLACE or found not in (None, BIGGER, SMALLER)

    def pictured_together(self, kind: str, began: int) -> bool:
        """Whether all that is listed up to here is "in the foreground", and not the last of it alone: the background is
        spoken of elsewhere, or nothing but that is listed. In "a dog and a house in the background" the house is behind."""
        return _PICTURED[kind] in self.words or (kind == FRONT and self.words[began - 1] == "and")

    def pictures(self, kind: str) -> int:
        """A clause that begins with "in the background", which has that before all else."""
        self.usual = False
        while True:
            subject = self.mention()
            self.pictured.append((subject, kind))
            start = self.at
            if not self.take("and") or self.starts_clause() or not self.introduces(0):
                self.at = start
                self.tail(subject, subject, None)
                return subject

    def said_of_row(self, count: int, last: int) -> None:
        """What is said of several things that stand so to the next, before them and after them; `last` is the last."""
        group, kinds = [last], set()
        while len(group) < count:
            link = next(one for one in reversed(self.relations) if one.object == group[0])
            kinds.add(link.kind)
            group.insert(0, link.subject)
        stacked = not kinds.isdisjoint((ON, ABOVE, BELOW))
        for k, one in enumerate(self.relations):
            if one.object == group[0] and one.subject not in group:
                if one.kind not in (NEXT, ON, BETWEEN):
                    self.relations += [replace(one, object=other) for other in group[1:]]
                elif one.kind == NEXT and stacked:  # beside a stack is beside the lowest of it
                    self.relations[k] = replace(one, object=last)
        alone = (NEXT, ON) if stacked else (NEXT,)  # what a row ends beside, and what a stack stands on
        self.said_of_all(last, group[:-1], lambda: self.tail(last, last, None), alone)

    def stated(self, subject: int) -> int:
        """What follows "it is": where the subject of the clause before is."""
        if found := self.relation():
            self.tail(subject, self.relate(subject, found), found)
        elif place := self.take_atom(PLACE):
            self.put(subject, place)
            self.tail(subject, subject, None)
        elif not self.scenery():
            raise Unreadable
        return subject

    def placed(self, place: str, subject: int | None) -> int:
        """A clause that begins with a place: "at the top (there) is a kite", or of the subject, "and at the top"."""
        fresh = subject is None or self.mentions[subject].place is not None or self.words[self.at - 2] in (".", ";")
        if self.peek() in (None, *_STOPS, "and") and not (fresh and self.peek() in (",", ":") and self.introduces(1)):
            if subject is None:
                raise Unreadable
            self.put(subject, place)
            return subject
        if self.take_word(",", ":"):
            self.usual = False
        else:
            self.take_word("there")
            self.take_word(*IS)
        subject = self.mention()
        self.put(subject, place)
        self.tail(subject, subject, None)
        return subject

    def tail(self, subject: int, last: int, kind: str | None) -> None:
        """What may follow a mention within its clause: relations, one after the other."""
        first, upon = kind is None, 0
        while True:
            start = self.at
            if self.peek() in _ROWS:
                self.at += 1
                self.said_of_row(_ROWS[self.words[start]], last)
                return
            if self.peek() == "," and self.peek(1) == "which":
                self.at += 1
            which = self.take_word("that", "which")
            linked = self.take_word(*IS)
            if found := self.relation():
                # "a ball left of a cube behind a can": the nearest noun before a relation is its subject
                subject_here = last if which or not (first and linked) else subject
                last = self.relate(subject_here, found)
                kind, first = found, False
            elif place := self.take_atom(PLACE):
                self.put(last if which or not (first and linked) else subject, place)
                kind = None  # "and" after this starts a new thing, as after a background
            elif self.scenery():
                kind, upon = None, self.at
            elif which or linked:
                raise Unreadable
            elif self.take_word("with"):
                anchor, last = last, self.mention(exclude=last)
                if upon == start and self.take("on", "it"):  # "a cat on a table with a cup on it"
                    self.usual = False
                elif found := self.postfix():
                    self.stands(last, found, anchor)
                    kind, last = None, anchor  # "and" after this starts a new thing
                elif self.had_together(last, anchor, upon == start):
                    kind, last = None, anchor
                else:
                    self.usual = False  # captions say then where it is
                    self.tail(last, last, None)
                    return
            elif kind is not None and self.take("and"):
                if kind != BETWEEN and (found := self.pointing_back()):  # "smaller than a cube and to its left"
                    self.relations.append(Relation(subject, found, last))
                    kind = None
                    continue
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

    def is_like(self) -> bool:
        """Whether what begins here says what another thing is like than that which was named last: "red ball blue cube"."""
        word, last = self.peek(), self.words[self.at - 1]
        named = kind_of(last) == NAME or last in NOUNS
        return named and (word in ADJECTIVES or (kind_of(word) == NAME and word.dye is not None))

    def starts_clause(self) -> bool:
        """Whether the mention that begins here is the subject of its own relation (nothing is consumed)."""
        if self.peek() == "there" or kind_of(self.peek()) in (PLACE, GROUND) or self.is_fronted(within=True):
            return True
        start, noun, count, usual = self.at, self.last_noun, len(self.mentions), self.usual
        if self.fronted_postfix():
            self.at = start
            return True
        own = False
        if not self.relation():
            self.mention()
            self.take_atom(PLACE)
            own = bool(self.relation()) or self.peek() in (*IS, "with", "that", "which")
        own = own or self.postfix() is not None
        self.at, self.last_noun, self.usual = start, noun, usual
        del self.mentions[count:]
        return own

    def separator(self) -> None:
        """Punctuation, "and", "with" between clauses; at least one is needed, but not in "2 apples 3 pears"."""
        start = self.at
        while self.take_word(*_STOPS, "and", "with"):
            if self.words[self.at - 1] in (".", ";", ":", "with"):
                self.listed, self.bare = self.bare or self.listed, []
                self.opened = self.opened and self.words[self.at - 1] == "with"
        if self.at == start < len(self.words):
            introduced = self.peek() in ("a", "an", "another", "some") or self.peek() in NUMBERS or self.is_like()
            if not introduced or self.words[start - 1] in NUMBERS or not self.at_mention():
                raise Unreadable
            self.usual = False
