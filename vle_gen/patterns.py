"""The pattern of a background, such as tiles or bricks, continued where something hides it.

A pattern repeats by steps in the plane that it covers (Huang et al. 2014, "Image Completion using Planar Structure Guidance"),
and few steps say nearly all of it (He & Sun 2012, "Statistics of Patch Offsets for Image Completion"). What is hidden is
the mean of what is a step away, each step counting by how well it explains what is seen nearby. Where none does, such as on
a lawn, nothing is said.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.filters import box_mean
from vle_gen.planes import SHORTEST, Plane, horizons
from vle_gen.tokenizer.render import Window

WORK = 384  # pixels of the longer side at which steps are looked for
SHADING = 0.1  # of the longer side: what varies more slowly than over squares twice as wide is shading, not pattern
PLAIN = 2.5 / 255  # root mean square of what is not shading, up to which a background has no pattern
REPEATS = 0.25  # of that, which steps must foretell in a pattern that repeats
ENOUGH = 500  # pixels that must be known
MOST_STEPS = 24  # in one plane
APART = 5  # cells of the search's grid by which steps differ at least
GRID = 2.0  # pixels a cell
SURE = 300.0  # cells compared at which what they say counts half
ALIKE, CERTAIN = 0.2, 0.97  # correlations from which a step counts, and at which it counts as much as can be
BETTER = 1.5  # power of what better steps count more than others
FARTHEST = 2.0  # times farther than the middle: what is beyond is too small to find steps in
NEARBY, ELSEWHERE = 24, 60.0  # pixels around one in which steps are tried, and how many of those elsewhere count beside them
LATTICE = 4  # pixels between places where steps are tried
WHOLE = 0.98  # share of a sample that must be known


def has_pattern(difference: Tensor, known: Tensor) -> bool:
    """Whether a background, `difference` (3, H, W) from its shading where `known` (1, H, W) is 1, has more than noise."""
    small, seen, _ = _reduced(difference, known)
    return _varies((small - _shading(small, seen)) * seen, seen)


def continued(difference: Tensor, known: Tensor, arena: Window) -> Tensor | None:
    """The pattern of a picture's background on the pixels of `arena`: (3, h, w); None of one that does not repeat.

    Args:
        difference: (3, H, W) of the picture from its background's shading, of the values 0..1.
        known: (1, H, W) 1 where the picture shows the background as it is, 0 elsewhere.
    """
    small, seen, times = _reduced(difference, known)
    shading = _shading(small, seen)
    pattern = (small - shading) * seen
    result = torch.zeros_like(difference[arena.planes])
    wanted = torch.zeros_like(seen)
    inside = Window(*(round(edge / times) for edge in arena))
    wanted[inside.planes] = 1 - seen[inside.planes]
    line = _main_axis(pattern, seen)
    shading = F.interpolate(shading[None], difference.shape[-2:], mode="bilinear", align_corners=False)[0]
    full = torch.cat([(difference - shading) * known, known])
    rough = torch.cat([pattern, seen])
    height, width = seen.shape[-2:]
    middle = float(torch.nonzero(wanted[0].sum(1)).float().mean())
    rows = torch.arange(arena.top, arena.bottom, device=known.device) + 0.5
    columns = torch.arange(arena.left, arena.right, device=known.device) + 0.5
    fine = torch.meshgrid(rows / times, columns / times, indexing="ij")
    places = [torch.arange(LATTICE / 2, n, LATTICE, device=known.device) for n in (height, width)]
    tried = torch.meshgrid(places, indexing="ij")
    at_tried = _at(rough, *tried[::-1])
    weight = torch.zeros_like(result[:1])
    for horizon in horizons(line, seen[0]):
        plane = Plane(horizon, middle if horizon is None else max(middle, horizon + 30.0), width / 2)
        for step in steps_in(plane, line, seen[0], wanted[0]):
            trust = _trust(at_tried, _stepped(rough, plane, step, tried, (height, width)))
            trust = F.grid_sample(trust[None], _grid(*fine[::-1], (height, width))[None], "bilinear", "border", False)[0]
            values = _stepped(full, plane, step, fine, (height, width))
            counts = trust * values[3:]
            result += counts * values[:3]
            weight += counts
    result /= 1 + weight
    if float(result.square().mean()) < REPEATS**2 * float(pattern.square().sum() / (3 * seen.sum().clamp(min=1))):
        return None
    return result


def steps_in(plane: Plane, pattern: Tensor, known: Tensor, wanted: Tensor) -> list[tuple[float, float]]:
    """Steps (du, dv) by which a pattern (H, W) repeats in a plane, and that lead from what is `wanted` to what is `known`
    (both (H, W), 0 or 1); those that do most first."""
    height, width = pattern.shape
    top, ends = 0.5, (0.0, float(width))
    if plane.horizon is not None:
        top = max(top, plane.horizon + (plane.middle - plane.horizon) / FARTHEST)
    if top > height - 4 * GRID:
        return []
    corners = plane.onto(torch.tensor(ends * 2), torch.tensor([top, top, height - 0.5, height - 0.5]))
    (left, right), (low, high) = ((float(c.min()), float(c.max())) for c in corners)
    cells = [max(2, int((end - start) / GRID)) for start, end in ((low, high), (left, right))]
    v, u = torch.meshgrid(
        low + (torch.arange(cells[0], device=known.device) + 0.5) * GRID,
        left + (torch.arange(cells[1], device=known.device) + 0.5) * GRID,
        indexing="ij",
    )
    planes = _at(box_mean(torch.stack([pattern * known, known, wanted]), 1), *plane.back(u, v))
    seen, needed = (planes[1] > 0.6).float(), (planes[2] > 0.5).float()
    value = planes[0] / planes[1].clamp(min=0.1) * seen
    size = [1 << (2 * n - 1).bit_length() for n in cells]
    of_seen, of_value, of_square, of_needed = torch.fft.rfft2(torch.stack([seen, value, value.square(), needed]), size)
    pairs = [
        of_value.abs().square() * 2, 2 * (of_square.conj() * of_seen).real, of_seen.abs().square(), of_needed.conj() * of_seen,
    ]  # fmt: skip
    products, squares, count, reached = torch.fft.irfft2(torch.stack([pair.to(of_value) for pair in pairs]), size)
    count, reached = count.clamp(min=0), reached.clamp(min=0)
    alike = (products / squares.clamp(min=1e-9) * (count / (count + SURE))).clamp(max=CERTAIN)
    down, across = (torch.fft.fftfreq(n, 1 / n, device=known.device) for n in size)
    allowed = torch.hypot(down[:, None], across) * GRID >= SHORTEST
    allowed &= (down.abs()[:, None] < 0.9 * cells[0]) & (across.abs() < 0.9 * cells[1])
    highest = F.max_pool2d(F.pad(alike[None, None], (1,) * 4, "circular"), 3, 1)[0, 0]
    gain = _counts(alike) * reached * allowed * (alike >= highest) * GRID**2
    steps = []
    for _ in range(MOST_STEPS):
        best = int(gain.argmax())
        if float(gain.flatten()[best]) <= 2:
            break
        row, column = divmod(best, size[1])
        steps.append(tuple(
            (float(along[place]) + _summit([float(one) for one in line[[place - 1, place, (place + 1) % len(line)]]])) * GRID
            for along, place, line in ((across, column, alike[row]), (down, row, alike[:, column]))
        ))  # fmt: skip
        aside = torch.arange(-APART, APART + 1, device=known.device)
        gain[((row + aside) % size[0])[:, None], (column + aside) % size[1]] = 0
    return steps


def _counts(alike: Tensor) -> Tensor:
    """What a step is worth whose values are so much alike: the less it errs the more, and more so than for measurements whose
    noise is their own, since poor steps err alike."""
    return ((alike - ALIKE).clamp(min=0) / (1 - alike)) ** BETTER


def _summit(three: list[float]) -> float:
    """Where between three values, at -1, 0 and 1, the parabola through them is highest: -0.5..0.5."""
    before, here, after = three
    bend = before - 2 * here + after
    return 0.0 if abs(bend) < 1e-9 else max(-0.5, min(0.5, 0.5 * (before - after) / bend))


def _trust(here: Tensor, there: Tensor) -> Tensor:
    """What a step counts at each of the places that are tried (1, h, w), by the values `here` (4, h, w) and a step on, of which
    the last says whether they are known."""
    both = here[3:] * there[3:]
    off = (here[:3] - there[:3]).square().sum(0, keepdim=True) * both
    of_both = (here[:3].square() + there[:3].square()).sum(0, keepdim=True) * both
    means = torch.cat([off, of_both, both]).mean((1, 2), keepdim=True)
    usual = means[:2] / means[2:].clamp(min=1e-6)
    radius = NEARBY // LATTICE
    off, of_both = (
        box_mean(torch.cat([off, of_both]), radius) * (2 * radius + 1) ** 2 * LATTICE**2 + ELSEWHERE * usual
    ).split(1)
    return _counts((1 - off / of_both.clamp(min=1e-12)).clamp(max=CERTAIN))


def _stepped(
    planes: Tensor, plane: Plane, step: tuple[float, float], at: tuple[Tensor, Tensor], size: tuple[int, int]
) -> Tensor:
    """Planes (4, ...), of which the last says what is known, a step on from the pixels (rows, columns) `at` of a picture of
    `size`: values, and 1 where they are known."""
    rows, columns = at
    u, v = plane.onto(columns, rows)
    x, y = plane.back(u + step[0], v + step[1])
    found = F.grid_sample(planes[None], _grid(x, y, size)[None], "bilinear", "zeros", False)[0]
    values, known = found.split([3, 1])
    shown = known > WHOLE
    if plane.horizon is not None:
        shown = shown & (rows > plane.horizon + (plane.middle - plane.horizon) / (2 * FARTHEST))
    return torch.cat([values / known.clamp(min=0.5), shown.to(values)])


def _at(planes: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Planes (C, H, W) at pixels (h, w): (C, h, w), 0 outside."""
    return F.grid_sample(planes[None], _grid(x, y, planes.shape[-2:])[None], "bilinear", "zeros", False)[0]


