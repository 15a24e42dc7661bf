"""A token's own frame: the scope (which pixels are its), the encoder to `what`, and the decoder to an RGBA layer."""
from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.tokenizer.blocks import LOGVAR, ResBlock, norm, quiet
from vle_gen.tokenizer.warp import pixel_centres

CONTRAST = 4.0  # colours of a glimpse are spread by this about mid-grey: at their own small spread `what` learns them late
FADE = 0.25  # of a frame's half: how far from its edge shadows begin to fade
GLIMPSE_CHANNELS = 8  # colour 3, difference from the background 3, coverage 1, inside the picture 1


class GlimpseCode(NamedTuple):
    """`scope` (K, S, S) logits of the visible part, `mean` and `logvar` (K, D) of `what`."""

    scope: Tensor
    mean: Tensor
    logvar: Tensor


class Layers(NamedTuple):
    """Decoded layers of L x L pixels: straight colour (K, 3, L, L) 0..1; alpha (K, 1, L, L) with the soft shadow; solid
    (K, 1, L, L) the object itself, whole even where something hides it."""

    colour: Tensor
    alpha: Tensor
    solid: Tensor

    @property
    def premultiplied(self) -> Tensor:
        """Colour times alpha, and alpha: (K, 4, L, L)."""
        return torch.cat([self.colour * self.alpha, self.alpha], 1)

    def at(self, size: int) -> Layers:
        """The same layers at `size` x `size` pixels, of which L is a multiple."""
        times = self.colour.shape[-1] // size
        return self if times == 1 else Layers(*(F.avg_pool2d(planes, times) for planes in self))

    def planes(self, row: int) -> Tensor:
        """One layer as it is drawn, (8, L, L): shadow's colour 3, shadow's alpha 1, solid 1, body's colour 3."""
        solid, alpha = self.solid[row], self.alpha[row]
        shade = ((alpha - solid) / (1 - solid).clamp(min=1e-3)).clamp(0, 1)
        return torch.cat([self.colour[row], shade, solid, self.colour[row]])


class GlimpseEncoder(nn.Module):
    """U-Net (Ronneberger et al. 2015) over the glimpse: its skips keep the scope sharp, its bottom becomes `what`.

    Args:
        feature_width: channels of the backbone's features.
        widths: channels at 1, 1/2, 1/4 and 1/8 of S.
        whole: numbers of `what` that the whole glimpse has in common.
        size: S.
        local: numbers of `what` that each cell of 8 x 8 pixels has for itself, after the others. A map tells of details that
            no object of the training data has, which the common numbers cannot; a few kinds of objects do without.
    """

    def __init__(
        self, feature_width: int, widths: tuple[int, int, int, int], whole: int, size: int, local: int = 0
    ):
        super().__init__()
        w1, w2, w4, w8 = widths
        self.size = size
        self.full = nn.Sequential(nn.Conv2d(GLIMPSE_CHANNELS, w1, 3, padding=1), nn.SiLU())
        self.down2 = nn.Conv2d(w1, w2, 3, stride=2, padding=1)
        self.block2 = ResBlock(w2, w2)
        self.down4 = nn.Conv2d(w2, w4, 3, stride=2, padding=1)
        self.context = nn.Conv2d(feature_width, w4, 1)
        nn.init.zeros_(self.context.weight)  # at first the glimpse alone counts
        self.block4 = nn.Sequential(ResBlock(w4, w4), ResBlock(w4, w4))
        self.down8 = nn.Conv2d(w4, w8, 3, stride=2, padding=1)
        self.block8 = nn.Sequential(ResBlock(w8, w8), ResBlock(w8, w8))
        self.up4, self.merge4 = nn.Conv2d(w8, w4, 1), ResBlock(w4, w4)
        self.up2, self.merge2 = nn.Conv2d(w4, w2, 1), ResBlock(w2, w2)
        self.up1 = nn.Conv2d(w2, w1, 1)
        self.merge1 = nn.Sequential(nn.Conv2d(w1, w1, 3, padding=1), nn.SiLU(), nn.Conv2d(w1, 1, 3, padding=1))
        self.bottom = nn.Conv2d(w8 + 1, w8, 3, stride=2, padding=1)
        cells = size // 16
        self.what = nn.Sequential(
            ResBlock(w8, w8), norm(w8), nn.SiLU(), nn.Flatten(), nn.Linear(w8 * cells * cells, 2 * whole)
        )
        # A short way for the token's mean colour, which would else pass eight layers before `what` can hold it.
        self.tint = nn.Linear(6, whole, bias=False)
        nn.init.normal_(self.tint.weight, std=0.3)
        self.local = local_head(w8, local) if local else None

    def scope_parts(self) -> tuple[nn.Module, ...]:
        """The modules that `scope` alone depends on, besides those that it shares with `what`."""
        return self.up4, self.merge4, self.up2, self.merge2, self.up1, self.merge1

    def forward(self, glimpse: Tensor, context: Tensor) -> GlimpseCode:
        """glimpse (K, 8, S, S); context (K, C, S/4, S/4): backbone features cut by the same frame."""
        colour, difference, planes = glimpse.split([3, 3, 2], 1)
        spread = torch.cat([(colour - 0.4) * CONTRAST, difference * CONTRAST], 1)
        x1 = self.full(torch.cat([spread, planes], 1))
        x2 = self.block2(self.down2(x1))
        x4 = self.block4(self.down4(x2) + self.context(context))
        x8 = self.block8(self.down8(x4))
        up = self.merge4(x4 + _double(self.up4(x8)))
        up = self.merge2(x2 + _double(self.up2(up)))
        scope = self.merge1(x1 + _double(self.up1(up)))  # (K, 1, S, S)
        owned = torch.sigmoid(scope)
        seen = F.avg_pool2d(owned, 8)
        bottom = torch.cat([x8, seen], 1)
        mean, logvar = self.what(self.bottom(bottom)).float().chunk(2, 1)
        tint = (spread * owned).sum((2, 3)) / owned.sum((2, 3)).clamp(min=1)  # (K, 6)
        mean = mean + self.tint(tint).float()
        if self.local is not None:
            own_mean, own_logvar = self.local(bottom).float().chunk(2, 1)
            mean, logvar = torch.cat([mean, own_mean.flatten(1)], 1), torch.cat([logvar, own_logvar.flatten(1)], 1)
        return GlimpseCode(scope[:, 0].float(), mean, logvar.clamp(*LOGVAR))


