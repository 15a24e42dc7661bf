"""Random numbers for drawing tokens: one generator for a batch, or one for each sample, which then depends on no other."""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.errors import UserError

Generators = torch.Generator | list[torch.Generator]


class Draws:
    """Random numbers for a batch, from one generator or one per sample, made on the CPU and moved to the device."""

    def __init__(self, generator: Generators | None, batch: int, device: torch.device):
        if isinstance(generator, list) and len(generator) != batch:
            raise UserError(f"{len(generator)} generators for {batch} samples: give one, or one for each")
        self.generator, self.batch, self.device = generator, batch, device

    def _draw(self, maker, count: int, rows: list[int]) -> Tensor:
        if isinstance(self.generator, list):
            made = torch.cat([maker(1, count, generator=self.generator[k]) for k in rows])
        else:
            made = maker(len(rows), count, generator=self.generator)
        return made.to(self.device)

    def uniform(self, count: int, rows: list[int] | None = None) -> Tensor:
        """(B, count) in [0, 1), or for some of the samples only."""
        return self._draw(torch.rand, count, list(range(self.batch)) if rows is None else rows)

    def normal(self, count: int) -> Tensor:
        """(B, count) of unit variance."""
        return self._draw(torch.randn, count, list(range(self.batch)))
