"""Moves over the floor with and without perspective, against scenes that show the same object at the other place.

    python benchmarks/perspective.py sprites.tar [--pairs 40] [--json out.json]

The pairs are sprites of one rig that look the same (spheres and cylinders of equal attributes) and stand at different
heights in the picture. A scene with the first is encoded, the object is moved to where the second stands, and the result
is compared with the scene that has the second in its place.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

import vle_gen
from editors import move
from editors.perspective import Perspective
from prompts import vocabulary
from vle_gen.data.compose import FULL_VIEW, Composer
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank
from vle_gen.evaluation.evaluate import CHANGED, best_match, grow, psnr

SIDE = 320  # pixels on a side of the scenes
LEAST_CLIMB = 0.06  # canvas units between the two centres' heights
OTHERS = 4  # objects that stand around


def pairs_of(bank: SpriteBank, generator: torch.Generator) -> list[tuple[int, int]]:
    """Pairs of sprites of one rig that look the same from all sides and stand at different heights, shuffled."""
    found = []
    round_ones = bank.attributes[:, 0] != vocabulary.SHAPES.index("cube")
    for first in torch.nonzero(round_ones)[:, 0].tolist():
        alike = (bank.attributes == bank.attributes[first]).all(1) & (bank.rig == bank.rig[first])
        alike &= (bank.box[:, 1] - bank.box[first, 1]).abs() > LEAST_CLIMB
        found += [(first, other) for other in torch.nonzero(alike)[:, 0].tolist()]
    return [found[k] for k in torch.randperm(len(found), generator=generator).tolist()]


def bystanders(bank: SpriteBank, pair: tuple[int, int], generator: torch.Generator, margin: float = 0.4) -> list[int]:
    """Up to `OTHERS` sprites of the rig with room between them and from both of the pair."""
    members = bank.members[bank.rig[pair[0]]]
    members, chosen = members[members >= 0], []
    for k in members[torch.randperm(len(members), generator=generator)].tolist():
        gaps = [
            float((bank.floor[k] - bank.floor[j]).norm() - bank.radius[k] - bank.radius[j]) for j in (*pair, *chosen)
        ]
        if min(gaps) > margin and len(chosen) < OTHERS:
            chosen.append(k)
    return chosen


def scene(composer: Composer, sprites: list[int]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """The picture (H, W, 3) uint8 and labels (H, W) of some sprites of a rig, and the sprites near to far."""
    bank = composer.bank
    index = torch.tensor(sorted(sprites, key=lambda k: float(bank.depth[k])))[None]
    layout = SceneBatch(
        present=torch.ones_like(index, dtype=torch.bool), box=bank.box[index], depth=bank.depth[index],
        attributes=bank.attributes[index], sprite=index, rig=bank.rig[index[:, 0]],
        view=torch.tensor([FULL_VIEW]), has_layers=torch.ones(1, dtype=torch.bool),
    )  # fmt: skip
    drawn = composer.render(layout, SIDE, SIDE)
    pixels = (drawn.image[0].permute(1, 2, 0) * 255).round().byte().numpy()
    return pixels, drawn.labels[0].numpy(), index[0].tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprites")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    generator = torch.Generator().manual_seed(args.seed)
    bank = SpriteBank.load(args.sprites)
    pipe, composer = vle_gen.load(args.checkpoint), Composer(bank)
    rows = []
    for pair in pairs_of(bank, generator)[: args.pairs]:
        others = bystanders(bank, pair, generator)
        before, labels, order = scene(composer, [pair[0], *others])
        after, _, _ = scene(composer, [pair[1], *others])
        tokens = pipe.encode(Image.fromarray(before))
        index, _ = best_match(labels == order.index(pair[0]) + 1, np.asarray(tokens.label_map()))
        if not index:
            continue
        dx, dy = ((bank.box[pair[1], :2] - bank.box[pair[0], :2]) * SIDE).tolist()
        view = Perspective.of(tokens)
        y, y_new = float(bank.box[pair[0], 1]), float(bank.box[pair[1], 1])
        changed = grow(np.abs(after.astype(int) - before).max(-1) > CHANGED, 3)
        row = {"untouched": psnr(before, after, changed)}
        for name, perspective in (("size kept", False), ("perspective", view)):
            edited = np.asarray(pipe.decode(move(tokens, index, dx, dy, perspective)))
            row[name] = psnr(edited, after, changed)
        foretold = view.scale(y, y_new)
        truth = float(bank.depth[pair[0]] / bank.depth[pair[1]])
        row["scale is off by"] = abs(np.log(foretold / truth))
        row["true growth or shrinking"] = abs(np.log(truth))
        rows.append(row)
    means = {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]} | {"pairs": len(rows)}
    table = Table("PSNR where the scene changes (dB); logarithms of scale", "mean")
    for key, value in means.items():
        table.add_row(key, f"{value:g}")
    Console().print(table)
    if args.json:
        args.json.write_text(json.dumps(means, indent=2) + "\n")


if __name__ == "__main__":
    main()
