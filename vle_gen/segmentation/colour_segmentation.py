"""Which pixels in a box are its object's, by their colours: for pictures that are unlike those that the outline network has
learnt from.

Colours inside and outside are mixtures of Gaussians that are fitted anew with every cut (GrabCut, Rother, Kolmogorov & Blake
2004). The cut is the outline of least length, which is cheap along edges of the picture; it is found as a convex problem
(Chan, Esedoglu & Nikolova 2006) by primal and dual steps in turn (Chambolle & Pock 2011).
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.filters import grown, inside_mean
from vle_gen.tokenizer.render import Window

LONGEST, FINE = 160, 480  # pixels of the longer side of what is looked at, and of what outlines are drawn on in the end; larger
# windows are looked at smaller
GLINT = 2  # half-width, in pixels of the second, of gaps that are closed
BAND = 1.5  # of the first's pixels, to each side of an outline, in which it is drawn anew
AROUND = 0.4  # of a box's width and height, how far around it the picture says what is not the object's
LOOSE = 0.02  # and how far beyond it the object may reach: boxes are drawn by hand
CLUSTERS, ROUNDS = 5, 5  # Gaussians of a mixture, and cuts
FITTED, STEPS = 8, 80  # steps of a mixture, and of a cut
SPREAD = 1e-4  # least variance of a Gaussian, of colours of 0..1
MOST = 6.0  # how much more likely, as a logarithm, a colour says at most that a pixel is the object's
TRUST = 1.0  # the same of what is known of it before
LENGTH = 6.0  # of a pixel's length of outline where the picture has no edge
Mixture = tuple[Tensor, Tensor, Tensor]  # of Gaussians: shares (K,), means (K, 3) and covariances (K, 3, 3)
ISLAND, HOLE = 0.05, 0.03  # share of the largest part from which on others are kept, and of all up to which holes are filled


def cut(picture: Tensor, box: tuple[float, float, float, float], before: Tensor, others: Tensor) -> Tensor | None:
    """The object's pixels, (H, W) bool; None where colours do not tell it from what is around it.

    Args:
        picture: (3, H, W) uint8.
        box: left, top, width and height in pixels.
        before: (H, W) bool, what is taken for its pixels so far.
        others: (H, W) bool, pixels that are surely others'.
    """
    left, top, wide, high = box
    window = Window(
        math.floor(top - AROUND * high), math.ceil(top + (1 + AROUND) * high),
        math.floor(left - AROUND * wide), math.ceil(left + (1 + AROUND) * wide),
    ).inside(Window(0, picture.shape[-2], 0, picture.shape[-1]))  # fmt: skip
    coarse = _Looked.at(picture, box, before, others, window, LONGEST)
    found = _relaxed(coarse)
    if found is None:
        return None
    share, mixtures = found
    kept = _tidied(share > 0.5)
    if kept is None:
        return None
    share, times = torch.where(kept, share.clamp(min=0.51), share.clamp(max=0.49)), coarse.times
    if times > 1:
        fine = _Looked.at(picture, box, before, others, window, FINE)
        share, times = _finer(share, fine, mixtures, coarse.times), fine.times
    mask = torch.zeros_like(before)
    part = mask[window.slices]
    part |= _larger(share, times, part.shape) > 0.5
    mask &= ~others
    return mask


class _Looked(NamedTuple):
    """A window as it is looked at, so many `times` smaller."""

    times: int
    colour: Tensor  # (3, h, w), 0..1
    prior: Tensor  # (h, w) what was known before, 0..1
    allowed: Tensor  # (h, w) bool, where the object may be
    free: Tensor  # (h, w) bool, what no other has

    @classmethod
    def at(
        cls, picture: Tensor, box: tuple[float, ...], before: Tensor, others: Tensor, window: Window, longest: int
    ) -> _Looked:
        """The window of `cut` with at most `longest` pixels on its longer side."""
        left, top, wide, high = box
        times = max(1, math.ceil(max(window.bottom - window.top, window.right - window.left) / longest))
        planes = torch.cat([picture[window.planes].float() / 255, before[window.slices][None], others[window.slices][None]])
        small = F.avg_pool2d(planes[None], times, ceil_mode=True)[0]
        down, across = ((torch.arange(count) + 0.5) * times for count in small.shape[1:])
        down, across = down + window.top, across + window.left
        rows = (down > top - LOOSE * high) & (down < top + (1 + LOOSE) * high)
        columns = (across > left - LOOSE * wide) & (across < left + (1 + LOOSE) * wide)
        free = small[4] <= 0.5
        return cls(times, small[:3], small[3], rows[:, None] & columns & free, free)

    @property
    def lengths(self) -> tuple[Tensor, Tensor]:
        """What an outline costs between neighbours across (h, w - 1) and down (h - 1, w)."""
        across, down = (self.colour.diff(dim=axis).square().sum(0) for axis in (2, 1))
        edge = 2 * torch.cat([across.flatten(), down.flatten()]).mean().clamp(min=1e-6)
        return LENGTH * torch.exp(-across / edge), LENGTH * torch.exp(-down / edge)

    def cost(self, mixtures: tuple[Mixture, Mixture]) -> Tensor:
        """What it costs that a pixel (h, w) is the object's."""
        colours = self.colour.flatten(1).T
        inside, outside = (_density(colours, *mixture) for mixture in mixtures)
        likelier = (inside - outside).clamp(-MOST, MOST).view_as(self.prior)
        return torch.where(self.allowed, -likelier - TRUST * (2 * self.prior - 1), 2 * LENGTH)


