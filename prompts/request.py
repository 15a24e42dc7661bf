"""What a prompt asks for: the things it mentions, how they stand to one another, and before what."""
from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from prompts.plurals import plural
from prompts.vocabulary import ADJECTIVES, COLOR, PLURALS, describe

NO_KINDS: frozenset[str] = frozenset()


def dyed(dye: str) -> str:
    """What stands among the kinds of a thing that is painted in a colour."""
    return f"painted {dye}"


@dataclass(frozen=True)
class Mention:
    """One thing that a prompt asks for: "three red cubes" has color red, shape cube, count 3.

    Attributes are indices into the vocabulary, None where nothing is said. `count` objects are wanted, exactly so many
    when it is two or more; with `open` ("some cubes") so many at least. `name` is a concept of a lexicon, such as "cat" or
    "animal"; `place` is one of `places.REGIONS`; `dye` is the colour, in words, that a thing with a name is to have where
    the lexicon has none of that colour: it is painted so.
    """

    shape: int | None = None
    size: int | None = None
    material: int | None = None
    color: int | None = None
    count: int = 1
    open: bool = False
    name: str | None = None
    place: str | None = None
    dye: str | None = None

    @property
    def attributes(self) -> tuple[int | None, int | None, int | None, int | None]:
        return self.shape, self.size, self.material, self.color

    def covers(self, attributes: tuple[int | None, ...] | list[int], kinds: Set[str] = NO_KINDS) -> bool:
        """Whether an object (or a fuller mention) with these attributes is what this mention describes. `kinds` are the
        concepts that it falls under, none for a solid, and `dyed` of the colour that it is painted in; a scene may say that in
        attributes, too."""
        if self.name is not None and self.name not in kinds:
            return False
        if self.dye is not None and dyed(self.dye) not in kinds and ADJECTIVES.get(self.dye) != (COLOR, attributes[COLOR]):
            return False
        return all(wanted is None or wanted == given for wanted, given in zip(self.attributes, attributes, strict=True))

    @property
    def called(self) -> str | None:
        """The name with the colour that it is painted in: "pink cat"."""
        return self.name if self.dye is None else f"{self.dye} {self.name}"

    @property
    def kinds(self) -> frozenset[str]:
        """What `covers` wants of a thing that is painted as this is, beside its concepts."""
        return NO_KINDS if self.dye is None else frozenset((dyed(self.dye),))

    def __str__(self) -> str:
        name = describe(self.attributes)
        if self.name is not None:
            name = f"{name.removesuffix('object')}{self.called}"
        if self.count == 1:
            return name
        if self.name is not None:
            return f"{'some' if self.open else self.count} {name.removesuffix(self.called)}{plural(self.called)}"
        *words, noun = name.split()
        return " ".join(["some" if self.open else str(self.count), *words, PLURALS[noun]])


@dataclass(frozen=True)
class Relation:
    """`subject` stands `kind` (one of vocabulary.RELATIONS or MORE_RELATIONS) `object`; both are indices of mentions.

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
    """What a prompt asks for. A prompt for an empty scene has no mentions.

    `background` is what the picture shows behind and under the things, such as ("lawn", "blue sky").
    """

    mentions: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()
    background: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of objects asked for (a lower bound where a mention is open)."""
        return sum(mention.count for mention in self.mentions)
