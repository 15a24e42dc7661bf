"""The studio's server: what it answers, what it refuses, and what it forgets."""
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the studio is an extra: pip install '.[studio]'")
from fastapi.testclient import TestClient

import editors
from vle_gen.studio.limits import Limits
from vle_gen.studio.server import create_app
from vle_gen.tokens import VLETokens

HOME = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def client(pipe):
    """The studio with small limits."""
    limits = Limits(upload_bytes=2**20, upload_pixels=500_000, work_pixels=300_000, undo=3, workers=2)
    with TestClient(create_app(pipe, limits), HOME, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def png(picture) -> bytes:
    return as_png(picture)


@pytest.fixture
def opened(client, png) -> dict:
    """A session of the red cube's scene."""
    return opened_by(client, png)


def as_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def opened_by(client, data: bytes, name: str = "img.png") -> dict:
    answer = client.post("/api/sessions", params={"name": name}, content=data)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pixels(client, view: dict) -> np.ndarray:
    answer = client.get(view["picture"])
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))


def edited(client, view: dict, **edit) -> dict:
    answer = client.post(f"/api/sessions/{view['id']}/edits", json=edit)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(answer, status: int) -> str:
    """What an answer says went wrong, in one line."""
    assert answer.status_code == status, answer.text
    message = answer.json()["error"]
    assert message and "\n" not in message
    return message


def test_a_picture_becomes_tokens_and_comes_back_as_it_was(client, opened, tokens, picture):
    assert (opened["name"], opened["width"], opened["height"]) == ("img.png", *picture.size)
    assert len(opened["tokens"]) == len(tokens) - 1 and all(t["label"] for t in opened["tokens"])
    assert not opened["can_undo"] and not opened["can_redo"]
    assert np.array_equal(pixels(client, opened), np.asarray(picture))


def test_the_layers_composite_to_the_exact_render_before_and_after_a_move(client, opened):
    """In 8 bits, as a canvas does it. Where the exact render leaves faint changes out, the layers may show them."""
    for step in (0, 17):
        view = edited(client, opened, edit="move", index=1, dx=step, dy=-step)
        apart = np.abs(composite(client, view) - pixels(client, view).astype(float))
        assert apart.mean() < 0.5 and np.quantile(apart, 0.999) <= 8


def composite(client, view: dict) -> np.ndarray:
    """What the page draws while something is dragged."""
    canvas = layer(client, view["floor"])[..., :3]
    for token in sorted(view["tokens"], key=lambda t: -t["depth"]):
        for plane in token["planes"]:
            image = layer(client, plane)
            top, left = plane["top"], plane["left"]
            rows = slice(max(0, top), min(view["height"], top + image.shape[0]))
            columns = slice(max(0, left), min(view["width"], left + image.shape[1]))
            part = canvas[rows, columns]
            image = image[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] / 255
            if plane["blend"] == "multiply":
                part *= image
            elif plane["blend"] == "color-dodge":
                part /= 1 - image
            elif plane["blend"] == "lighter":
                part += 255 * image
            else:
                part += image[..., 3:] * (255 * image[..., :3] - part)
            np.clip(part.round(), 0, 255, out=part)
    return canvas


def layer(client, plane: dict) -> np.ndarray:
    answer = client.get(plane["url"])
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    return np.asarray(Image.open(io.BytesIO(answer.content))).astype(float)


def test_a_move_renders_what_the_library_renders(client, opened, pipe, picture, one_thread):
    view = edited(client, opened, edit="move", index=1, dx=20, dy=5)
    assert np.array_equal(pixels(client, view), np.asarray(pipe.decode(editors.move(pipe.encode(picture), 1, 20, 5))))
    before, after = opened["tokens"][0], view["tokens"][0]
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((20, 5), abs=0.02)
    assert view["floor"] == opened["floor"] and view["tokens"][1:] == opened["tokens"][1:]  # nothing else to fetch again


