"""Edits from the command line: one at a time, composed, from scripts, replayed, as films; and one line for each misuse."""
from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from editors import move, remove
from editors.language import parse_edit, parse_group
from editors.rows import box
from vle_gen.errors import UserError
from vle_gen.imaging.colours import colour_named
from vle_gen.tokens import VLETokens
from vle_gen.workflows import animation


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.fixture
def vle(tokens, tmp_path):
    """The scene's tokens as a file."""
    tokens.save(tmp_path / "t.vle")
    return tmp_path / "t.vle"


@pytest.mark.parametrize(
    "text",
    [
        "move 3 by 20,0",
        "move 3 'the red ball' @64,137 to 120,80 in perspective",
        "resize 2 by 1.5",
        "remove 1 2",
        "duplicate 3 by -40,12.5",
        "swap 3 4",
        "raise 2",
        "lower 2",
        "flip all",
        "align 1 2 3 bottom",
        "distribute 1 2 3 vertically",
        "recolor 2 to blue",
        "recolor 2 by -120",
        "recolor 2 to #3366cc",
        "paste 3 from 'a b.png' to 10,20",
        "add 'a green cylinder behind the cube' at 120,80 size 40 seed 7",
        "replace 3 with 'a blue cube' seed 0",
    ],
)
def test_an_edit_is_written_as_it_is_read(text):
    assert str(parse_edit(text)) == text


def test_people_may_say_it_in_other_ways():
    assert parse_edit("recolour the red ball to Blue") == parse_edit("recolor 'the red ball' to Blue")
    assert str(parse_edit("swap 3 with 4")) == str(parse_edit("Swap 3 and 4")) == "swap 3 4"
    assert str(parse_edit("move 2,3 by 1,2")) == "move 2 3 by 1,2"
    assert str(parse_edit("delete the cube and the red ball")) == "remove 'the cube' 'the red ball'"
    assert str(parse_edit("replace the cube with a red ball")) == "replace 'the cube' with 'a red ball'"
    assert [str(edit) for edit in parse_group("flip 1; move 'a; b' by 1,2;")] == ["flip 1", "move 'a; b' by 1,2"]


MISUSED = {
    "mve 3 by 2,0": "'mve'",
    "move 3 buy 20,0": "'buy'",
    "move 3 by 20": "'20' is no step",
    "move 3 by twenty,0": "'twenty,0'",
    "move 3": "'by' or 'to'",
    "move by 3,4": "which object",
    "move 3 by 1,2 to 3,4": "both",
    "move 3 by": "nothing follows 'by'",
    "resize 3 by big": "'big' is no number",
    "swap 3": "2 objects",
    "raise 3 4": "one object",
    "align 3 4 sideways": "'sideways'",
    "align 3 4": "left, right",
    "remove 3 now": "'now'",
    "move 3 by 2,0 now": "'now'",
    "remove 'the red ball": "quote",
    "remove ''": "between the quotes",
    "remove @x,2": "'x,2'",
    "paste 3": "'from'",
    "add 3": "what to add",
    "add 'a cube' seed -1": "'-1' is no whole number",
    "replace 3": "'with'",
    "": "empty",
}


@pytest.mark.parametrize("text", MISUSED)
def test_the_wrong_word_is_named(text):
    with pytest.raises(UserError) as fault:
        parse_group(text)
    assert MISUSED[text] in str(fault.value) and "\n" not in str(fault.value)


def test_edits_compose_and_numbers_mean_the_picture_as_it_was(vle, vlegen, tmp_path):
    steps = ["remove 2", "duplicate 3 by 60,10; flip 5", "move 'the red cube' by 20,0", "resize @60,100 by 0.8"]
    done = vlegen("edit", vle, *steps, "-o", tmp_path / "u.vle")
    assert done.status == 0, done.err
    made = VLETokens.load(tmp_path / "u.vle")
    assert len(made) == 5 and bool(made.mirrored[0, 4]), "the copy has the next free number, 5, and is the last token"
    line = "remove 2; duplicate 3 by 60,10; flip 5; move 'the red cube' by 20,0; resize @60,100 by 0.8"
    assert made.history == (line,)
    assert vlegen("history", tmp_path / "u.vle").out == line + "\n"
    assert vlegen("edit", vle, line, "-o", tmp_path / "v.vle").status == 0
    assert np.array_equal(VLETokens.load(tmp_path / "v.vle").where, made.where)
    gone = vlegen("edit", vle, "remove 2", "flip 2")
    assert gone.status == 2 and "removed before 'flip 2'" in gone.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.vle", "u.vle", "v.vle"]


