"""Bad input is answered with what would be right: files, folders, settings, words."""
from __future__ import annotations

import pytest

from prompts.lexicon import Lexicon
from vle_gen import config
from vle_gen.data.reading import read_files
from vle_gen.errors import UserError
from vle_gen.io.image_files import make_folder

LINES = {
    "no picture": (["tokens", "none.png"], "none.png does not exist: expected a picture or a .vle file"),
    "no picture to take from": (["paste", "img.png", "--from", "none.vle", "--token", "1"], "none.vle does not exist:"),
    "no words": (["move", "img.png", "--object", " ", "--dx", "2"], "is meant: expected words like 'the red ball'"),
    "a folder of prompts": (["txt2img", "--prompts", "."], ". is a folder: expected a text file with a prompt a line"),
    "a folder for a script": (["edit", "img.png", "--script", "."], ". is a folder: expected a YAML file with a list of edits"),
    "a folder in the studio": (["serve", "."], ". is a folder: expected a picture or a .vle file"),
    "a file for results": (["edit", "img.png", "move 1 by 1,0", "--out-dir", "img.png"], "a file; expected a folder"),
    "no folder for a lexicon": (["data", "lexicon", "img.png", "-o", "none/l.json"], "expected a folder that exists"),
    "no such configuration": (["train", "clip", "--config", "none.yaml"], "No such file or directory: expected a YAML file"),
    "no pack": (["data", "show", "img.png"], "img.png is neither a folder nor a .tar, or it is damaged: expected a whole one"),
    "no such name": (["names", "zzz", "--checkpoint", "everyday"], "without a word 'vlegen names' lists all"),
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_says_what_would_be_right(vlegen, file, monkeypatch, case):
    monkeypatch.chdir(file.parent)
    arguments, said = LINES[case]
    ran = vlegen(*arguments)
    assert ran.status == 2 and said in ran.err and ran.err.count("\n") == 1
    assert [path.name for path in file.parent.iterdir()] == ["img.png"]


def test_a_lexicon_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="No such file or directory; expected what 'vlegen data lexicon' writes"):
        Lexicon.load(tmp_path / "none.json")


def test_a_damaged_tar_is_no_list_of_formats_that_were_tried(tmp_path):
    (tmp_path / "pack.tar").write_bytes(b"\x1f\x8b" + bytes(100))
    with pytest.raises(UserError, match="pack.tar is neither a folder nor a .tar, or it is damaged: expected a whole one$"):
        read_files(tmp_path / "pack.tar")


@pytest.mark.parametrize("setting", ["variant=[1]", "variant={a: 1}", "model.backbone_widths={a: 1}"])
def test_settings_of_the_wrong_kind_are_refused(setting):
    with pytest.raises(UserError, match="cannot be set"):
        config.load("tokenizer", None, ["data.sprites=x", setting])


def test_a_prior_has_a_width():
    with pytest.raises(UserError, match="model.width is 0: expected a multiple of model.heads"):
        config.load("prior", None, ["data.sprites=x", "model.width=0"])


@pytest.mark.parametrize("there", ["taken", "taken/deeper"])
def test_a_folder_cannot_be_where_a_file_is(tmp_path, there):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match="a file; expected a folder, or a name that is free$"):
        make_folder(tmp_path / there)
    assert make_folder(tmp_path / "new" / "deeper").is_dir() and make_folder(tmp_path / "new").is_dir()
