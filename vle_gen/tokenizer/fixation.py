"""What a person points at in a picture unlike those that the step network has learnt from.

There that network's scores are next to nothing, and what it proposes is a part of an object or more than one. The glimpse
encoder still tells what is in the middle of a frame from what is around it. So frames of several sizes are laid about the
point, and each is brought to what is claimed in it a few times; of all claims at the point that is taken which looks most like
a whole object.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.encoding import Box, Point
from vle_gen.imaging.filters import grown
from vle_gen.tokenizer.loop import View, look
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.proposals import Proposal
from vle_gen.tokenizer.sizes import FRAME_SCALE

SIDES = (0.05, 0.075, 0.11, 0.17, 0.25, 0.37, 0.55, 0.8)  # of the boxes that are laid about a point, in canvas units
ROUNDS = 3  # glimpses of each
LEAST = 8  # pixels of the glimpse picture that are a claim
NEAR = 3  # such pixels that a point may lie beside one
SEEN = 0.02  # of a claim, from which on it counts how sure it is
LEVELS = 8  # of each colour in a histogram
BESIDE = 0.25  # of the root of an area, how far from it colours are beside it
UNLIKE = 0.3  # colour distance, of colours of 0..1, from which on something is surely not what the scene token says is there


class Standing(NamedTuple):
    """What stands at a point of a picture: its box (left, top, width, height) in pixels, the share of its pixels of which the
    colours are not beside it, and how much it looks like a whole object, both 0..1."""

    box: Box
    apart: float
    worth: float


@torch.no_grad()
def standing_at(net: TokenizerNetwork, picture: Tensor, points: Sequence[Point]) -> list[Standing | None]:
    """What stands at each of the points (x, y), in pixels, of a picture (3, H, W), 0..1; None where nothing is claimed."""
    view, _ = View.of(net, picture)
    height, width = view.background.shape[-2:]
    across, down = picture.shape[-1] / width, picture.shape[-2] / height
    found = []
    for x, y in points:
        at = min(int(x / across), width - 1), min(int(y / down), height - 1)
        best = max((_standing(view, claim) for claim in _claims(net, view, at)), key=lambda one: one.worth, default=None)
        if best is not None:
            left, top, wide, high = best.box
            (left, wide), (top, high) = _span(left * across, wide * across), _span(top * down, high * down)
            best = best._replace(box=(left, top, wide, high))
        found.append(best)
    return found


def apart_of(picture: Tensor, mask: Tensor) -> float:
    """The share, 0..1, of a mask's (h, w) pixels of a picture (3, h, w), 0..1, of which the colours are not beside it: 1 less
    the intersection of the two histograms (Swain & Ballard 1991)."""
    inside = mask.float()[None]
    beside = (1 - inside) * (grown(inside, max(2, int(BESIDE * float(inside.sum()) ** 0.5))) > 0)
    if not inside.any() or not beside.any():
        return 0.0
    levels = (picture * LEVELS).long().clamp(max=LEVELS - 1)
    colour = ((levels[0] * LEVELS + levels[1]) * LEVELS + levels[2]).flatten()
    counts = (torch.bincount(colour, part.flatten(), LEVELS**3) / part.sum() for part in (inside, beside))
    return 1 - float(torch.minimum(*counts).sum())


def _claims(net: TokenizerNetwork, view: View, at: tuple[int, int]) -> list[Tensor]:
    """What glimpses claim at a pixel (x, y) of the glimpse picture: (gh, gw) each, 0..1."""
    nothing, (x, y) = torch.zeros_like(view.background[:, :1]), at
    sides = [max(nothing.shape) * side for side in SIDES]
    boxes = [(x + 0.5 - side / 2, y + 0.5 - side / 2, side, side) for side in sides]
    found = []
    for _ in range(ROUNDS):
        claims = [token.claim[0, 0] for token in look(net, view, [_framed(view, box) for box in boxes], nothing)]
        claims = [claim for claim in claims if (claim > 0.5).sum() >= LEAST]
        found += [one for one in claims if one[max(0, y - NEAR) : y + NEAR + 1, max(0, x - NEAR) : x + NEAR + 1].max() > 0.5]
        if not claims:
            break
        boxes = [_box_of(claim > 0.5) for claim in claims]
    return found


def _span(start: float, length: float) -> tuple[float, float]:
    """Where an extent in pixels starts and how long it is, about the same middle but a pixel long at least, as boxes are: the
    glimpse picture of a small picture is finer than that."""
    longer = max(1.0, length)
    return start + (length - longer) / 2, longer


def _framed(view: View, box: Box) -> Proposal:
    """A look at a box in pixels of the glimpse picture."""
    (height, width), (left, top, wide, high) = view.background.shape[-2:], box
    across, down = view.extent.width / width, view.extent.height / height  # canvas units
    middle = [0.5 + (left + (wide - width) / 2) * across, 0.5 + (top + (high - height) / 2) * down]
    where = view.background.new_tensor([[*middle, FRAME_SCALE * wide * across, FRAME_SCALE * high * down]])
    zero = torch.zeros_like(where[:, 0])
    return Proposal(where, zero, zero, (0, 0))


def _box_of(mask: Tensor) -> Box:
    """Left, top, width and height of a mask (h, w)."""
    rows, columns = (mask.any(axis).nonzero()[:, 0].tolist() for axis in (1, 0))
    return columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1


def _standing(view: View, claim: Tensor) -> Standing:
    """What a claim (gh, gw) says. It is worth most if its outline is sure, its colours are not beside it, the picture's edge
    does not cut it, and it is unlike what the scene token says is there."""
    mask, picture = claim > 0.5, view.levels[-1][0]
    sure = float((2 * claim[claim > SEEN] - 1).abs().mean())
    apart = apart_of(picture, mask)
    outline = mask & (grown(F.pad(1 - mask.float()[None], (1, 1, 1, 1), value=1.0), 1)[0, 1:-1, 1:-1] > 0)
    cut = 1 - float(outline[1:-1, 1:-1].sum() / outline.sum())
    unlike = float((picture - view.background[0]).square().sum(0).sqrt()[mask].mean())
    return Standing(_box_of(mask), apart, apart * sure * (1 - cut) * min(1.0, unlike / UNLIKE))
