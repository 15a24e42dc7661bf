"""Planes in a picture whose pattern repeats: walls as they are, and floors as a camera without roll sees them."""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SHORTEST = 6  # pixels of the least step in which a pattern is taken to repeat; nearer by everything is alike
MOST_PLANES = 2
BAND = 8  # rows above and below a row that are looked at with it
SURE = 300.0  # pixels compared at which what they say counts half
ALIKE = 0.3  # correlation from which rows count as repeating
STEEPEST = 1.6  # how many times a picture's height may lie over the distance from its lower edge up to a floor's horizon
TILTS, FINER = 80, 21  # horizons that are tried, and those around the best of them
LEAST_SPREAD = 0.12  # rows where a floor is smaller than this share of its size at the lower edge show nothing of it
BEST = 4  # steps by which a horizon is judged


@dataclass(frozen=True)
class Plane:
    """A plane that stands upright (`horizon` None), or lies and ends at the row `horizon`, endless as it may be.

    Coordinates (u, v) of the plane are those of the picture (x, y) at the row `middle`; a pattern that repeats in the plane
    does so by one step (du, dv) everywhere, whereas in the picture steps grow towards the camera.
    """

    horizon: float | None
    middle: float
    centre: float  # column; another one would only shear the plane

    def onto(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels to coordinates of the plane."""
        if self.horizon is None:
            return x, y
        reach = self.middle - self.horizon
        near = reach / (y - self.horizon).clamp(min=1e-3)
        return (x - self.centre) * near, reach * (1 - near)

    def back(self, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates of the plane to pixels; those beyond the horizon come out far away."""
        if self.horizon is None:
            return u, v
        reach = self.middle - self.horizon
        near = (1 - v / reach).clamp(min=1e-3)
        return self.centre + u / near, self.horizon + reach / near


def horizons(pattern: Tensor, known: Tensor) -> list[float | None]:
    """The horizons of the planes whose pattern repeats along rows, the one that explains most first; None of an upright one.

    Moved along a plane without leaving its row, a pattern is shifted by as much as the plane is near: by a number of pixels
    that grows in a straight line from the horizon down. So rows are compared with themselves, and such lines are looked for
    among the shifts at which they agree (a Hough transform).

    Args:
        pattern: (H, W) what the picture shows beside its shading.
        known: (H, W) 1 where that is of the background, 0 elsewhere.
    """
    height, width = pattern.shape
    if width <= SHORTEST:
        return []
    rows = _Rows(pattern, known)
    tilts = torch.cat([torch.zeros(1), torch.linspace(STEEPEST / TILTS, STEEPEST, TILTS)]).to(pattern) / height
    coarse = torch.arange(SHORTEST, width, 2.0).to(pattern)
    found: list[float | None] = []
    for _ in range(MOST_PLANES):
        explained, _ = rows.explained(tilts, coarse, 4)
        best = explained.sum(-1).topk(min(BEST, len(coarse)), 1)
        tilt = int(best.values.sum(1).argmax())
        if float(best.values[tilt].sum()) <= 0:
            break
        steps = (best.values.new_tensor(range(-3, 4)) + coarse[best.indices[tilt]][:, None]).flatten().unique()
        steps = steps[(steps >= SHORTEST) & (steps < width)]
        finer = tilts[tilt : tilt + 1]
        if tilt > 0:
            finer = finer + torch.linspace(-1, 1, FINER).to(finer) * STEEPEST / TILTS / height
            finer = finer[finer > 0]
        explained, alike = rows.explained(finer, steps, 1)
        total = explained.sum(-1)
        one = int(total.topk(min(BEST, len(steps)), 1).values.sum(1).argmax())
        found.append(None if tilt == 0 else height - 1 / float(finer[one]))
        rows.take(alike[one, int(total[one].argmax())] > ALIKE)
    return found


class _Rows:
    """How alike the rows of a picture are to themselves, shifted: sums over the pairs of pixels that are both known."""

    def __init__(self, pattern: Tensor, known: Tensor):
        self.height, self.width = pattern.shape
        length = 1 << (2 * self.width - 1).bit_length()
        seen = pattern * known
        of_known, of_seen, of_square = (torch.fft.rfft(plane, length) for plane in (known, seen, seen.square()))
        of_pairs = torch.stack(
            [of_seen.abs().square() * 2, 2 * (of_square.conj() * of_known).real, of_known.abs().square()]
        )  # products, squares of both, count: symmetric in the shift, since it is a row with itself
        self.sums = torch.fft.irfft(of_pairs.to(of_seen), length)[..., : self.width].clone()  # (3, H, W)
        self.weight = (known * pattern.square()).sum(1)  # (H,) what there is to explain

    def take(self, rows: Tensor) -> None:
        """Leaves out rows (H,) that are explained, and those beside them."""
        self.weight = self.weight * (1 - F.max_pool1d(rows.float()[None], 9, 1, 4)[0])

    def explained(self, tilts: Tensor, steps: Tensor, stride: int) -> tuple[Tensor, Tensor]:
        """For planes of tilts (T,), 1 over the distance of the lower edge from the horizon, and steps (S,) at that edge: how
        much of each row is explained, and how alike it is to itself a step on: (T, S, rows), `stride` rows taken as one."""
        height = self.height // stride
        sums = self.sums[:, : height * stride].unflatten(1, (height, stride)).sum(2).flatten(1)  # (3, rows * W)
        weight = self.weight[: height * stride].unflatten(0, (height, stride)).sum(1)
        row = torch.arange(height, device=sums.device)
        above = self.height - (row + 0.5) * stride
        spread = 1 - tilts[:, None] * above  # (T, rows)
        shift = steps[None, :, None] * spread[:, None]
        shown = (spread > LEAST_SPREAD)[:, None] & (shift < self.width - 1.01) & (shift >= 0.7 * SHORTEST)
        shift = shift.clamp(0, self.width - 1.01)
        whole = shift.long()
        part, at = shift - whole, whole + row * self.width
        products, squares, count = ((one[at] * (1 - part) + one[at + 1] * part) * shown for one in sums)
        span = max(1, BAND // stride)
        products, squares, count = (_run(one, span) for one in (products, squares, count))
        count = count * (2 * span + 1)
        alike = products / squares.clamp(min=1e-9) * (count / (count + SURE))
        return (alike - ALIKE).clamp(min=0) * weight * shown, alike


def _run(values: Tensor, span: int) -> Tensor:
    """Means over `span` rows before and after each, of what there is: (T, S, rows)."""
    rows = values.shape[-1]
    total = F.pad(values, (1, 0)).cumsum(-1)
    row = torch.arange(rows, device=values.device)
    first, last = (row - span).clamp(min=0), (row + span + 1).clamp(max=rows)
    return (total[..., last] - total[..., first]) / (last - first)