@pytest.mark.parametrize(
    "command, line",
    [
        (["move", "--token", 1, "--token", 2, "--dx", 9], "move 1 2 by 9,0"),
        (["resize", "--object", "the red ball", "--factor", 1.5], "resize 'the red ball' by 1.5"),
        (["remove", "--point", "64,137"], "remove @64,137"),
        (["duplicate", "--token", 1, "--to", "60,200"], "duplicate 1 to 60,200"),
        (["swap", "--token", 1, "--token", 3, "--perspective"], "swap 1 3 in perspective"),
        (["raise", "--token", 3], "raise 3"),
        (["lower", "--token", 2], "lower 2"),
        (["flip", "--token", 1], "flip 1"),
        (["align", "--token", 1, "--token", 2, "--edge", "bottom"], "align 1 2 bottom"),
        (["distribute", "--token", 1, "--token", 2, "--token", 3], "distribute 1 2 3 horizontally"),
        (["recolor", "--token", 1, "--to", "blue"], "recolor 1 to blue"),
        (["recolor", "--token", 1, "--hue", -90], "recolor 1 by -90"),
        (["paste", "--from", "t.vle", "--token", 1, "--to", "200,200"], "paste 1 from 't.vle' to 200,200"),
    ],
)
def test_every_edit_has_a_command_that_keeps_its_history(command, line, vle, vlegen, monkeypatch):
    monkeypatch.chdir(vle.parent)
    done = vlegen(command[0], "t.vle", *command[1:], "-o", "u.vle")
    assert (done.status, done.out) == (0, "u.vle\n"), done.err
    assert VLETokens.load("u.vle").history == (line,)


def test_what_the_prior_writes_is_an_edit_like_any_other(vle, vlegen, tmp_path):
    made = tmp_path / "u.vle"
    done = vlegen("edit", vle, "add 'a blue cube' seed 3", "recolor 5 to red", "-o", made)
    assert done.status == 0, done.err
    tokens = VLETokens.load(made)
    assert len(tokens) == 6 and tokens.history == ("add 'a blue cube' seed 3; recolor 5 to red",)
    assert vlegen("add", vle, "a blue cube", "--seed", 3, "-o", tmp_path / "v.vle").status == 0
    added = VLETokens.load(tmp_path / "v.vle")
    assert added.history == ("add 'a blue cube' seed 3",) and np.array_equal(added.what, tokens.what)


def test_what_is_written_into_an_empty_scene_has_a_number_at_once(vlegen, tokens, tmp_path):
    remove(tokens, range(1, len(tokens))).save(tmp_path / "e.vle")
    done = vlegen("edit", tmp_path / "e.vle", "add 'a blue cube' seed 3", "move 1 to 100,150", "-o", tmp_path / "u.vle")
    assert done.status == 0, done.err
    made = box(VLETokens.load(tmp_path / "u.vle"), 1)
    assert (made.x, made.y) == pytest.approx((100, 150), abs=0.01)
    refused = vlegen("edit", tmp_path / "e.vle", "move 1 by 20,0", "-o", tmp_path / "w.vle")
    assert refused.status == 2 and "has no object tokens" in refused.err and not (tmp_path / "w.vle").exists()


def test_a_script_edits_many_pictures_and_says_which_it_could_not(file, scenes, vlegen, tmp_path):
    (tmp_path / "edits.yaml").write_text("- recolor 'the large metal cube' to green\n- move 1 by 10,0\n")
    (tmp_path / "text.png").write_text("hello")
    options = ["--script", tmp_path / "edits.yaml", "--out-dir", tmp_path / "out"]
    done = vlegen("edit", file, tmp_path / "text.png", scenes / "300001.png", *options)
    assert done.status == 2 and "text.png" in done.err and "2 of 3 pictures edited" in done.err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["300001.png", "img.png"]
    assert not np.array_equal(pixels(tmp_path / "out" / "img.png"), pixels(file))


