"""What tokens are called, by what they say of themselves.

A prior that draws things by their names keeps codes for every name: means of the `what` of its looks. Read the other way
round they tell which name a token is nearest to, as class means do (Snell, Swersky & Zemel 2017, Prototypical Networks), and
CLIP's small image tower, which tells a thousand names apart by a glimpse, is not alone with it. `benchmarks/names.py` says what
that is worth.
"""
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from vle_gen.tokens import VLETokens

if TYPE_CHECKING:
    from vle_gen.prior.network import PriorNetwork

NEAR = 0.01  # nats for each squared standard deviation by which a token is off: numbers of `what` vary together, so this is
# far less than the half that independent ones would have
LEFT = 0.9  # share of a thing's pixels: one of which less is left is named by how it looked before
SHAPES = 32  # codes that are decoded at once
TRUST = 0.5  # power of what two witnesses say together: neither is as sure as it says


def hidden_since(tokens: VLETokens) -> list[int]:
    """The tokens of one picture that look as its source shows them, of which less is seen than there, other things having come
    before them."""
    if tokens.detail is None:
        return []
    now, then = (np.bincount(owner.ravel(), minlength=1) for owner in (tokens.label_map(), tokens.detail.owner.numpy()))
    found = []
    for index in range(1, len(tokens)):
        source, place = int(tokens.source[0, index]), tokens.placement(index)
        as_it_was = source > 0 and not tokens.origin[0, index] and place is not None and place.scale == 1
        if as_it_was and not tokens.retouched(index):
            seen, before = (int(counts[k]) if k < len(counts) else 0 for counts, k in ((now, index), (then, source)))
            if seen < LEFT * before:
                found.append(index)
    return found


def painted_over(tokens: VLETokens) -> list[int]:
    """The object tokens of one picture that are shown in other colours than their own."""
    paint, turn = tokens.paint[0].cpu(), tokens.turn[0].cpu()
    return [index for index in range(1, len(tokens)) if paint[index, 3] > 0 or turn[index] != 0]


def in_own_colours(tokens: VLETokens) -> VLETokens:
    """The same, with everything in its own colours."""
    return replace(tokens, paint=torch.zeros_like(tokens.paint), turn=torch.zeros_like(tokens.turn))


@torch.no_grad()
def told_by_codes(network: PriorNetwork, what: Tensor, whole: int, names: int) -> Tensor:
    """How likely each name is to have a token's `what`: logarithms (K, names) up to a constant.

    Args:
        what: (K, D) of object tokens.
        whole: the first so many numbers are compared, those of the thing as a whole. The others, of the cells of its glimpse,
            say more of how it is cut and lit than of what it is.
        names: how many there are; codes of sort k are of name k - 1 (see `PriorNetwork.fit_codes`).
    """
    mean, std = network.what_mean[1], network.what_std[1]
    spread = network.spread[1] if network.sizes.around_codes else torch.ones_like(mean)
    off = ((what - mean) / std)[:, None] - network.codebook  # (K, codes, D)
    away = (off[..., :whole] / spread[:whole]).square().sum(-1)
    known = (network.code_sort > 0) & (network.code_sort <= names)
    nearest = away.new_full((len(what), names), torch.inf)
    nearest.scatter_reduce_(1, (network.code_sort[known] - 1).expand(len(what), -1), away[:, known], "amin")
    return -NEAR * nearest


@torch.no_grad()
def shaped_like(network: PriorNetwork, decoder: nn.Module, what: Tensor, names: list[int]) -> Tensor:
    """How much the silhouettes of tokens `what` (K, D) overlap with the likest of what has one of some names: intersection over
    union (K,). Names as in `told_by_codes`; a thing in another colour than its own keeps its shape."""
    known = torch.isin(network.code_sort, torch.tensor(names, device=what.device) + 1)
    codes = network.codebook[known] * network.what_std[1] + network.what_mean[1]
    best = what.new_zeros(len(what))
    mine = decoder(what).solid[:, 0] > 0.5
    for some in codes.split(SHAPES):
        theirs = decoder(some).solid[:, 0] > 0.5
        common = (mine[:, None] & theirs).flatten(2).sum(2)
        either = (mine[:, None] | theirs).flatten(2).sum(2).clamp(min=1)
        best = torch.maximum(best, (common / either).amax(1))
    return best


def agreed(seen: Tensor, told: Tensor) -> Tensor:
    """Probabilities (K, N) by those that CLIP sees (K, N) and by what codes tell, `told_by_codes`; where these tell nothing,
    NaN, CLIP's alone."""
    both = (TRUST * (seen.clamp(min=1e-9).log() + told)).softmax(-1)
    return torch.where(told.isnan().any(-1, keepdim=True), seen, both)
