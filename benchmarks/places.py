"""How near to a chosen place things come to stand: python benchmarks/places.py [--count 120] [--judge benchmarks/judge]

For prompts of the suite of two objects, one of them gets a place that is drawn at random, every second a size too where the
prompt says none. A judge says whether such a thing is there; exactly where, the pixels of the nearest token say: the distance
of their box's centre to the asked place, as a share of the canvas.
"""
from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from random import Random

import numpy as np
import torch
from rich.progress import track

import vle_gen
from prompts.reading import read
from prompts.suites import FOLDER
from prompts.suites import load as load_suites
from vle_gen.evaluation.judge import Judge
from vle_gen.generation.chosen_places import Place

NEAR = 0.02  # of the canvas: wanted
SEEN = 0.05  # of the canvas: the judge's boxes are coarse


def asked(prompt: str, random: Random, sized: bool) -> Place:
    """A place for the first thing of a prompt."""
    thing = read(prompt).request.mentions[0]
    x, y, size = random.uniform(0.15, 0.85), random.uniform(0.35, 0.8), random.uniform(0.08, 0.2)
    return Place(str(thing), x, y, size if sized and thing.size is None else None)


def distance(labels: np.ndarray, place: Place) -> float:
    """From a place to the nearest centre of the box of a token's pixels, labels (H, W) of a square picture."""
    centres = []
    for token in np.unique(labels[labels > 0]):
        y, x = np.nonzero(labels == token)
        centres.append(((x.min() + x.max() + 1) / 2 / labels.shape[1], (y.min() + y.max() + 1) / 2 / labels.shape[0]))
    return min(((x - place.x) ** 2 + (y - place.y) ** 2) ** 0.5 for x, y in centres)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--judge", type=Path, default=Path(__file__).parent / "judge")
    args = parser.parse_args()
    pipe, judge, random = vle_gen.load(), Judge.load(args.judge), Random(0)
    suite = next(suite for suite in load_suites(FOLDER) if suite.name.endswith("two_objects"))
    away, seen = [], 0
    for number, prompt in enumerate(track(suite.prompts[: args.count], "drawing")):
        place = asked(prompt, random, number % 2 == 1)
        wanted = read(prompt).request.mentions[0]
        drawn = pipe(prompt, places=[place], generator=torch.Generator().manual_seed(number))
        sight = judge.look(drawn.images)[0]
        seen += any(
            wanted.covers(kinds) and ((box[0] - place.x) ** 2 + (box[1] - place.y) ** 2) ** 0.5 < SEEN
            for kinds, box in zip(sight.attributes, sight.box, strict=True)
        )
        away.append(distance(np.asarray(drawn.tokens[0].label_map()), place))
    near = sum(value <= NEAR for value in away)
    print(f"{len(away)} places: {near} within {NEAR:.0%} of the canvas; the judge sees the thing there {seen} times")
    print(f"distance: median {statistics.median(away):.2%}, largest {max(away):.2%}")


if __name__ == "__main__":
    main()
