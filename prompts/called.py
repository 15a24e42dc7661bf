"""What objects of a picture are called: solids by their attributes, other things by the names of a lexicon."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from prompts.lexicon import Lexicon
from prompts.plurals import article, is_mass, is_plural
from prompts.request import NO_KINDS, Mention
from prompts.vocabulary import SIZE, combinations


@dataclass(frozen=True)
class Called:
    """What one object is called.

    Args:
        attributes: shape, size, material, color as indices; -1 where it has none that is known.
        name: a concept of a lexicon; None for a solid.
        kinds: the concepts that it falls under, its name's among them.
    """

    attributes: tuple[int, ...]
    name: str | None = None
    kinds: frozenset[str] = NO_KINDS

    @property
    def mention(self) -> Mention:
        """The words for it."""
        return Mention(*(None if value < 0 else value for value in self.attributes), name=self.name)

    def fits(self, mention: Mention) -> bool:
        """Whether it is what a mention describes. How large something is that has no size of its own, it does not say."""
        if self.attributes[SIZE] < 0:
            mention = replace(mention, size=None)
        return mention.covers(self.attributes, self.kinds)

    @property
    def introduced(self) -> str:
        """With the article that it wants: "a red cube", "an apple", "grapes"."""
        words = str(self)
        bare = self.name is not None and (is_plural(words) or is_mass(words))
        return words if bare else f"{article(words)} {words}"

    def __str__(self) -> str:
        return str(self.mention)


def every_calling(lexicon: Lexicon | None) -> tuple[Called, ...]:
    """All that an object may be called: every full description of a solid and, with a lexicon, the most special name of each
    of its objects, with the colour that tells a red apple from a green one."""
    found = {row: Called(row) for row in combinations()}
    for member in sorted(lexicon.kinds) if lexicon is not None else ():
        called = called_as(member, (-1, -1, -1, -1), lexicon)
        found.setdefault((called.name, called.attributes), called)
    return tuple(found.values())


def called_as(member: str | None, attributes: Sequence[int], lexicon: Lexicon | None) -> Called:
    """What an object of a pack is called by `every_calling`: `member` is its name there, None for a solid."""
    kinds = () if lexicon is None or member is None else lexicon.kinds.get(member, ())
    if not kinds:
        return Called(tuple(attributes))
    return Called((-1, -1, -1, lexicon.colors.get(member, -1)), kinds[0], lexicon.above(kinds[0]))
