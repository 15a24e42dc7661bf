"""Edits of several objects, copies between pictures, hues and masks in the studio, by its HTTP interface: each gives what the
command line gives, and leaves its line in the history."""
import io
import os

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytest.importorskip("fastapi", reason="the studio is an extra: pip install '.[studio]'")
from fastapi.testclient import TestClient

from vle_gen.studio.limits import Limits
from vle_gen.studio.server import create_app
from vle_gen.tokens import VLETokens

HOME = "http://127.0.0.1:7860"
OTHER = "300001.png"  # another scene, of the same size


@pytest.fixture(scope="module")
def client(pipe):
    limits = Limits(workers=os.cpu_count() or 1, tokens=9)  # so that each worker has one thread, as commands have here
    with TestClient(create_app(pipe, limits), HOME, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def opened(client, file) -> dict:
    """A session of the scene."""
    return opened_by(client, file)


def opened_by(client, path) -> dict:
    return posted(client, f"?name={path.name}", content=path.read_bytes())


def posted(client, where: str, **options) -> dict:
    answer = client.post(f"/api/sessions{where}", **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def edited(client, view: dict, **edit) -> dict:
    return posted(client, f"/{view['id']}/edits", json=edit)


def copied(client, view: dict, *indices: int) -> None:
    assert client.post(f"/api/sessions/{view['id']}/copy", json={"index": indices}).status_code == 204


def refusal(answer, status: int = 400) -> str:
    """What an answer says went wrong: one line, for a person who has no command line."""
    assert answer.status_code == status, answer.text
    message = answer.json()["error"]
    assert message and "\n" not in message and "--" not in message and "vlegen" not in message and "/tmp" not in message
    return message


def pixels(client, view: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(client.get(view["picture"]).content)).convert("RGB"))


def saved(client, view: dict, path) -> VLETokens:
    path.write_bytes(client.get(f"/api/sessions/{view['id']}/tokens.vle").content)
    return VLETokens.load(path)


def same_as_commanded(client, view: dict, vlegen, folder, *arguments: object) -> None:
    """The session shows what a command makes, and remembers what it remembers."""
    for name in ("commanded.png", "commanded.vle"):
        ran = vlegen(*arguments, "-o", folder / name)
        assert ran.status == 0, ran.err
    assert np.array_equal(pixels(client, view), np.asarray(Image.open(folder / "commanded.png").convert("RGB")))
    lines = VLETokens.load(folder / "commanded.vle").history
    assert [line.replace(f"{folder}/", "") for line in lines] == list(saved(client, view, folder / "s.vle").history)


def tokens_of(*indices: int) -> list[object]:
    return [part for index in indices for part in ("--token", index)]


@pytest.mark.parametrize(("edit", "command"), [
    ({"edit": "move", "index": [1, 3], "dx": 20, "dy": -6}, ["move", "--dx", 20, "--dy", -6]),
    ({"edit": "move", "index": [3, 1], "dy": 9, "perspective": True}, ["move", "--dx", 0, "--dy", 9, "--perspective"]),
    ({"edit": "resize", "index": [1, 2], "factor": 1.2}, ["resize", "--factor", 1.2]),
    ({"edit": "remove", "index": [1, 4]}, ["remove"]),
    ({"edit": "flip", "index": [2, 3]}, ["flip"]),
    ({"edit": "recolor", "index": [1, 2], "to": "green"}, ["recolor", "--to", "green"]),
    ({"edit": "recolor", "index": 1, "by": 120}, ["recolor", "--hue", 120]),
    ({"edit": "recolor", "index": [1, 2], "by": -45.5}, ["recolor", "--hue", -45.5]),
    ({"edit": "swap", "index": [1, 2]}, ["swap"]),
    ({"edit": "swap", "index": [2, 3], "perspective": True}, ["swap", "--perspective"]),
    ({"edit": "align", "index": [1, 2], "edge": "bottom"}, ["align", "--edge", "bottom"]),
    ({"edit": "align", "index": [3, 2, 1], "edge": "center"}, ["align", "--edge", "center"]),
    ({"edit": "distribute", "index": [1, 2, 3]}, ["distribute"]),
    ({"edit": "distribute", "index": [1, 2, 3], "direction": "vertically"}, ["distribute", "--direction", "vertically"]),
])  # fmt: skip
def test_edits_of_several_are_those_of_the_command_line(client, opened, file, vlegen, tmp_path, edit, command, one_thread):
    before = pixels(client, opened)
    view = edited(client, opened, **edit)
    indices = edit["index"] if isinstance(edit["index"], list) else [edit["index"]]
    verb, *how = command
    same_as_commanded(client, view, vlegen, tmp_path, verb, file, *tokens_of(*indices), *how)
    assert not np.array_equal(pixels(client, view), before)
    undone = posted(client, f"/{opened['id']}/undo")
    assert np.array_equal(pixels(client, undone), before) and not undone["can_undo"], "one step"


def test_turns_of_the_hue_add_up_and_are_told(client, opened):
    assert opened["tokens"][0]["turn"] == 0
    view = edited(client, opened, edit="recolor", index=1, by=120)
    assert view["tokens"][0]["turn"] == 120
    back = edited(client, view, edit="recolor", index=1, by=-120)
    assert back["tokens"][0]["turn"] == 0 and np.array_equal(pixels(client, back), pixels(client, opened))


def test_copies_of_several_are_one_step_and_come_last_in_order(client, opened, file, vlegen, tmp_path, one_thread):
    view = edited(client, opened, edit="duplicate", index=[3, 1], dx=15, dy=4)
    assert vlegen("duplicate", file, "--token", 3, "--dx", 15, "--dy", 4, "-o", tmp_path / "one.vle").status == 0
    same_as_commanded(client, view, vlegen, tmp_path, "duplicate", tmp_path / "one.vle", "--token", 1, "--dx", 15, "--dy", 4)
    for copy, original in zip(view["tokens"][-2:], (opened["tokens"][2], opened["tokens"][0]), strict=True):
        assert (copy["x"] - original["x"], copy["y"] - original["y"]) == pytest.approx((15, 4), abs=0.02)
    assert posted(client, f"/{opened['id']}/undo")["tokens"] == opened["tokens"]


@pytest.mark.parametrize(("edit", "status", "said"), [
    ({"edit": "move", "index": [1, 9], "dx": 1}, 400, "token 9 does not exist"),
    ({"edit": "move", "index": [], "dx": 1}, 422, "index: "),
    ({"edit": "move", "index": [1] * 201, "dx": 1}, 422, "index: "),
    ({"edit": "raise", "index": [1, 2]}, 400, "cannot be raised at once"),
    ({"edit": "swap", "index": [1]}, 422, "index: "),
    ({"edit": "swap", "index": [1, 1]}, 400, "with itself"),
    ({"edit": "align", "index": [1], "edge": "left"}, 400, "expected two objects or more"),
    ({"edit": "align", "index": [1, 2], "edge": "round"}, 422, "edge: "),
    ({"edit": "distribute", "index": [1, 2]}, 400, "expected three or more"),
    ({"edit": "recolor", "index": 1}, 422, "give either"),
    ({"edit": "recolor", "index": 1, "by": 9, "to": "blue"}, 422, "give either"),
    ({"edit": "recolor", "index": 1, "by": 1e9}, 422, "by: "),
    ({"edit": "duplicate", "index": [1, 2, 3, 4, 1], "dx": 1}, 200, ""),
    ({"edit": "duplicate", "index": [0, 1], "dx": 1}, 400, "the scene itself"),
])  # fmt: skip
def test_what_cannot_be_done_to_several_is_explained(client, opened, edit, status, said):
    answer = client.post(f"/api/sessions/{opened['id']}/edits", json=edit)
    if status == 200:
        assert answer.status_code == 200 and len(answer.json()["tokens"]) == 8, "each once"
        return
    assert said in refusal(answer, status)
    assert client.get(f"/api/sessions/{opened['id']}").json() == opened


def test_what_is_copied_goes_into_another_picture_as_by_command(client, opened, file, scenes, vlegen, tmp_path, one_thread):
    (tmp_path / "other.png").write_bytes((scenes / OTHER).read_bytes())
    other = opened_by(client, tmp_path / "other.png")
    copied(client, other, 2, 1)
    view = posted(client, f"/{opened['id']}/paste", json={"source": other["id"], "x": 60, "y": 200})
    told = ("--from", tmp_path / "other.png", *tokens_of(2, 1), "--to", "60,200")
    same_as_commanded(client, view, vlegen, tmp_path, "paste", file, *told)
    assert len(view["tokens"]) == len(opened["tokens"]) + 2
    assert posted(client, f"/{opened['id']}/undo")["tokens"] == opened["tokens"]
    lain = posted(client, f"/{opened['id']}/paste", json={"source": other["id"]})
    assert lain["tokens"][-2]["x"] == pytest.approx(other["tokens"][1]["x"], abs=0.02)
    assert lain["tokens"][-1]["y"] == pytest.approx(other["tokens"][0]["y"], abs=0.02)


def test_what_was_copied_stays_as_it_was_then_and_where_it_can_be_saved(
    client, opened, file, scenes, vlegen, tmp_path, one_thread
):
    (tmp_path / "other.png").write_bytes((scenes / OTHER).read_bytes())
    other = opened_by(client, tmp_path / "other.png")
    painted = edited(client, other, edit="recolor", index=1, to="blue")
    saved(client, painted, tmp_path / "other-edited.vle")
    copied(client, painted, 1)
    edited(client, painted, edit="remove", index=1)
    view = posted(client, f"/{opened['id']}/paste", json={"source": other["id"], "x": 60, "y": 200})
    told = ("--from", tmp_path / "other-edited.vle", "--token", 1, "--to", "60,200")
    same_as_commanded(client, view, vlegen, tmp_path, "paste", file, *told)
    back = posted(client, f"/{other['id']}/paste", json={"source": other["id"]})  # what was removed comes back
    assert back["tokens"][-1]["label"] == painted["tokens"][0]["label"]


def test_what_cannot_be_copied_or_pasted_is_explained(client, opened):
    where = f"/api/sessions/{opened['id']}"
    for source in (opened["id"], "nothing"):
        assert "copy it again" in refusal(client.post(f"{where}/paste", json={"source": source}))
    assert "the scene itself" in refusal(client.post(f"{where}/copy", json={"index": 0}))
    assert "does not exist" in refusal(client.post(f"{where}/copy", json={"index": [1, 9]}))
    assert "index: " in refusal(client.post(f"{where}/copy", json={"index": []}), 422)
    copied(client, opened, 1, 2, 3)
    assert "both, or neither" in refusal(client.post(f"{where}/paste", json={"source": opened["id"], "x": 4}))
    stale = {"if-match": "7"}
    assert "another window" in refusal(client.post(f"{where}/copy", json={"index": 1}, headers=stale), 409)
    assert "another window" in refusal(client.post(f"{where}/paste", json={"source": opened["id"]}, headers=stale), 409)
    posted(client, f"/{opened['id']}/paste", json={"source": opened["id"]})
    assert "expected at most 9" in refusal(client.post(f"{where}/paste", json={"source": opened["id"]}))


def mask_of(size: tuple[int, int], *shapes: tuple[int, int, int, int]) -> bytes:
    """A mask with white ellipses."""
    mask, buffer = Image.new("L", size), io.BytesIO()
    for shape in shapes:
        ImageDraw.Draw(mask).ellipse(shape, fill=255)
    mask.save(buffer, "PNG")
    return buffer.getvalue()


def test_what_a_mask_marks_is_an_object_as_for_the_command_line(client, opened, file, picture, vlegen, tmp_path, one_thread):
    shapes = [(20, 195, 60, 235), (200, 190, 230, 214)]
    masks = []
    for number, shape in enumerate(shapes):
        masks.append(tmp_path / f"m{number}.png")
        masks[-1].write_bytes(mask_of(picture.size, shape))
    view = opened
    for mask in masks:
        view = posted(client, f"/{opened['id']}/mask", content=mask.read_bytes())
    assert np.array_equal(pixels(client, view), np.asarray(picture))
    told = [part for mask in masks for part in ("--mask", mask)]
    assert vlegen("tokens", file, *told, "--save", tmp_path / "both.vle").status == 0
    moved = edited(client, view, edit="move", index=view["asked_for"], dx=-30, dy=-12)
    how = ("--token", view["asked_for"], "--dx", -30, "--dy", -12)
    same_as_commanded(client, moved, vlegen, tmp_path, "move", tmp_path / "both.vle", *how)
    for _ in range(3):
        undone = posted(client, f"/{opened['id']}/undo")
    assert undone["tokens"] == opened["tokens"] and not undone["can_undo"]


def test_in_an_edited_picture_a_mask_takes_just_its_pixels_and_the_edits_stay(client, opened, picture, tmp_path):
    changed = edited(client, opened, edit="recolor", index=2, to="blue")
    before = pixels(client, changed)
    view = posted(client, f"/{opened['id']}/mask", content=mask_of(picture.size, (20, 195, 60, 235)))
    assert view["asked_for"] == len(view["tokens"]) == len(opened["tokens"]) + 1
    assert np.abs(pixels(client, view).astype(int) - before).max() <= 2
    tokens = saved(client, view, tmp_path / "s.vle")
    assert tokens.history == ("recolor 2 to blue",)
    marked = np.asarray(Image.open(io.BytesIO(mask_of(picture.size, (20, 195, 60, 235))))) > 0
    assert np.array_equal(tokens.label_map() == view["asked_for"], marked)


@pytest.mark.parametrize(("data", "said"), [
    (b"", "the mask is not a picture"),
    (b"hello", "the mask is not a picture"),
    (mask_of((256, 256)), "the mask marks nothing"),
    (mask_of((200, 256), (20, 20, 50, 50)), "the mask is 200 x 256: expected 256 x 256"),
])  # fmt: skip
def test_what_is_no_mask_is_explained(client, opened, data, said):
    assert said in refusal(client.post(f"/api/sessions/{opened['id']}/mask", content=data))
    assert client.get(f"/api/sessions/{opened['id']}").json() == opened


def test_a_mask_may_be_as_large_as_the_picture_was_before_it_was_made_smaller(pipe, picture, tmp_path):
    large, limits = picture.resize((768, 768)), Limits(work_pixels=256 * 256)
    large.save(tmp_path / "large.png")
    with TestClient(create_app(pipe, limits), HOME, raise_server_exceptions=False) as client:
        view = opened_by(client, tmp_path / "large.png")
        assert (view["width"], view["height"]) == (256, 256) and view["note"]
        where = f"/{view['id']}/mask"
        refused = client.post(f"/api/sessions{where}", content=mask_of((767, 768), (60, 585, 180, 705)))
        assert "the mask is 767 x 768: expected 256 x 256" in refusal(refused)
        dust = mask_of((768, 768), (4, 4, 4, 4))
        assert "the mask marks nothing" in refusal(client.post(f"/api/sessions{where}", content=dust))
        after = posted(client, where, content=mask_of((768, 768), (60, 585, 180, 705)))
        mine = saved(client, after, tmp_path / "s.vle").label_map() == after["asked_for"]
    ellipse = np.asarray(Image.open(io.BytesIO(mask_of((256, 256), (20, 195, 60, 235))))) > 0
    assert (mine & ellipse).sum() > 0.9 * (mine | ellipse).sum()
