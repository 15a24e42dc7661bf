"""The command line on real pictures and the shipped checkpoint: what it writes, and one line for what is wrong."""
from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vle_gen.tokens import VLETokens

ROOT = Path(__file__).parents[1]
KEYS = ["index", "kind", "label", "x", "y", "width", "height", "depth", "area"]


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def ball(rows):
    """The row of the red ball, at about (64, 137) in the scene."""
    return min(rows, key=lambda r: (r["kind"] == "scene", (r["x"] - 64.3) ** 2 + (r["y"] - 137.4) ** 2))


@pytest.fixture(scope="module")
def listed(tmp_path_factory, picture):
    """What `vlegen tokens` writes for the scene."""
    folder = tmp_path_factory.mktemp("tokens")
    picture.save(folder / "img.png")
    options = ["--overlay", "o.png", "--json", "t.json", "--masks", "m.png", "--save", "t.vle"]
    command = [sys.executable, "-m", "cli", "tokens", "img.png", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_help_does_not_wait_for_the_library():
    code = "import sys, cli; sys.exit(any(m in sys.modules for m in ('torch', 'diffusers', 'PIL', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_help_names_every_command(vlegen):
    shown = vlegen("--help")
    assert shown.status == 0
    edits = "move resize remove duplicate swap raise lower flip align distribute recolor paste edit history animate"
    for command in ("tokens", "decode", *edits.split(), "txt2img", "train", "eval", "data"):
        assert command in shown.out
        assert vlegen(command, "--help").status == 0


def test_tokens_lists_what_is_there(listed):
    folder, out = listed
    rows = json.loads((folder / "t.json").read_text())
    assert [list(row) for row in rows] == [KEYS] * len(rows)
    assert [row["index"] for row in rows] == list(range(len(rows)))
    assert rows[0]["kind"] == "scene" and (rows[0]["x"], rows[0]["width"]) == (128, 256)
    assert len(rows) == 5 and {row["kind"] for row in rows[1:]} == {"object"}
    found = ball(rows)
    assert abs(found["x"] - 64.3) < 5 and abs(found["y"] - 137.4) < 5 and abs(found["width"] - 26) < 8
    assert sum(row["area"] for row in rows) == 256 * 256
    for row in rows:
        assert row["label"] in out.replace("\n", " ")
    for name in ("o.png", "t.json", "m.png", "t.vle"):
        assert name in out


def test_masks_are_the_label_map_and_the_overlay_is_the_picture(listed):
    folder, _ = listed
    mask = Image.open(folder / "m.png")
    rows = json.loads((folder / "t.json").read_text())
    assert mask.mode == "L" and mask.size == (256, 256)
    assert [int((np.asarray(mask) == row["index"]).sum()) for row in rows] == [row["area"] for row in rows]
    assert np.array_equal(np.asarray(mask), np.asarray(VLETokens.load(folder / "t.vle").label_map()))
    shown = pixels(folder / "o.png")
    assert shown.shape[1] == 256 and shown.shape[0] > 256, "a legend is below the picture"
    changed = (shown[:256] != pixels(folder / "img.png")).any(-1)
    assert 0.005 < changed.mean() < 0.2


def test_a_vle_file_brings_the_picture_back(listed, vlegen, tmp_path):
    folder, _ = listed
    assert vlegen("decode", folder / "t.vle", "-o", tmp_path / "same.png").status == 0
    assert np.array_equal(pixels(tmp_path / "same.png"), pixels(folder / "img.png"))
    assert vlegen("decode", folder / "t.vle", "--no-carry", "-o", tmp_path / "alone.png").status == 0
    difference = np.abs(pixels(tmp_path / "alone.png") - pixels(folder / "img.png")).mean()
    assert 0 < difference < 12
    assert vlegen("decode", folder / "t.vle", "--no-carry", "--size", 512, "-o", tmp_path / "big.png").status == 0
    assert Image.open(tmp_path / "big.png").size == (512, 512)


def test_a_vle_file_without_detail_is_small(listed, vlegen, tmp_path):
    folder, _ = listed
    done = vlegen("tokens", folder / "t.vle", "--save", tmp_path / "s.vle", "--no-carry")
    assert done.status == 0
    assert (tmp_path / "s.vle").stat().st_size < (folder / "t.vle").stat().st_size / 2
    assert vlegen("decode", tmp_path / "s.vle", "-o", tmp_path / "s.png").status == 0


def test_several_pictures_at_once(file, vlegen, tmp_path, scenes):
    folder = tmp_path / "masks"
    pair = (file, scenes / "300001.png")
    refused = vlegen("tokens", *pair, "--masks", folder)
    assert refused.status == 2 and "existing folder" in refused.err
    folder.mkdir()
    assert vlegen("tokens", *pair, "--masks", folder).status == 0
    assert sorted(p.name for p in folder.iterdir()) == ["300001-masks.png", "img-masks.png"]


def test_of_several_pictures_a_damaged_one_stops_no_other(file, vlegen, tmp_path, scenes):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    ran = vlegen("tokens", file, bad, scenes / "300001.png")
    assert ran.status == 2 and "img.png" in ran.out and "300001.png" in ran.out
    said = ran.err.splitlines()
    assert len(said) == 2 and "bad.png is not a picture" in said[0] and "1 of 3 pictures could not be read" in said[1]


def test_a_link_stays_a_link(file, vlegen, tmp_path):
    target, link = tmp_path / "target.png", tmp_path / "link.png"
    target.write_bytes(b"")
    link.symlink_to(target)
    assert vlegen("move", file, "--token", 1, "--dx", 9, "-o", link).status == 0
    assert link.is_symlink() and Image.open(target).size == (256, 256)


def test_move_goes_beside_the_input_and_touches_only_its_part(listed, vlegen, file):
    row = ball(json.loads((listed[0] / "t.json").read_text()))
    done = vlegen("move", file, "--token", row["index"], "--dx", 30, "--dy", 20)
    result = file.with_name("img-moved.png")
    assert done.status == 0 and done.out.strip() == str(result)
    changed = (pixels(result) != pixels(file)).any(-1)
    assert changed[130:146, 58:70].any() and changed[150:166, 88:100].any()
    assert not changed[:, 150:].any() and not changed[:80].any()


def test_move_by_words_and_to_a_place_are_the_same_move(listed, vlegen, file, tmp_path):
    row = ball(json.loads((listed[0] / "t.json").read_text()))
    a, b, c = (tmp_path / name for name in ("a.png", "b.png", "c.vle"))
    assert vlegen("move", file, "--object", "the red ball", "--dx", 25, "-o", a).status == 0
    place = f"{row['x'] + 25},{row['y']}"
    assert vlegen("move", listed[0] / "t.vle", "--token", row["index"], "--to", place, "-o", b).status == 0
    assert np.abs(pixels(a) - pixels(b)).max() <= 3
    assert vlegen("move", file, "--token", row["index"], "--dx", 25, "-o", c).status == 0
    assert vlegen("decode", c, "-o", b).status == 0
    assert np.array_equal(pixels(a), pixels(b))


def test_txt2img_writes_numbered_pictures_that_a_seed_repeats(vlegen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = vlegen("txt2img", "red ball left of a cube", "-n", 2, "--seed", 3, "--save", "t.vle")
    assert done.status == 0, done.err
    names = ["red-ball-left-of-a-cube-1.png", "red-ball-left-of-a-cube-2.png", "t-1.vle", "t-2.vle"]
    assert done.out.split() == names
    assert vlegen("txt2img", "red ball left of a cube", "-n", 2, "--seed", 3, "-o", "again.png").status == 0
    assert np.array_equal(pixels(names[0]), pixels("again-1.png"))
    assert not np.array_equal(pixels(names[0]), pixels(names[1]))
    assert vlegen("move", "t-1.vle", "--token", 1, "--dx", 10, "-o", "moved.png").status == 0
    assert (pixels("moved.png") != pixels(names[0])).any()


BAD = {
    "no such file": (["tokens", "none.png"], "none.png does not exist"),
    "text": (["tokens", "text.png"], "text.png is not a picture"),
    "cut": (["move", "cut.jpg", "--token", "1", "--dx", "3"], "cut.jpg is damaged"),
    "tiny": (["tokens", "tiny.png", "--json", "t.json"], "tiny.png is 1 x 1"),
    "bomb": (["tokens", "bomb.png"], "megapixels"),
    "token 99": (["move", "img.png", "--token", "99", "--dx", "3"], "token 99 does not exist: img.png has tokens 0"),
    "the scene": (["move", "img.png", "--token", "0", "--dx", "3"], "token 0"),
    "no object": (["move", "plain.png", "--token", "1", "--dx", "3"], "plain.png has no object tokens"),
    "not there": (["move", "img.png", "--object", "the green cylinder", "--dx", "3"], "green cylinder"),
    "nothing said": (["move", "img.png", "--dx", "3"], "either --token N or --object"),
    "nowhere": (["move", "img.png", "--token", "1"], "--dx and --dy"),
    "two places": (["move", "img.png", "--token", "1", "--dx", "3", "--to", "1,2"], "--to cannot go with"),
    "no place": (["move", "img.png", "--token", "1", "--to", "left"], "expected X,Y"),
    "no prompt": (["txt2img", ""], "empty"),
    "blank prompt": (["txt2img", "  "], "empty"),
    "unseen word": (["txt2img", "a red zeppelin left of a cube"], "zeppelin"),
    "corrupt": (["decode", "bad.vle"], "bad.vle"),
    "cut vle": (["decode", "cut.vle"], "cut.vle"),
    "no vle": (["decode", "none.vle"], "none.vle"),
    "key": (["train", "clip", "train.lrr=1"], "unknown key train.lrr"),
    "kind": (["train", "decoder"], "unknown kind of training 'decoder'"),
    "no data": (["train", "clip", "data.sprites=none"], "none"),
    "format": (["move", "img.png", "--token", "1", "--dx", "3", "-o", "a.doc"], "a.doc"),
    "folder": (["move", "img.png", "--token", "1", "--dx", "3", "-o", "none/a.png"], "cannot write none/a.png"),
    "checkpoint": (["tokens", "img.png", "--checkpoint", "none"], "none"),
    "device": (["tokens", "img.png", "--device", "abacus"], "abacus"),
    "score": (["eval", "beauty", "."], "beauty"),
    "no scenes": (["eval", "tokenizer", "empty"], "holds no scenes"),
    "option": (["tokens", "img.png", "--bogus"], "No such option"),
    "command": (["frob"], "No such command"),
    "argument": (["move"], "Missing argument"),
}


@pytest.fixture
def bad_files(tmp_path, picture, tokens, bomb, monkeypatch):
    """A folder with every kind of broken input."""
    monkeypatch.chdir(tmp_path)
    picture.save("img.png")
    picture.resize((600, 600)).save("whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:4000])
    (tmp_path / "text.png").write_text("hello")
    Image.new("RGB", (1, 1)).save("tiny.png")
    Image.new("RGB", (128, 128), (120, 120, 120)).save("plain.png")
    (tmp_path / "bomb.png").write_bytes(bomb)
    (tmp_path / "bad.vle").write_bytes(b"\x00" * 100)
    tokens.save(tmp_path / "whole.vle")
    (tmp_path / "cut.vle").write_bytes((tmp_path / "whole.vle").read_bytes()[:-1000])
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(case, bad_files, vlegen):
    arguments, message = BAD[case]
    before = sorted(p for p in bad_files.rglob("*"))
    ran = vlegen(*arguments)
    assert ran.status == 2, ran
    assert ran.err.startswith("vlegen: ") and ran.err.count("\n") == 1 and message in ran.err
    assert ran.out == ""
    assert sorted(p for p in bad_files.rglob("*")) == before


def test_ctrl_c_ends_a_command_in_one_line(vlegen, tmp_path):
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        ran = vlegen("txt2img", "a red ball", "-n", 64, "-o", tmp_path / "x.png")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ran.status == 130 and ran.err.strip().endswith("vlegen: interrupted")
    assert not (tmp_path / "x-64.png").exists()
    for path in tmp_path.iterdir():
        assert path.name.startswith("x-") and Image.open(path).size == (256, 256), "whole or not there"


@pytest.mark.parametrize("command", [
    ("txt2img", "a red ball", "-o", "no/x.png"),
    ("txt2img", "a red ball", "-o", "x.png", "--sheet", "no/x.png"),
    ("txt2img", "a red ball", "-o", "x.png", "--save", "no/x.vle"),
    ("eval", "txt2img", "--json", "no/x.json"),
    ("eval", "tokenizer", "scenes", "--json", "no/x.json"),
    ("teach", "my mug", "mug.png", "-o", "mug", "--json", "no/x.json"),
])  # fmt: skip
def test_folders_that_are_missing_are_noticed_first(vlegen, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    ran = vlegen(*command)
    assert ran.status == 2 and ran.err.startswith("vlegen: cannot write no/x.") and ran.out == ""
    assert list(tmp_path.iterdir()) == []


def test_version(vlegen):
    from vle_gen import __version__

    assert vlegen("--version").out == f"vlegen {__version__}\n"


def test_a_training_that_is_interrupted_is_not_taken_for_done(sprites, tmp_path):
    run, options = tmp_path / "run", ("train.batch=2", "train.log_every=1", "train.threads=1")
    command = [sys.executable, ROOT / "cli.py", "train", "tokenizer", f"data.sprites={sprites}", *options, "--out", run]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    log = run / "metrics.jsonl"
    while process.poll() is None and not (log.exists() and log.read_text()):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130 and not out and "go on with: vlegen train tokenizer" in err
    assert (run / "state.safetensors").exists()
