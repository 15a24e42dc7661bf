"""Edits of the studio beyond dragging, by its HTTP interface: colours, flips, other objects in the place of one, and objects
that a person points out."""
import io
import re

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytest.importorskip("fastapi", reason="the studio is an extra: pip install '.[studio]'")
from fastapi.testclient import TestClient

from vle_gen.imaging.colours import COLOURS
from vle_gen.studio.limits import Limits
from vle_gen.studio.server import create_app
from vle_gen.studio.wording import on_page
from vle_gen.tokens import VLETokens

HOME = "http://127.0.0.1:7860"
CUBE = (108, 136, 45, 50)  # about the red cube: left, top, width, height
REEDS = (20, 195, 40, 40)  # and about what no model was shown


@pytest.fixture(scope="module")
def client(pipe):
    with TestClient(create_app(pipe, Limits(workers=1)), HOME, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def file(picture, tmp_path):
    """The scene with some strokes on its floor, which are not found."""
    marked = picture.copy()
    for left in range(24, 56, 8):
        ImageDraw.Draw(marked).line([(left, 232), (left + 6, 200)], fill=(110, 100, 96), width=2)
    marked.save(tmp_path / "img.png")
    return tmp_path / "img.png"


@pytest.fixture
def opened(client, file) -> dict:
    """A session of the scene."""
    return posted(client, "?name=img.png", content=file.read_bytes())


def posted(client, where: str, **options) -> dict:
    answer = client.post(f"/api/sessions{where}", **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(answer, status: int = 400) -> str:
    """What an answer says went wrong: one line, for a person who has no command line."""
    assert answer.status_code == status, answer.text
    message = answer.json()["error"]
    assert message and "\n" not in message and "--" not in message and "vlegen" not in message
    return message


def pixels(client, view: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(client.get(view["picture"]).content)).convert("RGB"))


def apart(one: np.ndarray, other: np.ndarray) -> int:
    """By how many of 256 levels two pictures differ at most."""
    return int(np.abs(one.astype(int) - other).max())


def saved(client, view: dict, folder) -> VLETokens:
    (folder / "s.vle").write_bytes(client.get(f"/api/sessions/{view['id']}/tokens.vle").content)
    return VLETokens.load(folder / "s.vle")


def commanded(vlegen, folder, *arguments: object) -> np.ndarray:
    """What a command makes of a picture."""
    ran = vlegen(*arguments, "-o", folder / "commanded.png")
    assert ran.status == 0, ran.err
    return np.asarray(Image.open(folder / "commanded.png").convert("RGB"))


@pytest.mark.parametrize(("edit", "command"), [
    ({"edit": "flip", "index": 1}, ["flip"]),
    ({"edit": "recolor", "index": 1, "to": "blue"}, ["recolor", "--to", "blue"]),
    ({"edit": "recolor", "index": 1, "to": "#33cc66"}, ["recolor", "--to", "#33cc66"]),
    ({"edit": "recolor", "index": 1, "to": "light blue"}, ["recolor", "--to", "light blue"]),
])  # fmt: skip
def test_flips_and_colours_are_those_of_the_command_line(client, opened, file, vlegen, tmp_path, edit, command, one_thread):
    before = pixels(client, opened)
    view = posted(client, f"/{opened['id']}/edits", json=edit)
    verb, *how = command
    made = commanded(vlegen, tmp_path, verb, file, "--token", 1, *how)
    assert np.array_equal(pixels(client, view), made) and not np.array_equal(before, made)
    assert vlegen(verb, file, "--token", 1, *how, "-o", tmp_path / "c.vle").status == 0
    assert saved(client, view, tmp_path).history == VLETokens.load(tmp_path / "c.vle").history
    undone = posted(client, f"/{opened['id']}/undo")
    assert np.array_equal(pixels(client, undone), before)
    assert np.array_equal(pixels(client, posted(client, f"/{opened['id']}/redo")), made)


def test_the_palette_has_the_colours_that_have_names_and_each_can_be_painted(client, opened):
    colours = client.get("/api/colours").json()
    assert [one["name"] for one in colours] == list(COLOURS)
    assert all(re.fullmatch("#[0-9a-f]{6}", one["value"]) for one in colours)
    edits = f"/{opened['id']}/edits"
    named, valued = (
        pixels(client, posted(client, edits, json={"edit": "recolor", "index": 2, "to": to})) for to in colours[2].values()
    )
    assert np.array_equal(named, valued)


@pytest.mark.parametrize(("edit", "status", "said"), [
    ({"edit": "recolor", "index": 1, "to": "plaid"}, 400, "'plaid' is no colour that is known here"),
    ({"edit": "recolor", "index": 0, "to": "blue"}, 400, "the scene itself"),
    ({"edit": "recolor", "index": 1, "to": ""}, 422, "to: "),
    ({"edit": "recolor", "index": 1, "to": "x" * 99}, 422, "to: "),
    ({"edit": "recolor", "index": 1, "to": 5}, 422, "to: "),
    ({"edit": "flip", "index": 9}, 400, "token 9 does not exist"),
])  # fmt: skip
def test_what_cannot_be_painted_or_flipped_is_explained(client, opened, edit, status, said):
    assert said in refusal(client.post(f"/api/sessions/{opened['id']}/edits", json=edit), status)
    assert client.get(f"/api/sessions/{opened['id']}").json() == opened


def test_an_object_is_replaced_as_the_command_line_replaces_it(client, opened, file, vlegen, tmp_path, one_thread):
    asked = {"index": 2, "text": "a small blue metal ball", "seed": 4}
    view = posted(client, f"/{opened['id']}/replace", json=asked)
    made = commanded(vlegen, tmp_path, "replace", file, "a small blue metal ball", "--token", 2, "--seed", 4)
    assert np.array_equal(pixels(client, view), made)
    assert view["asked_for"] == 2 and len(view["tokens"]) == len(opened["tokens"]) and "blue" in view["tokens"][1]["label"]
    assert saved(client, view, tmp_path).history == ("replace 2 with 'a small blue metal ball' seed 4",)
    undone = posted(client, f"/{opened['id']}/undo")
    assert undone["tokens"] == opened["tokens"] and undone["asked_for"] is None


@pytest.mark.parametrize(("asked", "status", "said"), [
    ({"index": 1, "text": "a xylophone"}, 400, "xylophone"),
    ({"index": 0, "text": "a ball"}, 400, "the scene itself"),
    ({"index": 1, "text": "two balls"}, 400, "one object"),
    ({"index": 1, "text": ""}, 422, "text: "),
    ({"index": 1, "text": "a ball", "seed": -1}, 422, "seed: "),
    ({"text": "a ball"}, 422, "index: "),
])  # fmt: skip
def test_what_cannot_take_an_objects_place_is_explained(client, opened, asked, status, said):
    assert said in refusal(client.post(f"/api/sessions/{opened['id']}/replace", json=asked), status)
    assert client.get(f"/api/sessions/{opened['id']}").json() == opened


def moved(client, view: dict, index: int) -> dict:
    return posted(client, f"/{view['id']}/edits", json={"edit": "move", "index": index, "dx": 30, "dy": -12})


def said_box(box) -> str:
    return ",".join(map(str, box))


def test_what_a_box_shows_is_found_and_moved_as_the_command_line_does_it(client, opened, file, vlegen, tmp_path, one_thread):
    boxes = [REEDS, (90, 60, 30, 30)]
    before = pixels(client, opened)
    view = posted(client, f"/{opened['id']}/point-out", json={"box": REEDS})
    assert len(view["tokens"]) == len(opened["tokens"]) + 1 and np.array_equal(pixels(client, view), before)
    token = next(t for t in view["tokens"] if t["index"] == view["asked_for"])
    assert abs(token["x"] - (REEDS[0] + REEDS[2] / 2)) < 1 and abs(token["width"] - REEDS[2]) < 1
    after = moved(client, view, view["asked_for"])
    one = commanded(vlegen, tmp_path, "move", file, "--box", said_box(REEDS), "--dx", 30, "--dy", -12)
    assert np.array_equal(pixels(client, after), one)
    assert saved(client, after, tmp_path).history == (f"move {view['asked_for']} by 30,-12",)

    posted(client, f"/{opened['id']}/undo")
    both = posted(client, f"/{opened['id']}/point-out", json={"box": boxes[1]})
    told = [part for box in boxes for part in ("--box", said_box(box))]
    assert vlegen("tokens", file, *told, "--save", tmp_path / "both.vle").status == 0
    made = commanded(vlegen, tmp_path, "move", tmp_path / "both.vle", "--token", both["asked_for"], "--dx", 30, "--dy", -12)
    assert np.array_equal(pixels(client, moved(client, both, both["asked_for"])), made)
    for _ in range(3):
        undone = posted(client, f"/{opened['id']}/undo")
    assert undone["tokens"] == opened["tokens"] and not undone["can_undo"]


def test_a_point_on_what_is_listed_chooses_it_and_is_no_step(client, opened):
    cube = opened["tokens"][0]
    view = posted(client, f"/{opened['id']}/point-out", json={"point": [cube["x"], cube["y"]]})
    assert view["asked_for"] == cube["index"] and view["tokens"] == opened["tokens"] and not view["can_undo"]


def test_in_an_edited_picture_what_is_pointed_out_comes_last_and_the_edits_stay(client, opened, tmp_path):
    edited = posted(client, f"/{opened['id']}/edits", json={"edit": "recolor", "index": 2, "to": "blue"})
    edited = posted(client, f"/{opened['id']}/edits", json={"edit": "remove", "index": 4})
    before = pixels(client, edited)
    view = posted(client, f"/{opened['id']}/point-out", json={"box": REEDS})
    assert apart(pixels(client, view), before) <= 2 and view["asked_for"] == len(edited["tokens"]) + 1
    assert [t["label"] for t in view["tokens"]][:-1] == [t["label"] for t in edited["tokens"]]
    after = moved(client, view, view["asked_for"])
    changed = (np.abs(pixels(client, after).astype(int) - before) > 4).any(-1).nonzero()
    assert len(changed[0]) > 500 and changed[0].min() > 130, "what is seen elsewhere stays"
    tokens = saved(client, after, tmp_path)
    assert tokens.history == ("recolor 2 to blue", "remove 4", f"move {view['asked_for']} by 30,-12")
    again = posted(client, "?name=s.vle", content=(tmp_path / "s.vle").read_bytes())
    assert np.array_equal(pixels(client, again), pixels(client, after))


def test_of_what_a_box_takes_most_of_nothing_is_left_over(client, opened):
    edited = posted(client, f"/{opened['id']}/edits", json={"edit": "flip", "index": 2})
    before = pixels(client, edited)
    view = posted(client, f"/{opened['id']}/point-out", json={"box": CUBE})
    assert len(view["tokens"]) == len(edited["tokens"]) and view["asked_for"] == len(view["tokens"])
    assert apart(pixels(client, view), before) <= 2
    gone = posted(client, f"/{opened['id']}/edits", json={"edit": "remove", "index": view["asked_for"]})
    assert not any("red cube" in t["label"] or "red metal cube" in t["label"] for t in gone["tokens"])
    left, top, width, height = CUBE
    bared = pixels(client, gone)[top : top + height, left : left + width].astype(int)
    assert (bared.max(-1) - bared.min(-1)).max() < 40, "grey floor, and nothing red"


def test_what_was_edited_cannot_be_found_again_where_it_was(client, opened):
    posted(client, f"/{opened['id']}/edits", json={"edit": "move", "index": 1, "dx": 60})
    answer = client.post(f"/api/sessions/{opened['id']}/point-out", json={"box": CUBE})
    assert "belongs to an object that was edited" in refusal(answer)


@pytest.mark.parametrize(("place", "status", "said"), [
    ({"box": [300, 10, 20, 20]}, 400, "lies outside"),
    ({"box": [10, 10, 0, 20]}, 400, "width and height of 1 or more"),
    ({"box": [10, 10, 20]}, 422, "box"),
    ({"box": [10, 10, 20, 1e300]}, 422, "box.3: "),
    ({"box": [10, 10, 20, 20], "point": [1, 1]}, 400, "either its box or a point"),
    ({}, 400, "either its box or a point"),
    ({"point": [250, 8]}, 400, "draw a box around it"),
    ({"point": [-4, 8]}, 400, "lies outside"),
    ({"point": ["x", 8]}, 422, "point.0: "),
])  # fmt: skip
def test_places_where_nothing_can_be_are_explained(client, opened, place, status, said):
    assert said in refusal(client.post(f"/api/sessions/{opened['id']}/point-out", json=place), status)
    assert client.get(f"/api/sessions/{opened['id']}").json() == opened


def test_in_a_picture_from_text_nothing_can_be_found(client):
    view = posted(client, "/from-text", json={"prompt": "a red cube", "seed": 1})
    answer = client.post(f"/api/sessions/{view['id']}/point-out", json={"box": [10, 10, 40, 40]})
    assert "made of its tokens alone" in refusal(answer)


def test_a_stale_window_replaces_and_finds_nothing(client, opened):
    posted(client, f"/{opened['id']}/edits", json={"edit": "flip", "index": 1})
    seen = {"if-match": str(opened["version"])}
    for what, body in (("replace", {"index": 1, "text": "a ball"}), ("point-out", {"box": REEDS})):
        answer = client.post(f"/api/sessions/{opened['id']}/{what}", json=body, headers=seen)
        assert "another window" in refusal(answer, 409)


@pytest.mark.parametrize("prompt", ["a xylophone", "a cat", "a cube on a wooden floor", "a dog and a unicorn", "left of"])
def test_what_cannot_be_drawn_is_explained_without_options_of_commands(client, opened, prompt):
    assert refusal(client.post("/api/sessions/from-text", json={"prompt": prompt}))
    assert refusal(client.post(f"/api/sessions/{opened['id']}/add", json={"text": prompt}))


def test_files_of_others_are_refused_without_options_of_commands(client, tokens, tmp_path):
    from dataclasses import replace

    replace(tokens, checkpoint="0123456789ab").save(tmp_path / "other.vle")
    for name, data in (("other.vle", (tmp_path / "other.vle").read_bytes()), ("bad.vle", b"no tokens")):
        assert name in (said := refusal(client.post(f"/api/sessions?name={name}", content=data))) or "checkpoint" in said


def test_a_message_that_names_no_option_is_said_as_it_is():
    assert on_page("token 9 does not exist: there are tokens 0 to 4") == "token 9 does not exist: there are tokens 0 to 4"
