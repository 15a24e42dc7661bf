"""Pointers: which of the things already written the text ties the next one to, and how ("left of the cube").

To find a relation's other end and to stand on the right side of it are two tasks. Told of the first by the captions that it is
trained on, a prior need not guess it from where things happen to stand.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vle_gen.prior.places import VARIABLES, WAVES, waves

RARE = 0.02  # share of pairs that are tied, about: where training begins


class Pointers(nn.Module):
    """Scores for every (next thing, earlier thing, relation), and what the earlier places say to the next one.

    `kinds` relations are told apart, the first ones of `prompts.vocabulary.ALL_RELATIONS`.
    """

    def __init__(self, width: int, kinds: int, size: int = 48):
        super().__init__()
        self.kinds, self.size = kinds, size
        self.query, self.key = nn.Linear(width, kinds * size), nn.Linear(width, size)
        self.bias = nn.Parameter(torch.full((kinds,), math.log(RARE / (1 - RARE))))
        self.value = nn.Parameter(torch.zeros(kinds, VARIABLES * WAVES, width))

    def logits(self, asking: Tensor, asked: Tensor) -> Tensor:
        """(B, Q, J, kinds) of each relation, from states before the next things (B, Q, width) and after earlier ones
        (B, J, width)."""
        query = self.query(asking).unflatten(-1, (self.kinds, self.size))
        scores = torch.einsum("bqkd,bjd->bqjk", query, self.key(asked)) * self.size**-0.5
        return scores.float() + self.bias

    def told(self, weights: Tensor, place: Tensor) -> Tensor:
        """What places (B, J, 5) say, (B, Q, width), by weights (B, Q, J, kinds) in 0..1."""
        said = torch.einsum("bqjk,bjf->bqkf", weights.to(self.value.dtype), waves(place).flatten(2))
        return torch.einsum("bqkf,kfw->bqw", said, self.value)
