"""Every kind of picture opens as upright RGB; every kind of broken one is one clear line."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from vle_gen.errors import UserError
from vle_gen.io.image_files import open_image, save_image, to_rgb


@pytest.fixture
def picture():
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    return small.resize((48, 40), Image.Resampling.BICUBIC)


def near(a, b, tolerance):
    return np.abs(np.asarray(a).astype(int) - np.asarray(b).astype(int)).max() <= tolerance


def test_rgb_is_kept_exactly(picture, tmp_path):
    picture.save(tmp_path / "a.png")
    assert near(open_image(tmp_path / "a.png"), picture, 0)


MODES = ["L", "1", "P", "PA", "RGBA", "LA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16", "RGBX"]


@pytest.mark.parametrize("mode", MODES)
def test_modes(picture, mode):
    grey = picture.convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    elif mode == "LAB":
        image = Image.new("LAB", picture.size, (128, 0, 0))
    elif mode == "PA":
        image = picture.convert("P").convert("PA")
    elif mode in ("I", "F"):
        image = grey.convert(mode)
    else:
        image = picture.convert(mode)
    out = to_rgb(image)
    assert out.mode == "RGB" and out.size == picture.size
    if mode in ("L", "I", "F", "I;16", "LA"):
        assert near(out, grey.convert("RGB"), 1)
    if mode in ("RGBA", "RGBX", "CMYK"):
        assert near(out, picture, 2)


def test_16_bit_png_keeps_its_brightness(picture, tmp_path):
    grey = picture.convert("L")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(tmp_path / "a.png")
    assert near(open_image(tmp_path / "a.png"), grey.convert("RGB"), 1)


@pytest.mark.parametrize("most", [1, 255])
def test_floats_keep_their_brightness(picture, most, tmp_path):
    grey = picture.convert("L")
    Image.fromarray(np.asarray(grey).astype(np.float32) * most / 255).save(tmp_path / "a.tiff")
    assert near(open_image(tmp_path / "a.tiff"), grey.convert("RGB"), 1)


def test_transparent_pixels_are_white(tmp_path):
    image = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 8, 16))
    image.save(tmp_path / "a.png")
    out = open_image(tmp_path / "a.png")
    assert out.getpixel((12, 3)) == (255, 255, 255) and out.getpixel((2, 3)) == (0, 0, 255)
    image.convert("P").save(tmp_path / "p.gif", transparency=0)
    assert open_image(tmp_path / "p.gif").size == (16, 16)


def test_exif_rotation(picture, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    picture.save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert open_image(tmp_path / "a.jpg").size == (picture.height, picture.width)


def test_colours_keep_their_profile(pipe, scenes, vlegen, tmp_path):
    """Without it, a picture of a wide gamut looks pale once it was edited."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[64:68] = b"\0\0\0\1"  # another rendering intent, so that it is told from any other
    small = Image.open(scenes / "300000.png").convert("RGB")
    for name in ("img.png", "img.jpg", "img.webp"):
        small.save(tmp_path / name, icc_profile=bytes(profile))
        out = tmp_path / f"moved-{name}"
        assert vlegen("move", tmp_path / name, "--token", "1", "--dx", "4", "-o", out).status == 0
        assert Image.open(out).info["icc_profile"] == bytes(profile), name
    assert vlegen("tokens", tmp_path / "img.png", "--save", tmp_path / "img.vle").status == 0
    assert vlegen("decode", tmp_path / "img.vle", "-o", tmp_path / "again.png").status == 0
    assert Image.open(tmp_path / "again.png").info["icc_profile"] == bytes(profile)
    grey = small.convert("CMYK")
    grey.info["icc_profile"] = bytes(profile)
    assert "icc_profile" not in pipe.decode(pipe.encode(grey)).info, "its values were of other colours"


def test_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert open_image(tmp_path / "a.gif").getpixel((3, 3)) == (255, 0, 0)


def test_bad_files(picture, bomb, tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        open_image(tmp_path / "none.png")
    with pytest.raises(UserError, match="is a folder"):
        open_image(tmp_path)
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(UserError, match="not a picture"):
        open_image(tmp_path / "text.png")
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(UserError, match="not a picture"):
        open_image(tmp_path / "empty.png")
    picture.resize((400, 300)).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:3000])
    with pytest.raises(UserError, match="damaged"):
        open_image(tmp_path / "cut.jpg")
    Image.new("RGB", (1, 1)).save(tmp_path / "tiny.png")
    with pytest.raises(UserError, match="1 x 1: expected at least 8"):
        open_image(tmp_path / "tiny.png")
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(UserError, match="at most 100 megapixels|too large"):
        open_image(tmp_path / "bomb.png")


def test_pictures_that_are_read_no_sooner_than_asked_for(picture, tmp_path):
    picture.resize((400, 300)).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:3000])
    with Image.open(tmp_path / "cut.jpg") as cut, pytest.raises(UserError, match="the picture cannot be read: .*truncated"):
        to_rgb(cut)
    with Image.open(tmp_path / "whole.jpg") as whole:
        assert to_rgb(whole).size == (400, 300)
    closed = Image.open(tmp_path / "whole.jpg")
    closed.close()
    with pytest.raises(UserError, match="the picture cannot be read: .*closed"):
        to_rgb(closed)


def test_saving_leaves_nothing_half_written(picture, tmp_path):
    for name, tolerance in (("a.png", 0), ("a.jpg", 40), ("a.webp", 0)):
        save_image(picture, tmp_path / name)
        assert near(open_image(tmp_path / name), picture, tolerance), name
    for place, reason in ((tmp_path / "a.txt", "ends in"), (tmp_path / "none" / "a.png", "cannot write")):
        with pytest.raises(UserError, match=reason):
            save_image(picture, place)

    class Broken:
        info = {}

        def save(self, path):
            path.write_bytes(b"half")
            raise OSError("disk full")

    before = (tmp_path / "a.png").read_bytes()
    with pytest.raises(UserError, match="cannot write"):
        save_image(Broken(), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jpg", "a.png", "a.webp"]
