"""A codebook of `what`: the prior first says roughly what a token is, as one of K codes, and then exactly, by the flow.

When several objects of a text could come next, a code is where one is chosen: a mean of them would be none of them.
"""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.errors import UserError


@torch.no_grad()
def make_groups(points: Tensor, codes: int, rounds: int = 12, seed: int = 0) -> Tensor:
    """K-means: the group (S,), 0..codes - 1, of points (S, D). Seeded; with fewer points than codes some have none."""
    random = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(points), generator=random)
    centres = points[order.repeat(-(-codes // len(points)))[:codes].to(points.device)].clone()
    for _ in range(rounds):
        nearest = nearest_code(points, centres)
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        counts = torch.bincount(nearest, minlength=codes)[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
    return nearest_code(points, centres)


def nearest_code(points: Tensor, centres: Tensor) -> Tensor:
    """Index (S,) of the centre (K, D) nearest to each point (S, D)."""
    return distances(points, centres).argmin(1)


def distances(points: Tensor, centres: Tensor) -> Tensor:
    """Squared distances (S, K) of points (S, D) to centres (K, D), less |p|^2, which is the same for all centres."""
    return centres.square().sum(1) - 2 * points @ centres.T


def shared_out(total: int, weights: list[int]) -> list[int]:
    """`total` things shared out by weight, one to each at least. Raises `UserError` when there are too few of them."""
    if total < len(weights):
        raise UserError(f"model.codes leaves {total} codes for objects: expected {len(weights)} or more, one for each sort")
    shares = [1 + weight / sum(weights) * (total - len(weights)) for weight in weights]
    sizes = [int(share) for share in shares]
    largest_rests = sorted(range(len(shares)), key=lambda k: sizes[k] - shares[k])
    for k in largest_rests[: total - sum(sizes)]:
        sizes[k] += 1
    return sizes


@torch.no_grad()
def centres_of(points: Tensor, group: Tensor, codes: int) -> Tensor:
    """Means (codes, D) of the points (S, D) of each group (S,) of 0..codes - 1; a group of none gets the mean of all."""
    sums = points.new_zeros(codes, points.shape[1]).index_add_(0, group, points)
    counts = torch.bincount(group, minlength=codes)[:, None]
    return torch.where(counts > 0, sums / counts.clamp(min=1), points.mean(0))
