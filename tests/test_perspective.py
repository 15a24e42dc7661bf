"""Moves over the floor: what comes nearer grows, by a horizon that pictures tell, and carried detail grows with it."""
from __future__ import annotations

import numpy as np
import pytest

from editors import move, swap
from editors.perspective import GROUND, Perspective
from editors.rows import box
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError
from vle_gen.training.perspective import depth_error, fit


def masks(tokens, index):
    return np.asarray(tokens.label_map()) == index


@pytest.fixture(scope="module")
def small(tokens):
    """The smallest object that nothing nearer hides, so that all of its pixels are known: its index."""
    owned = {k: masks(tokens, k).sum() for k in range(1, len(tokens))}
    return min(owned, key=owned.get)


def test_the_sprites_tell_where_the_horizon_is(sprites):
    bank = SpriteBank.load(sprites)
    assert fit(bank).horizon == pytest.approx(GROUND.horizon, abs=2 * GROUND.horizon_std)
    assert depth_error(bank, fit(bank).horizon) < depth_error(bank, None) / 2


def test_down_is_nearer_and_larger_up_is_farther_and_smaller(tokens, small):
    near, far = (move(tokens, small, 0, dy, perspective=True) for dy in (60, -20))
    was = tokens.where[0, small, 2:]
    growth, shrinking = near.where[0, small, 2:] / was, far.where[0, small, 2:] / was
    assert growth.min() > 1.05 and shrinking.max() < 0.99
    assert float(growth[0]) == pytest.approx(float(growth[1]), rel=1e-4)
    assert float(near.depth[0, small] * growth[0]) == pytest.approx(float(tokens.depth[0, small]), rel=1e-4)
    others = [k for k in range(len(tokens)) if k != small]
    assert (near.where[0, others] == tokens.where[0, others]).all()
    along = move(tokens, small, 30, perspective=True)
    assert (along.where[0, small, 2:] == was).all() and (along.depth == tokens.depth).all()


def test_the_picture_of_a_moved_object_grows_with_its_detail(pipe, picture, tokens, small):
    plain, grown = (move(tokens, small, 0, 60, perspective=p) for p in (False, True))
    scale = float(grown.where[0, small, 2] / plain.where[0, small, 2])
    area = masks(plain, small).sum()
    assert masks(grown, small).sum() == pytest.approx(scale**2 * area, rel=0.2)
    before, after = np.asarray(picture).astype(int), np.asarray(pipe.decode(grown)).astype(int)
    mine, now = masks(tokens, small), masks(grown, small)
    assert np.abs(after[now].mean(0) - before[mine].mean(0)).max() < 15  # it looks as it did
    assert np.abs(after[now].std(0) - before[mine].std(0)).max() < 15
    rows, columns = np.nonzero(now | mine)
    far = np.ones_like(now)
    far[max(0, rows.min() - 60) : rows.max() + 60, max(0, columns.min() - 60) : columns.max() + 60] = False
    assert far.any() and (after[far] == before[far]).all()


@pytest.mark.parametrize("dy", [-15, 40])
def test_moved_back_it_is_the_picture_again(pipe, picture, tokens, small, dy):
    there = move(tokens, small, 5, dy, perspective=True)
    assert (np.asarray(pipe.decode(there)) != np.asarray(picture)).any()
    back = move(there, small, -5, -dy, perspective=True)
    assert (np.asarray(pipe.decode(back)) == np.asarray(picture)).all()


def test_nothing_stands_above_the_horizon(tokens, small):
    with pytest.raises(UserError, match="horizon"):
        move(tokens, small, 0, -300, perspective=True)
    move(tokens, small, 0, -300)  # without perspective it just leaves the picture
    assert move(tokens, small, 0, 10, Perspective(-1e6)).where[0, small, 2] == pytest.approx(float(tokens.where[0, small, 2]))


def test_what_is_swapped_in_a_wide_picture_takes_on_the_size_of_its_new_place(pipe, picture):
    """On one floor, size and depth are inverse to one another, whatever the picture's shape."""
    wide = pipe.encode(picture.resize((480, 320)))
    near, *_, far = wide.near_to_far()
    swapped, view = swap(wide, near, far, perspective=True), Perspective.of(wide)
    feet = {k: box(wide, k).floor / 480 + (1 - 320 / 480) / 2 for k in (near, far)}  # canvas units
    for one, other in ((near, far), (far, near)):
        growth = float(swapped.where[0, one, 2] / wide.where[0, one, 2])
        assert growth == pytest.approx((feet[other] - view.horizon) / (feet[one] - view.horizon), rel=1e-3)
        assert box(swapped, one).floor == pytest.approx(box(wide, other).floor, abs=0.01)


def test_nothing_grows_beyond_all_measure(tokens, small):
    with pytest.raises(UserError, match="would become .* at most 16 times the picture"):
        move(tokens, small, 0, 1e5, perspective=True)


def test_command(vlegen, file, pipe, tokens, small):
    ran = vlegen("move", file, "--token", small, "--dy", 50, "--perspective", "-o", file.with_name("p.vle"))
    assert ran.status == 0, ran.err
    from vle_gen.tokens import VLETokens

    moved = VLETokens.load(file.with_name("p.vle"))
    assert (moved.where[0, small, 2:] > tokens.where[0, small, 2:]).all()
    refused = vlegen("move", file, "--token", small, "--dy", -400, "--perspective")
    assert refused.status == 2 and "horizon" in refused.err and "\n" not in refused.err.strip()
