"""What may be written next: the peaks of the step network's maps, and the places that a person gave."""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.encoding import Hints
from vle_gen.tokenizer.blocks import Extent
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokenizer.step import StepMaps

SAME_OBJECT = 0.5  # a peak whose box overlaps a given one by this much (intersection over union) is of the same object
APART = 1.1  # boxes are apart that do not touch when they are this much larger
REACH = 0.06  # how far around a point, in canvas units, its object's centre is likely


@dataclass(frozen=True)
class Proposal:
    """A token that may be written: its frame, depth and score, the cell (y, x) that says so, and which of the hints asked
    for it (None: none did)."""

    where: Tensor  # (1, 4)
    depth: Tensor  # (1,)
    score: Tensor  # (1,)
    cell: tuple[int, int]
    hint: int | None = None


def next_proposals(
    maps: StepMaps, allowed: Tensor, least_score: float, extent: Extent, hints: Hints, unwritten: set[int]
) -> list[Proposal]:
    """What may be written now, near to far: the nearest object among the peaks of the score map and the hints that are
    `unwritten` (boxes are counted first, then points) and, once no hint is, all others that no nearer one is close to, which
    what is written of the nearer ones would not change. Empty is the decision to stop."""
    asked = [proposal_of(maps, extent, hints, index) for index in sorted(unwritten)]
    score = torch.sigmoid(maps.score[0]) * allowed
    peaks = (score == F.max_pool2d(score[None], 3, 1, 1)[0]) & (score >= least_score)
    boxes = boxes_of(maps, extent)
    for index in unwritten:
        if index < len(hints.boxes):
            peaks &= overlaps(boxes, hints.boxes[index]) < SAME_OBJECT
    nearest = min(asked, key=lambda one: float(one.depth), default=None)
    cells = peaks.nonzero()
    depth, order = maps.depth[0][peaks].sort(stable=True)
    if nearest is not None and (not len(cells) or float(nearest.depth) <= float(depth[0])):
        return [nearest]
    if nearest is not None:
        order = order[:1]
    cells, boxes = cells[order], boxes[:, peaks][:, order].T
    near_others = close(boxes).tril(-1).any(1)
    return [proposal_at(maps, extent, y, x) for y, x in cells[~near_others].tolist()]


def close(boxes: Tensor) -> Tensor:
    """Which of boxes (N, 4) are not apart from which: (N, N)."""
    between = (boxes[:, None, :2] - boxes[None, :, :2]).abs()
    return (between < (boxes[:, None, 2:] + boxes[None, :, 2:]) * APART / 2).all(-1)


def proposal_at(maps: StepMaps, extent: Extent, y: int, x: int, hint: int | None = None) -> Proposal:
    """What the cell (y, x) proposes."""
    where = boxes_of(maps, extent)[:, y, x][None] * torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE], device=maps.box.device)
    return Proposal(where, maps.depth[0, y, x][None], torch.sigmoid(maps.score[0, y, x])[None], (y, x), hint)


def proposal_of(maps: StepMaps, extent: Extent, hints: Hints, index: int) -> Proposal:
    """What is written where a person says so: a box as it is, with the depth of the likeliest cell in it; for a point what
    the likeliest cell around it proposes, however low its score."""
    score = torch.sigmoid(maps.score[0])
    x, y = cell_centres(maps, extent)
    if index < len(hints.boxes):
        cx, cy, width, height = hints.boxes[index]
        beside = (x - cx).abs() <= max(width, float(x[1] - x[0])) / 2
        inside = beside[None] & ((y - cy).abs() <= max(height, float(y[1] - y[0])) / 2)[:, None]
        best = divmod(int((score + 1e-6).where(inside, 0.0).argmax()), score.shape[1])
        found = proposal_at(maps, extent, *best, index)
        frame = score.new_tensor([[cx, cy, FRAME_SCALE * width, FRAME_SCALE * height]])
        return Proposal(frame, found.depth, found.score, found.cell, index)
    cx, cy = hints.points[index - len(hints.boxes)]
    box = boxes_of(maps, extent)
    on_it = ((box[0] - cx).abs() <= box[2] / 2) & ((box[1] - cy).abs() <= box[3] / 2)
    near = torch.exp(-((x[None] - cx) ** 2 + (y[:, None] - cy) ** 2) / (2 * REACH**2))
    likely = (score + 1e-3) * near * torch.where(on_it, 1.0, 0.01)
    return proposal_at(maps, extent, *divmod(int(likely.argmax()), score.shape[1]), index)


def cell_centres(maps: StepMaps, extent: Extent) -> tuple[Tensor, Tensor]:
    """Centres of the cells in canvas units: x (w,), y (h,)."""
    height, width = maps.score.shape[-2:]
    device = maps.score.device
    x = 0.5 + ((torch.arange(width, device=device) + 0.5) / width - 0.5) * extent.width
    y = 0.5 + ((torch.arange(height, device=device) + 0.5) / height - 0.5) * extent.height
    return x, y


def boxes_of(maps: StepMaps, extent: Extent) -> Tensor:
    """The box (4, h, w) of the object that each cell proposes: centre x, centre y, width, height in canvas units."""
    height, width = maps.score.shape[-2:]
    x, y = cell_centres(maps, extent)
    dx, dy, log_w, log_h = maps.box[0]
    centre_x, centre_y = x[None] + dx / width * extent.width, y[:, None] + dy / height * extent.height
    return torch.stack([centre_x, centre_y, log_w.exp(), log_h.exp()])


def overlaps(boxes: Tensor, box: tuple[float, float, float, float]) -> Tensor:
    """Intersection over union of boxes (4, ...) with one: (...)."""
    cx, cy, width, height = box
    shared = 1.0
    for centre, extent, c, e in ((boxes[0], boxes[2], cx, width), (boxes[1], boxes[3], cy, height)):
        low, high = (centre - extent / 2).clamp(min=c - e / 2), (centre + extent / 2).clamp(max=c + e / 2)
        shared = shared * (high - low).clamp(min=0)
    return shared / (boxes[2] * boxes[3] + width * height - shared)
