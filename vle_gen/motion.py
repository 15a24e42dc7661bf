"""What `vlegen move` means by a token or words, and by --dx, --dy and --to, in terms of the pure `editors.move`."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from editors import move
from vle_gen.errors import UserError
from vle_gen.overlay import token_rows

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens


@dataclass(frozen=True)
class Target:
    """Where an object is to go, in pixels of the picture: a step, or a place for its centre when `absolute`."""

    x: float
    y: float
    absolute: bool = False

    @staticmethod
    def parse(dx: float | None, dy: float | None, to: str | None) -> Target:
        """From the command's options. Raises `UserError` when they say nothing or two things."""
        if to is None:
            if dx is None and dy is None:
                raise UserError("say where to move it: --dx and --dy in pixels, or --to X,Y")
            return Target(dx or 0.0, dy or 0.0)
        if dx is not None or dy is not None:
            raise UserError("--to cannot go with --dx or --dy: give one or the other")
        try:
            x, y = (float(part) for part in to.split(","))
        except ValueError:
            raise UserError(f"--to {to} is no place: expected X,Y in pixels, such as --to 120,80") from None
        return Target(x, y, absolute=True)


def one_of(token: int | None, words: str | None) -> int | str:
    """The one of --token and --object that was given. Raises `UserError` for none or both."""
    if (token is None) == (words is None):
        raise UserError("say which object: either --token N or --object 'the red ball'")
    return token if words is None else words


def move_object(
    pipe: VLEPipeline, tokens: VLETokens, which: int | str, target: Target, source: str | Path, perspective: bool = False
) -> VLETokens:
    """The tokens with one object moved: `which` is an index or words; `source` is named in errors;
    with `perspective` it grows as it comes nearer."""
    count = len(tokens)
    if count == 1:
        raise UserError(f"{source} has no object tokens: only the scene, token 0, which cannot be moved")
    index = pipe.find(tokens, which) if isinstance(which, str) else which
    if not 0 <= index < count:
        hint = f"{source} has tokens 0 to {count - 1} (see 'vlegen tokens {source}')"
        raise UserError(f"token {index} does not exist: {hint}")
    if not target.absolute:
        return move(tokens, index, dx=target.x, dy=target.y, perspective=perspective)
    row = token_rows(tokens, [""] * count)[index]
    return move(tokens, index, dx=target.x - row.x, dy=target.y - row.y, perspective=perspective)
