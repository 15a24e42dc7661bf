"""Prompts from files, what is said before drawing, metadata, contact sheets, and the scores of suites."""
from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import vle_gen
from editors.language import parse_group
from prompts import parse
from prompts.heldout import held_out, write_for_training
from prompts.suites import load
from prompts.suites.make import CATEGORIES, make
from prompts.vocabulary import WORDS
from vle_gen import config as configs
from vle_gen.data.captioned import CaptionedPictures
from vle_gen.evaluation.crop_classifier import cut_out
from vle_gen.evaluation.naming_judge import load_judge
from vle_gen.workflows.from_text import read_prompts
from vle_gen.workflows.script import read_script


def test_a_file_of_prompts_becomes_a_folder_of_pictures(vlegen, tmp_path):
    (tmp_path / "p.txt").write_text("# two\na red ball\n\n a crimson cube behind a ball \n")
    folder, sheet = tmp_path / "out", tmp_path / "sheet.png"
    done = vlegen("txt2img", "--prompts", tmp_path / "p.txt", "-o", folder, "--seed", 5, "--tries", 2, "--sheet", sheet)
    assert done.status == 0, done.err
    names = ["01-a-red-ball.png", "02-a-crimson-cube-behind-a-ball.png"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert done.out.split() == [*(str(folder / name) for name in names), str(sheet)]
    assert "'crimson' is drawn as red" in done.err
    with Image.open(folder / names[1]) as image:
        assert image.text["prompt"] == "a crimson cube behind a ball" and image.text["seed"] == "5"
        assert len(image.text["checkpoint"]) == 12
    assert Image.open(sheet).size[0] == 512
    alone = vlegen("txt2img", "a red ball", "--seed", 5, "--tries", 2, "-o", tmp_path / "alone.png")
    assert alone.status == 0
    one, other = (np.asarray(Image.open(path)).astype(int) for path in (folder / names[0], tmp_path / "alone.png"))
    assert np.abs(one - other).mean() < 1, "a seed means the same picture, alone or among others"


def test_files_of_prompts_that_cannot_be_drawn(vlegen, tmp_path):
    assert "does not exist" in vlegen("txt2img", "--prompts", tmp_path / "none.txt").err
    (tmp_path / "p.txt").write_text("a red ball\na red dragon\n")
    done = vlegen("txt2img", "--prompts", tmp_path / "p.txt", "-o", tmp_path / "out")
    assert done.status == 2 and "line 2" in done.err and "dragon" in done.err and not (tmp_path / "out").exists()
    (tmp_path / "p.txt").write_text("a red dragon\na red ball\n\na fork\na spoon\n")
    several = vlegen("txt2img", "--prompts", tmp_path / "p.txt", "-o", tmp_path / "out").err
    assert "line 1" in several and "lines 4, 5" in several and several.count("\n") == 1
    (tmp_path / "p.txt").write_text("a dragon\n" * 200)
    many = vlegen("txt2img", "--prompts", tmp_path / "p.txt", "-o", tmp_path / "out").err
    assert "lines 2, 3" in many and "others" in many and len(many) < 600
    (tmp_path / "p.txt").write_text("# nothing\n")
    assert vlegen("txt2img", "--prompts", tmp_path / "p.txt").status == 2
    assert vlegen("txt2img", "a ball", "--prompts", tmp_path / "p.txt").status == 2


def test_a_mark_at_the_beginning_of_a_text_is_no_part_of_it(tmp_path):
    """Editors on Windows put a byte order mark ahead of UTF-8."""

    def written(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text, "utf-8-sig")
        return tmp_path / name

    assert read_prompts(written("p.txt", "# two\na red ball\na cube\n"), WORDS) == ["a red ball", "a cube"]
    assert load(written("mine.txt", "a red ball\n"))[0].prompts == ("a red ball",)
    assert load(written("mine.jsonl", '{"prompt": "a cube"}\r\n'))[0].prompts == ("a cube",)
    assert load(written("mine.jsonl", '{"prompt": "a\u2028cube"}\n'))[0].prompts == ("a\u2028cube",), "no end of a line"
    assert read_script(written("s.yaml", "- flip 1\n")) == parse_group("flip 1")
    assert configs.load("clip", written("c.yaml", "data: {sprites: mine.tar}\n")).data.sprites == "mine.tar"
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    written("a.txt", "a red ball\n")
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        for name in ("a.png", "a.txt"):
            tar.add(tmp_path / name, name)
    assert CaptionedPictures.find(str(tmp_path / "shard.tar")).pictures[0].captions == ("a red ball",)


def test_what_cannot_be_read_is_drawn_and_said(vlegen, tmp_path):
    done = vlegen("txt2img", "ball cube the", "--tries", 2, "-o", tmp_path / "x.png")
    assert done.status == 0 and (tmp_path / "x.png").exists() and "is not checked" in done.err


def test_suites_are_scored(vlegen, tmp_path):
    (tmp_path / "mine.txt").write_text("a red ball\na blue cube\n")
    done = vlegen("eval", "txt2img", tmp_path / "mine.txt", "--limit", 1, "--no-check", "--json", tmp_path / "s.json")
    assert done.status == 0, done.err
    scores = json.loads((tmp_path / "s.json").read_text())
    assert [score["category"] for score in scores] == ["mine", "all"]
    assert all(score["prompts"] == 1 and 0 <= score["own"] <= 1 and score["judged"] is None for score in scores)
    assert "mine" in vlegen("eval", "txt2img", tmp_path / "mine.txt", "--limit", 1, "--no-check").out
    (tmp_path / "bad.txt").write_text("of of ball\n")
    assert vlegen("eval", "txt2img", tmp_path / "bad.txt").status == 2
    assert vlegen("eval", "txt2img", tmp_path / "none.txt").status == 2
    for name, data in (("empty.txt", b"\n"), ("binary.txt", bytes(range(128, 256))), ("number.jsonl", b'{"prompt": 3}')):
        (tmp_path / name).write_bytes(data)
        refused = vlegen("eval", "txt2img", tmp_path / name)
        assert refused.status == 2 and name in refused.err and refused.err.count("\n") == 1
    assert vlegen("eval", "txt2img", tmp_path / "mine.txt", "--judge", tmp_path).status == 2


# Suites


def test_the_suites_are_a_thousand_prompts_that_can_be_read_and_are_never_trained_on():
    suites = load()
    prompts = [prompt for suite in suites for prompt in suite.prompts]
    assert len(suites) == len(CATEGORIES) and len(set(prompts)) == len(prompts) >= 1000
    for prompt in prompts:
        assert parse(prompt) is not None and held_out(prompt), prompt
    assert held_out("A red  ball") == held_out("a red ball.")


@pytest.mark.parametrize("name", ["3_counting", "7_relations_of_4"])
def test_the_suites_can_be_made_again(name):
    (suite,) = [suite for suite in load() if suite.name == name]
    assert list(suite.prompts) == make(name)


def test_captions_for_training_leave_out_what_is_held_out():
    from random import Random

    random = Random(0)
    texts = [write_for_training([(1, 1, 1, 1)], [[0.5, 0.5, 0.1, 0.1]], [9.0], random).text for _ in range(2000)]
    assert not any(map(held_out, texts)) and len(set(texts)) > 50


def test_the_judge_sees_what_is_there(scenes):
    from vle_gen.evaluation.judge import Judge

    judge = Judge.load(Path(__file__).parent.parent / "benchmarks" / "judge")
    record = json.loads((scenes / "300000.json").read_text())
    with Image.open(scenes / "300000.png") as picture:
        (sight,) = judge.look([picture])
    for item in record["objects"]:
        x, y = (value / 256 for value in item["pixel"][:2])
        assert min((box[0] - x) ** 2 + (box[1] - y) ** 2 for box in sight.box) ** 0.5 < 0.05, item
    assert sight.problems(parse("nine things"))
    (empty,) = judge.look([Image.new("RGB", (300, 200), (120, 118, 115))])
    assert len(empty.box) <= 1


def test_cut_outs_come_in_the_order_of_their_boxes():
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(4, 3, 64, 64, generator=generator)
    which = torch.tensor([2, 0, 2, 3, 0, 2])  # none of one picture, several of others
    box = 0.2 + 0.6 * torch.rand(6, 4, generator=generator)
    turned = torch.randn(6, generator=generator)
    cuts = cut_out(pictures, which, box, turned, size=16)
    for k, number in enumerate(which.tolist()):
        one = slice(k, k + 1)
        alone = cut_out(pictures[number : number + 1], torch.zeros(1, dtype=torch.long), box[one], turned[one], size=16)
        assert torch.allclose(cuts[one], alone, atol=1e-6), k
    assert cut_out(pictures, which[:0], box[:0], size=16).shape == (0, 3, 16, 16)


def train_everyday(*arguments: object) -> subprocess.CompletedProcess:
    script = Path(__file__).parent.parent / "benchmarks" / "judge" / "train_everyday.py"
    return subprocess.run([sys.executable, str(script), *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def naming_judge(sprites, everyday, tmp_path_factory) -> Path:
    """A judge of names after two steps of its training."""
    folder = tmp_path_factory.mktemp("judge") / "names"
    done = train_everyday(sprites, everyday, "--steps", 2, "--scenes", 12, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_judge_of_names_is_trained_and_looks(naming_judge, picture):
    lexicon = vle_gen.load("everyday").lexicon
    judge = load_judge(naming_judge, lexicon)
    assert "castle" in judge.names and "penguin" not in judge.names, "what is held out is not learnt"
    (sight,) = judge.look([picture])
    assert len(sight.names) == len(sight.kinds) == len(sight.box)
    assert sight.problems(parse("two castles", lexicon))


def test_a_judge_of_names_is_trained_on_in_larger_batches(naming_judge, sprites, everyday, tmp_path):
    options = ("--steps", 1, "--batch", 14, "--rate", 1e-3, "--scenes", 0, "--out", tmp_path)
    done = train_everyday(sprites, everyday, "--start", naming_judge, *options)
    assert done.returncode == 0, done.stderr
    runs = json.loads((tmp_path / "runs.json").read_text())
    assert [(run["steps"], run["batch"], run["rate"]) for run in runs] == [(2, 12, 2.5e-3), (1, 14, 1e-3)]
    said = json.loads((tmp_path / "README.md").read_text().partition("```json")[2].partition("```")[0])
    assert said["names"] and "accepted" not in said
    lexicon = vle_gen.load("everyday").lexicon
    assert load_judge(tmp_path, lexicon).names == load_judge(naming_judge, lexicon).names
    refused = train_everyday(sprites, everyday, "--device", "abacus", "--out", tmp_path / "none")
    assert refused.returncode == 2 and "abacus" in refused.stderr and not (tmp_path / "none").exists()


@pytest.mark.parametrize("prompt, chosen, why", [
    ("a red cube", ["--checkpoint", "everyday"], "things by name"),
    ("a pizza", ["--checkpoint", "everyday"], "does not know 'pizza'"),
    ("a red ball", [], "draws solids alone"),
])
def test_what_a_judge_of_names_does_not_know(vlegen, naming_judge, tmp_path, prompt, chosen, why):
    (tmp_path / "mine.txt").write_text(prompt + "\n")
    refused = vlegen("eval", "txt2img", tmp_path / "mine.txt", "--judge", naming_judge, *chosen)
    assert refused.status == 2 and why in refused.err and refused.err.count("\n") == 1


def test_a_folder_of_pictures_is_made_with_the_first(vlegen, tmp_path):
    prompts, folder = tmp_path / "prompts.txt", tmp_path / "out"
    prompts.write_text("red ball\n")
    for wrong in (["--guidance", "inf"], ["--save", tmp_path / "none" / "t.vle"], ["--place", "zebra@0.5,0.5"]):
        assert vlegen("txt2img", "--prompts", prompts, "-o", folder, *wrong).status == 2
        assert not folder.exists()
    drawn = vlegen("txt2img", "--prompts", prompts, "-o", folder, "--save", folder / "t.vle", "--tries", 1)
    assert drawn.status == 0 and {path.name for path in folder.iterdir()} == {"01-red-ball.png", "t.vle"}
    prompts.rename(tmp_path / "again.txt")
    taken = vlegen("txt2img", "--prompts", tmp_path / "again.txt", "-o", tmp_path / "again.txt")
    assert taken.status == 2 and "is a file; expected a folder" in taken.err
