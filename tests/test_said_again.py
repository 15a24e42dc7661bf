"""What is written down can be read again: histories, scripts, films' pace; and what is out of sight is not told of."""
from __future__ import annotations

import pytest
from PIL import Image

import editors
from editors.language import Edit, Selector, parse_edit
from vle_gen import script
from vle_gen.animation import gif_times
from vle_gen.description import description


@pytest.mark.parametrize("words", ["a red ball", "the \"red\" ball", "a cat's ball", "the \"red\" cat's ball"])
def test_an_edit_reads_as_it_was_written(words):
    edit = Edit("add", (Selector(words=words),), seed=3)
    again = parse_edit(str(edit))
    assert str(again) == str(edit) and again.which[0].words.replace('"', "'") == words.replace('"', "'")


def test_a_line_of_a_script_may_hold_several_edits(tmp_path):
    (tmp_path / "s.yaml").write_text("- move 1 by 10,0; remove 2\n- flip 1\n")
    assert [edit.verb for edit in script.read_script(tmp_path / "s.yaml")] == ["move", "remove", "flip"]


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
