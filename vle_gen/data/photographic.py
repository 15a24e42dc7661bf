"""Backgrounds with the textures of photographs: 1/f landscapes, foliage, lights out of focus, blurred clutter, soft gradients.

Photographs differ from painted walls in their statistics: detail at every scale (spectra of about 1/f), things that hide one
another at every size (dead leaves), and blur beside sharpness. Each kind is a function of canvas coordinates x, y (H, W) and a
random generator, as in `backgrounds`.
"""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vle_gen.data.floor import FOCAL, Floor
from vle_gen.data.surfaces import PAINTS, Array, Noise, paint

LEAST_LEAF, LARGEST_LEAF = 0.008, 0.12  # of a leaf's half length, in canvas units
GREENS = ((0.16, 0.27, 0.10), (0.30, 0.43, 0.16), (0.44, 0.55, 0.22), (0.10, 0.16, 0.08), (0.55, 0.60, 0.30))
AUTUMN = ((0.45, 0.22, 0.10), (0.66, 0.38, 0.14), (0.74, 0.55, 0.22), (0.30, 0.17, 0.10), (0.42, 0.40, 0.18))
LIGHTS = ((1.0, 0.82, 0.50), (1.0, 0.62, 0.35), (0.95, 0.95, 0.90), (0.55, 0.75, 1.0), (0.60, 0.95, 0.70), (1.0, 0.50, 0.55))


class Drawn(NamedTuple):
    """A background: colours (H, W, 3), 0..1, words, its floor, and whether what hangs before it casts a shadow on it."""

    colour: Array
    words: tuple[str, ...]
    floor: Floor | None = None
    shaded: bool = True


def spectral(random: np.random.Generator, shape: tuple[int, int], slope: float = 1.0, stretch: float = 1.0) -> Array:
    """Noise (H, W) of mean 0 and spread 1 whose amplitudes fall as 1 / frequency ** `slope`; its features are `stretch`
    times as wide as high."""
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    frequency = np.hypot(fy, stretch * fx)
    frequency[0, 0] = np.inf  # no mean
    spectrum = np.fft.rfft2(random.standard_normal(shape)) / frequency**slope
    noise = np.fft.irfft2(spectrum, shape)
    return noise / noise.std()


def leaves(random: np.random.Generator, canvas: Array, count: int, colours: Array, slim: tuple[float, float]) -> None:
    """Lays `count` shaded ellipses over `canvas` (H, W, 3), in place: many small, few large (dead leaves), far ones darker.

    Args:
        colours: (N, 3) that they are drawn from.
        slim: least and most of their width, as a share of their length.
    """
    side = len(canvas)
    for k in range(count):
        length = LEAST_LEAF * LARGEST_LEAF / (LEAST_LEAF + (LARGEST_LEAF - LEAST_LEAF) * random.random()) * side
        width, angle = length * random.uniform(*slim), random.uniform(0, np.pi)
        cx, cy = random.uniform(0, side, 2)
        colour = colours[random.integers(len(colours))] * random.uniform(0.75, 1.25)
        lean = random.uniform(-0.5, 0.5, 2)  # how its light changes along it and across
        left, right = (int(np.clip(cx + s * length, 0, side)) for s in (-1, 1))
        top, bottom = (int(np.clip(cy + s * length, 0, side)) for s in (-1, 1))
        if right - left < 1 or bottom - top < 1:
            continue
        v, u = np.mgrid[top:bottom, left:right] + 0.5
        u, v = u - cx, v - cy
        along = (u * np.cos(angle) + v * np.sin(angle)) / length
        across = (v * np.cos(angle) - u * np.sin(angle)) / width
        cover = np.clip((1 - np.hypot(along, across)) * width / 1.5, 0, 1)[..., None]
        light = (0.35 + 0.65 * k / count) * (1 + lean[0] * along + lean[1] * across)
        part = canvas[top:bottom, left:right]
        part += cover * (colour * light[..., None] - part)


def blurred(colour: Array, radius: float) -> Array:
    """A picture (H, W, C) out of focus: blurred by a Gaussian of `radius` in canvas units."""
    pixels = radius * len(colour)
    margin = int(np.ceil(3 * pixels))
    padded = np.pad(colour, ((margin, margin), (margin, margin), (0, 0)), "edge")
    kernels = (np.exp(-2 * (np.pi * pixels * np.fft.fftfreq(size)) ** 2) for size in padded.shape[:2])
    for axis, kernel in enumerate(kernels):
        kernel = np.expand_dims(kernel, [other for other in range(3) if other != axis])
        padded = np.fft.ifft(np.fft.fft(padded, axis=axis) * kernel, axis=axis).real
    return padded[margin : margin + len(colour), margin : margin + colour.shape[1]]


# Kinds


