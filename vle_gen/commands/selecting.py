"""Which objects a command is about: the options that name them, and what they mean."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from editors.language import Selector
    from vle_gen.encoding import Encoding

LISTED = "Index of a token, as 'vlegen tokens' lists it"
Token = Annotated[Optional[list[int]], typer.Option(help=f"{LISTED} with the same --box and --mask.")]
TokenThere = Annotated[Optional[list[int]], typer.Option("--token", help=f"{LISTED}.")]  # of a picture that takes no hints
Object = Annotated[Optional[list[str]], typer.Option(help="An object in words, such as 'the red ball'.")]
Point = Annotated[Optional[list[str]], typer.Option(metavar="X,Y", help="A pixel of the object.")]


@dataclass(frozen=True)
class Chosen:
    """Objects as --token, --object, --point, --box and --mask name them; all None where none is named."""

    tokens: list[int] | None = None
    words: list[str] | None = None
    points: list[str] | None = None
    boxes: list[str] | None = None
    masks: list[Path] | None = None

    def encoding(self) -> Encoding:
        """How a picture is to be encoded, so that what boxes and masks show has tokens. Raises `UserError`."""
        from vle_gen.encoding import Encoding

        return Encoding.parse(self.boxes, None, masks=self.masks)

    def selectors(self, picture: Path, ways: str = ", --point X,Y, --box X,Y,W,H or --mask FILE") -> tuple[Selector, ...]:
        """The objects of `picture`, one or more; `ways` are those of naming one that an error lists after words. Raises
        `UserError`."""
        from editors.language import PLACE, Selector, pair
        from vle_gen.errors import UserError
        from vle_gen.workflows import files

        named = [Selector(number=number) for number in self.tokens or ()]
        named += [Selector(words=text) for text in self.words or ()]
        named += [Selector(point=pair(text, PLACE, "--point")) for text in self.points or ()]
        named += [Selector(box=box) for box in self.encoding().boxes]
        named += [Selector(box=box) for box in files.boxes_of(self.masks, picture)] if self.masks else []
        if not named:
            raise UserError(f"say which object: either --token N or --object 'the red ball'{ways}")
        return tuple(named)
