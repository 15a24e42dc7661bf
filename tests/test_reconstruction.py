"""The variant `reconstruction`: a small network is trained once; its checkpoint encodes, decodes and refuses what takes
objects."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

import vle_gen
from editors import move
from vle_gen import config as configs
from vle_gen.data.compose import Composer
from vle_gen.data.scenes import SceneStore
from vle_gen.data.sprites import SpriteBank
from vle_gen.display.overlay import TokenRow, remarks
from vle_gen.encoding import Halting
from vle_gen.errors import UserError
from vle_gen.evaluation.metrics import psnr
from vle_gen.tokenizer.model import VLETokenizer
from vle_gen.tokenizer.reconstruction import STEP, ReconstructionLoss, ReconstructionNetwork, bits_of
from vle_gen.tokenizer.reconstruction_model import ReconstructionTokenizer
from vle_gen.tokenizer.sizes import ReconstructionSizes, ReconstructionWeights
from vle_gen.training.optimizer import Optimizer

SIZES = ReconstructionSizes(what=32, side=32, widths=[16, 32, 32])


@pytest.fixture(scope="module")
def run(tmp_path_factory, sprites, scenes):
    """A folder with a checkpoint, trained for seconds, and PSNR at 1 and 4 tokens before and after."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    composed = Composer(SpriteBank.load(sprites))(24, generator, 64, 64).image
    whole = SceneStore.load(scenes).image.float() / 255
    frames = torch.cat([F.interpolate(one, (32, 32), mode="area") for one in (composed, *6 * [whole])])
    network = ReconstructionNetwork(SIZES)
    optimizer, criterion = Optimizer(network, 1e-3, 4e-3, 0.01), ReconstructionLoss(ReconstructionWeights(), 4)
    history = []
    for _ in range(100):
        loss, numbers = criterion(network, frames[torch.randperm(len(frames), generator=generator)[:8]], generator)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        history.append(numbers)
    folder = tmp_path_factory.mktemp("run")
    ReconstructionTokenizer.from_network(network).save_checkpoint(folder / "checkpoint", {"steps": 100})
    return Run(folder / "checkpoint", history)


@dataclass(frozen=True)
class Run:
    """A trained checkpoint, and the numbers of every step."""

    checkpoint: Path
    history: list[dict]


@pytest.fixture(scope="module")
def coder(run):
    return vle_gen.load(run.checkpoint)


