"""Scores a pipeline on rendered scenes: objects found, pictures rebuilt, and moves against a render of the same move.

Data is a folder or tar of ID.png, ID.mask.png (red / 16 = object number), ID.json and, for moves, ID.moved.png.
"""
from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rich.box import SIMPLE_HEAD
from rich.table import Table

from editors import move
from vle_gen.data.reading import read_as_large, read_files, read_json, read_pixels
from vle_gen.errors import UserError
from vle_gen.evaluation.metrics import best_match, boundary_error, foreground_ari, grow, psnr, ssim
from vle_gen.tokens import SURE

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens

SEEN = 40  # visible pixels from which an object counts
FOUND = 20  # pixels from which a token counts as an object
CHANGED = 6  # a difference of more than this, of 255, is a change


MEANING = {
    "fg_ari": "adjusted Rand index of who owns the objects' pixels; 1 is perfect",
    "miou": "intersection over union of true and found objects",
    "count_error": "objects too many or too few, a scene",
    "boundary_error": "pixels between true and found outlines",
    "recon_psnr": "dB, what the tokens alone say, whole picture",
    "recon_object_psnr": "dB, the same, pixels of objects",
    "recon_token_psnr": "dB, the same, mean over tokens of the pixels that each owns",
    "recon_ssim": "structural similarity of the same, whole picture",
    "recon_object_ssim": "the same, pixels of objects",
    "round_trip_exact": "share of pictures that come back exactly",
    "tokens": "a picture, the scene token too",
    "unsure": "tokens a picture whose score is low",
    "coded_bytes": "a picture's tokens, coded at quality 80",
    "bits_per_token": "an object token's, coded at quality 80",
    "encode_ms_median": "milliseconds",
    "decode_ms_median": "milliseconds, what the tokens alone say",
    "found": "share of the objects to move that are found",
    "overlap": "intersection over union of the object to move",
    "move_psnr": "dB, edited against rendered again, whole picture",
    "move_changed_psnr": "dB, the same, where the scene changes",
    "move_ssim": "structural similarity of the same, whole picture",
    "move_changed_ssim": "the same, where the scene changes",
    "move_far_pixels_touched": "share of pixels changed far from there",
    "identity_changed_psnr": "dB where the scene changes, nothing moved",
    "by_hand_psnr": "dB by hand with the true mask (OpenCV), whole picture",
    "by_hand_changed_psnr": "dB by hand, where the scene changes",
    "move+decode_ms_median": "milliseconds",
    "scenes": "scored",
}


@dataclass(frozen=True)
class Scene:
    """A rendered scene: RGB (H, W, 3) uint8, true labels (H, W), and the render after a move where there is one."""

    name: str
    image: np.ndarray
    labels: np.ndarray
    record: dict
    moved: np.ndarray | None


Watch = Callable[[list[str]], Iterable[str]]  # shows how far the names of scenes are gone through, as rich's `track` does


def unwatched(names: list[str]) -> Iterable[str]:
    """The names, with nothing shown."""
    return names


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


def read_scenes(path: str | Path, limit: int | None = None, watch: Watch = unwatched) -> Iterator[Scene]:
    """The first `limit` scenes under `path`, by name. Raises `UserError` when there are none, or one is damaged."""
    files = read_files(path)
    stems = [name.removesuffix(".json") for name in sorted(files) if name.endswith(".json")]
    stems = [stem for stem in stems if {stem + ".png", stem + ".mask.png"} & files.keys()]
    if not stems:
        raise UserError(f"{path} holds no scenes: expected ID.png, ID.mask.png and ID.json")
    for stem in watch(stems[:limit]):
        image = read_pixels(files, stem + ".png", path, "RGB")
        size = image.shape[:2]
        labels = read_as_large(files, stem + ".mask.png", path, "RGBA", *size)[..., 0].astype(int) // 16
        record = read_json(files, stem + ".json", path)
        if not isinstance(record, dict):
            raise UserError(f"{path}: {stem}.json is no record of a scene: expected an object with the key objects")
        after = stem + ".moved.png"
        moved = read_as_large(files, after, path, "RGB", *size) if after in files else None
        yield Scene(stem, image, labels, record, moved)


def evaluate_tokenizer(
    pipe: VLEPipeline, path: str | Path, limit: int | None = None, watch: Watch = unwatched, refine: int = 0
) -> dict[str, float]:
    """How well tokens, refined in so many steps, find the objects and rebuild the picture, as means over the scenes; times
    are medians."""
    rows, clock = [], Clock()
    for scene in read_scenes(path, limit, watch):
        tokens = clock("encode", lambda scene=scene: pipe.encode(Image.fromarray(scene.image), refine=refine))
        found = np.asarray(tokens.label_map())
        alone = clock("decode", lambda tokens=tokens: _array(pipe.decode(tokens, carry=False)))
        visible = [k for k in np.unique(scene.labels[scene.labels > 0]) if (scene.labels == k).sum() >= SEEN]
        matches = {k: best_match(scene.labels == k, found) for k in visible}
        count = sum((found == k).sum() >= FOUND for k in np.unique(found[found > 0]))
        outlines = [boundary_error(scene.labels == k, found == label) for k, (label, _) in matches.items() if label]
        owned = [psnr(alone, scene.image, found == k) for k in np.unique(found[found > 0])]
        objects = scene.labels > 0
        rows.append(
            dict(
                fg_ari=foreground_ari(scene.labels, found),
                miou=float(np.mean([overlap for _, overlap in matches.values()])) if matches else 1.0,
                count_error=float(abs(count - len(visible))),
                boundary_error=_mean(outlines),
                recon_psnr=psnr(alone, scene.image),
                recon_object_psnr=psnr(alone, scene.image, objects),
                recon_token_psnr=_mean(owned),
                recon_ssim=ssim(alone, scene.image),
                recon_object_ssim=ssim(alone, scene.image, objects),
                round_trip_exact=float((_array(pipe.decode(tokens)) == scene.image).all()),
                tokens=float(len(tokens)),
                unsure=float((tokens.score[0, 1:] < SURE).sum()),
                **_coded(pipe, tokens),
            )
        )
    return _summary(rows, clock)


