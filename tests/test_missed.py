"""Objects of which little shows beside a nearer one: each has a token, and when the nearer moves it stays where it is."""
from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from PIL import Image

from editors import move
from vle_gen.evaluation.evaluate import read_scenes
from vle_gen.evaluation.metrics import best_match
from vle_gen.tokenizer.ownership import Claim
from vle_gen.tokenizer.render import Window
from vle_gen.training.outline import missed_losses

SLIVERS = {0: 2, 1: 6}  # number of the object of which a sliver shows, by scene


@pytest.fixture(scope="module")
def slivers():
    """Two renders: green behind a red cube, and purple behind a purple cylinder."""
    from tests.conftest import FIXTURES

    return list(read_scenes(FIXTURES / "slivers"))


@pytest.fixture
def careless(pipe):
    """The shipped pipeline, whose outline network does not say what was missed."""
    other = copy.deepcopy(pipe.tokenizer)
    other.network.outline.missed = None
    return other


@pytest.mark.parametrize("index", SLIVERS)
def test_a_sliver_behind_a_nearer_thing_is_found(pipe, careless, slivers, index):
    scene, kind = slivers[index], SLIVERS[index]
    mask = scene.labels == kind
    tokens = pipe.encode(Image.fromarray(scene.image))
    assert best_match(mask, tokens.label_map())[1] > 0.5
    before = careless.encode(torch.from_numpy(scene.image.copy()).permute(2, 0, 1))
    assert best_match(mask, before.label_map())[1] < 0.1, "it is the second look that finds it"
    assert int(tokens.length[0]) == int(before.length[0]) + 1


def test_the_nearer_thing_moves_without_it(pipe, slivers):
    scene = slivers[0]
    tokens = pipe.encode(Image.fromarray(scene.image))
    owner = np.asarray(tokens.label_map())
    sliver, _ = best_match(scene.labels == SLIVERS[0], owner)
    cube, overlap = best_match(scene.labels == 3, owner)
    assert overlap > 0.9 and cube != sliver
    away = np.asarray(pipe.decode(move(tokens, cube, dx=-70, dy=0)).convert("RGB")).astype(int)
    kept = (scene.labels == SLIVERS[0]) & (owner == sliver)
    assert np.median(np.abs(away - scene.image)[kept].max(-1)) < 12, "most of what showed of it still does"
    body = away[scene.labels == 3].reshape(-1, 3)
    green = (body[:, 1] > body[:, 0] + 4).mean()
    assert green > 0.02, "more of it shows now"


def test_nothing_is_added_where_nothing_was_missed(pipe, careless, scenes):
    for scene in read_scenes(scenes):
        pixels = torch.from_numpy(scene.image.copy()).permute(2, 0, 1)
        assert torch.equal(pipe.tokenizer.encode(pixels).where, careless.encode(pixels).where)


def test_a_checkpoint_without_it_learns_it(vlegen, sprites, scenes, tmp_path, pipe):
    from safetensors.torch import load_file, save_file

    weights = "diffusion_pytorch_model.safetensors"
    pipe.tokenizer.save_checkpoint(tmp_path / "init")
    config = json.loads((tmp_path / "init" / "config.json").read_text())
    (tmp_path / "init" / "config.json").write_text(json.dumps(config | {"missed": False}))
    whole = load_file(tmp_path / "init" / weights)
    before = {name: value for name, value in whole.items() if not name.startswith("network.outline.missed.")}
    save_file(before, tmp_path / "init" / weights)
    ran = vlegen(
        "train", "tokenizer", f"data.sprites={sprites}", f"data.scenes={scenes}", f"init={tmp_path / 'init'}",
        "trained=outline", "model.outline=24", "model.missed=true", "data.native=0.5", "train.batch=3", "train.steps=4",
        "train.warmup_steps=1", "train.sample_every=0", "train.log_every=1", "least_objects=4", "train.seed=3",
        "--out", tmp_path / "run", "--device", "cpu",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    after = load_file(tmp_path / "run" / "checkpoint" / weights)
    assert after.keys() - before.keys() == {"network.outline.missed.weight", "network.outline.missed.bias"}
    assert float(after["network.outline.missed.weight"].abs().max()) > 0
    for name in before.keys() & after.keys():
        assert name.startswith("network.outline.") or torch.equal(after[name], before[name]), name
    steps = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert any("missed" in step for step in steps)


def test_the_benchmark_counts_what_was_missed_and_found(monkeypatch, capsys, tmp_path):
    import runpy
    import sys

    from tests.conftest import FIXTURES

    script = FIXTURES.parents[1] / "benchmarks" / "slivers.py"
    monkeypatch.setattr(sys, "argv", [str(script), str(FIXTURES / "slivers"), "-o", str(tmp_path / "sheet.jpg")])
    runpy.run_path(str(script), run_name="__main__")
    assert "2 objects missed by the loop; 2 tokens added, 2 of them of an object that was" in capsys.readouterr().out
    assert Image.open(tmp_path / "sheet.jpg").size == (4 * 280, 2 * 200)


def test_it_needs_an_outline_network(vlegen, tmp_path, sprites):
    ran = vlegen("train", "tokenizer", f"data.sprites={sprites}", "model.missed=true", "--out", tmp_path / "run")
    assert ran.status == 2 and "model.missed is true: give model.outline" in ran.err and len(ran.err.splitlines()) == 1


def test_what_is_missed_is_learnt_of_objects_that_show_and_have_no_token():
    labels = torch.zeros(30, 40, dtype=torch.long)
    labels[2:12, 2:12], labels[14:20, 14:24], labels[25:27, 30:34] = 1, 2, 3  # 3 hardly shows
    owner = torch.where(labels == 1, 1, 0)  # 2 and 3 have no token
    window = Window(0, 30, 0, 40)

    def loss(marked: torch.Tensor) -> float:
        said = torch.where(marked, 6.0, -6.0)
        (value,), others = missed_losses({1: Claim(window, said, said, 1, said)}, labels, owner)
        assert not others
        return float(value)

    right = loss(labels == 2)
    assert right < 0.1 and loss((labels == 2) | (labels == 3)) == pytest.approx(right, abs=0.02)
    assert loss(labels == 9) > right + 0.5, "not noticed"
    assert loss(labels > 0) > right + 0.3, "taken from a token"
    said = torch.full_like(labels, -12.0, dtype=torch.float32)
    missing, others = missed_losses({1: Claim(window, said, said, 1, said)}, labels, labels.clone())
    assert not missing and float(others[0]) < 0.1, "nothing is missing"
