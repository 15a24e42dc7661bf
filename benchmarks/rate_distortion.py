"""A coded `.vle` file without carried detail beside WebP and AVIF at the same bytes.

    python benchmarks/rate_distortion.py DEV --checkpoint CHECKPOINT [-o docs/rate-distortion.png] [--json t.json] [--limit N]

Bytes are those of whole files, headers included. WebP and AVIF are Pillow's encoders at their greatest effort. Pictures
of few hundred bytes are smaller than either can make at full size, so both may scale the picture down first (Lanczos) and
up again (bicubic); at each size of file the best of all scales and qualities counts, for objects and for the whole picture
each its own best. Where even that cannot be as small, the smallest file counts, with its own bytes.
"""
from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, features
from plot import Series, beside, chart
from rich.console import Console
from rich.progress import track
from rich.table import Table

import vle_gen
from vle_gen.compact.file import coded_file
from vle_gen.encoding import Halting
from vle_gen.evaluation.evaluate import Scene, read_scenes
from vle_gen.evaluation.metrics import psnr
from vle_gen.pipeline import VLEPipeline
from vle_gen.workflows.files import write_json

QUALITIES = (0, 20, 40, 50, 60, 70, 80, 100)
SCALES = (1.0, 0.75, 0.5, 0.35, 0.25, 0.18, 0.125, 0.09, 0.0625, 0.04)
RIVAL_QUALITIES = (0, 5, 10, 20, 30, 45, 60, 75, 90)
BUDGETS = [round(100 * 2 ** (k / 2)) for k in range(17)]  # 100 to 25,600 bytes
EFFORT = {"WEBP": {"method": 6}, "AVIF": {"speed": 2}}


@dataclass(frozen=True)
class Coded:
    """One way to code one picture: bytes, and PSNR in dB over the pixels of objects and over all."""

    bytes: int
    objects: float
    whole: float


def ours(pipe: VLEPipeline, scene: Scene, quality: float, dropping: bool) -> tuple[Coded, list[float]]:
    """The picture as a coded file, with or without dropping tokens that are not worth their bits; bits of object tokens."""
    tokens = pipe.encode(Image.fromarray(scene.image), halting=Halting(quality=quality) if dropping else Halting())
    data = pipe.tokenizer.compress(tokens, quality)
    again = np.asarray(pipe.decode(pipe.tokenizer.decompress(data), carry=False))
    size = len(coded_file(pipe.tokenizer, tokens, quality))
    return measured(again, scene, size), pipe.tokenizer.bits(tokens, quality)[1:]


def rivals(scene: Scene, form: str) -> list[Coded]:
    """The picture by one codec, at every scale and quality."""
    picture, found = Image.fromarray(scene.image), []
    for scale in SCALES:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        small = picture if scale == 1 else picture.resize(size, Image.Resampling.LANCZOS)
        for quality in RIVAL_QUALITIES:
            buffer = io.BytesIO()
            small.save(buffer, form, quality=quality, **EFFORT[form])
            again = Image.open(buffer).convert("RGB")
            again = again if scale == 1 else again.resize(picture.size, Image.Resampling.BICUBIC)
            found.append(measured(np.asarray(again), scene, buffer.tell() or len(buffer.getvalue())))
    return found


def measured(again: np.ndarray, scene: Scene, size: int) -> Coded:
    """A picture that came back, beside the scene."""
    return Coded(size, psnr(again, scene.image, scene.labels > 0), psnr(again, scene.image))


def best_within(found: list[Coded], budget: float) -> Coded:
    """The best for objects and the best for the whole picture of at most so many bytes, or else the smallest file."""
    fitting = [one for one in found if one.bytes <= budget] or [min(found, key=lambda one: one.bytes)]
    best = max(fitting, key=lambda one: one.objects)
    return Coded(best.bytes, best.objects, max(one.whole for one in fitting))


