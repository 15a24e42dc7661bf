"""How many tokens pictures take, and what each further token is worth.

    python benchmarks/length.py sprites.tar DEV [-o docs/length.png] [--json t.json] [--composed 60] [--checkpoint C]

Left: tokens in use against true objects, of scenes composed of the sprites (1 to 9 objects) and of DEV. Middle, where the
checkpoint has statistics to code by: bytes of the tokens against bytes of the picture as a lossless WebP, which is how much
there is to say. Right: the error when a picture is rebuilt from its scene token and k object tokens for k = 0, 1, ...: in
the order in which the loop writes them (nearest first, as trained with reconstruction after every token), and the k that
are worth most, as `--max-tokens` keeps them. Mean squared error as a share of that of the scene token alone.
"""
from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from plot import Series, beside, chart
from rich.progress import track

import vle_gen
from vle_gen.data.compose import Composer
from vle_gen.data.sprites import SpriteBank
from vle_gen.evaluation.evaluate import SEEN, read_scenes
from vle_gen.pipeline import VLEPipeline
from vle_gen.tokenizer.loop import glimpse_picture
from vle_gen.tokenizer.render import render_tokens
from vle_gen.tokenizer.worth import worth_keeping
from vle_gen.tokens import VLETokens
from vle_gen.workflows.files import write_json

LONGEST = 10  # tokens up to which errors are shown


def composed(sprites: str, count: int, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures (384 x 256) and labels of new layouts of the sprites."""
    composer, generator = Composer(SpriteBank.load(sprites)), torch.Generator().manual_seed(seed)
    for _ in range(count):
        scene = composer(1, generator, 256, 384)
        picture = (scene.image[0].permute(1, 2, 0) * 255).round().byte().numpy()
        yield picture, scene.labels[0].numpy()


def errors(pipe: VLEPipeline, tokens: VLETokens, picture: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean squared errors with 0, 1, ... object tokens: as they are written, and those worth most."""
    net = pipe.tokenizer.network
    what, where, depth = tokens.what[0], tokens.where[0], tokens.depth[0]
    pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1).float() / 255
    seen = glimpse_picture(pixels, net.sizes.glimpse_side)[0]

    def error(kept: list[int]) -> float:
        again = render_tokens(net, what[kept], where[kept], depth[kept], *seen.shape[-2:])
        return float((again.clamp(0, 1) - seen).square().mean())

    counts = range(1, len(tokens) + 1)
    written = [error(list(range(k))) for k in counts]
    best = [error(sorted(worth_keeping(net, seen, what, where, depth, most=k))) for k in counts]
    return written, best


def lossless(picture: np.ndarray) -> int:
    """Bytes of the picture as a lossless WebP."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", lossless=True, quality=50)
    return len(buffer.getvalue())


def correlation(x: list[float], y: list[float]) -> float:
    """Pearson's."""
    return float(np.corrcoef(x, y)[0, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprites", help="sprite pack: a folder or .tar")
    parser.add_argument("dev", type=Path, help="scenes with masks: a folder or .tar")
    parser.add_argument("--composed", type=int, default=60, help="how many composed scenes")
    parser.add_argument("--limit", type=int, help="the first scenes of DEV only")
    parser.add_argument("--checkpoint")
    parser.add_argument("-o", "--out", type=Path, help="where the plots go")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    args = parser.parse_args()
    pipe = vle_gen.load(args.checkpoint)
    rendered = [(scene.image, scene.labels) for scene in read_scenes(args.dev, args.limit)]
    groups = {"composed": list(composed(args.sprites, args.composed)), "rendered": rendered}
    objects, used, sizes, small, curves = {}, {}, [], [], []
    for name, scenes in groups.items():
        objects[name], used[name] = [], []
        for picture, labels in track(scenes, name):
            tokens = pipe.encode(Image.fromarray(picture))
            visible = sum((labels == k).sum() >= SEEN for k in np.unique(labels[labels > 0]))
            objects[name].append(int(visible))
            used[name].append(len(tokens))
            if pipe.tokenizer.code is not None:
                sizes.append(lossless(picture) / picture[..., 0].size * 8)
                small.append(len(pipe.tokenizer.compress(tokens)))
            if len(tokens) > 1:
                curves.append(errors(pipe, tokens, picture))
    summary = {
        f"{name}_{key}": value
        for name in groups
        for key, value in {
            "scenes": len(used[name]), "tokens": float(np.mean(used[name])),
            "tokens_against_objects": correlation(objects[name], used[name]),
            "exactly_one_a_visible_object": float(np.mean(np.array(used[name]) == np.array(objects[name]) + 1)),
        }.items()
    }  # fmt: skip
    steps = {}
    for label, which in (("as written, nearest first", 0), ("worth most first", 1)):
        relative = [[value / curve[0][0] for value in curve[which]] for curve in curves]
        held = [[one[min(k, len(one) - 1)] for one in relative] for k in range(LONGEST)]  # a complete picture stays as it is
        steps[label] = [float(np.mean(values)) for values in held]
    summary["error_after_k_tokens"] = steps
    for key, value in summary.items():
        print(key, value)
    left = chart("Tokens follow objects", "visible objects", "tokens in use", [
        Series(name, [(x, y) for x, y in zip(objects[name], used[name], strict=True)], dots=True) for name in groups
    ])  # fmt: skip
    right = chart("Error after every token", "object tokens kept", "dB below the scene token alone", [
        Series(label, [(k, 10 * float(np.log10(v))) for k, v in enumerate(values)]) for label, values in steps.items()
    ])  # fmt: skip
    charts = [left, right]
    if small:
        summary["bytes_against_entropy"] = correlation(sizes, small)
        print("bytes_against_entropy", summary["bytes_against_entropy"])
        points = [(x, float(y)) for x, y in zip(sizes, small, strict=True)]
        series = [Series("composed and rendered", points, dots=True)]
        middle = chart("Bytes follow what there is to say", "lossless WebP, bits per pixel", "bytes of the tokens", series)
        charts.insert(1, middle)
    if args.out:
        beside(charts).save(args.out)
        print(args.out)
    if args.json:
        write_json(summary, args.json)


if __name__ == "__main__":
    main()
