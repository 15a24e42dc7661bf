"""Other colours for things of several colours: what is of a thing's main colour takes on the new one, and all else stays, such
as a car's wheels, an apple's leaf and eyes.

How much of the main colour a pixel has is told by its opponent colours (OKLab, Ottosson 2020): along the main hue it is shading
and highlights, as in the dichromatic model (Shafer 1985), across it another part's colour.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.colour_space import from_lab, to_lab, to_linear
from vle_gen.imaging.colours import COLOURS, VIVID
from vle_gen.imaging.filters import grown

SAMPLED = 1000  # pixels that the main colour is looked for among
SPREAD = 0.05  # of one part's opponent colours
COLOURFUL = 0.2  # chroma at which a pixel counts MORE times as much as a grey one in what the main colour is
MORE = 4.0
GREY, GREY_SPREAD, LIGHTNESS_SPREAD = 0.04, 0.06, 0.45  # chroma below which a main colour is a grey; then what is like it
FULLEST = 1.25  # times as much of the main colour as it has itself that a pixel may have
ACROSS = (0.5, 0.03)  # share of a pixel's chroma, and chroma, that may lie across the main hue
PANE, PANE_SPREAD = (-0.09, -0.08), 0.04  # opponent colours of windows and screens
OF_PANES = 0.25  # how much a pixel of these counts, where they have a small share of the thing's rim
RIM, OF_RIM = 0.03, 0.2  # how wide that is, of the root of the thing's area; the share
BRIGHTEST, STRONGEST = 2.0, 1.2  # of shading, as a factor of lightness and of chroma


def tinted(colour: Tensor, solid: Tensor, paint: Tensor) -> Tensor:
    """Linear colours (3, h, w) of a thing that is `solid` (h, w) bool, its main colour replaced by `paint` (3,), linear too."""
    lab = to_lab(colour)
    lightness, hues = lab[0], lab[1:]
    main_light, main = main_colour(lab[:, solid], _of_body(lab, solid)[solid])
    target = to_lab(as_drawn(paint)[:, None])[:, 0]
    amount = amount_of(main_light, main, lab)
    share, shading = amount.clamp(max=1), (lightness / main_light).clamp(0, BRIGHTEST)
    light = lightness + share * (target[0] * shading - lightness)
    painted = amount * shading.clamp(max=STRONGEST) * target[1:, None, None]
    return from_lab(torch.cat([light[None], hues * (1 - share) + painted])).clamp(min=0)


def main_colour(lab: Tensor, counts: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Lightness () and opponent colours (2,) of the part that a thing, pixels (3, N), shows most of: the mode of the opponent
    colours (mean shift, Comaniciu and Meer 2002), in favour of colourful ones. Each pixel counts `counts` (N,) times."""
    count = lab.shape[1]
    some = torch.linspace(0, count - 1, min(count, SAMPLED), device=lab.device).round().long()
    lab, counts = lab[:, some], torch.ones_like(lab[0, some]) if counts is None else counts[some]
    hues = lab[1:]
    density = (_near(hues, hues) * counts[:, None]).sum(0) * (1 + MORE * hues.norm(dim=0) / COLOURFUL)
    main = hues[:, density.argmax()]
    for _ in range(5):
        weight = _near(hues, main[:, None])[:, 0] * counts
        main = (hues * weight).sum(1) / weight.sum()
    weight = _near(hues, main[:, None])[:, 0] * counts
    return ((lab[0] * weight).sum() / weight.sum()).clamp(min=1e-2), main


def _of_body(lab: Tensor, solid: Tensor) -> Tensor:
    """How much pixels (3, h, w) of a thing that is `solid` (h, w) bool count in what the main colour is that is painted over,
    (h, w): windows and screens, which are light blue and set in something, are not what makes a television a green one."""
    off = (lab[1:] - lab.new_tensor(PANE)[:, None, None]).square().sum(0)
    pane = torch.exp(-off / (2 * PANE_SPREAD**2))
    wide = max(1, round(RIM * float(solid.sum()) ** 0.5))
    rim = solid & (grown((~F.pad(solid, (1,) * 4))[None].float(), wide)[0, 1:-1, 1:-1] > 0)
    return 1 - (1 - OF_PANES) * pane if pane[rim].mean() < OF_RIM else torch.ones_like(pane)


def amount_of(main_light: Tensor, main: Tensor, lab: Tensor) -> Tensor:
    """How much of the main colour pixels (3, h, w) have, 1 as much as it has itself: (h, w)."""
    hues, chroma = lab[1:], main.norm()
    if chroma <= GREY:
        beside = (hues - main[:, None, None]).norm(dim=0) / GREY_SPREAD
        return torch.exp(-beside.square() - ((lab[0] - main_light) / LIGHTNESS_SPREAD).square())
    along = torch.einsum("i,ihw->hw", main / chroma.square(), hues)
    across = (hues - along * main[:, None, None]).norm(dim=0)
    share, least = ACROSS
    return along.clamp(0, FULLEST) * torch.exp(-(across / (share * hues.norm(dim=0) + least)).pow(4))


def as_drawn(paint: Tensor) -> Tensor:
    """A linear colour (3,), which for a name that means what renders of that colour look like is as drawn things have it."""
    for name, rendered in COLOURS.items():
        if torch.allclose(paint, to_linear(paint.new_tensor(rendered) / 255), atol=1e-3):
            return to_linear(paint.new_tensor(VIVID[name]) / 255)
    return paint


def _near(one: Tensor, other: Tensor) -> Tensor:
    """How alike opponent colours (2, N) and (2, M) are, 0..1: (N, M)."""
    return torch.exp(-(one[:, :, None] - other[:, None]).square().sum(0) / (2 * SPREAD**2))
