"""The `vlegen` command: it parses, calls the library and prints.

The library is imported inside the commands, so that `vlegen --help` is there at once.
"""
from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

UsageError = typer.BadParameter.__bases__[0]  # click's own, or that of the copy inside newer versions of typer

app = typer.Typer(
    help="Pictures as short lists of tokens that say what and where: move objects, write pictures from text.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Look at training data.", rich_markup_mode=None)
app.add_typer(data_app, name="data")

Checkpoint = Annotated[
    Optional[str], typer.Option(help="Checkpoint: a folder or hub id; without it the one that is shipped.")
]
Device = Annotated[Optional[str], typer.Option(help="Where to compute, such as cpu or cuda.")]
Out = Annotated[Optional[Path], typer.Option("-o", "--out", help="Where the result goes.")]
Picture = Annotated[Path, typer.Argument(help="A picture or a .vle file.")]


@app.command()
def tokens(
    pictures: Annotated[list[Path], typer.Argument(help="Pictures or .vle files.")],
    overlay: Annotated[Optional[Path], typer.Option(help="Write the picture with outlined, numbered tokens.")] = None,
    json: Annotated[Optional[Path], typer.Option(help="Write the tokens as JSON, in pixels of the picture.")] = None,
    masks: Annotated[Optional[Path], typer.Option(help="Write an 8-bit picture of each pixel's token.")] = None,
    save: Annotated[Optional[Path], typer.Option(help="Write the tokens as a .vle file.")] = None,
    no_carry: Annotated[bool, typer.Option("--no-carry", help="Save the tokens alone, without fine detail.")] = False,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """List the tokens of pictures. With several pictures the options name existing folders for the results."""
    from vle_gen import files
    from vle_gen import overlay as shown

    overlays = files.for_each(overlay, pictures, "-tokens.png")
    lists = files.for_each(json, pictures, ".json")
    maps = files.for_each(masks, pictures, "-masks.png")
    saves = files.for_each(save, pictures, ".vle")
    pipe = _load(checkpoint, device)
    for picture, *targets in zip(pictures, overlays, lists, maps, saves, strict=True):
        found = files.read_tokens(pipe, picture)
        rows = shown.token_rows(found, pipe.name_tokens(found))
        _console().print(shown.as_table(rows, str(picture)))
        if len(rows) == 1:
            print("no object tokens found: only the scene, token 0")
        overlay_path, json_path, masks_path, save_path = targets
        if overlay_path:
            files.save_image(shown.overlay(pipe.decode(found), found.label_map()), overlay_path)
        if json_path:
            files.write_json(shown.as_json(rows), json_path)
        if masks_path:
            files.save_masks(found.label_map(), masks_path)
        if save_path:
            found.save(save_path, carry=not no_carry)
        for target in targets:
            if target:
                print(target)


@app.command()
def decode(
    vle: Picture,
    no_carry: Annotated[bool, typer.Option("--no-carry", help="What the tokens alone say, without detail.")] = False,
    size: Annotated[Optional[int], typer.Option(help="Longer side of the result in pixels.")] = None,
    out: Out = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Turn tokens back into a picture."""
    from vle_gen import files

    pipe = _load(checkpoint, device)
    picture = pipe.decode(files.read_tokens(pipe, vle), carry=not no_carry, size=size)
    print(files.save_image(picture, out or files.beside(vle, "decoded")))


@app.command()
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
    pipe = _load(checkpoint, device)
    moved = move_object(pipe, files.read_tokens(pipe, picture), which, target, picture, perspective)
    print(files.write_result(pipe, moved, out or files.beside(picture, "moved")))


@app.command()
def txt2img(
    prompt: Annotated[str, typer.Argument(help="What to show, such as 'red ball left of a cube'.")],
    n: Annotated[int, typer.Option("-n", min=1, max=64, help="How many pictures.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same pictures.")] = 0,
    steps: Annotated[Optional[int], typer.Option(min=1, help="Sampling steps per token.")] = None,
    guidance: Annotated[Optional[float], typer.Option(min=0, help="How strictly the prompt is followed.")] = None,
    tries: Annotated[Optional[int], typer.Option(min=1, help="Most draws per picture until one shows the prompt.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Take the first draw, as --tries 1.")] = False,
    out: Out = None,
    save: Annotated[Optional[Path], typer.Option(help="Write the tokens as a .vle file too.")] = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Write a picture from text. Several pictures are numbered: name-1.png, name-2.png, ..."""
    from vle_gen import files

    pictures = files.numbered(out or files.named_after(prompt), n)
    saves = files.numbered(save, n) if save else []
    pipe = _load(checkpoint, device)
    result = files.from_text(pipe, prompt, n, seed, steps, guidance, 1 if no_check else tries)
    for image, path in zip(result.images, pictures, strict=True):
        print(files.save_image(image, path))
    for line in files.shortcomings(result, pictures):
        print(f"vlegen: {line}", file=sys.stderr)
    for written, path in zip(result.tokens, saves, strict=False):
        written.save(path)
        print(path)


@app.command()
def train(
    kind: Annotated[str, typer.Argument(metavar="tokenizer|clip|prior", help="What to train.")],
    settings: Annotated[Optional[list[str]], typer.Argument(metavar="[key=value ...]", help="Config values.")] = None,
    config: Annotated[Optional[Path], typer.Option(help="YAML file with what differs from configs/KIND.yaml.")] = None,
    out: Annotated[Optional[Path], typer.Option(help="Folder of the run; without it runs/KIND.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    max_minutes: Annotated[Optional[float], typer.Option(help="Finish within this many minutes of training.")] = None,
    device: Device = None,
) -> None:
    """Train one of the models."""
    from vle_gen import config as configs
    from vle_gen import training

    folder = out or Path("runs") / kind
    ended = training.start(kind, configs.load(kind, config, settings or ()), folder, resume, max_minutes, device)
    if ended.checkpoint is None:
        print(f"stopped after step {ended.step}; go on with: vlegen train {kind} --out {folder} --resume")
    else:
        print(ended.checkpoint)


@app.command(name="eval")
def evaluate(
    what: Annotated[str, typer.Argument(metavar="tokenizer|move", help="What to score.")],
    data: Annotated[Path, typer.Argument(help="Scenes with masks: a folder or .tar.")],
    limit: Annotated[Optional[int], typer.Option(min=1, help="Score the first scenes only.")] = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Score a checkpoint on rendered scenes; prints JSON."""
    import json

    from vle_gen.evaluate import scorer

    score = scorer(what)
    print(json.dumps(score(_load(checkpoint, device), data, limit), indent=2))


@data_app.command()
def preview(
    sprites: Annotated[Path, typer.Argument(help="A sprite pack: a folder or .tar.")],
    n: Annotated[int, typer.Option("-n", min=1, max=100, help="How many scenes.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same scenes.")] = 0,
    out: Out = None,
) -> None:
    """A contact sheet of composed scenes, each with its outlined objects and a caption."""
    from vle_gen import files
    from vle_gen.data.preview import contact_sheet

    print(files.save_image(contact_sheet(sprites, n, seed), out or Path("preview.png")))


def _load(checkpoint: str | None, device: str | None):
    """The pipeline, on the CPU unless a device is named."""
    from diffusers.utils import logging

    import vle_gen
    from vle_gen.device import choose

    logging.disable_progress_bar()
    return vle_gen.load(checkpoint, device=choose(device or "cpu"))


def _console():
    from rich.console import Console

    return Console()


def main() -> None:
    """Entry point: status 0 done, 2 wrong use or bad input with one line on stderr, 1 a fault of ours."""
    from vle_gen.errors import UserError

    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")  # its advice on optional packages is not about the picture
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="vlegen", standalone_mode=False)
    except UsageError as fault:
        command = fault.ctx.command_path if fault.ctx else "vlegen"
        _fail(f"{fault.format_message().rstrip('.')} (see '{command} --help')")
    except UserError as fault:
        _fail(str(fault))
    except (typer.Abort, KeyboardInterrupt):
        print("vlegen: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(status or 0)


def _fail(message: str) -> None:
    print(f"vlegen: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
