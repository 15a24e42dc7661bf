"""Scores: the measures on cases with known answers, and the commands on scenes."""
from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from editors import move
from vle_gen.evaluation import evaluate, metrics


def test_measures_on_known_cases():
    truth = np.kron(np.array([[0, 1], [2, 3]]), np.ones((10, 10), int))
    assert evaluate.foreground_ari(truth, truth) == 1
    assert evaluate.foreground_ari(truth, truth * 7 % 11) == 1, "names of labels do not matter"
    assert evaluate.foreground_ari(truth, np.ones_like(truth)) == pytest.approx(0)
    half = np.where(np.arange(20)[None] < 15, truth, 0)
    assert evaluate.best_match(truth == 1, half) == (1, 0.5)
    assert evaluate.best_match(truth == 1, np.zeros_like(truth)) == (0, 0.0)
    black, grey = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 16, np.uint8)
    assert evaluate.psnr(black, grey) == pytest.approx(20 * np.log10(255 / 16))
    point = np.zeros((9, 9), bool)
    point[0, 4] = True
    assert evaluate.grow(point, 2).sum() == 3 * 5


def test_structural_similarity():
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (32, 40, 3), np.uint8)
    assert metrics.ssim(picture, picture) == pytest.approx(1)
    assert metrics.ssim(picture, 255 - picture) < 0
    # Flat pictures differ in brightness alone, of which the formula is (2ab + c1) / (a^2 + b^2 + c1).
    a, b = np.full((16, 16, 3), 51, np.uint8), np.full((16, 16, 3), 102, np.uint8)
    assert metrics.ssim(a, b) == pytest.approx((2 * 0.2 * 0.4 + 1e-4) / (0.2**2 + 0.4**2 + 1e-4))
    half = np.arange(40)[None].repeat(32, 0) < 20
    spoilt = np.where(half[..., None], picture, 128).astype(np.uint8)
    assert metrics.ssim(picture, spoilt, half & (np.arange(40) < 10)) == pytest.approx(1)
    assert metrics.ssim(picture, spoilt, ~half) < 0.5
    assert np.isnan(metrics.ssim(picture, picture, np.zeros((32, 40), bool)))


def test_outlines_apart():
    square = np.zeros((40, 40), bool)
    square[10:20, 10:20] = True
    assert metrics.boundary_error(square, square) == 0
    assert metrics.boundary_error(square, metrics.grow(square, 2)) == pytest.approx(2, abs=0.2)
    more = square.copy()
    more[15, 35] = True
    apart = metrics.boundary_error(square, more)
    assert apart == metrics.boundary_error(more, square) == pytest.approx(16 / 37 / 2), "what is found too much counts as well"
    assert len(metrics.outline(square)) == 36
    assert np.isnan(metrics.boundary_error(square, np.zeros_like(square)))


def test_eval_tokenizer(vlegen, pipe, scenes, tokens, tmp_path):
    ran = vlegen("eval", "tokenizer", scenes, "--limit", 2, "--json", tmp_path / "t.json")
    scores = json.loads((tmp_path / "t.json").read_text())
    assert ran.status == 0 and scores["scenes"] == 2
    assert all(key in ran.out for key in scores) and str(tmp_path / "t.json") in ran.out.replace("\n", "")
    assert 0 < scores["recon_object_ssim"] < 1 and 0 < scores["boundary_error"] < 5
    assert scores["round_trip_exact"] == 1 and scores["fg_ari"] > 0.7 and scores["recon_psnr"] > 24
    first = evaluate.evaluate_tokenizer(pipe, scenes, 1)
    assert first["tokens"] == len(tokens) and first["coded_bytes"] == pytest.approx(len(pipe.tokenizer.compress(tokens)), abs=6)


def test_a_scene_without_objects_tells_nothing_of_how_objects_are_rebuilt(pipe, scenes, tmp_path):
    for path in scenes.glob("300000.*"):
        shutil.copy(path, tmp_path)
    one = evaluate.evaluate_tokenizer(pipe, tmp_path)
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "empty.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "empty.mask.png")
    (tmp_path / "empty.json").write_text('{"objects": []}')
    both = evaluate.evaluate_tokenizer(pipe, tmp_path)
    assert both["scenes"] == 2 and both["recon_object_psnr"] == one["recon_object_psnr"] < 50


def test_eval_move_of_our_own_moves(vlegen, pipe, tokens, picture, scenes, tmp_path):
    # The truth here is what we draw ourselves, so a right score is a perfect one.
    record = json.loads((scenes / "300000.json").read_text())
    mask = np.asarray(Image.open(scenes / "300000.mask.png").convert("RGBA"))[..., 0] // 16
    record["move"] = {"object": 3, "dx": 40.0, "dy": 20.0}
    index, _ = evaluate.best_match(mask == 4, np.asarray(tokens.label_map()))
    for name in ("300000.png", "300000.mask.png"):
        shutil.copy(scenes / name, tmp_path)
    (tmp_path / "300000.json").write_text(json.dumps(record))
    pipe.decode(move(tokens, index, dx=40.0, dy=20.0)).save(tmp_path / "300000.moved.png")
    assert vlegen("eval", "move", tmp_path, "--json", tmp_path / "t.json").status == 0
    scores = json.loads((tmp_path / "t.json").read_text())
    assert scores["found"] == 1 and scores["move_far_pixels_touched"] == 0
    assert scores["move_changed_psnr"] > 60 > scores["identity_changed_psnr"]
    assert "holds no moves" in vlegen("eval", "move", scenes).err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["tokenizer", "scenes", "--tries", "3"], "--tries has no effect on eval tokenizer"),
        (["move", "scenes", "--no-check"], "--no-check has no effect on eval move"),
        (["txt2img", "--refine", "4"], "--refine has no effect on eval txt2img"),
        (["txt2img", "--no-check", "--tries", "3"], "--no-check is --tries 1: give one of them"),
    ],
)
def test_options_without_effect_are_refused(vlegen, arguments, line):
    ran = vlegen("eval", *arguments)
    assert ran.status == 2 and line in " ".join(ran.err.split())
