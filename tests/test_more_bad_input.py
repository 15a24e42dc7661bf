"""Input that is damaged, too large, or names one file twice: one line, status 2, and nothing lost."""
from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest
from PIL import Image, features

from editors import move
from editors.language import Edit, Selector, parse_group
from prompts.captions import write
from prompts.grammar import parse
from vle_gen.compact.ans import Writer
from vle_gen.compact.code import TokenCode, _checksum
from vle_gen.errors import UserError

LONG = "\u00e9" * 200 + ".png"  # more bytes than a file system takes


def digest(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_results_of_several_pictures_never_meet(vlegen, file, picture, tmp_path):
    jpeg = tmp_path / "img.jpg"
    picture.save(jpeg)
    both = vlegen("edit", file, jpeg, "move 1 by 5,0")
    assert both.status == 2 and "img-edited" in both.err and not (tmp_path / "img-edited.png").exists()
    earlier = tmp_path / "img-edited.png"
    picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(earlier)
    before = digest(earlier)
    assert vlegen("edit", file, earlier, "move 1 by 5,0").status == 2
    assert digest(earlier) == before


def test_a_sheet_is_not_written_over_its_picture(vlegen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = vlegen("txt2img", "a red ball", "--sheet", "a-red-ball.png")
    assert ran.status == 2 and "a-red-ball.png" in ran.err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", [1234567, 2**31 - 1, 2**53 + 1])
def test_a_seed_is_kept_to_its_last_digit(seed):
    (again,) = parse_group(str(Edit("add", (Selector(words="a red ball"),), seed=seed)))
    assert again.seed == seed


@pytest.mark.parametrize("text", [f"add 'a red ball' seed {2**64}", "add 'a red ball' seed " + "9" * 40])
def test_a_seed_is_no_larger_than_a_generator_takes(text):
    (edit,) = parse_group(f"add 'a red ball' seed {2**64 - 1}")
    assert edit.seed == 2**64 - 1
    with pytest.raises(UserError, match="is no whole number from 0 to 18446744073709551615"):
        parse_group(text)
    with pytest.raises(UserError, match="is not understood"):
        parse_group(f"move {'9' * 5000} by 1,0")


@pytest.mark.parametrize(
    "arguments",
    [["tokens", LONG], ["edit", "img.png", f"paste 1 from '{LONG}'"], ["history", LONG], ["data", "show", LONG]],
)
def test_names_that_are_too_long_are_said_to_be(vlegen, file, monkeypatch, arguments):
    monkeypatch.chdir(file.parent)
    ran = vlegen(*arguments)
    assert ran.status == 2 and ran.err.count("\n") == 1
    assert "does not exist" in ran.err or "is too long for the name of a file" in ran.err


def test_numbers_of_objects_in_other_signs_are_no_numbers(vlegen, sprites, tmp_path):
    ran = vlegen("data", "compose", sprites, "-o", tmp_path / "scenes", "--objects", "\u00b2-3")
    assert ran.status == 2 and "expected two numbers from 1 to 9" in ran.err


def test_many_edits_in_one_argument(vlegen, file, tmp_path):
    ran = vlegen("edit", file, ";".join(["move 1 by 1,0"] * 31), "-o", tmp_path / "o.png")
    assert ran.status == 0, ran.err


def test_an_object_is_added_beside_one_that_was_moved_far_up(pipe, tokens):
    far = move(tokens, 1, dx=0, dy=-400)
    assert len(pipe.add(far, "a red ball", at=(120, 200), tries=1)) == len(tokens) + 1


@pytest.mark.parametrize(("count", "height", "width"), [(2**40, 256, 256), (2, 2**30, 2**30)])
def test_coded_files_cannot_claim_more_than_there_can_be(count, height, width):
    code, writer = TokenCode(128), Writer()
    mark = code.digest("checkpoint")
    writer.uniform(mark & 0xFFFF, 1 << 16)
    writer.uniform(mark >> 16, 1 << 16)
    writer.uniform(40, 1 << 12)
    for value in (height, width, count):
        writer.integer(value - 1)
    data = writer.data()
    with pytest.raises(UserError, match="it claims"):
        code.decode(_checksum(data) + data, "checkpoint")


def test_a_mask_is_turned_as_its_picture_is(vlegen, tmp_path):
    picture, mask = Image.new("RGB", (40, 60), "gray"), Image.new("RGBA", (40, 60), (255, 255, 255, 0))
    for image in (picture, mask):
        image.paste((200, 40, 40, 255)[: len(image.getbands())], (10, 20, 30, 50))
    picture.save(tmp_path / "p.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # shown turned by 90 degrees clockwise
    mask.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "m.png", exif=turned)
    ran = vlegen("tokens", tmp_path / "p.png", "--mask", tmp_path / "m.png", "--json", tmp_path / "t.json")
    assert ran.status == 0, ran.err


def test_very_narrow_pictures_can_be_edited(pipe):
    noise = np.random.default_rng(0).integers(0, 255, (2000, 8, 3), np.uint8)
    tokens = pipe.encode(Image.fromarray(noise), points=[(4, 1000)])
    assert pipe.decode(move(tokens, 1, dx=0, dy=20)).size == (8, 2000)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_damaged_avif_pictures_are_said_to_be_damaged(vlegen, picture, tmp_path):
    picture.save(tmp_path / "whole.avif")
    data, random_ = bytearray((tmp_path / "whole.avif").read_bytes()), random.Random(0)
    for number in range(30):
        spoilt = bytearray(data)
        for _ in range(20):
            spoilt[random_.randrange(12, len(spoilt))] ^= 1 << random_.randrange(8)
        path = tmp_path / f"{number}.avif"
        path.write_bytes(spoilt[: random_.randrange(len(spoilt) // 2, len(spoilt))])
        assert vlegen("decode", path, "-o", tmp_path / "o.png").status in (0, 2)


def test_pictures_that_a_format_cannot_hold_are_refused(pipe, tmp_path):
    from vle_gen.io.image_files import save_image

    with pytest.raises(UserError, match="cannot write 20000 x 4 pixels"):
        save_image(Image.new("RGB", (20000, 4)), tmp_path / "wide.webp")
    assert not list(tmp_path.iterdir())


def test_more_hints_than_there_can_be_tokens_are_refused(pipe, picture):
    from vle_gen.encoding import Halting

    boxes = [(x % 240, x // 2, 12, 12) for x in range(270)]
    with pytest.raises(UserError, match="270 boxes, points and masks are too many"):
        pipe.encode(picture, boxes=boxes, halting=Halting(max_tokens=400))


def test_masks_of_more_tokens_than_a_grey_picture_tells_apart_are_refused(tmp_path):
    from vle_gen.workflows.files import save_masks

    with pytest.raises(UserError, match="tells 255 tokens apart"):
        save_masks(np.full((4, 4), 300), tmp_path / "m.png")


def test_weights_of_something_else_are_no_judge(tmp_path):
    from safetensors.torch import save_file
    from torch import zeros

    from vle_gen.evaluation.judge import Judge

    save_file({"other.weight": zeros(3)}, tmp_path / "judge.safetensors")
    with pytest.raises(UserError, match="is no judge"):
        Judge.load(tmp_path)


def test_ten_alike_things_have_captions():
    alike = [(1, 0, 0, 1)] * 10
    boxes = [(0.05 + 0.1 * k, 0.5, 0.08, 0.08) for k in range(10)]
    texts = {write(alike, boxes, [8.0] * 10, random.Random(seed), whole=1.0).text for seed in range(40)}
    assert any("10" in text for text in texts)


def test_a_contraction_reads_as_what_it_is_short_for():
    assert parse("a ball that's red") == parse("a ball that is red") == parse("a red ball")
    assert parse("there's a blue cube") == parse("a blue cube")
