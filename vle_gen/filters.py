"""Filters of masks and planes (C, h, w) that count only what is known of them."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def filled(values: Tensor, known: Tensor) -> Tensor:
    """Values (C, h, w) where known (1, h, w) is 1, smoothly continued elsewhere (push-pull, Gortler et al. 1996)."""
    levels, weight, value = [], known[None], (values * known)[None]
    while max(weight.shape[-2:]) > 1 and weight.min() == 0:
        levels.append((value, weight))
        both = F.avg_pool2d(torch.cat([value, weight], 1), 2, ceil_mode=True, count_include_pad=False)
        value, weight = both[:, :-1], both[:, -1:]
        value = value / weight.clamp(min=1e-6)  # 0 where the weight is
        weight = (weight * 4).clamp(max=1)
        value = value * weight
    out = value / weight.clamp(min=1e-6) if weight.max() > 0 else value
    for value, weight in reversed(levels):
        coarse = F.interpolate(out, value.shape[-2:], mode="bilinear", align_corners=False)
        out = value + (1 - weight) * coarse
    return out[0]


def grown(mask: Tensor, radius: int) -> Tensor:
    """A mask (1, h, w), 0 or more, dilated by a square of `radius`."""
    for axis in (-1, -2):
        mask, reach = _padded(mask, radius, axis), 1
        while reach <= 2 * radius:  # each number is the largest of so many; two that overlap or touch make a longer one
            step = min(reach, 2 * radius + 1 - reach)
            count = mask.shape[axis] - step
            mask = torch.maximum(mask.narrow(axis, 0, count), mask.narrow(axis, step, count))
            reach += step
    return mask


def nearby(values: Tensor, weight: Tensor, radius: int) -> Tensor:
    """Mean of `values` (C, h, w) where `weight` (1, h, w) is, over squares that reach a little past `radius`."""
    total = box_mean(values * weight, radius + 1)
    return total / box_mean(weight, radius + 1).clamp(min=1e-6)


def box_mean(values: Tensor, radius: int) -> Tensor:
    """Mean of values (C, h, w) over squares of `radius`, zeros beyond the border; one axis at a time, since radii grow
    with the picture, and by adding shifted copies: on a CPU torch's own pooling goes number by number."""
    for axis in (-1, -2):
        count, wide = values.shape[axis], _padded(values, radius, axis)
        values = wide.narrow(axis, 0, count).clone()
        for step in range(1, 2 * radius + 1):
            values += wide.narrow(axis, step, count)
        values /= 2 * radius + 1
    return values


def _padded(values: Tensor, margin: int, axis: int) -> Tensor:
    """Values (C, h, w) with zeros on both sides along the last axis (-1) or the one before it (-2)."""
    return F.pad(values, (margin, margin) if axis == -1 else (0, 0, margin, margin))
