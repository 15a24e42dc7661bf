"""What a person draws a box around in a picture unlike those that the model knows is told by its colours."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from editors import remove
from vle_gen.colour_cut import cut
from vle_gen.light_pipeline import load
from vle_gen.masks import box_of


@pytest.fixture(scope="module")
def everyday_pipe():
    """The shipped checkpoint that knows everyday things."""
    return load("everyday")


def on_gravel(mask: Image.Image, clothes: Image.Image) -> np.ndarray:
    """A picture (H, W, 3) of what the mask marks, in such clothes, on gravel."""
    random = np.random.default_rng(3)
    gravel = np.array([120, 130, 90]) + random.normal(0, 22, (mask.height // 2, mask.width // 2, 1))
    gravel = np.asarray(Image.fromarray(gravel.clip(0, 255).astype(np.uint8)).resize(mask.size, Image.Resampling.BICUBIC))
    seen = np.where(np.asarray(mask)[..., None] > 0, np.asarray(clothes), gravel)
    return (seen + random.normal(0, 3, seen.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def walker() -> tuple[np.ndarray, np.ndarray]:
    """Somebody in a blue coat, dark trousers and a red hat, and which pixels that is."""
    size = 420, 320
    mask, clothes = Image.new("L", size), Image.new("RGB", size, (40, 60, 150))
    for box in ((180, 60, 230, 120), (160, 105, 250, 210)):
        ImageDraw.Draw(mask).ellipse(box, 255)
    for left in (170, 212):
        ImageDraw.Draw(mask).polygon([(left, 190), (left + 28, 190), (left + 24, 285), (left + 4, 285)], 255)
    draw = ImageDraw.Draw(clothes)
    draw.rectangle((0, 0, 420, 80), (190, 40, 40))
    draw.rectangle((0, 80, 420, 112), (230, 190, 160))
    draw.rectangle((0, 205, 420, 320), (35, 30, 40))
    return on_gravel(mask, clothes), np.asarray(mask) > 0


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / (one | other).sum()


def as_planes(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.copy()).permute(2, 0, 1).float() / 255


def test_all_of_a_thing_of_many_colours_is_its_tokens(everyday_pipe, walker):
    picture, mask = walker
    tokens = everyday_pipe.encode(Image.fromarray(picture), boxes=[box_of(mask)])
    index = int(np.bincount(tokens.label_map()[mask]).argmax())
    assert index and overlap(tokens.label_map() == index, mask) > 0.93
    gone = np.asarray(everyday_pipe.decode(remove(tokens, index))).astype(float)
    ground = picture[~mask].reshape(-1, 3).mean(0)
    assert np.abs(gone[mask].mean(0) - ground).max() < 12, "no clothes are left on the ground"


def test_a_box_that_is_drawn_somewhat_wrong_says_the_same(walker):
    picture, mask = walker
    left, top, width, height = box_of(mask)
    nothing = torch.zeros(picture.shape[:2], dtype=torch.bool)
    for box in ((left - 20, top - 15, width + 30, height + 35), (left + 2, top + 3, width - 3, height - 4)):
        assert overlap(cut(as_planes(picture), box, nothing, nothing).numpy(), mask) > 0.9


def test_pixels_of_others_stay_theirs(walker):
    picture, mask = walker
    others = torch.from_numpy(mask).clone()
    others[205:] = False
    found = cut(as_planes(picture), box_of(mask), torch.zeros_like(others), others)
    assert not (found & others).any()
    assert found.numpy()[215:280][mask[215:280]].mean() > 0.9


def test_large_pictures_and_small_ones_are_cut_alike(walker):
    picture, mask = walker
    nothing = torch.zeros(picture.shape[:2], dtype=torch.bool)
    small = cut(as_planes(picture), box_of(mask), nothing, nothing)
    times = 3
    larger = as_planes(picture).repeat_interleave(times, 1).repeat_interleave(times, 2)
    none = torch.zeros(larger.shape[-2:], dtype=torch.bool)
    large = cut(larger, tuple(times * v for v in box_of(mask)), none, none)
    assert overlap(large[1::times, 1::times].numpy(), small.numpy()) > 0.95


def test_where_colours_tell_nothing_nothing_is_said():
    nothing = torch.zeros(60, 80, dtype=torch.bool)
    assert cut(torch.rand(3, 60, 80), (0, 0, 80, 60), nothing, nothing) is None, "no pixel is beside the box"
    assert cut(torch.rand(3, 60, 80), (20, 20, 30, 20), nothing, ~nothing) is None, "all of it is others'"


def test_holes_that_are_seen_through_stay_open():
    rows, columns = torch.meshgrid(torch.arange(120.0), torch.arange(160.0), indexing="ij")
    far = ((rows - 60) ** 2 + (columns - 80) ** 2).sqrt()
    ring = (far < 45) & (far > 22)
    picture = torch.where(ring, torch.tensor([0.9, 0.3, 0.2])[:, None, None], torch.tensor([0.3, 0.5, 0.3])[:, None, None])
    picture = picture + 0.02 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros(120, 160, dtype=torch.bool)
    assert overlap(cut(picture, (35, 15, 90, 90), nothing, nothing).numpy(), ring.numpy()) > 0.95
