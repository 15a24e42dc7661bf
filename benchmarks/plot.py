"""Small charts drawn with Pillow: lines and dots over one x axis, for the pictures in docs/."""
from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

FINER = 3  # drawn this much larger, then averaged
COLOURS = ((31, 95, 180), (214, 96, 30), (60, 145, 75), (130, 75, 165), (110, 110, 110))
INK, GRID = (40, 40, 40), (224, 224, 224)


@dataclass(frozen=True)
class Series:
    """Points (x, y) by one name, joined by a line or, with `dots`, each for itself."""

    name: str
    points: list[tuple[float, float]]
    dots: bool = False


def chart(
    title: str, x_label: str, y_label: str, series: list[Series], size: tuple[int, int] = (640, 420), log_x: bool = False
) -> Image.Image:
    """A chart of some series, with ticks at round numbers and a legend."""
    width, height = (FINER * v for v in size)
    picture = Image.new("RGB", (width, height), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13 * FINER)
    left, right, top, bottom = 62 * FINER, width - 16 * FINER, 34 * FINER, height - 48 * FINER
    along = math.log10 if log_x else float
    xs = [along(x) for one in series for x, _ in one.points]
    ys = [y for one in series for _, y in one.points]
    (x0, x1), (y0, y1) = _widened(min(xs), max(xs)), _widened(min(ys), max(ys))
    at_x = lambda x: left + (along(x) - x0) / (x1 - x0) * (right - left)
    at_y = lambda y: bottom - (y - y0) / (y1 - y0) * (bottom - top)
    for y in _ticks(y0, y1):
        draw.line((left, at_y(y), right, at_y(y)), GRID, FINER)
        draw.text((left - 8 * FINER, at_y(y)), f"{y:g}", INK, font, "rm")
    for x in _decades(x0, x1) if log_x else _ticks(x0, x1):
        draw.line((at_x(x), top, at_x(x), bottom), GRID, FINER)
        draw.text((at_x(x), bottom + 6 * FINER), f"{x:g}", INK, font, "mt")
    draw.rectangle((left, top, right, bottom), outline=INK, width=FINER)
    for one, colour in zip(series, COLOURS, strict=False):
        places = [(at_x(x), at_y(y)) for x, y in sorted(one.points)]
        radius = 3.2 * FINER if one.dots else 2.2 * FINER
        if not one.dots:
            draw.line(places, colour, 2 * FINER, "curve")
        for x, y in places:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)
    draw.text((left, 8 * FINER), title, INK, font)
    draw.text(((left + right) / 2, height - 6 * FINER), x_label, INK, font, "mb")
    _sideways(picture, y_label, font, (6 * FINER, (top + bottom) // 2))
    places = [(at_x(x), at_y(y)) for one in series for x, y in one.points]
    _legend(draw, font, series, (left, top, right, bottom), places)
    return picture.resize(size, Image.Resampling.BOX)


def beside(charts: list[Image.Image]) -> Image.Image:
    """Charts of one height in a row."""
    picture = Image.new("RGB", (sum(one.width for one in charts), charts[0].height), "white")
    left = 0
    for one in charts:
        picture.paste(one, (left, 0))
        left += one.width
    return picture


def _legend(draw: ImageDraw.ImageDraw, font, series: list[Series], frame: tuple[int, int, int, int], places: list) -> None:
    """In the corner of the frame that covers fewest of the places."""
    left, top, right, bottom = frame
    line, gap = 19 * FINER, 6 * FINER
    width = max(draw.textlength(one.name, font) for one in series) + 34 * FINER
    height = line * len(series) + 2 * FINER
    corners = [(x, y) for x in (right - width - gap, left + gap) for y in (bottom - height - gap, top + gap)]
    covered = lambda c: sum(c[0] <= x <= c[0] + width and c[1] <= y <= c[1] + height for x, y in places)
    x, y = min(corners, key=covered)
    draw.rectangle((x, y, x + width, y + height), "white", GRID, FINER)
    for k, (one, colour) in enumerate(zip(series, COLOURS, strict=False)):
        middle = y + line * (k + 0.5) + FINER
        draw.line((x + 6 * FINER, middle, x + 22 * FINER, middle), colour, 3 * FINER)
        draw.text((x + 28 * FINER, middle), one.name, INK, font, "lm")


def _sideways(picture: Image.Image, text: str, font, place: tuple[int, int]) -> None:
    left, top, right, bottom = (int(v) for v in font.getbbox(text))
    label = Image.new("RGB", (right - left + 2, bottom - top + 2), "white")
    ImageDraw.Draw(label).text((1 - left, 1 - top), text, INK, font)
    turned = label.transpose(Image.Transpose.ROTATE_90)
    picture.paste(turned, (place[0], place[1] - turned.height // 2))


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    """About six round numbers in a range."""
    rough = (high - low) / 6
    unit = 10 ** math.floor(math.log10(rough))
    step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= rough)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten in a range of logarithms."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    return [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= math.log10(m * 10.0**p) <= high]
