"""Reads what is said of several things at once: "a cat and a dog in front of a house", "a house with a cat and a dog behind
it", "a cat and a bigger dog"."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from prompts.lexicon import Lexicon
from prompts.marking import GROUND
from prompts.noun_phrases import kind_of
from prompts.relating import Relating
from prompts.request import Relation
from prompts.synonyms import STOPS
from prompts.vocabulary import ABOVE, BELOW, BETWEEN, NEXT, ON, OPPOSITE

_TURNED = {kind: (other,) for kind, other in OPPOSITE.items() if kind != NEXT} | {BELOW: (ABOVE, ON)}

class Together(Relating):
    """The same with the things that are listed so far."""

    def __init__(self, words: list[str], lexicon: Lexicon | None) -> None:
        super().__init__(words, lexicon)
        self.bare: list[int] = []  # mentions that are listed here, of which nothing is said yet
        self.bare_at = 0  # where the words of the first of them begin

    def listed_before(self, subject: int, began: int, first: int = 0) -> Sequence[int]:
        """The mentions from `first` on that a list has before its last, `subject`, whose words `began` there; the list begins
        a sentence, or comes after a comma. "a cat, and a dog" is no list: captions begin a clause so."""
        ends_list = self.words[began - 1 : began] == ["and"] and (len(self.bare) > 1 or self.words[began - 2] != ",")
        if not ends_list or not self.bare or self.bare != list(range(self.bare[0], subject)):
            return ()
        return self.bare if self.bare[0] == first or (first == 0 and self.words[self.bare_at - 1] in STOPS) else ()

    def stand_together(self, subject: int, kind: str, began: int) -> bool:
        """Whether a list stands so to what the sentence before is of: "a house. A cat and a dog in front of it"."""
        joined = self.listed_before(subject, began, self.listed[-1] + 1) if self.listed else ()
        several = len(self.listed) > 1 or not all(map(self.is_one, self.listed))
        if not joined or kind == BETWEEN or several != self.plural_pronoun():
            return False
        self.relations += [Relation(one, kind, other) for one in (*joined, subject) for other in self.listed]
        return True

    def one_spoken_of(self, before: int | None, kind: str) -> int | None:
        """What "it" is after a clause, of what stands `kind` it: its subject or, where that is several or stands the other way
        round to something, what they stand by. Below a tree on which a bird is, a cat is below both."""
        if before is None or self.plural_pronoun() or self.in_picture():
            return before
        by = [one for one in reversed(self.relations) if one.subject == before and self.is_one(one.object)]
        turned = next((one.object for one in by if kind in _TURNED.get(one.kind, ())), None)
        if turned is not None:
            return turned
        if self.is_one(before) or {"it", "its"}.isdisjoint(self.words[self.said_at : self.at]):
            return before
        return next((one.object for one in by), before)

    def had_together(self, first: int, anchor: int, on_ground: bool) -> bool:
        """Reads the others of several things that stand so to what has them, `first` being read: "a house with a tree, a car
        and a dog in front of it". Where nothing is said of them so, none is consumed; `on_ground`: "on it" is said of a
        background."""
        start, noun, count = self.at, self.last_noun, len(self.mentions)
        group, last = [first], False
        while not last:
            comma, last = self.take_word(","), self.take_word("and")
            if not (comma or last) or not self.introduces(0) or (comma and last and len(group) == 1):
                break
            group.append(self.mention(exclude=anchor))
        found = self.postfix() if last and len(group) > 1 and min(group) >= first else None
        if found not in (None, BETWEEN):
            self.usual = False
            if self.in_picture():
                for one in group:
                    self.stands(one, found, anchor)
            elif not (on_ground and found == ON):
                of_all = self.plural_pronoun() and self.is_one(anchor)
                others = range(first) if of_all else (anchor,)
                self.relations += [Relation(one, found, other) for one in group for other in others]
            return True
        self.at, self.last_noun = start, noun
        del self.mentions[count:]
        return False

    def joined_after(self, first: int) -> None:
        """Reads what is listed after `first`, which stands as `first` does: "behind a ball is a cube and a can"."""
        start, noun, count = self.at, self.last_noun, len(self.mentions)
        if self.take_word("and") and self.introduces(0):
            other = self.mention()
            if other == count and (self.peek() in (None, ".", ";") or kind_of(self.peek()) == GROUND):
                self.usual = False
                self.relations += [replace(one, subject=other) for one in self.relations if one.subject == first]
                return
        self.at, self.last_noun = start, noun
        del self.mentions[count:]

    def said_of_all(self, last: int, others: Sequence[int], say: Callable[[], object], alone: Sequence[str] = ()) -> None:
        """Reads what is said of `last`, and says it of the others too, "a cat and a dog are behind a house", but for relations
        that `last` stands in alone."""
        count = len(self.relations)
        say()
        said = [one for one in self.relations[count:] if one.subject == last and one.kind not in alone]
        # "a cube, a ball and a can left of the cube" says it of the can
        said = [one for one in said if {one.object, one.other}.isdisjoint(others)]
        place = self.mentions[last].place
        for other in others:
            if other != last and (said or place):
                self.usual = False
                self.relations += [replace(one, subject=other) for one in said]
                if place:
                    self.put(other, place)

    def compare(self) -> None:
        """"a cat, a dog and a bigger cow" is a cow bigger than both, and what is compared after it is compared to the cow."""
        since = 0
        for index, kind in sorted(self.compared.items()):
            if kind is not None:
                self.usual = False
                self.relations += [Relation(index, kind, other) for other in range(since, index)]
                since = index