class GlimpseDecoder(nn.Module):
    """`what` (K, D) -> `Layers` of L x L, L a multiple of the glimpse's S: an outline is finer than what it is told by.

    Args:
        whole: numbers of `what` that the whole glimpse has in common.
        widths: channels at 1/2, 1/4, 1/8 and 1/16 of S.
        blocks: residual blocks at 1/2, 1/4 and 1/8 of S.
        size: S.
        layer: L. The last convolution writes all pixels of a cell at once (sub-pixel convolution, Shi et al. 2016).
        local: numbers of `what` that each cell of 8 x 8 pixels of S has for itself.
    """

    def __init__(
        self,
        whole: int,
        widths: tuple[int, int, int, int],
        blocks: tuple[int, int, int],
        size: int,
        layer: int,
        local: int = 0,
    ):
        super().__init__()
        self.whole = whole
        w2, w4, w8, w16 = widths
        self.cells, self.start = size // 16, w16
        self.expand = nn.Linear(whole, w16 * self.cells * self.cells)
        self.at16 = ResBlock(w16, w16)
        self.at8 = _level(w16, w8, blocks[2])
        self.at4 = _level(w8, w4, blocks[1])
        self.at2 = _level(w4, w2, blocks[0])
        per_cell = 2 * layer // size
        self.out = nn.Sequential(
            norm(w2), nn.SiLU(), nn.Conv2d(w2, per_cell**2 * 5, 3, padding=1), nn.PixelShuffle(per_cell)
        )
        self.tint = nn.Linear(whole, 5)  # the layer's mean, past all blocks
        nn.init.zeros_(self.tint.weight)
        nn.init.zeros_(self.tint.bias)
        self.local = nn.Conv2d(local, w8, 3, padding=1) if local else None
        with torch.no_grad():
            self.out[2].weight.mul_(0.3)

    def forward(self, what: Tensor) -> Layers:
        what, own = what[:, : self.whole], what[:, self.whole :]
        x = self.expand(what).view(-1, self.start, self.cells, self.cells)
        x = _double(self.at8[0](self.at16(x)))  # 1 x 1 convolutions cost a quarter before their input is doubled
        if self.local is not None:
            x = x + self.local(own.view(len(own), -1, *x.shape[-2:]))
        x = self.at8[1:](x)
        for level in (self.at4, self.at2):
            x = level[1:](_double(level[0](x)))
        out = torch.sigmoid((self.out(x) + self.tint(what)[..., None, None]).float())  # (K, 5, S, S)
        # The object is opaque, so alpha is at least solid: the shadow is only what alpha adds to it.
        solid, shade = out[:, 4:5], out[:, 3:4] * faded(out.shape[-1], out.device)
        return Layers(out[:, :3], solid + (1 - solid) * shade, solid)


def local_head(width: int, local: int) -> nn.Sequential:
    """Features of cells and what is seen of them (K, width + 1, c, c) -> mean and log-variance (K, 2 * local, c, c)."""
    head = nn.Sequential(nn.Conv2d(width + 1, width // 2, 3, padding=1), nn.SiLU(), nn.Conv2d(width // 2, 2 * local, 1))
    quiet(head[-1])
    return head


def faded(size: int, device: torch.device) -> Tensor:
    """1 over a glimpse (size, size), down to 0 at its very edge: a shadow that goes on past the frame fades, uncut."""
    at = 1 - pixel_centres(size, device).abs()
    ramp = (at / FADE).clamp(max=1)
    smooth = ramp * ramp * (3 - 2 * ramp)
    return smooth[:, None] * smooth


def _level(width_in: int, width: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width_in, width, 1), *(ResBlock(width, width) for _ in range(blocks)))


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
