"""What becomes of odd and broken inputs: pictures of every kind, and .vle files that were damaged or forged.

    python benchmarks/fuzz.py [--count 400] [--seed 0] [--json counts.json]

An outcome is "fine" (read, and drawn where it is drawn), "error" (one clear line) or "crash" (anything else, which is a
fault of ours and is listed).
"""
from __future__ import annotations

import argparse
import io
import json
import random
import struct
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

import vle_gen
from editors import move
from vle_gen.errors import UserError
from vle_gen.io.image_files import open_image
from vle_gen.tokens import VLETokens

SCENE = Path(__file__).parent.parent / "tests" / "fixtures" / "scenes" / "300000.png"
MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F")
FORMATS = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "BMP": ".bmp", "TIFF": ".tif", "WEBP": ".webp", "PPM": ".ppm",
           "TGA": ".tga", "ICO": ".ico", "PCX": ".pcx", "JPEG2000": ".jp2"}  # fmt: skip
SIZES = ((8, 8), (1, 40), (40, 1), (7, 90), (9, 200), (200, 9), (33, 47), (64, 64), (255, 8))


@dataclass(frozen=True)
class Case:
    """A file to read, and what kind of oddity it is."""

    kind: str
    name: str
    data: bytes


def picture_cases(count: int, seed: int) -> Iterator[Case]:
    """Pictures: every mode in every format that holds it, sizes, EXIF, animations, and `count` damaged ones."""
    small = Image.open(SCENE).convert("RGB").resize((48, 40))
    for mode in MODES:
        for form, suffix in FORMATS.items():
            data = _saved(_in_mode(small, mode), form)
            if data is not None:
                yield Case("modes and formats", f"{mode.replace(';', '')}{suffix}", data)
    for width, height in SIZES:
        yield Case("sizes", f"{width}x{height}.png", _saved(small.resize((width, height)), "PNG"))
    for orientation in range(0, 10):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield Case("EXIF orientations", f"exif{orientation}.jpg", _saved(small, "JPEG", exif=exif))
    frames = [small.rotate(angle) for angle in (0, 10, 20)]
    for form in ("GIF", "WEBP", "TIFF", "PNG"):
        yield Case("animations", f"film{FORMATS[form]}", _saved(small, form, save_all=True, append_images=frames))
    yield Case("bombs", "bomb.png", _png_header(30000, 30000))
    yield Case("bombs", "empty.png", b"")
    yield Case("bombs", "zero.png", _png_header(0, 10))
    yield Case("bombs", "text.png", b"hello")
    sources = [(suffix, _saved(small, form)) for form, suffix in FORMATS.items() if _saved(small, form)]
    rng = random.Random(seed)
    for number in range(count):
        suffix, data = rng.choice(sources)
        yield Case("damaged pictures", f"bad{number}{suffix}", _damaged(data, rng))


def vle_cases(tokens: VLETokens, count: int, seed: int, folder: Path) -> Iterator[Case]:
    """Token files: `count` with damaged bytes, `count` with a whole but wrong content."""
    path = folder / "seed.vle"
    tokens.save(path)
    whole, rng = path.read_bytes(), random.Random(seed)
    yield Case("token files as written", "whole.vle", whole)
    for number in range(count):
        yield Case("damaged token files", f"bad{number}.vle", _damaged(whole, rng))
    with safe_open(path, "pt") as file:
        header, tensors = dict(file.metadata()), {name: file.get_tensor(name) for name in file.keys()}
    for number in range(count):
        forged, said, kind = dict(tensors), dict(header), rng.randrange(3)
        name = rng.choice(sorted(forged))
        if kind == 0:
            del forged[name]
        elif kind == 1:
            forged[name] = _forged(forged[name], rng)
        else:
            key = rng.choice(sorted(said))
            said[key] = rng.choice(["", "[]", "{}", "null", "[0, 0]", "[-3, 7]", "[1e9, 2]", '["a"]', "[[1]]", "x", "7"])
        target = folder / "forged.vle"
        save_file({key: value.contiguous() for key, value in forged.items()}, target, said)
        yield Case("forged token files", f"forged{number}.vle", target.read_bytes())


