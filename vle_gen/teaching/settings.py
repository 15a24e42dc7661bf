"""The options of `vlegen teach`: names and types here, values in configs/teach.yaml."""
from __future__ import annotations

import math
from dataclasses import dataclass

from omegaconf import MISSING

from vle_gen.errors import UserError
from vle_gen.seeds import MOST_SEED


@dataclass
class TeachConfig:
    """How an object is taught. See configs/teach.yaml."""

    minutes: float = MISSING
    seed: int = MISSING
    codes: int = MISSING
    suns: int = MISSING
    lookalikes: int = MISSING
    lessons: int = MISSING
    names: int = MISSING
    scenes: int = MISSING
    views: int = MISSING
    clip_steps: int = MISSING
    clip_lr: float = MISSING
    rows_steps: int = MISSING
    rows_lr: float = MISSING
    steps: int = MISSING
    sharpen: int = MISSING
    lr: float = MISSING
    batch: int = MISSING
    rehearsed: int = MISSING
    keeping: float = MISSING
    new_prompts: int = MISSING
    old_prompts: int = MISSING

    def __post_init__(self) -> None:
        least = dict(
            seed=0, codes=1, suns=1, lookalikes=1, lessons=1, names=0, scenes=1, views=1, clip_steps=1, rows_steps=0, steps=1,
            sharpen=0, batch=1, rehearsed=1, new_prompts=1, old_prompts=1,
        )  # fmt: skip
        for key, bound in least.items():
            if getattr(self, key) < bound:
                raise UserError(f"{key} is {getattr(self, key)}: expected {bound} or more")
        if self.seed > MOST_SEED:
            raise UserError(f"seed is {self.seed}: expected at most {MOST_SEED}")
        for key in ("minutes", "clip_lr", "rows_lr", "lr"):
            if not 0 < getattr(self, key) < math.inf:
                raise UserError(f"{key} is {getattr(self, key)}: expected a number above 0, and finite")
        if not 0 <= self.keeping < math.inf:
            raise UserError(f"keeping is {self.keeping}: expected 0 or more, and finite")
