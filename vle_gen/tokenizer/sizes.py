"""The tokenizer's hyper-parameters, of both variants: sizes of its networks, and weights of its losses. Plain data, no
torch."""
from __future__ import annotations

import math
from dataclasses import dataclass, field

from vle_gen.errors import UserError

BACKGROUND_CELLS = 8  # on a side, in which the scene token sees a picture
CELL = 8  # pixels of a glimpse on a side of a cell that has numbers of its own
FRAME_SCALE = 2.0  # a token's frame is this much wider and higher than the object's box, so that the shadow fits


@dataclass
class TokenizerSizes:
    """Sizes of the networks, and how what they say is read; a checkpoint is rebuilt from these. See configs/tokenizer.yaml."""

    what: int = 128
    glimpse: int = 64
    background: int = 32
    work_side: int = 192
    glimpse_side: int = 264
    backbone_widths: list[int] = field(default_factory=lambda: [32, 64, 128, 160])
    step_width: int = 48
    encoder_widths: list[int] = field(default_factory=lambda: [16, 32, 64, 128])
    decoder_widths: list[int] = field(default_factory=lambda: [32, 64, 96, 128])
    decoder_blocks: list[int] = field(default_factory=lambda: [1, 2, 2])
    layer: int = 64
    local: int = 0
    slack: float = 1.4
    step_weight: float = 3.0
    error_weight: float = 3.0
    even_error: float = 6e-4
    focal: float = 1.09
    lamps: float = 1.3
    outline: int = 0
    missed: bool = False
    background_widths: list[int] = field(default_factory=list)

    @property
    def one_world(self) -> bool:
        """Whether all pictures are of one camera and of plain solids, as `focal` says, and not of things of any sort."""
        return self.focal > 0

    @property
    def whole(self) -> int:
        """How many of the `what` numbers, the first ones, are about all of a glimpse; the others belong to its cells."""
        return self.what - self.local * (self.glimpse // CELL) ** 2


class _Weights:
    """Weights of losses."""

    def __post_init__(self) -> None:
        for key, value in vars(self).items():
            if not 0 <= value < math.inf:
                raise UserError(f"losses.{key} is {value}: expected a finite number of 0 or more")


@dataclass
class LossWeights(_Weights):
    """Weight of each term of `vle_gen.tokenizer.losses`; 0 switches it off. See configs/tokenizer.yaml."""

    score: float = 1.0
    box: float = 1.0
    depth: float = 0.3
    scope: float = 1.0
    layer: float = 20.0
    silhouette: float = 5.0
    background: float = 20.0
    intermediate: float = 10.0
    distinct: float = 0.05
    mask_empty: float = 0.1
    mask_apart: float = 0.1
    kl: float = 1e-5
    squared: float = 10.0
    area: float = 1.0


@dataclass
class ReconstructionSizes:
    """Sizes of the networks of the variant `reconstruction`. See configs/tokenizer-reconstruction.yaml."""

    what: int = 256
    side: int = 128
    widths: list[int] = field(default_factory=lambda: [48, 96, 160])


@dataclass
class ReconstructionWeights(_Weights):
    """Weight of each term of `vle_gen.tokenizer.reconstruction.ReconstructionLoss`; 0 switches it off."""

    intermediate: float = 1.0
    kl: float = 3e-4
