"""Made backgrounds: the same by seed, with words that the grammar reads, floors where things can stand, and small files."""
from __future__ import annotations

import numpy as np
import pytest

from prompts.grounds import Grounds, preposition, shows
from vle_gen.data import photographic
from vle_gen.data.backgrounds import KINDS, PAINTED, backgrounds
from vle_gen.data.pack import encoded

SMALL = 96


@pytest.fixture(scope="module")
def made():
    """Two of each kind, small."""
    return list(backgrounds(2 * len(KINDS), seed=4, side=SMALL))


@pytest.fixture(scope="module")
def photographs(made):
    """Those with textures of photographs, of each kind."""
    return [one for k, one in enumerate(made) if KINDS[k % len(KINDS)] in photographic.KINDS]


def test_the_same_seed_makes_the_same(made):
    again = list(backgrounds(len(KINDS), seed=4, side=SMALL))
    assert all((one.pixels == other.pixels).all() and one.words == other.words for one, other in zip(made, again, strict=False))
    other = list(backgrounds(len(KINDS), seed=5, side=SMALL))
    assert not any((one.pixels == two.pixels).all() for one, two in zip(made, other, strict=False))
    first, second = made[: len(KINDS)], made[len(KINDS) :]
    assert not any((one.pixels == two.pixels).all() for one, two in zip(first, second, strict=True)), "none comes twice"


def test_photograph_like_ones_are_among_them(photographs, made):
    said = {word for one in photographs for word in one.words}
    assert {"a forest floor", "a blurred background", "a dark background with lights"} <= said
    assert len(photographs) < len(made) and 0.3 < sum(one.floor is not None for one in photographs) / len(photographs) < 0.8
    for one in photographs:
        assert one.pixels.shape == (SMALL, SMALL, 3) and one.pixels.std() > 2
        assert (one.pixels.min(2) == 255).mean() < 0.2 and (one.pixels.max(2) == 0).mean() < 0.3, "neither burnt out nor black"


def test_photograph_like_ones_can_be_left_out(photographs):
    plain = list(backgrounds(2 * len(PAINTED), seed=4, side=SMALL, photographs=False))
    again = list(backgrounds(3, seed=4, side=SMALL, photographs=False))
    assert all((one.pixels == other.pixels).all() for one, other in zip(plain, again, strict=False))
    said, fancy = ({word for one in some for word in one.words} for some in (plain, photographs))
    assert len(plain) == 2 * len(PAINTED) and not said & fancy - {"hills", "a wooden table"}


def test_floors_are_where_a_pack_may_have_them(made):
    for one in made:
        if one.floor is not None:
            assert one.floor.horizon < one.floor.top < one.floor.bottom <= 1.2 and one.floor.height > 0


def test_skies_and_what_is_far_off_take_no_shadow(made):
    shaded = {word: one.shaded for one in made for word in one.words}
    assert not any(takes for word, takes in shaded.items() if word.endswith(("sky", "foliage", "lights")))
    assert all(takes for word, takes in shaded.items() if word.endswith(("wall", "backdrop")))


def test_words_are_read_back(made):
    said = tuple(dict.fromkeys(word for one in made for word in one.words))
    grounds = Grounds(said)
    for description in said:
        caption = f"{preposition(description)} {description}".split()
        end, found = grounds.at_preposition(caption, 0)
        assert end == len(caption) and shows([description], found), description


def test_amplitudes_fall_with_frequency():
    noise = photographic.spectral(np.random.default_rng(0), (256, 256), 1.0)
    power = np.abs(np.fft.rfft2(noise)) ** 2
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None])
    low, high = ((frequency > f) & (frequency < 1.3 * f) for f in (0.02, 0.2))
    assert 7 < np.sqrt(power[low].mean() / power[high].mean()) < 14  # ten times the frequency, a tenth of the amplitude


def test_blur_keeps_what_is_even_and_spreads_what_is_not():
    point = np.zeros((65, 65, 1))
    point[32, 32] = 1
    soft = photographic.blurred(point, 4 / 65)
    assert abs(soft.sum() - 1) < 1e-3 and abs(soft[32, 36, 0] / soft[32, 32, 0] - np.exp(-0.5)) < 0.01
    assert np.allclose(photographic.blurred(np.full((20, 20, 3), 0.3), 0.2), 0.3)


def test_files_stay_small(photographs):
    assert np.mean([len(encoded(one.pixels)) for one in photographs]) < 2_600  # so a pack of 240 at 256 stays near 10 MB
