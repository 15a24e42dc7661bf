"""A background decoder of convolutions, trained alone on the scene tokens of a checkpoint."""
from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import vle_gen
from vle_gen.errors import UserError
from vle_gen.tokenizer.model import VLETokenizer

SHIPPED = Path(vle_gen.__file__).parent / "weights" / "tokenizer"
WEIGHTS = "diffusion_pytorch_model.safetensors"


def test_it_is_trained_and_nothing_else(vlegen, sprites, tmp_path):
    options = [
        f"data.sprites={sprites}", f"init={SHIPPED}", "trained=background", "pairs=24", "model.background=64",
        "model.background_widths=[32, 32, 32]", "train.batch=8", "train.lr=3e-3", "train.matrix_lr=0.01", "train.ema_decay=0.5",
        "train.warmup_steps=1", "train.log_every=1", "train.sample_every=20", "--out", tmp_path, "--device", "cpu",
    ]  # fmt: skip
    ran = vlegen("train", "tokenizer", *options, "train.steps=40")
    assert ran.status == 0, ran.err
    more = vlegen("train", "tokenizer", *options, "train.steps=60", "--resume")
    assert more.status == 0, more.err
    rows = [json.loads(row) for row in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows]
    assert [row["step"] for row in rows] == list(range(1, 61))
    assert sum(losses[-5:]) < 0.3 * sum(losses[:5]), "it learns to draw the backgrounds"
    changed = [row["changed"] for row in rows]
    assert sum(changed[-5:]) < 0.5 * sum(changed[:5]), "what no background says is drawn as before"
    assert Image.open(tmp_path / "samples" / "0000040.png").size == (8 * 64, 2 * 64)

    before, after = load_file(SHIPPED / WEIGHTS), load_file(tmp_path / "checkpoint" / WEIGHTS)
    kept = {name for name in after if not name.startswith("network.background_decoder.")}
    assert len(kept) > 100 and all(torch.equal(before[name], after[name]) for name in kept)

    trained, old = VLETokenizer.load(tmp_path / "checkpoint"), VLETokenizer.load(SHIPPED)
    assert trained.checkpoint_id != old.checkpoint_id and trained.also_reads == (old.checkpoint_id,)
    floor = torch.full((3, 80, 120), 118, dtype=torch.uint8)
    written = old.encode(floor)
    new, expected = (one.decode(written, carry=False).float().mean() for one in (trained, old))
    assert abs(new - expected) < 25, "a grey floor is drawn grey, of tokens that were written before"
    with pytest.raises(UserError, match="cannot be read by"):
        old.decode(trained.encode(floor))

    whole = vlegen("assemble", tmp_path / "checkpoint", "-o", tmp_path / "whole")
    assert whole.status == 0, whole.err
    assert "another tokenizer" not in whole.err + whole.out, "the shipped prior writes what it reads"
