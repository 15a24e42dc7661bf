"""Where results may go: never over what is read, never over one another, and only where they can be read again."""
from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

import vle_gen
from editors import flip, move, recolor, remove
from vle_gen.tokenizer.worth import drawn
from vle_gen.tokens import VLETokens


def refused(ran, *said: str) -> None:
    assert ran.status == 2 and len(ran.err.splitlines()) == 1, ran.err
    assert all(text in ran.err for text in said), ran.err


@pytest.mark.parametrize("option", ["--json", "--save", "--overlay", "--masks"])
def test_a_result_does_not_take_the_place_of_the_picture(vlegen, file, option):
    before, target = file.read_bytes(), file
    if option == "--save":  # tokens have a name of their own, but a link may lead anywhere
        target = file.with_suffix(".vle")
        target.symlink_to(file)
    refused(vlegen("tokens", file, option, target), f"cannot write {target}", "another name")
    assert file.read_bytes() == before


def test_two_results_do_not_share_a_file(vlegen, file, tmp_path):
    refused(vlegen("tokens", file, "--overlay", tmp_path / "o.png", "--masks", tmp_path / "o.png"), "o.png")
    refused(vlegen("describe", file, "--json", file), "is what is read")
    for name in ("a", "b", "out"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        shutil.copy(file, tmp_path / name)
    pictures = tmp_path / "a" / file.name, tmp_path / "b" / file.name
    refused(vlegen("tokens", *pictures, "--json", tmp_path / "out"), "several results would be called")
    assert not list((tmp_path / "out").iterdir())


def test_tokens_are_saved_where_they_can_be_read_and_by_whom_other_files_can(vlegen, file, tmp_path):
    refused(vlegen("tokens", file, "--save", tmp_path / "t.foo"), "t.foo", ".vle")
    refused(vlegen("txt2img", "red ball", "-o", tmp_path / "x.png", "--save", tmp_path / "t.foo"), ".vle")
    refused(vlegen("tokens", file, "--save", tmp_path / "nowhere" / "t.vle"), "cannot write")
    saved = vlegen("tokens", file, "--save", tmp_path / "t.vle", "--json", tmp_path / "t.json")
    assert saved.status == 0 and len(VLETokens.load(tmp_path / "t.vle")) > 1
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("t.vle", "t.json")}
    assert len(modes) == 1
    refused(vlegen("decode", tmp_path / "t.vle", "--size", "100000"), "100000", "megapixels")
    refused(vlegen("describe", tmp_path / "t.vle", "--checkpoint", "everyday"), "checkpoint solids", "--checkpoint")


def test_a_seed_beyond_64_bits_is_refused(vlegen, file, tmp_path):
    for command in (("txt2img", "red ball"), ("add", file, "a red ball")):
        refused(vlegen(*command, "--seed", 10**20, "-o", tmp_path / "x.png"), "--seed")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("move", "--token", 1, "--dx", 20),
        ("edit", "move 1 by 20,0"),
        ("remove", "--token", 1),
        ("decode",),
        ("add", "a red ball"),
        ("replace", "--token", 1, "a red ball"),
    ],
)
def test_an_edit_does_not_take_the_place_of_its_picture(vlegen, file, command):
    before = file.read_bytes()
    refused(vlegen(command[0], file, *command[1:], "-o", file), "is what is read", "another name")
    assert file.read_bytes() == before


def test_names_are_judged_before_anything_is_written(vlegen, file, tmp_path):
    picture, missing = tmp_path / "one.png", tmp_path / "nowhere" / "x"
    refused(vlegen("tokens", file, "--overlay", picture, "--masks", tmp_path / "m.jpg"), "m.jpg", ".png")
    refused(vlegen("tokens", file, "--overlay", picture, "--json", missing), "nowhere")
    refused(vlegen("tokens", file, "--no-carry"), "--save")
    refused(vlegen("txt2img", "red ball", "-o", picture, "--sheet", tmp_path / "s.txt"), "s.txt")
    refused(vlegen("txt2img", "red ball", "-o", picture, "--sheet", picture), "to be written already")
    refused(vlegen("txt2img", "red ball", "-o", tmp_path), "cannot save a picture")
    refused(vlegen("txt2img", "red ball", "--no-check", "--tries", 3, "-o", picture), "--no-check", "--tries 3")
    refused(vlegen("move", file, "--token", 1, "--dx", 9, "-o", tmp_path / "x.doc"), "x.doc", ".vle")
    assert not picture.exists()


