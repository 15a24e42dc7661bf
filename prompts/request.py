"""What a prompt asks for: the things it mentions, how they stand to one another, and before what."""
from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from prompts.plurals import plural
from prompts.vocabulary import PLURALS, describe

NO_KINDS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Mention:
    """One thing that a prompt asks for: "three red cubes" has color red, shape cube, count 3.

    Attributes are indices into the vocabulary, None where nothing is said. `count` objects are wanted, exactly so many
    when it is two or more; with `open` ("some cubes") so many at least. `name` is a concept of a lexicon, such as "cat" or
    "animal"; `place` is one of `places.REGIONS`.
    """

    shape: int | None = None
    size: int | None = None
    material: int | None = None
    color: int | None = None
    count: int = 1
    open: bool = False
    name: str | None = None
    place: str | None = None

    @property
    def attributes(self) -> tuple[int | None, int | None, int | None, int | None]:
        return self.shape, self.size, self.material, self.color

    def covers(self, attributes: tuple[int | None, ...] | list[int], kinds: Set[str] = NO_KINDS) -> bool:
        """Whether an object (or a fuller mention) with these attributes is what this mention describes. `kinds` are the
        concepts that it falls under, none for a solid."""
        if self.name is not None and self.name not in kinds:
            return False
        return all(wanted is None or wanted == given for wanted, given in zip(self.attributes, attributes, strict=True))

    def __str__(self) -> str:
        name = describe(self.attributes)
        if self.name is not None:
            name = f"{name.removesuffix('object')}{self.name}"
        if self.count == 1:
            return name
        if self.name is not None:
            return f"{'some' if self.open else self.count} {name.removesuffix(self.name)}{plural(self.name)}"
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
