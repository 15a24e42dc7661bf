"""The edits that the page asks for, as typed requests that turn into pure edits of tokens."""
from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

import editors
from editors.arrange import DIRECTIONS, EDGES

if TYPE_CHECKING:
    from vle_gen.tokens import VLETokens

Pixels = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)]
Index = Annotated[int, Field(ge=0, le=10_000)]
Indices = Annotated[
    list[Index],
    BeforeValidator(lambda given: given if isinstance(given, list) else [given]),
    Field(min_length=1, max_length=200),
]
"""Tokens by their numbers; a number alone is one of them."""


class _Edit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    index: Indices


class Move(_Edit):
    """Tokens go (dx, dy) pixels on; in perspective they grow as they come nearer."""

    edit: Literal["move"]
    dx: Pixels = 0.0
    dy: Pixels = 0.0
    perspective: bool = False

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.move(tokens, self.index, self.dx, self.dy, perspective=self.perspective)


class Resize(_Edit):
    """Tokens grow by a factor, each on its place on the floor."""

    edit: Literal["resize"]
    factor: float = Field(gt=0.05, lt=20, allow_inf_nan=False)

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.resize(tokens, self.index, self.factor)


class Remove(_Edit):
    """Tokens go."""

    edit: Literal["remove"]

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.remove(tokens, self.index)


class Duplicate(_Edit):
    """Tokens come once more, (dx, dy) pixels on; the copies come last, in the order of the originals."""

    edit: Literal["duplicate"]
    dx: Pixels
    dy: Pixels = 0.0

    def apply(self, tokens: VLETokens) -> VLETokens:
        for index in dict.fromkeys(self.index):
            tokens = editors.duplicate(tokens, index, self.dx, self.dy)
        return tokens


class Raise(_Edit):
    """A token comes before the next nearer one."""

    edit: Literal["raise"]

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.raise_(tokens, self.index)


class Lower(_Edit):
    """A token goes behind the next farther one."""

    edit: Literal["lower"]

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.lower(tokens, self.index)


class Flip(_Edit):
    """Tokens are mirrored left to right, each in its place."""

    edit: Literal["flip"]

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.flip(tokens, self.index)


class Recolor(_Edit):
    """Tokens get another colour, by name or as #rrggbb, or their hue is turned by degrees."""

    edit: Literal["recolor"]
    to: str | None = Field(None, min_length=1, max_length=40)
    by: float | None = Field(None, ge=-360, le=360, allow_inf_nan=False)

    @model_validator(mode="after")
    def _either(self) -> Recolor:
        if (self.to is None) == (self.by is None):
            raise ValueError("a colour to paint in, or degrees to turn the hue by: give either")
        return self

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.recolor(tokens, self.index, hue=self.by, to=self.to)


class Swap(_Edit):
    """Two tokens are put in one another's places; in perspective each takes on the size that it has there."""

    edit: Literal["swap"]
    index: Annotated[list[Index], Field(min_length=2, max_length=2)]
    perspective: bool = False

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.swap(tokens, *self.index, perspective=self.perspective)


class Align(_Edit):
    """An edge or the centres of tokens are brought in line."""

    edit: Literal["align"]
    edge: Literal[EDGES]

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.align(tokens, self.index, self.edge)


class Distribute(_Edit):
    """The centres of tokens are spaced evenly."""

    edit: Literal["distribute"]
    direction: Literal[DIRECTIONS] = DIRECTIONS[0]

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.distribute(tokens, self.index, self.direction)


Edit = Annotated[
    Union[Move, Resize, Remove, Duplicate, Raise, Lower, Flip, Recolor, Swap, Align, Distribute], Field(discriminator="edit")
]
