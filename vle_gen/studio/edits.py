"""The edits that the page asks for, as typed requests that turn into pure edits of tokens."""
from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Union

from pydantic import BaseModel, ConfigDict, Field

import editors

if TYPE_CHECKING:
    from vle_gen.tokens import VLETokens

Pixels = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)]
Index = Annotated[int, Field(ge=0, le=10_000)]


class _Edit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    index: Index


class Move(_Edit):
    """A token goes (dx, dy) pixels on; in perspective it grows as it comes nearer."""

    edit: Literal["move"]
    dx: Pixels = 0.0
    dy: Pixels = 0.0
    perspective: bool = False

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.move(tokens, self.index, self.dx, self.dy, perspective=self.perspective)


class Resize(_Edit):
    """A token grows by a factor, on its place on the floor."""

    edit: Literal["resize"]
    factor: float = Field(gt=0.05, lt=20, allow_inf_nan=False)

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.resize(tokens, self.index, self.factor)


class Remove(_Edit):
    """A token goes."""

    edit: Literal["remove"]

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.remove(tokens, self.index)


class Duplicate(_Edit):
    """A token comes once more, (dx, dy) pixels on."""

    edit: Literal["duplicate"]
    dx: Pixels
    dy: Pixels = 0.0

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.duplicate(tokens, self.index, self.dx, self.dy)


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
    """A token is mirrored left to right."""

    edit: Literal["flip"]

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.flip(tokens, self.index)


class Recolor(_Edit):
    """A token gets another colour, by name or as #rrggbb."""

    edit: Literal["recolor"]
    to: str = Field(min_length=1, max_length=40)

    def apply(self, tokens: VLETokens) -> VLETokens:
        return editors.recolor(tokens, self.index, to=self.to)


Edit = Annotated[Union[Move, Resize, Remove, Duplicate, Raise, Lower, Flip, Recolor], Field(discriminator="edit")]
