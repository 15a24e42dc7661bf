"""A folder of cut-outs of one's own, with a CSV of their names, as a pack."""
from __future__ import annotations

import csv
import io
import math
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vle_gen.data.backdrop import cut_out
from vle_gen.data.captioned import LONGEST_NAME
from vle_gen.data.pack import RULES, Pack, PackBackground, PackObject, Placement, trimmed
from vle_gen.data.reading import pixels_of
from vle_gen.errors import UserError
from vle_gen.io.image_files import open_image

PICTURES = (".png", ".webp", ".tif", ".tiff", ".gif", ".jpg", ".jpeg", ".bmp")
COLUMNS = ("file", "name", "aliases", "category", "size", "floats")
GROUND = 256  # most pixels on a side of a background
YES, NO = ("yes", "true", "1"), ("", "no", "false", "0")


def pack_of(
    folder: str | Path,
    names: str | Path | None,
    title: str,
    licence: str = "",
    placement: str = "floor",
    grounds: str | Path | None = None,
) -> Pack:
    """The pack of the cut-outs in a folder: those that the CSV at `names` lists or, without one, all of them.

    `grounds` is a folder of pictures that become backgrounds without a floor, called as their files are.

    Raises:
        UserError: a file that is no cut-out, a CSV that does not fit, or nothing to pack.
    """
    folder = Path(folder)
    if placement not in RULES:
        raise UserError(f"--placement is {placement}: expected {', '.join(RULES)}")
    if names is None:
        rows = [{"file": path.name, "name": _called(path)} for path in _pictures(folder)]
    else:
        rows = _rows(Path(names))
    if not rows:
        raise UserError(f"{names or folder} lists no pictures: expected cut-outs, such as PNG files with transparency")
    objects = tuple(_object(folder, row, k, names) for k, row in enumerate(rows))
    backgrounds = () if grounds is None else tuple(_ground(path, k) for k, path in enumerate(_pictures(Path(grounds))))
    if grounds is not None and not backgrounds:
        raise UserError(f"{grounds} holds no pictures: expected backgrounds, such as JPEG or PNG files")
    return Pack(title, objects, backgrounds, licence=licence, placement=Placement(**{"floor": 0.0, placement: 1.0}))


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: expected one with pictures in it")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def _called(path: Path) -> str:
    return path.stem.replace("_", " ").replace("-", " ")


def _ground(path: Path, number: int) -> PackBackground:
    """The middle square of a picture."""
    image = open_image(path)
    side = min(image.size)
    square = ImageOps.fit(image, (min(side, GROUND), min(side, GROUND)), Image.Resampling.LANCZOS)
    return PackBackground(f"backgrounds/{number:04d}.webp", (_called(path),), np.asarray(square), shaded=False)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise UserError(f"cannot read {path}: {fault}") from None
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    try:
        heads, given = reader.fieldnames or [], [(reader.line_num, row) for row in reader]
    except csv.Error as fault:
        raise UserError(f"{path}, line {reader.line_num}: {fault}") from None
    if twice := next((head for head in heads if heads.count(head) > 1), None):
        raise UserError(f"{path}: column {twice!r} is there twice: expected it once")
    if "file" not in heads or "name" not in heads:
        raise UserError(f"{path}: the first line is {','.join(heads)!r}: expected column names, file and name among them")
    unknown = [head for head in heads if head not in COLUMNS]
    if unknown:
        raise UserError(f"{path}: unknown column {unknown[0]!r}: expected {', '.join(COLUMNS)}")
    rows = []
    for number, row in given:
        if None in row or None in row.values():
            raise UserError(f"{path}, line {number}: expected {len(heads)} values, as the first line has")
        rows.append({key: " ".join(value.split()) if key == "name" else value.strip() for key, value in row.items()})
    return rows


def _object(folder: Path, row: dict[str, str], number: int, names: str | Path | None) -> PackObject:
    if not row["file"]:
        raise UserError(f"{names}: the file of {row['name']!r} is empty")
    file, where = folder / row["file"], f"{names}, picture {row['file']}"
    if not row["name"]:
        raise UserError(f"{where}: the name is empty")
    if len(row["file"]) > LONGEST_NAME:
        raise UserError(f"{names}: {row['file'][:40]!r}... is too long for the name of a file: are the columns in order?")
    if not os.path.isfile(file):  # Path's fails on names of too many bytes
        raise UserError(f"{where}: {file} {'is a folder' if os.path.isdir(file) else 'does not exist'}")
    pixels = cutout(file)
    floats = row.get("floats", "").lower()
    if floats not in YES + NO:
        raise UserError(f"{where}: floats is {floats!r}: expected yes or no")
    return PackObject(
        file=f"objects/{number:04d}.webp",
        name=row["name"],
        pixels=pixels,
        aliases=tuple(alias.strip() for alias in row.get("aliases", "").split(";") if alias.strip()),
        category=row.get("category", ""),
        size=_size(row.get("size") or "1", where),
        floats=floats in YES,
    )


def cutout(file: Path, plain: bool = False) -> np.ndarray:
    """The cut-out in a file, (h, w, 4) uint8, trimmed to what shows. With `plain` a picture without transparency is cut out of
    its backdrop, where that is of one colour. Raises `UserError` that names the file."""
    if not file.is_file():
        wrong = "is a folder" if file.is_dir() else "does not exist"
        raise UserError(f"{file} {wrong}: expected a cut-out, such as a PNG with transparency")
    try:
        pixels = pixels_of(file.read_bytes(), "RGBA")
        if plain and pixels[..., 3].min() == 255:
            pixels = cut_out(pixels[..., :3])
        return trimmed(pixels)
    except OSError as fault:
        raise UserError(f"{file} cannot be read: {fault.strerror}") from None
    except ValueError as fault:
        raise UserError(f"{file} {fault}") from None


def _size(text: str, where: str) -> float:
    try:
        size = float(text)
    except ValueError:
        size = math.nan
    if not 0 < size < 100:
        raise UserError(f"{where}: size is {text}: expected a number above 0, such as 1 (a large solid is 1.4 wide)")
    return size
