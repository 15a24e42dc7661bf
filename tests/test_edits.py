"""Edits of real renders: what a person sees after each one, and that nothing else changes."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from editors import (
    align,
    distribute,
    duplicate,
    flip,
    interpolate,
    lower,
    move,
    paste,
    raise_,
    recolor,
    remove,
    resize,
    swap,
)
from editors.rows import box
from vle_gen.errors import UserError
from vle_gen.tokens import VLETokens


def pixels(image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def at(tokens: VLETokens, x: int, y: int) -> int:
    """The token that owns a pixel."""
    return int(tokens.label_map()[y, x])


@pytest.fixture(scope="module")
def cube(tokens):
    """The large red cube."""
    return at(tokens, 133, 160)


@pytest.fixture(scope="module")
def ball(tokens):
    """The small red ball, in front of the brown cylinder."""
    return at(tokens, 64, 137)


@pytest.fixture(scope="module")
def cylinder(tokens):
    return at(tokens, 60, 100)


@pytest.fixture(scope="module")
def other(pipe, scenes):
    """Another scene, with a large blue cylinder."""
    return pipe.encode(Image.open(scenes / "300001.png").convert("RGB"))


def mask(tokens: VLETokens, index: int) -> np.ndarray:
    return tokens.label_map() == index


def inside(region: np.ndarray) -> np.ndarray:
    """The region without two pixels of its edge."""
    core = region.copy()
    for _ in range(2):
        core[1:-1, 1:-1] &= core[:-2, 1:-1] & core[2:, 1:-1] & core[1:-1, :-2] & core[1:-1, 2:]
    return core


def differs(after: np.ndarray, before: np.ndarray) -> float:
    """How far pixels (N, 3) of an object are from what they were, but for how brightly it is lit at its new place."""
    gain = (after * before).sum() / (before * before).sum()
    assert 0.75 < gain < 1.3
    return float(np.abs(after - gain * before).mean())


def test_tokens_are_named_by_numbers_of_any_library_and_by_nothing_else(tokens, cube, ball):
    expected = move(tokens, [cube, ball], 4).where
    for which in (np.array([cube, ball, cube]), torch.tensor([cube, ball]), (np.int64(cube), torch.tensor(ball))):
        moved = move(tokens, which, 4)
        assert torch.equal(moved.where, expected) and moved.history == (f"move {cube} {ball} by 4,0",)
    for one in (np.int64(cube), np.array(cube), torch.tensor(cube), tokens.label_map().max() * 0 + cube):
        assert move(tokens, one, 4).history == (f"move {cube} by 4,0",)
    for wrong in ("the red ball", 1.5, [0.5], None):
        with pytest.raises(UserError, match="expected its number"):
            move(tokens, wrong, 4)


def test_several_objects_move_together(pipe, tokens, picture, cube, ball):
    moved = pipe.decode(move(tokens, [cube, ball], 30, 10))
    one_by_one = pipe.decode(move(move(tokens, cube, 30, 10), ball, 30, 10))
    assert np.array_equal(pixels(moved), pixels(one_by_one))
    before, after = pixels(picture), pixels(moved)
    for index in (cube, ball):
        ys, xs = np.nonzero(inside(mask(tokens, index)))
        assert differs(after[ys + 10, xs + 30], before[ys, xs]) < 2


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.7])
def test_what_is_resized_stays_on_the_floor(pipe, tokens, picture, cube, factor):
    larger = resize(tokens, cube, factor)
    was, now = box(tokens, cube), box(larger, cube)
    assert now.floor == pytest.approx(was.floor, abs=0.01) and now.x == pytest.approx(was.x, abs=0.01)
    assert now.height == pytest.approx(factor * was.height, rel=1e-4)
    area = mask(larger, cube).sum() / mask(tokens, cube).sum()
    assert area == pytest.approx(factor**2, rel=0.12)
    rows = np.nonzero(mask(larger, cube).any(1))[0], np.nonzero(mask(tokens, cube).any(1))[0]
    assert abs(int(rows[0].max()) - int(rows[1].max())) <= 2
    if factor == 1:
        assert np.array_equal(pixels(pipe.decode(larger)), pixels(picture))


def test_resized_detail_is_that_of_the_picture(pipe, tokens, picture, cube):
    after = pipe.decode(resize(tokens, cube, 2))
    was, now = box(tokens, cube), box(resize(tokens, cube, 2), cube)
    part = [was.x - was.width / 4, was.y - was.height / 4, was.x + was.width / 4, was.y + was.height / 4]
    same = [now.x - now.width / 4, now.y - now.height / 4, now.x + now.width / 4, now.y + now.height / 4]
    small, large = (im.resize((24, 24), Image.Resampling.BICUBIC, box=b) for im, b in ((picture, part), (after, same)))
    assert differs(pixels(large).reshape(-1, 3), pixels(small).reshape(-1, 3)) < 4


def test_what_is_removed_leaves_the_floor_and_what_was_behind(pipe, tokens, picture, ball, cylinder):
    without = remove(tokens, ball)
    assert len(without) == len(tokens) - 1
    after = pixels(pipe.decode(without))
    hole = after[mask(tokens, ball)]
    assert (hole[:, 0] - hole[:, 2] > 70).mean() < 0.1, "no red is left"
    assert not (after != pixels(picture))[:, 180:].any()
    everything = remove(tokens, range(1, len(tokens)))
    assert len(everything) == 1 and not everything.label_map().any()
    assert pixels(pipe.decode(everything)).std(axis=(0, 1)).max() < pixels(picture).std(axis=(0, 1)).max() + 5


def test_a_copy_is_the_last_token_and_shows_the_same(pipe, tokens, picture, ball):
    both = duplicate(tokens, ball, 90, 60)
    copy = len(tokens)
    assert len(both) == copy + 1
    before, after = pixels(picture), pixels(pipe.decode(both))
    ys, xs = np.nonzero(inside(mask(tokens, ball)))
    assert differs(after[ys + 60, xs + 90], before[ys, xs]) < 2
    assert differs(after[ys, xs], before[ys, xs]) < 1, "the first is where it was"
    assert at(both, 64 + 90, 137 + 60) == copy
    back = remove(both, copy)
    assert np.array_equal(pixels(pipe.decode(back)), before)


def test_swapped_objects_stand_where_the_other_stood(pipe, tokens, picture, cube, cylinder):
    swapped = swap(tokens, cube, cylinder)
    for one, place in ((cube, cylinder), (cylinder, cube)):
        now, was = box(swapped, one), box(tokens, place)
        assert (now.x, now.floor) == pytest.approx((was.x, was.floor), abs=0.01)
        assert now.width == pytest.approx(box(tokens, one).width, rel=1e-5)
        assert float(swapped.depth[0, one]) == pytest.approx(float(tokens.depth[0, place]), rel=1e-5)
    again = swap(swapped, cube, cylinder)
    assert np.array_equal(pixels(pipe.decode(again)), pixels(picture))
    assert not np.array_equal(pixels(pipe.decode(swapped)), pixels(picture))
    small = swap(tokens, cube, cylinder, perspective=True)
    assert box(small, cube).width < 0.9 * box(tokens, cube).width and box(small, cylinder).width > box(tokens, cylinder).width


def test_depth_order_is_seen_and_undone(pipe, tokens, picture, ball, cylinder):
    near = tokens.near_to_far()
    assert near.index(ball) < near.index(cylinder)
    behind = lower(tokens, ball)
    while behind.near_to_far().index(ball) < behind.near_to_far().index(cylinder):
        behind = lower(behind, ball)
    overlap = mask(tokens, ball) & (behind.label_map() == cylinder)
    assert overlap.sum() > 20, "the cylinder now hides part of the ball"
    assert not np.array_equal(pixels(pipe.decode(behind)), pixels(picture))
    front = raise_(behind, ball)
    assert front.near_to_far() == near
    assert np.array_equal(pixels(pipe.decode(front)), pixels(picture))


def test_raising_passes_over_what_an_object_only_shares_a_shadow_with(tokens):
    """Frames of 0.2 hold objects of 0.1: token 2 stands where the light of token 1 is, token 3 hides a part of it."""
    first, second, third = tokens.near_to_far()[:3]
    where = tokens.where.clone()
    for index, x in ((third, 0.3), (second, 0.3 + 0.24), (first, 0.3 + 0.08)):
        where[0, index] = where.new_tensor([x, 0.5, 0.2, 0.2])
    placed = replace(tokens, where=where)
    assert raise_(placed, third).near_to_far()[:3] == [third, first, second], "one step: the other's shadow is no step"
    where[0, second, 0] = 0.3 + 0.16
    assert raise_(replace(tokens, where=where), third).near_to_far()[:3] == [first, third, second]


def test_a_flipped_object_is_its_mirror_image_and_flips_back(pipe, tokens, picture, cube):
    flipped = flip(tokens, cube)
    before, after = pixels(picture), pixels(pipe.decode(flipped))
    was, now = mask(tokens, cube), mask(flipped, cube)
    assert now.sum() == was.sum()
    edge = int(np.nonzero(was.any(0))[0].min() + np.nonzero(now.any(0))[0].max())
    ys, xs = np.nonzero(inside(was))
    assert np.abs(after[ys, edge - xs] - before[ys, xs]).mean() < 0.5, "the very same pixels, the other way round"
    assert np.array_equal(pixels(pipe.decode(flip(flipped, cube))), before)
    assert not (after != before)[:, :60].any()


@pytest.mark.parametrize("name, strongest", [("blue", 2), ("green", 1)])
def test_a_recoloured_object_keeps_its_shading(pipe, tokens, picture, cube, name, strongest):
    before, after = pixels(picture), pixels(pipe.decode(recolor(tokens, cube, to=name)))
    body = inside(mask(tokens, cube))
    assert after[body].mean(0).argmax() == strongest
    assert np.corrcoef(before[body].sum(1), after[body].sum(1))[0, 1] > 0.95, "light and dark are where they were"
    assert np.array_equal(after[:120], before[:120]) and np.array_equal(after[:, :80], before[:, :80])


def test_grey_objects_take_colour_and_give_it_up(pipe, other):
    grey = at(other, 145, 151)
    assert "gray" in pipe.name_tokens(other)[grey]
    body = inside(mask(other, grey))
    red = pixels(pipe.decode(recolor(other, grey, to="red")))[body].mean(0)
    assert red[0] > 1.5 * red[1] and red[0] > 1.5 * red[2]
    blue = at(other, 87, 150)
    body = inside(mask(other, blue))
    dull = pixels(pipe.decode(recolor(other, blue, to="gray")))[body].mean(0)
    assert np.ptp(dull) < 12


def test_turning_the_hue_there_and_back_changes_nothing(pipe, tokens, picture, cube):
    turned = recolor(tokens, cube, hue=120)
    body = inside(mask(tokens, cube))
    assert pixels(pipe.decode(turned))[body].mean(0).argmax() == 1
    assert np.array_equal(pixels(pipe.decode(recolor(turned, cube, hue=-120))), pixels(picture))
    named = pipe.name_tokens(recolor(tokens, cube, to="#2040d0"))[cube]
    assert "blue" in named


def test_recolouring_works_without_detail(pipe, tokens, cube):
    alone = tokens.resized(*tokens.size)
    blue = pixels(pipe.decode(recolor(alone, cube, to="blue")))
    body = inside(mask(tokens, cube))
    assert blue[body].mean(0).argmax() == 2 and pixels(pipe.decode(alone))[body].mean(0).argmax() == 0
    mirrored = pixels(pipe.decode(flip(alone, cube)))
    assert not np.array_equal(mirrored, pixels(pipe.decode(alone)))


def test_pasted_objects_bring_their_detail(pipe, tokens, picture, other, scenes):
    blue = at(other, 87, 150)
    pasted = paste(tokens, other, blue, to=(200, 190))
    new = len(tokens)
    assert len(pasted) == new + 1 and at(pasted, 200, 190) == new
    before, after = pixels(picture), pixels(pipe.decode(pasted))
    source = pixels(Image.open(scenes / "300001.png"))
    x, y = round(box(other, blue).x), round(box(other, blue).y)
    smooth = pixels(pipe.decode(paste(tokens, other, blue)))
    ys, xs = np.nonzero(inside(mask(other, blue)))
    assert np.abs(smooth[ys, xs] - source[ys, xs]).mean() < 2, "at its own place it is what it was"
    middle, same = after[185:195, 195:205].mean((0, 1)), source[y - 5 : y + 5, x - 5 : x + 5].mean((0, 1))
    assert np.abs(middle - same).max() < 4
    assert np.array_equal(after[:100], before[:100])


def test_a_pasted_object_can_be_edited_kept_and_removed(pipe, tokens, picture, other, tmp_path):
    pasted = flip(recolor(resize(paste(tokens, other, [1, 2], to=(180, 200)), len(tokens), 0.5), len(tokens), to="red"), 5)
    pasted.save(tmp_path / "p.vle")
    read = VLETokens.load(tmp_path / "p.vle")
    assert read.history == pasted.history and len(read.foreign) == 1
    assert np.array_equal(pixels(pipe.decode(read)), pixels(pipe.decode(pasted)))
    assert np.array_equal(read.label_map(), pasted.label_map())
    without = remove(read, [len(tokens), len(tokens) + 1])
    assert without.foreign == () and np.array_equal(pixels(pipe.decode(without)), pixels(picture))


def test_pasting_into_tokens_without_detail(pipe, tokens, other):
    pasted = pipe.decode(paste(tokens.resized(*tokens.size), other, 1))
    body = inside(mask(other, 1))
    assert np.abs(pixels(pasted)[body] - pixels(pipe.decode(other))[body]).mean() < 2


def test_pasting_into_a_picture_of_another_size_keeps_the_share(pipe, tokens, picture, other):
    wide = pipe.encode(picture.resize((480, 320)))
    pasted = paste(wide, other, 1)
    assert box(pasted, len(wide)).width / 480 == pytest.approx(box(other, 1).width / 256, rel=1e-4)
    assert pasted.placement(len(wide)).scale == pytest.approx(480 / 256, rel=1e-4)
    assert pixels(pipe.decode(pasted)).shape == (320, 480, 3)


def test_in_a_wide_picture_masks_lie_where_objects_are_drawn(pipe, picture):
    wide = pipe.encode(picture.crop((0, 48, 256, 224)))
    red = at(wide, 133, 112)
    moved = move(wide, red, 24, -9)
    assert np.array_equal(mask(moved, red), np.roll(mask(wide, red), (-9, 24), (0, 1)))
    alone = moved.resized(*moved.size)
    shown = [pixels(pipe.decode(one)) for one in (alone, remove(alone, red))]
    body, covered = np.abs(shown[0] - shown[1]).max(-1) > 60, mask(alone, red)
    assert (body & covered).sum() > 0.8 * (body | covered).sum()


def test_files_from_before_these_edits_are_read(tokens, tmp_path):
    from safetensors import safe_open

    tokens.save(tmp_path / "a.vle")
    with safe_open(tmp_path / "a.vle", "pt") as file:
        assert not {"origin", "mirrored", "turn", "paint", "opacity"} & set(file.keys()), "nothing new unless it is used"
    read = VLETokens.load(tmp_path / "a.vle")
    assert not read.mirrored.any() and not read.paint.any() and (read.opacity == 1).all() and read.history == ()


def test_a_copy_lies_over_what_it_is_a_copy_of(tokens, cube):
    both = duplicate(tokens, cube, 12, 0)
    shared = mask(tokens, cube) & np.roll(mask(tokens, cube), 12, 1)
    assert (both.label_map()[shared] == len(tokens)).mean() > 0.98
    assert both.near_to_far()[both.near_to_far().index(cube) - 1] == len(tokens)


def test_of_two_things_equally_far_the_first_is_in_front(pipe, tokens, picture, cube):
    both = paste(tokens, recolor(tokens, cube, to="blue"), cube)
    assert torch.equal(both.depth[:, : len(tokens)], tokens.depth), "what was there stays as it was"
    body = inside(mask(tokens, cube))
    assert (both.label_map()[body] == cube).all()
    assert np.abs(pixels(pipe.decode(both)) - pixels(picture))[body].mean() < 2


def test_things_of_a_picture_that_was_left_out_are_drawn_by_their_tokens(pipe, tokens, other):
    bare, alone = (paste(tokens, one, 1, to=(200, 200)) for one in (replace(other, detail=None), other.resized(*other.size)))
    assert np.array_equal(pixels(pipe.decode(bare)), pixels(pipe.decode(alone)))
    assert np.array_equal(bare.label_map(), alone.label_map())


def test_a_colour_by_name_takes_the_place_of_a_turned_hue(pipe, tokens, cube):
    plain, turned = recolor(tokens, cube, to="green"), recolor(recolor(tokens, cube, hue=120), cube, to="green")
    assert np.array_equal(pixels(pipe.decode(plain)), pixels(pipe.decode(turned)))


def test_what_two_pictures_lent_is_still_told_apart_when_the_first_is_gone(pipe, tokens, other, scenes):
    third = pipe.encode(Image.open(scenes / "300005.png").convert("RGB"))
    both = paste(paste(tokens, other, 1), third, 1, to=(60, 200))
    left = remove(both, len(tokens))
    alone = paste(tokens, third, 1, to=(60, 200))
    assert len(left.foreign) == 1 and np.array_equal(left.label_map(), alone.label_map())
    assert np.array_equal(pixels(pipe.decode(left)), pixels(pipe.decode(alone)))


def test_every_edit_is_written_down(tokens, other):
    done = flip(raise_(move(recolor(tokens, 1, hue=30), [1, 2], 3, 4.5), 2), 1)
    assert done.history == ("recolor 1 by 30", "move 1 2 by 3,4.5", "raise 2", "flip 1")
    assert paste(tokens, other, 1, name="o.png").history == ("paste 1 from 'o.png'",)


WRONG = {
    "scene": (lambda t: remove(t, 0), "token 0 is the scene"),
    "missing": (lambda t: flip(t, 99), "token 99 does not exist"),
    "none": (lambda t: remove(t, []), "no token was named"),
    "no factor": (lambda t: resize(t, 1, 0), "0 times as large"),
    "too small": (lambda t: resize(t, 1, 1e-6), "1 or more"),
    "itself": (lambda t: swap(t, 1, 1), "with itself"),
    "edge": (lambda t: align(t, [1, 2], "round"), "'round'"),
    "alone": (lambda t: align(t, [1], "left"), "two objects"),
    "two": (lambda t: distribute(t, [1, 2]), "three or more"),
    "colour": (lambda t: recolor(t, 1, to="blurple"), "'blurple' is no colour"),
    "no colour": (lambda t: recolor(t, 1), "either a hue"),
    "far": (lambda t: duplicate(t, 1, float("inf")), "finite"),
    "out of the world": (lambda t: move(t, 1, 1e12), "pictures away"),
    "time": (lambda t: interpolate(t, t, 2), "0 to 1"),
    "checkpoint": (lambda t: paste(t, replace(t, checkpoint="x"), 1), "checkpoint x"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_done_says_why(tokens, case):
    edit, message = WRONG[case]
    where = tokens.where.clone()
    with pytest.raises(UserError, match=message):
        edit(tokens)
    assert torch.equal(tokens.where, where)
