"""A judge of pictures of things with names, which shares nothing with the generator: a detector that does not ask what it
finds, and a second look that names it. Trained on composed scenes by `benchmarks/judge/train_everyday.py`."""
from __future__ import annotations

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from prompts.lexicon import Lexicon
from prompts.request import SceneRequest
from prompts.satisfied import assign, check
from prompts.vocabulary import ATTRIBUTES
from vle_gen.errors import UserError
from vle_gen.evaluation.crop_classifier import Residual, cut_out
from vle_gen.evaluation.judge import WEIGHTS, Judge, JudgeNetwork, Peaks, filled, peaks_of, square, surest

CUT = 64  # pixels of a cut-out's side
NAMER_WEIGHTS, NAMES = "namer.safetensors", "names.json"
SOLID, NOTHING = 0, 1  # what a cut-out may show besides the names, which come after
FAINT = 0.1  # score from which a peak of the detector is looked at again
SURE = 0.2  # score from which what was looked at again may be an object
CERTAIN = 0.98  # and from which it is one
POSSIBLE = 0.01  # of the likeliest name's probability, from which a thing may be what another name says


class NameNetwork(nn.Module):
    """Cut-outs (K, 3, 64, 64), 0..1, to logits (K, 2 + names): a solid, nothing in the middle, or which name."""

    def __init__(self, names: int, widths: tuple[int, ...] = (32, 64, 128, 256), inner: int = 256):
        super().__init__()
        layers, inside = [], 3
        for width, residuals in zip(widths, (0, 0, 1, 2), strict=True):  # where a channel is cheap, and looks wide
            layers += [nn.Conv2d(inside, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            layers += [Residual(width) for _ in range(residuals)]
            inside = width
        self.body = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(inside * (CUT // 2 ** len(widths)) ** 2, inner), nn.ReLU(), nn.Dropout(0.1)
        )
        self.outlet = nn.Linear(inner, 2 + names)

    def forward(self, cut: Tensor) -> Tensor:
        return self.outlet(self.body((cut - 0.5) / 0.25))


@dataclass(frozen=True)
class NamedSight:
    """What the judge sees in one picture, N objects, the surest first.

    Args:
        names: the likeliest of each, as their packs have them; None for a solid.
        kinds: the concepts of the lexicon that each may fall under.
        box: (N, 4) centre, width, height in canvas units.
        depth: (N,) larger is farther.
        score: (N,) 0..1.
    """

    names: list[str | None]
    kinds: list[Set[str]]
    box: list[list[float]]
    depth: list[float]
    score: list[float]

    def problems(self, request: SceneRequest) -> list[str]:
        """What of a request the picture does not show, or shows besides; backgrounds are not looked at.

        What is asked for is looked for among all that may be an object, since a picture is to be verified and not told;
        what is besides must be certain.
        """
        unknown = [[-1] * len(ATTRIBUTES)] * len(self.names)
        problems = check(request, unknown, self.box, self.depth, kinds=self.kinds)
        if problems:
            return problems
        asked = set().union(*assign(request, unknown, self.box, self.depth, self.kinds) or ())
        certain = [k for k, score in enumerate(self.score) if score > CERTAIN and k not in asked]
        besides = [k for k in certain if not any(_holds(self.box[one], self.box[k]) for one in asked)]
        return [f"besides, something like {self.names[k] or 'a solid'}" for k in besides]


def _holds(box: Sequence[float], other: Sequence[float]) -> bool:
    """Whether a box has the middle of another in it: what is seen there may be a part of the one thing."""
    return abs(box[0] - other[0]) < box[2] / 2 and abs(box[1] - other[1]) < box[3] / 2


class NamingJudge:
    """A trained judge: a detector, a second look, and the names that it knows.

    Args:
        names: of the second look's values from `NOTHING` on.
        lexicon: of the checkpoint that is judged: what each name falls under.
    """

    def __init__(self, detector: JudgeNetwork, namer: NameNetwork, names: Sequence[str], lexicon: Lexicon):
        self.detector, self.namer = detector.eval(), namer.eval()
        self.names, self.lexicon = list(names), lexicon

    @staticmethod
    def load(folder: str | Path, lexicon: Lexicon) -> NamingJudge:
        """The judge whose weights are in `folder`. Raises `UserError` for files that are not those of one."""
        folder = Path(folder)
        try:
            names = json.loads((folder / NAMES).read_text())
        except (OSError, ValueError) as fault:
            raise UserError(f"{folder / NAMES} cannot be read: {fault}") from None
        detector = filled(JudgeNetwork(kinds=()), folder / WEIGHTS)
        return NamingJudge(detector, filled(NameNetwork(len(names)), folder / NAMER_WEIGHTS), names, lexicon)

    def require(self, prompt: str, request: SceneRequest) -> None:
        """Raises `UserError` where the request is beyond what the judge knows."""
        known = set(self.names)
        for mention in request.mentions:
            if mention.name is None or mention.color is not None or mention.material is not None:
                raise UserError(f"{prompt!r} is beyond the judge, which knows things by name, without colours or materials")
            if known.isdisjoint(self.lexicon.named[mention.name].members):
                raise UserError(f"{prompt!r} is beyond the judge, which does not know '{mention.name}'")

    @torch.no_grad()
    def look(self, pictures: list[Image.Image]) -> list[NamedSight]:
        """What pictures of any size show."""
        pixels = torch.stack([square(picture) for picture in pictures])
        maps = self.detector(pixels)
        found = [peaks_of(of, picture, (), FAINT) for of, picture in zip(maps, pictures, strict=True)]
        return [self._sight(one, peaks) for one, peaks in zip(pixels, found, strict=True)]

    def _sight(self, pixels: Tensor, peaks: Peaks) -> NamedSight:
        if len(peaks.box):
            cuts = cut_out(pixels[None], torch.zeros(len(peaks.box), dtype=torch.long), peaks.box, size=CUT)
            said = (self.namer(cuts).log_softmax(1) + self.namer(cuts.flip(-1)).log_softmax(1)) / 2
            something = said.logsumexp(1).sub(said[:, NOTHING]).expm1().clamp(min=1e-6).log()  # log odds
            peaks = surest(replace(peaks, score=peaks.score + something, kinds=(said,)), SURE)
        if not len(peaks.box):
            return NamedSight([], [], [], [], [])
        said = peaks.kinds[0].clone()
        said[:, NOTHING] = -torch.inf
        names = [self._name(k) for k in said.argmax(1).tolist()]
        kinds = [self._may_be(row) for row in said.softmax(1)]
        return NamedSight(names, kinds, peaks.box.tolist(), peaks.depth.tolist(), peaks.score.sigmoid().tolist())

    def _name(self, value: int) -> str | None:
        return None if value == SOLID else self.names[value - NOTHING - 1]

    def _may_be(self, shares: Tensor) -> frozenset[str]:
        """All that names with probabilities near the likeliest one's fall under, of (2 + names,)."""
        likely = (shares > POSSIBLE * shares.max()).nonzero()[:, 0].tolist()
        names = [name for name in map(self._name, likely) if name is not None]
        return frozenset(concept for name in names for concept in self.lexicon.kinds.get(name, ()))


def load_judge(folder: str | Path, lexicon: Lexicon | None) -> Judge | NamingJudge:
    """The judge in `folder`: of solids, or of what `lexicon` names. Raises `UserError` when there is none, or no lexicon
    for it."""
    if not (Path(folder) / NAMES).is_file():
        return Judge.load(folder)
    if lexicon is None:
        raise UserError(f"the judge in {folder} knows things by name, and this checkpoint draws solids alone: expected another")
    return NamingJudge.load(folder, lexicon)
