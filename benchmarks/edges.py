"""What it is worth to complete things that the picture's edge cuts, when they are moved: with it, and without.

    python benchmarks/edges.py SCENES [--checkpoint everyday] [--limit 60] [-o sheet.jpg]

SCENES is a folder of ID.png, ID.mask.png, ID.json and ID.moved.png. Prints PSNR in the changed region of the scenes whose moved
object touches an edge; the sheet shows some of them before, moved without it, moved with it, and as they should be.
"""
from __future__ import annotations

import argparse
from unittest import mock

import numpy as np
from PIL import Image
from rich import print as show
from rich.progress import track

import vle_gen
from editors import move
from vle_gen.evaluation.evaluate import CHANGED, read_scenes
from vle_gen.evaluation.metrics import best_match, grow, psnr

LEAST = 12  # pixels of an object on the edge, so that it is cut
SHOWN = 6  # rows of the sheet


def cut(mask: np.ndarray) -> bool:
    """Whether an edge of the picture cuts what a mask (H, W) marks."""
    return max(side.sum() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])) >= LEAST


def main() -> None:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes")
    parser.add_argument("--checkpoint", default="everyday")
    parser.add_argument("--limit", type=int)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    pipe, scores, rows = vle_gen.load(options.checkpoint), [], []
    for scene in track(list(read_scenes(options.scenes, options.limit)), "scenes"):
        step = scene.record.get("move")
        mask = scene.labels == (step["object"] + 1 if step else -1)
        if scene.moved is None or not cut(mask):
            continue
        tokens = pipe.encode(Image.fromarray(scene.image))
        token, _ = best_match(mask, tokens.label_map())
        if not token:
            continue
        edited = move(tokens, token, dx=step["dx"], dy=step["dy"])
        with mock.patch("vle_gen.compositing.placing.completed", lambda network, body, *rest: body):
            before = np.asarray(pipe.decode(edited))
        after = np.asarray(pipe.decode(edited))
        region = grow(np.abs(scene.moved.astype(int) - scene.image).max(-1) > CHANGED, 3)
        scores.append([psnr(one, scene.moved, region) for one in (before, after)])
        rows.append(np.concatenate([scene.image, before, after, scene.moved], 1))
    without, completed = np.mean(scores, 0)
    show(f"{len(scores)} things that an edge cuts: {without:.2f} dB without, {completed:.2f} dB with it")
    if options.out:
        gains = np.subtract(*np.transpose(scores)[::-1])
        spread = np.argsort(gains)[np.linspace(0, len(gains) - 1, SHOWN).round().astype(int)]  # from the worst to the best
        Image.fromarray(np.concatenate([rows[k] for k in spread])).save(options.out, quality=88)


if __name__ == "__main__":
    main()
