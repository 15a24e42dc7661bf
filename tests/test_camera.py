"""How moved objects look from where the camera is, against the geometry of a camera, a floor and a lamp."""
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import vle_gen
from editors import move
from vle_gen.compositing.body import Body
from vle_gen.compositing.camera import Camera, moved_aside
from vle_gen.tokenizer.render import Window
from vle_gen.tokenizer.sizes import FRAME_SCALE

SIZE, FOCAL, PITCH = (320, 480), 1.09, 0.55
HEIGHT = 1.0  # of the camera
LAMP = 1.3  # how far aside the lamp is
CAMERA = Camera(SIZE, FOCAL, LAMP, 0.5 - FOCAL * math.tan(PITCH))


def seen(points: np.ndarray) -> np.ndarray:
    """Pixels (N, 2) of points (N, 3): x to the right, z away, y up from the floor, below the camera."""
    x, y, z = points.T
    along = z * math.cos(PITCH) + (HEIGHT - y) * math.sin(PITCH)
    below = (HEIGHT - y) * math.cos(PITCH) - z * math.sin(PITCH)
    side = max(SIZE)
    return np.stack([x / along * FOCAL * side + SIZE[1] / 2, below / along * FOCAL * side + SIZE[0] / 2], 1)


def ball(x: float, z: float, radius: float) -> np.ndarray:
    """Points of a ball that stands on the floor."""
    normal = np.random.default_rng(0).normal(size=(20_000, 3))
    return np.array([x, radius, z]) + radius * normal / np.linalg.norm(normal, axis=1, keepdims=True)


def body_of(points: np.ndarray, dark: tuple[float, float] | None = None) -> tuple[Body, torch.Tensor]:
    """The layers of what covers the pixels `seen` of points, with a dark spot of the floor at a pixel, and its frame."""
    pixels = seen(points)
    low, high = pixels.min(0), pixels.max(0)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    middle, half = (low + high) / 2, (high - low) / 2
    matte = (((x - middle[0]) / half[0]) ** 2 + ((y - middle[1]) / half[1]) ** 2 < 1).astype(np.float32)
    light = np.ones((3, *SIZE), np.float32)
    if dark is not None:
        light -= 0.4 * np.exp(-((x - dark[0]) ** 2 + (y - dark[1]) ** 2) / 50).astype(np.float32)
    planes = torch.from_numpy(matte)[None]
    window, colour = Window(0, SIZE[0], 0, SIZE[1]), planes.expand(3, -1, -1)
    body = Body(window, torch.zeros(3, *SIZE), torch.from_numpy(light), colour, planes)
    side = max(SIZE)
    centre = (middle - np.array(SIZE[::-1]) / 2) / side + 0.5
    return body, torch.tensor([*centre, *(FRAME_SCALE * 2 * half / side)], dtype=torch.float32)


def extent(body: Body) -> tuple[float, float]:
    """Width and height of a body's matte at its middle, in pixels."""
    return float(body.matte[0].sum(1).max()), float(body.matte[0].sum(0).max())


@pytest.mark.parametrize("start, end", [(0.0, 0.45), (0.45, 0.0), (-0.45, 0.1)])
def test_a_ball_looks_as_the_camera_sees_it_at_its_new_place(start, end):
    before, after = ball(start, 1.1, 0.13), ball(end, 1.1, 0.13)
    body, where = body_of(before)
    dx = float((seen(after).mean(0) - seen(before).mean(0))[0])
    wanted = np.ptp(seen(after), axis=0)
    was, now = extent(body), extent(moved_aside(body, where, dx, CAMERA))
    assert abs(now[0] - wanted[0]) < 0.6 < abs(was[0] - wanted[0]), "as wide as it is seen there"
    assert abs(now[1] - wanted[1]) < 1.5


def test_the_end_of_a_shadow_goes_further_than_its_object():
    step, radius, z, tip = 0.3, 0.1, 1.1, 0.5
    shadow = lambda x, long: seen(np.array([[x - long, 0.0, z]]))[0]
    body, where = body_of(ball(0.0, z, radius), dark=tuple(shadow(0.0, tip)))
    dx = float((seen(ball(step, z, radius)).mean(0) - seen(ball(0.0, z, radius)).mean(0))[0])
    moved = moved_aside(body, where, dx, CAMERA)
    darkness = (1 - moved.light[0]).numpy()
    column = float((darkness.sum(0) * np.arange(darkness.shape[1])).sum() / darkness.sum()) + 0.5 + moved.window.left + dx
    # The lamp is to the right at LAMP, so a shadow that was `tip` long is tip * (LAMP - step) / LAMP long nearer to it.
    wanted, rigid = shadow(step, tip * (LAMP - step) / LAMP)[0], shadow(0.0, tip)[0] + dx
    assert abs(column - wanted) < 0.35 * abs(rigid - wanted), (column, wanted, rigid)


def test_in_the_sun_shadows_go_as_far_as_their_objects(pipe, tokens):
    sizes = replace(pipe.tokenizer.network.sizes, lamps=0.0)
    sun = Camera.of(tokens, sizes)
    assert sun.lamps == math.inf and Camera.of(tokens, replace(sizes, lamps=LAMP)).lamps == LAMP
    step, z, tip = 0.3, 1.1, 0.5
    shadow = lambda x: tuple(seen(np.array([[x - tip, 0.0, z]]))[0])
    body, where = body_of(ball(0.0, z, 0.1), dark=shadow(0.0))
    dx = float((seen(ball(step, z, 0.1)).mean(0) - seen(ball(0.0, z, 0.1)).mean(0))[0])
    moved = moved_aside(body, where, dx, replace(CAMERA, lamps=math.inf))
    darkness = (1 - moved.light[0]).numpy()
    column = float((darkness.sum(0) * np.arange(darkness.shape[1])).sum() / darkness.sum()) + 0.5 + moved.window.left + dx
    assert abs(column - shadow(step)[0]) < 4


def test_small_steps_keep_every_pixel():
    body, where = body_of(ball(0.1, 1.2, 0.1))
    moved = moved_aside(body, where, 2.0, CAMERA)
    across = -moved.window.left
    assert torch.equal(moved.matte[..., across : across + SIZE[1]], body.matte)


def test_checkpoints_that_know_no_camera_move_objects_as_they_are(picture):
    pipe = vle_gen.load("everyday")
    tokens = pipe.encode(picture)
    assert Camera.of(tokens, pipe.tokenizer.network.sizes) is None
    labels = tokens.label_map()
    index = int(np.bincount(labels[labels > 0]).argmax())
    back = move(move(tokens, index, 40, 0), index, -40, 0)
    assert np.array_equal(np.asarray(pipe.decode(back)), np.asarray(picture))
