"""The overlay outlines objects without covering them, and puts numbers where they can be read."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from vle_gen.overlay import overlay


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_outlines_and_numbers_stand_out_beside_the_objects(shade):
    labels = np.zeros((200, 300), int)
    labels[60:120, 40:110], labels[90:150, 180:260] = 1, 2
    before = np.full((200, 300, 3), shade, np.uint8)
    after = np.asarray(overlay(Image.fromarray(before), labels))
    changed = (after != before).any(-1)
    assert after.shape == before.shape
    assert not changed[labels > 0].any()
    assert changed[59, 40:110].all() and changed[60:120, 39].all()  # a line all along the edge
    assert changed.mean() < 0.15
    contrast = np.abs(after.astype(int) - shade).max(-1)
    assert contrast[59, 40:110].max() > 100 or contrast[58, 40:110].max() > 100


def test_numbers_stay_inside_and_apart_when_objects_fill_the_picture():
    labels = np.kron(np.arange(1, 13).reshape(3, 4), np.ones((40, 40), int))
    picture = overlay(Image.new("RGB", (160, 120), "gray"), labels)
    assert picture.size == (160, 120)


def test_nothing_to_outline_changes_nothing(picture):
    same = overlay(picture, np.zeros((picture.height, picture.width), int))
    assert np.array_equal(np.asarray(same), np.asarray(picture))
