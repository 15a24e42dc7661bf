"""Things that a picture's edge cuts, moved into view: what lies beyond the edge is drawn, and nothing else changes."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editors import flip, move

SCENES = Path(__file__).parent / "fixtures" / "scenes"
AT = 4  # the column at which a thing begins when it has been moved in


def cut_scene(name: str, number: int, share: float) -> tuple[Image.Image, np.ndarray, np.ndarray, int]:
    """A scene without what is left of a column that cuts `share` of an object's width off; its masks (H, W); the object as
    it is whole (H, w, 3); and how many of its columns are missing."""
    picture = np.asarray(Image.open(SCENES / f"{name}.png").convert("RGB"))
    masks = np.asarray(Image.open(SCENES / f"{name}.mask.png").convert("RGBA"))[..., 0] // 16 == number
    columns = np.nonzero(masks.any(0))[0]
    left, right = columns.min(), columns.max() + 1
    missing = int(share * (right - left))
    whole = np.where(masks, 1, 0)[:, left : left + missing]
    return (
        Image.fromarray(picture[:, left + missing :]),
        masks[:, left + missing :],
        np.concatenate([picture[:, left : left + missing], whole[..., None].astype(np.uint8)], 2),
        missing,
    )


def token_of(tokens, mask: np.ndarray) -> int:
    """The token that owns most of a mask."""
    return int(np.bincount(np.asarray(tokens.label_map())[mask], minlength=len(tokens))[1:].argmax()) + 1


@pytest.mark.parametrize(("name", "number"), [("300000", 3), ("300001", 5), ("300005", 2)])
def test_a_thing_that_the_edge_cuts_is_whole_when_it_is_moved_in(pipe, name, number):
    picture, mask, hidden, missing = cut_scene(name, number, 0.35)
    tokens = pipe.encode(picture)
    token = token_of(tokens, mask)
    moved = np.asarray(pipe.decode(move(tokens, token, dx=missing + AT, dy=0))).astype(float)[:, AT : AT + missing]
    wrong = np.abs(moved - hidden[..., :3])[hidden[..., 3] > 0].mean()
    assert wrong < 20  # levels; the floor, which a straight cut would show there, is off by 55 and more


def test_what_is_seen_of_it_stays_as_it_was(pipe):
    picture, mask, _, missing = cut_scene("300000", 3, 0.35)
    tokens = pipe.encode(picture)
    moved = np.asarray(pipe.decode(move(tokens, token_of(tokens, mask), dx=40, dy=0)))
    inner = np.zeros_like(mask)
    inner[2:-2, : -2 - 40] = mask[2:-2, : -2 - 40]
    inner[:, -1] = False
    for dy in (-2, 2):
        inner &= np.roll(mask, dy, 0)
    inner &= np.roll(mask, -2, 1)  # two pixels inside its right outline
    before, after = np.asarray(picture)[inner].astype(int), np.roll(moved, -40, 1)[inner].astype(int)
    assert inner.sum() > 50 and np.abs(before - after).max() <= 12  # stretched a little as the camera sees it further right


def test_a_thing_in_full_view_is_not_completed(pipe):
    picture = Image.open(SCENES / "300000.png").convert("RGB")
    tokens = pipe.encode(picture)
    assert np.array_equal(np.asarray(pipe.decode(move(tokens, 1, dx=0, dy=0))), np.asarray(picture))
    again = pipe.decode(flip(flip(tokens, 1), 1))
    assert np.array_equal(np.asarray(again), np.asarray(picture))
