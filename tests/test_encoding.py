"""Encoding as a person asks for it: where tokens should be, how many, and how sure the model is of pictures unlike its own."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from safetensors.torch import save_file

from vle_gen.compact.file import coded_bytes, load_tokens
from vle_gen.display.overlay import token_rows
from vle_gen.encoding import Halting
from vle_gen.errors import UserError
from vle_gen.evaluation.evaluate import read_scenes
from vle_gen.tokens import SURE, VLETokens
from vle_gen.workflows.batch import require_objects

CUBE = (113, 133, 40, 49)  # the red cube's box in the scene


def rows_of(tokens):
    return token_rows(tokens, [""] * len(tokens))[1:]


def at(tokens, x, y):
    """The row of the token that owns a pixel."""
    return rows_of(tokens)[int(tokens.label_map()[y, x]) - 1]


@pytest.fixture(scope="module")
def strict():
    """Halting at which the loop writes no token by itself."""
    return Halting(least_score=1.0)


@pytest.fixture(scope="module")
def coder(pipe):
    """The shipped tokenizer, which knows the statistics of its tokens."""
    return pipe.tokenizer


def test_a_box_is_where_the_token_is(pipe, picture, tokens, strict):
    alone = pipe.encode(picture, boxes=[CUBE], halting=strict)
    assert len(alone) == 2
    row = at(alone, 133, 160)
    assert (row.x, row.y, row.width, row.height) == pytest.approx((133, 157.5, 40, 49), abs=0.1)
    assert np.array_equal(np.asarray(pipe.decode(alone)), np.asarray(picture))
    with_the_rest = pipe.encode(picture, boxes=[CUBE])
    assert len(with_the_rest) == len(tokens), "the object that the box is of is not found twice"


def test_a_point_finds_its_object(pipe, picture, tokens, strict):
    truth = at(tokens, 64, 137)
    for point in ((64, 137), (58, 133)):
        found = pipe.encode(picture, points=[point], halting=strict)
        assert len(found) == 2
        row = at(found, 64, 137)
        assert abs(row.x - truth.x) < 5 and abs(row.y - truth.y) < 5 and abs(row.width - truth.width) < 8
    assert len(pipe.encode(picture, points=[(64, 137), (133, 160)])) == len(tokens)


@pytest.mark.parametrize("window", [(0, 48, 256, 224), (64, 0, 224, 256)], ids=["wide", "tall"])
def test_places_are_in_pixels_of_pictures_of_any_shape(pipe, picture, strict, window):
    part, (left, top, *_) = picture.crop(window), window
    x, y = 133 - left, 160 - top
    boxed = at(pipe.encode(part, boxes=[(CUBE[0] - left, CUBE[1] - top, *CUBE[2:])], halting=strict), x, y)
    assert (boxed.x, boxed.y, boxed.width, boxed.height) == pytest.approx((x, 157.5 - top, 40, 49), abs=0.1)
    pointed = at(pipe.encode(part, points=[(x, y)], halting=strict), x, y)
    assert abs(pointed.x - boxed.x) < 5 and abs(pointed.y - boxed.y) < 5 and abs(pointed.width - 40) < 8


def test_a_box_on_nothing_that_the_model_knows_can_be_moved(pipe, picture):
    found = pipe.encode(picture, boxes=[(20, 200, 40, 30)])
    index = int(found.label_map()[215, 40])
    assert index > 0 and (found.label_map() == index).sum() > 600
    assert float(found.score[0, index]) < SURE


@pytest.mark.parametrize(
    "asked, message",
    [
        ({"boxes": [(10, 10, 0, 5)]}, "is no box"),
        ({"boxes": [(240, 240, 90, 90)]}, "lies outside: the picture is 256 x 256"),
        ({"points": [(256, 3)]}, "point 256,3 lies outside"),
    ],
)
def test_what_lies_outside_is_refused(pipe, picture, asked, message):
    with pytest.raises(UserError, match=message):
        pipe.encode(picture, **asked)


def test_edits_take_boxes_and_points(vlegen, file, tmp_path):
    moved = tmp_path / "moved.png"
    assert vlegen("move", file, "--box", ",".join(map(str, CUBE)), "--dx", 15, "-o", moved).status == 0
    change = np.abs(np.asarray(Image.open(moved)).astype(int) - np.asarray(Image.open(file)).astype(int)).max(-1)
    assert change[140:175, 115:165].max() > 40 and not change[:90].any()
    assert vlegen("move", file, "--box", "200,200,40,40", "--dx", 3, "-o", tmp_path / "b.vle").status == 0, "a box is believed"
    for option, value in (("--box", "1,2,3"), ("--point", "here"), ("--box", "a,b,c,d")):
        refused = vlegen("tokens", file, option, value)
        assert refused.status == 2 and f"{option} {value}: expected X,Y" in refused.err
    vlegen("tokens", file, "--save", tmp_path / "t.vle")
    assert "holds tokens already" in vlegen("tokens", tmp_path / "t.vle", "--point", "3,4").err


@pytest.mark.parametrize("edit", [["move", "--dx", 9], ["remove"], ["recolor", "--to", "blue"]])
def test_bare_floor_that_is_pointed_at_is_refused(vlegen, file, tmp_path, edit):
    for point in ("220,220", "20,230"):
        refused = vlegen(edit[0], file, "--point", point, *edit[1:], "-o", tmp_path / "x.png")
        assert refused.status == 2 and refused.err.count("\n") == 1
        assert f"is at {point}" in refused.err and ("--box X,Y,W,H" in refused.err or "only the scene" in refused.err)
    assert [path.name for path in tmp_path.iterdir()] == ["img.png"]


def test_an_outline_missed_by_a_pixel_is_pointed_at_all_the_same(vlegen, file, tokens, tmp_path):
    labels = tokens.label_map()
    index = int(labels[160, 133])
    right = int(np.nonzero(labels[160] == index)[0].max())
    assert labels[160, right + 1] == 0
    assert vlegen("remove", file, "--point", f"{right + 1},160", "-o", tmp_path / "a.png").status == 0
    assert vlegen("remove", file, "--token", index, "-o", tmp_path / "b.png").status == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), np.asarray(Image.open(tmp_path / "b.png")))


def test_objects_that_the_loop_misses_may_be_pointed_at(pipe, scenes, strict):
    """What a person points at is edited wherever there is an object, though the loop by itself found none."""
    for scene in read_scenes(scenes):
        picture = Image.fromarray(scene.image)
        for number in np.unique(scene.labels[scene.labels > 0]):
            ys, xs = np.nonzero(scene.labels == number)
            if len(ys) < 150:
                continue
            middle = int(np.hypot(ys - ys.mean(), xs - xs.mean()).argmin())
            point = (float(xs[middle]), float(ys[middle]))
            found = pipe.encode(picture, points=[point], halting=strict)
            require_objects(found, [point], scene.name)
            assert found.label_map()[int(point[1]), int(point[0])] > 0


def test_most_tokens_keeps_those_that_say_most(pipe, picture, tokens):
    error = lambda kept: float(np.square(np.asarray(pipe.decode(kept, carry=False)).astype(float) - np.asarray(picture)).mean())
    kept = [pipe.encode(picture, halting=Halting(max_tokens=count)) for count in range(1, len(tokens) + 1)]
    assert [len(one) for one in kept] == list(range(1, len(tokens) + 1))
    assert all(a > b for a, b in zip(map(error, kept), map(error, kept[1:]), strict=False))
    assert torch.equal(kept[-1].what, tokens.what)
    for one in kept[:2]:
        assert np.array_equal(np.asarray(pipe.decode(one)), np.asarray(picture)), "what has no token is the scene's"
        assert one.label_map().max() == len(one) - 1


def test_tokens_have_to_be_worth_their_bits(coder, picture):
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    fine, coarse = (coder.encode(pixels, Halting(quality=quality)) for quality in (90, 0))
    assert len(coarse) <= len(fine) and len(coder.compress(coarse, 0)) < len(coder.compress(fine, 90))
    bits = coder.bits(fine, 90)
    assert len(bits) == len(fine) and min(bits) > 8
    assert sum(bits) / 8 == pytest.approx(len(coder.compress(fine, 90)), abs=12)
    with pytest.raises(UserError, match="expected 0 to 100"):
        Halting(quality=101)


def test_coded_files_are_read_by_every_command(pipe, coder, vlegen, file, tmp_path):
    from vle_gen.pipeline import VLEPipeline

    folder = tmp_path / "checkpoint"
    VLEPipeline(coder, pipe.prior, pipe.clip, pipe.scheduler).save_pretrained(folder)
    coded, plain = tmp_path / "c.vle", tmp_path / "p.vle"
    shown = vlegen("tokens", file, "--quality", 60, "--save", coded, "--no-carry", "--checkpoint", folder)
    assert shown.status == 0 and "bits" in shown.out and "bytes when coded" in shown.out
    assert vlegen("tokens", file, "--save", plain, "--no-carry").status == 0
    assert coded.stat().st_size < plain.stat().st_size / 10
    assert len(load_tokens(coder, coded)) == len(VLETokens.load(plain))
    assert vlegen("decode", coded, "-o", tmp_path / "c.png", "--checkpoint", folder).status == 0
    assert vlegen("move", coded, "--token", 1, "--dx", 5, "-o", tmp_path / "d.vle", "--checkpoint", folder).status == 0
    older = tmp_path / "older.vle"
    save_file({"coded": torch.from_numpy(np.frombuffer(coded_bytes(coded), np.uint8).copy())}, older, {"format": "vle-1"})
    assert len(load_tokens(coder, older)) == len(VLETokens.load(plain))
    for path in (coded, older):
        with pytest.raises(UserError, match="holds coded tokens .of --quality.*read_tokens"):
            VLETokens.load(path)
        assert vlegen("history", path).status == 0
    refused = vlegen("tokens", file, "--quality", 60, "--save", coded, "--checkpoint", folder)
    assert refused.status == 2 and "add --no-carry" in refused.err
    cut = tmp_path / "cut.vle"
    cut.write_bytes(coded.read_bytes()[:-3])
    refused = vlegen("decode", cut, "--checkpoint", folder)
    assert refused.status == 2 and "cut.vle" in refused.err and refused.err.count("\n") == 1


def unlike() -> dict[str, Image.Image]:
    """Pictures of kinds that the checkpoint was not trained on."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:160, :240]
    page = Image.new("RGB", (240, 160), (252, 250, 245))
    for line in range(10):
        words = "it was the best of times, it was"
        ImageDraw.Draw(page).text((10, 8 + 15 * line), words, (20, 20, 20), ImageFont.load_default(10))
    drawing = Image.new("RGB", (240, 160), "white")
    draw = ImageDraw.Draw(drawing)
    draw.rectangle((30, 70, 110, 140), (200, 80, 60), "black", 3)
    draw.polygon([(22, 70), (70, 20), (118, 70)], (120, 60, 40))
    draw.ellipse((170, 20, 210, 60), "orange")
    window = Image.new("RGB", (240, 160), (245, 245, 247))
    draw = ImageDraw.Draw(window)
    draw.rectangle((0, 0, 240, 14), (50, 54, 62))
    for k in range(3):
        draw.rounded_rectangle((10 + 76 * k, 30, 76 + 76 * k, 90), 6, "white", (200, 200, 200))
    return {
        "noise": Image.fromarray(random.integers(0, 256, (160, 240, 3), np.uint8)),
        "stripes": Image.fromarray((128 + 100 * np.sin(x / 5.0)[..., None] * np.ones(3)).astype(np.uint8)),
        "gradient": Image.fromarray(np.stack([x, y, 128 + 0 * x], -1).astype(np.uint8)),
        "page": page,
        "drawing": drawing,
        "screenshot": window,
    }


