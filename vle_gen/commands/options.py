"""Options that many commands share, and what they mean: the pipeline, the console."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

Checkpoint = Annotated[
    Optional[str], typer.Option(help="Checkpoint: a folder, a hub id, or everyday; without it the shipped one for solids.")
]
Device = Annotated[Optional[str], typer.Option(help="Where to compute, such as cpu or cuda.")]
Out = Annotated[Optional[Path], typer.Option("-o", "--out", help="Where the result goes.")]
Boxes = Annotated[
    Optional[list[str]],
    typer.Option("--box", metavar="X,Y,W,H", help="An object's left, top, width and height in pixels; may be repeated."),
]
Points = Annotated[
    Optional[list[str]], typer.Option("--point", metavar="X,Y", help="A pixel of an object to find; may be repeated.")
]
Masks = Annotated[
    Optional[list[Path]],
    typer.Option("--mask", metavar="FILE", help="A picture as large, white where an object is; may be repeated."),
]
Refine = Annotated[
    int,
    typer.Option(min=0, help="Fit the tokens to the picture in so many steps, 16 or so: truer alone, a second or two slower."),
]
Picture = Annotated[Path, typer.Argument(help="A picture or a .vle file.")]


def load(checkpoint: str | None, device: str | None):
    """The pipeline, on the CPU unless a device is named."""
    from diffusers.utils import logging

    import vle_gen
    from vle_gen.device import choose

    logging.disable_progress_bar()
    return vle_gen.load(checkpoint, device=choose(device or "cpu"))


def load_light(checkpoint: str | None, device: str | None):
    """The same for commands that mostly need the tokenizer alone: the rest is loaded when it is asked for."""
    from vle_gen import light_pipeline
    from vle_gen.device import choose

    return light_pipeline.load(checkpoint, choose(device or "cpu"))


def console():
    """Where tables go."""
    from rich.console import Console

    return Console()


def progress(values, total: int, doing: str):
    """The same values, one by one, with a bar on the error stream that goes away in the end."""
    from rich.console import Console
    from rich.progress import track

    return track(values, doing, total, console=Console(stderr=True), transient=True)
