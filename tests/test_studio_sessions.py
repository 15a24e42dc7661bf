"""What the studio keeps, and where it is served."""
import socket
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the studio is an extra: pip install '.[studio]'")

import editors
from vle_gen.studio.limits import Limits
from vle_gen.studio.serving import Place
from vle_gen.studio.sessions import Full, Gone, Session, Sessions


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def session_of(pipe, tokens):
    """Makes sessions of the scene."""
    from vle_gen.studio.layers import LayerStore

    return lambda: Session("img.png", LayerStore(pipe.tokenizer.network), [tokens])


def test_the_session_that_was_not_used_for_longest_makes_room(session_of):
    clock = Clock()
    sessions = Sessions(Limits(sessions=2, safe_seconds=10), clock)
    first, second = sessions.add(session_of()), sessions.add(session_of())
    clock.now = 20
    sessions.get(first.id)
    third = sessions.add(session_of())
    assert len(sessions) == 2 and sessions.get(first.id) is first and sessions.get(third.id) is third
    with pytest.raises(Gone):
        sessions.get(second.id)
    with pytest.raises(Full):  # the others were used a moment ago
        sessions.add(session_of())


def test_sessions_make_room_for_memory_and_grow_old(session_of):
    clock = Clock()
    size = session_of().nbytes
    sessions = Sessions(Limits(session_bytes=int(2.5 * size), safe_seconds=0, idle_seconds=100), clock)
    kept = []
    for _ in range(4):
        clock.now += 1
        kept.append(sessions.add(session_of()))
    assert len(sessions) == 2
    clock.now += 101
    with pytest.raises(Gone):
        sessions.get(kept[-1].id)
    assert len(sessions) == 0


def test_memory_that_steps_share_is_counted_once(session_of, tokens):
    session, picture, owner = session_of(), tokens.detail.picture.numel(), tokens.detail.owner.numel()
    sizes = [session.nbytes]
    again = replace(tokens, detail=replace(tokens.detail, owner=tokens.detail.owner.clone()))
    other = replace(tokens, detail=replace(tokens.detail, picture=tokens.detail.picture.clone()))
    for step in (editors.move(tokens, 1, 5), again, other):
        session.take(step, 9)
        sizes.append(session.nbytes)
    moved, owned, apart = np.diff(sizes)
    assert moved < owner and moved + owner == owned and moved + picture == apart


def test_layers_that_are_no_longer_shown_are_forgotten(pipe, tokens, monkeypatch):
    from vle_gen.studio import layers

    monkeypatch.setattr(layers, "REMEMBERED", 6)
    store = layers.LayerStore(pipe.tokenizer.network)
    store.scenery(tokens)
    first, sizes = store.nbytes, []
    for step in range(8):
        scenery = store.scenery(editors.resize(tokens, 1, 1 + step / 20))
        assert all(store.file(plane.key) for planes in scenery.planes for plane in planes)
        sizes.append(store.nbytes)
    assert max(sizes) < 2 * first


def test_layers_take_the_memory_that_is_said(pipe):
    from vle_gen.studio.layers import LayerStore

    mask = np.zeros((200, 200), bool)
    mask[5:195, 5:195] = True  # its layers cover the whole picture
    grey = Image.fromarray(np.where(mask[..., None], 60, 180).repeat(3, -1).astype(np.uint8))
    store = LayerStore(pipe.tokenizer.network)
    scenery = store.scenery(pipe.encode(grey, masks=[mask]))
    assert len(scenery.planes) == 2
    files = sum(len(store.file(plane.key)) for plane in (scenery.floor, *scenery.planes[1]))
    planes = 7  # light, colour, matte: a shadow that is nothing takes nothing
    assert 0.9 * planes * 4 * mask.size < store.nbytes - files < 1.1 * planes * 4 * mask.size


def test_a_taken_port_and_a_foreign_address_are_explained(vlegen):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = vlegen("serve", "--port", port)
    assert ended.status == 2 and f"127.0.0.1 port {port}" in ended.err and ended.err.count("\n") == 1
    ended = vlegen("serve", "--host", "192.0.2.1")  # an address that no machine has
    assert ended.status == 2 and "192.0.2.1" in ended.err and ended.err.count("\n") == 1


def test_without_a_port_a_free_one_is_found():
    with Place.listening("127.0.0.1", None).socket, Place.listening("127.0.0.1", None).socket as second:
        assert second.getsockname()[1] > 0


def test_what_has_to_be_installed_is_said(vlegen, monkeypatch):
    monkeypatch.setattr("vle_gen.studio.find_spec", lambda name: None)
    ended = vlegen("serve")
    assert ended.status == 2 and "pip install fastapi uvicorn" in ended.err and ended.err.count("\n") == 1


def test_what_grows_by_edits_makes_others_go_and_then_forgets_its_own_oldest_steps(session_of, tokens):
    clock = Clock()
    size = session_of().nbytes
    sessions = Sessions(Limits(session_bytes=int(2.5 * size), safe_seconds=10), clock)
    idle = sessions.add(session_of())
    clock.now = 20
    session = sessions.add(session_of())
    other = replace(tokens, detail=replace(tokens.detail, picture=tokens.detail.picture.clone()))
    for index in range(1, 5):
        session.take(editors.paste(session.tokens, replace(other, detail=replace(
            other.detail, picture=other.detail.picture + index)), 1), 200)
        sessions.fit(session)
    with pytest.raises(Gone):
        sessions.get(idle.id)
    assert sessions.get(session.id) is session and len(session.past) < 5
    assert len(session.tokens) == len(tokens) + 4, "what is seen stays"
