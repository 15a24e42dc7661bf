"""The backbone: one pass over the picture gives features at a quarter and an eighth of its resolution."""
from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.tokenizer.blocks import ResBlock, norm


class Features(NamedTuple):
    """What the loop reads: `fine` (B, width, H/4, W/4) and `coarse` (B, coarse_width, H/8, W/8)."""

    fine: Tensor
    coarse: Tensor


class Backbone(nn.Module):
    """Residual pyramid down to 1/16, then back up to 1/4 with lateral connections (Lin et al. 2017)."""

    def __init__(self, widths: tuple[int, int, int, int]):
        super().__init__()
        w2, w4, w8, w16 = widths
        self.stem = nn.Conv2d(3, w2, 5, stride=2, padding=2)
        self.block2 = ResBlock(w2, w2)
        self.down4 = nn.Conv2d(w2, w4, 3, stride=2, padding=1)
        self.block4 = nn.Sequential(ResBlock(w4, w4), ResBlock(w4, w4))
        self.down8 = nn.Conv2d(w4, w8, 3, stride=2, padding=1)
        self.block8 = nn.Sequential(ResBlock(w8, w8), ResBlock(w8, w8))
        self.down16 = nn.Conv2d(w8, w16, 3, stride=2, padding=1)
        self.block16 = nn.Sequential(ResBlock(w16, w16), ResBlock(w16, w16, dilation=2))
        self.up8 = nn.Conv2d(w16, w8, 1)
        self.merge8 = ResBlock(w8, w8)
        self.up4 = nn.Conv2d(w8, w4, 1)
        self.merge4 = ResBlock(w4, w4)
        self.out4, self.out8 = norm(w4), norm(w8)

    def forward(self, x: Tensor) -> Features:
        """x (B, 3, H, W) in -1..1, H and W multiples of 16."""
        x4 = self.block4(self.down4(self.block2(self.stem(x))))
        x8 = self.block8(self.down8(x4))
        x16 = self.block16(self.down16(x8))
        x8 = self.merge8(x8 + F.interpolate(self.up8(x16), scale_factor=2.0, mode="nearest"))
        x4 = self.merge4(x4 + F.interpolate(self.up4(x8), scale_factor=2.0, mode="nearest"))
        return Features(F.silu(self.out4(x4)), F.silu(self.out8(x8)))
