"""Room: what the places of things already written say to the one that is being written.

That two things do not stand in one another depends on how their numbers differ, which a sum over the trunk's attention tells
only roughly. So each number of a place is written with a look at every earlier thing, beside the numbers written before it. Of
x and y each thing makes bins around its own more or less likely: the same hollow wherever it stands.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.prior.places import VARIABLES, WAVES, X, Y, waves

SIZE = 64
REACH = 0.36  # how far around a thing its hollow may extend, of the range of x or y
BUMPS = 25  # of which a hollow is made
STRENGTH = 8.0  # of a bump; larger ones are learnt faster
HOLLOW = (X, Y)  # variables that have one; the first ones


class Neighbours(nn.Module):
    """Says nothing until it is trained, so that a prior may get it later. One small MLP for all pairs of things, summed."""

    def __init__(self, width: int, bins: int):
        super().__init__()
        self.bins = bins
        self.own = nn.Linear(width, SIZE)
        self.other = nn.Parameter(torch.randn(VARIABLES * WAVES, SIZE) * 0.1)
        self.apart = nn.Parameter(torch.randn(VARIABLES, WAVES, SIZE) * 0.1)
        self.mix = nn.Linear(SIZE, SIZE)
        self.outlet = nn.Linear(SIZE, width, bias=False)
        self.hollow = nn.Linear(SIZE, BUMPS, bias=False)
        nn.init.zeros_(self.outlet.weight)
        nn.init.zeros_(self.hollow.weight)
        away = torch.arange(1 - bins, bins) / bins
        centres = torch.linspace(-REACH, REACH, BUMPS)
        bumps = torch.exp(-0.5 * ((away - centres[:, None]) / (centres[1] - centres[0])).square())
        self.register_buffer("bumps", STRENGTH * bumps, persistent=False)  # (BUMPS, 2 bins - 1) by bins away

    def forward(self, x: Tensor, place: Tensor, others: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """What is said to each number of K places, (K, 5, width), of which each sees those before it, and what is added to the
        logits of their bins, (K, 5, bins).

        x (K, 5, width): what is known of each number; place (K, 5); others (K, J, 5), in use where `there` (K, J).
        """
        apart = torch.einsum("kjvf,vfs->kjvs", waves(place[:, None] - others).to(x.dtype), self.apart.to(x.dtype))
        pair = self._pairs(x, others, apart.cumsum(2) - apart) * there[:, :, None, None]
        near = self._bins(pair[:, :, : len(HOLLOW)], others[..., : len(HOLLOW)])
        return self.outlet(pair.sum(1)), F.pad(near, (0, 0, 0, VARIABLES - len(HOLLOW)))

    def one(self, x: Tensor, place: Tensor, others: Tensor, variable: int) -> tuple[Tensor, Tensor]:
        """The same of one number, (K, width) and (K, bins), from x (K, width), place[:, :variable] and others (K, J, 5)."""
        before = waves(place[:, None, :variable] - others[..., :variable])
        apart = torch.einsum("kjvf,vfs->kjs", before, self.apart[:variable])[:, :, None]
        pair = self._pairs(x[:, None], others, apart)
        said = self.outlet(pair.sum(1))[:, 0]
        if variable not in HOLLOW:
            return said, x.new_zeros(len(x), self.bins)
        return said, self._bins(pair, others[..., variable : variable + 1])[:, 0]

    def _pairs(self, x: Tensor, others: Tensor, apart: Tensor) -> Tensor:
        """(K, J, V, SIZE) from x (K, V, width) and how far apart the things are, (K, J, V, SIZE)."""
        other = waves(others).flatten(2).to(x.dtype) @ self.other.to(x.dtype)  # (K, J, SIZE)
        return F.silu(self.mix(F.silu(self.own(x)[:, None] + other[:, :, None] + apart)))

    def _bins(self, pair: Tensor, others: Tensor) -> Tensor:
        """What pairs (K, J, V, SIZE) add to the bins (K, V, bins) around those of the others (K, J, V)."""
        around = self.hollow(pair) @ self.bumps.to(pair.dtype)  # (K, J, V, 2 bins - 1)
        theirs = (others * self.bins).long().clamp(0, self.bins - 1)
        bins = torch.arange(self.bins, device=others.device) + self.bins - 1
        return around.gather(-1, bins - theirs[..., None]).float().sum(1)
