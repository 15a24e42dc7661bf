"""Whatever edits come one after the other: tokens stay valid, undoing gives the picture back, nothing else is touched."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import editors
from vle_gen.errors import UserError
from vle_gen.tokens import VLETokens

FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
MANY = settings(FEW, max_examples=60)

pixel_steps = st.tuples(st.integers(-300, 300), st.integers(-300, 300))
small_steps = st.tuples(st.integers(-30, 30), st.integers(-30, 30))
factors = st.floats(0.2, 4)
colours = st.sampled_from(["red", "blue", "gray", "yellow", "#123456", "white", "black"])
EDITS = st.one_of(
    st.tuples(st.just("move"), pixel_steps),
    st.tuples(st.just("resize"), factors),
    st.tuples(st.just("remove"), st.none()),
    st.tuples(st.just("duplicate"), pixel_steps),
    st.tuples(st.just("swap"), st.booleans()),
    st.tuples(st.just("raise_"), st.none()),
    st.tuples(st.just("lower"), st.none()),
    st.tuples(st.just("flip"), st.none()),
    st.tuples(st.just("align"), st.sampled_from(["left", "right", "top", "bottom", "center", "middle"])),
    st.tuples(st.just("distribute"), st.sampled_from(["horizontally", "vertically"])),
    st.tuples(st.just("hue"), st.floats(-400, 400)),
    st.tuples(st.just("paint"), colours),
    st.tuples(st.just("paste"), st.none()),
    st.tuples(st.just("interpolate"), st.floats(0, 1)),
)
sequences = st.lists(st.tuples(EDITS, st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=7)


def pixels(image) -> np.ndarray:
    return np.asarray(image)


def done(tokens: VLETokens, first: VLETokens, edit, a: int, b: int) -> VLETokens:
    """One edit of objects that `a` and `b` name; one that cannot be done leaves the tokens as they are."""
    name, value = edit
    objects = len(tokens) - 1
    if objects == 0:
        return tokens
    a, b = 1 + a % objects, 1 + b % objects
    calls = {
        "move": lambda: editors.move(tokens, [a, b], *value),
        "resize": lambda: editors.resize(tokens, a, value),
        "remove": lambda: editors.remove(tokens, a),
        "duplicate": lambda: editors.duplicate(tokens, a, *value),
        "swap": lambda: editors.swap(tokens, a, b, perspective=value),
        "raise_": lambda: editors.raise_(tokens, a),
        "lower": lambda: editors.lower(tokens, a),
        "flip": lambda: editors.flip(tokens, [a, b]),
        "align": lambda: editors.align(tokens, range(1, objects + 1), value),
        "distribute": lambda: editors.distribute(tokens, range(1, objects + 1), value),
        "hue": lambda: editors.recolor(tokens, a, hue=value),
        "paint": lambda: editors.recolor(tokens, a, to=value),
        "paste": lambda: editors.paste(tokens, first, 1, to=(50, 50)),
        "interpolate": lambda: editors.interpolate(first, tokens, value),
    }
    try:
        return calls[name]()
    except UserError:
        return tokens


def check(tokens: VLETokens) -> None:
    """What holds of any tokens."""
    labels = tokens.label_map()
    assert labels.shape == tokens.size and 0 <= labels.min() and labels.max() < len(tokens)
    assert (tokens.kind[0] == 0).sum() == 1 and int(tokens.kind[0, 0]) == 0
    order = tokens.near_to_far()
    depths = tokens.depth[0, order]
    assert sorted(order) == list(range(1, len(tokens))) and (depths[1:] >= depths[:-1]).all()


@MANY
@given(sequences)
def test_any_edits_leave_valid_tokens(tokens, sequence):
    where, now = tokens.where.clone(), tokens
    for edit, a, b in sequence:
        now = done(now, tokens, edit, a, b)
    check(now)
    assert torch.equal(tokens.where, where) and tokens.history == (), "and the first tokens are what they were"


@FEW
@given(sequences)
def test_any_edits_can_be_drawn_kept_and_read(pipe, tokens, tmp_path_factory, sequence):
    now = tokens
    for edit, a, b in sequence:
        now = done(now, tokens, edit, a, b)
    drawn = pixels(pipe.decode(now))
    assert drawn.shape == (*tokens.size, 3)
    path = tmp_path_factory.mktemp("vle") / "t.vle"
    now.save(path)
    read = VLETokens.load(path)
    assert read.history == now.history and np.array_equal(read.label_map(), now.label_map())
    assert np.array_equal(pixels(pipe.decode(read)), drawn)


def undone(tokens: VLETokens, edit, index: int) -> VLETokens:
    """An edit and its inverse."""
    name, value = edit
    if name == "move":
        return editors.move(editors.move(tokens, index, *value), index, -value[0], -value[1])
    if name == "resize":
        return editors.resize(editors.resize(tokens, index, value), index, 1 / value)
    if name == "duplicate":
        return editors.remove(editors.duplicate(tokens, index, *value), len(tokens))
    if name == "swap":
        other = index % (len(tokens) - 1) + 1
        return editors.swap(editors.swap(tokens, index, other), index, other)
    if name in ("raise_", "lower"):
        there = getattr(editors, name)(tokens, index)
        if torch.equal(there.depth, tokens.depth):
            return tokens
        return (editors.lower if name == "raise_" else editors.raise_)(there, index)
    if name == "flip":
        return editors.flip(editors.flip(tokens, index), index)
    if name == "hue":
        return editors.recolor(editors.recolor(tokens, index, hue=value), index, hue=-value)
    return editors.remove(editors.paste(tokens, editors.flip(tokens, index), index), len(tokens))


INVERTIBLE = st.one_of(
    st.tuples(st.just("move"), pixel_steps),
    st.tuples(st.just("resize"), factors),
    st.tuples(st.just("duplicate"), pixel_steps),
    st.tuples(st.sampled_from(["swap", "raise_", "lower", "flip", "paste"]), st.none()),
    st.tuples(st.just("hue"), st.floats(-1000, 1000)),
)


@settings(FEW, max_examples=30)
@given(st.lists(st.tuples(INVERTIBLE, st.integers(1, 4)), min_size=1, max_size=4))
def test_an_edit_and_its_inverse_give_the_picture_back(pipe, tokens, picture, edits):
    now = tokens
    for edit, index in edits:
        now = undone(now, edit, index)
    assert np.array_equal(pixels(pipe.decode(now)), np.asarray(picture))


@FEW
@given(
    st.lists(st.tuples(st.sampled_from(["move", "resize", "flip", "hue", "paint", "duplicate", "remove"]), small_steps),
             min_size=1, max_size=3),
    st.integers(1, 4),
)  # fmt: skip
def test_pixels_that_no_object_reaches_are_untouched(pipe, tokens, picture, edits, index):
    """A pixel that neither an edited object nor the light around it reaches, before and after, is as it was."""
    now, reached = tokens, reach(tokens, index)
    for name, (dx, dy) in edits:
        if name == "remove":
            now = editors.remove(now, index)
            break
        value = {"resize": 1 + dx / 60, "hue": dx * 5.0, "paint": "blue"}.get(name, (dx, dy))
        now = done(now, tokens, (name, value), index - 1, index - 1)
        reached |= reach(now, index)
        if name == "duplicate":
            reached |= reach(now, len(now) - 1)
    changed = (pixels(pipe.decode(now)) != np.asarray(picture)).any(-1)
    assert not (changed & ~reached).any()


def reach(tokens: VLETokens, index: int) -> np.ndarray:
    """The pixels within a quarter more than a token's frame, a few more on each side: bool (H, W)."""
    (height, width), side = tokens.size, max(tokens.size)
    x, y, w, h = (tokens.where[0, index].double() * side).tolist()
    x, y = x + (width - side) / 2, y + (height - side) / 2
    ys, xs = np.arange(height)[:, None] + 0.5, np.arange(width)[None] + 0.5
    return (np.abs(xs - x) < 1.25 * w / 2 + 4) & (np.abs(ys - y) < 1.25 * h / 2 + 4)


@pytest.mark.parametrize("index", [1, 2, 3, 4])
def test_raising_to_the_front_ends(tokens, index):
    now = tokens
    for _ in range(20):
        now = editors.raise_(now, index)
    check(now)
    assert torch.equal(editors.raise_(now, index).depth, now.depth)
