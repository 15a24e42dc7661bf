"""Masks as a person or another program draws them: a token owns just the pixels that its mask marks, and edits move those."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from editors import move
from vle_gen.errors import UserError
from vle_gen.segmentation.masks import read_mask

DISC = (170, 150, 209, 189)  # left, top, right and bottom of a disc that is painted on the floor
BLUE = (20, 60, 200)


@pytest.fixture(scope="module")
def painted(picture) -> Image.Image:
    """The scene with a disc on its floor, such as no model knows."""
    picture = picture.copy()
    ImageDraw.Draw(picture).ellipse(DISC, fill=BLUE)
    return picture


@pytest.fixture(scope="module")
def disc(picture) -> np.ndarray:
    """The disc's pixels."""
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).ellipse(DISC, fill=255)
    return np.asarray(mask) > 0


def test_a_token_owns_what_its_mask_marks(pipe, painted, tokens, disc):
    found = pipe.encode(painted, masks=[disc])
    labels = found.label_map()
    (index,) = np.unique(labels[disc])
    assert index > 0 and np.array_equal(labels == index, disc)
    assert len(found) >= len(tokens), "what is found besides is still there"
    assert np.array_equal(np.asarray(pipe.decode(found)), np.asarray(painted))
    moved = np.asarray(pipe.decode(move(found, int(index), dx=-12, dy=30)))
    inside = disc & np.roll(disc, 3, 0) & np.roll(disc, -3, 0) & np.roll(disc, 3, 1) & np.roll(disc, -3, 1)
    assert np.abs(moved[np.roll(inside, (30, -12), (0, 1))] - np.array(BLUE)).max() < 12
    left = inside & ~np.roll(disc, (30, -12), (0, 1))
    assert (np.ptp(moved[left].astype(int), axis=1) < 40).mean() > 0.9, "where it was is grey floor"


def test_where_masks_overlap_the_last_one_has_the_pixels(pipe, painted, disc):
    upper = disc.copy()
    upper[170:] = False
    labels = pipe.encode(painted, masks=[disc, upper]).label_map()
    (above,), (below,) = np.unique(labels[upper]), np.unique(labels[disc & ~upper])
    assert above != below and 0 not in (above, below)


@pytest.mark.parametrize("kind", ["grey", "cut-out"])
def test_edits_take_masks(vlegen, painted, disc, tmp_path, kind):
    painted.save(tmp_path / "a.png")
    mask = Image.fromarray((disc * 255).astype(np.uint8))
    if kind == "cut-out":
        mask, drawn = Image.new("RGBA", mask.size, (*BLUE, 0)), mask
        mask.putalpha(drawn)
    mask.save(tmp_path / "m.png")
    ran = vlegen("move", tmp_path / "a.png", "--mask", tmp_path / "m.png", "--dx", -12, "--dy", 30, "-o", tmp_path / "b.png")
    assert (ran.status, ran.err) == (0, "")
    moved = np.asarray(Image.open(tmp_path / "b.png"))
    assert np.abs(moved[169 + 30, 189 - 12] - np.array(BLUE)).max() < 12 and np.ptp(moved[155, 189].astype(int)) < 40
    ran = vlegen("tokens", tmp_path / "a.png", "--mask", tmp_path / "m.png", "--masks", tmp_path / "owned.png")
    owned = np.asarray(Image.open(tmp_path / "owned.png"))
    assert ran.status == 0 and np.array_equal(owned == owned[169, 189], disc)


def test_what_is_no_mask_of_the_picture_is_refused(pipe, vlegen, picture, tokens, file, tmp_path):
    for name, mask, message in (
        ("small", Image.new("L", (64, 64), 255), "64 x 64: expected 256 x 256"),
        ("black", Image.new("L", picture.size), "marks nothing"),
    ):
        mask.save(tmp_path / f"{name}.png")
        ran = vlegen("remove", file, "--mask", tmp_path / f"{name}.png", "-o", tmp_path / "out.png")
        assert ran.status == 2 and message in ran.err and ran.err.count("\n") == 1, ran.err
        assert not (tmp_path / "out.png").exists()
    tokens.save(tmp_path / "t.vle")
    ran = vlegen("remove", tmp_path / "t.vle", "--mask", tmp_path / "black.png")
    assert ran.status == 2 and "holds tokens already" in ran.err
    with pytest.raises(UserError, match="expected bool, 256 x 256"):
        pipe.encode(picture, masks=[np.ones((8, 8), bool)])


def test_a_mask_marks_what_is_rather_white_or_rather_opaque(tmp_path):
    levels = np.zeros((20, 30), np.uint8)
    levels[5:, :10], levels[5:, 10:] = 100, 200  # such as a soft edge
    wanted = levels > 128
    grey = Image.fromarray(levels)
    cut_out = Image.new("RGBA", grey.size, "white")
    cut_out.putalpha(grey)
    opaque = grey.convert("RGBA")
    turned = cut_out.transpose(Image.Transpose.ROTATE_90)  # as a camera held sideways writes it
    for name, mask in (("grey", grey), ("cut-out", cut_out), ("opaque", opaque), ("turned", turned)):
        exif = Image.Exif()
        exif[0x0112] = 6 if name == "turned" else 1
        mask.save(tmp_path / f"{name}.png", exif=exif)
        assert np.array_equal(read_mask(tmp_path / f"{name}.png", (20, 30)), wanted), name
