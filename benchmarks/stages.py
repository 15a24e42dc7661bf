"""What encode, decode and move + decode cost in processor time, which other work on the machine disturbs less than the clock.

    python benchmarks/stages.py DEV [--limit 10] [--repeats 5] [--threads 1] [--parts] [--json t.json]

Milliseconds: of each picture the best of the repeats, of the pictures the median. `--parts` adds, from a profile, what
share of each the dearest functions of the project have, all that they call included; profiling itself makes many small
calls look dearer than they are.
"""
from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image

from editors import move
from vle_gen import light_pipeline
from vle_gen.io.image_files import open_image
from vle_gen.picture_coder import PictureCoder
from vle_gen.tokens import VLETokens
from vle_gen.workflows.files import write_json

SHOWN = 14  # parts of each stage
STEP = (40.0, 12.0)  # pixels that the nearest object is moved by

Stage = Callable[[Image.Image, VLETokens], object]


def stages(pipe: PictureCoder) -> dict[str, Stage]:
    """What is measured, by name: of a picture and its tokens."""
    return {
        "encode": lambda picture, _: pipe.encode(picture),
        "decode": lambda _, tokens: pipe.decode(tokens, carry=False),
        "move+decode": lambda _, tokens: pipe.decode(move(tokens, 1, *STEP)),
    }


def cost(stage: Stage, scene: tuple[Image.Image, VLETokens], repeats: int) -> float:
    """Milliseconds of processor time, the best of `repeats`."""
    took = []
    for _ in range(repeats):
        start = time.process_time()
        stage(*scene)
        took.append(1000 * (time.process_time() - start))
    return min(took)


def parts(stage: Stage, scenes: Sequence[tuple[Image.Image, VLETokens]]) -> dict[str, float]:
    """The shares of a stage that our functions have, dearest first."""
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for scene in scenes:
        stage(*scene)
    profile.disable()
    found = pstats.Stats(profile)
    shares = {
        f"{Path(file).stem}:{line} {name}": round(row[3] / found.total_tt, 3)
        for (file, line, name), row in found.stats.items()
        if "vle_gen" in file
    }
    return dict(sorted(shares.items(), key=lambda item: -item[1])[:SHOWN])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="pictures; what is named *.mask.png or *.moved.png is left out")
    parser.add_argument("--limit", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--checkpoint")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pipe = light_pipeline.load(options.checkpoint)
    files = [path for path in sorted(options.folder.glob("*.png")) if "." not in path.stem][: options.limit]
    scenes = [(picture, pipe.encode(picture)) for picture in map(open_image, files)]
    scenes = [scene for scene in scenes if len(scene[1]) > 1]  # there is something to move
    report = {}
    for name, stage in stages(pipe).items():
        report[f"{name}, ms"] = round(statistics.median(cost(stage, scene, options.repeats) for scene in scenes), 1)
        if options.parts:
            report[f"{name}, parts"] = parts(stage, scenes)
    print(json.dumps(report, indent=2))
    if options.json:
        write_json(report, options.json)


if __name__ == "__main__":
    main()
