"""Commands that change pictures by several edits: edit, history, animate."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Checkpoint, Device, Out, Picture, load_light


def edit(
    arguments: Annotated[
        list[str], typer.Argument(metavar="PICTURE... [EDIT...]", help="Pictures or .vle files, then edits in quotes.")
    ],
    script: Annotated[Optional[Path], typer.Option(help="YAML file with a list of edits.")] = None,
    replay: Annotated[Optional[Path], typer.Option(help="A .vle file whose edits are to be done again.")] = None,
    out: Out = None,
    out_dir: Annotated[Optional[Path], typer.Option(help="Folder for the results.")] = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Several edits at once, such as: vlegen edit img.png "move 3 by 20,0" "recolor 'the red ball' to blue".

    Edits are: move 3 by 20,0; move 3 4 to 120,80 in perspective; resize 3 by 1.5; remove 3; duplicate 3 by 40,0; swap 3 4;
    raise 3; lower 3; flip 3; align 3 4 bottom; distribute 2 3 4 horizontally; recolor 3 to blue; recolor 3 by 120 (degrees
    of hue); paste 2 from other.png to 120,80; add 'a green cylinder' at 120,80; replace 3 with 'a blue cube'. An object is
    a number, words in quotes, a pixel of it such as @64,137, or its box such as @52,125,24,27; "all" is every object.

    Numbers mean the tokens of the picture as it was, as 'vlegen tokens' lists them with the boxes that are given as --box:
    removing one renumbers no other. Copies and pasted objects get the next free numbers. Edits of --replay come first, then
    those of --script, then those given here.
    """
    from vle_gen.commands.options import progress
    from vle_gen.errors import UserError
    from vle_gen.workflows import batch
    from vle_gen.workflows.script import gathered, split_arguments

    pictures, steps = split_arguments(arguments)
    groups = gathered(steps, script, replay)
    targets = batch.targets_of(pictures, out, out_dir)
    pipe = load_light(checkpoint, device)
    if len(pictures) == 1:
        print(batch.edit_file(pipe, pictures[0], groups, targets[0], _note))
        return
    outcomes = list(progress(batch.edit_files(pipe, pictures, groups, targets), len(pictures), "editing"))
    for outcome in outcomes:
        if outcome.result is not None:
            print(outcome.result)
    failed = [outcome for outcome in outcomes if outcome.result is None]
    for outcome in outcomes:
        if outcome.problem:
            named = outcome.problem.startswith(str(outcome.picture))
            _note(outcome.problem if named else f"{outcome.picture}: {outcome.problem}")
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} pictures edited", file=sys.stderr)
    if failed:
        raise UserError(f"{len(failed)} of {len(outcomes)} pictures could not be edited")


def history(vle: Annotated[Path, typer.Argument(help="A .vle file.")]) -> None:
    """List the edits that made a .vle file, a line for each command; --replay of 'vlegen edit' does them again.

    What was shown by a mask is listed, and done again, as the box about it.
    """
    from vle_gen.io.token_file import history_of

    for line in history_of(vle):
        print(line)


def animate(
    picture: Picture,
    edits: Annotated[list[str], typer.Argument(metavar="EDIT...", help="Edits in quotes, such as 'move 3 by 120,0'.")],
    frames: Annotated[int, typer.Option(min=2, max=600, help="How many frames.")] = 24,
    fps: Annotated[float, typer.Option(min=1, max=60, help="Frames per second.")] = 12,
    back: Annotated[bool, typer.Option("--back", help="And back again, so that it loops smoothly.")] = False,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Show the edits happening, as .gif, .webp or, with ffmpeg, .mp4."""
    from vle_gen.commands.options import progress
    from vle_gen.workflows import animation, batch, files
    from vle_gen.workflows.script import parse_lines

    target, group = out or files.beside(picture, "animated", ".gif"), parse_lines(edits)
    animation.check(target)
    files.check_results([picture], others=[target])
    pipe = load_light(checkpoint, device)
    before = batch.tokens_for(pipe, picture, group)
    after = batch.edited_tokens(pipe, before, picture, [group], note=_note)
    drawn = animation.frames(pipe, before, after, frames, back)
    shown = progress(drawn, animation.count(frames, back), "drawing")
    print(animation.write(list(shown), target, fps))


def _note(line: str) -> None:
    print(f"vlegen: {line}", file=sys.stderr)
