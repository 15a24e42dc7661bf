"""Pointers: which of the things already written the text ties the next one to, and how ("left of the cube").

To find a relation's other end and to stand on the right side of it are two tasks. Told of the first by the captions that it is
trained on, a prior need not guess it from where things happen to stand.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vle_gen.prior.places import VARIABLES, WAVES, waves

KINDS = 5  # left of, right of, in front of, behind, next to
RARE = 0.02  # share of pairs that are tied, about: where training begins


class Pointers(nn.Module):
    """Scores for every (next thing, earlier thing, relation), and what the earlier places say to the next one."""

    def __init__(self, width: int, size: int = 48):
        super().__init__()
        self.size = size
        self.query, self.key = nn.Linear(width, KINDS * size), nn.Linear(width, size)
        self.bias = nn.Parameter(torch.full((KINDS,), math.log(RARE / (1 - RARE))))
        self.value = nn.Parameter(torch.zeros(KINDS, VARIABLES * WAVES, width))

    def logits(self, asking: Tensor, asked: Tensor) -> Tensor:
        """(B, Q, J, KINDS) of each relation, from states before the next things (B, Q, width) and after earlier ones
        (B, J, width)."""
        query = self.query(asking).unflatten(-1, (KINDS, self.size))
        scores = torch.einsum("bqkd,bjd->bqjk", query, self.key(asked)) * self.size**-0.5
        return scores.float() + self.bias

    def told(self, weights: Tensor, place: Tensor) -> Tensor:
        """What places (B, J, 5) say, (B, Q, width), by weights (B, Q, J, KINDS) in 0..1."""
        said = torch.einsum("bqjk,bjf->bqkf", weights.to(self.value.dtype), waves(place).flatten(2))
        return torch.einsum("bqkf,kfw->bqw", said, self.value)
