"""One's own pictures with captions: a folder, or webdataset shards. What is listed is read when it is asked for.

A folder holds NAME.png beside NAME.txt (a caption a line), or a captions.csv or captions.jsonl that names its pictures. A
shard is a .tar of KEY.png and KEY.txt, or KEY.json with a "caption".
"""
from __future__ import annotations

import csv
import glob
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from vle_gen.errors import UserError
from vle_gen.io.image_files import FORMATS, read_image

TABLES = ("captions.csv", "captions.jsonl", "metadata.csv", "metadata.jsonl")
FILE_KEYS, CAPTION_KEYS = ("file_name", "file", "image"), ("caption", "text")  # columns of tables, keys of .json members
MOST_SHARDS = 100_000  # that a pattern may stand for
LONGEST_NAME = 255  # of a file that a table names: what is longer is a caption in the wrong column


@dataclass(frozen=True)
class CaptionedPicture:
    """A picture that is there to be read.

    Args:
        key: its name with the size and time of its file: the same key, the same picture.
        captions: one or more.
        file: where it lies.
        start, length: of its bytes in the file; None where it is the whole file.
    """

    key: str
    captions: tuple[str, ...]
    file: Path
    start: int = 0
    length: int | None = None

    def read(self) -> Image.Image:
        """The picture as RGB. Raises `UserError` when it is damaged, or none."""
        if self.length is None:
            return read_image(self.file, self.file)
        with self.file.open("rb") as file:
            file.seek(self.start)
            return read_image(io.BytesIO(file.read(self.length)), f"{self.key.split('|')[0]} in {self.file}")


@dataclass(frozen=True)
class CaptionedPictures:
    """All of them, and how many more pictures there are without a caption."""

    pictures: tuple[CaptionedPicture, ...]
    without: int

    @staticmethod
    def find(where: str) -> CaptionedPictures:
        """What there is in a folder, in a .tar, or in all .tar that a pattern such as 'a/{000..123}.tar' or 'a/*.tar' means.

        Raises:
            UserError: nothing is there, no picture has a caption, or a table or shard cannot be read.
        """
        found, without, sources = [], 0, _sources(where)
        common = os.path.commonpath([os.path.abspath(source.parent) for source in sources])
        for source in sources:
            for picture in _in_shard(source, os.path.relpath(source, common)) if source.is_file() else _in_folder(source):
                found += [picture] if picture.captions else []
                without += not picture.captions
        if not found:
            hint = "expected NAME.png beside NAME.txt, or a captions.csv, or .tar shards of such pairs"
            raise UserError(f"{where} holds no pictures with captions: {hint}")
        return CaptionedPictures(tuple(found), without)


def _sources(where: str) -> list[Path]:
    """The shards that a pattern means, those in a folder that holds nothing else, or the folder itself."""
    path = Path(where)
    if path.is_dir():
        shards = sorted(path.glob("*.tar"))
        return shards if shards and not any(map(_is_picture, path.rglob("*"))) else [path]
    if path.is_file():
        return [path]
    names = _braces(where)
    shards = [Path(name) for pattern in names for name in (sorted(glob.glob(pattern)) or [pattern])]
    missing = [str(shard) for shard in shards if not shard.is_file()]
    if missing:
        raise UserError(f"no pictures at {missing[0]}: give a folder, a .tar, or a pattern such as 'shards/{{000..123}}.tar'")
    return shards


