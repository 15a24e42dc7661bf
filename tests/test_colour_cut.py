"""What a person draws a box around in a picture unlike those that the model knows is told by its colours."""
from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from editors import remove
from vle_gen.segmentation.colour_segmentation import cut
from vle_gen.segmentation.masks import box_of


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / (one | other).sum()


def as_planes(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)


def test_all_of_a_thing_of_many_colours_is_its_tokens(everyday_pipe, beast):
    picture, mask = beast
    tokens = everyday_pipe.encode(Image.fromarray(picture), boxes=[box_of(mask)])
    index = int(np.bincount(tokens.label_map()[mask]).argmax())
    assert index and overlap(tokens.label_map() == index, mask) > 0.95
    gone = np.asarray(everyday_pipe.decode(remove(tokens, index))).astype(float)
    leaves = picture[~mask].reshape(-1, 3).mean(0)
    assert np.abs(gone[mask].mean(0) - leaves).max() < 20, "no fur is left"


def test_a_box_that_is_drawn_somewhat_wrong_says_the_same(beast):
    picture, mask = beast
    left, top, width, height = box_of(mask)
    nothing = torch.zeros(picture.shape[:2], dtype=torch.bool)
    for box in ((left - 20, top - 15, width + 30, height + 35), (left + 2, top + 3, width - 3, height - 4)):
        assert overlap(cut(as_planes(picture), box, nothing, nothing).numpy(), mask) > 0.9


def test_pixels_of_others_stay_theirs(beast):
    picture, mask = beast
    others = torch.from_numpy(mask).clone()
    others[205:] = False
    found = cut(as_planes(picture), box_of(mask), torch.zeros_like(others), others)
    assert not (found & others).any()
    assert found.numpy()[215:280][mask[215:280]].mean() > 0.9


def test_large_pictures_and_small_ones_are_cut_alike(beast):
    picture, mask = beast
    nothing = torch.zeros(picture.shape[:2], dtype=torch.bool)
    small = cut(as_planes(picture), box_of(mask), nothing, nothing)
    times = 3
    larger = as_planes(picture).repeat_interleave(times, 1).repeat_interleave(times, 2)
    none = torch.zeros(larger.shape[-2:], dtype=torch.bool)
    large = cut(larger, tuple(times * v for v in box_of(mask)), none, none)
    assert overlap(large[1::times, 1::times].numpy(), small.numpy()) > 0.95


def test_where_colours_tell_nothing_nothing_is_said():
    nothing = torch.zeros(60, 80, dtype=torch.bool)
    noise = torch.randint(256, (3, 60, 80), generator=torch.Generator().manual_seed(0)).byte()
    assert cut(noise, (0, 0, 80, 60), nothing, nothing) is None, "no pixel is beside the box"
    assert cut(noise, (20, 20, 30, 20), nothing, ~nothing) is None, "all of it is others'"


def test_holes_that_are_seen_through_stay_open():
    rows, columns = torch.meshgrid(torch.arange(120.0), torch.arange(160.0), indexing="ij")
    far = ((rows - 60) ** 2 + (columns - 80) ** 2).sqrt()
    ring = (far < 45) & (far > 22)
    picture = torch.where(ring, torch.tensor([0.9, 0.3, 0.2])[:, None, None], torch.tensor([0.3, 0.5, 0.3])[:, None, None])
    picture = picture + 0.02 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros(120, 160, dtype=torch.bool)
    picture = (255 * picture).clamp(0, 255).byte()
    assert overlap(cut(picture, (35, 15, 90, 90), nothing, nothing).numpy(), ring.numpy()) > 0.95
