"""The schema of a pack of cut-outs: a folder or tar with `pack.json` at its top and the pictures that it lists.

docs/packs.md describes it for people. Reading checks everything, so that what is read can be used.
"""
from __future__ import annotations

import difflib
import io
import json
import math
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from prompts.grounds import ARTICLES
from vle_gen.data.floor import Floor
from vle_gen.data.reading import read_files, read_json, read_pixels
from vle_gen.errors import UserError
from vle_gen.io.image_files import require_writable, write_whole

INDEX = "pack.json"
FORMAT = "vlegen pack 1"
RULES = ("floor", "free", "stacked")
RIG_GROUND = ("a grey floor",)  # what is behind the objects of a rig
LEAST_SIDE = 8  # pixels of a cut-out
SEEN = 128  # alpha from which a pixel is the object's


@dataclass(frozen=True)
class Placement:
    """How often a scene of the pack follows each rule; the three sum to 1."""

    floor: float = 1.0  # on the floor, in perspective
    free: float = 0.0  # anywhere, before a wall or in the sky
    stacked: float = 0.0  # on the floor and on one another


@dataclass(frozen=True)
class PackObject:
    """One cut-out. `pixels` (h, w, 4) uint8 is trimmed to what shows, alpha straight."""

    file: str
    name: str
    pixels: np.ndarray
    aliases: tuple[str, ...] = ()
    category: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    size: float = 1.0  # the longer side, in floor units: a large solid is 1.4 wide
    floats: bool = False  # it hangs in the air
    held_out: bool = False  # never trained on


@dataclass(frozen=True)
class PackBackground:
    """A square picture to put objects before. `pixels` (C, C, 3) uint8; without a floor objects hang before it."""

    file: str
    words: tuple[str, ...]
    pixels: np.ndarray
    floor: Floor | None = None
    shaded: bool = True  # what hangs before it casts a shadow on it: a wall does, a sky does not


@dataclass(frozen=True)
class Pack:
    """A pack of cut-outs."""

    name: str
    objects: tuple[PackObject, ...]
    backgrounds: tuple[PackBackground, ...] = ()
    weight: float = 1.0
    placement: Placement = field(default_factory=Placement)
    licence: str = ""


def is_cutout_pack(files: Mapping[str, bytes]) -> bool:
    """Whether these are the files of a pack of cut-outs (else they may be rigs)."""
    return INDEX in files


def read_pack(path: str | Path, files: dict[str, bytes] | None = None) -> Pack:
    """Reads and checks a pack; `files` where they have been read already. Raises `UserError` that names the file."""
    files = read_files(path) if files is None else files
    if INDEX not in files:
        raise UserError(f"{path} is no pack of cut-outs: expected {INDEX} at its top ('vlegen data pack' writes one)")
    return _Reader(path, files).pack()