def _braces(pattern: str) -> list[str]:
    """All texts that {000..123} and {a,b} in a pattern stand for."""
    found = re.search(r"\{(\d+)\.\.(\d+)\}|\{([^{}]*,[^{}]*)\}", pattern)
    if not found:
        return [pattern]
    first, last, listed = found.groups()
    if listed is None:
        if int(last) - int(first) >= MOST_SHARDS:
            raise UserError(f"{pattern} means more than {MOST_SHARDS} files")
        parts = [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    else:
        parts = listed.split(",")
    return [text for part in parts for text in _braces(pattern[: found.start()] + part + pattern[found.end() :])]


def _in_folder(folder: Path) -> Iterator[CaptionedPicture]:
    for name in TABLES:
        if (folder / name).is_file():
            yield from _in_table(folder / name)
            return
    for path in sorted(filter(_is_picture, folder.rglob("*"))):
        text = path.with_suffix(".txt")
        yield _whole_file(path, str(path.relative_to(folder)), _lines(text) if text.is_file() else ())


def _in_table(table: Path) -> Iterator[CaptionedPicture]:
    """Pictures in the order in which a table first names them; a picture of several rows has several captions."""
    captions: dict[str, list[str]] = {}
    for number, row in enumerate(_rows(table), 2 if table.suffix == ".csv" else 1):
        name, caption = _value(row, FILE_KEYS), _value(row, CAPTION_KEYS)
        if name is None or caption is None:
            raise UserError(f"{table}, line {number}: expected {_either(FILE_KEYS)}, and {_either(CAPTION_KEYS)}")
        captions.setdefault(name, []).extend([caption.strip()] if caption.strip() else [])
    for name, said in captions.items():
        if len(name) > LONGEST_NAME or not os.path.isfile(table.parent / name):  # Path's fails on names of too many bytes
            raise UserError(f"{table} names {name[:LONGEST_NAME]}, which is not there")
        yield _whole_file(table.parent / name, name, tuple(said))


def _rows(table: Path) -> list[dict]:
    try:
        text = table.read_text("utf-8-sig")
        if table.suffix == ".csv":
            return list(csv.DictReader(io.StringIO(text)))
        lines = enumerate(text.split("\n"), 1)  # JSON's texts may hold what else is taken for an end of a line, such as U+2028
        rows = [_record(line, number) for number, line in lines if line.strip()]
    except (OSError, ValueError, csv.Error) as fault:
        raise UserError(f"{table} cannot be read: {' '.join(str(fault).split())}") from None
    return [row if isinstance(row, dict) else {} for row in rows]


def _record(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as fault:
        raise ValueError(f"line {number}: {fault}") from None


def _in_shard(shard: Path, name: str) -> Iterator[CaptionedPicture]:
    """Pictures of an uncompressed .tar, of which only the texts are read; members of one key belong together. `name` tells the
    shard from all others that are read, which may lie in several folders."""
    pictures: dict[str, tarfile.TarInfo] = {}
    captions: dict[str, tuple[str, ...]] = {}
    try:
        with tarfile.open(shard, "r:") as tar:
            for member in filter(tarfile.TarInfo.isfile, tar):
                key, suffix = _split(member.name)
                if suffix in FORMATS:
                    pictures.setdefault(key, member)
                elif suffix in (".txt", ".json"):
                    try:
                        text = tar.extractfile(member).read().decode("utf-8-sig")
                        if suffix == ".txt":
                            captions[key] = _stripped(text)
                        else:
                            captions.setdefault(key, _stripped(_said(json.loads(text))))
                    except ValueError as fault:
                        raise UserError(f"{shard}: {member.name} is no caption in UTF-8: {fault}") from None
    except UserError:  # which is a ValueError too
        raise
    except (tarfile.TarError, OSError, ValueError) as fault:
        reason = " ".join(str(fault).split())
        raise UserError(f"{shard} is no shard of pictures and texts: {reason}; expected an uncompressed .tar") from None
    state = _state(shard)
    for key, member in pictures.items():
        captioned = f"{name}/{member.name}|{state}", captions.get(key, ())
        yield CaptionedPicture(*captioned, shard, member.offset_data, member.size)


def _split(name: str) -> tuple[str, str]:
    """webdataset's key, which ends at the first point of the file's name, and what is after the last one."""
    folder, _, file = name.removeprefix("./").rpartition("/")
    return f"{folder}/{file.partition('.')[0]}", Path(file).suffix.lower()


def _said(record: object) -> str:
    return _value(record, CAPTION_KEYS) or "" if isinstance(record, dict) else ""


def _value(record: dict, keys: tuple[str, ...]) -> str | None:
    return next((record[key] for key in keys if isinstance(record.get(key), str)), None)


def _either(keys: tuple[str, ...]) -> str:
    return " or ".join(map(repr, keys))


def _whole_file(path: Path, name: str, captions: tuple[str, ...]) -> CaptionedPicture:
    return CaptionedPicture(f"{name}|{_state(path)}", captions, path)


def _state(path: Path) -> str:
    """What changes when a file does."""
    status = path.stat()
    return f"{status.st_size}|{status.st_mtime_ns}"


def _lines(path: Path) -> tuple[str, ...]:
    try:
        return _stripped(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as fault:
        raise UserError(f"{path} cannot be read: {fault}") from None


def _stripped(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in FORMATS
