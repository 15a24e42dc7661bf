"""The Python interface on the shipped checkpoint: pictures come back, moves are pure and local, any picture will do."""
from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

import vle_gen
from editors import move
from vle_gen.errors import UserError
from vle_gen.tokens import VLETokens


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def owner(tokens: VLETokens, x: int, y: int) -> int:
    """The token at a pixel."""
    return int(np.asarray(tokens.label_map())[y, x])


def test_the_objects_are_found(tokens, scenes):
    truth = np.asarray(Image.open(scenes / "300000.mask.png").convert("RGBA"))[..., 0] // 16
    found = np.asarray(tokens.label_map())
    assert found.shape == truth.shape and len(tokens) == 5
    for label in range(1, 5):
        mask = truth == label
        token = np.bincount(found[mask]).argmax()
        assert token > 0
        assert (mask & (found == token)).sum() / (mask | (found == token)).sum() > 0.6
    assert sorted(set(np.unique(found))) == [0, 1, 2, 3, 4]
    depth = tokens.depth[0, 1:5]
    assert (depth[1:] >= depth[:-1]).all(), "objects are listed from near to far"


def test_decode_gives_the_picture_back_and_says_what_tokens_say_alone(pipe, tokens, picture):
    assert np.array_equal(pixels(pipe.decode(tokens)), pixels(picture))
    alone = pixels(pipe.decode(tokens, carry=False))
    error = np.abs(alone - pixels(picture))
    assert 0 < error.mean() < 12


@pytest.mark.parametrize("size", [(480, 320), (320, 480), (1000, 300), (61, 47), (9, 8), (1600, 1200)])
def test_any_size_comes_back_exactly(pipe, picture, size):
    resized = picture.resize(size)
    found = pipe.encode(resized)
    assert np.asarray(found.label_map()).shape == size[::-1]
    assert np.array_equal(pixels(pipe.decode(found)), pixels(resized))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_any_mode_is_encoded(pipe, picture, mode):
    converted = picture.convert(mode)
    decoded = pipe.decode(pipe.encode(converted))
    assert np.abs(pixels(decoded) - pixels(converted)).mean() < 2


def test_a_move_touches_its_part_alone_and_carries_detail(pipe, tokens, picture):
    ball = owner(tokens, 64, 137)
    after = pixels(pipe.decode(move(tokens, ball, dx=20, dy=60)))
    before = pixels(picture)
    ys, xs = np.nonzero(np.asarray(tokens.label_map()) == ball)
    was, now = before[ys, xs], after[ys + 60, xs + 20]
    gain = (now * was).sum() / (was * was).sum()
    assert 0.8 <= gain <= 1.25 and np.abs(now - gain * was).mean() < 2, "the ball looks as it did, in the light 20 and 60 on"
    hole = np.abs(after[138:146, 58:70] - before[138:146, 58:70]).mean()
    assert hole > 10, "what it covered is no longer the ball"
    changed = (after != before).any(-1)
    assert not changed[:, 165:].any() and not changed[:75].any()


def test_moves_are_pure_and_undo_one_another(pipe, tokens, picture):
    ball = owner(tokens, 64, 137)
    where = tokens.where.clone()
    there = move(tokens, ball, dx=20, dy=0)
    assert torch.equal(tokens.where, where) and there is not tokens
    back = pipe.decode(move(there, ball, dx=-20, dy=0))
    assert np.abs(pixels(back) - pixels(picture)).max() <= 2
    assert np.array_equal(pixels(pipe.decode(move(tokens, ball, dx=0, dy=0))), pixels(picture))
    with pytest.raises(dataclasses.FrozenInstanceError):
        tokens.where = where


def test_a_move_off_the_edge_leaves_the_floor(pipe, tokens):
    ball = owner(tokens, 64, 137)
    gone = pixels(pipe.decode(move(tokens, ball, dx=-500, dy=0)))
    assert gone.shape == (256, 256, 3)
    red = (gone[125:150, 50:79, 0] > gone[125:150, 50:79, 2] + 60).mean()
    assert red < 0.1


def test_a_move_behind_a_nearer_object_is_hidden_by_it(pipe, tokens, picture):
    cylinder, cube = owner(tokens, 60, 100), owner(tokens, 133, 160)
    assert cylinder != cube
    after = pixels(pipe.decode(move(tokens, cylinder, dx=69, dy=48)))
    assert np.abs(after[150:170, 125:143] - pixels(picture)[150:170, 125:143]).mean() < 3


def test_what_an_edit_hides_keeps_its_name(pipe, tokens):
    cylinder, cube = owner(tokens, 60, 100), owner(tokens, 133, 160)
    hidden = move(tokens, cylinder, dx=69, dy=48)
    assert (hidden.label_map() == cylinder).sum() < 0.5 * (tokens.label_map() == cylinder).sum()
    assert pipe.name_tokens(hidden) == pipe.name_tokens(tokens)
    assert pipe.find(hidden, "the brown cylinder") == cylinder and pipe.find(hidden, "the large red cube") == cube


