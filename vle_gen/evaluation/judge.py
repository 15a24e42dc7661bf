"""A judge of pictures that shares nothing with the generator: a small detector with eyes of its own, which says what
objects a picture shows and where they stand. Trained on whole renders by `benchmarks/judge/train.py`."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from prompts.request import SceneRequest
from prompts.satisfied import check
from prompts.vocabulary import MATERIAL, SHAPE, VALUES
from vle_gen.errors import UserError
from vle_gen.evaluation.crop_classifier import CloseLook, Residual, conv, cut_out

SIDE = 256  # pictures are looked at in squares of this many pixels
STRIDE = 4
KINDS = [len(values) for values in VALUES]  # shape, size, material, colour
# Settled on held-out renders, of which 0.918 are then all right: fewer with FAINT below, as many with SURE from 0.3 to 0.9
FAINT = 0.4  # score from which a peak of the detector is looked at again
SURE = 0.7  # score from which what was looked at again is an object
MOST = 24
APART = 0.35  # share of two objects' extents nearer than which two peaks are of one object
WEIGHTS = "judge.safetensors"
CLOSER_WEIGHTS = "closer.safetensors"
CLOSER_WEIGHT = 1.0  # of what the second look says, beside what the first does

Network = TypeVar("Network", bound=nn.Module)


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


class JudgeNetwork(nn.Module):
    """Pictures (B, 3, 256, 256), 0..1, to maps (B, C, 64, 64): a score, an offset and extent, a log depth, and the values
    of attributes, of which there are as many as `kinds` says."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 112), kinds: Sequence[int] = KINDS):
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Sequential(*conv(3, a, 2), nn.ReLU(), *conv(a, b, 2), nn.ReLU(), Residual(b))
        self.middle = nn.Sequential(*conv(b, c, 2), nn.ReLU(), Residual(c), Residual(c))
        self.bottom = nn.Sequential(*conv(c, d, 2), nn.ReLU(), Residual(d), Residual(d), Residual(d))
        self.up_bottom, self.up_middle = nn.Conv2d(d, c, 1), nn.Conv2d(c, b, 1)
        self.join = Residual(c)
        self.head = nn.Sequential(*conv(b, c), nn.ReLU())
        self.outlet = nn.Conv2d(c, 1 + 4 + 1 + sum(kinds), 1)
        nn.init.constant_(self.outlet.bias[:1], -4.0)

    def forward(self, pixels: Tensor) -> Tensor:
        x4 = self.stem((pixels - 0.45) / 0.2)
        x8 = self.middle(x4)
        x16 = self.bottom(x8)
        x8 = self.join(x8 + F.interpolate(self.up_bottom(x16), scale_factor=2))
        return self.outlet(self.head(x4 + F.interpolate(self.up_middle(x8), scale_factor=2)))


class Judge:
    """A trained judge: a detector and, where there is one, a second look at what that sees."""

    def __init__(self, network: JudgeNetwork, closer: CloseLook | None = None):
        self.network = network.eval()
        self.closer = None if closer is None else closer.eval()

    @staticmethod
    def load(folder: str | Path) -> Judge:
        """The judge whose weights are in `folder`. Raises `UserError` when there are none."""
        folder = Path(folder)
        if not (folder / WEIGHTS).is_file():
            raise UserError(f"no judge in {folder}: expected {WEIGHTS} there, as benchmarks/judge has it")
        closer = filled(CloseLook(), folder / CLOSER_WEIGHTS) if (folder / CLOSER_WEIGHTS).is_file() else None
        return Judge(filled(JudgeNetwork(), folder / WEIGHTS), closer)

    def require(self, prompt: str, request: SceneRequest) -> None:
        """Raises `UserError` where the request is beyond what the judge knows."""
        if any(mention.name is not None for mention in request.mentions):
            raise UserError(f"{prompt!r} is beyond the judge, which knows cubes, spheres and cylinders alone")

    @torch.no_grad()
    def look(self, pictures: list[Image.Image]) -> list[Sight]:
        """What pictures of any size show."""
        pixels = torch.stack([square(picture) for picture in pictures])
        maps = self.network(pixels)
        found = [peaks_of(of, picture, KINDS) for of, picture in zip(maps, pictures, strict=True)]
        return [_sight(self._looked_at_again(one, peaks)) for one, peaks in zip(pixels, found, strict=True)]

    def _looked_at_again(self, pixels: Tensor, peaks: Peaks) -> Peaks:
        """Peaks with what the second look says of them, at the cut-outs and their mirror images."""
        if self.closer is None or not len(peaks.box):
            return peaks
        cuts = cut_out(pixels[None], torch.zeros(len(peaks.box), dtype=torch.long), peaks.box)
        sides = [self.closer(cuts), self.closer(cuts.flip(-1))]
        there, shape, material = ((one + other) / 2 for one, other in zip(*sides, strict=True))
        kinds = list(peaks.kinds)
        for index, said in ((SHAPE, shape), (MATERIAL, material)):
            kinds[index] = kinds[index].log_softmax(1) + CLOSER_WEIGHT * said.log_softmax(1)
        return replace(peaks, score=peaks.score + CLOSER_WEIGHT * there, kinds=tuple(kinds))


