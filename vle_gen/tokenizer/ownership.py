"""What the outline network says of a picture: logits of every token's pixels."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.filters import box_mean
from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.loop import PictureCode
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.outline import Seen
from vle_gen.tokenizer.render import Window, band_of, draw, widened, window_of

REACH = 0.6  # of a token's frame, the part that is looked at: 1.2 times the object's box
INSIDE, OUTSIDE = 0.9, 0.1  # scopes of pixels that are surely a token's, and surely not
LEAST_CONTRAST = 0.006  # squared colour distance from which object and floor can be told apart
TEXTURE = 3.0  # how much more their colours must differ than each varies, squared
LONGEST = 192  # pixels of a window's longer side; a longer one is looked at smaller


class Claim(NamedTuple):
    """What one token claims of a window of the picture."""

    window: Window
    logits: Tensor  # (h, w), above 0 where a pixel is rather its than nobody's
    scope: Tensor  # (h, w) logits of the scope that these were drawn from
    smaller: int  # times that the window was looked at
    missed: Tensor | None  # (h, w) logits of its being an object's that no token is of; None where nobody says so


def claims(net: TokenizerNetwork, picture: Tensor, code: PictureCode) -> dict[int, Claim]:
    """What each object token that lies in a picture (3, H, W), 0..1, claims of it, by the token's index."""
    height, width = picture.shape[-2:]
    windows = {k: window_of(widened(code.where[k], REACH), height, width) for k in range(1, len(code.what))}
    windows = {k: window for k, window in windows.items() if not window.empty}
    if not windows:
        return {}
    drawn, total = {}, torch.zeros_like(picture[:1])
    for k, window in windows.items():
        planes = torch.cat([code.scope[k][None], code.solid[k][None], code.colour[k]])
        drawn[k] = draw(planes, code.where[k], height, width, window)
        total[window.planes] += drawn[k][:1]
    floor = stretch_to(net.background_decoder(code.what[:1]), height, width)[0]
    found = {}
    for k, window in windows.items():
        scope, solid, colour = drawn[k].split([1, 1, 3])
        others = (total[window.planes] - scope).clamp(0, 1)
        smaller = -(-max(scope.shape[-2:]) // LONGEST)
        own_size = (picture[window.planes], floor[window.planes], colour, scope, solid, others)
        planes = [_smaller(one, smaller) for one in own_size]
        band = band_of(code.where[k], height / smaller, width / smaller, net.sizes.glimpse)
        seen = Seen(*planes, likeness(planes[0], planes[3], band + 1))
        logits, missed = (None if said is None else _larger(said, smaller, scope.shape[-2:]) for said in net.outline(seen))
        found[k] = Claim(window, logits, torch.logit(scope[0], 1e-6), smaller, missed)
    return found


def likeness(picture: Tensor, scope: Tensor, reach: int) -> Tensor:
    """How like each pixel of a picture (3, h, w) is to what is surely inside a scope (1, h, w) within `reach` pixels of it, and
    not to what is surely outside: -1..1 where the two can be told apart by colour, else near 0; and how well they can, 0..1.
    (2, h, w)."""
    planes = torch.cat([picture, picture.square().sum(0, keepdim=True)])
    sides = [(scope > INSIDE).float(), (scope < OUTSIDE).float()]
    means = box_mean(torch.cat([part for side in sides for part in (planes * side, side)]), reach + 1)
    body, ground = (mean[:4] / mean[4:].clamp(min=1e-6) for mean in means.split(5))
    varied = sum(side[3] - side[:3].square().sum(0) for side in (body, ground)).clamp(min=0)
    difference = body[:3] - ground[:3]
    contrast = difference.square().sum(0)
    share = ((picture - ground[:3]) * difference).sum(0) / contrast.clamp(min=1e-4)
    both = (body[:3].sum(0) > 0) & (ground[:3].sum(0) > 0)
    told = both * contrast / (contrast + LEAST_CONTRAST + TEXTURE * varied)
    return torch.stack([(2 * share - 1).clamp(-1, 1) * told, told])


def _smaller(planes: Tensor, times: int) -> Tensor:
    """Means of cells of `times` x `times` pixels of planes (C, h, w), at the ends of those that there are."""
    return F.avg_pool2d(planes[None], times, ceil_mode=True)[0] if times > 1 else planes


def _larger(plane: Tensor, times: int, size: Sequence[int]) -> Tensor:
    """A plane (h, w) at the `size` that `_smaller` was given, interpolated."""
    if times == 1:
        return plane
    plane = F.interpolate(plane[None, None], scale_factor=times, mode="bilinear", align_corners=False)[0, 0]
    return plane[: size[0], : size[1]]
