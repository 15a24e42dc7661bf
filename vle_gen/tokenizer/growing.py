"""A trained network as a larger one that does the same, to be trained on: more blocks in the decoder, finer layers, an outline
network, or one that says more."""
from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.sizes import TokenizerSizes

OUT = "glimpse_decoder.out.2"  # the convolution that writes a layer's pixels
BACKGROUND = "background_decoder."  # what its weights' names begin with
PLANES = 5  # of a layer
READING = ("slack", "step_weight", "error_weight", "even_error", "focal", "lamps")  # of `TokenizerSizes`, change no network


def can_grow(sizes: TokenizerSizes, wanted: TokenizerSizes) -> bool:
    """Whether a network of `sizes` can be grown to the `wanted` ones."""
    bigger = {name: getattr(wanted, name) for name in ("decoder_blocks", "layer", *READING)}
    if not sizes.local:
        bigger |= dict(what=wanted.what, local=wanted.local)
    if not sizes.background_widths:
        bigger |= dict(background=wanted.background, background_widths=wanted.background_widths)
    if not sizes.outline:
        bigger |= dict(outline=wanted.outline)
    if not sizes.missed:
        bigger |= dict(missed=wanted.missed)
    same = replace(sizes, **bigger) == wanted and sizes.whole == wanted.whole
    deeper = all(old <= new for old, new in zip(sizes.decoder_blocks, wanted.decoder_blocks, strict=True))
    return same and deeper and wanted.layer % sizes.layer == 0


def grown_network(network: TokenizerNetwork, sizes: TokenizerSizes) -> TokenizerNetwork:
    """The network with a decoder of `sizes` (see `can_grow`), which draws the same layers: new blocks and the numbers of cells
    add nothing at first (their last convolutions start at 0), and each pixel of a finer layer repeats the coarse one that it
    lies in. Only a background decoder of another sort starts anew."""
    if sizes == network.sizes:
        return network
    grown, weights = TokenizerNetwork(sizes), network.state_dict()
    times = sizes.layer // network.sizes.layer
    for name in (f"{OUT}.weight", f"{OUT}.bias"):
        weights[name] = repeated(weights[name], 2 * network.sizes.layer // network.sizes.glimpse, times)
    fresh = grown.state_dict()
    if sizes.background_widths != network.sizes.background_widths:
        weights = {name: value for name, value in weights.items() if not name.startswith(BACKGROUND)}
    grown.load_state_dict(fresh | weights)
    if sizes.local > network.sizes.local:
        nn.init.zeros_(grown.glimpse_decoder.local.weight)
        nn.init.zeros_(grown.glimpse_decoder.local.bias)
    return grown


def repeated(weight: Tensor, per_cell: int, times: int) -> Tensor:
    """The weights (C * n * n, ...) of a sub-pixel convolution of n x n pixels a cell, for `times` as many each way."""
    cells = weight.reshape(PLANES, per_cell, per_cell, *weight.shape[1:])
    cells = cells.repeat_interleave(times, 1).repeat_interleave(times, 2)
    return cells.reshape(-1, *weight.shape[1:])
