"""Builds the `everyday` pack: about 1,150 objects of the Fluent 3D renders, with made backgrounds.

`everyday.yaml` says which of them are objects; the `emoji` package has their names and aliases.
"""
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path, PurePosixPath

import numpy as np
import yaml

from vle_gen.data.backgrounds import backgrounds
from vle_gen.data.pack import Pack, PackBackground, PackObject, Placement, trimmed
from vle_gen.data.reading import read_files, read_pixels
from vle_gen.errors import UserError

LICENCE = "MIT: Fluent Emoji, Microsoft Corporation"
PLACEMENT = Placement(floor=0.62, free=0.13, stacked=0.25)
SUFFIXES = (".webp", ".png")
VARIATION = "\ufe0f"  # asks for the picture rather than the letter; files and names do not agree on it
PERSONS = ("man", "woman", "men", "women", "person", "people", "merman", "mermaid", "merperson")
HELD_OUT = 10  # every tenth


@dataclass(frozen=True)
class Built:
    """The pack, and the names of chosen objects that the source has no picture of."""

    pack: Pack
    missing: tuple[str, ...]


def build(
    source: str | Path,
    ground_count: int,
    seed: int = 0,
    each: Callable[[Iterable, int], Iterable] = lambda values, total: values,
    photographs: bool = True,
) -> Built:
    """The pack of the pictures in `source`, a folder or an archive of files named by code point.

    Args:
        ground_count: backgrounds to make.
        each: may show progress over the objects and backgrounds.
        photographs: backgrounds with the textures of photographs are among them.

    Raises:
        UserError: no such pictures, or the `emoji` package is not installed.
    """
    words = _emoji_names()
    files = read_files(source)
    pictures = {}
    for name in sorted(files):
        path = PurePosixPath(name)
        if path.suffix in SUFFIXES:
            pictures.setdefault(_characters(path.stem), name)
    objects, missing = [], []
    for character, name, group in each(list(_chosen(words)), sum(1 for _ in _chosen(words))):
        if character not in pictures:
            missing.append(name)
            continue
        objects.append(_object(files, pictures[character], source, name, words[character][1], group))
    if not objects:
        raise UserError(f"{source} does not hold the Fluent 3D pictures: expected files such as 1f34e.webp, a code point")
    grounds: list[PackBackground] = list(each(backgrounds(ground_count, seed, photographs=photographs), ground_count))
    pack = Pack("everyday", _without_clashes(objects), tuple(grounds), placement=PLACEMENT, licence=LICENCE)
    return Built(pack, tuple(missing))


def names() -> tuple[PackObject, ...]:
    """All objects that the pack may have, by name, without pictures. Raises `UserError` without the `emoji` package."""
    words, blank = _emoji_names(), np.zeros((0, 0, 4), np.uint8)
    return _without_clashes([
        PackObject("", name, blank, _aliases(words[character][1]), group["category"], held_out=is_held_out(name))
        for character, name, group in _chosen(words)
        if character
    ])  # fmt: skip


def _aliases(given: list[str]) -> tuple[str, ...]:
    return tuple(spoken(alias) for alias in given)


def _emoji_names() -> dict[str, tuple[str, list[str]]]:
    """Characters (without variation selectors) -> name as in everyday.yaml, and aliases."""
    try:
        from emoji import EMOJI_DATA
    except ImportError:
        raise UserError("the names come from the package emoji: pip install emoji") from None
    return {
        character.replace(VARIATION, ""): (data["en"].strip(":"), [alias.strip(":") for alias in data.get("alias", ())])
        for character, data in EMOJI_DATA.items()
    }


def _chosen(words: dict[str, tuple[str, list[str]]]) -> Iterable[tuple[str, str, dict]]:
    """Character, name and group of every object of everyday.yaml."""
    characters = {name: character for character, (name, _) in words.items()}
    for group in yaml.safe_load(resources.files("vle_gen.data").joinpath("everyday.yaml").read_text("utf-8")):
        for name in group["names"].split():
            yield characters.get(name, ""), spoken(name), group


def _characters(stem: str) -> str:
    try:
        return "".join(chr(int(part, 16)) for part in stem.split("-")).replace(VARIATION, "")
    except (ValueError, OverflowError):
        return ""


def _object(files: dict[str, bytes], file: str, source: str | Path, name: str, aliases: list[str], group: dict) -> PackObject:
    pixels = read_pixels(files, file, source, "RGBA")
    try:
        pixels = trimmed(pixels)
    except ValueError as fault:
        raise UserError(f"{source}: {file} {fault}") from None
    return PackObject(
        file=f"objects/{PurePosixPath(file).stem}.webp",
        name=name,
        pixels=pixels,
        aliases=_aliases(aliases),
        category=group["category"],
        size=group["size"],
        floats=group.get("floats", False),
        held_out=is_held_out(name),
    )


def spoken(name: str) -> str:
    """A name with underscores as one writes it in a sentence."""
    return name.replace("_", " ").replace("’", "'").lower()


def is_held_out(name: str) -> bool:
    """Every tenth object, by a hash of its name; the man, the woman and the person who do the same go together."""
    family = " ".join(word for word in name.split() if word not in PERSONS) or name
    return int.from_bytes(hashlib.sha256(family.encode()).digest()[:4], "big") % HELD_OUT == 0


def _without_clashes(objects: list[PackObject]) -> tuple[PackObject, ...]:
    """The objects without aliases that hold digits, or that mean another object too."""
    names = {one.name for one in objects}
    claims = Counter(alias for one in objects for alias in set(one.aliases))
    kept = []
    for one in objects:
        good = [
            alias for alias in dict.fromkeys(one.aliases)
            if alias not in names and claims[alias] == 1 and not any(letter.isdigit() for letter in alias)
        ]  # fmt: skip
        kept.append(replace(one, aliases=tuple(good)))
    return tuple(kept)
