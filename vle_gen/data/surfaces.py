"""Procedural materials for backgrounds: floors in world coordinates, walls and skies in the picture's, each with its words.

A material is a function of coordinates (arrays of one shape) and a random generator; it gives colours (..., 3), 0..1, and
says what it is in words. Coordinates are in the units of the objects' sizes, so that planks and tiles have a true scale.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Array = np.ndarray
TABLE = 64  # cells of the noise tables before they repeat

PAINTS = {
    "white": (0.93, 0.92, 0.90), "grey": (0.62, 0.63, 0.65), "beige": (0.87, 0.80, 0.69), "pink": (0.94, 0.74, 0.77),
    "red": (0.72, 0.29, 0.27), "orange": (0.93, 0.66, 0.42), "yellow": (0.95, 0.86, 0.56), "green": (0.55, 0.70, 0.53),
    "teal": (0.40, 0.65, 0.66), "blue": (0.50, 0.66, 0.84), "purple": (0.65, 0.56, 0.77), "brown": (0.56, 0.43, 0.34),
    "dark": (0.26, 0.27, 0.30),
}  # fmt: skip


class Material(NamedTuple):
    """What covers a part of the picture: colours (H, W, 3) and words such as "a wooden floor"."""

    colour: Array
    words: str


class Noise:
    """Smooth value noise over the plane, about 0 with a spread of about 1."""

    def __init__(self, random: np.random.Generator, octaves: int = 3):
        self.tables = [random.standard_normal((TABLE, TABLE)) for _ in range(octaves)]

    def __call__(self, x: Array, y: Array, fade: Array | float = 0.0) -> Array:
        """`fade`: how many units a pixel covers; octaves finer than that are left out."""
        total = 0.0
        for k, table in enumerate(self.tables):
            scale = 2.0**k
            seen = 1 / (1 + (2 * scale * np.asarray(fade)) ** 2)
            total = total + _lookup(table, x * scale, y * scale) * seen * 0.6**k
        return total


def _lookup(table: Array, x: Array, y: Array) -> Array:
    column, row = np.floor(x), np.floor(y)
    u, v = x - column, y - row
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    c0, r0 = column.astype(int) % TABLE, row.astype(int) % TABLE
    c1, r1 = (c0 + 1) % TABLE, (r0 + 1) % TABLE
    above = table[r0, c0] * (1 - u) + table[r0, c1] * u
    below = table[r1, c0] * (1 - u) + table[r1, c1] * u
    return above * (1 - v) + below * v


def paint(random: np.random.Generator) -> tuple[str, Array]:
    """A colour's name, and one of its shades."""
    name = list(PAINTS)[random.integers(len(PAINTS))]
    return name, np.clip(np.array(PAINTS[name]) + random.normal(0, 0.025, 3) + random.normal(0, 0.03), 0.05, 0.98)


