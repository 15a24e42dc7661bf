"""Configurations: every kind loads, later values win, and whatever does not fit the types is refused by name."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

import configs as packaged
from vle_gen import config as configs
from vle_gen.errors import UserError


@pytest.mark.parametrize("kind", list(configs.SCHEMAS))
def test_every_kind_loads_and_says_what_each_option_does(kind):
    assert configs.load(kind, None, ["data.sprites=pack"]).data.sprites == "pack"
    text = (Path(packaged.__file__).parent / f"{kind}.yaml").read_text()
    options = [line for line in text.splitlines() if re.match(r" +\w+: .", line) or re.match(r"\w+: [^#\s]", line)]
    assert [line for line in options if "#" not in line and "{}" not in line] == []


def test_later_values_win(tmp_path):
    (tmp_path / "mine.yaml").write_text("train:\n  batch: 3\n  steps: 7\ndata:\n  sprites: pack\n")
    config = configs.load("clip", tmp_path / "mine.yaml", ["train.steps=9"])
    assert (config.train.batch, config.train.steps) == (3, 9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["train.lrr=1"], r"unknown key train\.lrr; did you mean train\.lr\?"),
        (["zzz=1"], "unknown key zzz; expected one of train, data, model, "),
        (["train.batch=many"], r"train\.batch cannot be set.*'many'"),
        (["train.batch=1.5"], r"train\.batch cannot be set"),
        (["train.batch=0"], r"train\.batch is 0: expected 1 or more"),
        (["train.precision=fp8"], r"train\.precision is 'fp8': expected bf16 or float32"),
        (["train.lr"], "no setting: expected key=value"),
        ([], r"data\.sprites is not set"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(settings, message):
    given = settings + (["data.sprites=pack"] if settings else [])
    with pytest.raises(UserError, match=message):
        configs.load("clip", None, given)


@pytest.mark.parametrize("text", ["train: [\n", "- 1\n", "train: 3\n"])
def test_files_that_are_no_configuration(tmp_path, text):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(UserError, match="bad.yaml"):
        configs.load("clip", tmp_path / "bad.yaml")
    with pytest.raises(UserError, match="unknown kind of training 'decoder'"):
        configs.load("decoder")
    with pytest.raises(UserError, match="cannot read the configuration"):
        configs.load("clip", tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["model.local=2"], "model.local is 2, which takes 128 numbers of model.what, 128"),
        (["model.even_error=0"], "model.even_error is 0.0: expected a number above 0"),
        (["model.layer=100"], "model.layer is 100: expected a multiple of model.glimpse, 64"),
        (["model.glimpse=40"], "model.glimpse is 40: expected a multiple of 16"),
        (["model.decoder_blocks=[1,2]"], "model.decoder_blocks is .1, 2.: expected three numbers"),
        (["trained=encoder"], "trained is 'encoder': expected all, loop, decoder, both, outline or background"),
        (["model.background_widths=[8]"], "model.background_widths is .8.: .* as many as 8 is doubled to be .*, 32"),
        (["model.background_widths=[8, 0]"], "model.background_widths is .8, 0.: expected none, or numbers of 1 or more"),
    ],
)
def test_sizes_that_no_network_has(settings, message):
    with pytest.raises(UserError, match=message):
        configs.load("tokenizer", None, ["data.sprites=pack", *settings])
