"""Edits as they happen: the frames between two states of a picture, and films of them."""
from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Iterator
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from editors import interpolate
from vle_gen.errors import UserError
from vle_gen.io.image_files import write_whole

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens

FILMS = (".gif", ".webp", ".mp4")
COLOURS = 256  # of a GIF's palette
SLOWEST = 0.01  # frames a second: a .gif shows none for longer than 655 s
LEAP = 10  # levels that a dithered pixel may be further off than the nearest colour is


def check(path: Path) -> None:
    """Raises `UserError` where a film could not be written to `path`, before anything is drawn."""
    suffix = path.suffix.lower()
    if suffix not in FILMS:
        raise UserError(f"cannot save an animation as {path}: expected a name that ends in {', '.join(FILMS)}")
    if suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise UserError(f"cannot save {path}: .mp4 needs ffmpeg, which is not on the PATH; .gif and .webp do without")


def count(frames: int, back: bool) -> int:
    """How many frames are drawn: with `back` those of the way back too, ends once."""
    return 2 * frames - 2 if back else frames


def frames(
    pipe: VLEPipeline, before: VLETokens, after: VLETokens, number: int, back: bool = False
) -> Iterator[Image.Image]:
    """`number` pictures from one state to another, slow at both ends, and with `back` those of the way back. Raises `UserError`
    for fewer than 2."""
    if not isinstance(number, Integral) or number < 2:
        raise UserError(f"{number!r} frames show no edit: expected 2 or more, whole ones")
    drawn = []
    for k in range(number):
        t = k / (number - 1)
        image = pipe.decode(interpolate(before, after, t * t * (3 - 2 * t)))
        drawn.append(image)
        yield image
    if back:
        yield from drawn[-2:0:-1]


def write(images: list[Image.Image], path: str | Path, fps: float) -> Path:
    """Writes a film that loops, of `fps` frames a second, whole or not at all; the path. Raises `UserError` for no frames, for
    a rate that no film has, and where none can be written."""
    path, suffix = Path(path), Path(path).suffix.lower()
    check(path)
    if not images:
        raise UserError(f"cannot save an animation as {path}: there are no frames")
    if not (isinstance(fps, Real) and SLOWEST <= fps < math.inf):
        raise UserError(f"{fps!r} frames a second cannot be shown: expected {SLOWEST} or more")
    if suffix == ".mp4":
        return write_whole(path, lambda part: _encode(images, part, fps))
    options = {"save_all": True, "duration": round(1000 / fps), "loop": 0}
    if suffix == ".gif":
        times = gif_times(len(images), fps)
        images, options = _with_one_palette(images), options | {"optimize": False, "disposal": 1, "duration": times}
    else:
        options |= {"quality": 90, "method": 4}

    def save(part: Path) -> None:
        try:
            images[0].save(part, append_images=images[1:], **options)
        except (ValueError, RuntimeError) as fault:  # WebP holds no more than 16383 pixels on a side
            size = " x ".join(map(str, images[0].size))
            raise UserError(f"cannot write frames of {size} pixels as {path}: {fault}") from None

    return write_whole(path, save)


def gif_times(count: int, fps: float) -> list[int]:
    """How long each of `count` frames of a .gif is shown, in milliseconds: files hold hundredths of a second, so that frames
    differ by one to keep pace, and browsers take what is below two hundredths for ten."""
    ends = [round(100 * (k + 1) / fps) for k in range(count)]
    return [10 * max(2, end - start) for start, end in zip([0, *ends], ends, strict=False)]


def _with_one_palette(images: list[Image.Image]) -> list[Image.Image]:
    """The pictures in one palette, so that what does not move does not flicker either."""
    width, height = images[0].size
    chosen = [images[0], images[len(images) // 2], images[-1]]
    sheet = Image.new("RGB", (width, height * len(chosen)))
    for row, image in enumerate(chosen):
        sheet.paste(image, (0, row * height))
    palette = sheet.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    first, still = np.asarray(images[0]), _in_palette(images[0], palette)
    result = []
    for image in images:
        drawn = _in_palette(image, palette)
        same = (np.asarray(image) == first).all(-1)
        drawn[same] = still[same]
        indexed = Image.fromarray(drawn, "P")
        indexed.putpalette(palette.getpalette())
        result.append(indexed)
    return result


def _in_palette(image: Image.Image, palette: Image.Image) -> np.ndarray:
    """The picture's pixels (H, W) as colours of the palette: dithered, but for dots that would stand out."""
    drawn = [image.quantize(palette=palette, dither=dither) for dither in (Image.Dither.FLOYDSTEINBERG, Image.Dither.NONE)]
    off = [np.abs(np.asarray(one.convert("RGB")).astype(int) - np.asarray(image)).max(-1) for one in drawn]
    return np.where(off[0] > off[1] + LEAP, np.asarray(drawn[1]), np.asarray(drawn[0]))


def _encode(images: list[Image.Image], path: Path, fps: float) -> None:
    """Runs ffmpeg on raw frames, cut to even sides as H.264 wants them."""
    width, height = images[0].size
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", f"{fps:g}", "-i", "-", "-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2", "-pix_fmt", "yuv420p", str(path)]
    done = subprocess.run(command, input=b"".join(image.tobytes() for image in images), capture_output=True)
    if done.returncode:
        raise UserError(f"ffmpeg could not write {path.name}: {' '.join(done.stderr.decode(errors='replace').split())}")
