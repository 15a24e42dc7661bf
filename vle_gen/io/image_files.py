"""Opening any picture as upright RGB, and saving one so that nothing half-written is ever left behind.

Whatever is wrong with a file becomes a `UserError` of one line.
"""
from __future__ import annotations

import os
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from vle_gen.errors import UserError

MAX_PIXELS = 100_000_000  # above this a file is taken for a decompression bomb
MIN_SIDE = 8  # pixels: nothing can be told apart in less
ICC = "icc_profile"  # what Pillow calls it
PROFILED = ("RGB", "RGBA", "P", "PA")  # modes whose values are red, green and blue
FORMATS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def open_image(path: str | Path) -> Image.Image:
    """The picture at `path` as RGB, the way up that its EXIF says; the first frame of an animation, alpha over white.

    Raises:
        UserError: no such file, not a picture, damaged, under 8 pixels on a side, or over 100 megapixels.
    """
    path = Path(path)
    if not os.path.exists(path):  # Path's fails on names that are too long
        raise UserError(f"{path} does not exist: expected a picture or a .vle file")
    if path.is_dir():
        raise UserError(f"{path} is a folder: expected a picture")
    return read_image(path, path)


def read_image(source: Path | BinaryIO, name: str | Path) -> Image.Image:
    """As `open_image`, from a file or from what is open already; errors call it `name`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; ours is the limit that counts
            with Image.open(source) as file:
                _check_size(file.size, name)
                return _upright(file)
    except UserError:
        raise
    except Image.DecompressionBombError:
        raise UserError(f"{name} is too large: expected at most {MAX_PIXELS // 10**6} megapixels") from None
    except UnidentifiedImageError:
        raise UserError(f"{name} is not a picture: expected a format that Pillow reads, such as PNG or JPEG") from None
    except PermissionError:
        raise UserError(f"{name} cannot be read: permission denied") from None
    except Exception as fault:  # whatever a reader of Pillow's stumbles over is the fault of what is in the file
        raise UserError(f"{name} is damaged and cannot be read: {' '.join(str(fault).split())}") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture of any Pillow mode as 8-bit RGB of its own, EXIF rotation applied, transparency over white.

    An 8-bit RGB picture keeps its values exactly, and the ICC profile that says what they mean, as `info["icc_profile"]`.
    Nothing else is in its `info`.

    Raises:
        UserError: no Pillow picture, one that is too large or too small, or one whose file is damaged, or closed by now.
    """
    if not isinstance(image, Image.Image):
        raise UserError(f"{type(image).__name__} is no picture: expected a PIL.Image.Image")
    _check_size(image.size, "the picture")
    try:
        return _upright(image)
    except Exception as fault:  # Pillow reads the pixels of a file no sooner than they are asked for
        raise UserError(f"the picture cannot be read: {' '.join(str(fault).split())}") from None


def _upright(image: Image.Image) -> Image.Image:
    """The same without checks, with whatever errors Pillow's reader has."""
    profile = profile_of(image)
    result = _flat(ImageOps.exif_transpose(image))
    result.info = {ICC: profile} if profile else {}
    return result


def profile_of(image: Image.Image) -> bytes:
    """The ICC profile of a picture's colours, empty where it has none or is not stored as red, green and blue."""
    profile = image.info.get(ICC)
    return profile if isinstance(profile, bytes) and image.mode in PROFILED and profile[16:20] == b"RGB " else b""


