"""What editing a large picture costs, in processor time and memory: one that is enlarged to each of some sizes, of which a
marked thing is moved.

    python benchmarks/large.py PHOTO --box 280,90,35,280 [--step 75,0] [--sides 480 1500 4000] [--checkpoint everyday]

The box (left, top, width and height) and the step are in pixels of the picture as it is. Seconds of one thread; MB are the
most that the process has held so far, and so grow from size to size.
"""
from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from editors import move
from vle_gen import light_pipeline
from vle_gen.io.image_files import open_image
from vle_gen.picture_coder import PictureCoder
from vle_gen.workflows.files import write_json


def numbers(text: str) -> list[float]:
    """Of an option such as 10,20."""
    return [float(part) for part in text.split(",")]


def most_memory() -> int:
    """The most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measured(pipe: PictureCoder, picture: Image.Image, box: list[float], step: list[float]) -> dict[str, float]:
    """What encoding a picture costs with a box about a thing, and moving that."""
    start = time.process_time()
    tokens = pipe.encode(picture, boxes=[tuple(box)])
    encoded, held = time.process_time(), most_memory()
    left, top, width, height = map(int, box)
    owners = np.bincount(tokens.detail.owner[top : top + height, left : left + width].flatten(), minlength=2)
    moved = move(tokens, 1 + int(owners[1:].argmax()), dx=step[0], dy=step[1])
    began = time.process_time()
    pipe.decode(moved)
    return {
        "encode, s": round(encoded - start, 2), "encode, MB": held,
        "move + decode, s": round(time.process_time() - began, 2), "move + decode, MB": most_memory(),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--box", type=numbers, required=True)
    parser.add_argument("--step", type=numbers, default=[75.0, 0.0])
    parser.add_argument("--sides", type=int, nargs="+", default=[480, 1500, 4000], help="pixels of the longer side")
    parser.add_argument("--checkpoint", default="everyday")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    pipe, photo, report = light_pipeline.load(options.checkpoint), open_image(options.photo), {}
    for side in options.sides:
        times = side / max(photo.size)
        picture = photo.convert("RGB").resize([round(times * n) for n in photo.size], Image.Resampling.LANCZOS)
        scaled = ([times * v for v in option] for option in (options.box, options.step))
        report[" x ".join(map(str, picture.size))] = measured(pipe, picture, *scaled)
    print(json.dumps(report, indent=2))
    if options.json:
        write_json(report, options.json)


if __name__ == "__main__":
    main()