def test_edits_are_replayed_on_another_picture(vle, scenes, vlegen, tmp_path):
    assert vlegen("edit", vle, "remove 2", "-o", tmp_path / "a.vle").status == 0
    assert vlegen("edit", tmp_path / "a.vle", "recolor 1 to red", "-o", tmp_path / "b.vle").status == 0
    done = vlegen("edit", scenes / "300001.png", "--replay", tmp_path / "b.vle", "-o", tmp_path / "c.vle")
    assert done.status == 0, done.err
    assert VLETokens.load(tmp_path / "c.vle").history == ("remove 2", "recolor 1 to red")


def test_a_replayed_paste_finds_its_file_beside_the_history(vle, file, vlegen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    assert vlegen("paste", vle, "--from", file.name, "--token", 1, "-o", "a.vle").status == 0
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = vlegen("edit", file, "--replay", "../a.vle", "-o", "b.vle")
    assert done.status == 0, done.err
    assert len(VLETokens.load(tmp_path / "elsewhere" / "b.vle")) == len(VLETokens.load(tmp_path / "a.vle"))


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_a_film_begins_and_ends_with_the_two_states(vle, vlegen, tmp_path, name):
    done = vlegen("animate", vle, "move 1 by 60,0", "--frames", 5, "-o", tmp_path / name)
    assert (done.status, done.out) == (0, f"{tmp_path / name}\n"), done.err
    film = Image.open(tmp_path / name)
    assert film.n_frames == 5 and film.info["loop"] == 0
    assert vlegen("decode", vle, "-o", tmp_path / "first.png").status == 0
    assert vlegen("move", vle, "--token", 1, "--dx", 60, "-o", tmp_path / "last.png").status == 0
    shown = []
    for frame, state in ((0, "first.png"), (4, "last.png")):
        film.seek(frame)
        shown.append(np.asarray(film.convert("RGB")).astype(int))
        assert np.abs(shown[-1] - pixels(tmp_path / state)).mean() < 4
    still = (pixels(tmp_path / "first.png") == pixels(tmp_path / "last.png")).all(-1)
    flicker = np.abs(shown[1] - shown[0]).max(-1)[still]
    assert flicker.max() == 0 if name == "a.gif" else flicker.mean() < 1, "what does not move does not flicker"


def test_a_film_there_and_back_is_slow_at_both_ends_and_shows_each_once(pipe, tokens):
    after = move(tokens, 1, 60, 0)
    drawn = [np.asarray(image).astype(int) for image in animation.frames(pipe, tokens, after, 4, back=True)]
    assert len(drawn) == animation.count(4, back=True) == 6
    for frame, state in ((0, tokens), (3, after)):
        assert np.array_equal(drawn[frame], np.asarray(pipe.decode(state)))
    assert np.array_equal(drawn[4], drawn[2]) and np.array_equal(drawn[5], drawn[1])
    quarter = pipe.decode(move(tokens, 1, 60 * 7 / 27, 0))  # 3 t^2 - 2 t^3 at a third
    assert np.abs(drawn[1] - np.asarray(quarter)).max() <= 1


@pytest.mark.parametrize("number", [1, 0, 2.5, "3"])
def test_a_film_of_fewer_than_two_frames_is_refused(pipe, tokens, number):
    with pytest.raises(UserError, match="frames show no edit: expected 2 or more"):
        list(animation.frames(pipe, tokens, tokens, number))


@pytest.mark.parametrize(("count", "fps", "said"), [(0, 12, "no frames"), (2, 0, "0 frames a second"), (2, "a", "a second")])
def test_what_is_no_film_is_not_written(picture, tmp_path, count, fps, said):
    with pytest.raises(UserError, match=said):
        animation.write([picture] * count, tmp_path / "a.gif", fps)
    assert not any(tmp_path.iterdir())


def test_a_film_as_mp4_takes_ffmpeg(vle, vlegen, tmp_path, monkeypatch):
    if shutil.which("ffmpeg"):
        assert vlegen("animate", vle, "move 1 by 9,0", "--frames", 4, "-o", tmp_path / "a.mp4").status == 0
        assert (tmp_path / "a.mp4").read_bytes()[4:8] == b"ftyp"
    monkeypatch.setenv("PATH", str(tmp_path))
    done = vlegen("animate", vle, "move 1 by 9,0", "-o", tmp_path / "b.mp4")
    assert done.status == 2 and "ffmpeg" in done.err and not (tmp_path / "b.mp4").exists()


BAD = {
    "nothing to do": (["edit", "t.vle"], "say what to do"),
    "no picture": (["edit", "flip 1"], "say which picture"),
    "not a verb": (["edit", "t.vle", "turn 3 round"], "'turn'"),
    "no script": (["edit", "t.vle", "--script", "none.yaml"], "none.yaml"),
    "bad script": (["edit", "t.vle", "--script", "map.yaml"], "list of edits"),
    "bad line": (["edit", "t.vle", "--script", "line.yaml"], "line.yaml, edit 2: 'fly'"),
    "no history": (["edit", "t.vle", "--replay", "t.vle"], "no history"),
    "one name": (["edit", "t.vle", "t2.vle", "flip 1", "-o", "x.png"], "--out-dir"),
    "same names": (["edit", "t.vle", "sub/t.vle", "flip 1", "--out-dir", "x"], "several results"),
    "over itself": (["edit", "t.vle", "t2.vle", "flip 1", "--out-dir", "."], "replaced by its own edit"),
    "outside": (["flip", "t.vle", "--point", "900,3"], "outside"),
    "floor": (["flip", "t.vle", "--point", "2,2"], "only the scene"),
    "colour": (["recolor", "t.vle", "--token", "1", "--to", "blurple"], "'blurple'"),
    "hue and colour": (["recolor", "t.vle", "--token", "1", "--to", "red", "--hue", "3"], "both"),
    "no such": (["paste", "t.vle", "--from", "none.png", "--token", "1"], "none.png"),
    "no such token": (["paste", "t.vle", "--from", "t2.vle", "--token", "77"], "token 77"),
    "film": (["animate", "t.vle", "flip 1", "-o", "a.avi"], "a.avi"),
    "history of a picture": (["history", "map.yaml"], "map.yaml"),
}


@pytest.mark.parametrize("case", BAD)
def test_misuse_is_one_clear_line(case, vle, tokens, vlegen, monkeypatch):
    folder = vle.parent
    monkeypatch.chdir(folder)
    (folder / "sub").mkdir()
    for name in ("t2.vle", "sub/t.vle"):
        (folder / name).write_bytes(vle.read_bytes())
    (folder / "map.yaml").write_text("a: 1")
    (folder / "line.yaml").write_text("- flip 1\n- fly 2\n")
    arguments, message = BAD[case]
    before = sorted(folder.rglob("*"))
    ran = vlegen(*arguments)
    assert ran.status == 2 and ran.out == "", ran
    assert ran.err.startswith("vlegen: ") and ran.err.count("\n") == 1 and message in ran.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["recolor", "--token", 1], "say which colour: either --to COLOUR or --hue DEGREES"),
        (["recolor", "--token", 1, "--to", "blue", "--hue", 9], "--to and --hue cannot both be given"),
        (["recolor", "--token", 1, "--to", "purpel"], "'purpel' is no colour that is known here"),
        (["swap", "--token", 1], "swap takes two objects, and here is one"),
    ],
)
def test_what_an_edit_lacks_is_said_in_options(vlegen, file, arguments, said):
    ran = vlegen(arguments[0], file, *arguments[1:])
    assert ran.status == 2 and said in ran.err and len(ran.err.splitlines()) == 1


def test_colours_have_the_names_of_css_too():
    assert colour_named("crimson") == colour_named("#dc143c") and colour_named("Dark Blue") == colour_named("#00008b")
    assert colour_named("red") != colour_named("#ff0000"), "what is rendered red is darker"


def test_refused_pictures_leave_no_folder_and_are_named_once(vlegen, file, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    for pictures in ([tmp_path / "text.png"], [tmp_path / "text.png", tmp_path / "none.png"]):
        ran = vlegen("edit", *pictures, "move 1 by 5,0", "--out-dir", tmp_path / "out")
        assert ran.status == 2 and not (tmp_path / "out").exists()
        assert all(line.count("text.png") <= 1 for line in ran.err.splitlines())
    assert vlegen("edit", file, "move 1 by 5,0", "--out-dir", tmp_path / "out" / "deeper").status == 0
    assert (tmp_path / "out" / "deeper" / "img.png").is_file()
