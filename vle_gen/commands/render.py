"""The command that renders training data: `vlegen data render`."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from vle_gen.seeds import MOST_SEED


def render(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the sprites or scenes.")],
    pack: Annotated[str, typer.Option(metavar="solids", help="What to render.")] = "solids",
    n: Annotated[Optional[int], typer.Option("-n", min=1, help="How many sprites; without it 4000.")] = None,
    scenes: Annotated[Optional[int], typer.Option(min=1, help="Render this many whole scenes instead of sprites.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed plans the same scenes or sprites.")] = 0,
    workers: Annotated[Optional[int], typer.Option(min=1, help="Processes; without it one for each core.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the render in that folder.")] = False,
    shapes: Annotated[
        Optional[str],
        typer.Option(metavar="NAME,...", help="Of cube, sphere, cylinder (these three without it), cone, torus, capsule."),
    ] = None,
    materials: Annotated[
        Optional[str], typer.Option(metavar="NAME,...", help="Of rubber, metal (these two without it), ceramic.")
    ] = None,
    colors: Annotated[
        Optional[str],
        typer.Option(metavar="NAME[=#RRGGBB],...", help="Colors, known by name or given; without it CLEVR's eight."),
    ] = None,
    objects: Annotated[str, typer.Option(metavar="LEAST-MOST", help="How many solids a whole scene has.")] = "1-9",
    per_rig: Annotated[int, typer.Option(min=1, help="Sprites under one camera and set of lights.")] = 110,
    moved: Annotated[bool, typer.Option("--moved", help="Render each scene again with one solid moved.")] = False,
    size: Annotated[str, typer.Option(metavar="SIDE|WxH", help="Pixels; what is trained on is square.")] = "256",
    samples: Annotated[
        Optional[int], typer.Option(min=1, help="Paths per pixel before denoising; without it 16, for scenes at most 48.")
    ] = None,
) -> None:
    """Render training data with Blender: a sprite pack, or whole scenes with masks."""
    from vle_gen.data.render import job as jobs
    from vle_gen.data.render import settings
    from vle_gen.data.render.options import read_range, read_side, read_size
    from vle_gen.data.render.palette import read_palette
    from vle_gen.data.render.scenes import SceneJob
    from vle_gen.data.render.sprites import SpriteJob

    if pack != "solids":
        raise typer.BadParameter(f"no pack '{pack}' to render: expected solids")
    if n is not None and scenes is not None:
        raise typer.BadParameter("-n counts sprites and --scenes whole scenes: give one of them")
    if moved and scenes is None:
        raise typer.BadParameter("--moved is for whole scenes: give --scenes too")
    palette = read_palette(shapes, materials, colors)
    if scenes is None:
        job = SpriteJob(out, n or 4000, seed, palette, per_rig, read_side(size), samples or 16)
    else:
        job = SceneJob(out, scenes, seed, palette, *read_range(objects), read_size(size), samples or 48, moved)
    jobs.check_renderer()
    settings.begin(job, resume)
    if palette.unspoken():
        words = ", ".join(palette.unspoken())
        asked = "training CLIP or the prior on these asks for one"
        print(f"vlegen: the caption language has no word for {words}: {asked}", file=sys.stderr)
    count, steps = jobs.run(job, workers or jobs.cores())
    try:
        for _ in _progress(steps, count, job.unit):
            pass
    except KeyboardInterrupt:
        print(f"vlegen: stopped; finished {job.unit} are kept, go on with --resume", file=sys.stderr)
        raise
    print(out)


def _progress(steps, total: int, unit: str):
    """The same steps behind a bar on the error stream that shows their rate and the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TextColumn(unit),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=120) as bar:
        task = bar.add_task("", total=total, rate="")
        for step in steps:
            bar.advance(task)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{1 / speed:.2f} s each" if speed else "")
            yield step