@dataclass(frozen=True)
class Peaks:
    """Where objects may be in one picture, N places."""

    score: Tensor  # (N,) log odds
    box: Tensor  # (N, 4) centre, width, height in canvas units
    depth: Tensor  # (N,)
    kinds: tuple[Tensor, ...]  # of each attribute (N, values), logits

    def __getitem__(self, rows: Tensor | list[int]) -> Peaks:
        return Peaks(self.score[rows], self.box[rows], self.depth[rows], tuple(kind[rows] for kind in self.kinds))


def filled(network: Network, path: Path) -> Network:
    """A network with the weights of a file."""
    try:
        weights = {name: value.float() for name, value in load_file(path).items()}
        missing, _ = network.load_state_dict(weights, strict=False)
        if missing:
            raise RuntimeError(f"it lacks {missing[0]}")
    except (SafetensorError, RuntimeError) as fault:
        raise UserError(f"{path} is no judge: {' '.join(str(fault).split())[:200]}") from None
    return network


def square(picture: Image.Image) -> Tensor:
    """A picture (3, 256, 256), 0..1, in the middle of its square canvas, its edges continued."""
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None].float() / 255
    height, width = pixels.shape[-2:]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    pixels = F.pad(pixels, (left, side - width - left, top, side - height - top), mode="replicate")
    if side != SIDE:
        pixels = F.interpolate(pixels, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return pixels[0]


def peaks_of(maps: Tensor, picture: Image.Image, kinds: Sequence[int], faint: float = FAINT) -> Peaks:
    """Peaks of the score from `faint` on in the picture, not in what continues its edges, and what the maps (C, 64, 64) say
    of them."""
    score = maps[:1]
    peak = (F.max_pool2d(score, 3, 1, 1) == score) & (score.sigmoid() > faint)
    _, rows, columns = peak.nonzero(as_tuple=True)
    order = score[0, rows, columns].argsort(descending=True)[:MOST]
    rows, columns = rows[order], columns[order]
    at = maps[:, rows, columns].T  # (N, C)
    cells = SIDE / STRIDE
    x, y = (columns + at[:, 1].sigmoid()) / cells, (rows + at[:, 2].sigmoid()) / cells
    box = torch.cat([torch.stack([x, y], 1), at[:, 3:5].exp()], 1)
    peaks = Peaks(at[:, 0], box, at[:, 5].exp(), at[:, 6:].split(list(kinds), 1))
    reach = torch.tensor(picture.size) / max(picture.size) / 2  # canvas units from the middle to the edges
    return peaks[((box[:, :2] - 0.5).abs() < reach).all(1)]


def surest(peaks: Peaks, sure: float = SURE) -> Peaks:
    """The peaks that are objects, each once."""
    peaks = peaks[peaks.score.argsort(descending=True)]
    peaks = peaks[peaks.score.sigmoid() > sure]
    return peaks[_distinct(peaks.box)]


def _sight(peaks: Peaks) -> Sight:
    peaks = surest(peaks)
    kinds = torch.stack([kind.argmax(1) for kind in peaks.kinds], 1)
    return Sight(kinds.tolist(), peaks.box.tolist(), peaks.depth.tolist(), peaks.score.sigmoid().tolist())


def _distinct(box: Tensor) -> list[int]:
    """Which boxes (N, 4), the surest first, are not beside a surer one of the same object."""
    extent = box[:, 2:].amin(1)
    near = torch.cdist(box[:, :2], box[:, :2]) < APART * torch.minimum(extent[:, None], extent[None])
    kept: list[int] = []
    for k in range(len(box)):
        if not near[k, kept].any():
            kept.append(k)
    return kept
