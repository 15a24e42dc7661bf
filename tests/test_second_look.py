"""What a person points at in a picture unlike those that the everyday checkpoint knows: a second look finds it."""
from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from editors import move
from editors.language import Edit, Selector, parse_group
from vle_gen.encoding import Encoding
from vle_gen.errors import UserError
from vle_gen.segmentation import second_look
from vle_gen.segmentation.pointed import owner_at, owners_at
from vle_gen.tokenizer.fixation import apart_of, standing_at
from vle_gen.tokens import SURE, VLETokens
from vle_gen.workflows import files
from vle_gen.workflows.batch import edited, require_objects, tokens_for
from vle_gen.workflows.pointing import Shown, point_out
from vle_gen.workflows.script import find

ON_IT, AMONG_LEAVES = ((210, 150), (266, 190)), ((20, 300), (380, 40))


@pytest.fixture
def photo(beast) -> Image.Image:
    """The beast among its leaves."""
    return Image.fromarray(beast[0])


@pytest.fixture
def file(photo, tmp_path):
    """The beast's picture on disk."""
    photo.save(tmp_path / "beast.png")
    return tmp_path / "beast.png"


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("point", ON_IT)
def test_what_is_pointed_at_is_found_whole_and_alone(everyday_pipe, beast, photo, file, point):
    _, mask = beast
    found = everyday_pipe.encode(photo, points=[point])
    assert overlap(found.label_map() == owner_at(found.label_map(), point), mask) > 0.9
    edited = tokens_for(everyday_pipe, file, parse_group(f"remove @{point[0]},{point[1]}"))
    assert np.array_equal(edited.label_map(), found.label_map()), "edits by a point mean the same object"


def test_a_film_shows_what_the_same_edit_makes(vlegen, file, tmp_path):
    said, film, made = f"move @{ON_IT[0][0]},{ON_IT[0][1]} by 60,10", tmp_path / "a.webp", tmp_path / "made.png"
    assert vlegen("edit", file, said, "-o", made, "--checkpoint", "everyday").status == 0
    assert vlegen("animate", file, said, "--frames", 2, "-o", film, "--checkpoint", "everyday").status == 0
    with Image.open(film) as shown, Image.open(made) as expected:
        shown.seek(1)
        off = np.asarray(shown.convert("RGB")).astype(float) - np.asarray(expected.convert("RGB"))
    assert np.abs(off).mean() < 4


def test_what_is_pasted_is_pointed_at_in_its_own_picture(vlegen, picture, beast, file, tmp_path):
    picture.save(tmp_path / "img.png")
    for said in (f"@{ON_IT[0][0]},{ON_IT[0][1]}", "@85,35,220,260"):
        edit, made = f"paste {said} from {file}", tmp_path / "made.vle"
        done = vlegen("edit", tmp_path / "img.png", edit, "-o", made, "--checkpoint", "everyday")
        assert done.status == 0, done.err
        pasted = VLETokens.load(made)
        detail, index = pasted.detail_of(len(pasted) - 1), int(pasted.source[0, -1])
        assert overlap(detail.owner.numpy() == index, beast[1]) > 0.9


def test_two_points_on_one_thing_are_one_thing(everyday_pipe, photo):
    once, twice = (everyday_pipe.encode(photo, points=points) for points in (ON_IT[:1], ON_IT))
    assert len(once) == len(twice) and np.array_equal(once.label_map(), twice.label_map())


@pytest.mark.parametrize("point", AMONG_LEAVES)
def test_among_leaves_there_is_nothing(everyday_pipe, file, point):
    with pytest.raises(UserError, match="no object of .* is at"):
        tokens = tokens_for(everyday_pipe, file, parse_group(f"remove @{point[0]},{point[1]}"))
        find(everyday_pipe, tokens, Selector(point=point), "it")


def test_a_box_that_a_person_draws_is_believed_before_a_point_in_it(everyday_pipe, file):
    told, edit = Encoding(boxes=((190, 60, 120, 175),)), f"remove @{ON_IT[0][0]},{ON_IT[0][1]}"
    boxed, both = (
        tokens_for(everyday_pipe, file, parse_group(said), told) for said in ("remove 1", edit)
    )
    index = owner_at(boxed.label_map(), ON_IT[0])
    assert index and float(boxed.score[0, index]) < SURE
    assert np.array_equal(both.label_map(), boxed.label_map())


