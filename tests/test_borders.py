"""Borders between objects after a move, against composed scenes whose truth is exact."""
from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from editors import move
from vle_gen.data.compose import Composer
from vle_gen.data.sprites import SpriteBank

SIDE = 256


def grown(mask: np.ndarray, radius: int) -> np.ndarray:
    return F.max_pool2d(torch.tensor(mask)[None].float(), 2 * radius + 1, 1, radius)[0].numpy() > 0


def as_pixels(image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(float)


@pytest.fixture(scope="module")
def moves(pipe, sprites):
    """Farther objects that stand behind nearer ones and are moved out: edited, truth, labels before and after, and step.

    The truth is a composed scene of two objects; the source is the same scene with the farther one put behind the other.
    """
    composer, found = Composer(SpriteBank.load(sprites), 2, 2), []
    for seed in range(60):
        scene = composer(1, torch.Generator().manual_seed(seed), SIDE, SIDE)
        labels = scene.labels[0].numpy()
        if not scene.present[0].all() or min((labels == k).sum() for k in (1, 2)) < 300:
            continue
        one, other = (scene.image[0][:, torch.tensor(labels == k)].mean(1) for k in (1, 2))
        near, far = scene.box[0, :2]
        behind = near[:2] + torch.tensor([0.5, -0.4]) * near[2:]
        step = ((behind - far[:2]) * SIDE).round()
        if (one - other).norm() < 0.15 or step.abs().max() < 60:
            continue
        hidden = composer.moved(scene, torch.tensor([1]), step[None] / SIDE)
        before = hidden.labels[0].numpy()
        if (before == 2).sum() < 200 or along_border(before, 2).sum() < 30:
            continue
        tokens = pipe.tokenizer.encode((hidden.image[0].clamp(0, 1) * 255).round().byte())
        owners = np.bincount(tokens.label_map()[before == 2], minlength=2)
        if owners[1:].max() < 0.8 * (before == 2).sum():
            continue  # not found: nothing that is measured here
        back = [-int(v) for v in step]
        edited = as_pixels(pipe.decode(move(tokens, int(owners[1:].argmax()) + 1, *back)))
        truth = (scene.image[0].clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
        found.append((edited, truth, before, labels, back))
        if len(found) == 6:
            break
    assert len(found) >= 3
    return found


def along_border(labels: np.ndarray, of: int) -> np.ndarray:
    """Pixels within 2 of the border between the two objects, on the side of one of them."""
    return grown(labels == 1, 2) & grown(labels == 2, 2) & (labels == of)


def error(moves, region) -> float:
    """Root of the mean squared error in the region of each (edited, truth, before, after, step)."""
    return float(np.sqrt(np.mean([np.square((m[0] - m[1])[region(*m[2:])]).mean() for m in moves])))


def line(before, after, step) -> np.ndarray:
    return np.roll(along_border(before, 2), step[::-1], (0, 1)) & (after == 2)


def rim(before, after, step) -> np.ndarray:
    return along_border(before, 1)


def contour(before, after, step) -> np.ndarray:
    ring = grown(before == 2, 2) & grown(before != 2, 2)
    return ring & ~grown(after > 0, 3) & ~grown(before == 1, 3)


def like_the_occluder(moves) -> float:
    """By how much, of the way to the occluder's colour, the worst twentieth of the pixels of `line` are off on average."""
    worst = []
    for edited, truth, before, after, step in moves:
        there = line(before, after, step)
        way = edited[before == 1].mean(0) - truth[there]
        share = ((edited - truth)[there] * way).sum(-1) / np.square(way).sum(-1)
        worst.append(np.sort(share)[-max(1, len(share) // 20) :].mean())
    return float(np.mean(worst))


def test_no_line_of_the_occluder_stays_in_what_moved_from_behind_it(moves):
    assert like_the_occluder(moves) < 0.19


def test_the_occluder_keeps_no_rim_of_what_stood_behind_it(moves):
    assert error(moves, rim) < 4.7


def test_no_contour_stays_where_an_object_stood(moves):
    assert error(moves, contour) < 5.1
