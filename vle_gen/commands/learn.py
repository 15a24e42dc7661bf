"""Commands that train and measure: train, assemble, teach, eval, data preview."""
from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.commands.options import Checkpoint, Device, Out, Refine, console, load, progress
from vle_gen.seeds import MOST_SEED


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

    if kind == "teach":
        raise typer.BadParameter("teach is a command of its own: see 'vlegen teach --help'")
    training.loop.check_minutes(max_minutes)
    folder = out or Path("runs") / kind
    ended = training.start(kind, configs.load(kind, config, settings or ()), folder, resume, max_minutes, device)
    if ended.checkpoint is None:
        options = (("--config", config), ("--max-minutes", max_minutes), ("--device", device))
        given = [text for name, value in options if value is not None for text in (name, str(value))]
        again = shlex.join(["vlegen", "train", kind, *(settings or ()), *given, "--out", str(folder), "--resume"])
        print(f"vlegen: stopped after step {ended.step}; go on with: {again}", file=sys.stderr)
        raise KeyboardInterrupt  # what comes after it in a script must not take it for done
    print(ended.checkpoint)


def assemble(
    parts: Annotated[list[Path], typer.Argument(help="Folders of runs, or of the checkpoints that they ended with.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the new checkpoint.")],
    alone: Annotated[bool, typer.Option("--alone", help="Take no shipped part: what is not given is left out.")] = False,
) -> None:
    """Put trained parts together into a checkpoint that --checkpoint takes.

    What is not given is what the prior was trained with, or else the shipped part. With --alone a tokenizer is a checkpoint by
    itself: all edits by number, point and box work, and what takes words is refused.
    """
    from diffusers.utils import logging

    from vle_gen.workflows.assembling import assemble as put_together

    logging.disable_progress_bar()
    for line in put_together(parts, out, alone):
        print(line, file=sys.stderr)
    print(out)


def teach(
    name: Annotated[str, typer.Argument(help="What the object is called, such as 'my mug'.")],
    pictures: Annotated[list[Path], typer.Argument(help="Its pictures: cut-outs, such as PNG files with transparency.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the new checkpoint.")],
    minutes: Annotated[Optional[float], typer.Option(help="Most minutes of tuning.")] = None,
    seed: Annotated[Optional[int], typer.Option(min=0, max=MOST_SEED, help="The same seed teaches the same.")] = None,
    config: Annotated[Optional[Path], typer.Option(help="YAML file with what differs from configs/teach.yaml.")] = None,
    json: Annotated[Optional[Path], typer.Option(help="Write what was measured as JSON too.")] = None,
    checkpoint: Annotated[
        Optional[str], typer.Option(help="Checkpoint to begin with: a folder or a hub id; without it everyday.")
    ] = None,
) -> None:
    """Teach a checkpoint an object of your own, from a few pictures, in minutes. What it knew is rehearsed, and both are
    measured."""
    from vle_gen import config as configs
    from vle_gen.io.image_files import require_writable
    from vle_gen.teaching.lesson import teach as taught
    from vle_gen.workflows import files

    require_writable(json)
    given = [f"{key}={value}" for key, value in (("minutes", minutes), ("seed", seed)) if value is not None]
    settings = configs.load("teach", config, given)
    watch = lambda values, doing: progress(values, len(values), doing)
    found = taught(load(checkpoint or "everyday", None), name, pictures, out, settings, watch)
    print(out)
    print(f"{found.name}: in {found.named:.2f} of {found.new_prompts} first draws of prompts with it, all right in "
          f"{found.right:.2f}; {found.old_prompts} other prompts: {found.old_before:.3f} right before, "
          f"{found.old_after:.3f} now; {found.minutes:.1f} minutes")  # fmt: skip
    if json:
        print(files.write_json(found.as_json(), json))


def evaluate(
    what: Annotated[str, typer.Argument(metavar="tokenizer|move|txt2img", help="What to score.")],
    data: Annotated[
        Optional[Path],
        typer.Argument(help="Scenes with masks, a folder or .tar; for txt2img suites of prompts, without it the own ones."),
    ] = None,
    limit: Annotated[Optional[int], typer.Option(min=1, help="Score the first scenes, or prompts of each suite, only.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="txt2img: the first draws, as --tries 1.")] = False,
    tries: Annotated[Optional[int], typer.Option(min=1, help="txt2img: most draws per picture.")] = None,
    judge: Annotated[
        Optional[Path],
        typer.Option(help="txt2img: folder of a judge: benchmarks/judge or, for names, one of train_everyday.py in it."),
    ] = None,
    refine: Refine = 0,
    json: Annotated[Optional[Path], typer.Option(help="Write the scores as JSON too.")] = None,
    checkpoint: Checkpoint = None,
    device: Device = None,
) -> None:
    """Score a checkpoint on rendered scenes, or on suites of prompts."""
    from vle_gen.evaluation.evaluate import as_table, scorer
    from vle_gen.io.image_files import require_writable
    from vle_gen.workflows import files

    require_writable(json)
    drawing = {"--no-check": no_check, "--tries": tries is not None, "--judge": judge is not None}
    idle = [name for name, given in (drawing if what != "txt2img" else {"--refine": refine > 0}).items() if given]
    if idle:
        raise typer.BadParameter(f"{idle[0]} has no effect on eval {what}: leave it out")
    if no_check and tries is not None:
        raise typer.BadParameter("--no-check is --tries 1: give one of them")
    if what == "txt2img":
        return _evaluate_prompts(data, limit, 1 if no_check else tries, judge, json, checkpoint, device)
    score = scorer(what)
    if data is None:
        raise typer.BadParameter("say which scenes to score on: a folder or .tar")
    watch = lambda names: progress(names, len(names), "scoring")
    scores = score(load(checkpoint, device), data, limit, watch, refine)
    console().print(as_table(scores, f"{what}: {data}"))
    if json:
        print(files.write_json(scores, json))


def _evaluate_prompts(data, limit, tries, judge, json, checkpoint, device) -> None:
    from prompts.suites import FOLDER
    from prompts.suites import load as load_suites
    from vle_gen.errors import UserError
    from vle_gen.evaluation import evaluate_text as scored
    from vle_gen.evaluation.naming_judge import load_judge
    from vle_gen.workflows import files

    try:
        suites = load_suites(data or FOLDER)
    except ValueError as fault:
        raise UserError(str(fault)) from None
    pipe = load(checkpoint, device)
    seen = None if judge is None else load_judge(judge, pipe.lexicon)
    scores = scored.evaluate_prompts(
        pipe, suites, limit, tries, seen, each=lambda pairs, total: progress(pairs, total, "drawing")
    )
    title = "share of prompts with everything right" + (", first draws" if tries == 1 else "")
    console().print(scored.as_table(scores, title))
    if json:
        print(files.write_json(scored.as_json(scores), json))


def preview(
    sprites: Annotated[list[Path], typer.Argument(metavar="PACK...", help="A pack of rigs, or packs with names among them.")],
    n: Annotated[int, typer.Option("-n", min=1, max=100, help="How many scenes.")] = 12,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed gives the same scenes.")] = 0,
    out: Out = None,
) -> None:
    """A contact sheet of composed scenes, each with its outlined objects and a caption."""
    from vle_gen.data.preview import contact_sheet
    from vle_gen.workflows import files

    out = out or Path("preview.png")
    files.check_results([], [out])
    print(files.save_image(contact_sheet(sprites, n, seed), out))
