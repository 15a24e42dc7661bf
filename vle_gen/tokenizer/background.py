"""The scene token: what the whole picture looks like without its objects, as a layer of lower resolution."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.tokenizer.blocks import LOGVAR, ResBlock, norm
from vle_gen.tokenizer.sizes import BACKGROUND_CELLS, TokenizerSizes

POOL = BACKGROUND_CELLS  # the picture's features are pooled to POOL x POOL cells, whatever its aspect
COMPARED = 32  # pixels on a side of the background that objects are looked for against
BASE_BLOCKS = 2  # residual blocks at these


class BackgroundEncoder(nn.Module):
    """Coarse features (B, C, h, w) -> mean and log-variance of `what`, each (B, D), of which it uses the first `whole`."""

    def __init__(self, width: int, what: int, whole: int):
        super().__init__()
        self.unused = what - whole
        self.squeeze = nn.Sequential(ResBlock(width, width), norm(width), nn.SiLU(), nn.Conv2d(width, 32, 1))
        self.colour = nn.Conv2d(32 + 6, 64, 3, padding=1)
        self.head = nn.Sequential(nn.SiLU(), nn.Linear(64 * POOL * POOL, 256), nn.SiLU(), nn.Linear(256, 2 * whole))

    def forward(self, coarse: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
        """coarse (B, C, h, w); picture (B, 3, H, W) in -1..1 gives each cell's mean colour and its deviation."""
        pooled = F.adaptive_avg_pool2d(self.squeeze(coarse), POOL)
        mean = F.adaptive_avg_pool2d(picture, POOL)
        spread = F.adaptive_avg_pool2d(picture.square(), POOL) - mean.square()
        h = self.colour(torch.cat([pooled, mean.to(pooled.dtype), spread.to(pooled.dtype)], 1))
        mean, logvar = self.head(h.flatten(1)).float().chunk(2, 1)
        return F.pad(mean, (0, self.unused)), F.pad(logvar.clamp(*LOGVAR), (0, self.unused))


class BackgroundDecoder(nn.Module):
    """The first `whole` of `what` (B, D) -> colours (B, 3, size, size) in 0..1, to be stretched smoothly over the picture.

    The lighting of a floor has few degrees of freedom, so most of it is a linear map; an MLP adds the rest.
    """

    def __init__(self, whole: int, size: int):
        super().__init__()
        self.whole, self.size = whole, size
        self.linear = nn.Linear(whole, 3 * size * size)
        self.mlp = nn.Sequential(nn.Linear(whole, 256), nn.SiLU(), nn.Linear(256, 3 * size * size))
        nn.init.normal_(self.linear.weight, std=0.01)
        nn.init.zeros_(self.mlp[2].weight)

    def forward(self, what: Tensor) -> Tensor:
        what = what[:, : self.whole]
        pixels = (self.linear(what) + self.mlp(what)).float()
        return (0.4 + 0.1 * pixels).view(-1, 3, self.size, self.size)  # floors are mid-grey


class FineBackgroundDecoder(nn.Module):
    """The first `whole` of `what` (B, D) -> colours (B, 3, S, S) in about 0..1, S = 8 * 2 ** len(widths), to be stretched over
    the picture.

    Convolutions at 8 x 8 cells and at every doubling, the last of them sub-pixel (Shi et al. 2016), so that what scenes have
    in many places, such as a horizon, is drawn sharply wherever it is.
    """

    def __init__(self, whole: int, widths: tuple[int, ...]):
        super().__init__()
        self.whole, self.width = whole, widths[0]
        self.first = nn.Linear(whole, widths[0] * POOL**2)
        self.base = nn.Sequential(*(ResBlock(widths[0], widths[0]) for _ in range(BASE_BLOCKS)))
        self.ups = nn.Sequential(*(_Doubling(old, new) for old, new in zip(widths, widths[1:], strict=False)))
        self.out = nn.Sequential(norm(widths[-1]), nn.SiLU(), nn.Conv2d(widths[-1], 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, what: Tensor) -> Tensor:
        cells = self.first(what[:, : self.whole]).view(-1, self.width, POOL, POOL)
        cells = cells.contiguous(memory_format=torch.channels_last)
        return 0.4 + 0.3 * self.out(self.ups(self.base(cells))).float()


class _Doubling(nn.Module):
    """Cells (B, C, h, w) -> (B, D, 2 h, 2 w)."""

    def __init__(self, width_in: int, width: int):
        super().__init__()
        self.conv, self.block = nn.Conv2d(width_in, width, 3, padding=1), ResBlock(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(F.interpolate(self.conv(x), scale_factor=2.0, mode="nearest"))


def background_decoder(sizes: TokenizerSizes) -> BackgroundDecoder | FineBackgroundDecoder:
    """A new decoder of the sort that `sizes` says."""
    if sizes.background_widths:
        return FineBackgroundDecoder(sizes.whole, tuple(sizes.background_widths))
    return BackgroundDecoder(sizes.whole, sizes.background)


def stretch(colours: Tensor, height: int, width: int) -> Tensor:
    """The decoded background (B, 3, s, s) over a picture: (B, 3, height, width), clamped to 0..1."""
    return F.interpolate(colours, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def stretch_to(
    colours: Tensor, height: int, width: int, rows: slice = slice(None), columns: slice = slice(None)
) -> Tensor:
    """What `stretch` gives, but for float rounding, and for pictures smaller than what is decoded, which are not aliased; or
    only its `rows` and `columns`. Interpolation is linear along each axis, and two products of matrices are cheaper than a look
    at 16 neighbours of each pixel."""
    side = colours.shape[-1]
    unit = torch.eye(side, device=colours.device, dtype=colours.dtype)[None, None]
    down, across = (
        F.interpolate(unit, (count, side), mode="bicubic", align_corners=False, antialias=count < side)[0, 0][part]
        for count, part in ((height, rows), (width, columns))
    )
    return (down @ (colours @ across.T)).clamp(0, 1)


def compared_with(colours: Tensor, height: int, width: int) -> Tensor:
    """The decoded background (B, 3, s, s) as objects are looked for against it: (B, 3, height, width). What finds them
    has learnt with none that is finer."""
    if colours.shape[-1] > COMPARED:
        colours = F.adaptive_avg_pool2d(colours, COMPARED)
    return stretch_to(colours, height, width)
