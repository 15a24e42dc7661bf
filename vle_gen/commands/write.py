"""Commands that write pictures from text: txt2img."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Checkpoint, Device, Out, load


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
    pipe = load(checkpoint, device)
    result = files.from_text(pipe, prompt, n, seed, steps, guidance, 1 if no_check else tries)
    for image, path in zip(result.images, pictures, strict=True):
        print(files.save_image(image, path))
    for line in files.shortcomings(result, pictures):
        print(f"vlegen: {line}", file=sys.stderr)
    for written, path in zip(result.tokens, saves, strict=False):
        written.save(path)
        print(path)
