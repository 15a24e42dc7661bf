"""Descriptions say what is true, in words that the prompt grammar reads back."""
from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from prompts.grammar import parse
from prompts.satisfied import CLEAR, check, holds
from prompts.telling import tell
from vle_gen.data.compose import Composer
from vle_gen.data.sprites import SpriteBank


@pytest.fixture(scope="module")
def layouts(sprites):
    """Attributes, boxes and depths of scenes of 1 to 9 objects."""
    scenes = Composer(SpriteBank.load(sprites)).layout(120, torch.Generator().manual_seed(0))
    columns = (scenes.attributes, scenes.box, scenes.depth)
    return [tuple(values[k][scenes.present[k]].tolist() for values in columns) for k in range(len(scenes))]


def test_what_is_told_is_true_and_complete(layouts):
    for attributes, box, depth in layouts:
        told = tell(attributes, box, depth)
        read = parse(told.text)
        assert read is not None and check(read, attributes, box, depth, exact=True) == [], told.text
        assert sorted(k for group in told.members for k in group) == list(range(len(attributes)))
        assert len(read.relations) == len(told.request.relations) and len(read.mentions) == len(told.request.mentions)
        for relation in told.request.relations:
            for a in told.members[relation.subject]:
                for b in told.members[relation.object]:
                    assert holds(relation.kind, box[a], depth[a], box[b], depth[b], CLEAR), told.text


def test_few_objects():
    assert tell([], [], []).text == "An empty scene."
    assert tell([[0, 1, 1, 1]], [[0.5, 0.5, 0.2, 0.2]], [9.0]).text == "There is a large red metal cube."
    two = tell([[0, 1, 1, 1], [1, 0, 0, 2]], [[0.3, 0.5, 0.2, 0.2], [0.8, 0.5, 0.1, 0.1]], [9.0, 9.1])
    assert two.text == "A large red metal cube is left of a small blue rubber sphere."
    same = tell([[1, 0, 0, 2]] * 3, [[0.1 + 0.3 * k, 0.5, 0.1, 0.1] for k in range(3)], [9.0] * 3)
    assert same.text == "There are three small blue rubber spheres."


def test_describe_a_picture_and_its_tokens(vlegen, file, tokens, tmp_path):
    said = vlegen("describe", file, "--json", tmp_path / "d.json")
    assert said.status == 0 and "red metal cube" in said.out
    told = json.loads((tmp_path / "d.json").read_text())
    assert told["text"] == said.out.splitlines()[0]
    assert [one["index"] for one in told["objects"]] == list(range(1, len(tokens)))
    assert all(0 < one["probability"] <= 1 and 0 <= one["score"] <= 1 for one in told["objects"])
    for relation in told["relations"]:
        a, b = (tokens.where[0, relation[key], 0] for key in ("subject", "object"))
        assert relation["relation"] != "left of" or a < b
    tokens.save(tmp_path / "t.vle")
    assert vlegen("describe", tmp_path / "t.vle").out.splitlines()[0] == told["text"]


def test_doubt_is_said(vlegen, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (160, 240, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    said = vlegen("describe", tmp_path / "noise.png", "--json", tmp_path / "d.json").out
    told = json.loads((tmp_path / "d.json").read_text())
    assert not any(one["sure"] for one in told["objects"])
    assert said.startswith("Nothing that the model is sure of.\nUnsure: " if told["objects"] else "An empty scene.")