def test_a_tap_in_the_studio_says_the_same_as_a_box_does(everyday_pipe, beast, photo):
    _, mask = beast
    tokens = everyday_pipe.encode(photo)
    seen = point_out(everyday_pipe, tokens, Selector(point=ON_IT[0]), "beast.png", Shown())
    assert overlap(seen.tokens.label_map() == seen.index, mask) > 0.9
    (box,) = seen.shown.encoding.boxes
    again = everyday_pipe.encode(photo, boxes=[box])
    assert np.array_equal(again.label_map(), seen.tokens.label_map())
    twice = point_out(everyday_pipe, seen.tokens, Selector(point=ON_IT[0]), "beast.png", seen.shown)
    assert twice.tokens is seen.tokens and twice.index == seen.index, "what was pointed out stays what it is"


def test_sure_tokens_are_what_is_pointed_at(everyday_pipe, photo):
    """Nothing is looked at again where a token is sure, nor in a picture of things that the model knows."""
    tokens = everyday_pipe.encode(photo)
    sure = dataclasses.replace(tokens, score=torch.full_like(tokens.score, 0.9))
    index = owner_at(sure.label_map(), ON_IT[0])
    assert index, "a token has some of the beast"
    seen = point_out(everyday_pipe, sure, Selector(point=ON_IT[0]), "beast.png", Shown())
    assert seen.tokens is sure and seen.index == index


def test_solids_are_not_looked_at_again(pipe, picture, tokens):
    """The checkpoint of one world has no strange pictures."""
    unsure = dataclasses.replace(tokens, score=torch.full_like(tokens.score, 0.2))
    seen = point_out(pipe, unsure, Selector(point=(64, 137)), "img.png", Shown())
    assert seen.tokens is unsure


def test_colours_that_are_beside_a_thing_do_not_tell_it_apart():
    picture, mask = torch.zeros(3, 40, 60), torch.zeros(40, 60, dtype=torch.bool)
    mask[10:30, 20:40] = True
    assert apart_of(picture, mask) == 0
    picture[0, mask] = 0.8
    assert apart_of(picture, mask) == pytest.approx(1)
    picture[0, 10:30, 30:40] = 0
    assert apart_of(picture, mask) == pytest.approx(0.5)
    assert apart_of(picture, torch.zeros_like(mask)) == apart_of(picture, torch.ones_like(mask)) == 0


def test_on_plain_paper_nothing_stands_out(everyday_pipe):
    net, paper = everyday_pipe.tokenizer.network, torch.full((3, 120, 160), 0.9)
    for standing in standing_at(net, paper, [(80.0, 60.0), (0.0, 0.0), (159.5, 119.5)]):
        assert standing is None or standing.worth < 0.1


def test_where_nothing_is_found_a_box_is_advised(tokens):
    """Also where the token that was written for a point came to lie beside it."""
    assert owner_at(tokens.label_map(), (2, 2)) == 0
    with pytest.raises(UserError, match="is at 2,2 .*--box X,Y,W,H instead of --point"):
        require_objects(tokens, [(2, 2)], "img.png")


def test_a_point_beside_the_picture_is_said_to_be_that_also_where_nothing_is_found(vlegen, tmp_path):
    Image.new("RGB", (120, 80), (128, 128, 128)).save(tmp_path / "grey.png")
    ran = vlegen("remove", tmp_path / "grey.png", "--point", "130,10")
    assert ran.status == 2 and "130,10 lies outside" in ran.err and "120 x 80" in ran.err


def test_points_may_be_lists_or_an_array(everyday_pipe, photo):
    told = everyday_pipe.encode(photo, points=ON_IT[:1]).label_map()
    for points in ([list(ON_IT[0])], np.array(ON_IT[:1])):
        assert np.array_equal(everyday_pipe.encode(photo, points=points).label_map(), told)


def test_numbers_beside_a_point_are_those_that_were_listed(everyday_pipe, photo, file):
    x, y = ON_IT[0]
    listed = everyday_pipe.encode(photo)
    assert owner_at(listed.label_map(), (x, y)), "a token has some of the beast"
    found = tokens_for(everyday_pipe, file, parse_group(f"move 1 by 5,0; remove @{x},{y}"))
    assert np.array_equal(found.label_map(), listed.label_map())