def landscape(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """Rough ground under ridges that fade into the haze of a sky with 1/f clouds."""
    floor = _seen(random, 0.26, 0.44)
    line, warm = floor.horizon + 0.004, random.random()
    haze = np.array([0.78, 0.83, 0.88]) * (1 - warm) + np.array([0.95, 0.82, 0.68]) * warm
    high = np.array([0.36, 0.55, 0.80]) * (1 - 0.6 * warm) + np.array([0.55, 0.50, 0.60]) * 0.6 * warm
    share = np.clip(y / line, 0, 1)[..., None]
    clouds = np.clip(spectral(random, x.shape, 1.3, 2.5) * 0.3 + random.uniform(-0.2, 0.4), 0, 1)[..., None]
    colour = high + (haze - high) * share
    colour = colour + (0.93 - colour) * clouds * (1 - 0.6 * share)
    name, tone = _one_of(
        random, ("a heath", (0.32, 0.40, 0.16)), ("a dry heath", (0.60, 0.52, 0.28)), ("soil", (0.46, 0.37, 0.28))
    )  # fmt: skip
    tone = np.array(tone) + random.normal(0, 0.02, 3)
    for k in range(ridges := int(random.integers(1, 4))):
        far = 1 - (k + 1) / (ridges + 1)  # 1 at the sky, 0 at the ground
        rise = Noise(random, 5)(x * random.uniform(2, 5), 0 * x)
        ridge = line - 0.02 - 0.10 * far - 0.035 * rise
        rock = tone * (0.75 + 0.12 * spectral(random, x.shape, 1.0))[..., None]
        colour = over(colour, rock + (haze - rock) * (0.25 + 0.6 * far), y - ridge)
    return Drawn(_ground(colour, x, y, line, floor, tone, haze, random), (name, "hills", "a hazy sky"), floor, False)


def woods(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """A floor of litter before foliage out of focus."""
    floor = _seen(random, 0.24, 0.40)
    line = floor.horizon + 0.02
    autumn = random.random() < 0.4
    behind = _leafage(x.shape, random, AUTUMN if autumn else GREENS, 700)
    behind = blurred(behind, random.uniform(0.008, 0.03))
    tone = np.array(((0.36, 0.28, 0.18), (0.24, 0.30, 0.12), (0.42, 0.33, 0.20))[random.integers(3)])
    colour = _ground(behind, x, y, line, floor, tone, behind.mean((0, 1)), random, rough=0.22)
    return Drawn(colour, ("a forest floor", "autumn foliage" if autumn else "green foliage"), floor, False)


def foliage(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """Leaves over leaves, sharp or a little out of focus."""
    autumn = random.random() < 0.3
    colour = blurred(_leafage(x.shape, random, AUTUMN if autumn else GREENS, 2200), random.choice([0.0015, 0.004, 0.012]))
    return Drawn(colour, ("autumn foliage" if autumn else "green foliage",), None, False)


def lights(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """Lights far out of focus, as discs that shine through one another, before a dark blur."""
    ground = np.array([0.05, 0.06, 0.09]) + random.random(3) * 0.14
    colour = ground * (1 + 0.35 * spectral(random, x.shape, 2.0))[..., None].clip(0.2)
    size = random.uniform(0.015, 0.05)
    for _ in range(int(random.integers(15, 60))):
        cx, cy, radius = random.random(), random.random(), size * random.uniform(0.5, 1.4)
        away = np.hypot(x - cx, y - cy) / radius
        disc = np.clip((1 - away) * radius * len(x) / 2, 0, 1) * (0.75 + 0.25 * np.clip(away, 0, 1) ** 4)  # a brighter rim
        colour = colour + disc[..., None] * np.array(_one_of(random, *LIGHTS)) * random.uniform(0.08, 0.5)
    return Drawn(1 - np.exp(-1.6 * colour), ("a dark background with lights",), None, False)


def tabletop(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """A surface in focus, and behind its edge a room that is not."""
    floor = _seen(random, 0.10, 0.26)
    line = floor.horizon + random.uniform(0.10, 0.18)
    floor = Floor(floor.horizon, floor.height, top=max(line + 0.03, floor.top))
    behind = blurred(_clutter(x, y, random), random.uniform(0.015, 0.05))
    name, tone = _one_of(
        random, ("a wooden table", (0.55, 0.38, 0.24)), ("a dark table", (0.20, 0.18, 0.17)),
        ("a white table", (0.84, 0.83, 0.80)), ("a stone table", (0.52, 0.51, 0.50)),
    )  # fmt: skip
    tone = np.array(tone) + random.normal(0, 0.025, 3)
    mirrored = behind[np.clip((2 * line - y[:, 0]) * len(y), 0, len(y) - 1).astype(int)]  # a sheen of what is behind
    sheen = np.clip(0.35 - (y - line) * 1.2, 0, 0.35)[..., None]
    top = _ground(behind, x, y, line, floor, tone, tone, random, rough=0.05, grain=(3.0, 0.35))
    return Drawn(over(behind, top + (mirrored - top) * sheen, y - line), (name, "a blurred background"), floor, False)


def clutter(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """A room or street so far out of focus that only its colours are left."""
    return Drawn(blurred(_clutter(x, y, random), random.uniform(0.006, 0.05)), ("a blurred background",), None, False)


def soft(x: Array, y: Array, random: np.random.Generator) -> Drawn:
    """Two tones that run into one another, darker towards the corners, with the grain of a film."""
    name, colour = paint(random)
    other = colour * random.uniform(0.5, 0.9) + np.array(list(PAINTS.values())[random.integers(len(PAINTS))]) * 0.15
    angle = random.uniform(0, 2 * np.pi)
    along = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.12 * spectral(random, x.shape, 2.2)
    share = 1 / (1 + np.exp(-along / random.uniform(0.08, 0.3)))
    corners = 1 - random.uniform(0.1, 0.7) * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    grain = blurred(random.standard_normal((*x.shape, 1)), 1.2 / len(x)) * random.uniform(0.02, 0.08)
    tones = (colour + (other - colour) * share[..., None]) * corners[..., None]
    return Drawn(tones + grain, (f"a soft {name} background",))


KINDS = (landscape, tabletop, woods, foliage, tabletop, clutter, landscape, lights, soft)


def _leafage(shape: tuple[int, int], random: np.random.Generator, colours: tuple, count: int) -> Array:
    """Leaves over leaves, darker where the shade is: (H, W, 3)."""
    canvas = np.tile(np.array(colours[0]) * 0.4, (*shape, 1))
    leaves(random, canvas, count, np.array(colours), (0.25, 0.6))
    return canvas * np.clip(1 + 0.3 * spectral(random, shape, 1.6), 0.25, 1.8)[..., None]


def _clutter(x: Array, y: Array, random: np.random.Generator) -> Array:
    """Boxes, posts and round things of any colour over one another: (H, W, 3)."""
    colours = np.array([paint(random)[1] for _ in range(7)]) * random.uniform(0.45, 1.0, (7, 1))
    canvas = np.tile(colours[0], (*x.shape, 1))
    for _ in range(int(random.integers(25, 60))):
        cx, cy, half = random.random(), random.random(), 0.35 * random.random(2) ** 2 + 0.01
        colour = colours[random.integers(len(colours))] * random.uniform(0.6, 1.3)
        away = np.abs(np.stack([(x - cx) / half[0], (y - cy) / half[1]]))
        inside = 1 - (np.hypot(*away) if random.random() < 0.4 else away.max(0))
        canvas = over(canvas, colour * (1 + random.uniform(-0.5, 0.5) * (y - cy))[..., None], inside * half.min())
    return canvas


def _ground(
    behind: Array,
    x: Array,
    y: Array,
    line: float,
    floor: Floor,
    tone: Array,
    far: Array,
    random: np.random.Generator,
    rough: float = 0.16,
    grain: tuple[float, float] = (1.0, 1.0),
) -> Array:
    """The picture with ground of a tone below the line: noise of many scales in perspective, fading into `far` colours."""
    down = np.maximum(y, line) - floor.horizon
    z, side = floor.focal * floor.height / down, (x - 0.5) * floor.height / down + random.uniform(20, 40)
    fade = z / down * 0.7 / len(x)
    value, tint = 0.0, Noise(random, 2)(side * 0.5, z * 0.4, fade * 0.5)
    for scale in (0.6, 2.2, 8.0, 24.0):
        amplitude = rough * (0.6 if scale < 1 else 1.0) / (1 + (0.25 * scale * fade) ** 2)
        value = value + amplitude * Noise(random, 2)(side * scale * grain[0], z * scale * grain[1], fade * scale)
    colour = tone * (1 + value)[..., None] + 0.25 * rough * tint[..., None] * np.array([1.0, 0.5, -0.4])
    mist = np.exp(-(y - line).clip(0) / 0.07)[..., None] * 0.4
    return over(behind, colour + (far - colour) * mist, y - line)


def _seen(random: np.random.Generator, lowest: float, highest: float) -> Floor:
    """A floor seen from the height of a person's eyes."""
    horizon, height = random.uniform(lowest, highest), random.uniform(2.4, 3.3)
    return Floor(horizon, height, top=horizon + FOCAL * height / 17.0)


def over(behind: Array, before: Array, inside: Array) -> Array:
    """`before` where `inside` (canvas units) is above 0, with a soft edge."""
    share = np.clip(inside * len(inside) + 0.5, 0, 1)[..., None]
    return behind + (before - behind) * share


def _one_of(random: np.random.Generator, *options):
    return options[random.integers(len(options))]