@pytest.mark.parametrize("kind", unlike())
def test_pictures_unlike_its_own_come_back_and_are_not_claimed_to_be_known(pipe, kind):
    picture = unlike()[kind]
    tokens = pipe.encode(picture)
    assert np.array_equal(np.asarray(pipe.decode(tokens)), np.asarray(picture))
    labels = tokens.label_map()
    assert labels.shape == (160, 240) and 0 <= labels.min() and labels.max() < len(tokens)
    assert (tokens.score[0, 1:] >= SURE).float().sum() <= 1


def test_what_is_known_is_sure(pipe, tokens, vlegen, file, tmp_path):
    assert (tokens.score[0, 1:] >= SURE).all()
    assert "unsure" not in vlegen("tokens", file).out
    unlike()["noise"].save(tmp_path / "noise.png")
    tokens = pipe.encode(unlike()["noise"])
    if len(tokens) > 1:
        assert f"of {len(tokens) - 1} unsure (?)" in vlegen("tokens", tmp_path / "noise.png").out


def test_refined_tokens_say_more_of_the_picture(pipe, picture, tokens, vlegen, tmp_path):
    def error(of: VLETokens) -> float:
        return np.square(np.asarray(pipe.decode(of, carry=False)).astype(float) - np.asarray(picture)).mean()

    refined = pipe.encode(picture, refine=4)
    assert error(refined) < 0.9 * error(tokens)
    assert torch.equal(refined.where, tokens.where) and torch.equal(refined.depth, tokens.depth)
    assert np.array_equal(np.asarray(pipe.decode(refined)), np.asarray(picture)), "the picture itself is carried as before"
    assert torch.equal(pipe.encode(picture, refine=4).what, refined.what), "the same picture, the same tokens"
    with torch.inference_mode():
        assert torch.allclose(pipe.encode(picture, refine=1).what, pipe.encode(picture, refine=1).what)
    assert not any(parameter.grad is not None for parameter in pipe.tokenizer.parameters())
    picture.save(tmp_path / "p.png")
    done = vlegen("tokens", tmp_path / "p.png", "--refine", 4, "--save", tmp_path / "t.vle")
    assert done.status == 0 and torch.equal(VLETokens.load(tmp_path / "t.vle").what, refined.what)
    refused = vlegen("tokens", tmp_path / "t.vle", "--refine", -1)
    assert refused.status == 2
    with pytest.raises(UserError, match="expected 0 or more"):
        pipe.encode(picture, refine=-1)


def test_a_picture_without_objects_is_refined_too(pipe):
    bare = Image.new("RGB", (96, 64), (130, 128, 126))
    tokens = pipe.encode(bare, refine=3)
    assert np.array_equal(np.asarray(pipe.decode(tokens)), np.asarray(bare))


def test_coded_files_keep_the_edits_that_made_them(vlegen, file, tmp_path):
    moved, coded, again = tmp_path / "moved.vle", tmp_path / "coded.vle", tmp_path / "again.vle"
    assert vlegen("move", file, "--token", "1", "--dx", "5", "-o", moved).status == 0
    assert vlegen("tokens", moved, "--save", coded, "--no-carry", "--quality", "60").status == 0
    assert vlegen("history", coded).out == "move 1 by 5,0\n"
    assert vlegen("move", coded, "--token", "2", "--dy", "3", "-o", again).status == 0
    assert vlegen("history", again).out == "move 1 by 5,0\nmove 2 by 0,3\n"
    assert vlegen("edit", file, "--replay", coded, "-o", tmp_path / "replayed.png").status == 0
