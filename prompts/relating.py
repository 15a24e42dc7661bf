"""Reads how things stand to one another: relations before what they are to, "left of a cube", and after it, "to its left"."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from prompts.lexicon import Lexicon
from prompts.marking import PLACE, RELATION
from prompts.noun_phrases import NounPhrases, Unreadable, phrases
from prompts.request import Relation
from prompts.synonyms import STOPS
from prompts.vocabulary import (
    ABOVE,
    BEHIND,
    BELOW,
    BETWEEN,
    FRONT,
    NEXT,
    ON,
    RELATION_IN_PICTURE,
    RELATION_SAID_AS,
    RELATION_TO_IT,
    RELATION_TO_THEM,
)

_RELATIONS = phrases(RELATION_SAID_AS | {BETWEEN: (BETWEEN,)})
_POSTFIX = phrases(RELATION_TO_IT) + phrases(RELATION_TO_THEM | {BETWEEN: ("between them",)})
IN_PICTURE = phrases(RELATION_IN_PICTURE)
_ALONE = phrases({BETWEEN: ("between",), BEHIND: ("behind",), NEXT: ("beside",), ABOVE: (ABOVE,), BELOW: (BELOW,)})
_IN_PICTURE = frozenset(said.split()[-1] for forms in RELATION_IN_PICTURE.values() for said in forms)
IS = ("is", "are")
_STOPS = tuple(STOPS)


class Relating(NounPhrases):
    """The same with the relations that are read so far."""

    def __init__(self, words: list[str], lexicon: Lexicon | None) -> None:
        super().__init__(words, lexicon)
        self.relations: list[Relation] = []
        self.background: list[str] = []
        self.listed: list[int] = []  # mentions of the sentence before of which nothing more was said
        self.pictured: list[tuple[int, str]] = []  # mentions that are "in the background" of all others, and how they stand
        self.group: tuple[int, ...] = ()  # mentions of which the clause before was said together, which "they" are then
        self.said_at = 0  # where the last relation to "it" or "them" began, if it was one

    def relation(self) -> str | None:
        found = self.take_atom(RELATION) or self.take_any(_RELATIONS)
        return ON if found is None and self.lexicon is not None and self.take_word("on") else found

    def postfix(self) -> str | None:
        """A relation to the thing said before: "on its left", "above it"."""
        self.said_at = self.at
        if found := self.take_any(_POSTFIX):
            return found
        if found := self.take_any(IN_PICTURE):
            self.usual = False
            return found
        start = self.at
        if self.lexicon is not None and self.take("on", "top") and self.peek() in (None, *_STOPS, "and"):
            self.usual = False
            return ON
        self.at = start
        found = FRONT if self.take("in", "front") and self.peek() != "of" else None
        if found is None:
            self.at = start
            found = self.take_any(_ALONE)
        if found and (self.peek() in (None, *_STOPS) or (self.peek() == "and" and self.introduces(1))):
            self.usual = False  # "with a dog in front and a tree behind"
            return found
        self.at = start
        if (found := self.relation()) and self.take_word("it", "them"):
            self.usual = self.usual and self.lexicon is not None
            return found
        self.at = start
        return None

    def put(self, mention: int, place: str) -> None:
        """That a mention is at a place in the picture."""
        if self.mentions[mention].place not in (None, place):
            raise Unreadable
        self.mentions[mention] = replace(self.mentions[mention], place=place)

    def linked(self, read: Callable[[], str | None]) -> str | None:
        """What may come after "is" or "are" as it does without."""
        start = self.at
        self.take_word(*IS)
        found = read()
        if found is None:
            self.at = start
        return found

    def pointing_back(self) -> str | None:
        """A relation to "it" after which nothing is introduced that stands so."""
        start = self.at
        found = self.postfix()
        told = found and not {"it", "its"}.isdisjoint(self.words[start : self.at]) and not self.introduces(0)
        if told and self.peek() not in (",", ":", "there", *IS):
            return found
        self.at = start
        return None

    def fronted_in_picture(self) -> str | None:
        """"in the background" where a clause begins with it: "in the background is a house", "in the background, a house"."""
        start = self.at
        if found := self.take_any(IN_PICTURE):
            linked = self.take_word(",", ":") or (self.take_word("there"), self.take_word(*IS))[1]
            if linked or self.introduces(0):
                return found
        self.at = start
        return None

    def fronted_postfix(self) -> str | None:
        """A relation to what was said before with which a clause begins: "next to it is", "to its left,"."""
        start = self.at
        found = self.postfix()
        if found and (self.take_word(",", ":") or self.take("there", "is") or self.take("there", "are") or self.take_word(*IS)):
            return found
        if found and self.introduces(0):  # "to its right an owl"
            return found
        self.at = start
        return None

    def is_fronted(self, subject: int | None = None, within: bool = False) -> bool:
        """Whether "RELATION object (there) is subject" begins here, or "RELATION object subject", or "RELATION object, subject"
        where the object is what was spoken of before (nothing is consumed); `within` a clause only the first is."""
        start, noun, count = self.at, self.last_noun, len(self.mentions)
        fronted = False
        if (kind := self.relation()) and self.peek() not in ("and", ",", "it", "them"):
            target, _ = self.target(kind)
            fronted = self.peek() in ("there", *IS) or (not within and self.introduces(0))
            known = subject in (None, target) or self.words[start - 1 : start] in (["."], [";"])
            if self.peek() in (",", ":") and not within and known:
                fronted = self.introduces(1)
        self.at, self.last_noun = start, noun
        del self.mentions[count:]
        return fronted

    def joined_relation(self) -> str | None:
        """A relation that has its object in common with the one before."""
        start = self.at
        self.take_word(",")
        if self.take_word("and") and (found := self.relation()):
            return found
        self.at = start
        return None

    def at_relation(self) -> bool:
        """Whether a relation begins here (nothing is consumed)."""
        start, found = self.at, self.relation()
        self.at = start
        return found is not None

    def relate(self, subject: int, kind: str) -> int:
        kinds = [kind]
        while more := self.joined_relation():  # "left of and behind a cube"
            kinds.append(more)
        if len(kinds) > 1:
            self.usual = False
            self.take_word(",")
            if BETWEEN in kinds:
                raise Unreadable
        target, other = self.target(kind, subject)
        self.relations += [Relation(subject, one, target, other) for one in kinds]
        return target if other is None else other

    def target(self, kind: str, subject: int | None = None) -> tuple[int, int | None]:
        """What a relation is to: one mention, or two where the subject stands between them."""
        if self.peek() in ("it", "them"):
            return self.pointed_at(subject), None
        target = self.mention(exclude=subject)
        if kind != BETWEEN or self.mentions[target].count == 2:
            return target, None
        if place := self.take_atom(PLACE):  # "between a dog on the left and a cat on the right"
            self.usual = False
            self.put(target, place)
        if self.mentions[target].count != 1 or not self.take("and"):
            raise Unreadable
        return target, self.mention(exclude=subject)

    def pointed_at(self, subject: int | None) -> int:
        """What "it" or "them" is, in what is said of a mention: "a cat smaller than a dog and left of it"."""
        several = self.words[self.at] == "them"
        self.at += 1
        self.usual = False
        for relation in reversed(self.relations):
            if subject in relation.mentions and relation.kind != BETWEEN:
                other = relation.object if subject == relation.subject else relation.subject
                if self.is_one(other) == several:
                    raise Unreadable
                return other
        if several or len(self.listed) != 1:
            raise Unreadable
        return self.listed[0]

    def stands(self, subject: int, kind: str, anchor: int | None) -> None:
        """That a mention stands so to "it" or "them", which `anchor` is, the one said before."""
        if anchor is None or anchor == subject:
            # "a table with a cake on it" has the table for its background
            if kind != ON or not self.background:
                raise Unreadable
        elif self.in_picture():
            if (anchor, kind) not in self.pictured:
                self.relations.append(Relation(subject, kind, anchor))
            self.pictured.append((subject, kind))
        elif kind != BETWEEN and self.plural_pronoun() and self.is_one(anchor):  # "a cat and a dog with a tree behind them"
            self.usual = False
            several = self.group or range(len(self.mentions))
            self.relations += [Relation(subject, kind, k) for k in several if k != subject]
        elif kind != BETWEEN or self.mentions[anchor].count == 2:
            self.relations.append(Relation(subject, kind, anchor))
        else:
            two = [k for k in range(len(self.mentions)) if k != subject]
            if len(two) != 2 or any(self.mentions[k].count != 1 for k in two):
                raise Unreadable
            self.usual = False
            self.relations.append(Relation(subject, BETWEEN, *two))

    def in_picture(self) -> bool:
        """Whether what was read last is "in the background"."""
        return self.words[self.at - 1] in _IN_PICTURE

    def plural_pronoun(self) -> bool:
        """Whether the relation to what was said before that was read last is to "them"."""
        return bool({"them", "their"} & set(self.words[self.said_at : self.at]))
