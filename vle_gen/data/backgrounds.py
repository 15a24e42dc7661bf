"""Backgrounds made procedurally: rooms, the open air, table tops, studio sweeps, bare walls and skies, and those of
`photographic`, with their words."""
from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from vle_gen.data import photographic, surfaces
from vle_gen.data.floor import FOCAL, Floor
from vle_gen.data.pack import PackBackground
from vle_gen.data.photographic import Drawn, over
from vle_gen.data.surfaces import Array, Noise, article, paint

SIDE = 256  # pixels of a background
FINE = 2  # drawn this much larger, then averaged
FARTHEST = 17.0  # distance at which the last foot may stand


def backgrounds(count: int, seed: int = 0, side: int = SIDE, photographs: bool = True) -> Iterator[PackBackground]:
    """`count` backgrounds, the kinds in turn; each depends on the seed and its own number alone. `photographs`: those with the
    textures of photographs are among them."""
    kinds = KINDS if photographs else PAINTED
    for k in range(count):
        random = np.random.default_rng([seed, k])
        place = np.arange(FINE * side) + 0.5
        x, y = np.meshgrid(place / (FINE * side), place / (FINE * side))  # canvas units
        colour, words, floor, shaded = kinds[k % len(kinds)](x, y, random)
        colour = (colour * _light(x, y, random)[..., None]).reshape(side, FINE, side, FINE, 3).mean((1, 3))
        grain = random.normal(0, 0.004, (side, side, 1))
        pixels = (np.clip(colour + grain, 0, 1) * 255).round().astype(np.uint8)
        yield PackBackground(f"backgrounds/{k:04d}.webp", words, pixels, floor, shaded)


def room(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """A floor and the wall behind it."""
    floor, line = _standing(random, 0.18, 0.40, random.uniform(0.10, 0.19))
    below, wall = _choice(surfaces.INDOORS, random), _choice(surfaces.WALLS, random)(x, y, random)
    ground = _laid(below, floor, x, y, line, random)
    colour = over(wall.colour, ground.colour, y - line)
    if random.random() < 0.6:  # a skirting board
        board = np.clip((y - line + random.uniform(0.014, 0.03)) * SIDE * FINE, 0, 1) * (y < line)
        colour = colour + (np.array([0.93, 0.92, 0.90]) * random.choice([1, 0.5]) - colour) * board[..., None]
    occluded = 1 - 0.22 * np.exp(-np.abs(y - line) / 0.025)  # less light reaches where floor and wall meet
    return Drawn(colour * occluded[..., None], (ground.words, wall.words), floor)


def outdoors(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """The open ground under a sky, some with hills far away."""
    floor, line = _standing(random, 0.26, 0.46, 0.004)
    ground = _laid(_choice(surfaces.OUTDOORS, random), floor, x, y, line, random)
    sky = _choice(surfaces.SKIES, random)(x, y / (line + 0.25), random)
    dark = 0.45 if sky.words == "a night sky" else 1.0
    haze = np.exp(-(y - line).clip(0) / 0.05)[..., None] * 0.35
    far = sky.colour[max(int(line * len(y)) - 2, 0), :][None]
    colour = ground.colour * dark * (1 - haze) + far * haze
    back, words = sky.colour, (ground.words, sky.words)
    if random.random() < 0.5:
        hill = line - 0.035 - 0.03 * Noise(random, 4)(x * 3, 0 * x)
        tone = back * 0.45 + np.array([0.20, 0.33, 0.24]) * dark * 0.55
        back, words = over(back, tone, y - hill), (*words, "hills")
    return Drawn(over(back, colour, y - line), words, floor, shaded=False)


def table(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """A surface that fills the picture, seen from higher up."""
    floor = Floor(random.uniform(-0.7, -0.35), random.uniform(5.0, 6.2), top=0.24)
    ground = _laid(_choice(surfaces.TABLES, random), floor, x, y, -1.0, random)
    return Drawn(ground.colour, (ground.words.replace("wooden floor", "wooden table"),), floor)


def sweep(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """A studio's paper sweep: floor and wall run into one another."""
    floor, _ = _standing(random, 0.20, 0.36, 0.12)
    name, colour = paint(random)
    share = 1 / (1 + np.exp(-(y - random.uniform(0.35, 0.6)) / random.uniform(0.04, 0.12)))
    value = 1 + random.uniform(-0.10, 0.10) * share - 0.25 * ((x - 0.5) ** 2 + (y - 0.55) ** 2)
    return Drawn(colour * value[..., None], (article(f"plain {name} backdrop"),), floor)


def bare_wall(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """A wall alone, to hang things before."""
    wall = _choice(surfaces.WALLS, random)(x, y, random)
    return Drawn(wall.colour, (wall.words,))


def open_sky(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """Nothing but sky."""
    sky = _choice(surfaces.SKIES, random)(x, y * 0.7, random)
    return Drawn(sky.colour, (sky.words,), shaded=False)


PAINTED: tuple[Callable[[Array, Array, np.random.Generator], Drawn], ...] = (
    room, outdoors, sweep, table, room, outdoors, sweep, bare_wall, room, outdoors, table, open_sky,
)  # fmt: skip
KINDS = (*PAINTED, *photographic.KINDS)


def _standing(random: np.random.Generator, lowest: float, highest: float, gap: float) -> tuple[Floor, float]:
    """A floor seen from the height of a person's eyes, and the y at which it ends, `gap` below its horizon."""
    horizon, height = random.uniform(lowest, highest), random.uniform(2.4, 3.3)
    line = horizon + gap
    return Floor(horizon, height, top=max(line + 0.02, horizon + FOCAL * height / FARTHEST)), line


def _laid(material, floor: Floor, x: Array, y: Array, line: float, random: np.random.Generator) -> surfaces.Material:
    """A material laid on the floor, turned as the camera happens to stand."""
    down = np.maximum(y, line) - floor.horizon  # (H, W), what is above the line is covered later
    z = floor.focal * floor.height / down
    side = (x - 0.5) * floor.height / down
    fade = z / down * 0.7 / len(x)  # a pixel covers more along the view than across it; between the two
    return material(side + random.uniform(20, 60), z + random.uniform(0, 9), fade, random)


def _light(x: Array, y: Array, random: np.random.Generator) -> Array:
    """A pool of light and a falloff, about 1."""
    cx, cy = random.uniform(0, 1), random.uniform(0, 0.8)
    pool = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / random.uniform(0.2, 0.7))
    return 1 + random.uniform(0.02, 0.16) * (pool - 0.5) + random.uniform(-0.06, 0.06) * (x - 0.5)


def _choice(options, random: np.random.Generator):
    return options[random.integers(len(options))]
