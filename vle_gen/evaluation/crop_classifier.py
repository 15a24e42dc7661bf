"""The judge's second look: a cut-out of the picture around each place where its detector sees something, of which a small
network says whether a thing stands there, and of which shape and material. Trained by `benchmarks/judge/train_closer.py`."""
from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prompts.vocabulary import MATERIALS, SHAPES

CUT = 48  # pixels of a cut-out's side
AROUND = 1.3  # a cut-out's side over the longer side of the box


class Closer(NamedTuple):
    """What a cut-out shows, of K of them: logits."""

    there: Tensor  # (K,)
    shape: Tensor  # (K, 3)
    material: Tensor  # (K, 2)


class CloseLook(nn.Module):
    """Cut-outs (K, 3, 48, 48), 0..1, to a `Closer`."""

    def __init__(self, widths: tuple[int, int, int] = (24, 48, 64), inner: int = 128):
        super().__init__()
        a, b, c = widths
        self.body = nn.Sequential(
            *_down(3, a), Residual(a), *_down(a, b), Residual(b), *_down(b, c), Residual(c),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(c * (CUT // 8) ** 2, inner), nn.ReLU(), nn.Dropout(0.3),
        )  # fmt: skip
        self.outlet = nn.Linear(inner, 1 + len(SHAPES) + len(MATERIALS))

    def forward(self, cut: Tensor) -> Closer:
        there, shape, material = self.outlet(self.body((cut - 0.45) / 0.2)).split([1, len(SHAPES), len(MATERIALS)], 1)
        return Closer(there[:, 0], shape, material)


class Residual(nn.Module):
    """Two convolutions around which the input passes."""

    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(*conv(width, width), nn.ReLU(), *conv(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


def conv(inside: int, outside: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    """A convolution of 3 x 3 and its normalisation."""
    return nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside)


def _down(inside: int, outside: int) -> tuple[nn.Module, ...]:
    return (*conv(inside, outside, 2), nn.ReLU())


def cut_out(pictures: Tensor, which: Tensor, box: Tensor, turned: Tensor | None = None, size: int = CUT) -> Tensor:
    """Squares (K, 3, size, size) around boxes (K, 4) cx, cy, w, h in canvas units, of pictures (B, 3, S, S) number `which`
    (K,), turned by so many radians (K,). What lies outside the picture continues its edge."""
    half = box[:, 2:].amax(1) * AROUND / 2  # (K,) canvas units
    steps = (torch.arange(size, device=box.device) + 0.5) * 2 / size - 1
    turned = torch.zeros_like(half) if turned is None else turned
    cos, sin = turned.cos()[:, None, None], turned.sin()[:, None, None]
    x, y = steps[None, None, :], steps[None, :, None]
    aside = torch.stack([x * cos - y * sin, x * sin + y * cos], -1) * half[:, None, None, None]  # (K, size, size, 2)
    grid = 2 * (box[:, None, None, :2] + aside) - 1
    if not len(box):
        return pictures.new_zeros(0, 3, size, size)
    # all pictures at once, each with as many squares as the one with most, since a GPU waits for nothing then
    order = which.argsort(stable=True)
    count = torch.zeros(len(pictures), dtype=torch.long, device=box.device).index_add_(0, which, torch.ones_like(which))
    rank = torch.empty_like(which)
    rank[order] = torch.arange(len(which), device=box.device) - (count.cumsum(0) - count)[which[order]]
    grids = grid.new_zeros(len(pictures), int(count.max()), size, size, 2)
    grids[which, rank] = grid
    cuts = F.grid_sample(pictures, grids.flatten(1, 2), "bilinear", "border", False)  # (B, 3, most * size, size)
    return cuts.unflatten(2, (-1, size))[which, :, rank]