def article(words: str) -> str:
    """The words with "a" or "an" before them."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def _line(distance: Array, width: float, fade: Array) -> Array:
    """How much (0..1) of a pixel that covers `fade` units a line of `width` at `distance` takes."""
    spread = np.maximum(fade, 1e-6)
    return np.clip((width - np.abs(distance)) / spread + 0.5, 0, 1) * np.minimum(1, 2 * width / spread)


def _cell(x: Array) -> Array:
    """Signed distance to the nearest whole number."""
    return x - np.round(x)


# Floors: x sideways, z away from the camera, fade = units that a pixel covers there


def wood(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    tone, colour = [("light", (0.82, 0.66, 0.47)), ("", (0.66, 0.46, 0.29)), ("dark", (0.42, 0.28, 0.19))][random.integers(3)]
    if random.random() < 0.4:
        x, z = z, x
    width, length, noise = random.uniform(0.5, 1.0), random.uniform(4, 7), Noise(random, 4)
    plank = np.floor(x / width)
    z = z + length * _lookup(random.random((TABLE, TABLE)), plank, 0 * plank)
    board = np.floor(z / length)
    tones = _lookup(random.standard_normal((TABLE, TABLE)), plank, board)
    grain = noise(x * 9 / width + 7 * plank, z * 0.9 + 3 * board, fade * 9 / width)
    value = 1 + 0.07 * tones + 0.05 * grain
    seams = np.maximum(_line(_cell(x / width) * width, 0.012, fade), _line(_cell(z / length) * length, 0.012, fade))
    return Material(np.array(colour) * (value * (1 - 0.45 * seams))[..., None], article(f"{tone} wooden floor".strip()))


def tiles(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    name, colour = paint(random)
    size, noise = random.uniform(0.8, 1.8), Noise(random)
    tones = _lookup(random.standard_normal((TABLE, TABLE)), np.floor(x / size + 0.5), np.floor(z / size + 0.5))
    value = 1 + 0.03 * tones + 0.02 * noise(x * 3, z * 3, fade * 3)
    grout = np.maximum(_line(_cell(x / size + 0.5) * size, 0.025, fade), _line(_cell(z / size + 0.5) * size, 0.025, fade))
    shade = 0.75 if colour.mean() > 0.45 else 1.3
    return Material(colour * (value * (1 + (shade - 1) * grout))[..., None], f"{name} tiles")


def checks(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    name, colour = paint(random)
    size, angle = random.uniform(0.8, 1.6), (0.0, np.pi / 4)[random.integers(2)]
    u, v = x * np.cos(angle) + z * np.sin(angle), z * np.cos(angle) - x * np.sin(angle)
    soft = np.maximum(fade / size, 1e-3)
    wave_u, wave_v = (np.clip(_triangle(w / size) / soft, -1, 1) / np.maximum(1, 2.5 * soft) for w in (u, v))
    other = np.array([0.92, 0.91, 0.88]) if colour.mean() < 0.75 else np.array([0.35, 0.36, 0.40])
    share = 0.5 + 0.5 * wave_u * wave_v
    return Material(colour * share[..., None] + other * (1 - share[..., None]), f"{article(name)} checkered floor")


def _triangle(x: Array) -> Array:
    """A triangle wave of period 2, -0.5..0.5, whose sign tells even cells from odd."""
    return np.abs((x % 2) - 1) - 0.5


def carpet(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    name, colour = paint(random)
    value = 1 + 0.05 * Noise(random)(x * 14, z * 14, fade * 14) + 0.03 * Noise(random)(x * 0.8, z * 0.8, fade)
    return Material(colour * 0.9 * value[..., None], article(f"{name} carpet"))


def concrete(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    value = 1 + 0.05 * Noise(random, 4)(x * 0.7, z * 0.7, fade) + 0.025 * Noise(random)(x * 9, z * 9, fade * 9)
    return Material(np.array([0.60, 0.60, 0.59]) * (random.uniform(0.8, 1.2) * value)[..., None], "a concrete floor")


def plain(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    name, colour = paint(random)
    return Material(colour * np.ones_like(x)[..., None], article(f"{name} floor"))


def cloth(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    name, colour = paint(random)
    size = random.uniform(0.4, 0.8)
    soft = np.maximum(fade / size, 1e-3)
    bands = sum(0.5 + 0.5 * np.clip(_triangle(w / size) / soft, -1, 1) / np.maximum(1, 2.5 * soft) for w in (x, z)) / 2
    return Material(0.95 + (colour * 0.85 - 0.95) * bands[..., None], article(f"checked {name} tablecloth"))


def lawn(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    blades, patches = Noise(random)(x * 16, z * 7, fade * 10), Noise(random)(x * 0.6, z * 0.6, fade)
    value = 1 + 0.10 * blades + 0.07 * patches
    if random.random() < 0.4:  # mown in stripes
        value = value + 0.05 * np.clip(_triangle(x / random.uniform(0.8, 1.6)) / np.maximum(fade, 0.02), -1, 1)
    colour = np.array([0.36, 0.58, 0.22]) + random.normal(0, 0.03, 3) + patches[..., None] * np.array([0.025, 0.01, 0])
    return Material(colour * value[..., None], "a lawn")


def sand(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    ripples = Noise(random)(x * 0.9, z * 2.2, fade)
    value = 1 + 0.04 * ripples + 0.04 * Noise(random, 2)(x * 22, z * 22, fade * 22)
    return Material(np.array([0.88, 0.77, 0.57]) * value[..., None], "sand")


def snow(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    value = 1 + 0.025 * Noise(random)(x * 0.8, z * 1.2, fade)
    return Material(np.array([0.91, 0.94, 0.98]) * value[..., None], "snow")


def paving(x: Array, z: Array, fade: Array, random: np.random.Generator) -> Material:
    size = random.uniform(0.7, 1.2)
    x = x + size / 2 * (np.floor(z / size + 0.5) % 2)
    tones = _lookup(random.standard_normal((TABLE, TABLE)), np.floor(x / size + 0.5), np.floor(z / size + 0.5))
    value = 1 + 0.06 * tones + 0.03 * Noise(random)(x * 8, z * 8, fade * 8)
    gaps = np.maximum(_line(_cell(x / size + 0.5) * size, 0.03, fade), _line(_cell(z / size + 0.5) * size, 0.03, fade))
    return Material(np.array([0.66, 0.64, 0.61]) * (value * (1 - 0.35 * gaps))[..., None], "paving stones")


# Walls and skies: x sideways, y down, in canvas units


def painted(x: Array, y: Array, random: np.random.Generator) -> Material:
    name, colour = paint(random)
    return Material(colour * (1 + 0.008 * Noise(random)(x * 40, y * 40))[..., None], article(f"{name} wall"))


def striped(x: Array, y: Array, random: np.random.Generator) -> Material:
    name, colour = paint(random)
    bands = 0.5 + 0.5 * np.clip(_triangle(x * random.uniform(10, 22)) * 8, -1, 1)
    lighter = np.clip(colour + random.choice([-0.08, 0.09]), 0, 1)
    return Material(colour + (lighter - colour) * bands[..., None], article(f"striped {name} wall"))


def dotted(x: Array, y: Array, random: np.random.Generator) -> Material:
    name, colour = paint(random)
    scale = random.uniform(9, 16)
    u, v = x * scale, y * scale
    u = u + 0.5 * (np.round(v) % 2)
    dots = np.clip((0.22 - np.hypot(_cell(u), _cell(v))) * 20 + 0.5, 0, 1)
    lighter = np.clip(colour + 0.13 * (1 if colour.mean() < 0.8 else -1), 0, 1)
    return Material(colour + (lighter - colour) * dots[..., None], article(f"{name} wall with dots"))


def bricks(x: Array, y: Array, random: np.random.Generator) -> Material:
    name, colour = [("brick wall", (0.66, 0.36, 0.28)), ("white brick wall", (0.88, 0.87, 0.85)),
                    ("grey brick wall", (0.55, 0.54, 0.54))][random.integers(3)]  # fmt: skip
    scale = random.uniform(11, 18)
    u, v = x * scale / 2.4, y * scale
    u = u + 0.5 * (np.floor(v + 0.5) % 2)
    tones = _lookup(random.standard_normal((TABLE, TABLE)), np.floor(u + 0.5), np.floor(v + 0.5))
    value = 1 + 0.07 * tones + 0.04 * Noise(random)(u * 7, v * 4)
    soft = np.full_like(x, scale / 512)
    joints = np.maximum(_line(_cell(u + 0.5) * 2.4, 0.06, soft), _line(_cell(v + 0.5), 0.06, soft))[..., None]
    wall = np.array(colour) * value[..., None]
    return Material(wall + (np.array([0.78, 0.76, 0.73]) * 0.95 - wall) * joints, article(name))


def panels(x: Array, y: Array, random: np.random.Generator) -> Material:
    colour = np.array([(0.72, 0.55, 0.38), (0.50, 0.35, 0.24), (0.84, 0.80, 0.74)][random.integers(3)])
    scale = random.uniform(7, 13)
    tones = _lookup(random.standard_normal((TABLE, TABLE)), np.floor(x * scale), 0 * x)
    value = 1 + 0.05 * tones + 0.03 * Noise(random, 4)(x * scale * 8, y * 6)
    seams = _line(_cell(x * scale), 0.03, np.full_like(x, scale / 512))
    return Material(colour * (value * (1 - 0.4 * seams))[..., None], "a wooden wall")


def clear_sky(x: Array, y: Array, random: np.random.Generator) -> Material:
    high, low = np.array([0.30, 0.56, 0.88]) + random.normal(0, 0.03, 3), np.array([0.74, 0.87, 0.97])
    return Material(_between(high, low, y), "a blue sky")


def cloudy_sky(x: Array, y: Array, random: np.random.Generator) -> Material:
    sky = clear_sky(x, y, random).colour
    puffs = Noise(random, 4)(x * 2.6 + 9, y * 5.2) - random.uniform(0.0, 0.5)
    cover = np.clip(puffs * 0.7, 0, 1)[..., None]
    white = 0.97 - 0.10 * np.clip(puffs - 0.8, 0, 1)[..., None]
    return Material(sky + (white - sky) * cover, "a blue sky with clouds")


def grey_sky(x: Array, y: Array, random: np.random.Generator) -> Material:
    value = 0.03 * Noise(random, 4)(x * 3, y * 6)
    return Material(_between(np.array([0.62, 0.66, 0.71]), np.array([0.82, 0.84, 0.86]), y) + value[..., None], "a grey sky")


def sunset(x: Array, y: Array, random: np.random.Generator) -> Material:
    high, low = np.array([0.42, 0.40, 0.66]), np.array([0.98, 0.70, 0.45])
    streaks = 0.05 * Noise(random, 4)(x * 2, y * 14)
    return Material(_between(high, low, y) + streaks[..., None] * np.array([1.0, 0.7, 0.5]), "a sunset sky")


def night(x: Array, y: Array, random: np.random.Generator) -> Material:
    sky = _between(np.array([0.05, 0.07, 0.20]), np.array([0.17, 0.22, 0.42]), y)
    for _ in range(60):
        star, size = random.random(2), random.uniform(0.0012, 0.0028)
        sky = sky + (0.9 * np.exp(-((x - star[0]) ** 2 + (y - star[1] * 0.9) ** 2) / size**2))[..., None]
    return Material(sky, "a night sky")


def _between(high: Array, low: Array, y: Array) -> Array:
    """From `high` at the top of the picture to `low` at y = 0.7."""
    share = np.clip(y / 0.7, 0, 1)[..., None] ** 0.8
    return high + (low - high) * share


FloorMaterial = Callable[[Array, Array, Array, np.random.Generator], Material]
WallMaterial = Callable[[Array, Array, np.random.Generator], Material]
INDOORS: tuple[FloorMaterial, ...] = (wood, wood, tiles, checks, carpet, concrete, plain)
OUTDOORS: tuple[FloorMaterial, ...] = (lawn, lawn, lawn, sand, snow, paving)
TABLES: tuple[FloorMaterial, ...] = (wood, cloth, plain, tiles, lawn, concrete)
WALLS: tuple[WallMaterial, ...] = (painted, painted, painted, striped, dotted, bricks, panels)
SKIES: tuple[WallMaterial, ...] = (clear_sky, cloudy_sky, cloudy_sky, grey_sky, sunset, night)