def test_what_a_point_adds_is_numbered_after_what_was_listed(everyday_pipe, beast, tmp_path):
    """Also where it is nearer than what was listed, which is listed near to far."""
    file, point = tmp_path / "upside_down.png", (338, 34)
    Image.fromarray(beast[0][::-1]).save(file)
    with Image.open(file) as photo:
        listed = everyday_pipe.encode(photo)
    assert not owner_at(listed.label_map(), point)
    alone, beside = (tokens_for(everyday_pipe, file, parse_group(said + "remove @338,34")) for said in ("", "move 1 by 5,0; "))
    index, count = owner_at(alone.label_map(), point), len(listed)
    assert not torch.equal(alone.where[0, :count], listed.where[0])
    assert torch.equal(beside.where[0, :count], listed.where[0]) and len(beside) == count + 1
    assert np.array_equal(beside.label_map() == count, alone.label_map() == index)
    mine = beside.label_map() < count
    assert np.array_equal(beside.label_map()[mine], listed.label_map()[mine])
    assert np.array_equal(np.asarray(everyday_pipe.decode(beside)), beast[0][::-1])


def test_an_edit_by_a_box_is_done_again_by_that_box(everyday_pipe, file):
    """Its middle alone would show another thing, or another part of it."""
    box = (190.0, 60.5, 120.0, 175.0)
    (edit,) = parse_group("remove @190,60.5,120,175")
    assert edit == Edit("remove", (Selector(box=box),))
    done = edited(everyday_pipe, file, [(edit,)], encoding=Encoding(boxes=(box,)))
    again = edited(everyday_pipe, file, [parse_group(line) for line in done.history])
    assert again.history == done.history and np.array_equal(again.label_map(), done.label_map())
    assert np.array_equal(np.asarray(everyday_pipe.decode(again)), np.asarray(everyday_pipe.decode(done)))


def test_owners_at_points_are_those_of_the_label_map(everyday_pipe, photo):
    tokens = move(everyday_pipe.encode(photo), 1, dx=30, dy=-12)
    height, width = tokens.size
    points = [(x, y) for x in (0, 1, 90, 200, 203, width - 2, width - 0.5) for y in (0, 60, 62, 150, height - 1)]
    labels = tokens.label_map()
    assert owners_at(tokens, points) == [owner_at(labels, point) for point in points] and owners_at(tokens, []) == []


def test_what_is_thinner_than_a_pixel_has_a_box_of_one(everyday_pipe):
    """In a small picture glimpses see finer than its pixels are."""
    leaves = np.random.default_rng(6).integers(40, 160, size=(22, 22, 3)).astype(np.uint8)
    seen = np.array(Image.fromarray(leaves).resize((130, 130), Image.Resampling.BICUBIC))
    seen[63:68, 65] = 250, 240, 20
    picture = torch.from_numpy(seen).permute(2, 0, 1).float() / 255
    (standing,) = standing_at(everyday_pipe.tokenizer.network, picture, [(65, 65)])
    assert min(standing.box[2:]) == 1
    found = everyday_pipe.encode(Image.fromarray(seen), points=[(65, 65)])
    assert owner_at(found.label_map(), (65, 65))


def test_each_point_is_looked_at_again_once(everyday_pipe, beast, photo, monkeypatch):
    """Else several points of a picture would each cost as many looks as there are points."""
    looks, looked = [], second_look.standing_at
    monkeypatch.setattr(second_look, "standing_at", lambda *said: looks.append(said[2]) or looked(*said))
    points = [ON_IT[0], *AMONG_LEAVES]
    found = everyday_pipe.encode(photo, points=points)
    assert overlap(found.label_map() == owner_at(found.label_map(), ON_IT[0]), beast[1]) > 0.9
    assert sorted(point for some in looks for point in some) == sorted(points)


def test_the_file_of_a_picture_is_read_once_however_often_it_is_looked_at(everyday_pipe, file, monkeypatch):
    read, opened, looks = files.open_image, [], []
    monkeypatch.setattr(files, "open_image", lambda path: opened.append(path) or read(path))
    encode = everyday_pipe.encode
    monkeypatch.setattr(everyday_pipe, "encode", lambda *said: looks.append(said) or encode(*said))
    tokens_for(everyday_pipe, file, parse_group(f"remove @{ON_IT[0][0]},{ON_IT[0][1]}"))
    assert len(looks) > 1 and opened == [file]
