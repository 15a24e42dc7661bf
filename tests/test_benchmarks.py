"""The benchmarks that train: a few steps each, and finished runs are not repeated."""
from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from vle_gen.io.image_files import open_image

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """Runs `python benchmarks/NAME.py ARGUMENTS...` in this process; gives the module."""

    monkeypatch.syspath_prepend(FOLDER)

    def run(name, *arguments):
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        module.main()
        return module

    return run


def test_ablations(benchmark, sprites, scenes, tmp_path, capsys):
    arguments = [
        sprites, scenes, scenes, "--out", tmp_path, "--only", "no-kl", "pictures-alone", "--limit", 1, "--steps", 1,
        "--json", tmp_path / "t.json", "--device", "cpu", "--set", "train.batch=2", "proposals=2", "train.log_every=1",
    ]  # fmt: skip
    benchmark("ablations", *arguments)
    rows = json.loads((tmp_path / "t.json").read_text())
    assert list(rows) == ["no KL", "pictures alone"]
    assert all(row["steps"] == 1 and row["recon_psnr"] > 5 for row in rows.values())
    assert "losses" in (tmp_path / "no-kl" / "config.yaml").read_text()
    assert open_image(tmp_path / "no-kl" / "pictures.png").height == 3 * 256
    state = tmp_path / "no-kl" / "state.safetensors"
    trained_at = state.stat().st_mtime_ns
    benchmark("ablations", *arguments)
    assert state.stat().st_mtime_ns == trained_at and "pictures alone" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        benchmark("ablations", *arguments, "states=1")
    assert "other settings" in capsys.readouterr().err


def test_peers(benchmark, sprites, scenes, tmp_path):
    arguments = [
        sprites, scenes, scenes, "--out", tmp_path, "--only", "AutoencoderTiny, stride 8", "--limit", 1, "--steps", 1,
        "--minutes", 5, "--json", tmp_path / "t.json", "--set", "train.batch=2",
    ]  # fmt: skip
    peers = benchmark("peers", *arguments)
    rows = json.loads((tmp_path / "t.json").read_text())
    peer, ours = rows["AutoencoderTiny, stride 8"], rows["ours, shipped"]
    assert peer["floats"] == 4 * 32 * 32 and peer["kbits"] == pytest.approx(16 * 4 * 32 * 32 / 1000)
    assert ours["floats"] < peer["floats"] and ours["psnr"] > peer["psnr"]
    picture = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
    assert peers.ssim(picture, picture) == pytest.approx(1)
    assert peers.ssim(picture, 255 - picture) < 0


def test_text_peer(benchmark, sprites, scenes, tmp_path):
    import latent_diffusion
    from diffusers import AutoencoderKL

    from vle_gen.data.compose import Composer
    from vle_gen.data.sprites import SpriteBank
    from vle_gen.training.layouts import Layouts

    bank = SpriteBank.load(sprites)
    layouts = Layouts(bank, 2, 4)(3, torch.Generator().manual_seed(0))  # every sprite at its own place
    assert (latent_diffusion.render(bank, layouts) - Composer(bank).render(layouts, 256, 256).image).abs().max() < 1e-3

    kinds = dict(down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
    small = AutoencoderKL(**kinds, block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4)
    small.save_pretrained(tmp_path / "vae")
    (tmp_path / "one.jsonl").write_text('{"prompt": "a red ball"}\n')
    arguments = [
        sprites, scenes, "--minutes", 5, "--steps", 2, "--autoencoder", tmp_path / "vae", "--scenes-encoded", 6, "--tune", 1,
        "--guidances", 1, 3, "--peer-steps", 2, "--tries", 2, "--suites", tmp_path / "one.jsonl", "--out", tmp_path / "out",
        "--set", "train.batch=2", "train.warmup_steps=1",
    ]  # fmt: skip
    benchmark("text_peer", *arguments)
    rows = json.loads((tmp_path / "out" / "table.json").read_text())["rows"]
    ours, peer, checked, *true = rows
    assert ours["steps"] == peer["steps"] == 2 and 0.8 < peer["parameters_m"] / ours["parameters_m"] < 1.25
    assert peer["name"].startswith("latent diffusion, guidance 1") and len(true) == 3 and checked["name"] == "ours, checked"
    assert "the shipped one, which was trained far longer" in (tmp_path / "out" / "table.md").read_text()
    assert open_image(tmp_path / "out" / "sheet.png").width == 2 * 256


def test_names_are_told_better_with_what_tokens_say(benchmark, vlegen, everyday, tmp_path, capsys):
    assert vlegen("data", "compose", everyday, "-n", 8, "--pick", "all", "--objects", "2-3", "-o", tmp_path / "s").status == 0
    benchmark("names", tmp_path / "s")
    lines = capsys.readouterr().out.splitlines()[-2:]
    found = [[float(number) for number in re.findall(r"0\.\d+|1\.0+", line)] for line in lines]
    (by_clip, accepted, _), (by_both, accepted_by_both, wrong) = found
    assert by_both > max(0.7, by_clip) and accepted_by_both >= accepted and wrong < 0.005


def test_photographs(benchmark, tmp_path, capsys):
    pytest.importorskip("skimage")
    photographs = benchmark("photographs", "--limit", 2, "-o", tmp_path / "p.jpg", "--json", tmp_path / "t.json")
    said = capsys.readouterr().out
    assert "2 of 2 round trips exact" in said and "a cat" in said and "NOT EXACT" not in said
    cat, coffee = json.loads((tmp_path / "t.json").read_text())
    assert cat["exact"] and (cat["width"], cat["height"]) == (451, 300) and len(cat["scores"]) == cat["tokens"]
    assert all(one["changed"] > 0 if one["moved"] else one["changed"] == 0 for one in (cat, coffee))
    assert open_image(tmp_path / "p.jpg").width > 2 * 3 * photographs.PANEL
    assert (tmp_path / "p.jpg").stat().st_size < photographs.LARGEST_FILE


def test_photographs_with_a_box_move_what_is_in_it(benchmark, tmp_path):
    pytest.importorskip("skimage")
    out = ("-o", tmp_path / "p.png", "--json", tmp_path / "t.json")
    benchmark("photographs", "--checkpoint", "everyday", "--boxes", "--limit", 1, *out)
    (coffee,) = json.loads((tmp_path / "t.json").read_text())
    assert coffee["name"] == "a cup of coffee" and coffee["exact"] and coffee["moved"] and coffee["changed"] > 0.3


def test_outlines(benchmark, scenes, capsys):
    benchmark("outlines", "solids", scenes, "--limit", 2)
    network, colours = capsys.readouterr().out.splitlines()[-2:]
    assert network.startswith("outline network: FG-ARI 0.9") and colours.startswith("scopes and colours: FG-ARI 0.9")


def test_patterns(benchmark, tmp_path, capsys):
    benchmark("patterns", "--seeds", 1, "-o", tmp_path / "p.jpg")
    mean = next(line for line in capsys.readouterr().out.splitlines() if "mean" in line)
    smooth, told = (float(cell) for cell in mean.replace("│", " ").split()[1:3])
    assert told < 0.6 * smooth
    assert open_image(tmp_path / "p.jpg").width > 1000
