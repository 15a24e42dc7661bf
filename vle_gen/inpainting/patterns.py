"""The pattern of a background, such as tiles or bricks, continued where something hides it.

A pattern repeats by steps in the plane that it covers (Huang et al. 2014, "Image Completion using Planar Structure Guidance"),
and few steps say nearly all of it (He & Sun 2012, "Statistics of Patch Offsets for Image Completion"). What is hidden is
the mean of what is a step away, each step counting by how well it explains what is seen nearby. Where none does, such as on
a lawn, nothing is said.
"""
from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.filters import box_mean, filled, inside_mean
from vle_gen.inpainting.planes import SHORTEST, Plane, horizons
from vle_gen.tokenizer.render import Window

WORK = 384  # pixels of the longer side at which steps are looked for
SHADING = 0.1  # of the longer side: what varies more slowly than over squares twice as wide is shading, not pattern
PLAIN = 2.5 / 255  # root mean square of what is not shading, up to which a background has no pattern
REPEATS = 0.2  # of a pattern's variance in the arena, from which on it is told well enough to be continued
FIRMLY = 0.6  # the same in pictures of unknown worlds, in which more is alike by chance
ENOUGH = 500  # pixels that must be known
SHARE = 0.33  # of a picture that must be known: in less, what happens to be alike is taken for what repeats
MOST_STEPS = 24  # in one plane
APART = 5  # cells of the search's grid by which steps differ at least
GRID = 2.0  # pixels a cell
SURE = 300.0  # cells compared at which what they say counts half
ALIKE, CERTAIN = 0.2, 0.97  # correlations from which a step counts, and at which it counts as much as can be
BETTER = 1.5  # power of what better steps count more than others
FARTHEST = 2.0  # times farther than the middle: what is beyond is too small to find steps in
LEAST = 0.03  # of what all steps count for in the arena, which one must count for to be taken
NEARBY, ELSEWHERE = 24, 300.0  # pixels around one in which steps are tried, and how many of those elsewhere count beside them
ROUNDS = 5  # of telling what repeats from what is smooth
NEAREST = 30.0  # pixels below a horizon that a plane's middle lies at least
LATTICE = 4  # pixels between places where steps are tried
WHOLE = 0.98  # share of a sample that must be known

Step = tuple[Plane, tuple[float, float]]


def has_pattern(difference: Tensor, known: Tensor) -> bool:
    """Whether a background, `difference` (3, H, W) from its shading where `known` (1, H, W) is 1, has more than noise."""
    small, seen, _ = _reduced(difference, known)
    count = float(seen.sum())
    return count >= ENOUGH and float(((small - _shading(small, seen)) * seen).square().sum()) > 3 * count * PLAIN**2


def continued(
    source: Tensor, says: Tensor, known: Tensor, arena: Window, repeats: float = REPEATS
) -> Tensor | None:
    """A picture's background with its pattern on the pixels of `arena`: (3, h, w); None of a pattern that does not repeat.

    Args:
        source: (3, H, W) the picture, 0..1.
        says: (3, H, W) the background without its pattern, roughly.
        known: (1, H, W) 1 where the picture shows the background as it is, 0 elsewhere.
        repeats: share of the pattern's variance that must be told.
    """
    small, seen, times = _reduced(source - says, known)
    size = seen.shape[-2:]
    shading = _shading(small, seen)
    pattern = (small - shading) * seen
    wanted = torch.zeros_like(seen)
    inside = Window(*(round(edge / times) for edge in arena))
    wanted[inside.planes] = 1 - seen[inside.planes]
    if seen.mean() < SHARE or not (steps := _steps(pattern, seen, wanted)):
        return None

    full = torch.cat([source * known, known])
    rough = full if times == 1 else torch.cat([_reduced(source, known)[0], seen])
    smooth = says + F.interpolate(shading[None], says.shape[-2:], mode="bilinear", align_corners=False)[0]
    told = _told_apart(rough, smooth, steps)
    near = Window(*(round(edge / times / LATTICE) for edge in arena)).planes
    if told.error[near].sum() > (1 - repeats) * told.of_all[near].sum():
        return None
    rows, columns = (torch.arange(part.start, part.stop, device=known.device) for part in arena.slices)
    fine = _pixels([(along + 0.5) / times for along in (rows, columns)])
    result, weight = torch.zeros_like(source[arena.planes]), torch.zeros_like(known[arena.planes])
    share = told.counts[(slice(None), *near)].sum((1, 2, 3))
    for k in torch.nonzero(share > LEAST * share.sum()).flatten().tolist():
        end = _a_step_on(*steps[k], fine)
        values = _known_at(full, *end, size)
        counts = _at(told.trust[k], fine, size) * values[3:]
        result += counts * (values[:3] - _at(told.smooth, end[0], size))
        weight += counts
    return result / (1 + weight) + _at(told.smooth, fine, size)


class Told(NamedTuple):
    """What of a background repeats, and what is smooth, by the turn that told it best."""

    error: Tensor  # (1, h, w) squared, of what is known at places of a lattice
    of_all: Tensor  # (1, h, w) what that would be if nothing were foretold
    smooth: Tensor  # (3, ...) the background without its pattern
    trust: Tensor  # (steps, 1, h, w) what each step counts
    counts: Tensor  # (steps, 1, h, w) the same, 0 where it leads to what is not known


