"""One step of the autoregressive loop: given what is explained so far, where is the next token, or stop?"""
from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vle_gen.tokenizer.blocks import ResBlock, norm

STRIDE = 4  # picture pixels per cell of the step's maps
DEPTH_MEAN, DEPTH_SCALE = 11.0, 2.5  # distances to the camera are regressed in these units


class StepMaps(NamedTuple):
    """A step's answer for every cell of an h x w grid over the picture."""

    score: Tensor  # (B, h, w) logit: a token that is not written yet has the centre of its visible part here
    box: Tensor  # (B, 4, h, w) offset of the object's centre from the cell's (cells), log width, log height (canvas units)
    depth: Tensor  # (B, h, w) distance to the camera


class StepNetwork(nn.Module):
    """Reads features and the state of the explanation: coverage, and the error that remains outside it."""

    def __init__(self, feature_width: int, width: int):
        super().__init__()
        self.features = nn.Conv2d(feature_width, width, 1)
        self.state = nn.Conv2d(4, width, 3, padding=1)
        self.blocks = nn.Sequential(ResBlock(width, width, dilation=2), ResBlock(width, width))
        self.out = nn.Sequential(norm(width), nn.SiLU(), nn.Conv2d(width, 6, 1))
        with torch.no_grad():
            self.out[2].weight.mul_(0.1)
            self.out[2].bias.copy_(torch.tensor([-4.0, 0.0, 0.0, -1.8, -1.8, 0.0]))

    def embed(self, fine: Tensor) -> Tensor:
        """The part that does not depend on the state, computed once a picture: (B, width, h, w)."""
        return self.features(fine)

    def forward(self, embedded: Tensor, coverage: Tensor, error: Tensor) -> StepMaps:
        """coverage (B, 1, h, w) 0..1; error (B, 3, h, w) picture minus background, in -1..1."""
        state = torch.cat([coverage, error * (1 - coverage)], 1).to(embedded.dtype)
        out = self.out(self.blocks(embedded + self.state(state))).float()  # (B, 6, h, w)
        return StepMaps(out[:, 0], out[:, 1:5], DEPTH_MEAN + DEPTH_SCALE * out[:, 5])
