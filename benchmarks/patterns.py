"""What continuing patterns is worth: discs hidden in floors and walls, filled smoothly and as edits fill them.

    python benchmarks/patterns.py [--seeds 8] [-o docs/patterns.jpg]

Prints, for each material, how far what was hidden is from the truth, as the root mean square in levels of 255, and how long it
took; and draws a page of one of each: the picture with the disc, filled smoothly, filled as edits do, and the truth.
"""
from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from rich import print as show
from rich.table import Table

from vle_gen.data import surfaces
from vle_gen.imaging.filters import filled
from vle_gen.inpainting.grain import grain_of
from vle_gen.inpainting.patterns import continued, has_pattern
from vle_gen.tokenizer.render import Window

SIDE, SHOWN = 256, 160  # pixels of the pictures, and as they are drawn
FLOORS = ("checks", "cloth", "tiles", "paving", "wood", "lawn", "carpet", "concrete", "sand")
WALLS = ("dotted", "striped", "bricks", "panels", "painted")
RADIUS, MARGIN = 34, 24  # of the disc, and how much around it is looked at, in pixels
CAMERA = dict(horizon=-0.15, height=3.5, focal=1.4)


def background(name: str, seed: int) -> torch.Tensor:
    """A material as a camera sees it, (3, H, W), 0..1: floors lie, walls stand."""
    random = np.random.default_rng([seed, 1])
    x, y = np.meshgrid(*[(np.arange(SIDE) + 0.5) / SIDE] * 2)
    if name in WALLS:
        colour = getattr(surfaces, name)(x, y, random).colour
    else:
        down = y - CAMERA["horizon"]
        far = CAMERA["focal"] * CAMERA["height"] / down
        aside = (x - 0.5) * CAMERA["height"] / down + random.uniform(20, 60)
        colour = getattr(surfaces, name)(aside, far + random.uniform(0, 9), far / down * 0.7 / SIDE, random).colour
    return torch.from_numpy(colour).permute(2, 0, 1).float().clamp(0, 1)


def disc(seed: int) -> torch.Tensor:
    """1 on what is seen (1, H, W), 0 in a disc somewhere in the middle."""
    x, y = np.random.default_rng([seed, 2]).uniform(SIDE * 0.35, SIDE * 0.65, 2)
    rows, columns = torch.meshgrid(*[torch.arange(SIDE) + 0.5] * 2, indexing="ij")
    return (torch.hypot(columns - x, rows - y) > RADIUS).float()[None]


def told(picture: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """What edits take a background to be (3, H, W) where only `known` (1, H, W) of it is seen."""
    says = ((picture * known).sum((1, 2), keepdim=True) / known.sum()).expand_as(picture)
    if not has_pattern(picture - says, known):
        return filled(picture * known, known)
    rows, columns = (torch.nonzero((known[0] == 0).any(axis)).flatten() for axis in (1, 0))
    arena = Window(int(rows[0]) - MARGIN, int(rows[-1]) + MARGIN, int(columns[0]) - MARGIN, int(columns[-1]) + MARGIN)
    arena = arena.inside(Window(0, SIDE, 0, SIDE))
    result, seen = picture * known, known[arena.planes]
    pattern = continued(picture * known, says, known, arena)
    here = says[arena.planes] if pattern is None else pattern
    here = here + filled(picture[arena.planes] - here, seen)
    result[arena.planes] = here + grain_of((picture[arena.planes] - here) * seen, seen, 1 - seen)
    return result


def main() -> None:
    """Parses, measures, prints, draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, help="pictures of each material")
    parser.add_argument("-o", "--out", type=Path, help="draw a page")
    options = parser.parse_args()
    table = Table("material", "smooth", "as edits do", "ms")
    high, names = SHOWN + 18, FLOORS + WALLS
    page = Image.new("RGB", (8 * (SHOWN + 4) + 12, high * ((len(names) + 1) // 2)), "white")
    draw, all_of = ImageDraw.Draw(page), []
    for place, name in enumerate(names):
        left, top = place % 2 * (4 * (SHOWN + 4) + 12), place // 2 * high
        errors, times = [], []
        for seed in range(options.seeds):
            truth, known = background(name, seed), disc(seed)
            began = time.perf_counter()
            result = told(truth, known)
            times.append(1000 * (time.perf_counter() - began))
            smooth = filled(truth * known, known)
            off = [float((one - truth).mul(1 - known).square().sum() / (3 * (1 - known).sum())) for one in (smooth, result)]
            errors.append([255 * value**0.5 for value in off])
            if seed == 0:
                whole = [truth * known, smooth, result * (1 - known) + truth * known, truth]
                for column, one in enumerate(whole):
                    levels = (one.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
                    small = Image.fromarray(levels).resize((SHOWN, SHOWN), Image.Resampling.BOX)
                    page.paste(small, (left + column * (SHOWN + 4), top + 16))
                said = f"{name}: {errors[0][0]:.1f} filled smoothly, {errors[0][1]:.1f} as edits do"
                draw.text((left + 2, top + 3), said, "black")
        means = np.mean(errors, 0)
        all_of.append(means)
        table.add_row(name, *(f"{mean:.1f}" for mean in means), f"{statistics.median(times):.0f}")
    table.add_row("mean", *(f"{mean:.1f}" for mean in np.mean(all_of, 0)), "")
    show(table)
    if options.out:
        page.save(options.out, quality=88)


if __name__ == "__main__":
    main()