def _told_apart(picture: Tensor, smooth: Tensor, steps: list[Step]) -> Told:
    """Tells a background's pattern from what is smooth beside it, by turns, each from what the other leaves.

    `picture` (4, H, W) says last what is known of it; `smooth` (3, ...) is a first guess, however fine.
    """
    size = picture.shape[-2:]
    places = _pixels([torch.arange(LATTICE / 2, n, LATTICE, device=picture.device) for n in size])
    here, known = _known_at(picture, places, torch.ones_like(places[..., 0]), size).split([3, 1])
    ends = [_a_step_on(*step, places) for step in steps]
    there, known_there = torch.stack([_known_at(picture, *end, size) for end in ends]).split([3, 1], 1)
    best = None
    for _ in range(ROUNDS):
        off = (here - _at(smooth, places, size)) * known
        off_there = (there - torch.stack([_at(smooth, end, size) for end, _ in ends])) * known_there
        trust = _trust(off, known, off_there, known_there)
        counts = trust * known_there
        foretold = (counts * off_there).sum(0) / (1 + counts.sum(0))
        error, of_all = ((one * known).square().sum(0, keepdim=True) for one in (off - foretold, off))
        if best is None or error.sum() < best.error.sum():
            best = Told(error, of_all, smooth, trust, counts)
        smooth = inside_mean(filled(here - foretold, known), round(SHADING * max(size) / LATTICE))
    return best


def _steps(pattern: Tensor, known: Tensor, wanted: Tensor) -> list[Step]:
    """By which steps a pattern (3, H, W) repeats, and in which planes; `known` and `wanted` (1, H, W) as for `steps_in`."""
    if not wanted.any():
        return []
    values = (pattern * known).flatten(1)
    _, axes = torch.linalg.eigh(values @ values.T)
    line = torch.einsum("chw,c->hw", pattern, axes[:, -1])  # along the line in the space of colours along which it varies most
    middle = float(torch.nonzero(wanted[0].sum(1)).float().mean())
    found = []
    for horizon in horizons(line, known[0]):
        plane = Plane(horizon, middle if horizon is None else max(middle, horizon + NEAREST), pattern.shape[-1] / 2)
        found += [(plane, step) for step in steps_in(plane, line, known[0], wanted[0])]
    return found


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
    smooth = box_mean(torch.stack([pattern * known, known, wanted]), 1)
    planes = _at(smooth, torch.stack(plane.back(u, v), -1), pattern.shape, "zeros")
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


def _trust(off: Tensor, known: Tensor, off_there: Tensor, known_there: Tensor) -> Tensor:
    """What steps (S) count at each of the places that are tried, (S, 1, h, w): by what is not smooth there, (3, h, w), and a
    step on, (S, 3, h, w), where that is known: (1, h, w) and (S, 1, h, w)."""
    both = known * known_there
    apart = (off - off_there).square().sum(1, keepdim=True) * both
    of_both = (off.square() + off_there.square()).sum(1, keepdim=True) * both
    usual = torch.cat([apart, of_both], 1).mean((2, 3), keepdim=True) / both.mean((2, 3), keepdim=True).clamp(min=1e-6)
    radius = NEARBY // LATTICE
    sums = box_mean(torch.cat([apart, of_both], 1).flatten(0, 1), radius).view(-1, 2, *known.shape[-2:])
    apart, of_both = (sums * ((2 * radius + 1) * LATTICE) ** 2 + ELSEWHERE * usual).split(1, 1)
    return _counts((1 - apart / of_both.clamp(min=1e-12)).clamp(max=CERTAIN))


def _a_step_on(plane: Plane, step: tuple[float, float], pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Where a step leads from pixels (h, w, 2): (h, w, 2); and 1 where they are on the plane, and not too far, (h, w)."""
    x, y = pixels.unbind(-1)
    u, v = plane.onto(x, y)
    there = torch.stack(plane.back(u + step[0], v + step[1]), -1)
    if plane.horizon is None:
        return there, torch.ones_like(x)
    return there, (y > plane.horizon + (plane.middle - plane.horizon) / (2 * FARTHEST)).to(x)


def _known_at(planes: Tensor, pixels: Tensor, allowed: Tensor, size: tuple[int, int]) -> Tensor:
    """Values and knowledge (4, H, W) at pixels (h, w, 2) of a picture of `size`: values, and 1 where they are known and
    allowed (h, w), (4, h, w)."""
    found = _at(planes, pixels, size, "zeros")
    return torch.cat([found[:3] / found[3:].clamp(min=0.5), (found[3:] > WHOLE) * allowed])


def _at(planes: Tensor, pixels: Tensor, size: tuple[int, int], beyond: str = "border") -> Tensor:
    """Planes (C, H, W), however fine, at pixels (h, w, 2) x, y of a picture of `size` (height, width): (C, h, w)."""
    grid = pixels / pixels.new_tensor([size[1], size[0]]) * 2 - 1
    return F.grid_sample(planes[None], grid[None], "bilinear", beyond, False)[0]


def _pixels(rows_and_columns: list[Tensor]) -> Tensor:
    """Rows (h,) and columns (w,) as pixels (h, w, 2), x before y."""
    return torch.stack(torch.meshgrid(*rows_and_columns, indexing="ij")[::-1], -1)


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
