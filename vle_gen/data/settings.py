"""What training is configured to learn from: the section `data` of the files in `configs/`, as `vle_gen.config` reads it."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Optional

from omegaconf import MISSING

from vle_gen.data.choice import PICKS, PackChoice
from vle_gen.errors import UserError


@dataclass
class DataConfig:
    """What is trained on. `sprites` is a pack's path, or a list of paths and of {path: ..., weight: ..., pick: ...}."""

    sprites: Any = MISSING
    mixing: float = MISSING
    scenes: Optional[str] = None
    scenes_fraction: float = MISSING

    def __post_init__(self) -> None:
        for key in ("scenes_fraction", "mixing"):
            if not 0 <= getattr(self, key) <= 1:
                raise UserError(f"data.{key} is {getattr(self, key)}: expected 0 to 1")
        _ = self.packs

    @property
    def packs(self) -> list[PackChoice]:
        """The sprite packs, in order. Raises `UserError` for what names none."""
        return _pack_choices(self.sprites)


def _pack_choices(value: Any) -> list[PackChoice]:
    """The value of data.sprites."""
    listed = value if isinstance(value, (list, tuple)) else [value]
    if not listed:
        raise UserError("data.sprites is empty: expected at least one pack")
    return [_pack_choice(item) for item in listed]


def _pack_choice(item: Any) -> PackChoice:
    """One item of data.sprites."""
    if isinstance(item, str):
        return PackChoice(item)
    if not isinstance(item, dict):
        raise UserError(f"data.sprites: {item!r} is no pack: expected a path, or {{path: ..., weight: ..., pick: ...}}")
    unknown = [key for key in item if key not in ("path", "weight", "pick")]
    if unknown:
        raise UserError(f"unknown key data.sprites.{unknown[0]}; expected path, weight, pick")
    path, weight, pick = item.get("path"), item.get("weight"), item.get("pick", "seen")
    if not isinstance(path, str):
        raise UserError(f"data.sprites: path is {path!r}: expected a folder or .tar")
    if weight is not None and (isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < math.inf):
        raise UserError(f"data.sprites: weight of {path} is {weight!r}: expected more than 0")
    if pick not in PICKS:
        raise UserError(f"data.sprites: pick of {path} is {pick!r}: expected {', '.join(PICKS[:-1])} or {PICKS[-1]}")
    return PackChoice(path, weight, pick)


@dataclass
class TokenizerDataConfig(DataConfig):
    """What a tokenizer is trained on."""

    alike: float = MISSING
    native: float = MISSING

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("alike", "native"):
            if not 0 <= getattr(self, key) <= 1:
                raise UserError(f"data.{key} is {getattr(self, key)}: expected 0 to 1")


@dataclass
class PriorDataConfig:
    """What a prior is trained on: composed scenes, one's own pictures, or both."""

    sprites: Any = None
    mixing: float = MISSING
    pictures: Optional[str] = None
    pictures_share: float = MISSING
    cache: Optional[str] = None

    def __post_init__(self) -> None:
        if not 0 <= self.mixing <= 1:
            raise UserError(f"data.mixing is {self.mixing}: expected 0 to 1")
        if not 0 < self.pictures_share < 1:
            raise UserError(f"data.pictures_share is {self.pictures_share}: expected more than 0 and less than 1")
        if self.sprites is None and self.pictures is None:
            raise UserError(
                "there is nothing to train on: give data.sprites=PACK, data.pictures=FOLDER (pictures with captions), or both"
            )
        _ = self.packs

    @property
    def packs(self) -> list[PackChoice]:
        """The sprite packs, in order; none where only pictures are trained on. Raises `UserError` for what names none."""
        return [] if self.sprites is None else _pack_choices(self.sprites)