def _grid(x: Tensor, y: Tensor, size: tuple[int, int]) -> Tensor:
    """Pixels (h, w) of a picture of `size` (height, width), as `grid_sample` counts: (h, w, 2)."""
    return torch.stack([x / size[1] * 2 - 1, y / size[0] * 2 - 1], -1)


def _reduced(difference: Tensor, known: Tensor) -> tuple[Tensor, Tensor, float]:
    """A picture whose longer side is no more than `WORK` pixels, what is known of it, and how many times smaller it is."""
    times = max(1.0, max(known.shape[-2:]) / WORK)
    if times == 1:
        return difference, known, times
    size = [max(1, round(n / times)) for n in known.shape[-2:]]
    both = F.interpolate(torch.cat([difference * known, known])[None], size, mode="area")[0]
    seen = (both[3:] > WHOLE).float()
    return both[:3] / both[3:].clamp(min=1e-6) * seen, seen, times


def _shading(difference: Tensor, known: Tensor) -> Tensor:
    """What of a difference (3, H, W) varies slowly: its means over large squares, of what is known."""
    size, cell = known.shape[-2:], 8
    both = torch.cat([difference * known, known])
    small = F.avg_pool2d(both[None], cell, ceil_mode=True, count_include_pad=False)[0]
    small = box_mean(small, max(1, round(SHADING * max(size) / cell)))
    return F.interpolate((small[:3] / small[3:].clamp(min=1e-4))[None], size, mode="bilinear", align_corners=False)[0]


def _varies(pattern: Tensor, known: Tensor) -> bool:
    """Whether a pattern (3, H, W), where it is known, is more than noise."""
    count = float(known.sum())
    return count >= ENOUGH and float(pattern.square().sum()) > 3 * count * PLAIN**2


def _main_axis(pattern: Tensor, known: Tensor) -> Tensor:
    """A pattern (3, H, W) along the line in the space of colours along which it varies most: (H, W)."""
    values = (pattern * known).flatten(1)
    _, axes = torch.linalg.eigh(values @ values.T)
    return torch.einsum("chw,c->hw", pattern, axes[:, -1])
