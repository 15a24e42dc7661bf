"""What a token is worth: the squared error that a picture of tokens would have more without it, and which tokens to keep."""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vle_gen.compact.code import step_of
from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import Window, draw, far_to_near, window_of

FRAME_AREA = 0.08  # of the canvas: a frame of common size; so chosen, prices follow what bits save on rendered scenes


class Drawing(NamedTuple):
    """A token's layer on the pixels of its window: premultiplied colour and alpha (4, h, w)."""

    window: Window
    planes: Tensor


def price_of_bit(quality: float) -> float:
    """The squared error, summed over colours and averaged over the canvas, that one more bit must save at `quality`.

    That is what the last bit of a coefficient saves: rounding to a step leaves step ** 2 / 12 (over a frame), and each bit
    divides it by 4.
    """
    return 2 * math.log(2) * step_of(quality) ** 2 / 12 * FRAME_AREA


@torch.no_grad()
def worth_keeping(
    net: TokenizerNetwork,
    picture: Tensor,
    what: Tensor,
    where: Tensor,
    depth: Tensor,
    prices: Tensor | None = None,
    most: int | None = None,
) -> list[int]:
    """Indices of the tokens to keep, the scene token 0 first.

    One at a time the token that saves least goes, by what it saves for its price: as long as one saves less than its price
    (T,), and as long as there are more than `most`.

    Args:
        picture: (3, h, w), 0..1; what (T, D), where (T, 4) and depth (T,) are its tokens.
    """
    kept = list(range(len(what)))
    floor = stretch_to(net.background_decoder(what[:1]), *picture.shape[-2:])[0]
    drawings = drawn(net, what, where, *picture.shape[-2:])
    painted = far_to_near(depth)
    unit = torch.ones(len(what), device=what.device) if prices is None else prices.to(what.device)
    while len(kept) > 1:
        order = [k for k in painted if k in kept]
        saved = {k: saved_by(k, order, drawings, floor, picture) for k in order}
        least = min(order, key=lambda k: saved[k] / float(unit[k]))
        too_dear = prices is not None and saved[least] < float(unit[least])
        if not too_dear and (most is None or len(kept) <= most):
            break
        kept.remove(least)
    return kept


def drawn(net: TokenizerNetwork, what: Tensor, where: Tensor, height: int, width: int) -> dict[int, Drawing]:
    """The layers of the object tokens."""
    if len(what) == 1:
        return {}
    layers = net.glimpse_decoder(what[1:]).premultiplied
    windows = {k: window_of(where[k], height, width) for k in range(1, len(what))}
    return {k: Drawing(w, draw(layers[k - 1], where[k], height, width, w)) for k, w in windows.items()}


def saved_by(index: int, order: list[int], drawings: dict[int, Drawing], floor: Tensor, picture: Tensor) -> float:
    """The squared error that the tokens of `order`, far to near, would have more without `index`."""
    window = drawings[index].window
    if window.empty:
        return 0.0
    errors = []
    for shown in (order, [k for k in order if k != index]):
        canvas = floor[window.planes].clone()
        for k in shown:
            part = drawings[k].window.inside(window)
            if not part.empty:
                planes = drawings[k].planes[part.within(drawings[k].window).planes]
                here = part.within(window).planes
                canvas[here] = planes[:3] + canvas[here] * (1 - planes[3:])
        errors.append(float((canvas - picture[window.planes]).square().sum()))
    return (errors[1] - errors[0]) / max(picture.shape[-2:]) ** 2
