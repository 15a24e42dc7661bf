"""How sure tokens say they are, on scenes of the kind that the checkpoint knows and on pictures of other kinds.

    python benchmarks/confidence.py sprites.tar DEV [--pictures FOLDER] [--composed 40] [--limit N] [--checkpoint C]

Tokens that overlap a true object by half count as right; tokens of pictures of other kinds (a landscape, a drawing, a
screenshot, a page of text, patterns and noise are made here; FOLDER may hold more, such as photographs) count as wrong. A
logistic regression on the evidence of each token gives the constants of the checkpoint (`step_weight`, `error_weight` and
`even_error` in its config.json), right and wrong being weighed alike; beside it stands how those that it has do.
"""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from length import composed
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rich.progress import track

import vle_gen
from vle_gen.evaluation.evaluate import read_scenes
from vle_gen.evaluation.metrics import best_match
from vle_gen.io.image_files import open_image
from vle_gen.pipeline import VLEPipeline
from vle_gen.tokenizer.loop import confidence, encode_picture
from vle_gen.tokens import SURE

HEIGHT, WIDTH = 320, 480
MATCH = 0.5


def clouds(random: np.random.Generator, roughness: float) -> np.ndarray:
    """A picture with a power spectrum like that of photographs: (H, W, 3), mean 0 and deviation 1."""
    frequency = np.hypot(np.fft.fftfreq(HEIGHT)[:, None], np.fft.fftfreq(WIDTH)[None])
    white = np.fft.fft2(random.standard_normal((3, HEIGHT, WIDTH)))
    values = np.fft.ifft2(white / np.maximum(frequency, 1 / WIDTH) ** roughness).real.transpose(1, 2, 0)
    return (values - values.mean((0, 1))) / values.std((0, 1))


