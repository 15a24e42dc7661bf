"""The lexicon of sprite packs: their names and backgrounds, and from `everyday-words.yaml` what packs leave unsaid."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image
from torch import Tensor

from prompts.lexicon import Lexicon
from prompts.naming import Sort, Thing, Words, lexicon_of
from prompts.suites import Suite
from prompts.suites.everyday import as_lines
from vle_gen.data.choice import PackChoice
from vle_gen.data.pack import INDEX, RIG_GROUND, Pack, is_cutout_pack
from vle_gen.data.reading import read_files, read_json, read_pixels
from vle_gen.errors import UserError
from vle_gen.io.image_files import make_folder, write_whole
from vle_gen.recognition.ground_looks import looks_of

SMALL = 64  # pixels on a side of backgrounds whose colours are taken


def names_of(packs: Sequence[PackChoice]) -> Lexicon | None:
    """What the objects of packs are called that are picked; None for one pack of rigs, whose solids need no names.

    Raises:
        UserError: a pack that cannot be read, or several of rigs alone.
    """
    if not any(is_cutout_pack(read_files(pack.path)) for pack in packs):
        if len(packs) > 1:
            raise UserError(f"data.sprites lists {len(packs)} packs of rigs: expected one of them, and packs of cut-outs")
        return None
    return lexicon_of_packs([pack.path for pack in packs], [pack.pick for pack in packs])


def lexicon_of_packs(paths: Sequence[str | Path], picks: str | Sequence[str] = "seen") -> Lexicon:
    """What the objects and backgrounds of packs of cut-outs are called. Of pictures the backgrounds'
    colours alone are looked at, and packs of rigs have a background but no names beyond the caption language's.

    `picks` say which objects of all packs, or of each: seen (those that training may see), held_out or all.

    Raises:
        UserError: a pack that cannot be read, or nothing with a name.
    """
    things: dict[str, Thing] = {}
    descriptions: dict[str, None] = {}
    shown: list[tuple[Sequence[str], Tensor]] = []
    picks = [picks] * len(paths) if isinstance(picks, str) else picks
    for path, pick in zip(paths, picks, strict=True):
        files = read_files(path)
        if not is_cutout_pack(files):
            descriptions |= dict.fromkeys(RIG_GROUND)
            continue
        index = read_json(files, INDEX, path)
        _require_texts(index, path)
        try:
            for one in index["objects"]:
                if pick == "all" or one.get("held_out", False) == (pick == "held_out"):
                    _add(things, Thing(one["name"], tuple(one.get("aliases", ())), one.get("category", "")))
            for ground in index.get("backgrounds", ()):
                descriptions |= dict.fromkeys(ground["words"])
                shown.append((ground["words"], _small(read_pixels(files, ground["file"], path, "RGB"))))
        except (KeyError, TypeError, AttributeError):
            raise UserError(f"{path}: {INDEX} is damaged (see docs/packs.md for what it holds)") from None
    if not things:
        where = ", ".join(map(str, paths))
        said = " or ".join(dict.fromkeys(pick.replace("_", " ") for pick in picks))
        raise UserError(f"no {said} object has a name in {where}: expected packs of cut-outs")
    made = lexicon_of(things.values(), descriptions, everyday_words())
    return replace(made, grounds=replace(made.grounds, looks=looks_of(shown)))


def _require_texts(index: Any, path: str | Path) -> None:
    """Raises `UserError` where a pack's index names things by other than texts."""
    try:
        for place, one in enumerate(index["objects"], 1):
            name, aliases = one["name"], one.get("aliases", ())
            texts = isinstance(aliases, list | tuple) and all(isinstance(alias, str) and alias for alias in (name, *aliases))
            if not texts:
                said = f"object {place} has the name {name!r} and the aliases {aliases!r}"
                raise UserError(f"{path}: in {INDEX}, {said}: expected a text, and a list of texts")
        for place, one in enumerate(index.get("backgrounds", ()), 1):
            said = one["words"]
            if not (isinstance(said, list) and said and all(isinstance(text, str) and text.strip() for text in said)):
                raise UserError(f"{path}: in {INDEX}, background {place} has the words {said!r}: expected a list of texts")
    except (KeyError, TypeError, AttributeError):
        raise UserError(f"{path}: {INDEX} is damaged (see docs/packs.md for what it holds)") from None


def _small(pixels: np.ndarray) -> Tensor:
    """A background (H, W, 3) as `looks_of` has it."""
    small = np.array(Image.fromarray(pixels).resize((SMALL, SMALL), Image.Resampling.BOX))
    return torch.from_numpy(small).permute(2, 0, 1).float() / 255


def unsaid(pack: Pack) -> list[str]:
    """Names of a pack's objects that no prompt can ask for, each once: they mean something else already, or hold no word."""
    things: dict[str, Thing] = {}
    for one in pack.objects:
        _add(things, Thing(one.name, one.aliases, one.category))
    made = lexicon_of(things.values(), words=everyday_words())
    said = frozenset().union(*(concept.members for concept in made.concepts))
    return [name for name in things if name not in said]


def write_suites(suites: Sequence[Suite], folder: str | Path) -> None:
    """Writes NAME.jsonl of each in a folder, which is made where there is none. Raises `UserError` where that fails."""
    folder = make_folder(folder)
    for suite in suites:
        write_whole(folder / f"{suite.name}.jsonl", lambda part, suite=suite: part.write_text(as_lines(suite), "utf-8"))


def _add(things: dict[str, Thing], thing: Thing) -> None:
    """Views of one thing have their aliases together."""
    old = things.get(thing.name)
    if old is not None:
        thing = Thing(thing.name, tuple(dict.fromkeys((*old.aliases, *thing.aliases))), old.category)
    things[thing.name] = thing


def everyday_words() -> Words:
    """The words of `everyday-words.yaml`."""
    values = yaml.safe_load(resources.files("vle_gen.data").joinpath("everyday-words.yaml").read_text("utf-8"))
    return Words(
        say={name: _listed(said) for name, said in values["say"].items()},
        drop=tuple(values["drop"]),
        heads=tuple(values["heads"].split()),
        sorts={name: Sort(_listed(sort["of"]), _listed(sort.get("also", ""))) for name, sort in values["sorts"].items()},
        categories={name: _listed(said) for name, said in values["categories"].items()},
        backgrounds=dict(values["backgrounds"]),
        near={word: name for name, words in values["near"].items() for word in _listed(words)},
    )


def _listed(text: str) -> tuple[str, ...]:
    """Texts with commas between them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
