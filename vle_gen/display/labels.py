"""Numbers beside outlined objects, and a legend of their names."""
from __future__ import annotations

import colorsys
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Box = tuple[int, int, int, int]  # left, top, right, bottom (exclusive)

DARK, PALE = (18, 18, 20), (244, 244, 245)
SMOOTH = 4  # plates are drawn so many times larger and made small again, for soft corners
SMALLEST_FONT, FONT_SHARE = 11, 1 / 34  # pixels; of the picture's longer side


def colour_of(index: int) -> tuple[int, int, int]:
    """A bright colour far from those of the neighbouring indices (golden-ratio steps of hue)."""
    red, green, blue = colorsys.hsv_to_rgb((0.14 + 0.618034 * index) % 1.0, 0.7, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


@dataclass
class Labels:
    """Draws numbers onto `picture`, whose objects lie in `boxes` and own the pixels of `labels` (H, W)."""

    picture: Image.Image
    labels: np.ndarray
    boxes: dict[int, Box]
    stroke: float
    taken: np.ndarray = field(init=False)  # (H, W), how much each pixel should be left free

    def __post_init__(self) -> None:
        self.taken = (self.labels > 0).astype(np.float64)
        self.font = ImageFont.load_default(max(SMALLEST_FONT, round(max(self.labels.shape) * FONT_SHARE)))

    def number(self, index: int) -> None:
        """Puts the number of an object on a plate beside it."""
        plate = self._plate(index)
        x, y = self._place(index, plate.size)
        left, top, right, bottom = self.boxes[index]
        near_x, near_y = min(max(x + plate.width // 2, left), right - 1), min(max(y + plate.height // 2, top), bottom - 1)
        at_x, at_y = min(max(near_x, x), x + plate.width - 1), min(max(near_y, y), y + plate.height - 1)
        if max(abs(near_x - at_x), abs(near_y - at_y)) > plate.height:
            line = ImageDraw.Draw(self.picture)
            line.line((at_x, at_y, near_x, near_y), DARK, round(3 * self.stroke))
            line.line((at_x, at_y, near_x, near_y), colour_of(index), max(1, round(self.stroke)))
        self.picture.paste(plate, (x, y), plate)
        self.taken[y : y + plate.height, x : x + plate.width] = 8.0

    def with_legend(self, named: list[tuple[int, str]]) -> Image.Image:
        """The picture with the names of its numbers below, in as many columns as there is room for."""
        plates = {index: self._plate(index) for index, _ in named}
        gap = max(4, round(self.font.size * 0.5))
        chip = max(plate.width for plate in plates.values())
        row = max(plate.height for plate in plates.values()) + gap
        widest = max(self.font.getlength(name) for _, name in named)
        column = round(gap + chip + gap + widest + gap)
        columns = max(1, min(len(named), self.picture.width // column))
        rows = -(-len(named) // columns)
        sheet = Image.new("RGB", (self.picture.width, self.picture.height + rows * row + gap), DARK)
        sheet.paste(self.picture)
        draw = ImageDraw.Draw(sheet)
        for place, (index, name) in enumerate(named):
            x = gap + (place // rows) * (self.picture.width // columns)
            y = self.picture.height + gap + (place % rows) * row
            plate = plates[index]
            sheet.paste(plate, (x + chip - plate.width, y), plate)
            room = self.picture.width - (x + chip + gap)
            draw.text((x + chip + gap, y + plate.height / 2), self._cut(name, room), PALE, self.font, "lm")
        return sheet

    def _plate(self, index: int) -> Image.Image:
        """A number on a dark plate with a rim of the object's colour: RGBA."""
        left, top, right, bottom = self.font.getbbox(str(index))
        pad, rim = round(self.font.size * 0.3), max(1, round(self.stroke))
        height = int(bottom - top) + 2 * pad + 2 * rim
        width = max(height, int(right - left) + 2 * pad + 2 * rim)
        large = Image.new("RGBA", (width * SMOOTH, height * SMOOTH), (*DARK, 0))
        edges = (0, 0, large.width - 1, large.height - 1)
        ImageDraw.Draw(large).rounded_rectangle(
            edges, height * SMOOTH // 3, fill=(*DARK, 255), outline=(*colour_of(index), 255), width=rim * SMOOTH
        )
        plate = large.resize((width, height), Image.Resampling.BOX)
        ImageDraw.Draw(plate).text((width / 2, height / 2), str(index), PALE, self.font, "mm")
        return plate

    def _place(self, index: int, size: tuple[int, int]) -> tuple[int, int]:
        """The corner for a plate: of all places that cover nothing, the one nearest to the object, rather above than below;
        where objects leave no such place, the middle of its own, since in another it would be taken for that one's."""
        (width, height), (rows, columns) = size, self.taken.shape
        if width > columns or height > rows:
            return 0, 0
        step = max(1, max(rows, columns) // 160)
        ys, xs = np.arange(0, rows - height + 1, step), np.arange(0, columns - width + 1, step)
        covered = _sums(self.taken, ys, xs, height, width)
        left, top, right, bottom = self.boxes[index]
        gap = round(2.5 * self.stroke)
        beside_x = np.maximum(np.maximum(left - gap - (xs + width), xs - (right + gap)), 0)[None]
        beside_y = np.maximum(np.maximum(top - gap - (ys + height), ys - (bottom + gap)), 0)[:, None]
        middle = np.hypot(xs[None] + (width - left - right) / 2, ys[:, None] + (height - top - bottom) / 2)
        below = (ys[:, None] > bottom - height) * 0.5 * height
        inside = (beside_x == 0) & (beside_y == 0)  # touches the outline, where nothing is covered yet
        cost = covered / (width * height) * 1000 + 4 * np.hypot(beside_x, beside_y) + middle + below + inside * height
        row, column = np.unravel_index(cost.argmin(), cost.shape)
        if covered[row, column] > 0:
            x, y = (left + right - width) // 2, (top + bottom - height) // 2
            return min(max(x, 0), columns - width), min(max(y, 0), rows - height)
        return int(xs[column]), int(ys[row])

    def _cut(self, text: str, room: float) -> str:
        """The text, shortened where it is longer than `room` pixels."""
        if self.font.getlength(text) <= room:
            return text
        while text and self.font.getlength(text + "…") > room:
            text = text[:-1]
        return text + "…"


def _sums(values: np.ndarray, ys: np.ndarray, xs: np.ndarray, height: int, width: int) -> np.ndarray:
    """Sums of `values` (H, W) over rectangles of height x width with corners at all of `ys` and `xs`."""
    total = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    low, high = total[ys], total[ys + height]
    return high[:, xs + width] - high[:, xs] - low[:, xs + width] + low[:, xs]