def _flat(image: Image.Image) -> Image.Image:
    """The upright picture as RGB."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_eight_bit(image)).convert("RGB")
    if image.mode == "P" or image.mode == "PA" or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "La":
        image = image.convert("LA")  # Pillow makes nothing else of it
    if image.mode in ("RGBA", "LA", "RGBa"):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB") if image.mode != "RGB" else image.copy()


def _check_size(size: tuple[int, int], name: str | Path) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise UserError(f"{name} is {width} x {height}: expected at most {MAX_PIXELS // 10**6} megapixels")
    if min(size) < MIN_SIDE:
        raise UserError(f"{name} is {width} x {height}: expected at least {MIN_SIDE} pixels on each side")


def _eight_bit(image: Image.Image) -> np.ndarray:
    """Grey of 16 or 32 bits, or float, as uint8 (H, W). Integers over 255 are 16-bit; floats are 0..1 or 0..255."""
    values = np.asarray(image).astype(np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if image.mode == "F":
        scale = 255.0 if values.max(initial=0) <= 1 else 1.0
    else:  # Pillow opens a 16-bit PNG as "I;16" or "I"
        scale = 1.0 if image.mode == "I" and values.max(initial=0) <= 255 else 255 / 65535
    return (values * scale).round().clip(0, 255).astype(np.uint8)


def save_image(image: Image.Image, path: str | Path, text: Mapping[str, str] | None = None) -> Path:
    """Writes `image`, with its ICC profile, to `path` in the format of its suffix, whole or not at all; the path.

    Args:
        text: goes into the metadata of a PNG.

    Raises:
        UserError: a suffix that is no picture format, or a place that cannot be written.
    """
    path = Path(path)
    require_picture_name(path)
    options = {"quality": 95} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    if path.suffix.lower() == ".webp":
        options = {"lossless": True}
    if path.suffix.lower() == ".png" and text:
        options["pnginfo"] = PngInfo()
        for key, value in text.items():
            options["pnginfo"].add_itxt(key, value)
    if profile := image.info.get(ICC):
        options[ICC] = profile  # of JPEG and TIFF Pillow saves it only if told so

    def write(part: Path) -> None:
        try:
            image.save(part, **options)
        except ValueError as fault:  # WebP holds no more than 16383 pixels on a side
            raise UserError(f"cannot write {image.width} x {image.height} pixels as {path}: {fault}") from None

    return write_whole(path, write)


def require_picture_name(path: str | Path, more: tuple[str, ...] = ()) -> None:
    """Raises `UserError` for a suffix that is no picture format, nor one of `more`."""
    formats = (*FORMATS, *more)
    if Path(path).suffix.lower() not in formats:
        raise UserError(f"cannot save a picture as {path}: expected a name that ends in {', '.join(formats)}")


def require_writable(*paths: str | Path | None) -> None:
    """Raises `UserError` where a path, None for none, cannot be written: asked before what takes a while."""
    for path in map(Path, filter(None, paths)):
        place, stream = path.resolve(), is_stream(path)
        if place.is_dir():
            raise UserError(f"cannot write {path}: it is a folder, and the name of a file is expected")
        if not stream and not (place.parent.is_dir() and os.access(place.parent, os.W_OK)):
            raise UserError(f"cannot write {path}: expected a folder that exists, and may be written in, before its name")
        if path.exists() and not os.access(path, os.W_OK):
            raise UserError(f"cannot write {path}: permission denied")


def require_folder(path: str | Path) -> None:
    """Raises `UserError` where a folder neither is nor can be made: there is a file, or no right to write, on the way there."""
    place = Path(path).resolve()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not (place.is_dir() and os.access(place, os.W_OK)):
        wrong = "not to be written" if place.is_dir() else "a file"
        raise UserError(f"cannot write the folder {path}: {place} is {wrong}; expected a folder, or a name that is free")


def require_new_folder(path: str | Path) -> None:
    """Raises `UserError` where something is there already but an empty folder, or where a folder cannot be made."""
    path = Path(path)
    if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
        raise UserError(f"{path} is there already: give another folder")
    require_folder(path)


def make_folder(path: str | Path) -> Path:
    """Makes a folder where there is none, those that it lies in too; the path. Raises `UserError` where that fails."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        wrong = "it is" if path.exists() else "something on the way there is"
        raise UserError(f"cannot make the folder {path}: {wrong} a file; expected a folder, or a name that is free") from None
    except OSError as fault:
        raise UserError(f"cannot make the folder {path}: {fault.strerror}") from None
    return path


@contextmanager
def filled_whole(path: str | Path) -> Iterator[Path]:
    """The folder at `path`, made where there is none, for what is written into it meanwhile: all of that or, where it fails or
    is stopped, nothing, since a part would pass for the whole. Raises `UserError` where the folder holds something already,
    cannot be made, or has no room."""
    folder = make_folder(path)
    if any(folder.iterdir()):
        raise UserError(f"{folder} is not empty: expected a new folder")
    try:
        yield folder
    except BaseException as fault:
        for inside in folder.iterdir():
            shutil.rmtree(inside) if inside.is_dir() else inside.unlink()
        if isinstance(fault, OSError):
            raise UserError(f"cannot write into {folder}: {fault.strerror or fault}") from None
        raise


def readable_by_others(folder: str | Path) -> None:
    """Gives the files of a folder the permissions that new files have, as safetensors does not."""
    for path in Path(folder).rglob("*"):
        if path.is_file():
            path.chmod(0o666 & ~umask())


def write_whole(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Calls `write` on a temporary file beside `path` (same suffix) and renames it when that succeeded; the path. Where that is
    a link, what it leads to is written, and the link stays; a file that is replaced keeps its permissions. A stream is written
    to, and stays what it is."""
    path = Path(path)
    if is_stream(path):
        return _sent(path, write)
    place = path.resolve() if path.is_symlink() else path
    exists = place.is_file()
    if exists and not os.access(place, os.W_OK):
        raise UserError(f"cannot write {path}: permission denied")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=place.parent)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"cannot write {path}: expected a folder that exists, and may be written in, before its name") from None
    except OSError as fault:
        raise UserError(f"cannot write {path}: {fault.strerror}") from None
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        part.chmod(stat.S_IMODE(place.stat().st_mode) if exists else 0o666 & ~umask())
        os.replace(part, place)
    except OSError as fault:
        raise UserError(f"cannot write {path}: {fault.strerror or fault}") from None
    finally:
        part.unlink(missing_ok=True)
    return path


def is_stream(path: Path) -> bool:
    """Whether what is there takes bytes but is no file, such as /dev/stdout, /dev/null or a named pipe."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _sent(path: Path, write: Callable[[Path], object]) -> Path:
    """Writes a temporary file, and what is in it to the stream at `path`; the path."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder) / f"part{path.suffix}"
            write(part)
            with part.open("rb") as source, path.open("wb") as stream:
                shutil.copyfileobj(source, stream)
    except OSError as fault:
        raise UserError(f"cannot write {path}: {fault.strerror or fault}") from None
    return path


_reading_umask = Lock()


def umask() -> int:
    """The process's umask; reading it means setting it, which threads must do in turn, or it would stay what they set."""
    with _reading_umask:
        mask = os.umask(0)
        os.umask(mask)
    return mask
