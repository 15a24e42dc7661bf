"""Codes made sharp: what a prior draws of a thing by its name is its code, nearly, and that is a mean of tokens.

A mean of what an encoder writes says less than the decoder could draw (the amortisation gap, see `vle_gen.tokenizer.refining`).
Of a cut-out the layer is known exactly, so codes are fitted to layers through the decoder, in the numbers of cells alone: the
first ones are of the thing as a whole, and tell names too (`vle_gen.recognition.prototypes`).
"""
from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vle_gen.data.catalogue import Catalogue
from vle_gen.data.cutouts import CutoutBank
from vle_gen.data.mixed import MixedComposer
from vle_gen.prior.network import PriorNetwork
from vle_gen.tokenizer.blocks import frame_grid
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.training.what_table import KINDS

RATE = 0.05  # of Adam, as a share of how far the numbers spread
BETAS = (0.8, 0.95)  # as for refining
SOLID = 3.0  # times more that an error counts where the thing is, beside its shadow and what is around it
SCALE = 100.0  # of the error, so that its gradients stand above Adam's epsilon
BATCH = 32


def cut_outs(catalogue: Catalogue) -> Tensor:
    """(K,) the sprites of packs that are cut-outs and drawn."""
    sprites = catalogue.sprites
    kind = torch.tensor([isinstance(bank, CutoutBank) for bank in catalogue.banks], device=sprites.pack.device)
    return torch.nonzero(kind[sprites.pack] & sprites.usable)[:, 0]


@torch.no_grad()
def layers_of(composer: MixedComposer, sprites: Tensor, size: int, suns: int) -> Tensor:
    """What cut-outs (K,) look like in their frames: premultiplied colour, alpha and silhouette (K, 5, size, size), with the
    mean of their shadows of all kinds under some suns."""
    rows = torch.arange(len(sprites), device=sprites.device)
    around, total = torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE], device=sprites.device), 0.0
    for sun in range(suns):
        for kind in KINDS:
            scenes = composer.alone(sprites, kind, torch.Generator(sprites.device).manual_seed(sun))
            grid = frame_grid(scenes.box[:, 0] * around, size)
            total = total + composer.layers(scenes, rows, torch.zeros_like(rows), grid)
    return total / (suns * len(KINDS))


def fitted(decoder: nn.Module, what: Tensor, layers: Tensor, whole: int, steps: int) -> Tensor:
    """`what` (K, D) after so many steps down the gradient of the squared error of what it decodes to, against layers
    (K, 5, L, L) as of `layers_of`; the first `whole` numbers stay as they are. Each row is fitted for itself."""
    with torch.inference_mode(False), torch.enable_grad():
        fixed, free = what[:, :whole].clone(), what[:, whole:].clone().requires_grad_(True)
        weight = 1 + SOLID * layers[:, 4:]
        optimizer = torch.optim.Adam([free], RATE * float(what.std()), betas=BETAS)
        for _ in range(steps):
            drawn = decoder(torch.cat([fixed, free], 1))
            off = torch.cat([drawn.premultiplied, drawn.solid], 1) - layers
            (free.grad,) = torch.autograd.grad(SCALE * (off.square() * weight).mean((1, 2, 3)).sum(), free)
            optimizer.step()
    return torch.cat([fixed, free.detach()], 1)


def sharpen(
    network: PriorNetwork, tokenizer: TokenizerNetwork, composer: MixedComposer, code: Tensor, steps: int, suns: int,
    advance: Callable[[int], object] = id,
) -> None:
    """Fits the codes of cut-outs to their layers, in place. Codes of backgrounds stay, and those of solids, of which no two lie
    alike.

    Args:
        network: whose codes they are.
        tokenizer: whose decoder draws; without numbers of cells nothing is fitted.
        composer: of the packs.
        code: (S,) long, the code of every sprite of the packs. A code of several is fitted to the mean of their layers.
        steps: down the gradient, for each code.
        suns: ways that light falls.
        advance: told how many codes are done, after some of them.
    """
    sizes = tokenizer.sizes
    if steps == 0 or sizes.whole == sizes.what:
        return
    mine = cut_outs(composer.catalogue)
    mean, std = network.what_mean[1], network.what_std[1]
    for some in code[mine].unique().split(BATCH):
        drawn = mine[torch.isin(code[mine], some)]
        row = torch.searchsorted(some, code[drawn])
        layers = layers_of(composer, drawn, sizes.layer, suns)
        target = layers.new_zeros(len(some), *layers.shape[1:]).index_add_(0, row, layers)
        target = target / torch.bincount(row).view(-1, 1, 1, 1)
        what = fitted(tokenizer.glimpse_decoder, network.codebook[some] * std + mean, target, sizes.whole, steps)
        with torch.no_grad():
            network.codebook[some] = (what - mean) / std
        advance(len(some))
