"""Holes in pictures of unknown worlds: filled with pieces of what is seen around them."""
from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from editors import move
from vle_gen.inpainting.exemplars import filled_in
from vle_gen.light_pipeline import load
from vle_gen.segmentation.masks import only
from vle_gen.studio.layers import LayerStore

HEIGHT, WIDTH = 180, 240
HORIZON = 90


def coast(seed: int = 0) -> torch.Tensor:
    """A blue sky that gets paler downwards, over coarse sand: (3, 180, 240)."""
    generator = torch.Generator().manual_seed(seed)
    sky = torch.tensor([0.3, 0.5, 0.8])[:, None, None] + torch.linspace(0, 0.15, HORIZON)[:, None]
    grains = torch.rand(1, HEIGHT - HORIZON, WIDTH // 2, generator=generator).repeat_interleave(2, 2)
    sand = torch.tensor([0.6, 0.45, 0.25])[:, None, None] + 0.3 * (grains - 0.5)
    return torch.cat([sky.expand(3, HORIZON, WIDTH), sand], 1)


@pytest.fixture(scope="module")
def hole() -> torch.Tensor:
    """A square across the horizon."""
    hole = torch.zeros(1, HEIGHT, WIDTH)
    hole[:, 60:130, 90:150] = 1
    return hole


def test_a_hole_is_filled_with_what_is_beside_it(hole):
    picture = coast()
    given = torch.where(hole > 0, torch.tensor(1.0), picture)
    result = filled_in(given, hole, 1 - hole)
    assert torch.equal(result[:, hole[0] == 0], picture[:, hole[0] == 0])
    sky, sand = result[:, 64:84, 94:146], result[:, 100:126, 94:146]
    assert (sky - picture[:, 64:84, 94:146]).abs().mean() < 0.03
    assert (sky.diff(dim=1).abs().amax() < 0.05) and (sky.diff(dim=2).abs().amax() < 0.05), "no seams in the sky"
    assert (sand.mean((1, 2)) - picture[:, HORIZON:].mean((1, 2))).abs().max() < 0.05
    assert sand[0].std() > 0.6 * picture[0, HORIZON:].std(), "sand is as coarse as it is beside the hole, and no smear"
    assert torch.equal(result, filled_in(torch.where(hole > 0, 0.0, picture), hole, 1 - hole)), "what was in it does not matter"


def test_only_what_is_usable_is_taken(hole):
    picture = coast()
    spot = torch.zeros_like(hole)
    spot[:, 100:130, 160:200] = 1  # something red stands beside the hole
    picture = torch.where(spot > 0, torch.tensor([1.0, 0.0, 0.0])[:, None, None], picture)
    result = filled_in(picture, hole, (1 - hole) * (1 - spot))
    inside = result[:, hole[0] > 0]
    assert (inside[0] - inside[1]).max() < 0.5


def test_where_too_little_is_seen_nothing_is_said(hole):
    assert filled_in(coast(), hole, torch.zeros_like(hole)) is None
    picture = coast()
    assert filled_in(picture, torch.zeros_like(hole), torch.ones_like(hole)) is picture


@pytest.fixture(scope="module")
def pipe():
    """The shipped checkpoint that knows everyday things."""
    return load("everyday")


@pytest.fixture(scope="module")
def strange(pipe):
    """A white thing on stones of many colours, which no model was shown: the colours, the thing's tokens, which of them it is,
    and pixels well inside it."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    thing = (np.abs(rows - 100) < 26 + 8 * np.sin(columns / 3)) & (np.abs(columns - 70) < 22)
    stones = generator.uniform(40, 215, (HEIGHT // 6, WIDTH // 6, 3)).repeat(6, 0).repeat(6, 1)
    picture = np.where(thing[..., None], (250, 250, 250), stones).round().astype(np.uint8)
    tokens = pipe.encode(Image.fromarray(picture), masks=[thing])
    index = int(np.bincount(tokens.label_map()[thing]).argmax())
    return stones, tokens, index, thing & (np.abs(rows - 100) < 20) & (np.abs(columns - 70) < 18)


def test_edits_of_strange_pictures_leave_no_smear(pipe, strange):
    """And the same is seen wherever the thing goes: else animations would flicker."""
    stones, tokens, index, inner = strange
    near, far = (np.asarray(pipe.decode(move(tokens, index, dx=dx))).astype(int) for dx in (80, 120))
    assert near[inner].std() > 0.7 * stones.std()
    assert np.abs(near[inner].mean(0) - stones.mean((0, 1))).max() < 25
    assert (near != far).any(-1)[inner].mean() < 0.02


def test_what_is_bared_by_a_drag_is_what_the_edit_leaves(pipe, strange):
    _, tokens, index, inner = strange
    tokens = only(tokens, [0, index])
    layers = LayerStore(pipe.tokenizer.network)
    floor = np.asarray(Image.open(io.BytesIO(layers.file(layers.scenery(tokens).floor.key)))).astype(int)
    moved = np.asarray(pipe.decode(move(tokens, 1, dx=110))).astype(int)
    assert np.abs(floor - moved)[inner].mean() < 2