class _Reader:
    """Checks one pack's records, with the place in the file that is looked at for errors."""

    def __init__(self, path: str | Path, files: dict[str, bytes]):
        self.path, self.files = path, files

    def pack(self) -> Pack:
        whole = self._record(read_json(self.files, INDEX, self.path), INDEX, {
            "format": str, "name": str, "licence": str, "weight": float, "placement": object, "objects": list,
            "backgrounds": list,
        }, ("format", "name", "objects"))  # fmt: skip
        if whole["format"] != FORMAT:
            raise self._wrong(INDEX, f"format is {whole['format']!r}: expected {FORMAT!r}")
        objects = tuple(self._object(record, k) for k, record in enumerate(whole["objects"]))
        if not objects:
            raise self._wrong(INDEX, "objects is empty: expected at least one")
        return Pack(
            name=whole["name"],
            objects=objects,
            backgrounds=tuple(self._background(record, k) for k, record in enumerate(whole.get("backgrounds", ()))),
            weight=self._positive(whole.get("weight", 1.0), INDEX, "weight"),
            placement=self._placement(whole.get("placement", "floor")),
            licence=whole.get("licence", ""),
        )

    def _object(self, value: Any, k: int) -> PackObject:
        where = f"{INDEX}, object {k}"
        record = self._record(value, where, {
            "file": str, "name": str, "aliases": list, "category": str, "attributes": dict, "size": float, "floats": bool,
            "held_out": bool,
        }, ("file", "name"))  # fmt: skip
        where = f"{INDEX}, object {record['name']!r}"
        name = " ".join(record["name"].split())
        if not name:
            raise self._wrong(where, "name is empty")
        aliases, attributes = record.get("aliases", []), record.get("attributes", {})
        if not all(isinstance(text, str) for text in [*aliases, *attributes.values()]):
            raise self._wrong(where, "aliases and the values of attributes are texts")
        pixels = read_pixels(self.files, record["file"], self.path, "RGBA")
        try:
            pixels = trimmed(pixels)
        except ValueError as fault:
            raise UserError(f"{self.path}: {record['file']} {fault}") from None
        return PackObject(
            file=record["file"],
            name=name,
            pixels=pixels,
            aliases=tuple(aliases),
            category=record.get("category", ""),
            attributes=attributes,
            size=self._positive(record.get("size", 1.0), where, "size"),
            floats=record.get("floats", False),
            held_out=record.get("held_out", False),
        )

    def _background(self, value: Any, k: int) -> PackBackground:
        where = f"{INDEX}, background {k}"
        record = self._record(value, where, {
            "file": str, "words": list, "floor": object, "shaded": bool,
        }, ("file", "words"))  # fmt: skip
        words = record["words"]
        if not (words and all(isinstance(word, str) and set(word.lower().split()) - set(ARTICLES) for word in words)):
            raise self._wrong(where, "words is empty: expected descriptions, such as [\"a lawn\", \"a blue sky\"]")
        pixels = read_pixels(self.files, record["file"], self.path, "RGB")
        if pixels.shape[0] != pixels.shape[1]:
            size = f"{pixels.shape[1]} x {pixels.shape[0]}"
            raise UserError(f"{self.path}: {record['file']} is {size}: expected a square background")
        floor = record.get("floor")
        floor = None if floor is None else self._floor(floor, where)
        return PackBackground(record["file"], tuple(words), pixels, floor, record.get("shaded", True))

    def _floor(self, value: Any, where: str) -> Floor:
        kinds = dict.fromkeys(("horizon", "height", "top", "bottom", "focal"), float)
        floor = Floor(**self._record(value, f"{where}, floor", kinds, ("horizon", "height", "top")))
        if not (floor.height > 0 and floor.focal > 0):
            raise self._wrong(where, "floor: height and focal are above 0")
        if not floor.horizon < floor.top < floor.bottom <= 1.2:
            raise self._wrong(where, "floor: expected horizon < top < bottom, in units of the picture's side, y down")
        return floor

    def _placement(self, value: Any) -> Placement:
        if isinstance(value, str):
            value = {value: 1.0}
        shares = self._record(value, f"{INDEX}, placement", dict.fromkeys(RULES, float), ())
        total = sum(shares.values())
        if min(shares.values(), default=0) < 0 or not total > 0:
            raise self._wrong(INDEX, f"placement: expected one of {', '.join(RULES)}, or shares of them such as "
                                     '{"floor": 0.7, "free": 0.3}')  # fmt: skip
        return Placement(**{rule: shares.get(rule, 0.0) / total for rule in RULES})

    def _record(self, value: Any, where: str, kinds: Mapping[str, type], needed: Sequence[str]) -> dict[str, Any]:
        """A JSON object whose keys are among `kinds`, and of those types; a float may be written without a point."""
        if not isinstance(value, dict):
            raise self._wrong(where, "expected an object with keys " + ", ".join(kinds))
        for key, item in value.items():
            if key not in kinds:
                near = difflib.get_close_matches(key, kinds, 1, 0.5)
                hint = f"did you mean {near[0]}?" if near else f"expected {', '.join(kinds)}"
                raise self._wrong(where, f"unknown key {key}; {hint}")
            number = kinds[key] is float and isinstance(item, (int, float)) and not isinstance(item, bool)
            if number and not math.isfinite(item) or not (number or isinstance(item, kinds[key])):
                expected = {float: "a number", str: "a text", list: "a list", dict: "an object", bool: "true or false"}
                raise self._wrong(where, f"{key} is {json.dumps(item)[:40]}: expected {expected[kinds[key]]}")
        missing = [key for key in needed if key not in value]
        if missing:
            raise self._wrong(where, f"{missing[0]} is missing")
        return dict(value)

    def _positive(self, value: float, where: str, key: str) -> float:
        if value <= 0:
            raise self._wrong(where, f"{key} is {value}: expected more than 0")
        return float(value)

    def _wrong(self, where: str, message: str) -> UserError:
        return UserError(f"{self.path}: {where}: {message}")


