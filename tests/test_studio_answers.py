"""The studio's answers beside pictures: in what units, what is noted, how much it takes on, and `vlegen serve` itself."""
import asyncio
import dataclasses
import io
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("fastapi", reason="the studio is an extra: pip install '.[studio]'")
from fastapi.testclient import TestClient

import editors
from editors.rows import box
from vle_gen.generation import writing
from vle_gen.studio.layers import LayerStore
from vle_gen.studio.limits import Limits
from vle_gen.studio.server import create_app
from vle_gen.studio.serving import Place
from vle_gen.studio.sessions import Full, Session, Sessions
from vle_gen.studio.studio import Studio
from vle_gen.studio.work import Busy, Workers

HOME = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def client(pipe, tokens):
    """A studio that takes one token more than the scene has."""
    limits = Limits(tokens=len(tokens) + 1, workers=1)
    with TestClient(create_app(pipe, limits), HOME, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def opened(client, file) -> dict:
    """A session of the scene."""
    return sent(client, "?name=img.png", content=file.read_bytes())


def sent(client, where: str, **options) -> dict:
    answer = client.post(f"/api/sessions{where}", **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def as_vle(tokens, folder: Path) -> bytes:
    tokens.save(folder / "t.vle")
    return (folder / "t.vle").read_bytes()


def test_horizon_and_focal_length_are_in_pixels_of_pictures_of_any_shape(client, pipe, picture):
    for window in ((0, 48, 256, 224), (80, 0, 240, 256)):
        buffer = io.BytesIO()
        picture.crop(window).save(buffer, "PNG")
        view = sent(client, "", content=buffer.getvalue())
        move = {"edit": "move", "index": 1, "dy": 25, "perspective": True}
        after = sent(client, f"/{view['id']}/edits", json=move)["tokens"][0]
        before, horizon = view["tokens"][0], view["horizon"]
        growth = (before["y"] + 25 - horizon) / (before["y"] - horizon)
        assert growth > 1.02 and after["width"] / before["width"] == pytest.approx(growth, rel=1e-3)
        assert before["focal"] == pytest.approx(pipe.tokenizer.network.sizes.focal * 256)
        assert after["focal"] == 0, "what has another size than in the picture is not stretched"


def test_what_is_saved_is_called_as_the_page_says(client, opened):
    for name in ("picture.png", "tokens.vle"):
        answer = client.get(f"/api/sessions/{opened['id']}/{name}", params={"save_as": "mein büro, 文.png"})
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''mein%20b%C3%BCro%2C%20%E6%96%87.png"
        assert "content-disposition" not in client.get(f"/api/sessions/{opened['id']}/{name}").headers


def test_what_came_out_otherwise_is_noted_until_it_is_undone(client, opened):
    at = {"x": opened["tokens"][0]["x"] + 90, "y": 200}
    view = sent(client, f"/{opened['id']}/add", json={"text": "a cube left of the red cube", **at})
    assert view["note"].startswith("Not quite what was asked: ")
    assert client.get(f"/api/sessions/{view['id']}").json()["note"] == view["note"]
    assert sent(client, f"/{view['id']}/undo")["note"] == ""


def test_a_word_that_is_drawn_as_another_is_noted(client, opened):
    drawn = sent(client, "/from-text", json={"prompt": "a crimson cube", "seed": 1})
    added = sent(client, f"/{opened['id']}/add", json={"text": "a crimson ball", "seed": 1})
    replaced = sent(client, f"/{opened['id']}/replace", json={"index": 1, "text": "a crimson cube", "seed": 1})
    assert all(view["note"].startswith("'crimson' is drawn as red") for view in (drawn, added, replaced))


def test_a_seed_means_in_the_studio_what_it_means_in_the_library(client, opened, pipe, tokens):
    def seeded(number: int) -> torch.Generator:
        return torch.Generator().manual_seed(number)

    drawn = sent(client, "/from-text", json={"prompt": "a red cube", "seed": 5})
    shown = np.asarray(Image.open(io.BytesIO(client.get(drawn["picture"]).content))).astype(int)
    wanted = np.asarray(pipe("a red cube", generator=seeded(5)).images[0]).astype(int)
    assert np.abs(shown - wanted).mean() < 1
    view = sent(client, f"/{opened['id']}/add", json={"text": "a ball", "seed": 6})
    new, asked = view["tokens"][-1], writing.add(pipe, tokens, "a ball", generator=seeded(6)).tokens
    assert (new["x"], new["y"]) == pytest.approx((box(asked, -1).x, box(asked, -1).y), abs=0.1)


def test_pictures_of_too_many_tokens_are_neither_opened_nor_made(client, opened, tokens, tmp_path):
    twice = {"edit": "duplicate", "index": 1, "dx": 30}
    assert sent(client, f"/{opened['id']}/edits", json=twice)["can_undo"]
    refused = client.post(f"/api/sessions/{opened['id']}/edits", json=twice)
    most = len(tokens) + 1
    assert refused.status_code == 400 and f"expected at most {most}" in refused.json()["error"]
    many = editors.duplicate(editors.duplicate(tokens, 1, 30), 1, 60)
    refused = client.post("/api/sessions?name=t.vle", content=as_vle(many, tmp_path))
    assert refused.status_code == 400 and f"has {most + 1} tokens: expected at most {most}" in refused.json()["error"]


def test_an_upload_that_does_not_come_is_given_up(pipe):
    app, told = create_app(pipe, Limits(upload_seconds=0.01)), []

    async def never() -> dict:
        await asyncio.Event().wait()
        return {}

    async def hear(message: dict) -> None:
        told.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/sessions", "query_string": b"", "http_version": "1.1",
        "headers": [(b"host", b"localhost")],
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(app(scope, never, hear), 60))
    assert told[0]["status"] == 408 and b"too long to arrive" in told[1]["body"]


def test_more_than_may_wait_is_asked_to_come_back_and_then_taken():
    async def crowd() -> None:
        workers, free = Workers(Limits(workers=1, waiting=1)), threading.Event()
        taken = [asyncio.ensure_future(workers.render(lambda: free.wait(60))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await workers.render(int)
        free.set()
        assert await asyncio.gather(*taken) == [True, True]
        assert await workers.render(int) == 0
        workers.close()

    asyncio.run(crowd())


@pytest.mark.parametrize("back", [True, False])
def test_what_cannot_be_undone_for_lack_of_a_worker_is_undone_when_asked_again(pipe, tokens, back):
    async def ask() -> None:
        studio, free = Studio(pipe, Limits(workers=1, waiting=0)), threading.Event()
        session = Session("img.png", LayerStore(pipe.tokenizer.network), [tokens])
        session.take(editors.move(tokens, 1, 5), 9)
        if not back:
            session.undo()
        version, note = session.version, "something"
        session.note = note
        busy = asyncio.ensure_future(studio.workers.render(lambda: free.wait(60)))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await studio.step(session, back, version)
        assert (session.version, len(session.past), session.note) == (version, 2 if back else 1, note)
        free.set()
        await busy
        view = await studio.step(session, back, version)
        assert view.can_redo == back and view.can_undo != back and view.note == ""
        studio.workers.close()

    asyncio.run(ask())


def test_a_session_at_work_is_not_put_away(pipe, tokens):
    now = [0.0]
    sessions = Sessions(Limits(sessions=1, idle_seconds=100, safe_seconds=10), lambda: now[0])
    one = sessions.add(Session("img.png", LayerStore(pipe.tokenizer.network), [tokens]))

    async def work() -> None:
        async with one.lock:
            now[0] = 1000.0
            with pytest.raises(Full):
                sessions.add(Session("other.png", LayerStore(pipe.tokenizer.network), [tokens]))

    asyncio.run(work())
    assert len(sessions) == 1


def test_an_address_that_stands_for_all_is_opened_as_this_machine():
    with Place.listening("0.0.0.0", 0).socket as bound:
        place = Place("0.0.0.0", bound)
        assert place.url == f"http://localhost:{place.port}/" and not place.loopback
    with Place.listening("127.0.0.1", 0).socket as bound:
        place = Place("127.0.0.1", bound)
        assert place.url == f"http://127.0.0.1:{place.port}/" and place.loopback


def test_serve_opens_a_picture_and_answers_to_its_own_names(file):
    command = [sys.executable, "cli.py", "serve", str(file), "--host", "0.0.0.0", "--port", "0"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        try:
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            url, _, session = served.stdout.readline().split()[4].partition("#")

            def answered(path: str, host: str) -> tuple[int, str]:
                request = urllib.request.Request(url + path, headers={"host": host})
                try:
                    with direct.open(request, timeout=60) as answer:
                        return answer.status, answer.read().decode()
                except urllib.error.HTTPError as fault:
                    return fault.code, fault.read().decode()

            for host in ("localhost", socket.gethostname(), "192.168.1.5"):
                status, text = answered(f"api/sessions/{session}", host)
                assert status == 200 and '"name":"img.png"' in text, host
            assert answered("", "elsewhere.example")[0] == 403
        finally:
            served.send_signal(signal.SIGINT)
            _, told = served.communicate(timeout=60)
    assert served.returncode == 0 and told.startswith("vlegen: 0.0.0.0 is open to other machines")
    assert told.count("\n") == 1


def test_serve_refuses_what_it_could_not_take_as_an_upload(vlegen, tmp_path):
    (tmp_path / "large.png").write_bytes(bytes(Limits().upload_bytes + 1))
    for name, said in (("large.png", "is too large: expected at most 40 MiB"), ("none.png", "does not exist")):
        ran = vlegen("serve", tmp_path / name, "--port", 0)
        assert ran.status == 2 and said in ran.err and ran.err.count("\n") == 1


def test_what_is_unsure_is_named_with_a_question_mark(client, tokens, tmp_path):
    score = tokens.score.clone()
    score[0, 1:] = torch.tensor([0.2, *[0.9] * (len(tokens) - 2)])
    view = sent(client, "?name=t.vle", content=as_vle(dataclasses.replace(tokens, score=score), tmp_path))
    assert [t["sure"] for t in view["tokens"]] == [False, *[True] * (len(tokens) - 2)]
    assert [t["label"].endswith("?") for t in view["tokens"]] == [not t["sure"] for t in view["tokens"]]


def test_a_picture_without_a_token_shows_what_an_edit_bares(client, opened, pipe, picture, one_thread):
    where = f"/api/sessions/{opened['id']}/behind/1.png"
    answer = client.get(where, params={"version": opened["version"]})
    bared = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert np.array_equal(bared, np.asarray(pipe.decode(editors.remove(pipe.encode(picture), 1))))
    assert client.get(where, params={"version": 7}).status_code == 409
    assert client.get(where.replace("1.png", "99.png")).status_code == 400
    assert not opened["guesses"]  # of the world that the model knows one floor is enough


def test_a_picture_of_unsure_tokens_has_no_one_floor(tokens, pipe, monkeypatch):
    store, score = LayerStore(pipe.tokenizer.network), tokens.score.clone()
    score[0, 1:] = 0.1
    unsure = dataclasses.replace(tokens, score=score)
    assert not store.guesses(unsure)  # the checkpoint knows one world
    monkeypatch.setattr(store, "_network", SimpleNamespace(sizes=SimpleNamespace(one_world=False)))
    assert store.guesses(unsure) and store.guesses(editors.move(unsure, 1, 20, 0)) and not store.guesses(tokens)
