"""Floors and walls with patterns, continued where an object hid them, against backgrounds whose truth is known."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import vle_gen
from editors import move, remove
from vle_gen.data import surfaces
from vle_gen.inpainting.grain import grain_of
from vle_gen.inpainting.patterns import continued, has_pattern
from vle_gen.inpainting.planes import horizons
from vle_gen.tokenizer.render import Window

FLUENT = Path(__file__).parent / "fixtures" / "fluent"
SIDE = 256
ARENA = Window(96, 176, 90, 170)


def floor(material, seed: int = 0, horizon: float = -0.2, height: float = 4.0) -> np.ndarray:
    """A material (H, W, 3), 0..1, on a floor whose horizon is at `horizon` of the picture's height."""
    place = (np.arange(SIDE) + 0.5) / SIDE
    x, y = np.meshgrid(place, place)
    down = y - horizon
    z = 1.4 * height / down
    return material((x - 0.5) * height / down + 30, z, z / down * 0.7 / SIDE, np.random.default_rng(seed)).colour


def wall(material, seed: int = 0) -> np.ndarray:
    place = (np.arange(SIDE) + 0.5) / SIDE
    return material(*np.meshgrid(place, place), np.random.default_rng(seed)).colour


def as_planes(colour: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(colour).permute(2, 0, 1).float()


def told(truth: torch.Tensor) -> torch.Tensor | None:
    """What is told of a background in the arena, of which nothing is shown there."""
    known = torch.ones_like(truth[:1])
    known[ARENA.planes] = 0
    return continued(truth * known, truth.mean((1, 2), keepdim=True).expand_as(truth), known, ARENA)


@pytest.mark.parametrize("seed", [0, 2, 3])
@pytest.mark.parametrize(
    "draw, share", [((floor, surfaces.checks), 0.3), ((floor, surfaces.cloth), 0.3), ((wall, surfaces.dotted), 0.3),
                    ((floor, surfaces.paving), 0.75), ((floor, surfaces.tiles), 0.75), ((wall, surfaces.bricks), 0.75)]
)  # fmt: skip
def test_a_pattern_goes_on_where_it_is_hidden(draw, share, seed):
    """What repeats exactly is foretold; of tiles and bricks whose tones are by chance, the joints."""
    truth = as_planes(draw[0](draw[1], seed))
    wanted = truth[ARENA.planes]
    off = (told(truth) - wanted).square().mean().sqrt()
    assert off < share * (wanted - wanted.mean((1, 2), keepdim=True)).square().mean().sqrt()


def test_the_horizon_of_a_floor_is_found_and_a_wall_has_none():
    for horizon in (-0.3, 0.05):
        pattern = as_planes(floor(surfaces.checks, 1, horizon))[0]
        found = horizons(pattern - pattern.mean(), torch.ones_like(pattern))
        assert min(abs(one - horizon * SIDE) for one in found if one is not None) < 0.03 * SIDE
    pattern = as_planes(wall(surfaces.bricks))[0]
    assert horizons(pattern - pattern.mean(), torch.ones_like(pattern))[0] is None


def test_noise_is_no_pattern_and_is_not_made_up():
    noise = torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    known = torch.ones_like(noise[:1])
    assert not has_pattern(0.006 * noise, known)
    assert has_pattern(0.1 * noise, known)
    assert told(0.5 + 0.1 * noise) is None


@pytest.fixture(scope="module")
def everyday():
    return vle_gen.load("everyday")


def with_apple(colour: np.ndarray) -> Image.Image:
    """An apple in the middle of a background."""
    back = Image.fromarray((colour.clip(0, 1) * 255).round().astype(np.uint8))
    apple = Image.open(FLUENT / "1f34e.webp").convert("RGBA").resize((72, 72))
    back.paste(apple, (92, 100), apple)
    return back


@pytest.mark.parametrize("colour", [floor(surfaces.checks), floor(surfaces.cloth, 1), wall(surfaces.dotted)])
@pytest.mark.parametrize("edit", [remove, lambda tokens, index: move(tokens, index, dx=70, dy=6)])
def test_an_object_that_goes_leaves_the_pattern_whole(everyday, colour, edit):
    picture = with_apple(colour)
    tokens = everyday.encode(picture)
    found = np.asarray(tokens.label_map())
    index = int(np.bincount(found[120:150, 115:140].ravel()).argmax())
    assert index > 0
    after = np.asarray(everyday.decode(edit(tokens, index))) / 255.0
    place = np.zeros((SIDE, SIDE), bool)
    place[104:168, 96:152] = True
    off = np.sqrt(np.square(after - colour.clip(0, 1))[place].mean())
    assert off < 0.5 * colour[place].std(0).mean()


def test_an_object_looks_the_same_before_a_wall_of_another_paint(everyday):
    """Where the floor is dark and the wall bright that is no light which falls on what moves from the one to the other."""
    colour = np.full((SIDE, SIDE, 3), (0.85, 0.82, 0.7))
    colour[100:] = (0.25, 0.15, 0.1)
    picture = with_apple(colour)
    tokens = everyday.encode(picture)
    index = int(tokens.label_map()[136, 128])
    assert index > 0
    after = np.asarray(everyday.decode(move(tokens, index, dx=0, dy=-70)))
    inside = np.s_[120:150, 110:146]
    assert np.abs(after[50:80, 110:146].astype(int) - np.asarray(picture)[inside]).mean() < 2


def test_a_pattern_is_continued_in_large_pictures_too(everyday):
    """Steps are looked for in a smaller picture, and taken in the large one."""
    colour = floor(surfaces.checks)
    picture = with_apple(colour).resize((3 * SIDE, 3 * SIDE), Image.Resampling.BICUBIC)
    tokens = everyday.encode(picture)
    index = int(np.bincount(np.asarray(tokens.label_map())[360:450, 345:420].ravel()).argmax())
    assert index > 0
    after = np.asarray(everyday.decode(remove(tokens, index)).resize((SIDE, SIDE), Image.Resampling.BOX)) / 255.0
    place = np.zeros((SIDE, SIDE), bool)
    place[104:168, 96:152] = True
    off = np.sqrt(np.square(after - colour.clip(0, 1))[place].mean())
    assert off < 0.5 * colour[place].std(0).mean()


def test_a_lawn_stays_rough_where_something_stood(everyday):
    """Nobody can tell which blades of grass are there, but there are some."""
    colour = floor(surfaces.lawn, 1)
    tokens = everyday.encode(with_apple(colour))
    index = int(np.bincount(np.asarray(tokens.label_map())[120:150, 115:140].ravel()).argmax())
    after = np.asarray(everyday.decode(remove(tokens, index))).mean(-1) / 255.0
    steps = np.abs(np.diff(after, axis=1))
    assert 0.25 < steps[110:160, 104:148].mean() / steps[110:160, 10:54].mean() < 1.1


def test_no_grain_is_given_to_what_is_smooth():
    smooth = torch.full((3, 40, 60), 0.2)
    known = torch.ones(1, 40, 60)
    known[:, 10:30, 20:40] = 0
    assert grain_of(smooth, known, 1 - known).abs().max() < 1e-6
    rough = smooth + 0.05 * torch.randn(3, 40, 60, generator=torch.Generator().manual_seed(0))
    grain = grain_of(rough * known, known, 1 - known)
    assert (grain * known).abs().max() == 0
    assert 0.3 * 0.05 < grain[:, 10:30, 20:40].std() < 0.05
