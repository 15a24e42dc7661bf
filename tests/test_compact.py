"""Tokens as few bytes: they come back nearly as they were, and bytes that are not theirs are refused."""
from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

import vle_gen
from vle_gen.compact import __main__ as compact
from vle_gen.compact.fit import fit_code, training_pictures
from vle_gen.data.compose import Composer
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError
from vle_gen.evaluate import psnr
from vle_gen.tokenizer.model import VLETokenizer


def shown(tokenizer, tokens):
    return tokenizer.decode(tokens, carry=False).permute(1, 2, 0).numpy()


@pytest.fixture(scope="module")
def coder(pipe, sprites):
    """The shipped tokenizer with statistics of a few composed scenes."""
    tokenizer = VLETokenizer.from_network(pipe.tokenizer.network)
    assert fit_code(tokenizer, training_pictures(Composer(SpriteBank.load(sprites)), None, 40)) >= 64
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


def test_statistics_of_several_packs(sprites, everyday, tmp_path, monkeypatch, capsys):
    """Cut-outs and rigs together; the checkpoint that it leaves codes with statistics of its own."""
    shutil.copytree(vle_gen.SHIPPED / "tokenizer", tmp_path / "tokenizer")
    packs = ["--sprites", str(everyday), "--sprites", str(sprites)]

    def run(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["compact", str(tmp_path / "tokenizer"), *arguments])
        compact.main()

    run(*packs, "--pictures", "64")
    assert "object tokens are in" in capsys.readouterr().out
    before, after = (VLETokenizer.load(folder) for folder in (vle_gen.SHIPPED / "tokenizer", tmp_path / "tokenizer"))
    assert after.code.digest("") != before.code.digest("") and after.checkpoint_id == before.checkpoint_id
    with pytest.raises(SystemExit) as ended:
        run("--sprites", str(tmp_path))
    assert ended.value.code == 2 and "holds no sprite pack" in capsys.readouterr().err
