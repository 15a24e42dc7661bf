"""Where results may go: never over what is read, never over one another, and only where they can be read again."""
from __future__ import annotations

import shutil
import stat

import pytest

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
