"""Measures of pictures and label maps, in numpy: uint8 pictures (H, W, 3), integer label maps (H, W), bool masks (H, W)."""
from __future__ import annotations

import numpy as np

WINDOW, DEVIATION = 11, 1.5  # pixels, of SSIM's Gaussian window


def psnr(a: np.ndarray, b: np.ndarray, region: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB of pictures, over `region` where given (NaN when it is empty); 108.1 for equal ones."""
    square = (a.astype(np.float64) - b) ** 2
    square = square if region is None else square[region]
    return float(10 * np.log10(255.0**2 / max(square.mean(), 1e-6))) if square.size else float("nan")


def ssim(a: np.ndarray, b: np.ndarray, region: np.ndarray | None = None) -> float:
    """Structural similarity (Wang et al. 2004) of pictures, 1 for equal ones: Gaussian windows that lie wholly inside, mean
    over colours and pixels, or over the window centres in `region` where given. NaN when there is none."""
    x, y = a.astype(np.float64) / 255, b.astype(np.float64) / 255
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x, var_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    both = _blurred(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    similar = (2 * mean_x * mean_y + c1) * (2 * both + c2) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    if region is None:
        return float(similar.mean()) if similar.size else float("nan")
    edge = WINDOW // 2
    inside = similar[region[edge:-edge, edge:-edge]]
    return float(inside.mean()) if len(inside) else float("nan")


def grow(mask: np.ndarray, radius: int) -> np.ndarray:
    """The mask dilated by a square of `radius` pixels."""
    for axis in (0, 1):
        padded = np.pad(mask, [(radius, radius) if a == axis else (0, 0) for a in (0, 1)])
        mask = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis).any(-1)
    return mask


def foreground_ari(true: np.ndarray, found: np.ndarray) -> float:
    """Adjusted Rand index (Hubert & Arabie 1985) of the labels over the pixels of true objects (> 0); 1 is perfect, and what it
    is where there are none."""
    pixels = true > 0
    if not pixels.any():
        return 1.0
    _, t = np.unique(true[pixels], return_inverse=True)
    _, f = np.unique(found[pixels], return_inverse=True)
    table = np.zeros((t.max() + 1, f.max() + 1))
    np.add.at(table, (t, f), 1)
    agree, in_true, in_found = _pairs(table), _pairs(table.sum(1)), _pairs(table.sum(0))
    expected = in_true * in_found / max(_pairs(np.array([len(t)])), 1)
    most = (in_true + in_found) / 2
    return 1.0 if most == expected else float((agree - expected) / (most - expected))


def best_match(mask: np.ndarray, found: np.ndarray) -> tuple[int, float]:
    """The label of `found` (> 0) that overlaps `mask` most, and that intersection over union; (0, 0.0) without one."""
    best = (0, 0.0)
    for label in np.unique(found[mask & (found > 0)]):
        other = found == label
        overlap = float((mask & other).sum() / (mask | other).sum())
        best = max(best, (int(label), overlap), key=lambda pair: pair[1])
    return best


def boundary_error(a: np.ndarray, b: np.ndarray) -> float:
    """How far apart the outlines of two masks are, in pixels: the mean distance from a point of either to the other.
    NaN where one of them is empty."""
    first, second = outline(a), outline(b)
    if not len(first) or not len(second):
        return float("nan")
    there = [np.sqrt(((part[:, None] - second[None]) ** 2).sum(-1)) for part in np.array_split(first, len(first) // 512 + 1)]
    distance = np.concatenate(there)
    return float((distance.min(1).mean() + distance.min(0).mean()) / 2)


def outline(mask: np.ndarray) -> np.ndarray:
    """The pixels (N, 2) of a mask that touch what is outside it or the picture's edge; row and column."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(mask & ~inner).astype(np.float64)


def _blurred(values: np.ndarray) -> np.ndarray:
    """Means (H - 10, W - 10, C) over SSIM's window."""
    at = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(at**2) / (2 * DEVIATION**2))
    weights /= weights.sum()
    for axis in (0, 1):
        length = values.shape[axis] - WINDOW + 1
        parts = (w * np.take(values, np.arange(k, k + length), axis) for k, w in enumerate(weights))
        values = sum(parts)
    return values


def _pairs(counts: np.ndarray) -> float:
    return float((counts * (counts - 1) / 2).sum())