def array(image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def test_it_learns_and_every_token_adds(run):
    def mean(rows, key):
        return sum(float(row[key]) for row in rows) / len(rows)

    first, last = run.history[:5], run.history[-20:]
    assert mean(last, "psnr_4") > mean(first, "psnr_4") + 2
    assert mean(last, "psnr_4") > mean(last, "psnr_2") > mean(last, "psnr_1")


def test_the_command_trains_shows_and_resumes(vlegen, sprites, scenes, tmp_path):
    sizes = [f"model.{name}={value}".replace(" ", "") for name, value in vars(SIZES).items()]
    command = ["train", "tokenizer", "--config", "configs/tokenizer-reconstruction.yaml", *sizes, "tokens=2", "train.batch=4"]
    command += [f"data.sprites={sprites}", f"data.scenes={scenes}", "--out", tmp_path, "--device", "cpu"]
    assert vlegen(*command, "train.steps=2", "train.sample_every=2").status == 0
    sample = Image.open(tmp_path / "samples" / "0000002.png")
    assert sample.size == (8 * 264, 6 * 176), "eight pictures, each above what 1, 2, 4, 8 and 16 tokens say"
    assert "variant `reconstruction`" in (tmp_path / "checkpoint" / "README.md").read_text()
    refused = vlegen(*command, "train.steps=3")
    assert refused.status == 2 and "already holds a run" in refused.err
    more = vlegen(*command, "train.steps=3", "--resume")
    assert more.status == 0 and more.out.strip() == str(tmp_path / "checkpoint")
    assert isinstance(VLETokenizer.load(tmp_path / "checkpoint"), ReconstructionTokenizer)


def test_pictures_come_back_and_tokens_alone_come_near(coder, picture, tmp_path):
    tokens = coder.encode(picture)
    assert (array(coder.decode(tokens)) == array(picture)).all()
    assert not tokens.kind.any() and not tokens.label_map().any()
    alone = array(coder.decode(tokens, carry=False))
    assert psnr(alone, array(picture)) > 20
    for carry in (True, False):
        tokens.save(tmp_path / "t.vle", carry)
        again = vle_gen.VLETokens.load(tmp_path / "t.vle")
        assert (array(coder.decode(again, carry=False)) == alone).all()
        assert (array(coder.decode(again)) == (array(picture) if carry else alone)).all()
    assert coder.decode(tokens, carry=False, size=90).size == (90, 90)


@pytest.mark.parametrize("size", [(90, 40), (33, 100), (64, 64)])
def test_any_size(coder, picture, size):
    small = picture.resize(size)
    tokens = coder.encode(small)
    assert coder.decode(tokens, carry=False).size == size
    assert (array(coder.decode(tokens)) == array(small)).all()


def test_fewer_tokens_are_the_first_of_more_and_say_less(coder, picture):
    free = dict(quality=100)  # nearly all that helps is worth its bits
    whole = coder.encode(picture, halting=Halting(**free))
    first = coder.encode(picture, halting=Halting(max_tokens=1, **free))
    assert len(whole) > len(first) == 1
    assert torch.equal(first.what, whole.what[:, :1])
    near = [psnr(array(coder.decode(t, carry=False)), array(picture)) for t in (first, whole)]
    assert near[0] < near[1]
    assert len(coder.encode(picture, halting=Halting(quality=0))) <= len(whole)


def test_length_follows_content(coder, picture):
    flat = Image.new("RGB", picture.size, (128, 128, 128))
    assert len(coder.encode(flat)) < len(coder.encode(picture))


def test_bits_are_those_of_a_unit_gaussian():
    values = torch.arange(-400, 401) * STEP
    lengths = torch.stack([bits_of(value.view(1, 1))[0] for value in values])
    assert float(torch.exp2(-lengths).sum()) == pytest.approx(1, abs=1e-9)
    assert torch.isfinite(lengths).all() and lengths[0] > lengths[300] > lengths[400]


def test_checkpoints_of_both_variants_load_in_the_same_way(run, pipe, coder, picture):
    tokenizer = vle_gen.VLETokenizer.from_pretrained(run.checkpoint)
    pixels = torch.from_numpy(array(picture).copy()).permute(2, 0, 1)
    tokens = tokenizer.encode(pixels)
    assert torch.equal(tokens.what, coder.encode(picture).what)
    with pytest.raises(UserError, match="made by checkpoint"):
        pipe.decode(tokens, carry=False)
    with pytest.raises(UserError, match="made by checkpoint"):
        coder.decode(pipe.encode(picture), carry=False)


def test_commands(vlegen, run, file, tmp_path):
    checkpoint, saved = ("--checkpoint", run.checkpoint), tmp_path / "t.vle"
    listed = vlegen("tokens", file, "--save", saved, "--json", tmp_path / "t.json", *checkpoint)
    assert listed.status == 0 and saved.is_file(), listed.err
    assert {row["kind"] for row in json.loads((tmp_path / "t.json").read_text())} == {"scene"}
    decoded = vlegen("decode", saved, "-o", tmp_path / "d.png", *checkpoint)
    assert decoded.status == 0, decoded.err
    assert (array(Image.open(tmp_path / "d.png")) == array(Image.open(file))).all()
    scored = vlegen("eval", "tokenizer", file.parent, *checkpoint)
    assert scored.status == 2, "no scenes there"


@pytest.mark.parametrize(
    "command",
    [
        ["move", "FILE", "--token", "1", "--dx", "5"], ["move", "FILE", "--object", "the red ball", "--dx", "5"],
        ["remove", "FILE", "--token", "0"], ["describe", "FILE"], ["txt2img", "a red ball"], ["add", "FILE", "a red ball"],
        ["tokens", "FILE", "--box", "1,1,9,9"], ["tokens", "FILE", "--no-carry", "--quality", "50", "--save", "t.vle"],
    ],
)  # fmt: skip
def test_what_takes_objects_is_refused_in_one_line(vlegen, run, file, command, monkeypatch):
    monkeypatch.chdir(file.parent)
    ran = vlegen(*(file if part == "FILE" else part for part in command), "--checkpoint", run.checkpoint)
    assert ran.status == 2 and ran.err.count("\n") == 1
    assert "whole-frame tokens" in ran.err
    assert [p.name for p in file.parent.iterdir()] == [file.name], "nothing half-written"


def test_editors_refuse_whole_frame_tokens(coder, picture):
    with pytest.raises(UserError, match="only objects can be moved"):
        move(coder.encode(picture), 0, dx=5, dy=0)


def test_evaluation(coder, scenes):
    from vle_gen.evaluation.evaluate import evaluate_tokenizer

    scores = evaluate_tokenizer(coder, scenes, 2)
    assert scores["round_trip_exact"] == 1 and scores["recon_psnr"] > 20 and scores["tokens"] >= 1


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.glimpse=32", "unknown key model.glimpse"),
        ("losses.distinct=1", "unknown key losses.distinct"),
        ("model.what=100", "model.what is 100: expected a multiple of"),
        ("model.side=100", "model.side is 100: expected a multiple of 16"),
        ("tokens=0", "tokens is 0: expected 1 to 64"),
        ("model.widths=[8,8]", "expected three numbers"),
        ("variant=layers", "variant is 'layers': expected objects or reconstruction"),
    ],
)
def test_settings_that_do_not_fit_are_refused(setting, message):
    with pytest.raises(UserError, match=message):
        configs.load("tokenizer", None, ["variant=reconstruction", "data.sprites=pack", setting])


def test_settings_are_read_back(tmp_path):
    config = configs.load("tokenizer", "configs/tokenizer-reconstruction.yaml", ["data.sprites=pack"])
    assert config == configs.load("tokenizer", None, ["variant=reconstruction", "data.sprites=pack"])
    (tmp_path / "c.yaml").write_text(configs.to_yaml(config))
    assert configs.load("tokenizer", tmp_path / "c.yaml") == config
    with pytest.raises(UserError, match="unknown key model.side"):
        configs.load("tokenizer", None, ["data.sprites=pack", "model.side=32"])


def test_whole_frames_are_said_to_be_so():
    rows = [TokenRow(index=k, kind="scene", label="scene", x=8, y=8, width=16, height=16, depth=0, area=0) for k in range(3)]
    (line,) = remarks(rows, [1.0] * 3, [80.0, 40.0, 40.0])
    assert line == "3 tokens of the whole frame, 20 bytes by an ideal code (none is written)"
    assert remarks(rows[:1], [1.0], None) == ["no object tokens found: only the scene, token 0"]
