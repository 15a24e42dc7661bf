"""Where the prior's batches come from, and two such sources mixed."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from vle_gen.prior.network import PriorBatch


@dataclass(frozen=True)
class Examples:
    """Some `what` of each kind, from which the prior's codes are found."""

    backgrounds: Tensor  # (.., D)
    objects: Tensor  # (.., D)
    sorts: Tensor  # (..) of the objects, numbers from 1

    @staticmethod
    def cat(several: list[Examples]) -> Examples:
        """Those of several, whose sorts are different ones."""
        sorts, highest = [], 0
        for one in several:
            sorts.append(one.sorts + highest)
            highest = int(sorts[-1].max())
        kinds = (torch.cat([getattr(one, name) for one in several]) for name in ("backgrounds", "objects"))
        return Examples(*kinds, torch.cat(sorts))


class Source(Protocol):
    """Where captioned token lists come from."""

    def batches(self, count: int, generator: torch.Generator, easy: bool = False) -> list[PriorBatch]:
        """`count` of them, in batches of like length; easy ones where the source knows which those are."""

    def examples(self) -> Examples:
        """`what` of all kinds that there are."""


@dataclass(frozen=True)
class Mixture:
    """Two sources.

    Args:
        share: of each batch that comes from the second.
    """

    first: Source
    second: Source
    share: float

    def batches(self, count: int, generator: torch.Generator, easy: bool = False) -> list[PriorBatch]:
        """As for a source; never all of one."""
        second = min(max(round(count * self.share), 1), count - 1) if count > 1 else int(self.share >= 0.5)
        sizes = ((self.first, count - second), (self.second, second))
        return [batch for source, size in sizes if size for batch in source.batches(size, generator, easy)]

    def examples(self) -> Examples:
        """Of both."""
        return Examples.cat([self.first.examples(), self.second.examples()])
