"""Objects put in line and evenly spaced: which edges meet, and that each stays in its row or column."""
from __future__ import annotations

import numpy as np
import pytest

from editors import align, distribute
from editors.rows import box

LINES = {
    "left": (lambda b: b.x - b.width / 2, min),
    "right": (lambda b: b.x + b.width / 2, max),
    "top": (lambda b: b.y - b.height / 2, min),
    "bottom": (lambda b: b.y + b.height / 2, max),
    "center": (lambda b: b.x, lambda line: (min(line) + max(line)) / 2),
    "middle": (lambda b: b.y, lambda line: (min(line) + max(line)) / 2),
}


@pytest.mark.parametrize("edge", LINES)
def test_aligned_objects_are_in_line(tokens, edge):
    objects, (line, outermost) = range(1, len(tokens)), LINES[edge]
    before, after = ([box(one, k) for k in objects] for one in (tokens, align(tokens, objects, edge)))
    assert [line(b) for b in after] == pytest.approx([outermost([line(b) for b in before])] * len(after), abs=0.01)
    across = edge in ("left", "right", "center")
    kept = [[b.y if across else b.x for b in boxes] for boxes in (before, after)]
    assert kept[0] == pytest.approx(kept[1], abs=0.01), "each stays in its row or column"


@pytest.mark.parametrize("direction", ["horizontally", "vertically"])
def test_distributed_objects_are_evenly_spaced(tokens, direction):
    objects = range(1, len(tokens))
    before, after = ([box(one, k) for k in objects] for one in (tokens, distribute(tokens, objects, direction)))
    along, aside = (lambda b: b.x, lambda b: b.y) if direction == "horizontally" else (lambda b: b.y, lambda b: b.x)
    places, order = [along(b) for b in before], np.argsort([along(b) for b in before])
    assert np.array([along(b) for b in after])[order] == pytest.approx(
        np.linspace(min(places), max(places), len(places)), abs=0.01
    )
    assert [aside(b) for b in after] == pytest.approx([aside(b) for b in before], abs=0.01)
