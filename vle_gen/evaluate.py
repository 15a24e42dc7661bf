"""Scores a pipeline on rendered scenes: objects found, pictures rebuilt, and moves against a render of the same move.

Data is a folder or tar of ID.png, ID.mask.png (red / 16 = object number), ID.json and, for moves, ID.moved.png.
"""
from __future__ import annotations

import io
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from editors import move
from vle_gen.data.sprites import read_files
from vle_gen.errors import UserError

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline

SEEN = 40  # visible pixels from which an object counts
FOUND = 20  # pixels from which a token counts as an object
CHANGED = 6  # a difference of more than this, of 255, is a change


@dataclass(frozen=True)
class Scene:
    """A rendered scene: RGB (H, W, 3) uint8, true labels (H, W), and the render after a move where there is one."""

    name: str
    image: np.ndarray
    labels: np.ndarray
    record: dict
    moved: np.ndarray | None


@dataclass
class Clock:
    """Milliseconds that named calls took."""

    times: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, name: str, call: Callable):
        """The value of `call()`."""
        began = time.perf_counter()
        value = call()
        self.times.setdefault(name, []).append(1000 * (time.perf_counter() - began))
        return value


def read_scenes(path: str | Path, limit: int | None = None) -> Iterator[Scene]:
    """The first `limit` scenes under `path`, by name. Raises `UserError` when there are none."""
    files = read_files(path)
    stems = [name.removesuffix(".json") for name in sorted(files) if name.endswith(".json")]
    stems = [stem for stem in stems if {stem + ".png", stem + ".mask.png"} <= files.keys()]
    if not stems:
        raise UserError(f"{path} holds no scenes: expected ID.png, ID.mask.png and ID.json")
    for stem in stems[:limit]:
        moved = _rgb(files[stem + ".moved.png"]) if stem + ".moved.png" in files else None
        labels = np.asarray(Image.open(io.BytesIO(files[stem + ".mask.png"])).convert("RGBA"))[..., 0].astype(int) // 16
        yield Scene(stem, _rgb(files[stem + ".png"]), labels, json.loads(files[stem + ".json"]), moved)


def evaluate_tokenizer(pipe: VLEPipeline, path: str | Path, limit: int | None = None) -> dict[str, float]:
    """How well tokens find the objects and rebuild the picture, as means over the scenes; times are medians."""
    rows, clock = [], Clock()
    for scene in read_scenes(path, limit):
        tokens = clock("encode", lambda scene=scene: pipe.encode(Image.fromarray(scene.image)))
        found = np.asarray(tokens.label_map())
        alone = clock("decode", lambda tokens=tokens: _array(pipe.decode(tokens, carry=False)))
        visible = [k for k in np.unique(scene.labels[scene.labels > 0]) if (scene.labels == k).sum() >= SEEN]
        count = sum((found == k).sum() >= FOUND for k in np.unique(found[found > 0]))
        rows.append(
            dict(
                fg_ari=foreground_ari(scene.labels, found),
                miou=float(np.mean([best_match(scene.labels == k, found)[1] for k in visible])) if visible else 1.0,
                count_error=float(abs(count - len(visible))),
                recon_psnr=psnr(alone, scene.image),
                recon_object_psnr=psnr(alone, scene.image, scene.labels > 0),
                round_trip_exact=float((_array(pipe.decode(tokens)) == scene.image).all()),
            )
        )
    return _summary(rows, clock)


def evaluate_move(pipe: VLEPipeline, path: str | Path, limit: int | None = None) -> dict[str, float]:
    """How close moved objects come to a render of the scene with the object moved; an object not found is not moved."""
    rows, clock = [], Clock()
    for scene in read_scenes(path, limit):
        if scene.moved is None or "move" not in scene.record:
            continue
        step = scene.record["move"]
        tokens = pipe.encode(Image.fromarray(scene.image))
        index, overlap = best_match(scene.labels == step["object"] + 1, np.asarray(tokens.label_map()))
        edited = scene.image
        if index:
            edit = lambda tokens=tokens, index=index, step=step: pipe.decode(
                move(tokens, index, dx=step["dx"], dy=step["dy"])
            )
            edited = _array(clock("move+decode", edit))
        changed = grow(np.abs(scene.moved.astype(int) - scene.image).max(-1) > CHANGED, 3)
        far = ~grow(changed, 12)
        rows.append(
            dict(
                found=float(index > 0),
                overlap=overlap,
                move_psnr=psnr(edited, scene.moved),
                move_changed_psnr=psnr(edited, scene.moved, changed),
                move_far_pixels_touched=float((edited != scene.image).any(-1)[far].mean()),
                identity_changed_psnr=psnr(scene.image, scene.moved, changed),
            )
        )
    if not rows:
        raise UserError(f"{path} holds no moves: expected ID.moved.png beside the scenes, and 'move' in their ID.json")
    return _summary(rows, clock)


def scorer(what: str) -> Callable[[VLEPipeline, str | Path, int | None], dict[str, float]]:
    """The function that scores `what`. Raises `UserError` for what cannot be scored."""
    scorers = {"tokenizer": evaluate_tokenizer, "move": evaluate_move}
    if what not in scorers:
        raise UserError(f"cannot score {what!r}: expected {' or '.join(scorers)}")
    return scorers[what]


def psnr(a: np.ndarray, b: np.ndarray, region: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB of uint8 pictures (H, W, 3), over `region` (bool (H, W)) where given."""
    square = (a.astype(np.float64) - b) ** 2
    mean = (square if region is None else square[region]).mean() if region is None or region.any() else 0.0
    return float(10 * np.log10(255.0**2 / max(mean, 1e-6)))


def grow(mask: np.ndarray, radius: int) -> np.ndarray:
    """The mask (H, W) dilated by a square of `radius` pixels."""
    for axis in (0, 1):
        padded = np.pad(mask, [(radius, radius) if a == axis else (0, 0) for a in (0, 1)])
        mask = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis).any(-1)
    return mask


def foreground_ari(true: np.ndarray, found: np.ndarray) -> float:
    """Adjusted Rand index (Hubert & Arabie 1985) of the labels over the pixels of true objects (> 0); 1 is perfect."""
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


def _pairs(counts: np.ndarray) -> float:
    return float((counts * (counts - 1) / 2).sum())


def _rgb(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _array(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def _summary(rows: list[dict[str, float]], clock: Clock) -> dict[str, float]:
    summary = {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}
    summary["scenes"] = len(rows)
    return summary | {f"{name}_ms_median": round(statistics.median(t), 1) for name, t in clock.times.items()}
