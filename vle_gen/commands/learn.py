"""Commands that train and measure: train, eval, data."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Checkpoint, Device, Out, console, load, progress


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


def evaluate(
    what: Annotated[str, typer.Argument(metavar="tokenizer|move", help="What to score.")],
    data: Annotated[Path, typer.Argument(help="Scenes with masks: a folder or .tar.")],
    limit: Annotated[Optional[int], typer.Option(min=1, help="Score the first scenes only.")] = None,
    json: Annotated[Optional[Path], typer.Option(help="Write the scores as JSON too.")] = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Score a checkpoint on rendered scenes."""
    from vle_gen import files
    from vle_gen.evaluate import as_table, scorer

    score = scorer(what)
    watch = lambda names: progress(names, len(names), "scoring")
    scores = score(load(checkpoint, device), data, limit, watch)
    console().print(as_table(scores, f"{what}: {data}"))
    if json:
        print(files.write_json(scores, json))


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
