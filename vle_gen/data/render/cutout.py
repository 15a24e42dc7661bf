"""From a picture of one solid and one of the empty floor to a layer: laid over the floor it gives the picture again."""
from __future__ import annotations

import numpy as np

FAINT = 1.25  # 8-bit steps: less of a difference from the floor is noise, not shadow
UNSEEN = 1  # 8-bit steps of alpha that nobody sees
EDGE = 4  # pixels: how far the shadow is continued under the solid's edge


def display(linear: np.ndarray) -> np.ndarray:
    """Linear light as sRGB in 0..255, float."""
    light = linear.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055)


def cut_out(picture: np.ndarray, background: np.ndarray, coverage: np.ndarray, border: int = 0) -> np.ndarray:
    """The layer (H, W, 4) uint8, straight alpha.

    Args:
        picture: (H, W, 3) in 0..255, the solid on the floor.
        background: the same without the solid.
        coverage: (H, W) 0..1, how much of each pixel is the solid.
        border: pixels over which the shadow fades to nothing at the picture's border.

    Where there is only floor, the layer is the least alpha that explains the difference: black for a shadow, bright for
    light that the solid throws. In the pixels of the edge the shadow goes on beneath the solid.
    """
    picture, background = picture.astype(np.float32), background.astype(np.float32)
    clear = coverage <= 0
    shaded = np.where(clear[..., None], _quietened(picture - background), 0.0)
    shaded *= _ramp(*coverage.shape, border)[..., None]
    below = background + _continued(shaded, clear)
    shadow = _least_alpha(below, background)
    alpha = coverage + (1 - coverage) * shadow
    wanted = np.where(clear[..., None], below, picture)
    color = (wanted - (1 - alpha[..., None]) * background) / np.maximum(alpha[..., None], 1e-3)
    rgb = np.where(alpha[..., None] > 0, color.clip(0, 255), 0.0)
    return np.dstack([rgb, 255 * alpha]).round().astype(np.uint8)


def trimmed(layer: np.ndarray, margin: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is seen of a layer, `margin` pixels more on each side where there are any."""
    rows, columns = np.flatnonzero((layer[..., 3] > UNSEEN).any(1)), np.flatnonzero((layer[..., 3] > UNSEEN).any(0))
    if len(rows) == 0:
        return 0, 0, 1, 1
    height, width = layer.shape[:2]
    return (
        max(int(columns[0]) - margin, 0), max(int(rows[0]) - margin, 0),
        min(int(columns[-1]) + margin + 1, width), min(int(rows[-1]) + margin + 1, height),
    )


def _quietened(difference: np.ndarray) -> np.ndarray:
    """Differences shrunk by what may be noise."""
    size = np.abs(difference).max(-1, keepdims=True)
    return difference * np.maximum(size - FAINT, 0) / np.maximum(size, 1e-3)


def _ramp(height: int, width: int, border: int) -> np.ndarray:
    """(H, W) from near 0 at the border to 1 inside."""
    rise = lambda size: ((np.minimum(np.arange(size), np.arange(size)[::-1]) + 0.5) / max(border, 0.5)).clip(0, 1)
    return np.minimum(rise(height)[:, None], rise(width)[None])


def _least_alpha(picture: np.ndarray, background: np.ndarray) -> np.ndarray:
    darker = (background - picture) / np.maximum(background, 1)
    brighter = (picture - background) / np.maximum(255 - background, 1)
    return np.maximum(darker, brighter).max(-1).clip(0, 1)


def _continued(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Values (H, W, C) where they are known, and their neighbours' mean over a few pixels beyond."""
    values, known = values * known[..., None], known.astype(np.float32)
    for _ in range(EDGE):
        weight = _neighbours(known)
        spread = _neighbours(values) / np.maximum(weight, 1e-6)[..., None]
        values = np.where(known[..., None] > 0, values, np.where(weight[..., None] > 0, spread, 0.0))
        known = np.maximum(known, weight > 0)
    return values


def _neighbours(values: np.ndarray) -> np.ndarray:
    """Sum over the eight pixels around each."""
    padded = np.pad(values, ((1, 1), (1, 1)) + ((0, 0),) * (values.ndim - 2))
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] - values