@pytest.mark.parametrize(("edit", "editor"), [
    ({"edit": "resize", "index": 2, "factor": 1.3}, lambda t: editors.resize(t, 2, 1.3)),
    ({"edit": "remove", "index": 1}, lambda t: editors.remove(t, 1)),
    ({"edit": "duplicate", "index": 1, "dx": -40, "dy": 9}, lambda t: editors.duplicate(t, 1, -40, 9)),
    ({"edit": "raise", "index": 3}, lambda t: editors.raise_(t, 3)),
    ({"edit": "lower", "index": 2}, lambda t: editors.lower(t, 2)),
    ({"edit": "move", "index": 1, "dx": 9, "dy": 14, "perspective": True}, lambda t: editors.move(t, 1, 9, 14, True)),
    ({"edit": "flip", "index": 1}, lambda t: editors.flip(t, 1)),
    ({"edit": "recolor", "index": 2, "to": "green"}, lambda t: editors.recolor(t, 2, to="green")),
])  # fmt: skip
def test_every_edit_renders_what_the_library_renders(client, opened, pipe, picture, edit, editor, one_thread):
    view = edited(client, opened, **edit)
    assert np.array_equal(pixels(client, view), np.asarray(pipe.decode(editor(pipe.encode(picture)))))
    apart = np.abs(composite(client, view) - pixels(client, view).astype(float))
    assert apart.mean() < 0.5 and np.quantile(apart, 0.999) <= 8


def test_undo_and_redo_go_through_the_edits_and_a_new_edit_ends_redo(client, opened):
    url = f"/api/sessions/{opened['id']}"
    first = edited(client, opened, edit="move", index=1, dx=4)
    second = edited(client, opened, edit="move", index=1, dx=4)
    assert client.post(f"{url}/undo").json()["tokens"] == first["tokens"]
    undone = client.post(f"{url}/undo").json()
    assert undone["tokens"] == opened["tokens"] and not undone["can_undo"]
    assert client.post(f"{url}/undo").json()["tokens"] == opened["tokens"]
    client.post(f"{url}/redo")
    redone = client.post(f"{url}/redo").json()
    assert redone["tokens"] == second["tokens"] and not redone["can_redo"]
    client.post(f"{url}/undo")
    assert not edited(client, opened, edit="move", index=2, dx=1)["can_redo"]


def test_only_so_many_steps_are_kept(client, opened):
    for _ in range(5):
        view = edited(client, opened, edit="move", index=1, dx=2)
    for _ in range(3):
        assert view["can_undo"]
        view = client.post(f"/api/sessions/{opened['id']}/undo").json()
    assert not view["can_undo"] and view["tokens"][0]["x"] == pytest.approx(opened["tokens"][0]["x"] + 4, abs=0.02)


def test_a_vle_file_is_saved_and_opened_again(client, opened):
    view = edited(client, opened, edit="move", index=1, dx=12, dy=3)
    answer = client.get(f"/api/sessions/{view['id']}/tokens.vle")
    again = opened_by(client, answer.content, "img.vle")
    assert np.array_equal(pixels(client, again), pixels(client, view))


def test_a_picture_from_text_has_tokens(client):
    answer = client.post("/api/sessions/from-text", json={"prompt": "a red cube", "seed": 1})
    assert answer.status_code == 200
    view = answer.json()
    assert view["name"] == "a-red-cube.png" and view["tokens"]
    apart = np.abs(composite(client, view) - pixels(client, view).astype(float))
    assert apart.max() <= 4


def test_an_object_comes_in_by_text_at_a_place_and_can_be_moved(client, opened, picture, tmp_path):
    answer = client.post(f"/api/sessions/{opened['id']}/add", json={"text": "a small green ball", "x": 60, "y": 200, "seed": 3})
    assert answer.status_code == 200, answer.text
    view = answer.json()
    assert len(view["tokens"]) == len(opened["tokens"]) + 1
    new = view["tokens"][-1]
    assert np.hypot(new["x"] - 60, new["y"] - 200) < 40
    assert not np.array_equal(pixels(client, view), np.asarray(picture))
    moved = edited(client, view, edit="move", index=new["index"], dx=30, dy=0)
    (tmp_path / "x.vle").write_bytes(client.get(f"/api/sessions/{view['id']}/tokens.vle").content)
    said = ("add 'a small green ball' at 60,200 seed 3", f"move {new['index']} by 30,0")
    assert VLETokens.load(tmp_path / "x.vle").history == said
    assert moved["tokens"][-1]["planes"][-1]["left"] == new["planes"][-1]["left"] + 30


