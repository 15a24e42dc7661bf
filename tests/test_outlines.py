"""Whose each pixel is: the outline network at work, in large pictures too, and its training."""
from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from PIL import Image

from vle_gen.evaluation.evaluate import read_scenes
from vle_gen.evaluation.metrics import best_match
from vle_gen.segmentation.outlines import owners, without_specks
from vle_gen.tokenizer.outline import SURE, OutlineNetwork
from vle_gen.tokenizer.ownership import claims
from vle_gen.training.outline import wanted_owner


def pixels_of(image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def overlap(labels: np.ndarray, owner: torch.Tensor) -> float:
    """Mean intersection over union of true objects and what they are best matched by."""
    return float(np.mean([best_match(labels == k, owner.numpy())[1] for k in np.unique(labels[labels > 0])]))


@pytest.fixture
def plain(pipe):
    """The shipped network without its outline network."""
    network = copy.deepcopy(pipe.tokenizer.network)
    network.outline = None
    return network


def test_the_network_is_nearer_to_true_outlines_than_scopes_and_colours(pipe, plain, scenes):
    drawn, settled = [], []
    for scene in read_scenes(scenes):
        pixels = pixels_of(scene.image)
        code = pipe.tokenizer.encode_alone(pixels)
        drawn.append(overlap(scene.labels, owners(pipe.tokenizer.network, pixels, code)))
        settled.append(overlap(scene.labels, owners(plain, pixels, code)))
    assert np.mean(drawn) > np.mean(settled) + 0.002 and np.mean(drawn) > 0.93


def test_a_large_picture_has_outlines_as_good(pipe, scenes):
    scene = next(read_scenes(scenes))
    large = Image.fromarray(scene.image).resize((1280, 1280), Image.BICUBIC)
    labels = np.asarray(Image.fromarray(scene.labels.astype(np.uint8)).resize((1280, 1280), Image.NEAREST))
    pixels = pixels_of(large)
    code = pipe.tokenizer.encode_alone(pixels)
    found = claims(pipe.tokenizer.network, pixels.float() / 255, code)
    assert max(claim.smaller for claim in found.values()) > 1
    assert overlap(labels, owners(pipe.tokenizer.network, pixels, code)) > 0.93


def test_an_untrained_network_says_what_scopes_say(plain, picture):
    from vle_gen.tokenizer.loop import encode_picture

    plain.outline = OutlineNetwork(12)
    seen = pixels_of(picture).float() / 255
    with torch.no_grad():
        for claim in claims(plain, seen, encode_picture(plain, seen)).values():
            torch.testing.assert_close(claim.logits, claim.scope.clamp(-SURE, SURE), atol=1e-4, rtol=0)


def test_a_token_owns_the_object_that_it_is_likest_to():
    labels = torch.zeros(8, 8, dtype=torch.long)
    labels[:, :3], labels[:, 5:] = 2, 1
    found = torch.zeros_like(labels)
    found[:, :2], found[:3, 2], found[:2, 5:7] = 1, 2, 3  # most of one object, a sliver of it, and little of the other
    wanted = wanted_owner(found, labels)
    assert (wanted[:, :3] == 1).all(), "all of an object is the token's that has most of it"
    assert (wanted[:, 5:] == 0).all() and (wanted[:, 3:5] == 0).all(), "nobody's: no token is like it"
    found[:6, 5:] = 3
    assert (wanted_owner(found, labels)[:, 5:] == 3).all()


def test_training_outlines_changes_nothing_else(vlegen, sprites, scenes, tmp_path, pipe):
    from safetensors.torch import load_file, save_file

    weights = "diffusion_pytorch_model.safetensors"
    pipe.tokenizer.save_checkpoint(tmp_path / "init")
    config = json.loads((tmp_path / "init" / "config.json").read_text())
    (tmp_path / "init" / "config.json").write_text(json.dumps(config | {"outline": 0}))
    whole = load_file(tmp_path / "init" / weights)
    save_file({k: v for k, v in whole.items() if not k.startswith("network.outline.")}, tmp_path / "init" / weights)
    ran = vlegen(
        "train", "tokenizer", f"data.sprites={sprites}", f"data.scenes={scenes}", f"init={tmp_path / 'init'}",
        "trained=outline", "model.outline=12", "data.native=0.5", "train.batch=2", "train.steps=4",
        "train.warmup_steps=1", "train.sample_every=0", "train.log_every=1", "--out", tmp_path / "run", "--device", "cpu",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    before, after = load_file(tmp_path / "init" / weights), load_file(tmp_path / "run" / "checkpoint" / weights)
    new = after.keys() - before.keys()
    assert new and all(name.startswith("network.outline.") for name in new)
    for name in after.keys() - new:
        assert torch.equal(after[name], before[name]), name
    last = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    assert 0 < last["wrong"] < 0.1 and last["grad_norm"] > 0
    assert float(after["network.outline.out.weight"].abs().max()) > 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["trained=outline"], "give model.outline, such as 24, and init"),
        (["model.outline=10"], "model.outline is 10: expected a multiple of 3"),
        (["data.native=2"], "data.native is 2.0: expected 0 to 1"),
    ],
)
def test_outlines_that_cannot_be_trained_are_one_line(vlegen, tmp_path, sprites, settings, said):
    ran = vlegen("train", "tokenizer", f"data.sprites={sprites}", *settings, "--out", tmp_path / "run")
    assert ran.status == 2 and said in ran.err and len(ran.err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("times", [1, 3])
def test_a_speck_of_one_thing_in_another_is_the_others(times):
    owner = torch.zeros(320, 480, dtype=torch.long)
    owner[40:140, 40:140], owner[200:280, 300:420] = 1, 2
    owner[230:233, 350:353] = 1  # a speck, in the other
    owner[140:190, 90:92] = 1  # a leg, of its own
    owner[100:103, 300:303] = 1  # a speck on the floor, which nobody else has a right to
    wanted = owner.clone()
    wanted[230:233, 350:353] = 2
    large = (one.repeat_interleave(times, 0).repeat_interleave(times, 1) for one in (owner, wanted))
    where = torch.tensor([[0.5, 0.5, 1.0, 1.0]] * 3)
    given, expected = large
    assert torch.equal(without_specks(given, where), expected)
