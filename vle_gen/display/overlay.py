"""Showing a person which token is which: an overlay with outlined, numbered, named objects, and rows for tables and JSON."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter
from rich.box import SIMPLE_HEAD
from rich.table import Table

from vle_gen.display.labels import Labels, colour_of
from vle_gen.tokens import SURE

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


def as_table(rows: list[TokenRow], title: str, scores: list[float] | None = None, bits: list[float] | None = None) -> Table:
    """The rows as a `rich` table, with how sure each token is and what it costs where that is given."""
    padding = (0, 1, 0, 0) if bits is None else 0  # so that 80 columns suffice
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=padding)
    table.add_column("token", justify="right")
    table.add_column("what", no_wrap=True)
    more = [name for name, values in (("score", scores), ("bits", bits)) if values is not None]
    for name in ("x", "y", "size", "depth", "pixels", *more):
        table.add_column(name, justify="right")
    for k, r in enumerate(rows):
        scene = r.kind == "scene"
        unsure = scores is not None and scores[k] < SURE
        cells = [f"{r.x:.0f}", f"{r.y:.0f}", f"{r.width:.0f} x {r.height:.0f}", "" if scene else f"{r.depth:.1f}", str(r.area)]
        if scores is not None:
            cells.append("" if scene else f"{scores[k]:.2f}")
        if bits is not None:
            cells.append(f"{bits[k]:.0f}")
        label = f"{r.label}?" if unsure else r.label
        table.add_row(str(r.index), label, *cells, style="dim" if scene or unsure else "")
    return table


def remarks(rows: Sequence[TokenRow], scores: list[float], bits: list[float] | None = None) -> list[str]:
    """Lines to print below the table of one picture's tokens, the scene token first."""
    if len(rows) > 1 and all(row.kind == "scene" for row in rows):
        size = "" if bits is None else f", {sum(bits) / 8:.0f} bytes by an ideal code (none is written)"
        return [f"{len(rows)} tokens of the whole frame{size}"]
    lines = ["no object tokens found: only the scene, token 0"] if len(scores) == 1 else []
    unsure = sum(score < SURE for score in scores)
    if unsure:
        lines.append(f"{unsure} of {len(scores) - 1} unsure (?): perhaps no objects, or of a kind that the model never saw")
    if bits is not None and len(bits) > 1:
        lines.append(f"{sum(bits) / 8:.0f} bytes when coded, {sum(bits[1:]) / (len(bits) - 1):.0f} bits per object token")
    elif bits is not None:
        lines.append(f"{sum(bits) / 8:.0f} bytes when coded")
    return lines


def overlay(image: Image.Image, label_map: np.ndarray, names: list[str] | None = None) -> Image.Image:
    """`image` (RGB) with each object of `label_map` (H, W), values above 0, outlined and numbered; with `names`, in token
    order, a legend below it says what each number is.

    Outlines run outside their objects, bright with a dark rim, so that they can be seen on light and dark ground. A number
    lies beside its object, on a free place where there is one, with a line to the object when that is not near.
    """
    labels = np.asarray(label_map)
    indices = [int(i) for i in np.unique(labels) if i > 0]
    if not indices:
        return image.convert("RGB").copy()
    stroke = max(1.0, max(labels.shape) / 320)
    pixels = np.asarray(image.convert("RGB")).astype(np.float32)
    boxes = {i: _box(labels == i) for i in indices}
    for width, dark in ((2.2 * stroke, True), (1.2 * stroke, False)):  # all rims first: none may cover a neighbour's line
        for i in indices:
            part = _around(boxes[i], round(3 * width) + 2, labels.shape)
            line = _grown(labels[part] == i, width) * (labels[part] != i)
            colour = np.array((16, 16, 16) if dark else colour_of(i), np.float32)
            pixels[part] += (colour - pixels[part]) * line[..., None]
    picture = Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))
    drawn = Labels(picture, labels, boxes, stroke)
    for i in sorted(indices, key=lambda i: boxes[i][3] - boxes[i][1]):  # small objects choose first
        drawn.number(i)
    return drawn.picture if names is None else drawn.with_legend([(i, names[i]) for i in indices])


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """left, top, right, bottom (exclusive) of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _around(box: tuple[int, int, int, int], margin: int, shape: tuple[int, int]) -> tuple[slice, slice]:
    left, top, right, bottom = box
    rows = slice(max(top - margin, 0), min(bottom + margin, shape[0]))
    return rows, slice(max(left - margin, 0), min(right + margin, shape[1]))


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    """The mask grown by `radius` pixels with round corners and a soft edge: (h, w), 0..1.

    Blurred by a Gaussian as wide as `radius`, a straight edge is at 0.159 that far out, with a slope of 0.242 / radius.
    """
    blurred = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(radius))
    soft = (np.asarray(blurred).astype(np.float32) / 255 - 0.159) * radius / 0.242 + 0.5
    return np.maximum(soft.clip(0, 1), _next_to(mask))


def _next_to(mask: np.ndarray) -> np.ndarray:
    """The mask and the pixels beside it, so that even a single pixel has a line all round."""
    return np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))) > 0
