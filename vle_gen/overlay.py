"""Showing a person which token is which: an overlay with outlined, numbered objects, and rows for tables and JSON."""
from __future__ import annotations

import colorsys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rich.table import Table

if TYPE_CHECKING:
    from vle_gen.tokens import VLETokens


@dataclass(frozen=True)
class TokenRow:
    """One token in pixels of the picture: x, y is the centre; width, height the object's box (the picture's for a scene
    token); area the pixels that it owns in the label map; depth larger is farther."""

    index: int
    kind: str
    label: str
    x: float
    y: float
    width: float
    height: float
    depth: float
    area: int


def token_rows(tokens: VLETokens, names: list[str]) -> list[TokenRow]:
    """The rows of one picture's tokens (batch of 1), `names` in token order."""
    height, width = tokens.size
    side = max(height, width)
    area = np.bincount(np.asarray(tokens.label_map()).ravel(), minlength=len(names))
    rows = []
    for index, name in enumerate(names):
        depth = round(float(tokens.depth[0, index]), 3)
        if int(tokens.kind[0, index]) == 0:
            place = (width / 2, height / 2, float(width), float(height))
            rows.append(TokenRow(index, "scene", name, *place, depth, int(area[index])))
            continue
        x, y, frame_width, frame_height = (float(v) * side for v in tokens.where[0, index])
        # the picture lies centred in its square canvas; an object's frame is twice its box
        place = (x - (side - width) / 2, y - (side - height) / 2, frame_width / 2, frame_height / 2)
        rows.append(TokenRow(index, "object", name, *(round(v, 2) for v in place), depth, int(area[index])))
    return rows


def as_json(rows: list[TokenRow]) -> list[dict[str, int | float | str]]:
    """The rows as plain values for JSON."""
    return [asdict(row) for row in rows]


def as_table(rows: list[TokenRow], title: str) -> Table:
    """The rows as a `rich` table."""
    table = Table(title=title, title_justify="left")
    for name, justify in (("token", "right"), ("what", "left"), ("x", "right"), ("y", "right"), ("size", "right")):
        table.add_column(name, justify=justify)
    table.add_column("depth", justify="right")
    table.add_column("pixels", justify="right")
    for r in rows:
        size = f"{r.width:.0f} x {r.height:.0f}"
        depth = "" if r.kind == "scene" else f"{r.depth:.1f}"
        style = "dim" if r.kind == "scene" else ""
        table.add_row(str(r.index), r.label, f"{r.x:.0f}", f"{r.y:.0f}", size, depth, str(r.area), style=style)
    return table


def overlay(image: Image.Image, label_map: np.ndarray) -> Image.Image:
    """`image` (RGB) with each object of `label_map` (H, W), values above 0, outlined and numbered.

    Outlines have a dark rim and numbers a plate of their own, so both can be read on light and dark ground. A number
    lies beside its object where there is room.
    """
    pixels = np.asarray(image.convert("RGB")).copy()
    labels = np.asarray(label_map)
    side = max(labels.shape)
    stroke = max(1, round(side / 320))
    indices = [int(i) for i in np.unique(labels) if i > 0]
    boxes = {i: _box(labels == i) for i in indices}
    for grown, dark in ((2 * stroke, True), (stroke, False)):  # all rims first: none may cover a neighbour's line
        for i in indices:
            part = _around(boxes[i], grown + 1, labels.shape)
            mask = labels[part] == i
            line = _grow(mask, grown) & ~mask
            pixels[part][line] = (16, 16, 16) if dark else _colour(i)
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(11, round(side / 24)))
    taken = (labels > 0).astype(np.float32)  # what a plate should not cover
    for i in sorted(indices, key=lambda i: boxes[i][3] - boxes[i][1]):  # small objects choose first
        left, top, right, bottom = draw.textbbox((0, 0), str(i), font=font)
        pad = max(2, stroke + 1)
        width, height = int(right - left) + 2 * pad + 1, int(bottom - top) + 2 * pad
        x, y = _place(boxes[i], (width, height), taken, 2 * stroke + 1)
        taken[y : y + height, x : x + width] = 4.0
        draw.rectangle((x, y, x + width - 1, y + height - 1), fill=(16, 16, 16), outline=_colour(i), width=stroke)
        draw.text((x + pad - left, y + pad - top), str(i), font=font, fill="white")
    return picture


def _colour(index: int) -> tuple[int, int, int]:
    """A bright colour far from those of the neighbouring indices (golden-ratio steps of hue)."""
    red, green, blue = colorsys.hsv_to_rgb((0.14 + 0.618034 * index) % 1.0, 0.75, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """left, top, right, bottom (exclusive) of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _around(box: tuple[int, int, int, int], margin: int, shape: tuple[int, int]) -> tuple[slice, slice]:
    left, top, right, bottom = box
    rows = slice(max(top - margin, 0), min(bottom + margin, shape[0]))
    return rows, slice(max(left - margin, 0), min(right + margin, shape[1]))


def _grow(mask: np.ndarray, radius: int) -> np.ndarray:
    """The mask dilated by a square of `radius` pixels."""
    grown = Image.fromarray(mask.astype(np.uint8) * 255)
    for _ in range(radius):
        grown = grown.filter(ImageFilter.MaxFilter(3))
    return np.asarray(grown) > 0


def _place(
    box: tuple[int, int, int, int], size: tuple[int, int], taken: np.ndarray, gap: int
) -> tuple[int, int]:
    """The corner for a plate of `size` near `box`: of the places round it, the first of those that cover least."""
    (left, top, right, bottom), (width, height) = box, size
    middle_x, middle_y = (left + right - width) // 2, (top + bottom - height) // 2
    above, below, before, after = top - gap - height, bottom + gap, left - gap - width, right + gap
    places = [(middle_x, above), (after, middle_y), (before, middle_y), (middle_x, below)]
    places += [(after, above), (before, above), (after, below), (before, below), (middle_x, middle_y)]
    rows, columns = taken.shape
    inside = [(max(0, min(x, columns - width)), max(0, min(y, rows - height))) for x, y in places]
    return min(inside, key=lambda place: taken[place[1] : place[1] + height, place[0] : place[0] + width].sum())
