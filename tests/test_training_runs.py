"""Each kind of training for a few steps on two small rigs: it logs, exports a checkpoint that loads, and resumes."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

import vle_gen

TINY = ["train.batch=4", "train.log_every=1", "train.sample_every=2", "train.warmup_steps=1", "train.precision=float32"]


@pytest.mark.parametrize("kind", ["tokenizer", "clip", "prior"])
def test_train(kind, vlegen, sprites, scenes, tmp_path):
    data = [f"data.sprites={sprites}"] + ([f"data.scenes={scenes}"] if kind == "tokenizer" else [])
    shipped = Path(vle_gen.__file__).parent / "weights" / kind
    data += [f"init={shipped}"] if kind != "clip" else []
    ran = vlegen("train", kind, *TINY, *data, "train.steps=3", "--out", tmp_path, "--device", "cpu")
    assert ran.status == 0, ran.err
    assert ran.out.strip() == str(tmp_path / "checkpoint")
    rows = [json.loads(row) for row in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert all(row["loss"] == row["loss"] for row in rows)
    written = {p.suffix for p in (tmp_path / "checkpoint").rglob("*") if p.is_file()}
    assert ".safetensors" in written and ".json" in written and not written & {".pt", ".bin", ".pkl", ".pth"}

    card = (tmp_path / "checkpoint" / "README.md").read_text()
    assert str(sprites) not in card and str(shipped) not in card, "a model card names data and checkpoints, not folders"

    refused = vlegen("train", kind, *TINY, *data, "--out", tmp_path)
    assert refused.status == 2 and "already holds a run" in refused.err
    more = vlegen("train", kind, *TINY, *data, "train.steps=4", "--out", tmp_path, "--resume", "--device", "cpu")
    assert more.status == 0, more.err
    assert json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])["step"] == 4


def test_preview_of_data(vlegen, sprites, tmp_path):
    from PIL import Image

    ran = vlegen("data", "preview", sprites, "-n", 5, "-o", tmp_path / "p.png")
    assert ran.status == 0 and Image.open(tmp_path / "p.png").width == 4 * 256
    refused = vlegen("data", "preview", tmp_path, "-o", tmp_path / "q.png")
    assert refused.status == 2 and "no sprite pack" in refused.err
