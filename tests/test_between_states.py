"""States between two of one picture, which films are made of: what slides, comes, goes and changes its looks."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from editors import duplicate, flip, interpolate, move, paste, recolor, remove
from editors.rows import box
from vle_gen.tokens import VLETokens


def pixels(image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def mask(tokens: VLETokens, index: int) -> np.ndarray:
    return tokens.label_map() == index


@pytest.fixture(scope="module")
def cube(tokens):
    """The large red cube."""
    return int(tokens.label_map()[160, 133])


@pytest.fixture(scope="module")
def ball(tokens):
    """The small red ball."""
    return int(tokens.label_map()[137, 64])


@pytest.fixture(scope="module")
def other(pipe, scenes):
    """Another scene."""
    return pipe.encode(Image.open(scenes / "300001.png").convert("RGB"))


def test_between_two_states_objects_are_on_their_way(pipe, tokens, picture, cube, ball):
    after = duplicate(remove(move(recolor(tokens, cube, to="blue"), cube, 40, 20), ball), 1, -60, 30)
    assert interpolate(tokens, after, 0) is tokens and interpolate(tokens, after, 1) is after
    half = interpolate(tokens, after, 0.5)
    assert len(half) == len(tokens) + 1, "the one that goes and the one that comes are both there"
    moved = cube if cube < ball else cube - 1
    assert box(half, moved).x == pytest.approx(box(tokens, cube).x + 20, abs=0.01)
    assert sorted(half.opacity[0].tolist())[0] == pytest.approx(0.5)
    quarter = pixels(pipe.decode(interpolate(tokens, move(tokens, cube, 40, 0), 0.25)))
    assert np.abs(quarter - pixels(pipe.decode(move(tokens, cube, 10, 0)))).max() <= 1


def test_what_goes_away_fades_with_its_shadow(pipe, tokens, picture, ball):
    after = remove(tokens, ball)
    before, half, gone = (pixels(image).astype(float) for image in (
        picture, pipe.decode(interpolate(tokens, after, 0.5)), pipe.decode(after)
    ))  # fmt: skip
    changed = np.abs(gone - before).max(-1) > 12
    body, shade = changed & mask(tokens, ball), changed & ~mask(tokens, ball)
    for region in (body, shade):
        assert region.sum() > 30
        assert np.abs(half - (before + gone) / 2)[region].mean() < 0.15 * np.abs(gone - before)[region].mean()


def test_between_two_states_looks_change_too(tokens, other, cube, ball):
    before = recolor(tokens, ball, hue=350)
    after = paste(flip(recolor(recolor(before, ball, hue=20), cube, to="blue"), cube), other, 1)
    new, blue = len(tokens), after.paint[0, cube]
    for t in (0.25, 0.5, 0.75):
        between = interpolate(before, after, t)
        assert float(between.opacity[0, new]) == pytest.approx(t), "what comes fades in"
        assert between.paint[0, cube].tolist() == pytest.approx([*blue[:3].tolist(), t]), "the very colour, ever more of it"
        assert bool(between.mirrored[0, cube]) == (t >= 0.5)
        assert float(between.turn[0, ball]) == pytest.approx((350 + 20 * t) % 360, abs=1e-3), "the hue turns the short way"
        gone = interpolate(after, before, t)
        assert gone.paint[0, cube].tolist() == pytest.approx([*blue[:3].tolist(), 1 - t])
    assert interpolate(before, after, 0.5).history == before.history