def mean(found: list[Coded]) -> Coded:
    """Of several pictures."""
    return Coded(*(float(np.mean([getattr(one, name) for one in found])) for name in ("bytes", "objects", "whole")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dev", type=Path, help="scenes with masks: a folder or .tar")
    parser.add_argument("--checkpoint", help="whose tokenizer has the statistics that coding takes")
    parser.add_argument("--limit", type=int, help="the first scenes only")
    parser.add_argument("-o", "--out", type=Path, help="where the plot goes")
    parser.add_argument("--json", type=Path, help="write the table here too")
    args = parser.parse_args()
    pipe = vle_gen.load(args.checkpoint)
    if pipe.tokenizer.code is None:
        parser.error("this checkpoint has no statistics to code by: add them with python -m vle_gen.compact")
    forms = [form for form in ("WEBP", "AVIF") if features.check(form.lower())]
    scenes = list(read_scenes(args.dev, args.limit))
    others = {form: [rivals(scene, form) for scene in track(scenes, form)] for form in forms}
    rows, lines = [], {"kept": [], "dropping": []}
    for quality in track(QUALITIES, "ours"):
        for name, points in lines.items():
            coded = [ours(pipe, scene, quality, name == "dropping") for scene in scenes]
            points.append(mean([one for one, _ in coded]))
            if name == "kept":
                row = {"quality": quality, "bits_per_token": float(np.mean([b for _, bits in coded for b in bits]))}
        for name, points in lines.items():
            row |= {f"{name}_{key}": value for key, value in vars(points[-1]).items()}
        for form in forms:
            same = [best_within(found, lines["kept"][-1].bytes) for found in others[form]]
            row |= {f"{form.lower()}_{key}": value for key, value in vars(mean(same)).items()}
        rows.append(row)
    Console().print(table_of(rows, forms))
    summary = {"scenes": len(scenes), "qualities": rows, "budgets": {}}
    curves = {"ours (.vle)": lines["kept"]}
    for form in forms:
        curve = [mean([best_within(found, budget) for found in others[form]]) for budget in BUDGETS]
        curves[f"{form.title()}, scaled as it likes"] = curve
        summary["budgets"][form.lower()] = [vars(one) for one in curve]
        for quality in (50, 80):
            goal = next(r["kept_objects"] for r in rows if r["quality"] == quality)
            enough = next((one for one in curve if one.objects >= goal), None)
            print(f"{form}: {enough.bytes:.0f} bytes" if enough else f"{form}: no file", f"for objects as at quality {quality}")
    if args.out:
        charts = [
            chart(title, "bytes of a file", "PSNR, dB", [
                Series(name, [(one.bytes, getattr(one, key)) for one in curve]) for name, curve in curves.items()
            ], log_x=True)
            for title, key in (("Pixels of objects", "objects"), ("Whole picture", "whole"))
        ]  # fmt: skip
        beside(charts).save(args.out)
        print(args.out)
    if args.json:
        write_json(summary, args.json)


def table_of(rows: list[dict], forms: list[str]) -> Table:
    """Objects and whole picture in dB, at our bytes; a rival's own bytes where it has none as small."""
    table = Table(title="PSNR of objects / whole picture, dB, at our bytes", title_justify="left")
    for heading in ("quality", "bytes", "bits a token", "ours", "unworthy dropped", *forms):
        table.add_column(heading, justify="right")
    both = lambda row, name: f"{row[f'{name}_objects']:.2f} / {row[f'{name}_whole']:.2f}"
    for row in rows:
        dropped = f"{both(row, 'dropping')} at {row['dropping_bytes']:.0f}"
        others = [f"{both(row, form.lower())} at {row[f'{form.lower()}_bytes']:.0f}" for form in forms]
        cells = (f"{row['quality']}", f"{row['kept_bytes']:.0f}", f"{row['bits_per_token']:.0f}", both(row, "kept"))
        table.add_row(*cells, dropped, *others)
    return table


if __name__ == "__main__":
    main()
