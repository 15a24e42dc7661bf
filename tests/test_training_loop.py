"""The training loop on a toy task: it learns, logs, stops on a signal, and a killed run resumes to the same weights."""
from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from vle_gen import config as configs
from vle_gen.errors import UserError
from vle_gen.training import loop
from vle_gen.training.log import RunLog, Watch
from vle_gen.training.optimizer import Optimizer
from vle_gen.training.sources import Examples, Mixture
from vle_gen.training.tokenizer import random_view


class Toy:
    """Learns to add up four numbers; dropout and convolutions, so that global random state and layout matter, and one
    of them is large enough for Muon."""

    def __init__(self, pause: float = 0.0):
        torch.manual_seed(5)
        self.pause = pause
        self.model = nn.Sequential(
            nn.Conv2d(4, 16, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 1), nn.Dropout(0.1), nn.Flatten(),
            nn.Linear(16, 1),
        )

    def loss(self, step, generator):
        time.sleep(self.pause)
        x = torch.randn(16, 4, 1, 1, generator=generator)
        error = (self.model(x)[:, 0].float() - x.sum((1, 2, 3))).square().mean()
        return error, {"error": error}

    def sample_grid(self, ema_model):
        torch.rand(3)  # must not change what is learnt
        return Image.new("RGB", (8, 8))

    def export(self, ema_model, folder, card):
        folder.mkdir(parents=True, exist_ok=True)
        save_file({k: v.clone() for k, v in ema_model.state_dict().items()}, folder / "model.safetensors")
        (folder / "card.json").write_text(json.dumps(card))


def settings(**changes):
    values = dict(steps=60, batch=16, lr=0.02, warmup_steps=5, log_every=5, sample_every=20) | changes
    return configs.load("tokenizer", None, ["data.sprites=none"] + [f"train.{k}={v}" for k, v in values.items()])


def weights(folder: Path):
    return load_file(folder / "checkpoint" / "model.safetensors")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, loop.run(Toy(), settings(), folder)


def test_learns_logs_and_exports(whole):
    folder, outcome = whole
    rows = [json.loads(row) for row in (folder / "metrics.jsonl").read_text().splitlines()]
    assert outcome.step == 60 and outcome.checkpoint == folder / "checkpoint"
    assert [row["step"] for row in rows] == list(range(5, 61, 5))
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert rows[-1]["lr"] < rows[3]["lr"]
    assert sorted(p.name for p in (folder / "samples").iterdir()) == [f"{s:07d}.png" for s in (20, 40, 60)]
    assert json.loads((folder / "checkpoint" / "card.json").read_text())["train"]["lr"] == 0.02
    assert configs.load("tokenizer", folder / "config.yaml") == settings()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_run_resumes_to_the_same_weights(whole, tmp_path, how):
    # SIGKILL leaves the state saved last (here: after every step); the others save before they end.
    command = [sys.executable, __file__, str(tmp_path), "0" if how == signal.SIGKILL else "5"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    metrics = tmp_path / "metrics.jsonl"
    while process.poll() is None and not (metrics.exists() and metrics.read_text().count("\n") >= 3):
        time.sleep(0.01)
    process.send_signal(how)
    process.communicate()
    assert not (tmp_path / "checkpoint").exists(), "it was to be killed half-way"
    with pytest.raises(UserError, match="already holds a run"):
        loop.run(Toy(), settings(), tmp_path)
    outcome = loop.run(Toy(), settings(), tmp_path, resume=True)
    assert outcome.step == 60
    for name, value in weights(whole[0]).items():
        assert torch.equal(value, weights(tmp_path)[name]), name
    steps = [json.loads(row)["step"] for row in metrics.read_text().splitlines()]
    assert steps == sorted(set(steps)) and steps[-1] == 60


def test_muon_trains_kernels_and_only_them(tmp_path):
    fixed, moved = Toy(), Toy()
    loop.run(moved, settings(steps=1, warmup_steps=0, lr=1e-12, lr_floor=0, matrix_lr=0.01), tmp_path)
    shift = [(b - a).abs().max() for a, b in zip(fixed.model.parameters(), moved.model.parameters(), strict=True)]
    far = [i for i, s in enumerate(shift) if s > 1e-4]
    assert [list(moved.model.parameters())[i].shape for i in far] == [(16, 16, 1, 1)]


@pytest.mark.parametrize("matrix_lr", [0.0, 0.1])
def test_weights_decay_and_biases_do_not(matrix_lr):
    model = nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16))
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = Optimizer(model, lr=0.1, matrix_lr=matrix_lr, weight_decay=0.5)
    optimizer.scale(1.0)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert torch.allclose(model[0].weight, before[0] * (1 - 0.1 * 0.5))
    assert all(torch.equal(now, was) for now, was in zip(list(model.parameters())[1:], before[1:], strict=True))