def _relaxed(seen: _Looked) -> tuple[Tensor, tuple[Mixture, Mixture]] | None:
    """How far each pixel (h, w) is the object's, 0..1, and the mixtures of its colours and of others', to which nothing that
    is another's adds: that may be like it. None where everything may be the object's, or nothing is."""
    if not seen.allowed.any() or not (seen.free & ~seen.allowed).any():
        return None
    colours, (across, down) = seen.colour.flatten(1).T, seen.lengths
    share = inside = seen.allowed.float()
    for _ in range(ROUNDS):
        mixtures = _mixture(colours, inside.flatten()), _mixture(colours, ((1 - inside) * seen.free).flatten())
        share = _shortest(seen.cost(mixtures), across, down, share)
        inside = (share > 0.5).float()
        if inside.sum() < CLUSTERS:
            return None
    return share, mixtures


def _finer(share: Tensor, seen: _Looked, mixtures: tuple[Mixture, Mixture], times: int) -> Tensor:
    """A share (h, w) found `times` smaller, with its outline drawn anew on what is looked at less small."""
    height, width = seen.prior.shape
    ratio = times / seen.times
    inside = F.interpolate(share[None, None], scale_factor=ratio, mode="bilinear", align_corners=False)[0, 0]
    inside = F.pad(inside, (0, max(0, width - inside.shape[1]), 0, max(0, height - inside.shape[0])), value=0.0)
    inside = (inside[:height, :width] > 0.5).float()
    either = grown(torch.stack([inside, 1 - inside]), math.ceil(BAND * ratio))
    cost = torch.where(either.prod(0) > 0, seen.cost(mixtures), 2 * LENGTH * (1 - 2 * inside))
    share = _shortest(cost, *seen.lengths, inside)[None]
    closed = 1 - grown(1 - grown(share, GLINT), GLINT)  # highlights on an outline are as thin as this
    return torch.where(seen.allowed, closed, share)[0]


def _larger(share: Tensor, times: int, size: Sequence[int]) -> Tensor:
    """A share (h, w) at the `size` of what was looked at so many times smaller, with round outlines and not stairs."""
    if times == 1:
        return share
    smooth = inside_mean(share[None], 1)
    share = F.interpolate(smooth[None], scale_factor=times, mode="bicubic", align_corners=False)[0, 0]
    return share[: size[0], : size[1]]