def test_a_copy_in_another_colour_is_shown_and_named_as_it_is(client, tokens, tmp_path):
    alone, cube = tokens.resized(*tokens.size), int(tokens.label_map()[160, 133])
    both = editors.recolor(editors.duplicate(alone, cube, -80, 60), len(tokens), to="blue")
    both.save(tmp_path / "both.vle")
    view = opened_by(client, (tmp_path / "both.vle").read_bytes(), "both.vle")
    assert "red" in view["tokens"][cube - 1]["label"] and "blue" in view["tokens"][-1]["label"]
    apart = np.abs(composite(client, view) - pixels(client, view).astype(float))
    assert apart.mean() < 0.5 and np.quantile(apart, 0.999) <= 8


def test_a_large_picture_is_made_smaller_and_the_person_is_told(client):
    view = opened_by(client, as_png(Image.new("RGB", (800, 500), "gray")))
    assert view["width"] * view["height"] <= 300_000 and "800 × 500" in view["note"]
    assert view["width"] / view["height"] == pytest.approx(1.6, rel=0.01)


def test_bad_files_are_refused_in_one_line_that_names_them(client, bomb, png):
    for data in (b"", b"hello", png[:200], bomb):
        assert "bad.png" in refusal(client.post("/api/sessions?name=bad.png", content=data), 400) or data == bomb
    assert "bad.vle" in refusal(client.post("/api/sessions?name=bad.vle", content=png), 400)
    assert "megapixel" in refusal(client.post("/api/sessions", content=as_png(Image.new("L", (1000, 1000)))), 400)
    assert "8 pixels" in refusal(client.post("/api/sessions", content=as_png(Image.new("L", (3, 90)))), 400)


def test_too_many_bytes_are_refused_whether_they_say_how_many_they_are_or_not(client):
    assert "1 MiB" in refusal(client.post("/api/sessions", content=bytes(2**20 + 1)), 413)
    assert "1 MiB" in refusal(client.post("/api/sessions", content=(bytes(2**16) for _ in range(40))), 413)


def test_tokens_that_claim_a_huge_picture_are_refused(client, tokens, tmp_path):
    replace(tokens.resized(256, 256), size=(40_000, 40_000)).save(tmp_path / "huge.vle")
    answer = client.post("/api/sessions?name=huge.vle", content=(tmp_path / "huge.vle").read_bytes())
    assert "megapixel" in refusal(answer, 400)