@pytest.mark.parametrize("index", [0, 99, -1])
def test_moving_what_cannot_be_moved_says_why(tokens, index):
    with pytest.raises(UserError, match="token"):
        move(tokens, index, dx=1, dy=0)


def test_objects_have_names(pipe, tokens):
    names = pipe.name_tokens(tokens)
    assert len(names) == len(tokens)
    ball = owner(tokens, 64, 137)
    assert "red" in names[ball] and ("ball" in names[ball] or "sphere" in names[ball])
    assert pipe.find(tokens, "the red ball") == ball
    assert pipe.find(tokens, "brown cylinder") == owner(tokens, 60, 100)
    with pytest.raises(UserError):
        pipe.find(tokens, "the cyan cylinder")


def test_a_vle_file_holds_it_all(pipe, tokens, picture, tmp_path):
    with pytest.raises(UserError, match="cannot write .*expected a folder that exists"):
        tokens.save(tmp_path / "nowhere" / "a.vle")
    tokens.save(tmp_path / "a.vle")
    read = VLETokens.load(tmp_path / "a.vle")
    assert torch.equal(read.what, tokens.what.cpu()) and torch.equal(read.where, tokens.where.cpu())
    assert tuple(read.size) == tuple(tokens.size) and read.checkpoint == tokens.checkpoint
    assert np.array_equal(pixels(pipe.decode(read)), pixels(picture))
    tokens.save(tmp_path / "b.vle", carry=False)
    alone = pipe.decode(VLETokens.load(tmp_path / "b.vle"))
    assert np.array_equal(pixels(alone), pixels(pipe.decode(tokens, carry=False)))


@pytest.mark.parametrize("field", ["what", "where", "depth", "kind", "length"])
def test_a_wrong_field_is_named(tokens, field):
    value = getattr(tokens, field)
    wrong = value + 1000 if field == "length" else value[0]
    with pytest.raises(UserError, match=f"^{field} "):
        dataclasses.replace(tokens, **{field: wrong})


def ball_left_of_cube(pipe, written: VLETokens) -> bool:
    """Whether the tokens show what their prompt says, by the names that CLIP gives them."""
    names = pipe.name_tokens(written)
    x = [float(v) for v in written.where[0, :, 0]]
    balls = [x[k] for k, name in enumerate(names) if "red" in name and ("sphere" in name or "ball" in name)]
    cubes = [x[k] for k, name in enumerate(names) if "cube" in name]
    return any(ball < cube for ball in balls for cube in cubes)


def test_text_makes_pictures_and_tokens(pipe):
    def draw(seed):
        generator = torch.Generator().manual_seed(seed)
        return pipe("red ball left of a cube", num_images_per_prompt=4, generator=generator)

    result = draw(0)
    assert [image.size for image in result.images] == [(256, 256)] * 4 and len(result.tokens) == 4
    assert np.array_equal(pixels(result.images[1]), pixels(draw(0).images[1]))
    assert not np.array_equal(pixels(result.images[0]), pixels(draw(1).images[0]))
    assert sum(ball_left_of_cube(pipe, written) for written in result.tokens) >= 3


@pytest.mark.parametrize("prompt", ["", "   ", "a red zeppelin"])
def test_prompts_that_cannot_be_drawn(pipe, prompt):
    with pytest.raises(UserError):
        pipe(prompt)


def test_save_and_load_the_pipeline(pipe, picture, tokens, tmp_path):
    pipe.save_pretrained(tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.suffix in (".bin", ".pt", ".pkl", ".pth")]
    again = vle_gen.VLEPipeline.from_pretrained(tmp_path)
    assert torch.allclose(again.encode(picture).where, tokens.where, atol=1e-5)
    prompt = dict(prompt="a blue cube", generator=torch.Generator().manual_seed(1))
    first = pipe(**prompt).images[0]
    prompt["generator"] = torch.Generator().manual_seed(1)
    assert np.array_equal(pixels(again(**prompt).images[0]), pixels(first))
    assert np.array_equal(pixels(vle_gen.load(tmp_path).decode(tokens)), pixels(picture))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(prompt=[]), "no prompt"),
        (dict(prompt="a red ball", generator=3), "torch.Generator"),
        (dict(prompt="a red ball", guidance_scale=-1.0), "guidance_scale is -1.0"),
        (dict(prompt="a red ball", guidance_scale=float("nan")), "guidance_scale is nan"),
    ],
)
def test_what_no_picture_can_be_drawn_from_is_said(pipe, given, said):
    with pytest.raises(UserError, match=said):
        pipe(**given)


def test_what_is_no_picture_no_mask_or_no_device_is_said(pipe, picture):
    for wrong in ("img.png", np.zeros((64, 64, 3), np.uint8)):
        with pytest.raises(UserError, match="expected a PIL"):
            pipe.encode(wrong)
    with pytest.raises(UserError, match="array of numpy"):
        pipe.encode(picture, masks=[torch.ones(picture.size[::-1], dtype=torch.bool)])
    with pytest.raises(UserError, match="device 'bogus' is not available"):
        vle_gen.load(device="bogus")
