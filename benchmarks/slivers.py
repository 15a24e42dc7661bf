"""What the second look finds of a folder of scenes that the loop missed, and whether it is right.

    python benchmarks/slivers.py SCENES [--checkpoint solids] [--limit 60] [-o sheet.jpg]

SCENES is a folder of ID.png, ID.mask.png and ID.json. Prints how many objects were missed by the loop and how many tokens the
second look added, and of how many objects they are. The sheet shows each place: as it is, what was found, and the nearer thing
moved away, with the loop alone and with the second look.
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
from vle_gen.evaluation.evaluate import read_scenes
from vle_gen.evaluation.metrics import best_match

SHOWING = 15  # pixels of an object from which on it counts as missed
RIGHT = 0.25  # intersection over union from which on a token is of an object
AROUND = (70, 50)  # pixels to each side that the sheet shows
AWAY = -70  # pixels to the side that the nearer thing is moved


def main() -> None:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes")
    parser.add_argument("--checkpoint", default="solids")
    parser.add_argument("--limit", type=int)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    pipe, missed, added, right, rows = vle_gen.load(options.checkpoint), 0, 0, 0, []
    for scene in track(list(read_scenes(options.scenes, options.limit)), "scenes"):
        picture = Image.fromarray(scene.image)
        with mock.patch("vle_gen.tokenizer.core.completed", lambda network, seen, code, *rest: code):
            before = pipe.encode(picture)
        after = pipe.encode(picture)
        alone, found = before.label_map(), after.label_map()
        kinds = [k for k in np.unique(scene.labels[scene.labels > 0]) if (scene.labels == k).sum() >= SHOWING]
        missed += sum(best_match(scene.labels == k, alone)[1] < RIGHT for k in kinds)
        for index in range(1, after.where.shape[1]):
            if any(np.allclose(after.where[0, index], one, atol=1e-6) for one in before.where[0]) or not (found == index).any():
                continue
            added += 1
            right += best_match(found == index, scene.labels)[1] > RIGHT
            rows.append(_row(pipe, scene.image, (before, alone), (after, found), found == index))
    show(f"{missed} objects missed by the loop; {added} tokens added, {right} of them of an object that was")
    if options.out and rows:
        Image.fromarray(np.concatenate(rows)).save(options.out, quality=90)


def _row(pipe, image: np.ndarray, before, after, sliver: np.ndarray) -> np.ndarray:
    """One row of the sheet: pictures of the same place."""
    marked = image.copy()
    marked[sliver] = (255, 0, 255)
    moved = []
    for tokens, owner in (before, after):
        beside = np.bincount(before[1][sliver], minlength=2)
        nearer = int(1 + beside[1:].argmax())
        where = before[1] == nearer
        token, _ = best_match(where, owner)
        moved.append(np.asarray(pipe.decode(move(tokens, token, dx=AWAY, dy=0)).convert("RGB")))
    rows, columns = sliver.nonzero()
    left, top = (
        int(np.clip(at - reach, 0, size - 2 * reach))
        for at, reach, size in zip((columns.mean(), rows.mean()), AROUND, image.shape[1::-1], strict=True)
    )
    box = left, top, left + 2 * AROUND[0], top + 2 * AROUND[1]
    parts = [Image.fromarray(one).crop(box).resize((280, 200), Image.BICUBIC) for one in (image, marked, *moved)]
    return np.concatenate([np.asarray(part) for part in parts], 1)


if __name__ == "__main__":
    main()
