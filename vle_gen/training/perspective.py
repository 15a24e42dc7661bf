"""What sprites say of the floor that they stand on: fits `editors.perspective.Ground`, and tells how well it holds.

    python -m vle_gen.training.perspective sprites.tar
"""
from __future__ import annotations

import argparse

import torch
from torch import Tensor

from editors.perspective import Ground, Perspective
from vle_gen.data.compose import FULL_VIEW
from vle_gen.data.sprites import SpriteBank
from vle_gen.training.tokenizer import SHAPES, random_view

VIEWS = 2000  # of each kind that a fit averages over


def fit(bank: SpriteBank, seed: int = 0) -> Ground:
    """The floor as the tokenizer's training sees it: each rig's line, under whole views and the random ones of training."""
    lines, residuals = rig_lines(bank)
    generator = torch.Generator().manual_seed(seed)
    views = [torch.tensor(FULL_VIEW).expand(VIEWS, 4)]
    views += [random_view(VIEWS, height, width, generator) for height, width in SHAPES]
    view = torch.cat(views).double()
    line = lines[torch.randint(len(lines), (len(view),), generator=generator)]
    seen = torch.stack([(line[:, 0] - view[:, 1]) / view[:, 3], line[:, 1] / view[:, 3]], 1)
    mean, std, correlation = seen.mean(0), seen.std(0), torch.corrcoef(seen.T)[0, 1]
    noise = residuals.square().mean().sqrt()
    values = (mean[0], mean[1], std[0], std[1], correlation, noise)
    return Ground(*(round(float(value), 4) for value in values))


def rig_lines(bank: SpriteBank) -> tuple[Tensor, Tensor]:
    """Least-squares horizon and slope (R, 2) of y = horizon + slope / depth for each rig, and the residuals (S,)."""
    lines, residuals = [], []
    for members in bank.members:
        index = members[members >= 0]
        inverse, y = 1 / bank.depth[index].double(), bank.box[index, 1].double()
        inputs = torch.stack([torch.ones_like(inverse), inverse], 1)
        line = torch.linalg.lstsq(inputs, y[:, None]).solution[:, 0]
        lines.append(line)
        residuals.append(y - inputs @ line)
    return torch.stack(lines), torch.cat(residuals)


def depth_error(bank: SpriteBank, horizon: float | None) -> float:
    """Mean relative error of the depth foretold for each object from that of each other of its size and rig; None
    foretells no change."""
    errors = []
    for members in bank.members:
        for size in (0, 1):
            index = members[members >= 0]
            index = index[bank.attributes[index, 1] == size]
            y, depth = bank.box[index, 1].double(), bank.depth[index].double()
            scale = torch.ones(len(y), len(y)) if horizon is None else (y[None] - horizon) / (y[:, None] - horizon)
            errors.append((depth[:, None] / scale / depth[None]).log().abs().flatten())
    return float(torch.cat(errors).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprites")
    bank = SpriteBank.load(parser.parse_args().sprites)
    lines, residuals = rig_lines(bank)
    print(fit(bank))
    print(f"{len(lines)} rigs: horizon {lines[:, 0].mean():.4f} +- {lines[:, 0].std():.4f}, residual {residuals.std():.4f}")
    view = Perspective(float(lines[:, 0].mean()))
    foretold, unchanged = depth_error(bank, view.horizon), depth_error(bank, None)
    print(f"depth at another place: off by {foretold:.2%} with that horizon, by {unchanged:.2%} if taken as unchanged")


if __name__ == "__main__":
    main()