@pytest.mark.parametrize("headers", [
    {"origin": "https://elsewhere.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8000"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
])  # fmt: skip
def test_requests_of_other_pages_are_refused(client, opened, png, headers):
    assert "own page" in refusal(client.post("/api/sessions", content=png, headers=headers), 403)
    assert "own page" in refusal(client.post(f"/api/sessions/{opened['id']}/undo", headers=headers), 403)
    assert client.delete(f"/api/sessions/{opened['id']}", headers=headers).status_code == 403
    assert client.get(f"/api/sessions/{opened['id']}").status_code == 200


def test_requests_of_its_own_page_are_taken(client, png):
    headers = {"origin": HOME, "sec-fetch-site": "same-origin"}
    assert client.post("/api/sessions", content=png, headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["elsewhere.example", "elsewhere.example:7860", "192.168.1.5:7860", "", "127.0.0.1.nip.io"])
def test_names_that_others_can_point_here_are_refused(client, host):
    assert "not called" in refusal(client.get("/", headers={"host": host}), 403)


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1:1", "[::1]:7860"])
def test_names_of_this_machine_are_taken(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


def test_a_studio_for_other_machines_answers_to_addresses_and_its_own_name_only(pipe):
    with TestClient(create_app(pipe, names=frozenset({"desk"}), loopback=False), HOME) as client:
        for host, status in (("desk:1", 200), ("192.168.1.5", 200), ("elsewhere.example", 403)):
            assert client.get("/", headers={"host": host}).status_code == status


def test_the_page_asks_nobody_else_for_anything(client):
    page = client.get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name in ("main.js", "studio.css", "icon.svg"):
        answer = client.get(f"/page/{name}")
        assert answer.status_code == 200
        assert "//" not in answer.text.replace("http://www.w3.org/2000/svg", "").replace("// ", "")
    assert client.get("/page/../server.py").status_code == 404


def test_what_is_not_there_is_said_to_be_gone(client, opened):
    assert "no longer" in refusal(client.get("/api/sessions/nothing"), 404)
    assert "no longer" in refusal(client.post("/api/sessions/nothing/undo"), 404)
    client.get(f"/api/sessions/{opened['id']}/layers/00.png")
    assert client.delete(f"/api/sessions/{opened['id']}").status_code == 204
    assert "no longer" in refusal(client.get(opened["picture"]), 404)


@pytest.mark.parametrize(("edit", "status"), [
    ({"edit": "move", "index": 99, "dx": 1}, 400),
    ({"edit": "move", "index": 0, "dx": 1}, 400),
    ({"edit": "move", "index": 1, "dx": 1e300}, 422),
    ({"edit": "move", "index": -1, "dx": 1}, 422),
    ({"edit": "move", "index": 1, "dx": "far"}, 422),
    ({"edit": "explode", "index": 1}, 422),
    ({"edit": "move", "index": 1, "dx": 1, "extra": 1}, 422),
])  # fmt: skip
def test_a_wrong_edit_is_explained_and_leaves_the_session_as_it_was(client, opened, edit, status):
    refusal(client.post(f"/api/sessions/{opened['id']}/edits", json=edit), status)
    assert client.get(f"/api/sessions/{opened['id']}").json() == opened


def test_unknown_words_are_explained(client, opened):
    message = refusal(client.post("/api/sessions/from-text", json={"prompt": "a xylophone"}), 400)
    assert "xylophone" in message
    assert "xylophone" in refusal(client.post(f"/api/sessions/{opened['id']}/add", json={"text": "a xylophone"}), 400)


@pytest.mark.parametrize(
    ("addition", "status", "line"),
    [
        ({"text": "a ball", "x": 60}, 400, "a place has an x and a y: give both, or neither"),
        ({"text": "a ball", "at": [60, 200]}, 422, "at: "),
    ],
)
def test_half_a_place_and_unknown_keys_are_explained(client, opened, addition, status, line):
    assert line in refusal(client.post(f"/api/sessions/{opened['id']}/add", json=addition), status)


def test_a_fault_of_ours_harms_no_other_request(client, opened, png, monkeypatch):
    pipe = client.app.state.studio.pipe

    def broken(tokens):
        raise RuntimeError("the model broke")

    with monkeypatch.context() as broke:
        broke.setattr(pipe, "decode", broken)
        message = refusal(client.post(f"/api/sessions/{opened['id']}/edits", json={"edit": "move", "index": 1, "dx": 9}), 500)
    assert "RuntimeError" in message and "the model broke" not in message
    assert client.get(f"/api/sessions/{opened['id']}").json() == opened
    moved = edited(client, opened, edit="move", index=1, dx=9)
    with monkeypatch.context() as broke:
        broke.setattr(pipe, "decode", broken)
        assert "as it was" in refusal(client.post(f"/api/sessions/{opened['id']}/undo"), 500)
    assert client.get(f"/api/sessions/{opened['id']}").json() == moved and moved["can_undo"]


def test_a_picture_that_another_window_changed_is_not_edited_unseen(client, opened):
    move = {"edit": "move", "index": 1, "dx": 5, "dy": 0}
    edits, seen = f"/api/sessions/{opened['id']}/edits", {"if-match": str(opened["version"])}
    assert client.post(edits, json=move, headers=seen).status_code == 200
    assert "another window" in refusal(client.post(edits, json=move, headers=seen), 409)
    assert "another window" in refusal(client.post(f"/api/sessions/{opened['id']}/undo", headers=seen), 409)
    now = client.get(f"/api/sessions/{opened['id']}").json()
    assert now["version"] == opened["version"] + 1
    assert client.post(edits, json=move, headers={"if-match": str(now["version"])}).status_code == 200


def test_what_the_edge_cuts_can_be_dragged_in_whole(client, picture):
    cut = picture.crop((64, 0, 256, 256))  # through the brown cylinder
    view = opened_by(client, as_png(cut))
    reach = min(plane["left"] for token in view["tokens"] for plane in token["planes"] if plane["blend"] == "source-over")
    assert reach < -4