def trimmed(rgba: np.ndarray) -> np.ndarray:
    """A cut-out (h, w, 4) without its empty margin. Raises `ValueError` that says what is wrong with it."""
    alpha = rgba[..., 3]
    if alpha.min() == 255:
        raise ValueError("has no transparent pixel: expected a cut-out whose background is transparent (alpha 0)")
    rows, columns = np.flatnonzero((alpha >= SEEN).any(1)), np.flatnonzero((alpha >= SEEN).any(0))
    if len(rows) == 0:
        raise ValueError("shows nothing: expected opaque pixels (alpha 255) where the object is")
    if min(np.ptp(rows), np.ptp(columns)) + 1 < LEAST_SIDE and max(np.ptp(rows), np.ptp(columns)) + 1 < 4 * LEAST_SIDE:
        size = f"{np.ptp(columns) + 1} x {np.ptp(rows) + 1}"
        raise ValueError(f"shows an object of {size} pixels: expected at least {LEAST_SIDE} on a side")
    top, bottom = max(rows[0] - 1, 0), rows[-1] + 2  # a pixel more, for soft edges
    left, right = max(columns[0] - 1, 0), columns[-1] + 2
    return np.ascontiguousarray(rgba[top:bottom, left:right])


def require_place(path: str | Path) -> None:
    """Raises `UserError` where a pack cannot be written to a path: asked before one is made, which may take minutes."""
    if Path(path).suffix != ".tar":
        raise UserError(f"cannot write a pack as {path}: expected a name that ends in .tar")
    require_writable(path)


def write_pack(pack: Pack, path: str | Path) -> Path:
    """Writes a pack as a tar, whole or not at all; the path."""
    require_place(path)
    return write_whole(path, lambda part: _write(pack, part))


def _write(pack: Pack, path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        _add(tar, INDEX, (json.dumps(as_json(pack), indent=1, ensure_ascii=False) + "\n").encode())
        for item in (*pack.objects, *pack.backgrounds):
            _add(tar, item.file, encoded(item.pixels))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)  # without a time or an owner, so that equal packs are equal files
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def encoded(pixels: np.ndarray) -> bytes:
    """A picture as WebP, which is a fraction of PNG's size; alpha without loss."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", quality=92, method=4, exact=False)
    return out.getvalue()


def as_json(pack: Pack) -> dict[str, Any]:
    """The content of `pack.json`; what is as usual is left out."""
    objects = []
    for one in pack.objects:
        values = {key: value for key, value in vars(one).items() if key != "pixels"}
        values |= {"aliases": list(one.aliases), "attributes": dict(one.attributes)}
        objects.append({key: value for key, value in values.items() if value})
    backgrounds = []
    for ground in pack.backgrounds:
        record = {"file": ground.file, "words": list(ground.words), "shaded": ground.shaded}
        backgrounds.append(record | ({} if ground.floor is None else {"floor": asdict(ground.floor)}))
    whole = {"format": FORMAT, "name": pack.name, "licence": pack.licence, "weight": pack.weight,
             "placement": asdict(pack.placement), "objects": objects, "backgrounds": backgrounds}  # fmt: skip
    return {k: v for k, v in whole.items() if v or k == "objects"}
