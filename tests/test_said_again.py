"""What is written down can be read again: histories, scripts, films' pace; and what is out of sight is not told of."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import editors
from editors.language import Edit, Selector, parse_edit
from editors.members import centre
from vle_gen.compositing.relighting import light_gain
from vle_gen.display.description import description
from vle_gen.pipeline import VLEPipeline
from vle_gen.segmentation.pointed import owner_at
from vle_gen.workflows import animation, batch, script
from vle_gen.workflows.animation import gif_times


@pytest.mark.parametrize("words", ["a red ball", "the \"red\" ball", "a cat's ball", "the \"red\" cat's ball"])
def test_an_edit_reads_as_it_was_written(words):
    edit = Edit("add", (Selector(words=words),), seed=3)
    again = parse_edit(str(edit))
    assert str(again) == str(edit) and again.which[0].words.replace('"', "'") == words.replace('"', "'")


def test_a_line_of_a_script_may_hold_several_edits(tmp_path):
    (tmp_path / "s.yaml").write_text("- move 1 by 10,0; remove 2\n- flip 1\n")
    assert [edit.verb for edit in script.read_script(tmp_path / "s.yaml")] == ["move", "remove", "flip"]


def test_what_is_typed_comes_after_the_script(tmp_path):
    (tmp_path / "s.yaml").write_text("- flip 1\n")
    (group,) = script.gathered(["remove 2"], tmp_path / "s.yaml", None)
    assert [str(edit) for edit in group] == ["flip 1", "remove 2"]


def test_several_things_go_to_a_place_together(pipe, tokens):
    moved = script.apply(pipe, tokens, script.parse_lines(["move 1 2 to 100,120"]), "img.png", pipe.encode)
    assert centre(moved, [1, 2]) == pytest.approx((100, 120), abs=0.01)
    apart = moved.where[0, 1:3, :2] - tokens.where[0, 1:3, :2]
    assert torch.allclose(apart[0], apart[1], atol=1e-5)


def test_two_pixels_beside_an_outline_are_still_pointed_at_it():
    labels = np.zeros((40, 40), int)
    labels[10:20, 10:20], labels[10:20, 22:30] = 1, 2
    assert owner_at(labels, (14, 14)) == 1
    assert owner_at(labels, (14, 21)) == 1 and owner_at(labels, (14, 22)) == 0
    assert owner_at(labels, (20, 15)) == 1 and owner_at(labels, (21, 15)) == 2, "what is nearer has more of it"


def test_results_in_a_folder_have_names_that_pictures_can_have(tmp_path):
    pictures = [Path(name) for name in ("a.gif", "b.JPG", "c.vle", "d.heic")]
    targets = batch.targets_of(pictures, None, tmp_path / "out")
    assert [path.name for path in targets] == ["a.png", "b.JPG", "c.vle", "d.png"]
    assert not (tmp_path / "out").exists(), "it is made with the first result"


def test_of_each_of_many_pictures_it_is_said_what_is_not_as_it_was_asked(pipe, tokens, file):
    tokens.save(file.with_name("t.vle"))
    groups = [script.parse_lines(["add 'a cube left of the red cube' at 230,200 seed 1"])]
    (made,) = batch.edit_files(pipe, [file.with_name("t.vle")], groups, [file.with_name("u.vle")])
    assert made.result == file.with_name("u.vle") and made.result.is_file()
    assert "is not quite what was asked: " in made.problem


@pytest.mark.parametrize("name", ["a.webp", "a.gif"])
def test_films_are_as_fast_as_they_were_asked_to_be(tmp_path, name):
    images = [Image.new("RGB", (32, 24), colour) for colour in ("red", "lime", "blue", "white")]
    film, times = Image.open(animation.write(images, tmp_path / name, 5)), []
    for frame in range(film.n_frames):
        film.seek(frame)
        film.load()
        times.append(film.info["duration"])
    assert times == [200] * 4 and film.info["loop"] == 0


@pytest.mark.parametrize("fps", [1, 12, 24, 60])
def test_films_keep_their_pace(fps):
    times = gif_times(48, fps)
    assert len(times) == 48 and min(times) >= 20 and all(time % 10 == 0 for time in times)
    assert sum(times) == pytest.approx(1000 * 48 / min(fps, 50), abs=10)


def test_what_left_the_picture_is_not_described(pipe, scenes):
    tokens = pipe.encode(Image.open(scenes / "300000.png"))
    before = description(pipe, tokens)
    first = before.objects[0]
    after = description(pipe, editors.move(tokens, 1, dx=600))
    assert first.sure and not after.objects[0].sure and after.text != before.text
    assert "Unsure" not in after.doubt or "token 1" not in after.doubt


def test_only_what_is_sure_is_related_and_by_its_own_number(pipe, tokens):
    score = tokens.score.clone()
    score[0, 1] = 0.1
    told = description(pipe, replace(tokens, score=score))
    related = {index for one in told.relations for index in (one.subject, one.object)}
    assert related and related <= {one.index for one in told.objects if one.sure} == {2, 3, 4}
    assert told.doubt.startswith("Unsure: perhaps ") and told.doubt.endswith(" (token 1).")
    none = description(pipe, replace(tokens, score=torch.full_like(score, 0.1)))
    assert none.text == "Nothing that the model is sure of." and none.doubt.startswith("Unsure: 4 more tokens")


@pytest.mark.parametrize("size", [(128, 256), (256, 128)])
def test_without_names_it_is_said_where_things_are_in_pictures_of_any_shape(pipe, tokens, size):
    height, width = size
    alone = replace(editors.remove(tokens, [2, 3, 4]).resized(256, 256), size=size)
    for x, y, said in (
        (0.1, 0.1, "top left corner"), (0.9, 0.9, "bottom right corner"), (0.5, 0.5, "middle"), (0.9, 0.1, "top right corner"),
    ):
        group = script.parse_lines([f"move 1 to {x * width:g},{y * height:g}"])
        moved = script.apply(pipe, alone, group, "img.png", pipe.encode)
        told = description(VLEPipeline(pipe.tokenizer), moved)
        assert said in told.objects[0].label and told.text == f"A {told.objects[0].label} (token 1)."


def test_a_moved_thing_takes_on_the_light_of_its_new_place_within_bounds():
    scene = torch.full((1, 3, 64, 64), 0.5)
    scene[..., 32:] = 0.55  # the right half is a little brighter
    left, right = torch.tensor([0.2, 0.5, 0.2, 0.2]), torch.tensor([0.8, 0.5, 0.2, 0.2])
    assert light_gain(scene, (64, 64), left, right) == pytest.approx(1.1) == 1 / light_gain(scene, (64, 64), right, left)
    assert light_gain(scene, (64, 64), left, left) == 1
    scene[..., 32:] = 1.0
    assert light_gain(scene, (64, 64), left, right) == 1.25 == 1 / light_gain(scene, (64, 64), right, left)
