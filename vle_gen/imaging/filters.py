"""Filters of masks and planes (C, h, w) that count only what is known of them."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

FAR = 16  # pixels of a radius beyond which running sums are faster than shifted copies
SMALLER = 40  # times: beyond about that antialiasing takes more shared memory than GPUs have, and the CPU does it
WIDE, MANY = 32, 1 << 20  # pixels of a radius, and of a plane, beyond which means, which vary slowly, are taken of a smaller
# one
LARGE = 4000  # pixels in a plane from which on adding shifted copies is faster than torch's own pooling


def filled(values: Tensor, known: Tensor) -> Tensor:
    """Values (C, h, w) where known (1, h, w) is 1, smoothly continued elsewhere (push-pull, Gortler et al. 1996)."""
    both, levels = torch.cat([values * known, known]), []  # (C + 1, h, w): values times their weight, and the weight
    while max(both.shape[-2:]) > 1 and both[-1].min() == 0:
        levels.append(both)
        both = halved(both)
        value, weight = both[:-1], both[-1:]
        value /= weight.clamp(min=1e-6)  # 0 where the weight is
        weight.mul_(4).clamp_(max=1)
        value *= weight
    value, weight = both[:-1], both[-1:]
    out = value / weight.clamp(min=1e-6) if weight.max() > 0 else value
    for both in reversed(levels):
        out = F.interpolate(out[None], both.shape[-2:], mode="bilinear", align_corners=False)[0]
        out.mul_(1 - both[-1:]).add_(both[:-1])
    return out


def halved(planes: Tensor) -> Tensor:
    """Means of cells of 2 x 2 pixels of planes (C, h, w), at an odd end of those that there are: (C, ceil(h / 2),
    ceil(w / 2))."""
    height, width = planes.shape[-2:]
    if height * width < LARGE:
        return F.avg_pool2d(planes[None], 2, ceil_mode=True, count_include_pad=False)[0]
    if height % 2 or width % 2:
        planes = F.pad(planes, (0, width % 2, 0, height % 2))
    cells = planes[..., ::2, ::2] + planes[..., ::2, 1::2]
    cells += planes[..., 1::2, ::2]
    cells += planes[..., 1::2, 1::2]
    cells /= 4
    if width % 2:
        cells[..., -1] *= 2
    if height % 2:
        cells[..., -1, :] *= 2
    return cells


def grown(mask: Tensor, radius: int) -> Tensor:
    """Masks (C, h, w), 0 or more, or bool, dilated by a square of `radius`. Those of bool take a tenth of the time."""
    if mask.dtype == torch.bool:
        return grown(mask.view(torch.uint8), radius).view(torch.bool)
    mask = F.pad(mask, (radius,) * 4)
    for axis in (-1, -2):
        reach = 1
        while reach <= 2 * radius:  # each number is the largest of so many; two that overlap or touch make a longer one
            step = min(reach, 2 * radius + 1 - reach)
            count = mask.shape[axis] - step
            mask = torch.maximum(mask.narrow(axis, 0, count), mask.narrow(axis, step, count))
            reach += step
    return mask


def nearby(values: Tensor, weight: Tensor, radius: int) -> Tensor:
    """Mean of `values` (C, h, w) where `weight` (1, h, w) is, over squares that reach a little past `radius`."""
    weighted = (plane * weight for plane in values.split(1))
    means = box_mean(*coarsened(chain(weighted, [weight]), radius + 1))
    return _at_size(means[:-1] / means[-1:].clamp(min=1e-6), values.shape[-2:])


def inside_mean(values: Tensor, radius: int) -> Tensor:
    """Mean of values (C, h, w) over what of squares of `radius` lies inside the border."""
    means = box_mean(*coarsened([values, torch.ones_like(values[:1])], radius))
    return _at_size(means[:-1] / means[-1:], values.shape[-2:])


def coarsened(parts: Iterable[Tensor], radius: int) -> tuple[Tensor, int]:
    """Planes (C, h, w) together, of which means over squares of `radius` are to be taken, and the radius; of wide ones smaller
    planes and as wide squares. They may be made one after the other, since large ones take much memory."""
    small, wide = [], radius
    for planes in parts:
        wide, large = radius, is_large(planes, radius)
        while large and wide > FAR:
            planes, wide = halved(planes), round(wide / 2 - 0.25)  # of pixels of twice the size
        small.append(planes)
    return torch.cat(small), wide


def is_large(planes: Tensor, radius: int) -> bool:
    """Whether planes (C, h, w) are so large that means over squares of `radius` are taken of smaller ones."""
    return radius > WIDE and planes.shape[-2] * planes.shape[-1] > MANY


def _at_size(planes: Tensor, size: Sequence[int]) -> Tensor:
    if planes.shape[-2:] == size:
        return planes
    result = planes.new_empty(len(planes), *size)
    for plane, larger in zip(planes, result, strict=True):  # all at once torch takes twice the memory, and longer
        larger.copy_(F.interpolate(plane[None, None], size, mode="bilinear", align_corners=False)[0, 0])
    return result


def box_mean(values: Tensor, radius: int) -> Tensor:
    """Mean of values (C, h, w) over squares of `radius`, zeros beyond the border; one axis at a time, since radii grow
    with the picture, by adding shifted copies or, of large squares, by running sums: on a CPU torch's own pooling goes number
    by number. Of squares that are larger still they are interpolated."""
    if radius == 0:
        return values.clone()
    if is_large(values, radius):
        return _at_size(box_mean(*coarsened(values.split(1), radius)), values.shape[-2:])
    values = F.pad(values, (radius,) * 4)
    for axis in (-1, -2):
        count = values.shape[axis] - 2 * radius
        if radius > FAR:  # in double precision, so that where nothing is the mean is nothing
            sums = F.pad(values, (1, 0) if axis == -1 else (0, 0, 1, 0)).cumsum(axis, dtype=torch.float64)
            values = (sums.narrow(axis, 2 * radius + 1, count) - sums.narrow(axis, 0, count)).to(values.dtype)
        else:
            wide = values
            values = wide.narrow(axis, 0, count) + wide.narrow(axis, 1, count)
            for step in range(2, 2 * radius + 1):
                values += wide.narrow(axis, step, count)
        values /= 2 * radius + 1
    return values


def antialiased(pictures: Tensor, size: Sequence[int], mode: str = "bilinear") -> Tensor:
    """Pictures (B, C, h, w) resampled to another size, averaged where they get smaller."""
    far = max(before / after for before, after in zip(pictures.shape[-2:], size, strict=True)) > SMALLER
    here = pictures.cpu() if far and pictures.is_cuda else pictures
    return F.interpolate(here, tuple(size), mode=mode, antialias=True, align_corners=False).to(pictures.device)
