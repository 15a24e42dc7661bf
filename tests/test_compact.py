"""Tokens as few bytes: they come back nearly as they were, and bytes that are not theirs are refused."""
from __future__ import annotations

import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import vle_gen
from vle_gen.compact import __main__ as compact
from vle_gen.compact.fit import fit_code, training_pictures
from vle_gen.data.choice import PackChoice
from vle_gen.data.compose import Composer
from vle_gen.data.packs import load_engine
from vle_gen.data.scenes import SceneStore
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError
from vle_gen.evaluation.evaluate import psnr
from vle_gen.tokenizer.model import VLETokenizer


def shown(tokenizer, tokens):
    return tokenizer.decode(tokens, carry=False).permute(1, 2, 0).numpy()


@pytest.fixture(scope="module")
def coder(pipe, sprites):
    """The shipped tokenizer with statistics of a few composed scenes, fitted at a few probes."""
    tokenizer = VLETokenizer.from_network(pipe.tokenizer.network)
    assert fit_code(tokenizer, training_pictures(Composer(SpriteBank.load(sprites)), None, 40), probes=4) >= 64
    return tokenizer


def test_tokens_come_back(coder, tokens, tmp_path):
    data = coder.compress(tokens)
    tokens.save(tmp_path / "plain.vle", carry=False)
    assert len(data) < (tmp_path / "plain.vle").stat().st_size / 5
    again = coder.decompress(data)
    assert len(again) == len(tokens) and again.size == tokens.size
    assert np.abs((again.where - tokens.where)[0, 1:, :2].numpy()).max() < 1 / 1000
    assert (again.depth[0].argsort() == tokens.depth[0].argsort()).all()
    assert psnr(shown(coder, again), shown(coder, tokens)) > 30
    assert coder.compress(tokens) == data


@pytest.mark.parametrize("apart", [1e-5, 1.0])
def test_what_hides_what_survives(coder, tokens, apart):
    """Whatever the order of the tokens, and however little one is nearer than another."""
    depth = tokens.depth.clone()
    depth[0, 1:] = 10 - apart * torch.arange(len(tokens) - 1)  # the last one is nearest
    depth[0, 1] = 10 - 1.5 * apart
    edited = replace(tokens, depth=depth)
    for quality in (0, 80):
        assert coder.decompress(coder.compress(edited, quality)).near_to_far() == edited.near_to_far()


def test_quality_costs_bytes_and_is_worth_them(coder, tokens):
    coarse, fine = (coder.compress(tokens, quality) for quality in (10, 100))
    assert len(coarse) < len(fine)
    off = [psnr(shown(coder, coder.decompress(data)), shown(coder, tokens)) for data in (coarse, fine)]
    assert off[0] < off[1]
    with pytest.raises(UserError, match="expected 0 to 100"):
        coder.compress(tokens, 101)


def test_a_saved_checkpoint_reads_what_was_written(coder, tokens, tmp_path):
    data = coder.compress(tokens)
    coder.save_checkpoint(tmp_path)
    again = VLETokenizer.load(tmp_path)
    assert again.compress(tokens) == data
    assert (again.decompress(data).what == coder.decompress(data).what).all()


def test_other_bytes_are_refused(pipe, coder, tokens):
    data = coder.compress(tokens)
    random = np.random.default_rng(0)
    for _ in range(30):
        at = int(random.integers(len(data)))
        broken = data[:at] + bytes([data[at] ^ int(random.integers(1, 256))]) + data[at + 1 :]
        with pytest.raises(UserError):
            coder.decompress(broken)
    for wrong in (b"", data[:1], data[:-1], data + b"x"):
        with pytest.raises(UserError):
            coder.decompress(wrong)
    if pipe.tokenizer.code is None:
        with pytest.raises(UserError, match="no statistics"):
            pipe.tokenizer.compress(tokens)


def test_the_command_takes_several_packs_of_either_kind(sprites, everyday, tmp_path, monkeypatch, capsys):
    """Few pictures, since statistics take minutes: they are encoded, counted, and too few."""
    shutil.copytree(vle_gen.SHIPPED / "tokenizer", tmp_path / "tokenizer")
    before = {path.name: path.read_bytes() for path in (tmp_path / "tokenizer").iterdir()}

    def said(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["compact", str(tmp_path / "tokenizer"), *arguments])
        with pytest.raises(SystemExit) as ended:
            compact.main()
        return ended.value.code, capsys.readouterr().err

    status, line = said("--sprites", str(everyday), "--sprites", str(sprites), "--pictures", "6")
    assert status == 1 and "too few for statistics" in line and int(line.split()[1]) > 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "tokenizer").iterdir()} == before
    status, line = said("--sprites", str(sprites), "--sprites", str(tmp_path))
    assert status == 2 and "holds no sprite pack" in line


def test_scenes_of_several_packs_are_shown_in_both_shapes(sprites, everyday):
    packs = [PackChoice(str(everyday)), PackChoice(str(sprites), 2.0)]
    pictures = list(training_pictures(load_engine(packs), None, 6, seed=3, batch=2))
    assert {tuple(picture.shape) for picture in pictures} == {(3, 264, 264), (3, 176, 264)}
    assert all(picture.std() > 0.01 for picture in pictures)
    again = list(training_pictures(load_engine(packs), None, 6, seed=3, batch=2))
    assert all((one == two).all() for one, two in zip(pictures, again, strict=True))


def test_size_and_score_come_back_of_pictures_of_any_shape(pipe, picture):
    wide = pipe.encode(picture.crop((0, 48, 256, 224)))
    again = pipe.tokenizer.decompress(pipe.tokenizer.compress(wide))
    assert again.size == wide.size == (176, 256)
    assert np.abs((again.score - wide.score)[0, 1:].numpy()).max() <= 1 / 16


def test_whole_scenes_are_shown_every_other_time(sprites, scenes):
    composer = Composer(SpriteBank.load(sprites))
    alone, mixed = (list(training_pictures(composer, store, 2, batch=1)) for store in (None, SceneStore.load(scenes)))
    assert (alone[0] == mixed[0]).all() and not (alone[1] == mixed[1]).all()
