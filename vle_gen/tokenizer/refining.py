"""Refining: a picture's tokens are fitted to it by a few steps down the gradient of the decoder's error.

One pass of an encoder is a guess at the code that serves the decoder best; the gap to that code, the amortisation gap, is
closed for the one picture at hand (Kim et al. 2018, Semi-Amortized Variational Autoencoders; Marino et al. 2018, Iterative
Amortized Inference). Places and depths stay as they are.
"""
from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.loop import PictureCode, glimpse_picture
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import draw, far_to_near, window_of

RATE = 0.08  # of Adam, as a share of how far the numbers of a picture's tokens spread
BETAS = (0.8, 0.95)  # with others, and with L-BFGS, as many steps gain less
FINEST = 2  # times the side of the picture that glimpses are cut from: as finely as that a picture is fitted, if it is so fine
SCALE = 1000.0  # of the error, so that its gradients stand above Adam's epsilon


def refined(net: TokenizerNetwork, code: PictureCode, picture: Tensor, steps: int) -> PictureCode:
    """The code of a picture (3, H, W), 0..1, after so many steps of gradient descent on the mean squared error of what its
    tokens say, or of fewer where those said it better. A token's scope takes in the silhouette that it has come to say, but
    where an outline network looks at both."""
    if steps < 1:
        return code
    with torch.inference_mode(False), torch.enable_grad():
        decoder, floor = _ordinary(net.glimpse_decoder), _ordinary(net.background_decoder)
        side = min(max(picture.shape[-2:]), FINEST * net.sizes.glimpse_side)
        target = glimpse_picture(picture.clone(), side)[0]
        where, order = code.where.clone(), [index - 1 for index in far_to_near(code.depth)]
        what = code.what.clone().requires_grad_(True)
        optimizer = torch.optim.Adam([what], RATE * float(what.detach().std()), betas=BETAS)
        best, least = what.detach().clone(), float("inf")
        for step in range(steps + 1):
            error = (_picture(decoder, floor, what, where, order, *target.shape[-2:]) - target).square().mean()
            if error.item() < least:
                best, least = what.detach().clone(), error.item()
            if step < steps:
                (what.grad,) = torch.autograd.grad(SCALE * error, what)
                optimizer.step()
    what = best
    if len(what) == 1:
        return replace(code, what=what)
    with torch.no_grad():
        layers = net.glimpse_decoder(what[1:]).at(net.sizes.glimpse)
    solid, colour = torch.cat([code.solid[:1], layers.solid[:, 0]]), torch.cat([code.colour[:1], layers.colour])
    scope = torch.maximum(code.scope, solid) if net.outline is None else code.scope
    return replace(code, what=what, solid=solid, colour=colour, scope=scope)


def _picture(
    decoder: nn.Module, floor: nn.Module, what: Tensor, where: Tensor, order: list[int], height: int, width: int
) -> Tensor:
    """What tokens say, (3, height, width), so that gradients pass; `order` holds the objects from far to near."""
    canvas = stretch_to(floor(what[:1]), height, width)[0]
    layers = decoder(what[1:]).premultiplied if order else None
    for index in order:
        window = window_of(where[index + 1], height, width)
        if window.empty:
            continue
        drawn = draw(layers[index], where[index + 1], height, width, window)
        drawn = F.pad(drawn, (window.left, width - window.right, window.top, height - window.bottom))
        canvas = drawn[:3] + canvas * (1 - drawn[3:])
    return canvas


def _ordinary(module: nn.Module) -> nn.Module:
    """The module, or a copy of it whose parameters gradients may pass where they were made in inference mode."""
    return deepcopy(module) if any(parameter.is_inference() for parameter in module.parameters()) else module
