"""The prior's hyper-parameters: sizes of its network, and how it is trained. Plain data, no torch."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from prompts.vocabulary import ALL_RELATIONS
from vle_gen.errors import UserError


@dataclass
class PriorSizes:
    """Sizes of the network; a checkpoint is rebuilt from these. See configs/prior.yaml."""

    width: int = 256
    blocks: int = 4
    heads: int = 8
    text_blocks: int = 3
    flow_width: int = 256
    flow_blocks: int = 3
    bins: int = 128
    codes: int = 512
    max_tokens: int = 16
    max_words: int = 77
    depth_near: float = 4.0
    depth_far: float = 20.0
    relations: int = 5
    around_codes: bool = False
    neighbours: bool = False

    def __post_init__(self) -> None:
        if self.heads < 1 or self.width < 1 or self.width % self.heads:
            raise UserError(f"model.width is {self.width}: expected a multiple of model.heads, which is {self.heads}")
        if not 0 < self.depth_near < self.depth_far < math.inf:
            far = f"model.depth_far, which is {self.depth_far}, and that finite"
            raise UserError(f"model.depth_near is {self.depth_near}: expected above 0 and below {far}")
        for key in ("bins", "codes"):
            if getattr(self, key) < 2:
                raise UserError(f"model.{key} is {getattr(self, key)}: expected 2 or more")
        for key in ("blocks", "text_blocks", "flow_width", "flow_blocks", "max_words"):
            if getattr(self, key) < 1:
                raise UserError(f"model.{key} is {getattr(self, key)}: expected 1 or more")
        if not 1 <= self.relations <= len(ALL_RELATIONS):
            raise UserError(f"model.relations is {self.relations}: expected 1 to {len(ALL_RELATIONS)}")
        if self.max_tokens < 2:
            raise UserError(f"model.max_tokens is {self.max_tokens}: expected 2 or more (the background and an object)")


@dataclass(frozen=True)
class Needs:
    """What a prior works with, as its checkpoint says it; None where that is not known.

    Args:
        clip_name: the CLIP that it reads, in words.
        clip_id: the digest of that one's text tower.
        tokenizer_id: the digest of the tokenizer whose tokens it writes.
        words: of the captions that it was trained on, where they were not those of the solids alone.
        lexicon: the things beyond the solids that it was trained to draw, as `Lexicon.as_json` has them.
        farthest: the depth beyond which the sprites of solids that it was trained on hardly ever stand.
        shapes: how the tokens of those sprites say their shape, as `ShapeReading.as_json` has it.
    """

    clip_name: str | None = None
    clip_id: str | None = None
    tokenizer_id: str | None = None
    words: tuple[str, ...] | None = None
    lexicon: dict[str, Any] | None = None
    farthest: float | None = None
    shapes: dict[str, Any] | None = None


@dataclass
class PriorLearning:
    """What a training step of the prior consists of. See configs/prior.yaml."""

    easy_steps: int = 250
    few: int = 4
    many: int = 9
    few_share: float = 0.8
    whole_captions: float = 0.9
    text_drop: float = 0.1
    flow_draws: int = 2
    place_weight: float = 0.5
    what_weight: float = 1.0
    words_weight: float = 3.0
    new_codes: bool = False
    jitter: float = 0.1
    mixed: float = 1.0
    blur: float = 0.05
    suns: int = 2
    repeated: float = 0.0
    stacked: float = 0.0
    sharpen: int = 0

    def __post_init__(self) -> None:
        for key in ("few_share", "whole_captions", "text_drop", "mixed", "repeated", "stacked"):
            if not 0 <= getattr(self, key) <= 1:
                raise UserError(f"learning.{key} is {getattr(self, key)}: expected 0 to 1")
        if not 1 <= self.few <= self.many:
            raise UserError(f"learning.few is {self.few}: expected 1 to learning.many, which is {self.many}")
        for key in ("jitter", "blur", "place_weight", "what_weight", "words_weight"):
            if not 0 <= getattr(self, key) < math.inf:
                raise UserError(f"learning.{key} is {getattr(self, key)}: expected 0 or more, and finite")
        for key in ("sharpen", "easy_steps"):
            if getattr(self, key) < 0:
                raise UserError(f"learning.{key} is {getattr(self, key)}: expected 0 or more")
        for key in ("flow_draws", "suns"):
            if getattr(self, key) < 1:
                raise UserError(f"learning.{key} is {getattr(self, key)}: expected 1 or more")
