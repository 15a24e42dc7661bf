"""Commands that change pictures: move."""
from __future__ import annotations

from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Checkpoint, Device, Out, Picture, load


def move(
    picture: Picture,
    token: Annotated[Optional[int], typer.Option(help="Index of the token, as 'vlegen tokens' lists it.")] = None,
    object: Annotated[Optional[str], typer.Option(help="The object in words, such as 'the red ball'.")] = None,
    dx: Annotated[Optional[float], typer.Option(help="Pixels to the right.")] = None,
    dy: Annotated[Optional[float], typer.Option(help="Pixels down.")] = None,
    to: Annotated[Optional[str], typer.Option(metavar="X,Y", help="Pixels where its centre is to be.")] = None,
    perspective: Annotated[bool, typer.Option("--perspective", help="Moved down it comes nearer and grows.")] = False,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Move one object. A result that ends in .vle keeps the tokens, for the next edit."""
    from vle_gen import files
    from vle_gen.motion import Target, move_object, one_of

    which, target = one_of(token, object), Target.parse(dx, dy, to)
    pipe = load(checkpoint, device)
    moved = move_object(pipe, files.read_tokens(pipe, picture), which, target, picture, perspective)
    print(files.write_result(pipe, moved, out or files.beside(picture, "moved")))
