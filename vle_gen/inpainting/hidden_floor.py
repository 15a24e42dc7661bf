"""What the scene token says of floor that something hides, as far as it is right of floor that is seen."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.filters import filled

LOOKED = 96  # pixels of the longer side at which it is found out how right the scene token is
HIDDEN, SEEN = 0.5, 0.95  # share of a cell that is seen, up to which it is hidden, and from which on it is seen
ASIDE = tuple((down * far, across * far) for far in (1.0, 0.5) for down, across in ((1, 0), (-1, 0), (0, 1), (0, -1)))  # to
# where, in extents of what is hidden, the same shape is hidden on trial
EXPECTED = 1e-3  # squared differences, summed, that count as in favour of the scene token before anything is seen


def tempered(says: Tensor, seen: Tensor, known: Tensor) -> tuple[Tensor, float]:
    """What the scene token says of a floor (3, h, w), as far as that is of use beside a smooth continuation of what is seen: in
    pictures unlike those that it was trained on it is flattened, to nothing but a mean colour where it is of none. And how
    much of it is left, 0..1.

    Args:
        says: (3, h, w) what it says.
        seen: (3, h, w) the picture, 0..1.
        known: (1, h, w) 1 where that shows the floor as it is, 0 elsewhere.
    """
    share = explained(says, seen, known)
    if share == 1:
        return says, share
    mean = (seen * known).sum((1, 2), keepdim=True) / known.sum().clamp(min=1)
    return mean + share * (says - mean), share


def explained(says: Tensor, seen: Tensor, known: Tensor) -> float:
    """How much of what the scene token says of hidden floor is right, 0..1: the share by which it would best be taken beside a
    smooth continuation, if the floor that is hidden were hidden where it is seen, a little to each side. Arguments: see
    `tempered`."""
    cell = max(1, -(-max(known.shape[-2:]) // LOOKED))
    says, seen, known = _cells(says, seen, known, cell)
    hidden = known[0] < HIDDEN
    rows, columns = hidden.any(1).nonzero(), hidden.any(0).nonzero()
    if not len(rows):
        return 1.0
    high, wide = (int(at[-1] - at[0]) + 1 for at in (rows, columns))
    agree = total = EXPECTED
    for down, across in ASIDE:
        there = (known[0] > SEEN) & _shifted(hidden, round(down * high), round(across * wide))
        if not there.any():
            continue
        left = known * ~there
        alone, more = filled(torch.cat([seen, says]), left).split(3)  # `filled` is linear in its values
        more = (says - more)[:, there]
        agree += float(((seen - alone)[:, there] * more).sum())
        total += float(more.square().sum())
    return min(1.0, max(0.0, agree / total))


def _cells(says: Tensor, seen: Tensor, known: Tensor, cell: int) -> tuple[Tensor, Tensor, Tensor]:
    """Means of cells of `cell` x `cell` pixels, by how surely they are known."""
    planes = torch.cat([says * known, seen * known, known])
    planes = F.avg_pool2d(planes[None], cell, ceil_mode=True, count_include_pad=False)[0]
    says, seen, known = planes.split([3, 3, 1])
    return says / known.clamp(min=1e-6), seen / known.clamp(min=1e-6), known


def _shifted(mask: Tensor, down: int, across: int) -> Tensor:
    """A mask (h, w) moved, with nothing where it comes from."""
    height, width = mask.shape
    moved = F.pad(mask, (max(0, across), max(0, -across), max(0, down), max(0, -down)))
    return moved[max(0, -down) :, max(0, -across) :][:height, :width]
