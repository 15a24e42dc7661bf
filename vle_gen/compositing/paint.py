"""Other colours for a token's layers, its shading, texture and highlights kept.

Light from a surface is its own colour times the shading, plus the lamp's colour in the highlights (the dichromatic model,
Shafer 1985). Painting replaces the surface's own colour alone.
"""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.compositing.body import Body
from vle_gen.imaging.colour_space import from_lab, to_lab, to_linear, to_srgb
from vle_gen.imaging.colours import COLOURS
from vle_gen.imaging.tinting import tinted

SOLID = 0.9  # matte from which a pixel shows the body alone
LEAST_MATTE = 1 / 64
GREY, COLOURFUL = 0.15, 0.4  # saturation below which highlights are told by brightness alone, above which by colour alone
LIT, SHINING = 0.9, 1.5  # a grey body's highlights are brighter than this share of its pixels, and than its mean so often
FAINT_COLOUR = 0.03  # a body whose colour is nearer to grey throws none onto the floor
DIMMEST, BRIGHTEST = 0.4, 1.6  # how far an object's light may be from that of the named colours

LUMINANCE = (0.2126, 0.7152, 0.0722)


def repainted(body: Body, paint: Tensor, turn: float, parts: bool = False) -> Body:
    """The body painted in `paint` (4,): sRGB 0..1 and how much, and its hue turned by `turn` degrees after that. With
    `parts` it may have parts of several colours, of which the main one is painted over."""
    amount = float(paint[3])
    if (amount == 0 and turn == 0) or body.window.empty or body.matte.max() == 0:
        return body
    before = to_linear((body.colour / body.matte.clamp(min=LEAST_MATTE)).clamp(0, 1))
    colour = before
    if amount:
        new = paint[:3].to(colour.device)
        whole = tinted(colour, _solid(body.matte) > 0, to_linear(new)) if parts else painted(colour, body.matte, new)
        colour = colour + (whole - colour) * amount
    if turn:
        colour = turned(colour, turn)
    colour = colour.clamp(0, 1)
    light = reflected(body.light, *(to_srgb(mean_colour(value, body.matte)) for value in (before, colour)))
    colour = to_srgb(colour) * body.matte
    return Body(body.window, body.shadow, light, torch.minimum(colour, body.matte), body.matte)


def painted(colour: Tensor, matte: Tensor, paint: Tensor) -> Tensor:
    """Linear colours (3, h, w) of a body of `matte` (1, h, w), as if its surface had the colour `paint` (3,), sRGB."""
    solid, bright, own = _solid(matte), luminance(colour), mean_colour(colour, matte)
    grey = colour.new_tensor([1.0, 1.0, 1.0])
    target = to_linear(paint) * exposure(own)
    # by colour: what is not along the surface's own colour is along the lamp's, or across both
    saturation = float((own.max() - own.min()) / own.max())
    by_colour = min(max((saturation - GREY) / (COLOURFUL - GREY), 0.0), 1.0)
    result = torch.zeros_like(colour)
    if by_colour:
        across, across_new = torch.linalg.cross(own, grey), torch.linalg.cross(target, grey)
        across_new = across_new / across_new.norm().clamp(min=1e-6) * across.norm()
        change = torch.stack([target, grey, across_new], 1) @ torch.linalg.inv(torch.stack([own, grey, across], 1))
        result += by_colour * torch.einsum("ij,jhw->ihw", change, colour)
    if by_colour < 1:
        limit = torch.quantile(bright[solid > 0], LIT).clamp(min=SHINING * float(luminance(own)))
        highlight = (bright - limit).clamp(min=0)
        shading = (bright - highlight) / luminance(own)
        result += (1 - by_colour) * (shading * target[:, None, None] + highlight)
    return result.clamp(min=0)


def reflected(light: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Light (3, h, w) around a body whose mean colour was `before` (3,) and is `after`: what it threw onto the floor of
    its own colour is now of the new one."""
    was, now = before - before.mean(), after - after.mean()
    if was.norm() < FAINT_COLOUR:
        return light
    share = torch.tensordot(was / was.norm(), light - light.mean(0, keepdim=True), 1).clamp(min=0)
    return light + share * (now / was.norm().clamp(min=float(now.norm())) - was / was.norm())[:, None, None]


def turned(colour: Tensor, degrees: float) -> Tensor:
    """Linear colours (3, h, w) with their hue turned, as light and as strong as before (in OKLab, Ottosson 2020)."""
    angle = torch.deg2rad(torch.tensor(float(degrees), dtype=torch.float64)).to(colour)
    cos, sin = angle.cos(), angle.sin()
    light, a, b = to_lab(colour)
    return from_lab(torch.stack([light, cos * a - sin * b, sin * a + cos * b]))


def exposure(own: Tensor) -> float:
    """How brightly a body of mean linear colour `own` (3,) is lit, 1 as the named colours are: by the name nearest to it."""
    names = to_linear(own.new_tensor(list(COLOURS.values())) / 255)  # (N, 3)
    nearest = names[(to_lab(names.T) - to_lab(own[:, None])).norm(dim=0).argmin()]
    ratio = float(luminance(own) / luminance(nearest))
    return min(max(ratio, DIMMEST), BRIGHTEST)


def mean_colour(colour: Tensor, matte: Tensor) -> Tensor:
    """The mean (3,) of the colours (3, h, w) of a body where it is solid."""
    weight = _solid(matte)
    return (colour * (weight / weight.sum())).sum((1, 2)).clamp(min=1e-3)


def luminance(colour: Tensor) -> Tensor:
    """Of linear colours (3, ...)."""
    return torch.tensordot(colour.new_tensor(LUMINANCE), colour, 1)


def _solid(matte: Tensor) -> Tensor:
    """1 where a body of `matte` (1, h, w) alone is seen, or where it is most: (h, w)."""
    return (matte[0] >= min(SOLID, float(matte.max()))).float()
