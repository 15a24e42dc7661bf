"""The overlay outlines objects without covering them, and puts numbers where they can be read."""
from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from editors import flip
from vle_gen.display.overlay import overlay
from vle_gen.tokens import PER_TOKEN


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


def test_numbers_cover_no_object_and_names_are_below(tokens, pipe, picture):
    labels, names = tokens.label_map(), pipe.name_tokens(tokens)
    shown = np.asarray(overlay(picture, labels, names))
    assert shown.shape[0] > picture.height and shown.shape[1] == picture.width
    for index in range(1, len(tokens)):
        within = np.asarray(Image.fromarray((labels == index).astype(np.uint8)).filter(ImageFilter.MinFilter(9))) > 0
        assert np.array_equal(shown[: picture.height][within], np.asarray(picture)[within]), "but for a neighbour's outline"
    more = np.asarray(overlay(picture, labels, [*names[:-1], "something quite different"]))
    assert np.array_equal(more[: picture.height], shown[: picture.height])
    assert not np.array_equal(more[picture.height :], shown[picture.height :])


def test_a_long_name_stays_inside():
    labels = np.zeros((60, 80), int)
    labels[20:40, 30:50] = 1
    assert overlay(Image.new("RGB", (80, 60)), labels, ["scene", "a very long name " * 9]).width == 80


def test_a_notebook_shows_tokens_by_itself(tokens):
    shown = flip(tokens, 1)._repr_html_()
    assert shown.count("<tr>") == len(tokens) + 1 and "flip 1" in shown
    data = shown.split("base64,")[1].split('"')[0]
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (256, 256)
    assert "<img" in tokens.resized(*tokens.size)._repr_html_(), "tokens without a picture too"


def shown_picture(html: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(html.split("base64,")[1].split('"')[0])))


def test_a_notebook_shows_large_pictures_smaller_and_words_as_they_are(tokens):
    wide = replace(tokens.resized(1000, 2000), history=("add '<b>a ball</b>'",))
    html = wide._repr_html_()
    assert shown_picture(html).size == (960, 480)
    assert "<b>" not in html and "&lt;b&gt;a ball&lt;/b&gt;" in html
    rows = {name: getattr(wide, name).repeat(2, *[1] * (getattr(wide, name).dim() - 1)) for name in (*PER_TOKEN, "length")}
    assert replace(wide, **rows)._repr_html_() == "<p>Tokens of 2 pictures of 2000 x 1000 pixels.</p>"


def test_nothing_to_outline_changes_nothing(picture):
    same = overlay(picture, np.zeros((picture.height, picture.width), int))
    assert np.array_equal(np.asarray(same), np.asarray(picture))
