"""Cheaper forms of filters, of stretching and of digests give what the plain forms give."""
from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

from vle_gen import light_pipeline
from vle_gen.imaging.filters import box_mean, grown, halved, inside_mean
from vle_gen.segmentation.outlines import around_mask
from vle_gen.tokenizer.background import stretch, stretch_to
from vle_gen.tokenizer.render import Window


@pytest.fixture(scope="module")
def planes():
    return torch.rand(3, 23, 31, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 7, 40])
def test_filters_are_pooling(planes, radius):
    side = 2 * radius + 1
    padded = F.pad(planes, (radius, radius, radius, radius))[None]
    assert torch.allclose(box_mean(planes, radius), F.avg_pool2d(padded, side, 1)[0], atol=1e-6)
    mask = (planes[:1] > 0.97).float()
    assert torch.equal(grown(mask, radius), F.max_pool2d(F.pad(mask, 4 * (radius,))[None], side, 1)[0])


@pytest.mark.parametrize("size", [(1, 1), (9, 6), (80, 70), (81, 70), (80, 71), (81, 71)])  # small ones are pooled by torch
def test_halving_is_pooling(size):
    planes = torch.rand(4, *size, generator=torch.Generator().manual_seed(2))
    assert torch.equal(halved(planes), F.avg_pool2d(planes[None], 2, ceil_mode=True, count_include_pad=False)[0])


def test_a_mean_inside_the_border_is_of_pixels_alone(planes):
    inside = F.avg_pool2d(planes[None], 5, 1, 2, count_include_pad=False)[0]
    assert torch.allclose(inside_mean(planes, 2), inside, atol=1e-6)


def test_filters_leave_what_they_are_given(planes):
    before = planes.clone()
    box_mean(planes, 2), grown(planes, 2), box_mean(planes, 0), grown(planes, 0)
    assert torch.equal(planes, before)


def test_a_part_is_stretched_as_the_whole():
    colours = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 1.4 - 0.2
    whole = stretch(colours, 90, 160)
    assert torch.allclose(stretch_to(colours, 90, 160), whole, atol=2e-6)
    part = stretch_to(colours, 90, 160, slice(11, 47), slice(100, 160))
    assert torch.allclose(part, whole[..., 11:47, 100:160], atol=2e-6)


def test_a_background_finer_than_the_picture_is_not_aliased():
    colours = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    small = torch.nn.functional.interpolate(colours, (20, 30), mode="bicubic", antialias=True).clamp(0, 1)
    assert torch.allclose(stretch_to(colours, 20, 30), small, atol=2e-6)


def test_the_rectangle_about_a_mask():
    mask = torch.zeros(20, 30, dtype=torch.bool)
    assert around_mask(mask, 3).empty and around_mask(mask[:0], 3).empty
    mask[2, 5] = mask[9, 11] = True
    assert around_mask(mask, 3) == Window(0, 13, 2, 15)


def test_other_weights_have_another_id():
    coder = light_pipeline.load().tokenizer
    first, same = coder.checkpoint_id, copy.deepcopy(coder)
    assert same.checkpoint_id == first
    with torch.no_grad():
        next(coder.network.glimpse_decoder.parameters()).mul_(1.5)
    assert coder.checkpoint_id != first and same.checkpoint_id == first
    coder.load_state_dict(same.state_dict())
    assert coder.checkpoint_id == first
