"""Room: what the places of things already written say to the one that is being written.

That two things do not stand in one another depends on how their numbers differ, which a sum over the trunk's attention tells
only roughly. So each number of a place is written with a look at every earlier thing, beside the numbers written before it.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.prior.places import VARIABLES, WAVES, waves

SIZE = 64


class Neighbours(nn.Module):
    """Says nothing until it is trained, so that a prior may get it later. One small MLP for all pairs of things, summed."""

    def __init__(self, width: int):
        super().__init__()
        self.own = nn.Linear(width, SIZE)
        self.other = nn.Parameter(torch.randn(VARIABLES * WAVES, SIZE) * 0.1)
        self.apart = nn.Parameter(torch.randn(VARIABLES, WAVES, SIZE) * 0.1)
        self.mix = nn.Linear(SIZE, SIZE)
        self.outlet = nn.Linear(SIZE, width, bias=False)
        nn.init.zeros_(self.outlet.weight)

    def forward(self, x: Tensor, place: Tensor, others: Tensor, there: Tensor) -> Tensor:
        """What is said to each number of K places, (K, 5, width), of which each sees those before it.

        x (K, 5, width): what is known of each number; place (K, 5); others (K, J, 5), in use where `there` (K, J).
        """
        apart = torch.einsum("kjvf,vfs->kjvs", waves(place[:, None] - others).to(x.dtype), self.apart.to(x.dtype))
        return self._said(x, others, apart.cumsum(2) - apart, there)

    def one(self, x: Tensor, place: Tensor, others: Tensor, variable: int) -> Tensor:
        """The same of one number, (K, width), from x (K, width), place[:, :variable] and others (K, J, 5)."""
        before = waves(place[:, None, :variable] - others[..., :variable])
        apart = torch.einsum("kjvf,vfs->kjs", before, self.apart[:variable])[:, :, None]
        there = torch.ones_like(others[..., 0], dtype=torch.bool)
        return self._said(x[:, None], others, apart, there)[:, 0]

    def _said(self, x: Tensor, others: Tensor, apart: Tensor, there: Tensor) -> Tensor:
        """(K, V, width) from x (K, V, width) and how far apart the things are, (K, J, V, SIZE)."""
        other = waves(others).flatten(2).to(x.dtype) @ self.other.to(x.dtype)  # (K, J, SIZE)
        pair = F.silu(self.mix(F.silu(self.own(x)[:, None] + other[:, :, None] + apart)))
        return self.outlet((pair * there[:, :, None, None]).sum(1))
