"""What CLIP calls objects after `recolor`: the new colour, and still the same shape, size and material.

    python benchmarks/recolor.py SCENES [--limit 10]

All objects of a scene are painted at once, in each colour of the caption language. Prints JSON.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

import vle_gen
from editors import recolor
from prompts.vocabulary import ATTRIBUTES, COLORS
from vle_gen.evaluation.evaluate import read_scenes


def kept(before: list[str], after: list[str], colour: str) -> list[dict[str, bool]]:
    """For each object, by its words before and after: whether it has the colour, and which other attributes it kept."""
    return [
        {"color": colour in new.split(), "others": _without_colour(old) == _without_colour(new)}
        for old, new in zip(before, after, strict=True)
    ]


def _without_colour(words: str) -> list[str]:
    return [word for word in words.split() if word not in COLORS]


def measure(pipe, scenes: Path, limit: int | None) -> dict[str, float | dict[str, float]]:
    """Shares of objects, over all colours and for each."""
    seen: dict[str, list[dict[str, bool]]] = {colour: [] for colour in COLORS}
    for scene in read_scenes(scenes, limit):
        tokens = pipe.encode(Image.fromarray(scene.image))
        if len(tokens) == 1:
            continue
        before = pipe.name_tokens(tokens)[1:]
        for colour in COLORS:
            after = pipe.name_tokens(recolor(tokens, range(1, len(tokens)), to=colour))[1:]
            seen[colour] += kept(before, after, colour)
    rows = [row for found in seen.values() for row in found]
    return {
        "objects": len(rows),
        "new colour": float(np.mean([row["color"] for row in rows])),
        f"{', '.join(ATTRIBUTES[:3])} kept": float(np.mean([row["others"] for row in rows])),
        "new colour, by colour": {colour: float(np.mean([row["color"] for row in found])) for colour, found in seen.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    print(json.dumps(measure(vle_gen.load(), options.scenes, options.limit), indent=2))


if __name__ == "__main__":
    main()
