"""Commands that change a picture by one edit: move, resize, remove, duplicate, swap, raise, lower, flip, align,
distribute, recolor, paste."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Boxes, Checkpoint, Device, Masks, Out, Picture, load_light
from vle_gen.commands.selecting import Chosen, Object, Point, Token, TokenThere

Dx = Annotated[Optional[float], typer.Option(help="Pixels to the right.")]
Dy = Annotated[Optional[float], typer.Option(help="Pixels down.")]
To = Annotated[Optional[str], typer.Option(metavar="X,Y", help="Pixels where its centre is to be.")]


def move(
    picture: Picture,
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    dx: Dx = None,
    dy: Dy = None,
    to: To = None,
    perspective: Annotated[bool, typer.Option("--perspective", help="Moved down it comes nearer and grows.")] = False,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Move objects. A result that ends in .vle keeps the tokens, for the next edit."""
    chosen, how = Chosen(token, object, point, box, mask), _going(dx, dy, to)
    _run("move", "moved", picture, chosen, out, checkpoint, device, perspective=perspective, **how)


def resize(
    picture: Picture,
    factor: Annotated[float, typer.Option(help="How many times as large.")],
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Make objects larger or smaller, about where they stand on the floor."""
    _run("resize", "resized", picture, Chosen(token, object, point, box, mask), out, checkpoint, device, by=(factor,))


def remove(
    picture: Picture,
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Take objects out of the picture."""
    _run("remove", "removed", picture, Chosen(token, object, point, box, mask), out, checkpoint, device)


def duplicate(
    picture: Picture,
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    dx: Dx = None,
    dy: Dy = None,
    to: To = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Put a copy of an object somewhere else."""
    chosen, how = Chosen(token, object, point, box, mask), _going(dx, dy, to)
    _run("duplicate", "duplicated", picture, chosen, out, checkpoint, device, **how)


def swap(
    picture: Picture,
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    perspective: Annotated[bool, typer.Option("--perspective", help="Each takes on the size it has there.")] = False,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Put two objects in one another's places."""
    _run("swap", "swapped", picture, Chosen(token, object, point, box, mask), out, checkpoint, device, perspective=perspective)


def raise_(
    picture: Picture,
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Bring an object in front of the next nearer one that it touches."""
    _run("raise", "raised", picture, Chosen(token, object, point, box, mask), out, checkpoint, device)


def lower(
    picture: Picture,
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Put an object behind the next farther one that it touches."""
    _run("lower", "lowered", picture, Chosen(token, object, point, box, mask), out, checkpoint, device)


def flip(
    picture: Picture,
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Mirror objects left to right."""
    _run("flip", "flipped", picture, Chosen(token, object, point, box, mask), out, checkpoint, device)


def align(
    picture: Picture,
    edge: Annotated[str, typer.Option(metavar="left|right|top|bottom|center|middle", help="What is to be in line.")],
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Put two or more objects in line."""
    _run("align", "aligned", picture, Chosen(token, object, point, box, mask), out, checkpoint, device, line=edge)


def distribute(
    picture: Picture,
    direction: Annotated[str, typer.Option(metavar="horizontally|vertically", help="Which way.")] = "horizontally",
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Space three or more objects evenly."""
    _run("distribute", "distributed", picture, Chosen(token, object, point, box, mask), out, checkpoint, device, line=direction)


def recolor(
    picture: Picture,
    token: Token = None,
    object: Object = None,
    point: Point = None,
    box: Boxes = None,
    mask: Masks = None,
    to: Annotated[Optional[str], typer.Option(metavar="COLOUR", help="A name such as blue or crimson, or #3366cc.")] = None,
    hue: Annotated[Optional[float], typer.Option(metavar="DEGREES", help="Turn the hue by so much instead.")] = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Give objects another colour; shading and texture stay."""
    from vle_gen.errors import UserError

    if to is None and hue is None:
        raise UserError("say which colour: either --to COLOUR or --hue DEGREES")
    if to is not None and hue is not None:
        raise UserError("--to and --hue cannot both be given: say one or the other")
    by = None if hue is None else (hue,)
    _run("recolor", "recolored", picture, Chosen(token, object, point, box, mask), out, checkpoint, device, by=by, to=to)


def paste(
    picture: Picture,
    source: Annotated[Path, typer.Option("--from", help="The picture or .vle file to take objects from.")],
    token: TokenThere = None,
    object: Object = None,
    point: Point = None,
    to: To = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Put objects of another picture into this one."""
    place = _going(None, None, to)["to"] if to is not None else None
    _run("paste", "pasted", picture, Chosen(token, object, point), out, checkpoint, device, source=str(source), to=place)


def _going(dx: float | None, dy: float | None, to: str | None) -> dict:
    """--dx, --dy and --to as the edit has them."""
    from editors.language import PLACE, pair
    from vle_gen.errors import UserError

    if to is None:
        if dx is None and dy is None:
            raise UserError("say where to put it: --dx and --dy in pixels, or --to X,Y")
        return {"by": (dx or 0.0, dy or 0.0)}
    if dx is not None or dy is not None:
        raise UserError("--to cannot go with --dx or --dy: give one or the other")
    return {"to": pair(to, PLACE, "--to")}


def _run(verb: str, tag: str, picture: Path, chosen: Chosen, out, checkpoint, device, **said) -> None:
    """Does one edit of the objects that are `chosen`, and prints where the result is."""
    from editors.language import Edit
    from vle_gen.errors import UserError
    from vle_gen.workflows import files
    from vle_gen.workflows.batch import edit_file

    which = chosen.selectors(picture, " or --point X,Y") if verb == "paste" else chosen.selectors(picture)
    if verb == "swap" and len(which) != 2:
        raise UserError(f"swap takes two objects, and here {'is one' if len(which) == 1 else f'are {len(which)}'}: name both")
    edit, target = Edit(verb, which, **said).checked(), out or files.beside(picture, tag)
    files.check_results([picture], [target], vle=True)
    print(edit_file(load_light(checkpoint, device), picture, [(edit,)], target, encoding=chosen.encoding()))