def outcome(read: Callable[[Path], object], path: Path) -> str:
    """What `read` makes of a file: "fine", "error", or "crash" and what was raised."""
    try:
        read(path)
        return "fine"
    except UserError as fault:
        return "error" if "\n" not in str(fault) else f"crash: an error of several lines: {fault}"
    except Exception as fault:
        return f"crash: {type(fault).__name__}: {' '.join(str(fault).split())[:160]}"


def draw(pipe, tokens: VLETokens) -> None:
    """All that the commands do with tokens."""
    tokens.label_map()
    pipe.decode(tokens)
    if len(tokens) > 1:
        pipe.decode(move(tokens, 1, 5, 3))


def run(pipe, count: int, seed: int) -> tuple[dict[str, Counter], list[str]]:
    """Counts of outcomes by kind of case, and the crashes in words."""
    counts: dict[str, Counter] = {}
    crashes = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokens = pipe.encode(open_image(SCENE).resize((96, 96)))
        readers = [
            (picture_cases(count, seed), lambda path: pipe.encode(open_image(path))),
            (vle_cases(tokens, count, seed, folder), lambda path: draw(pipe, VLETokens.load(path))),
        ]
        for cases, read in readers:
            for case in cases:
                path = folder / case.name
                path.write_bytes(case.data)
                came = outcome(read, path)
                path.unlink()
                counts.setdefault(case.kind, Counter())[came.split(":")[0]] += 1
                if came.startswith("crash"):
                    crashes.append(f"{case.kind}, {case.name}: {came}")
    return counts, crashes


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if mode in ("PA", "La", "RGBa"):
        return image.convert({"PA": "P", "La": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
    return image.convert("LAB") if mode == "LAB" and _can(image, mode) else image.convert("RGB" if mode == "LAB" else mode)


def _can(image: Image.Image, mode: str) -> bool:
    try:
        image.convert(mode)
        return True
    except ValueError:
        return False


def _saved(image: Image.Image, form: str, **options) -> bytes | None:
    """The picture as the bytes of a file; None where the format cannot hold its mode."""
    buffer = io.BytesIO()
    try:
        image.save(buffer, form, **options)
    except (OSError, ValueError, KeyError, SystemError):
        return None
    return buffer.getvalue()


def _damaged(data: bytes, rng: random.Random) -> bytes:
    """Cut short, or with some bytes changed, doubled or left out."""
    data, kind = bytearray(data), rng.randrange(4)
    if kind == 0:
        return bytes(data[: rng.randrange(len(data))])
    for _ in range(rng.choice((1, 2, 8, 64))):
        at = rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(min(len(data), 512))
        if kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            data[at:at] = data[at : at + rng.randrange(1, 9)]
        else:
            del data[at : at + rng.randrange(1, 9)]
        if not data:
            break
    return bytes(data)


def _forged(value: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """A tensor of another shape, type or content."""
    kind = rng.randrange(6)
    if kind == 0:
        return value.flatten()[: max(1, value.numel() // 2)].clone()
    if kind == 1:
        return value[None].clone()
    if kind == 2:
        return value.to(rng.choice([torch.float16, torch.int64, torch.uint8, torch.float64])).clone()
    if kind == 3:
        return value.clone().zero_()
    if kind == 4:
        return torch.full_like(value, rng.choice([-1, 200, 1e30, float("nan")])) if value.is_floating_point() else value + 100
    return value[..., :1].clone() if value.ndim else value.clone()


def _png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=400, help="damaged pictures, damaged and forged token files each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    counts, crashes = run(vle_gen.load(), options.count, options.seed)
    for kind, seen in counts.items():
        print(f"{kind:24} {sum(seen.values()):5}  " + "  ".join(f"{name} {seen[name]}" for name in ("fine", "error", "crash")))
    for line in crashes:
        print(line)
    if options.json:
        options.json.write_text(json.dumps({"counts": counts, "crashes": crashes}, indent=2))


if __name__ == "__main__":
    main()