def test_max_minutes_ends_the_schedule(tmp_path):
    outcome = loop.run(Toy(pause=0.005), settings(steps=10**6), tmp_path, max_minutes=0.02)
    last = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert outcome.step < 10**6 and outcome.checkpoint is not None
    assert last["lr"] < 0.1 * 0.02
    more = loop.run(Toy(pause=0.005), settings(steps=10**6), tmp_path, resume=True, max_minutes=0.03)
    minutes = [json.loads(row)["minutes"] for row in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert more.step > outcome.step and minutes == sorted(minutes), "minutes of all parts count together"


def test_what_is_shipped_is_the_average_of_the_weights(tmp_path):
    seen = []

    class Watched(Toy):
        def loss(self, step, generator):
            seen.append([p.detach().clone() for p in self.model.parameters()])
            return super().loss(step, generator)

    task = Watched()
    loop.run(task, settings(steps=20, warmup_steps=0, ema_decay=0.9), tmp_path)
    seen.append([p.detach().clone() for p in task.model.parameters()])
    averages = seen[0]
    for step, trained in enumerate(seen[1:], 1):
        decay = min(0.9, step / (step + 9))
        averages = [decay * a + (1 - decay) * p for a, p in zip(averages, trained, strict=True)]
    shipped = weights(tmp_path)
    for (name, last), average in zip(task.model.named_parameters(), averages, strict=True):
        assert torch.allclose(shipped[name], average, atol=1e-5), name
        assert not torch.allclose(shipped[name], last, atol=1e-5), name


def test_resume_refuses_what_does_not_fit(tmp_path, whole):
    with pytest.raises(UserError, match="nothing to resume"):
        loop.run(Toy(), settings(), tmp_path, resume=True)
    (tmp_path / loop.STATE).write_bytes(b"not a state")
    with pytest.raises(UserError, match="cannot resume"):
        loop.run(Toy(), settings(), tmp_path, resume=True)
    (tmp_path / loop.STATE).write_bytes((whole[0] / loop.STATE).read_bytes())
    other = Toy()
    other.model[0] = nn.Conv2d(4, 9, 1)
    with pytest.raises(UserError, match="another configuration .*config.yaml has it, or another --out"):
        loop.run(other, settings(), tmp_path, resume=True)


def test_a_row_is_a_mean_over_its_steps_and_what_is_left_is_told(tmp_path, capsys):
    with RunLog(tmp_path, 10) as log:
        log.add(loss=2.0, other=torch.tensor(1.0))
        log.add(loss=4.0, other=3.0)
        log.write(12, 3.0, 0.25, lr=0.5)
        log.add(loss=7.0)
        log.write(13, 4.0, 0.5)
        log.write(14, 8.0, 1.001)
    first, second, _ = (json.loads(row) for row in (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert (first["step"], first["loss"], first["other"], first["lr"], first["minutes"]) == (12, 3.0, 2.0, 0.5, 3.0)
    assert (second["step"], second["loss"]) == (13, 7.0) and "other" not in second
    told = capsys.readouterr().err
    assert "3.0 min, about 9.0 left" in told and "4.0 min, about 4.0 left" in told and "8.0 min, about 0.0 left" in told


def test_the_learning_rate_warms_up_and_falls_to_its_floor():
    train = settings(lr=0.02, lr_floor=0.004, warmup_steps=4).train
    assert [loop.learning_rate(train, step, 0.0) for step in (0, 1, 3, 9)] == pytest.approx([0.005, 0.01, 0.02, 0.02])
    assert [loop.learning_rate(train, 50, done) for done in (0.5, 1.0, 1.2)] == pytest.approx([0.012, 0.004, 0.004])


def test_a_run_is_as_far_as_its_steps_or_its_minutes_are():
    train = settings(steps=60).train
    assert loop.share_done(train, 15, 100.0, None) == 0.25
    assert loop.share_done(train, 15, 2.0, 10.0) == 0.25 and loop.share_done(train, 15, 9.0, 10.0) == 0.9


def test_what_is_done_beforehand_is_told_when_it_is_done(capsys):
    for total in (0, 2):
        with Watch("reading", total) as watch:
            for _ in range(total):
                watch.advance()
    assert capsys.readouterr().err == "reading: 2 of 2, about 0.0 min left\n"


def test_sample_pictures_change_nothing_that_is_learnt(tmp_path):
    for every in (0, 1):
        loop.run(Toy(), settings(steps=6, sample_every=every), tmp_path / str(every))
    for name, value in weights(tmp_path / "0").items():
        assert torch.equal(value, weights(tmp_path / "1")[name]), name


def test_views_are_windows_of_the_source_half_of_them_mirrored():
    for height, width in ((176, 264), (264, 264), (264, 176)):
        x, y, across, down = random_view(4000, height, width, torch.Generator().manual_seed(0)).unbind(1)
        share = torch.tensor([width, height]) / max(height, width)
        assert torch.equal(across.abs(), down) and 1 / 1.36 < down.min() < 0.76 and 0.98 < down.max() <= 1
        assert 0.45 < (across < 0).float().mean() < 0.55
        for at, extent, seen in ((torch.minimum(x, x + across), down, share[0]), (y, down, share[1])):
            first = at + extent * (1 - seen) / 2
            assert first.min() > -1e-5 and (first + extent * seen).max() < 1 + 1e-5


class Counted:
    """A source that gives as many numbers as it is asked for."""

    def __init__(self, name: str):
        self.name = name

    def batches(self, count, generator, easy=False):
        return [self.name] * count


@pytest.mark.parametrize(("count", "share", "second"), [(8, 0.25, 2), (8, 0.0, 1), (8, 1.0, 7), (1, 0.4, 0), (1, 0.6, 1)])
def test_two_sources_are_mixed_by_their_share(count, share, second):
    mixed = Mixture(Counted("first"), Counted("second"), share).batches(count, torch.Generator())
    assert mixed == ["first"] * (count - second) + ["second"] * second


def test_sorts_of_several_sources_are_different_ones():
    one, other = (Examples(torch.zeros(1, 2), torch.zeros(2, 2), torch.tensor(sorts)) for sorts in ([1, 2], [1, 3]))
    assert Examples.cat([one, other]).sorts.tolist() == [1, 2, 3, 5]


if __name__ == "__main__":  # the run that the test above kills
    loop.run(Toy(pause=0.02), settings(save_minutes=float(sys.argv[2])), Path(sys.argv[1]))
