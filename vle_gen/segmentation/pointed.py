"""Which token a person means who points at a pixel."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vle_gen.tokens import VLETokens

BESIDE = 2  # pixels from an object's outline that still point at it


def owner_at(labels: np.ndarray, point: tuple[float, float]) -> int:
    """Which token a person means who points at a pixel (x, y) of a label map (H, W): its owner or, where that is the scene,
    the object that owns most pixels right beside it, since an outline is easily missed by a pixel. 0 is the scene."""
    x, y = int(point[0]), int(point[1])
    if labels[y, x]:
        return int(labels[y, x])
    beside = labels[max(0, y - BESIDE) : y + BESIDE + 1, max(0, x - BESIDE) : x + BESIDE + 1]
    objects = beside[beside > 0]
    return int(np.bincount(objects).argmax()) if len(objects) else 0


def owners_at(tokens: VLETokens, points: Sequence[tuple[float, float]]) -> list[int]:
    """Which tokens a person means who points at pixels (x, y) inside the picture, as `owner_at` says of its label map; of which
    only what lies about the points is made, since a large picture's takes seconds."""
    if not points:
        return []
    lines = []  # the rows, and the columns
    for axis, length in ((1, tokens.size[0]), (0, tokens.size[1])):
        near = {int(point[axis]) + step for point in points for step in range(-BESIDE, BESIDE + 1)}
        lines.append(np.array(sorted(line for line in near if 0 <= line < length)))
    rows, columns = lines
    labels = tokens.label_map(rows, columns)
    return [owner_at(labels, (columns.searchsorted(int(x)), rows.searchsorted(int(y)))) for x, y in points]
