"""Edits on the tokenizer alone: what they leave unimported, and that they are those of the whole pipeline."""
from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import vle_gen
from editors import move
from vle_gen import light_pipeline
from vle_gen.errors import UserError
from vle_gen.tokenizer.core import WEIGHTS

HEAVY = ("diffusers", "open_clip", "scipy", "torchvision", "transformers", "vle_gen.pipeline", "vle_gen.clip")


@pytest.fixture(scope="module")
def light():
    """The shipped checkpoint as the command line has it."""
    return light_pipeline.load()


@pytest.fixture(scope="module")
def written(light, picture):
    """The scene's tokens by the tokenizer alone, before anything else of the checkpoint was asked for."""
    return light.encode(picture)


def test_edits_by_number_and_place_import_the_tokenizer_alone(file, tokens):
    tokens.save(file.with_name("t.vle"))
    commands = (
        ["move", "img.png", "--token", "1", "--dx", "20"],
        ["remove", "img.png", "--point", "64,137"],
        ["edit", "img.png", "recolor 1 to blue; flip 2"],
        ["decode", "t.vle", "--no-carry"],
    )
    code = (
        "import sys, cli\n"
        f"for command in {commands}:\n"
        "    sys.argv[1:] = command\n"
        "    try: cli.main()\n"
        "    except SystemExit as ended: assert not ended.code, ended.code\n"
        f"sys.exit(', '.join(name for name in {HEAVY} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=file.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(Path(file.parent, name).is_file() for name in done.stdout.split()) and len(done.stdout.split()) == 4


def test_the_tokenizer_alone_is_the_pipelines(pipe, light):
    plain, full = light.tokenizer.state_dict(), pipe.tokenizer.state_dict()
    assert list(plain) == list(full)
    for name, weight in full.items():
        assert plain[name].dtype == weight.dtype and torch.equal(plain[name], weight), name
    assert {weight.dtype for weight in plain.values()} == {torch.float32, torch.int32}
    assert light.tokenizer.checkpoint_id == pipe.tokenizer.checkpoint_id
    assert light.tokenizer.code.digest("") == pipe.tokenizer.code.digest("")
    assert not any(module.training for module in light.tokenizer.modules())
    assert light.device == pipe.device


def test_tokens_and_pictures_are_those_of_the_whole_pipeline(pipe, tokens, light, written):
    for name in ("what", "where", "depth", "kind", "scope", "score", "source"):
        assert torch.equal(getattr(written, name), getattr(tokens, name)), name
    assert (written.size, written.checkpoint) == (tokens.size, tokens.checkpoint)
    for options in ({}, {"carry": False}, {"size": 300}):
        moved = [np.asarray(one.decode(move(own, 1, 20), **options)) for one, own in ((pipe, tokens), (light, written))]
        assert np.array_equal(*moved)
    data = light.tokenizer.compress(written, 60)
    assert data == pipe.tokenizer.compress(tokens, 60)
    assert torch.equal(light.tokenizer.decompress(data).what, pipe.tokenizer.decompress(data).what)


def test_all_else_comes_from_the_whole_pipeline(pipe, tokens, light, written):
    assert light.name_tokens(written) == pipe.name_tokens(tokens)
    assert light.find(written, "the red ball") == pipe.find(tokens, "the red ball")
    assert light.words == pipe.words and light.checkpoint_id == pipe.checkpoint_id
    drawn = [one("a blue cube", generator=torch.Generator().manual_seed(1), tries=1).images[0] for one in (pipe, light)]
    assert np.array_equal(*map(np.asarray, drawn))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = light.nothing


def test_a_float32_checkpoint_is_light_too(pipe, tokens, tmp_path):
    pipe.save_pretrained(tmp_path)
    light = light_pipeline.load(tmp_path)
    assert isinstance(light, light_pipeline.LightPipeline)
    assert np.array_equal(np.asarray(light.decode(tokens)), np.asarray(pipe.decode(tokens)))


BROKEN = {
    "no index": lambda folder: (folder / "model_index.json").unlink(),
    "index is no JSON": lambda folder: (folder / "model_index.json").write_text("{"),
    "no tokenizer": lambda folder: shutil.rmtree(folder / "tokenizer"),
    "no tokenizer config": lambda folder: (folder / "tokenizer" / "config.json").unlink(),
    "no tokenizer weights": lambda folder: (folder / "tokenizer" / WEIGHTS).unlink(),
    "no prior": lambda folder: shutil.rmtree(folder / "prior"),
    "no folder": shutil.rmtree,
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_checkpoint_is_refused_as_by_the_whole_pipeline(fault, vlegen, file, tmp_path):
    folder = tmp_path / "checkpoint"
    shutil.copytree(vle_gen.SHIPPED, folder)
    BROKEN[fault](folder)
    with pytest.raises(UserError) as refused:
        vle_gen.load(folder)
    ran = vlegen("move", file, "--token", 1, "--dx", 5, "--checkpoint", folder)
    assert ran.status == 2 and ran.err == f"vlegen: {refused.value}\n"
    assert sorted(path.name for path in tmp_path.iterdir() if path != folder) == ["img.png"]