def _shortest(cost: Tensor, across: Tensor, down: Tensor, share: Tensor) -> Tensor:
    """The `share` (h, w), 0..1, of least cost (h, w) and length, of which `across` (h, w - 1) and `down` (h - 1, w) say how
    much it costs between neighbours; from a share to begin with."""
    step = 0.35  # its square times 8, the squared norm of the gradient, has to be below 1
    ahead, horizontal, vertical = share, torch.zeros_like(across), torch.zeros_like(down)
    for _ in range(STEPS):
        horizontal = torch.minimum(torch.maximum(horizontal + step * ahead.diff(dim=1), -across), across)
        vertical = torch.minimum(torch.maximum(vertical + step * ahead.diff(dim=0), -down), down)
        inflow = F.pad(horizontal, (1, 1)).diff(dim=1) + F.pad(vertical, (0, 0, 1, 1)).diff(dim=0)
        after = (share + step * (inflow - cost)).clamp(0, 1)
        ahead, share = 2 * after - share, after
    return share


def _mixture(colours: Tensor, weight: Tensor) -> Mixture:
    """Shares (K,), means (K, 3) and covariances (K, 3, 3) of Gaussians of colours (N, 3) that count as much as `weight` (N,):
    by EM, begun with the group of most variance split in two until there are enough (Orchard & Bouman 1991)."""
    group, split = torch.zeros(len(colours), dtype=torch.long), {}
    for new in range(1, CLUSTERS):
        for old in set(range(new)) - split.keys():
            mine = weight * (group == old)
            _, mean, covariance = _moments(colours, mine[:, None])
            spread, axes = torch.linalg.eigh(covariance[0])
            split[old] = float(spread[-1] * mine.sum()), mean[0], axes[:, -1]
        old = max(split, key=lambda one: split[one][0])
        _, mean, axis = split.pop(old)
        group[(group == old) & ((colours - mean) @ axis > 0)] = new
    member = F.one_hot(group, CLUSTERS).float()
    for _ in range(FITTED):
        mixture = _moments(colours, member * weight[:, None])
        member = _densities(colours, *mixture).T.softmax(0).T  # along an axis this short torch takes 20 times as long
    return mixture


def _moments(colours: Tensor, weight: Tensor) -> Mixture:
    """Shares, means and covariances of K Gaussians of colours (N, 3), by how much each colour counts for each (N, K)."""
    total = weight.sum(0).clamp(min=1e-6)
    mean = weight.T @ colours / total[:, None]
    away = colours[:, None] - mean
    covariance = torch.einsum("nk,nki,nkj->kij", weight, away, away) / total[:, None, None]
    return total / total.sum(), mean, covariance + SPREAD * torch.eye(3)


def _densities(colours: Tensor, share: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Logarithms (N, K) of each Gaussian's share times its density at colours (N, 3), but for a constant."""
    root = torch.linalg.cholesky(covariance)
    away = torch.linalg.solve_triangular(root, (colours[:, None] - mean).permute(1, 2, 0), upper=False)  # (K, 3, N)
    volume = root.diagonal(dim1=1, dim2=2).log().sum(1)
    return (share.clamp(min=1e-6).log() - volume)[None] - away.square().sum(1).T / 2


def _density(colours: Tensor, share: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Logarithm (N,) of a mixture's density at colours (N, 3), but for a constant."""
    return _densities(colours, share, mean, covariance).logsumexp(1)


def _tidied(mask: Tensor) -> Tensor | None:
    """A mask (h, w) without islands that are small beside its largest part, and without small holes; None of none."""
    parts = _parts(mask)
    sizes = torch.bincount(parts.flatten())[1:]
    if not len(sizes):
        return None
    large = torch.cat([sizes.new_zeros(1) > 0, sizes >= ISLAND * sizes.max()])
    mask = large[parts]
    gaps = _parts(~mask)
    sizes = torch.bincount(gaps.flatten())
    small = sizes <= HOLE * mask.sum()
    small[0] = False
    for side in (gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]):
        small[side] = False
    return mask | small[gaps]


def _parts(mask: Tensor) -> Tensor:
    """Numbers (h, w) of the parts of a mask (h, w) that hang together, from 1 on; 0 outside."""
    number = torch.arange(1, mask.numel() + 1, dtype=torch.float32).view(1, *mask.shape) * mask
    while True:
        further = grown(number, 1) * mask
        if torch.equal(further, number):
            break
        number = further
    return torch.unique(torch.cat([number.flatten(), number.new_zeros(1)]), return_inverse=True)[1][:-1].view_as(mask)
