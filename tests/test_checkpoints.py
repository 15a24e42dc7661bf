"""Short names of shipped checkpoints, and checkpoints of a tokenizer alone: what works with them, and what is refused how."""
from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import vle_gen
from editors import move
from vle_gen import light_pipeline
from vle_gen.errors import UserError
from vle_gen.io.checkpoints import located, shipped


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A checkpoint of the shipped tokenizer and nothing else."""
    from vle_gen.workflows.assembling import assemble

    folder = tmp_path_factory.mktemp("checkpoints") / "alone"
    said = assemble([vle_gen.SHIPPED / "tokenizer"], folder, alone=True)
    assert any("names nothing" in line for line in said) and any("writes nothing" in line for line in said)
    return folder


@pytest.fixture(scope="module")
def bare(alone):
    """The pipeline of it."""
    return vle_gen.load(alone)


# Names


def test_the_shipped_checkpoints_have_names(pipe):
    assert located() == located("solids") == str(vle_gen.SHIPPED)
    for name, folder in shipped().items():
        assert located(name) == str(folder) and (folder / "model_index.json").is_file()
        if name != "solids":
            assert vle_gen.load(name).tokenizer.checkpoint_id == light_pipeline.load(name).tokenizer.checkpoint_id


def test_everyday_objects_that_training_never_drew_are_found_and_moved():
    from vle_gen.evaluation.evaluate import evaluate_move, evaluate_tokenizer

    everyday, scene = vle_gen.load("everyday"), Path(__file__).parent / "fixtures" / "everyday"
    found = evaluate_tokenizer(everyday, scene)
    assert found["fg_ari"] > 0.9 and found["miou"] > 0.75 and found["round_trip_exact"] == 1
    moved = evaluate_move(everyday, scene)
    assert moved["move_changed_psnr"] > moved["identity_changed_psnr"] + 10 and moved["move_far_pixels_touched"] == 0


def test_a_checkpoint_in_the_working_folder_comes_before_a_name(alone, tmp_path, monkeypatch):
    home = tmp_path / "weights"
    shutil.copytree(alone, home / "everyday")
    monkeypatch.setattr(vle_gen, "SHIPPED", home)
    assert list(shipped()) == ["solids", "everyday"] and located("everyday") == str(home / "everyday")
    assert vle_gen.load("everyday").prior is None
    work = tmp_path / "work"
    (work / "everyday").mkdir(parents=True)
    monkeypatch.chdir(work)
    (work / "everyday" / "pack.json").write_text("{}")
    assert located("everyday") == str(home / "everyday"), "a sprite pack is no checkpoint"
    shutil.copytree(alone, work / "everyday", dirs_exist_ok=True)
    assert located("everyday") == "everyday" and located("./everyday") == "./everyday"


def test_an_unknown_name_is_refused_with_those_that_there_are(vlegen, file, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for arguments in (["move", file, "--token", 1, "--dx", 9], ["tokens", file], ["txt2img", "a red ball"]):
        ran = vlegen(*arguments, "--checkpoint", "no-such/everyday")
        assert ran.status == 2 and ran.err.count("\n") == 1
        assert "no checkpoint no-such/everyday" in ran.err and "one that is shipped: solids" in ran.err


@pytest.mark.parametrize("wrong", ["runs/all/checkpoint", "../checkpoint", "my checkpoint", "notes.txt"])
def test_a_folder_that_is_not_there_is_no_checkpoint(wrong, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=f"^no checkpoint {re.escape(wrong)}: expected a folder with model_index.json"):
        vle_gen.load(wrong)


# A tokenizer alone


def test_a_tokenizer_alone_encodes_moves_and_decodes(bare, pipe, tokens, picture):
    assert bare.prior is None and bare.clip is None
    own = bare.encode(picture)
    assert torch.equal(own.what, tokens.what) and bare.decode(own).tobytes() == picture.tobytes()
    moved = [np.asarray(one.decode(move(tokens, 1, 20))) for one in (bare, pipe)]
    assert np.array_equal(*moved)
    assert bare.checkpoint_id == bare.tokenizer.checkpoint_id == tokens.checkpoint
    assert bare.name_tokens(own) == ["scene"] + ["thing"] * (len(own) - 1)


def test_it_is_saved_and_loaded_as_any_other(bare, tokens, tmp_path):
    bare.save_pretrained(tmp_path / "again")
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == ["model_index.json", "tokenizer"]
    light = light_pipeline.load(tmp_path / "again")
    assert isinstance(light, light_pipeline.LightPipeline) and light.name_tokens(tokens)[1] == "thing"
    index = tmp_path / "again" / "model_index.json"
    kept = json.loads(index.read_text())
    index.write_text(json.dumps({name: kept[name] for name in ("_class_name", "_diffusers_version", "tokenizer")}))
    assert vle_gen.load(tmp_path / "again").clip is None and light_pipeline.load(tmp_path / "again").clip is None


def test_edits_by_number_and_place_work(vlegen, alone, file, tmp_path):
    commands = (
        ["move", file, "--token", 1, "--dx", 20, "-o", tmp_path / "moved.png"],
        ["recolor", file, "--point", "64,137", "--to", "blue", "-o", tmp_path / "blue.png"],
        ["edit", file, "flip 2; resize 1 by 1.2", "-o", tmp_path / "edited.vle"],
        ["decode", tmp_path / "edited.vle", "-o", tmp_path / "decoded.png"],
        ["paste", file, "--from", tmp_path / "edited.vle", "--token", 1, "--to", "200,60", "-o", tmp_path / "pasted.png"],
        ["animate", file, "move 1 by 9,0", "--frames", 2, "-o", tmp_path / "a.gif"],
    )
    for command in commands:
        ran = vlegen(*command, "--checkpoint", alone)
        assert ran.status == 0, f"{command}: {ran.err}"
        assert Image.open(tmp_path / "moved.png").size == (256, 256)
    assert all((tmp_path / name).is_file() for name in ("blue.png", "decoded.png", "pasted.png", "a.gif"))


def test_tokens_and_descriptions_do_without_names(vlegen, alone, file, tokens, tmp_path):
    ran = vlegen("tokens", file, "--json", tmp_path / "t.json", "--overlay", tmp_path / "o.png", "--checkpoint", alone)
    assert ran.status == 0 and "thing" in ran.out
    assert [row["label"] for row in json.loads((tmp_path / "t.json").read_text())] == ["scene"] + ["thing"] * (len(tokens) - 1)
    said = vlegen("describe", file, "--json", tmp_path / "d.json", "--checkpoint", alone)
    assert said.status == 0 and said.out.startswith("A thing ") and "(token 1)" in said.out
    told = json.loads((tmp_path / "d.json").read_text())
    for one in told["objects"]:
        x, y, *_ = tokens.where[0, one["index"]].tolist()
        assert one["color"] is None and 0 <= one["score"] <= 1
        assert ("left" not in one["label"] or x < 0.5) and ("right" not in one["label"] or x > 0.5)
        assert ("top" not in one["label"] or y < 0.5) and ("bottom" not in one["label"] or y > 0.5)
    away = move(tokens, 1, 2000)
    away.save(tmp_path / "away.vle")
    said = vlegen("describe", tmp_path / "away.vle", "--checkpoint", alone).out
    assert "(token 1)" not in said and "(token 2)" in said, "what was moved out of the picture is not in it"
    Image.new("RGB", (64, 64), "gray").save(tmp_path / "empty.png")
    assert vlegen("describe", tmp_path / "empty.png", "--checkpoint", alone).out.startswith(("An empty scene.", "Nothing"))


def test_it_is_scored(vlegen, alone, scenes):
    ran = vlegen("eval", "tokenizer", scenes, "--limit", 1, "--checkpoint", alone)
    assert ran.status == 0 and "round_trip_exact" in ran.out


def test_what_takes_words_is_refused_in_a_line_that_says_what_works(vlegen, alone, bare, file, tokens, tmp_path):
    out = ["-o", tmp_path / "x.png", "--checkpoint", alone]
    commands = {
        "vlegen paste": (
            ["txt2img", "a red ball", *out],
            ["add", file, "a red ball", *out],
            ["replace", file, "a red ball", "--token", 1, *out],
            ["edit", file, "add 'a red ball'", *out],
            ["eval", "txt2img", "--limit", 1, "--checkpoint", alone],
        ),
        "give --token, --point or --box": (
            ["move", file, "--object", "the red ball", "--dx", 9, *out],
            ["edit", file, "remove 'the red ball'", *out],
        ),
    }
    for instead, refused in commands.items():
        for command in refused:
            ran = vlegen(*command)
            assert ran.status == 2 and ran.err.count("\n") == 1, f"{command}: {ran.err}"
            assert "this checkpoint has no" in ran.err and "CLIP" in ran.err and instead in ran.err, command
    assert not (tmp_path / "x.png").exists()
    for ask in (lambda: bare("a red ball"), lambda: bare.add(tokens, "a red ball"), lambda: bare.names(tokens)):
        with pytest.raises(UserError, match="this checkpoint has no"):
            ask()


def test_the_studio_opens_and_edits_with_it(bare, file, one_thread):
    testing = pytest.importorskip("fastapi.testclient")
    from vle_gen.studio.server import create_app

    with testing.TestClient(create_app(bare), base_url="http://localhost") as client:
        view = client.post("/api/sessions", content=file.read_bytes()).json()
        assert view["tokens"] and all(one["label"] == "thing" for one in view["tokens"])
        moved = client.post(f"/api/sessions/{view['id']}/edits", json={"edit": "move", "index": 1, "dx": 9})
        assert moved.status_code == 200 and moved.json()["version"] == 1
        assert '<body class="wordless">' in client.get("/").text
        assert ".wordless #write, .wordless #add" in client.get("/page/studio.css").text
        drawn = client.post("/api/sessions/from-text", json={"prompt": "a red ball"})
        assert drawn.status_code == 400 and "writes nothing from text" in drawn.json()["error"]
        replaced = client.post(f"/api/sessions/{view['id']}/replace", json={"index": 1, "text": "a red ball"})
        assert replaced.status_code == 400 and "--" not in replaced.json()["error"]


def test_assembling_from_a_tokenizer_alone(vlegen, tmp_path, file):
    made = vlegen("assemble", vle_gen.SHIPPED / "tokenizer", "--alone", "-o", tmp_path / "made")
    assert made.status == 0 and "names nothing" in made.err and (tmp_path / "made" / "tokenizer").is_dir()
    assert not (tmp_path / "made" / "clip").exists() and not (tmp_path / "made" / "scheduler").exists()
    named = vlegen("assemble", vle_gen.SHIPPED / "tokenizer", vle_gen.SHIPPED / "clip", "--alone", "-o", tmp_path / "named")
    assert named.status == 0 and "names nothing" not in named.err and "writes nothing" in named.err
    move = vlegen("move", file, "--object", "the red ball", "--dx", 9, "--checkpoint", tmp_path / "named")
    assert move.status == 0, "a CLIP is enough to find what words mean"
    none = vlegen("assemble", vle_gen.SHIPPED / "clip", "--alone", "-o", tmp_path / "none")
    assert none.status == 2 and "needs a tokenizer" in none.err and not (tmp_path / "none").exists()


@pytest.mark.parametrize("harm", [Path.unlink, lambda weights: weights.write_bytes(b"cut short")], ids=["missing", "damaged"])
def test_a_part_without_whole_weights_is_refused_in_a_line(vlegen, tmp_path, harm):
    part = tmp_path / "runs" / "checkpoint"
    shutil.copytree(vle_gen.SHIPPED / "tokenizer", part)
    harm(part / "diffusion_pytorch_model.safetensors")
    for command in (["assemble", tmp_path / "runs"], ["train", "prior", "data.pictures=x", f"tokenizer={part}"]):
        ran = vlegen(*command, "-o" if command[0] == "assemble" else "--out", tmp_path / "out")
        assert ran.status == 2 and ran.err.startswith(f"vlegen: cannot load the tokenizer checkpoint {part}: ")
        assert ran.err.count("\n") == 1


def test_what_is_shipped_loads_without_a_warning():
    code = "import vle_gen; vle_gen.load('solids'); vle_gen.load('everyday')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
