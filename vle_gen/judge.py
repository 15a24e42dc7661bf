"""A judge of pictures that shares nothing with the generator: a small detector with eyes of its own, which says what
objects a picture shows and where they stand. Trained on whole renders by `benchmarks/judge/train.py`."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from prompts.request import SceneRequest
from prompts.satisfied import check
from prompts.vocabulary import VALUES
from vle_gen.errors import UserError

SIDE = 256  # pictures are looked at in squares of this many pixels
STRIDE = 4
KINDS = [len(values) for values in VALUES]  # shape, size, material, colour
SURE = 0.4  # score from which a peak is an object; on held-out renders as many scenes are all right at 0.5, fewer at 0.3
MOST = 24
APART = 0.35  # share of two objects' extents nearer than which two peaks are of one object
WEIGHTS = "judge.safetensors"


@dataclass(frozen=True)
class Sight:
    """What the judge sees in one picture, N objects."""

    attributes: list[list[int]]  # (N, 4)
    box: list[list[float]]  # (N, 4) centre, width, height in canvas units
    depth: list[float]  # (N,) larger is farther
    score: list[float]  # (N,) 0..1

    def problems(self, request: SceneRequest) -> list[str]:
        """What of a request the picture does not show."""
        return check(request, self.attributes, self.box, self.depth, exact=True)


class Residual(nn.Module):
    """Two convolutions around which the input passes."""

    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(*_conv(width, width), nn.ReLU(), *_conv(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class JudgeNetwork(nn.Module):
    """Pictures (B, 3, 256, 256), 0..1, to maps (B, C, 64, 64): a score, an offset and extent, a log depth, attributes."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 112)):
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Sequential(*_conv(3, a, 2), nn.ReLU(), *_conv(a, b, 2), nn.ReLU(), Residual(b))
        self.middle = nn.Sequential(*_conv(b, c, 2), nn.ReLU(), Residual(c), Residual(c))
        self.bottom = nn.Sequential(*_conv(c, d, 2), nn.ReLU(), Residual(d), Residual(d), Residual(d))
        self.up_bottom, self.up_middle = nn.Conv2d(d, c, 1), nn.Conv2d(c, b, 1)
        self.join = Residual(c)
        self.head = nn.Sequential(*_conv(b, c), nn.ReLU())
        self.outlet = nn.Conv2d(c, 1 + 4 + 1 + sum(KINDS), 1)
        nn.init.constant_(self.outlet.bias[:1], -4.0)

    def forward(self, pixels: Tensor) -> Tensor:
        x4 = self.stem((pixels - 0.45) / 0.2)
        x8 = self.middle(x4)
        x16 = self.bottom(x8)
        x8 = self.join(x8 + F.interpolate(self.up_bottom(x16), scale_factor=2))
        return self.outlet(self.head(x4 + F.interpolate(self.up_middle(x8), scale_factor=2)))


def _conv(inside: int, outside: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside)


class Judge:
    """A trained judge."""

    def __init__(self, network: JudgeNetwork):
        self.network = network.eval()

    @staticmethod
    def load(folder: str | Path) -> Judge:
        """The judge whose weights are in `folder`. Raises `UserError` when there are none."""
        path = Path(folder) / WEIGHTS
        if not path.is_file():
            raise UserError(f"no judge in {folder}: expected {WEIGHTS} there, as benchmarks/judge has it")
        network = JudgeNetwork()
        try:
            network.load_state_dict({name: value.float() for name, value in load_file(path).items()}, strict=False)
        except (SafetensorError, RuntimeError) as fault:
            raise UserError(f"{path} is no judge: {' '.join(str(fault).split())[:200]}") from None
        return Judge(network)

    @torch.no_grad()
    def look(self, pictures: list[Image.Image]) -> list[Sight]:
        """What pictures of any size show."""
        maps = self.network(torch.stack([_square(picture) for picture in pictures]))
        return [_sight(one) for one in maps]


def _square(picture: Image.Image) -> Tensor:
    """A picture (3, 256, 256), 0..1, in the middle of its square canvas, its edges continued."""
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None].float() / 255
    height, width = pixels.shape[-2:]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    pixels = F.pad(pixels, (left, side - width - left, top, side - height - top), mode="replicate")
    if side != SIDE:
        pixels = F.interpolate(pixels, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return pixels[0]


def _sight(maps: Tensor) -> Sight:
    """Peaks of the score, and what stands there."""
    score = maps[:1].sigmoid()
    peak = (F.max_pool2d(score, 3, 1, 1) == score) & (score > SURE)
    _, rows, columns = peak.nonzero(as_tuple=True)
    order = score[0, rows, columns].argsort(descending=True)[:MOST]
    rows, columns = rows[order], columns[order]
    kept = _distinct(maps, rows, columns)
    rows, columns = rows[kept], columns[kept]
    at = maps[:, rows, columns].T  # (N, C)
    cells = SIDE / STRIDE
    x, y = (columns + at[:, 1].sigmoid()) / cells, (rows + at[:, 2].sigmoid()) / cells
    extent = at[:, 3:5].exp()
    kinds = [part.argmax(1) for part in at[:, 6:].split(KINDS, 1)]
    box = torch.stack([x, y, extent[:, 0], extent[:, 1]], 1)
    return Sight(torch.stack(kinds, 1).tolist(), box.tolist(), at[:, 5].exp().tolist(), score[0, rows, columns].tolist())


def _distinct(maps: Tensor, rows: Tensor, columns: Tensor) -> list[int]:
    """Which peaks, the highest first, are not beside a higher one of the same object."""
    extent = maps[3:5, rows, columns].exp().amin(0) * (SIDE / STRIDE)  # (N,) cells
    centre = torch.stack([columns, rows], 1).float()
    near = torch.cdist(centre, centre) < APART * torch.minimum(extent[:, None], extent[None])
    kept: list[int] = []
    for k in range(len(rows)):
        if not near[k, kept].any():
            kept.append(k)
    return kept
