"""Writing into pictures: one more object, another in the place of one, and things put where the user says."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from editors.rows import box
from prompts import parse
from vle_gen.errors import UserError
from vle_gen.generation import writing
from vle_gen.generation.chosen_places import Place, turns_of, with_places
from vle_gen.standing import Floor, Standing, clashes, standings
from vle_gen.tokenizer.render import SHADOWS_END, widened


def pixels(image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def same_but_last(before, after) -> bool:
    names = ("what", "where", "depth", "kind", "scope", "score", "source")
    return all(torch.equal(getattr(before, n), getattr(after, n)[:, : len(before)]) for n in names)


def test_what_is_added_leaves_all_else_as_it_is(pipe, tokens, picture):
    added = pipe.add(tokens, "a small red ball", at=(200, 190), generator=seeded(0), tries=8)
    assert len(added) == len(tokens) + 1 and same_but_last(tokens, added)
    assert added.history == (*tokens.history, "add 'a small red ball' at 200,190 seed 0")
    side = max(tokens.size)
    assert added.where[0, -1, :2].tolist() == pytest.approx([200 / side, 190 / side], abs=1e-6)
    before, after = pixels(picture), pixels(pipe.decode(added))
    changed = (before != after).any(-1)
    cx, cy, w, h = (float(v) * side for v in widened(added.where[0, -1], SHADOWS_END))
    ys, xs = np.nonzero(changed)
    assert changed.any() and (abs(ys - cy) <= h / 2 + 2).all() and (abs(xs - cx) <= w / 2 + 2).all()
    again = pipe.add(tokens, "a small red ball", at=(200, 190), generator=seeded(0), tries=8)
    assert torch.equal(again.what, added.what)


def test_places_and_sizes_are_in_pixels_of_pictures_of_any_shape(pipe, picture):
    wide = pipe.encode(picture.crop((0, 48, 256, 224)))
    written = writing.add(pipe, wide, "a ball", at=(4, 150), size=30, generator=seeded(0), tries=1)
    new = box(written.tokens, written.index)
    assert (new.x, new.y) == pytest.approx((4, 150), abs=0.01)
    assert (new.width * new.height) ** 0.5 == pytest.approx(30, rel=1e-3)
    assert "is cut by the edge of the picture" not in written.problems, "who says where it goes may have it cut"


def test_the_prior_finds_a_free_place_on_the_floor(pipe, tokens):
    for seed in range(2):
        written = writing.add(pipe, tokens, "a cube", generator=seeded(seed), tries=8)
        *others, new = standings(written.tokens)
        assert not clashes(new, others) and Floor.of(tokens).fits(new), written.problems
        assert not [line for line in written.problems if "stands" in line]


def test_an_added_object_stands_where_the_phrase_says(pipe, tokens):
    cube = pipe.find(tokens, "the red cube")
    written = writing.add(pipe, tokens, "a ball behind the red cube", generator=seeded(1), tries=8)
    assert written.tokens.depth[0, -1] > tokens.depth[0, cube]
    written = writing.add(pipe, tokens, "a ball left of the red cube", generator=seeded(1), tries=8)
    assert written.tokens.where[0, -1, 0] < tokens.where[0, cube, 0]


def test_another_object_in_its_place(pipe, tokens, picture):
    ball = pipe.find(tokens, "the red ball")
    other = pipe.replace(tokens, ball, "a cylinder", generator=seeded(0), tries=8)
    assert len(other) == len(tokens) and torch.equal(other.depth, tokens.depth)
    assert torch.equal(other.where, tokens.where)
    rest = [k for k in range(len(tokens)) if k != ball]
    assert torch.equal(other.what[0, rest], tokens.what[0, rest]) and not torch.equal(other.what[0, ball], tokens.what[0, ball])
    changed = (pixels(pipe.decode(other)) != pixels(picture)).any(-1)
    assert changed[130:146, 58:70].any() and not changed[:, 170:].any()


@pytest.mark.parametrize("phrase, why", [
    ("two red balls", "one object"),
    ("a ball behind the cyan cube", "not in the picture, 'cyan cube'"),
    ("behind the cube", "does not describe an object"),
    ("a dragon", "dragon"),
])
def test_what_cannot_be_added(pipe, tokens, phrase, why):
    with pytest.raises(UserError, match=why):
        pipe.add(tokens, phrase)


def test_places_and_tokens_that_are_not_there(pipe, tokens):
    with pytest.raises(UserError, match="not in the picture"):
        pipe.add(tokens, "a ball", at=(300, 20))
    with pytest.raises(UserError, match="300 pixels"):
        pipe.add(tokens, "a ball", size=300)
    for index in (0, 9):
        with pytest.raises(UserError, match=f"token {index}"):
            pipe.replace(tokens, index, "a ball")


def test_add_and_replace_from_the_command_line(vlegen, file, tmp_path):
    done = vlegen("add", file, "a green ball", "--at", "200,180", "--tries", 8)
    assert done.status == 0 and done.out.strip() == str(file.with_name("img-added.png"))
    changed = (pixels(Image.open(file.with_name("img-added.png"))) != pixels(Image.open(file))).any(-1)
    assert changed[175:185, 195:205].all() and not changed[:, :140].any()
    done = vlegen("replace", file, "--object", "the red ball", "a cube", "--tries", 8, "-o", tmp_path / "r.vle")
    assert done.status == 0 and (tmp_path / "r.vle").exists()
    for at in ("somewhere", "nan,80"):
        refused = vlegen("add", file, "a ball", "--at", at)
        assert refused.status == 2 and f"--at: {at!r} is no place: expected X,Y in pixels" in refused.err


# Places chosen for txt2img


def test_a_place_is_kept_to_the_pixel(pipe):
    places = [Place("red ball", 0.25, 0.6), Place("cube", 0.7, 0.5, 0.15)]
    result = pipe("red ball left of a cube", num_images_per_prompt=3, generator=seeded(0), places=places, tries=2)
    for written in result.tokens:
        for place in places:
            distance = (written.where[0, 1:, :2] - torch.tensor([place.x, place.y])).norm(dim=1)
            assert distance.min() < 1e-5
        sized = (written.where[0, 1:, :2] - torch.tensor([0.7, 0.5])).norm(dim=1).argmin() + 1
        assert float(written.where[0, sized, 2:].prod().sqrt()) == pytest.approx(0.3, rel=1e-4)


def test_places_belong_to_things_of_the_prompt():
    ball, cube = Place("red ball", 0.2, 0.5), Place("cube", 0.7, 0.5)
    assert turns_of(parse("two cubes and a red ball"), [ball, cube, cube]) == (3, 1, 2)
    assert with_places("two cubes and a red ball", [ball, cube]) == "two cubes and a red ball"
    assert with_places("a cube", [ball, cube]) == "a cube, red ball"
    assert with_places("", [ball, cube]) == "red ball, cube"
    assert with_places("cube of of", [ball]) == "red ball, cube of of" and turns_of(None, [ball]) == (1,)


@pytest.mark.parametrize(
    "text", ["red ball", "red ball@", "@0.2,0.3", "ball@0.2", "ball@2,0.5", "ball@a,b", "ball@0.1,0.2,0.3,0.4"]
)
def test_what_is_no_place(text):
    with pytest.raises(UserError, match="is no place"):
        Place.read(text)
    assert Place.read("red ball@0.25,0.6,0.2") == Place("red ball", 0.25, 0.6, 0.2)


def test_txt2img_puts_things_where_they_are_asked_for(vlegen, tmp_path):
    done = vlegen("txt2img", "--place", "ball@0.3,0.6", "--seed", 1, "-o", tmp_path / "p.png", "--save", tmp_path / "p.vle")
    assert done.status == 0, done.err
    from vle_gen.tokens import VLETokens

    where = VLETokens.load(tmp_path / "p.vle").where[0, 1:, :2]
    assert (where - torch.tensor([0.3, 0.6])).norm(dim=1).min() < 1e-5
    assert vlegen("txt2img", "--place", "ball@1.3,0.6").status == 2


def test_what_stands_in_another():
    ball = Standing(0.5, 0.5, 0.1, 0.1, 10.0)
    assert ball.inside(Standing(0.52, 0.5, 0.1, 0.1, 10.1))
    assert not ball.inside(Standing(0.52, 0.45, 0.1, 0.1, 12.0)), "far behind it"
    assert not ball.inside(Standing(0.62, 0.5, 0.1, 0.1, 10.0)), "beside it"


def test_what_is_replaced_may_be_pointed_at_or_boxed(vlegen, file, tmp_path):
    """The ball: token 2, whose pixel (64, 137) is, in a box that the cylinder behind it is not in."""
    drawn = []
    for named in (("--token", 2), ("--point", "64,137"), ("--box", "52,125,24,27")):
        target = tmp_path / f"{len(drawn)}.png"
        assert vlegen("replace", file, *named, "a blue cube", "--tries", 1, "-o", target).status == 0
        drawn.append(target.read_bytes())
    assert drawn[0] == drawn[1]
    both = vlegen("replace", file, "--token", 2, "--point", "64,137", "a blue cube")
    assert both.status == 2 and "replace takes one object" in both.err
