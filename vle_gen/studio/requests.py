"""What the page asks for besides edits: pictures and objects in words, and where a person sees an object."""
from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from editors.language import Selector
from vle_gen.errors import UserError
from vle_gen.studio.edits import Index, Indices, Pixels

Text = Annotated[str, Field(min_length=1, max_length=500)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Prompt(_Asked):
    """What a new picture is to show."""

    prompt: Text
    seed: Seed = 0


class Addition(_Asked):
    """What is to come into the picture, and where its centre goes: both numbers, or neither."""

    text: Text
    x: Pixels | None = None
    y: Pixels | None = None
    seed: Seed = 0

    @property
    def at(self) -> tuple[float, float] | None:
        """The place; None where it is open."""
        return _place(self.x, self.y)


class Copy(_Asked):
    """Which tokens are to be pasted later, here or into another picture."""

    index: Indices


class Paste(_Asked):
    """From which session what was copied there comes, and where its centre goes: both numbers, or neither for where it lay."""

    source: Annotated[str, Field(min_length=1, max_length=64)]
    x: Pixels | None = None
    y: Pixels | None = None

    @property
    def at(self) -> tuple[float, float] | None:
        """The place; None where it is as it lay."""
        return _place(self.x, self.y)


class Replacement(_Asked):
    """What is to come in the place of a token."""

    index: Index
    text: Text
    seed: Seed = 0


class Place(_Asked):
    """Where a person sees an object: its box (left, top, width, height), or a point (x, y) on it."""

    box: tuple[Pixels, Pixels, Pixels, Pixels] | None = None
    point: tuple[Pixels, Pixels] | None = None

    @property
    def selector(self) -> Selector:
        """The object there."""
        if (self.box is None) == (self.point is None):
            raise UserError("an object is somewhere: give either its box or a point on it")
        return Selector(box=self.box, point=self.point)


def _place(x: float | None, y: float | None) -> tuple[float, float] | None:
    if (x is None) != (y is None):
        raise UserError("a place has an x and a y: give both, or neither")
    return None if x is None else (x, y)
