"""Cutting an object out of a picture that shows it before one plain colour, such as a product's photograph."""
from __future__ import annotations

import numpy as np
from PIL import Image

RING = 0.02  # of the shorter side: how wide the edge is from which the colour is read
PLAIN = 0.97  # share of the edge that must be of that colour
ALIKE, APART = 10.0, 36.0  # levels from the colour up to which a pixel is backdrop, and from which it is none of it
COARSE = 256  # longer side at which it is found what of the colour hangs together with the edge
WANTED = "expected a cut-out, such as a PNG with transparency, or an object before a plain backdrop"
LEAST, MOST = 0.01, 0.9  # share of the picture that an object takes


def cut_out(rgb: np.ndarray) -> np.ndarray:
    """A picture (h, w, 3) uint8 as a cut-out (h, w, 4), transparent where its backdrop was. What is of the backdrop's colour
    inside the object stays. Raises `ValueError` that says why it cannot be told what is backdrop."""
    pixels = rgb.astype(np.float32)
    height, width = pixels.shape[:2]
    ring = max(1, round(RING * min(height, width)))
    inner = np.zeros((height, width), bool)
    inner[ring : height - ring, ring : width - ring] = True
    colour = np.median(pixels[~inner], axis=0)
    away = np.abs(pixels - colour).max(-1)  # (h, w)
    if (away[~inner] < ALIKE).mean() < PLAIN:
        raise ValueError(f"has no transparent pixel, and no backdrop of one colour all along its edge: {WANTED}")
    alpha = np.clip((away - ALIKE) / (APART - ALIKE), 0, 1)
    alpha[~_outside(alpha < 0.5)] = 1.0
    shown = float((alpha > 0.5).mean())
    if not LEAST < shown < MOST:
        raise ValueError(f"has no transparent pixel, and {100 * shown:.0f} % of it differ from its backdrop: {WANTED}")
    opaque = np.maximum(alpha, 0.02)[..., None]
    plain = np.clip((pixels - (1 - opaque) * colour) / opaque, 0, 255)  # without the backdrop's share of soft edges
    return np.concatenate([plain, 255 * alpha[..., None]], -1).round().astype(np.uint8)


def _outside(free: np.ndarray) -> np.ndarray:
    """What of a mask (h, w) hangs together with the picture's edge, and a little around it."""
    height, width = free.shape
    scale = min(1.0, COARSE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    open_ = np.asarray(Image.fromarray(free).convert("L").resize(size, Image.Resampling.BOX)) > 127
    reached = np.zeros_like(open_)
    reached[0], reached[-1], reached[:, 0], reached[:, -1] = open_[0], open_[-1], open_[:, 0], open_[:, -1]
    count = -1
    while count != (count := int(reached.sum())):
        reached = _wider(reached) & open_
    for _ in range(2):
        reached = _wider(reached)
    return np.asarray(Image.fromarray(reached).resize((width, height), Image.Resampling.NEAREST))


def _wider(mask: np.ndarray) -> np.ndarray:
    """A mask and the cells beside it."""
    wider = mask.copy()
    wider[1:] |= mask[:-1]
    wider[:-1] |= mask[1:]
    wider[:, 1:] |= mask[:, :-1]
    wider[:, :-1] |= mask[:, 1:]
    return wider
