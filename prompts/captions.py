"""Writes captions that are true of a scene.

Plain lists and `random.Random` only: this runs once per training scene. `plan` decides what is said, `Writer` how.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from prompts.plurals import article
from prompts.request import Mention, Relation, SceneRequest
from prompts.satisfied import CLEAR, holds
from prompts.spans import Span, marked, without_marks
from prompts.vocabulary import (  # fmt: skip
    ANY_SHAPE,
    BEHIND,
    COLOR,
    FRONT,
    LEFT,
    MATERIAL,
    MORE_SAID_AS,
    MORE_TO_IT,
    MORE_TO_THEM,
    NEXT,
    NOTHING,
    OPENERS,
    PLURALS,
    RELATION_SAID_AS,
    RELATION_TO_IT,
    RELATION_TO_THEM,
    RIGHT,
    SAID_AS,
    SHAPE,
    SIZE,
    VALUES,
    number_said,
)

MAX_MENTIONS = 6
_SAID_AS = RELATION_SAID_AS | MORE_SAID_AS
_TO_IT, _TO_THEM = RELATION_TO_IT | MORE_TO_IT, RELATION_TO_THEM | MORE_TO_THEM
_KINDS = (LEFT, RIGHT, LEFT, RIGHT, FRONT, BEHIND, NEXT)


@dataclass(frozen=True)
class Caption:
    """A caption, what it says, and which of its words speak of what, from left to right."""

    text: str
    request: SceneRequest
    spans: tuple[Span, ...] = ()


def write(
    attributes: Sequence[Sequence[int]], box: Sequence[Sequence[float]], depth: Sequence[float], random: Random,
    whole: float = 0.9,
) -> Caption:
    """A caption that is true of the scene.

    `attributes` (N, 4) indices, `box` (N, 4) cx, cy, w, h in canvas units, `depth` (N,) larger farther: plain lists,
    real objects only. `whole` is the chance that every object is mentioned; otherwise a part of them is.
    """
    return say(plan(attributes, box, depth, random, whole), random)


def write_object(attributes: Sequence[int], random: Random) -> Caption:
    """A caption of a single object, with none to all of its attributes."""
    return say(SceneRequest((mention_of(attributes, draw_style(random), random),)), random)


def say(request: SceneRequest, random: Random) -> Caption:
    """Words for a request. A relation whose objects cannot be told apart in words is left unsaid (see the result)."""
    return Writer(request, random).caption()


# What is said ---------------------------------------------------------------------------------------------------------


def plan(attributes: Sequence, box: Sequence, depth: Sequence, random: Random, whole: float = 0.9) -> SceneRequest:
    """Chooses objects, attributes and relations to say; arguments as for `write`. True of the scene by construction."""
    n = len(attributes)
    indices = list(range(n))
    random.shuffle(indices)
    style = draw_style(random)
    if n > MAX_MENTIONS and random.random() < whole:
        style = (1.0, 0.0, 0.0, 0.0)  # by shape alone, so that a few counted groups cover the scene
        grouped = True
    else:
        if n > MAX_MENTIONS or (n > 1 and random.random() >= whole):
            indices = indices[: random.randint(1, min(n - 1, MAX_MENTIONS))]
        grouped = random.random() < 0.8
    mentions, members = _group(attributes, indices, style, grouped, random)

    def stands(p: int, kind: str, q: int) -> bool:
        return holds(kind, box[p], depth[p], box[q], depth[q], CLEAR)

    return SceneRequest(tuple(mentions), choose_relations(mentions, members, lambda: turned(_KINDS, random), stands, random))


def draw_style(random: Random) -> tuple[float, float, float, float]:
    """Chance of saying shape, size, material, color throughout one caption."""
    u = random.random()
    if u < 0.15:
        return 1.0, 1.0, 1.0, 1.0
    if u < 0.4:
        return 1.0, 0.0, 0.0, 1.0
    if u < 0.48:
        return 1.0, 0.0, 0.0, 0.0
    if u < 0.53:
        return 1.0, 0.0, 1.0, 1.0
    if u < 0.58:
        return 1.0, 1.0, 0.0, 1.0
    if u < 0.61:
        return 0.0, 0.0, *random.choice(((1.0, 0.0), (0.0, 1.0)))  # "two metal things"
    return 0.93, 0.4, 0.4, 0.7


def mention_of(attributes: Sequence[int], style: tuple[float, ...], random: Random) -> Mention:
    return Mention(*[value if keep > random.random() else None for value, keep in zip(attributes, style, strict=True)])


def _group(
    attributes: Sequence, indices: list[int], style: tuple, grouped: bool, random: Random,
) -> tuple[list[Mention], list[list[int]]]:
    """Mentions of the objects `indices`, equal ones counted together, and which objects each stands for."""
    groups: dict[Mention, list[int]] = {}
    singles: list[tuple[Mention, list[int]]] = []
    for k in indices:
        mention = mention_of(attributes[k], style, random)
        if grouped:
            groups.setdefault(mention, []).append(k)
        else:
            singles.append((mention, [k]))
    unsaid = [attributes[k] for k in range(len(attributes)) if k not in indices]
    for mention, group in groups.items():
        if len(group) == 1:
            singles.append((mention, group))
        elif any(mention.covers(row) for row in unsaid):  # "two cubes" would be wrong of three
            singles += [(mention, [k]) for k in group]
        else:
            vague = random.random() < 0.04
            singles.append((replace(mention, count=2 if vague else len(group), open=vague), group))
    return [mention for mention, _ in singles], [group for _, group in singles]


def choose_relations(
    mentions: Sequence[Mention],
    members: Sequence[Sequence[int]],
    kinds: Callable[[], Sequence[str]],
    stands: Callable[[int, str, int], bool],
    random: Random,
) -> tuple[Relation, ...]:
    """Relations that clearly hold, in an order and number that reads well: each mention is tied to one before it.

    `members` are the objects of each mention, `kinds` draws the order in which relations are tried, and `stands` says whether
    one holds between two objects.
    """
    many = len(mentions) > 3
    chance = 0.8 if len(mentions) == 2 else random.choice((0.2, 0.8, 1.0, 1.0) if many else (0.2, 0.7, 1.0))
    in_a_row = many and random.random() < 0.5  # each tied to the one before it
    found = []
    for i in range(1, len(mentions)):
        if random.random() > chance or mentions[i].open:
            continue
        j = i - 1 if in_a_row else random.randrange(i)
        a, b = (i, j) if random.random() < 0.5 else (j, i)
        for kind in kinds():
            if not mentions[j].open and all(stands(p, kind, q) for p in members[a] for q in members[b]):
                found.append(Relation(a, kind, b))
                break
    return tuple(found)


def turned(kinds: Sequence[str], random: Random) -> tuple[str, ...]:
    """The kinds from a chance one on, round to the one before it."""
    start = random.randrange(len(kinds))
    return (*kinds[start:], *kinds[:start])


# How it is said -------------------------------------------------------------------------------------------------------


class Writer:
    """Words for one request; keeps track of what has been mentioned, so that "the cube" means one thing."""

    def __init__(self, request: SceneRequest, random: Random) -> None:
        self.mentions, self.todo, self.random = request.mentions, list(request.relations), random
        self.articles = random.random() < 0.7
        self.plain = random.random() < 0.5  # canonical words only
        self.introduced: dict[int, None] = {}  # the mentions said so far, in order
        self.alike: set[Mention] = set()  # what they are
        self.said: list[Relation] = []
        self.last_shape: int | None = None  # of the noun said last, for "a small one"

    def caption(self) -> Caption:
        random = self.random
        if not self.mentions:
            return Caption(random.choice(NOTHING), SceneRequest())
        clauses: list[tuple[str, bool]] = []  # text, and whether it may end in a relation that "and" would continue
        listed_first = self.todo and random.random() < (0.25 if len(self.mentions) == 2 else 0.45)
        if listed_first:
            clauses.append((self.list_of(list(range(len(self.mentions)))), False))
        while self.todo:
            said = len(self.said)
            clause = self.related(self.todo.pop(0))
            if clause:
                clauses.append((clause, len(self.said) > said))
        rest = [k for k in range(len(self.mentions)) if k not in self.introduced]
        if rest:
            clauses.append((self.list_of(rest), False))
        text = self.joined(clauses)
        u = random.random()
        if u < 0.12 and not text.startswith("there"):
            text = f"{random.choice(OPENERS)} {text}"
        elif u < 0.2:
            text += "."
        renumber = {old: new for new, old in enumerate(self.introduced)}
        text, spans = without_marks(text, renumber)
        relations = [Relation(renumber[r.subject], r.kind, renumber[r.object]) for r in self.said]
        return Caption(text, SceneRequest(tuple(self.mentions[k] for k in self.introduced), tuple(relations)), spans)

    def joined(self, clauses: list[tuple[str, bool]]) -> str:
        text, _ = clauses[0]
        for k, (clause, related) in enumerate(clauses[1:], 1):
            after_relation = clauses[k - 1][1]
            # "a left of b and c" means left of both, so a mere list never follows a relation with a bare "and"
            choices = (", ", ". ", "; ", ", and ", *([" and "] if related and after_relation else []))
            text += self.random.choice(choices) + clause
        return text

    def list_of(self, indices: list[int]) -> str:
        random = self.random
        names = [self.first(k) for k in indices]
        text = ", ".join(names[:-1])
        joined = random.choice((" and ", " and ", ", ")) if text else ""
        # "a cat and a dog on the left" are both on the left
        text += (joined if self.shares_place(indices) else ", ") + names[-1] if text else names[-1]
        if random.random() < 0.12:
            text = f"there {self.verb(indices[0])} {text}"
        return text

    def shares_place(self, indices: list[int]) -> bool:
        """Whether the last of several mentions is where the others are, or is said to be nowhere."""
        place = self.mentions[indices[-1]].place
        return place is None or all(self.mentions[k].place == place for k in indices)

    def related(self, relation: Relation) -> str | None:
        """One clause that says `relation`, and at times others of the same subject or object."""
        random = self.random
        s, o = relation.subject, relation.object
        new_subject, new_object = s not in self.introduced, o not in self.introduced
        if new_subject and new_object and self.embeds(relation) and random.random() < 0.08:
            forms = _TO_IT if self.mentions[o].count == 1 else _TO_THEM
            self.said.append(relation)
            return f"{self.first(o)} with {self.first(s)} {random.choice(forms[relation.kind])}"
        if new_subject and self.fronts(relation) and random.random() < 0.08:  # "left of a cube there is a ball"
            target = self.first(o) if new_object else self.again(o)
            if target is None:
                return None
            self.said.append(relation)
            verb = self.verb(s)
            return f"{self.words(relation.kind)} {target} {random.choice(('there ' + verb, verb))} {self.first(s)}"
        verb = self.verb(s)
        subject = self.first(s) if new_subject else self.again(s)
        if subject is None:
            return None
        target = self.first(o) if new_object else self.again(o)
        if target is None:  # what was introduced stays said
            return subject if new_subject else None
        self.said.append(relation)
        words = self.words(relation.kind)
        if new_subject and random.random() < 0.1:
            text = f"there {verb} {subject} {words} {target}"
        elif random.random() < (0.15 if new_subject else 0.7):
            text = f"{subject} {verb} {words} {target}"
        else:
            text = f"{subject} {words} {target}"
        return text + self.continued(s, o, relation.kind)

    def continued(self, s: int, o: int, kind: str) -> str:
        """A second relation in the same clause, where there is one to say."""
        random = self.random
        for relation in self.todo:
            new = relation.object not in self.introduced
            if relation.subject == s and relation.object != o and new and random.random() < 0.6:
                self.todo.remove(relation)
                self.said.append(relation)
                again = relation.kind == kind and random.random() < 0.5 and self.continues(o)
                words = "" if again else self.words(relation.kind) + " "
                return f" and {words}{self.first(relation.object)}"
            if relation.subject == o and relation.object != s and new and random.random() < 0.4:
                self.todo.remove(relation)
                self.said.append(relation)
                link = random.choice((f" that {self.verb(o)}", f" which {self.verb(o)}"))
                return f"{link} {self.words(relation.kind)} {self.first(relation.object)}"
        return ""

    def words(self, kind: str) -> str:
        return kind if self.plain else self.random.choice(_SAID_AS[kind])

    def embeds(self, relation: Relation) -> bool:
        """Whether "an object with a subject RELATION it" may say a relation."""
        return relation.kind != NEXT

    def fronts(self, relation: Relation) -> bool:
        """Whether "RELATION an object is a subject" may say a relation."""
        return True

    def continues(self, k: int) -> bool:
        """Whether "and" after mention k goes on with the relation to it."""
        return True

    def verb(self, k: int) -> str:
        """What mention k does."""
        return "is" if self.mentions[k].count == 1 else "are"

    def first(self, k: int) -> str:
        """The words that introduce mention k: "a red ball", "two cubes", "another can", marked as such."""
        return marked(k, self.introducing(k))

    def again(self, k: int) -> str | None:
        """The words that point back to mention k: "the ball", marked, or None where they could mean another."""
        words = self.pointing_back(k)
        return words and marked(k, words)

    def introducing(self, k: int) -> str:
        mention, random = self.mentions[k], self.random
        again = self.introduce(k)
        words = self.adjectives(mention)
        if words and mention.count == 1 and mention.shape == self.last_shape is not None and random.random() < 0.2:
            words.append("one")
        elif mention.material is not None and random.random() < 0.06:
            material = VALUES[MATERIAL][mention.material]
            words = [*self.adjectives(replace(mention, material=None)), self.noun(mention), "made of", material]
        else:
            words.append(self.noun(mention))
        self.last_shape = mention.shape
        if mention.count > 1:
            if mention.open:
                number = random.choice(("some", ""))
            else:
                number = number_said(mention.count) if random.random() < 0.9 else str(mention.count)
            return " ".join([number, *words]) if number else " ".join(words)
        text = " ".join(words)
        if again and random.random() < 0.6:
            return "another " + text
        if not self.articles:
            return text
        if random.random() < 0.04:
            return "one " + text
        return f"{article(text)} {text}"

    def pointing_back(self, k: int) -> str | None:
        mention, random = self.mentions[k], self.random
        short = replace(mention, size=None, material=None) if random.random() < 0.5 else mention
        if random.random() < 0.5:
            short = replace(short, color=None)
        for reference in (short, mention):
            if self.means_alone(reference, k):
                number = f"{number_said(mention.count)} " if mention.count > 1 and random.random() < 0.5 else ""
                self.last_shape = reference.shape
                return f"the {number}{' '.join([*self.adjectives(reference), self.noun(reference)])}"
        return None

    def introduce(self, k: int) -> bool:
        """Notes that mention k is said; whether one like it was before."""
        again = self.mentions[k] in self.alike
        self.introduced[k] = None
        self.alike.add(self.mentions[k])
        return again

    def means_alone(self, reference: Mention, k: int) -> bool:
        """Whether "the ..." could be mention k, and no other that is said so far."""
        of_it = k in self.introduced and self.means(reference, self.mentions[k])
        return of_it and not any(j != k and self.means(reference, self.mentions[j]) for j in self.introduced)

    def means(self, reference: Mention, other: Mention) -> bool:
        """Whether "the ..." could be another mention."""
        return reference.covers(other.attributes)

    def noun(self, mention: Mention) -> str:
        said = ANY_SHAPE if mention.shape is None else SAID_AS[SHAPE][mention.shape]
        noun = said[0] if self.plain and mention.shape is not None else self.random.choice(said)
        return noun if mention.count == 1 else PLURALS[noun]

    def adjectives(self, mention: Mention) -> list[str]:
        random = self.random
        words = [
            SAID_AS[attribute][value][0] if self.plain else random.choice(SAID_AS[attribute][value])
            for attribute, value in ((SIZE, mention.size), (COLOR, mention.color), (MATERIAL, mention.material))
            if value is not None
        ]
        if len(words) > 1 and random.random() < 0.15:
            random.shuffle(words)
        return words
