"""Shadows of moved objects, against composed scenes whose truth is exact."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from editors import move, remove
from vle_gen.data.compose import Composer
from vle_gen.data.sprites import SpriteBank
from vle_gen.imaging.filters import grown
from vle_gen.tokenizer.render import Window, draw_beyond

SIDE = 256


def as_pixels(image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(float)


def in_levels(scene) -> torch.Tensor:
    return (scene.image[0].clamp(0, 1) * 255).round().byte()


@pytest.fixture(scope="module")
def shadows(pipe, sprites):
    """Of each object moved over free floor: source, edited, the same removed, truth, and the floor that it left (H, W)."""
    composer, found = Composer(SpriteBank.load(sprites), 2, 2), []
    for seed in range(60):
        scene = composer(1, torch.Generator().manual_seed(seed), SIDE, SIDE)
        labels = scene.labels[0].numpy()
        step = torch.tensor([60.0 if scene.box[0, 0, 0] < 0.5 else -60.0, 10.0])
        after = composer.moved(scene, torch.tensor([0]), step[None] / SIDE)
        if not scene.present[0].all() or (labels == 1).sum() < 300 or (after.labels[0] == 1).sum() < 300:
            continue
        tokens = pipe.tokenizer.encode(in_levels(scene))
        owners = np.bincount(tokens.label_map()[labels == 1], minlength=2)
        if owners[1:].max() < 0.8 * (labels == 1).sum():
            continue  # not found: nothing that is measured here
        index = int(owners[1:].argmax()) + 1
        source, truth = (in_levels(one).permute(1, 2, 0).numpy().astype(float) for one in (scene, after))
        floor = (labels == 0) & (after.labels[0].numpy() == 0)
        lighter = floor & ((truth - source).mean(-1) > 2)
        edited = as_pixels(pipe.decode(move(tokens, index, *map(float, step))))
        found.append((source, edited, as_pixels(pipe.decode(remove(tokens, index))), truth, lighter))
        if len(found) == 8:
            break
    assert len(found) == 8
    return found


def left(source, edited, truth, where) -> float:
    """How much of a shadow stays, as a share of its root mean square."""
    return float(np.sqrt(np.square((edited - truth)[where]).mean() / np.square((source - truth)[where]).mean()))


def test_a_moved_object_takes_its_shadow_along(shadows):
    assert np.mean([left(source, edited, truth, where) for source, edited, _, truth, where in shadows]) < 0.2


def test_faint_shadows_go_too(shadows):
    shares = []
    for source, edited, _, truth, lighter in shadows:
        faint = lighter & ((truth - source).mean(-1) < 9)
        shares.append(left(source, edited, truth, faint))
    assert np.mean(shares) < 0.82


def test_shadows_leave_no_line_along_their_edges(shadows):
    """Beside its neighbours, hardly a pixel of the floor that a removed object left is darker or brighter than in truth."""
    lines = []
    for _, _, without, truth, lighter in shadows:
        off = (without - truth).mean(-1)
        bend = np.abs(off[1:-1, 1:-1] * 2 - off[1:-1, :-2] - off[1:-1, 2:])
        lines.append(np.quantile(bend[lighter[1:-1, 1:-1]], 0.98))
    assert np.mean(lines) < 3.9


@pytest.mark.parametrize("seed", [2, 6])  # four objects each, whose shadows lie among others
def test_nothing_far_from_the_change_is_touched(pipe, sprites, seed):
    composer = Composer(SpriteBank.load(sprites), 4, 4)
    scene = composer(1, torch.Generator().manual_seed(seed), SIDE, SIDE)
    step = torch.tensor([30.0 if scene.box[0, 1, 0] < 0.5 else -30.0, 0.0])
    after = composer.moved(scene, torch.tensor([1]), step[None] / SIDE)
    tokens = pipe.tokenizer.encode(in_levels(scene))
    index = int(np.bincount(tokens.label_map()[scene.labels[0].numpy() == 2]).argmax())
    edited = as_pixels(pipe.decode(move(tokens, index, *map(float, step))))
    source, truth = (in_levels(one).permute(1, 2, 0).numpy().astype(float) for one in (scene, after))
    changed = torch.from_numpy(np.abs(truth - source).max(-1) > 3).float()[None]
    far = grown(changed, 8)[0].numpy() == 0
    assert index and not ((edited != source).any(-1) & far).any()


def test_a_shadow_goes_on_beyond_its_frame_and_fades():
    """Of a frame 40 pixels wide and high, in the middle of 100 x 100, which a shadow of 0.3 fills to its edges."""
    where, layer = torch.tensor([0.5, 0.5, 0.4, 0.4]), torch.full((1, 16, 16), 0.3)
    row = draw_beyond(layer, where, 100, 100, Window(0, 100, 0, 100), 0.97, 1.25)[0, 50]
    assert not row[32:68].any()  # inside the frame the layer itself says
    assert row[29] > 0.2
    assert (row[25:30].diff() > 0).all()
    assert not row[:25].any()
