"""The outline network: from what the loop says of a picture to whose each of its pixels is, at the picture's own size.

Scopes are drawn from glimpses of 64 x 64 pixels, so outlines are off by a pixel or two of the picture and thin parts get lost.
A small U-Net (Ronneberger et al. 2015) looks at each token's window of the picture again, as refining heads of instance
segmentation do (Kirillov et al. 2020, PointRend; Cheng et al. 2020, CascadePSP), told what the token says is there.
"""
from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.tokenizer.glimpse import CONTRAST

PLANES = 14  # colour 3, difference from the floor 3, from the token's colours 3, scope, silhouette, others' claims, likeness 2
CELL = 8  # pixels; windows are made up to multiples of this
SURE = 6.0  # logit of a scope that is certain
RARE = -3.0  # logit, at first, of a pixel's being an object's that was missed


class Seen(NamedTuple):
    """A window of a picture, with what the tokens say of it; planes of (h, w) pixels."""

    picture: Tensor  # (3, h, w) 0..1
    floor: Tensor  # (3, h, w) 0..1, what the scene token says
    colour: Tensor  # (3, h, w) 0..1, what the token says
    scope: Tensor  # (1, h, w) 0..1, the token's visible part by its glimpse
    solid: Tensor  # (1, h, w) 0..1, the same with hidden parts
    others: Tensor  # (1, h, w) 0..1, what the other tokens claim
    likeness: Tensor  # (2, h, w) whether a pixel is rather of the colour of the token nearby, -1..1, and how sure that is


class Residual(nn.Module):
    """x plus convolutions of x, which are none at first."""

    def __init__(self, width: int, convolutions: int):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(convolutions))
        nn.init.zeros_(self.convolutions[-1].weight)
        nn.init.zeros_(self.convolutions[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for convolution in self.convolutions:
            out = convolution(F.silu(out))
        return x + out


class OutlineNetwork(nn.Module):
    """Logits of a token's pixels, from what is `Seen` of its window. Nobody's logit is 0, so a pixel is the token's whose logit
    is the highest, if it is above 0, or in use somewhat below (`LENIENT`). Untrained it says what the scope says.

    Args:
        width: channels at 1/2 of the picture; there are a third more at 1/4 and 1/8.
        missed: whether it also says which pixels are an object's that no token is of (see `vle_gen.tokenizer.missed`).
    """

    def __init__(self, width: int, missed: bool = False):
        super().__init__()
        deep = width * 4 // 3
        self.stem = nn.Conv2d(4 * PLANES, width, 3, padding=1)  # of cells of 2 x 2 pixels
        self.block2 = Residual(width, 2)
        self.down4 = nn.Conv2d(width, deep, 3, stride=2, padding=1)
        self.block4 = Residual(deep, 1)
        self.down8 = nn.Conv2d(deep, deep, 3, stride=2, padding=1)
        self.block8 = Residual(deep, 1)
        self.merge4 = Residual(deep, 1)
        self.up2 = nn.Conv2d(deep, width, 1)
        self.merge2 = Residual(width, 1)
        self.out = nn.Conv2d(width, 4, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.missed = nn.Conv2d(width, 4, 3, padding=1) if missed else None
        if self.missed is not None:
            nn.init.zeros_(self.missed.weight)
            nn.init.constant_(self.missed.bias, RARE)

    def forward(self, seen: Seen) -> tuple[Tensor, Tensor | None]:
        """Logits (h, w) of the window's pixels: that they are the token's, and that they are an object's that no token is of,
        where the network says that too."""
        height, width = seen.scope.shape[-2:]
        colours = torch.cat([seen.picture - 0.4, seen.picture - seen.floor, seen.picture - seen.colour]) * CONTRAST
        scope = torch.logit(seen.scope, 1e-6).clamp(-SURE, SURE)
        planes = torch.cat([colours, scope / 2, seen.solid, seen.others, seen.likeness])
        planes = F.pad(planes[None], (0, -width % CELL, 0, -height % CELL), "replicate")
        x2 = self.stem(F.pixel_unshuffle(planes, 2).contiguous(memory_format=torch.channels_last))
        x2 = self.block2(x2)
        x4 = self.block4(self.down4(F.silu(x2)))
        x8 = self.block8(self.down8(F.silu(x4)))
        x4 = self.merge4(x4 + _double(x8))
        x2 = self.merge2(x2 + _double(self.up2(x4)))
        x2 = F.silu(x2)
        out, missed = (
            None if head is None else F.pixel_shuffle(head(x2), 2)[0, 0, :height, :width].float()
            for head in (self.out, self.missed)
        )
        return scope[0] + out, missed


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