def strange(seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Pictures of other kinds than the checkpoint was trained on, by name."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    shades = lambda values: np.clip(values, 0, 255).astype(np.uint8)
    yield "noise", shades(random.integers(0, 256, (HEIGHT, WIDTH, 3)))
    yield "gradient", shades(np.stack([x / WIDTH * 255, y / HEIGHT * 255, 128 + 0 * x], -1))
    yield "stripes", shades((128 + 100 * np.sin(x / 9.0))[..., None] * np.ones(3))
    yield "checks", shades(((x // 20 + y // 20) % 2 * 200 + 30)[..., None] * np.ones(3))
    for k in range(3):
        yield f"clouds {k}", shades(128 + 55 * clouds(random, 1.2 + 0.4 * k))
        yield f"landscape {k}", landscape(random)
        yield f"lights {k}", lights(random)
    yield "drawing", drawing()
    yield "screenshot", screenshot()
    yield "page", page(random)


def landscape(random: np.random.Generator) -> np.ndarray:
    """A textured sky over textured hills with trees."""
    y = np.mgrid[:HEIGHT, :WIDTH][0]
    ridge = HEIGHT * 0.45 + 54 * np.cumsum(random.standard_normal(WIDTH)) / np.sqrt(WIDTH)
    sky = np.array([125, 170, 225]) + (y / HEIGHT * 60)[..., None] + 12 * clouds(random, 1.8)
    ground = np.array([75, 105, 55]) + 25 * clouds(random, 1.5)
    picture = Image.fromarray(np.clip(np.where((y > ridge)[..., None], ground, sky), 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(6):
        left = int(random.integers(WIDTH))
        foot, size = ridge[left] + random.integers(20, 120), random.integers(30, 90)
        draw.rectangle((left - 3, foot - size / 2, left + 3, foot), (80, 50, 30))
        for dx, dy in random.normal(0, size / 5, (30, 2)):
            green = (30, int(random.integers(80, 150)), 30)
            draw.ellipse((left + dx - 9, foot - 0.7 * size + dy - 9, left + dx + 9, foot - 0.7 * size + dy + 9), green)
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(0.8)))


def lights(random: np.random.Generator) -> np.ndarray:
    """Lights out of focus in the dark."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), (20, 20, 40))
    draw = ImageDraw.Draw(picture)
    for _ in range(25):
        x, y, radius = random.integers(WIDTH), random.integers(HEIGHT), random.integers(10, 40)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), tuple(int(v) for v in random.integers(60, 255, 3)))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(6)))


def drawing() -> np.ndarray:
    """A house, a person and a sun in flat colours."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 240, WIDTH, HEIGHT), (110, 190, 90))
    draw.rectangle((80, 140, 200, 250), (200, 80, 60), "black", 3)
    draw.polygon([(70, 140), (140, 70), (210, 140)], (120, 60, 40), "black", 3)
    draw.ellipse((390, 30, 440, 80), "orange")
    draw.line((340, 280, 340, 190), "black", 4)
    draw.ellipse((322, 155, 358, 191), outline="black", width=4)
    return np.asarray(picture)


def screenshot() -> np.ndarray:
    """A window with a list, cards and buttons."""
    picture, font = Image.new("RGB", (WIDTH, HEIGHT), (245, 245, 247)), ImageFont.load_default(11)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, WIDTH, 24), (50, 54, 62))
    for k in range(9):
        draw.text((8, 34 + k * 22), f"item number {k}", (60, 60, 60), font)
    for k in range(3):
        draw.rounded_rectangle((130 + k * 112, 40, 230 + k * 112, 120), 8, "white", (200, 200, 200))
        draw.rounded_rectangle((140 + k * 112, 90, 190 + k * 112, 108), 4, (66, 133, 244))
    return np.asarray(picture)


def page(random: np.random.Generator) -> np.ndarray:
    """A page of text."""
    picture, font = Image.new("RGB", (WIDTH, HEIGHT), (252, 250, 245)), ImageFont.load_default(12)
    words = "it was the best of times it was the worst of times it was the age of wisdom".split()
    for k in range(16):
        ImageDraw.Draw(picture).text((30, 14 + k * 18), " ".join(random.choice(words, 14)), (20, 20, 20), font)
    return np.asarray(picture)


def evidence_of(pipe: VLEPipeline, picture: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, list[bool]]:
    """Evidence (K, 2) of the object tokens of a picture, and which of them are of true objects."""
    pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1)
    code = encode_picture(pipe.tokenizer.network, pixels.float() / 255)
    if labels is None:
        return code.evidence[1:].numpy(), [False] * (len(code.what) - 1)
    found = pipe.tokenizer.encode(pixels).label_map()
    right = set()
    for k in np.unique(labels[labels > 0]):
        index, overlap = best_match(labels == k, found)
        if overlap >= MATCH:
            right.add(index)
    return code.evidence[1:].numpy(), [index in right for index in range(1, len(code.what))]


def fitted(evidence: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Logistic regression (bias, weights) by Newton's method, both classes weighed alike."""
    inputs = np.concatenate([np.ones((len(evidence), 1)), evidence], 1)
    share = np.where(right, 0.5 / right.sum(), 0.5 / (~right).sum())
    weights, ridge = np.zeros(inputs.shape[1]), np.diag([0.0] + [1e-3] * evidence.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (share * (right - p)) - ridge @ weights
        curvature = (inputs * (share * p * (1 - p))[:, None]).T @ inputs + ridge + 1e-9 * np.eye(len(ridge))
        weights = weights + np.linalg.solve(curvature, slope)
    return weights


def area_under_curve(values: np.ndarray, right: np.ndarray) -> float:
    """How often a right token has the greater value of a right and a wrong one."""
    good, bad = values[right][:, None], values[~right][None]
    return float((good > bad).mean() + 0.5 * (good == bad).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprites", help="sprite pack of rigs: a folder or .tar; not read with --composed 0")
    parser.add_argument("dev", type=Path, help="scenes with masks: a folder or .tar")
    parser.add_argument("--pictures", type=Path, help="folder of pictures of other kinds")
    parser.add_argument("--composed", type=int, default=40, help="how many composed scenes")
    parser.add_argument("--limit", type=int, help="the first scenes of DEV only")
    parser.add_argument("--checkpoint")
    args = parser.parse_args()
    pipe = vle_gen.load(args.checkpoint)
    sizes = pipe.tokenizer.network.sizes
    known = [(scene.image, scene.labels) for scene in read_scenes(args.dev, args.limit)]
    known += list(composed(args.sprites, args.composed)) if args.composed else []
    other = list(strange())
    if args.pictures:
        paths = sorted(path for path in args.pictures.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"))
        other += [(path.stem, np.asarray(open_image(path))) for path in paths]
    parts = [evidence_of(pipe, picture, labels) for picture, labels in track(known, "known")]
    unlike = {name: evidence_of(pipe, picture, None) for name, picture in track(other, "other")}
    for name, (evidence, _) in unlike.items():
        sure = (confidence(torch.from_numpy(evidence), sizes) >= SURE).sum() if len(evidence) else 0
        print(f"{name}: {len(evidence)} tokens, {int(sure)} sure")
    missed = sum(len(right) - sum(right) for _, right in parts)
    kept = [(e[np.array(right, bool)], [True] * sum(right)) for e, right in parts]  # what is wrong in known scenes is rare
    kept += list(unlike.values())
    evidence = np.concatenate([e for e, _ in kept if len(e)]).astype(np.float64)
    right = np.array([r for _, rs in kept for r in rs])
    score = confidence(torch.from_numpy(evidence), sizes).numpy()
    print(f"{right.sum()} right, {(~right).sum()} of pictures of other kinds; {missed} wrong in known scenes, left out")
    alone, both = area_under_curve(evidence[:, 0], right), area_under_curve(score, right)
    print(f"area under the curve: the step's score alone {alone:.4f}, score {both:.4f}")
    sure = score >= SURE
    print(f"at {SURE}: {sure[right].mean():.4f} of the right are sure, {sure[~right].mean():.4f} of the others")
    bias, step, error = fitted(evidence, right)
    print(f"as it is: step_weight {sizes.step_weight}, error_weight {sizes.error_weight}, even_error {sizes.even_error:.2g}")
    even = np.exp(-bias / error)
    print(f"fitted: step_weight {step:.2f}, error_weight {-error:.2f}, even_error {even:.2g}")
    for at in (0.5, 0.9):
        says = 1 / (1 + np.exp(-bias - evidence @ np.array([step, error])))
        shares = (says >= at)[right].mean(), (says >= at)[~right].mean()
        print(f"fitted, at {at}: {shares[0]:.4f} of the right, {shares[1]:.4f} of the others")


if __name__ == "__main__":
    main()
