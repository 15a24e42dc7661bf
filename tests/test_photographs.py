"""Pictures unlike those that the everyday checkpoint was trained on, such as photographs and drawings: what a person marks is
edited whole, and what it hid is continued from what is seen around it."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from editors import duplicate, remove, swap
from vle_gen.compositing.detail import scenery
from vle_gen.inpainting.hidden_floor import explained
from vle_gen.inpainting.visibility import Sight
from vle_gen.segmentation.masks import as_boxed, as_masked, box_of
from vle_gen.tokenizer.render import Window

SCENE = Path(__file__).parent / "fixtures" / "everyday" / "000000.png"


@pytest.fixture(scope="module")
def beast() -> tuple[Image.Image, np.ndarray]:
    """A black beast on white paper, as no model was shown, and which pixels it has."""
    mask = Image.new("L", (400, 320))
    draw = ImageDraw.Draw(mask)
    draw.ellipse((60, 90, 300, 190), 255)
    for left in (75, 110, 240, 270):
        draw.polygon([(left, 150), (left + 24, 150), (left + 14, 300), (left + 2, 300)], 255)
    draw.polygon([(250, 110), (320, 20), (350, 30), (385, 75), (370, 90), (330, 75), (300, 150)], 255)
    draw.polygon([(70, 120), (20, 170), (30, 260), (45, 180), (80, 150)], 255)
    marked = np.asarray(mask) > 0
    return Image.fromarray(np.where(marked[..., None], 10, 255).astype(np.uint8).repeat(3, 2)), marked


@pytest.fixture(scope="module")
def scene(everyday_pipe):
    """Tokens of a composed scene."""
    with Image.open(SCENE) as picture:
        return everyday_pipe.encode(picture.convert("RGB"))


def owner_of(tokens, mask: np.ndarray) -> int:
    """The token that has most of a mask."""
    return int(np.bincount(tokens.label_map()[mask]).argmax())


@pytest.mark.parametrize("said", ["mask", "box"])
def test_where_a_marked_thing_is_gone_there_is_paper(everyday_pipe, beast, said):
    picture, mask = beast
    hints = {"masks": [mask]} if said == "mask" else {"boxes": [box_of(mask)]}
    tokens = everyday_pipe.encode(picture, **hints)
    gone = np.asarray(everyday_pipe.decode(remove(tokens, owner_of(tokens, mask))))
    assert gone.min() > 250, "neither a part of the beast nor what the scene token takes it for is left"


def test_tokens_of_parts_of_a_marked_thing_are_left_out(scene):
    labels = scene.label_map()
    sizes = np.bincount(labels.ravel(), minlength=len(scene))
    first, second = np.argsort(-sizes[1:])[:2] + 1
    mask = (labels == first) | (labels == second)
    x, y, width, height = box_of(mask)
    side, where = max(scene.size), scene.where.clone()
    where[0, first] = torch.tensor(
        [(x + width / 2) / side, (y + height / 2 + (side - scene.size[0]) / 2) / side, 2 * width / side, 2 * height / side]
    )
    marked = as_masked(replace(scene, where=where, detail=replace(scene.detail, where=where[0])), [mask])
    assert len(marked) == len(scene) - 1
    now = marked.label_map()
    assert len(np.unique(now[mask])) == 1 and np.array_equal(now == now[mask][0], mask)
    for k in range(1, len(scene)):  # the others are as they were
        if k not in (first, second):
            assert len(np.unique(now[labels == k])) == 1


def test_unsure_tokens_in_a_box_are_parts_of_what_is_in_it(scene):
    labels = scene.label_map()
    k = 1 + int(np.argmax(np.bincount(labels.ravel(), minlength=len(scene))[1:]))
    whole = (0, 0, *scene.size[::-1])
    where = scene.where.clone()
    where[0, k] = torch.tensor([0.5, 0.5, 2.0, 2 * scene.size[0] / scene.size[1]])
    boxed = replace(scene, where=where, detail=replace(scene.detail, where=where[0]))
    sure, unsure = (replace(boxed, score=torch.full_like(boxed.score, score)) for score in (0.9, 0.2))
    assert as_boxed(sure, [whole]) is sure
    alone = as_boxed(unsure, [whole])
    assert len(alone) == 2 and np.array_equal(alone.detail.owner.numpy() > 0, scene.detail.owner.numpy() > 0)


def test_where_many_tokens_are_unsure_they_are_scenery(everyday_pipe, scene):
    assert len(scene) > 3 and (scene.score > 0.5).all(), "the scene is one that the model knows"
    assert scenery(scene, [], []) == frozenset()
    unsure = replace(scene, score=torch.full_like(scene.score, 0.2))
    assert scenery(unsure, [], [1]) == frozenset(range(2, len(scene)))
    one = scene.score.clone()
    one[0, 1] = 0.2
    assert (scenery(replace(scene, score=one), [], []) == {1}) == (len(scene) <= 2)
    edited, before = np.asarray(everyday_pipe.decode(remove(unsure, 1))), np.asarray(everyday_pipe.decode(scene))
    labels = scene.label_map()
    others = labels > 1
    assert (edited != before).any(-1)[labels == 1].mean() > 0.9
    assert np.abs(edited.astype(int) - before)[others].mean() < 1


def test_copies_of_unsure_things_are_as_sharp_as_the_things(everyday_pipe, scene):
    unsure = replace(scene, score=torch.full_like(scene.score, 0.2))
    for edit in (lambda tokens: duplicate(tokens, 2, 30, 20), lambda tokens: swap(tokens, 1, 2)):
        one, other = (np.asarray(everyday_pipe.decode(edit(tokens))).astype(int) for tokens in (unsure, scene))
        assert np.abs(one - other).mean() < 1.5


def test_scene_tokens_are_believed_as_far_as_they_are_right(everyday_pipe, scene, beast):
    height, width = scene.size
    sight = Sight.of(everyday_pipe.tokenizer.network, scene, Window(0, height, 0, width))
    seen = scene.detail.picture.float() / 255
    assert explained(seen, seen, sight.in_view) == 1
    waves = seen + 0.1 * torch.sin(torch.arange(width) / 9)
    assert explained(waves, seen, sight.in_view) < 0.7
    paper = torch.ones(3, 320, 400)
    known = torch.from_numpy(~beast[1]).float()[None]
    assert explained(paper + 0.1 * torch.sin(torch.arange(400) / 9), paper, known) < 0.05


def test_solids_are_known(pipe, tokens):
    """In the world of solids nothing is scenery, and the scene token is right."""
    unsure = replace(tokens, score=torch.full_like(tokens.score, 0.2))
    assert np.array_equal(np.asarray(pipe.decode(remove(unsure, 1))), np.asarray(pipe.decode(remove(tokens, 1))))