def evaluate_move(
    pipe: VLEPipeline, path: str | Path, limit: int | None = None, watch: Watch = unwatched, refine: int = 0
) -> dict[str, float]:
    """How close moved objects come to a render of the scene with the object moved; an object not found is not moved."""
    rows, clock = [], Clock()
    for scene in read_scenes(path, limit, watch):
        if scene.moved is None:
            continue
        step = _checked_move(scene, path)
        tokens = pipe.encode(Image.fromarray(scene.image), refine=refine)
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
                move_ssim=ssim(edited, scene.moved),
                move_changed_ssim=ssim(edited, scene.moved, changed),
                move_far_pixels_touched=float((edited != scene.image).any(-1)[far].mean()),
                identity_changed_psnr=psnr(scene.image, scene.moved, changed),
            )
        )
        by_hand = cut_and_paste(scene)
        if by_hand is not None:
            rows[-1] |= dict(by_hand_psnr=psnr(by_hand, scene.moved))
            rows[-1] |= dict(by_hand_changed_psnr=psnr(by_hand, scene.moved, changed))
    if not rows:
        raise UserError(f"{path} holds no moves: expected ID.moved.png beside the scenes, and 'move' in their ID.json")
    return _summary(rows, clock)


def as_table(scores: dict[str, float], title: str) -> Table:
    """The scores as a `rich` table, each with what it means."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("score")
    table.add_column("", justify="right")
    table.add_column("what it is")
    for key, value in scores.items():
        table.add_row(key, f"{value:.4f}".rstrip("0").rstrip("."), MEANING.get(key, ""))
    return table


def cut_and_paste(scene: Scene) -> np.ndarray | None:
    """The scene's move as a person makes it by hand with the true mask: the hole filled by OpenCV's Telea inpainting, the
    object pasted, nearer objects kept in front. None without OpenCV."""
    try:
        import cv2
    except ImportError:
        return None
    step, depth = scene.record["move"], [item["pixel"][2] for item in scene.record["objects"]]
    mask = scene.labels == step["object"] + 1
    height, width = mask.shape
    hole = grow(mask, 2).astype(np.uint8) * 255
    filled = cv2.inpaint(scene.image, hole, 5, cv2.INPAINT_TELEA).astype(np.float64)
    shift = np.array([[1, 0, step["dx"]], [0, 1, step["dy"]]], np.float32)
    pasted = cv2.warpAffine(scene.image, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(mask.astype(np.float32), shift, (width, height))[..., None]
    nearer = [k + 1 for k, one in enumerate(depth) if one < depth[step["object"]]]
    alpha = alpha * ~np.isin(scene.labels, nearer)[..., None]
    return (filled * (1 - alpha) + pasted * alpha).round().clip(0, 255).astype(np.uint8)


def scorer(what: str) -> Callable[..., dict[str, float]]:
    """The function that scores `what`. Raises `UserError` for what cannot be scored."""
    scorers = {"tokenizer": evaluate_tokenizer, "move": evaluate_move}
    if what not in scorers:
        raise UserError(f"cannot score {what!r}: expected {', '.join(scorers)} or txt2img")
    return scorers[what]


def _checked_move(scene: Scene, path: str | Path) -> dict:
    """The scene's move. Raises `UserError` where its record does not say all that moving by hand takes too."""
    try:
        step, depths = scene.record["move"], [float(item["pixel"][2]) for item in scene.record["objects"]]
        whole = 0 <= int(step["object"]) < len(depths) and all(np.isfinite(float(step[key])) for key in ("dx", "dy"))
    except (KeyError, IndexError, TypeError, ValueError):
        whole = False
    if not whole:
        raise UserError(f"{path}: {scene.name}.json does not say what moved: expected move with object (the number of one of "
                        "objects, from 0), dx and dy, and objects with pixel (x, y, depth)")  # fmt: skip
    return step


def _array(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def _coded(pipe: VLEPipeline, tokens: VLETokens) -> dict[str, float]:
    """What the tokens cost when coded; nothing where the checkpoint has no statistics to code by."""
    if pipe.tokenizer.code is None:
        return {}
    bits = pipe.tokenizer.bits(tokens)
    return dict(coded_bytes=sum(bits) / 8, bits_per_token=_mean(bits[1:]))


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _summary(rows: list[dict[str, float]], clock: Clock) -> dict[str, float]:
    columns = {key: np.array([row[key] for row in rows if key in row]) for key in rows[0]}
    known = {key: values[~np.isnan(values)] for key, values in columns.items()}  # NaN: a scene has nothing to measure
    summary = {key: round(float(values.mean()), 4) for key, values in known.items() if len(values)}
    summary["scenes"] = len(rows)
    return summary | {f"{name}_ms_median": round(statistics.median(t), 1) for name, t in clock.times.items()}