def test_a_file_that_is_replaced_keeps_its_permissions(vlegen, file, tmp_path):
    target = tmp_path / "private.png"
    target.touch(mode=0o600)
    assert vlegen("move", file, "--token", 1, "--dx", 9, "-o", target).status == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600 and target.stat().st_size


def test_what_is_far_out_of_the_picture_costs_nothing(vlegen, file, tmp_path):
    gone, removed = tmp_path / "gone.png", tmp_path / "removed.png"
    assert vlegen("move", file, "--token", 2, "--dx", 5e7, "-o", gone).status == 0
    assert vlegen("move", file, "--token", 2, "--dx", -600, "-o", removed).status == 0
    assert gone.read_bytes() == removed.read_bytes(), "wherever it is, it is not seen"


def test_what_is_drawn_by_its_token_alone_may_lie_far_out_of_the_picture(pipe):
    (tokens,) = pipe("red ball left of a cube", generator=torch.Generator().manual_seed(0), tries=1).tokens
    for edit in (lambda: flip(tokens, 1), lambda: recolor(tokens, 1, to="blue")):
        gone = pipe.decode(move(edit(), 1, -3000, 4000))
        without = pipe.decode(remove(tokens, 1))
        assert np.abs(np.asarray(gone).astype(int) - np.asarray(without)).max() <= 3
    where = tokens.where[0].clone()
    where[1, :2] = 3.0
    assert drawn(pipe.tokenizer.network, tokens.what[0], where, 64, 64)[1].window.empty


def test_the_command_line_survives_what_it_prints_to(file):
    command = [sys.executable, "cli.py", "tokens", str(file.rename(file.with_name("büro.png")))]
    root = Path(__file__).parents[1]
    ascii_only = dict(os.environ, PYTHONIOENCODING="ascii")
    ran = subprocess.run(command, cwd=root, env=ascii_only, capture_output=True, text=True)
    assert ran.returncode == 0 and "b?ro.png" in ran.stdout
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w") as full:
            ran = subprocess.run(command, cwd=root, stdout=full, stderr=subprocess.PIPE, text=True)
        assert ran.returncode == 2 and len(ran.stderr.splitlines()) == 1 and "No space" in ran.stderr


def with_little_room(*arguments: object) -> subprocess.CompletedProcess:
    """Runs `vlegen ARGUMENTS...` where files may have 8 kB, and what is more is refused as by a disk that is full."""
    command = [sys.executable, "cli.py", *map(str, arguments)]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
    return subprocess.run(command, cwd=Path(__file__).parents[1], preexec_fn=limit, capture_output=True, text=True)


def test_folders_for_which_there_is_no_room_stay_empty(sprites, tmp_path):
    scenes, checkpoint = tmp_path / "scenes", tmp_path / "checkpoint"
    tokenizer = Path(vle_gen.SHIPPED) / "tokenizer"
    composed = with_little_room("data", "compose", sprites, "-n", 2, "--pick", "all", "-o", scenes)
    assembled = with_little_room("assemble", tokenizer, "-o", checkpoint)
    for ran, said in (
        (composed, f"cannot write into {scenes}"), (assembled, f"cannot write the tokenizer checkpoint {checkpoint}"),
    ):  # fmt: skip
        assert ran.returncode == 2 and "Traceback" not in ran.stderr
        assert said in ran.stderr.splitlines()[-1]
    assert not any(scenes.iterdir()) and not any(checkpoint.iterdir())
