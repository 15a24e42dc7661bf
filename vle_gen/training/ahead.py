"""Batches that are drawn ahead, while the step before them goes backward.

A step on a GPU waits for the CPU that starts its thousands of small kernels. Going backward is started by threads of
PyTorch's own, which leaves Python free to start those of the next batch.
"""
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch

Batch = TypeVar("Batch")
APART = 1_000_003  # between the seeds of runs: steps of one run share none with those of another


class Ahead(Generic[Batch]):
    """Draws the batch of each step from a generator of its own, which depends on the seed and the step alone.

    Args:
        draw: a batch from a generator on `device`.
        seed: of the run.
        device: of the generators.
    """

    def __init__(self, draw: Callable[[torch.Generator], Batch], seed: int, device: torch.device):
        self._draw, self._seed, self._device = draw, seed, device
        self._worker = ThreadPoolExecutor(1, "batches")
        self._begun: dict[int, Future[Batch]] = {}

    def begin(self, step: int) -> None:
        """Starts to draw the batch of a step, and returns at once."""
        self._begun = {step: self._worker.submit(self._drawn, step)}

    def take(self, step: int) -> Batch:
        """The batch of a step, drawn now unless it was begun."""
        if step not in self._begun:
            self.begin(step)
        return self._begun.pop(step).result()

    @torch.no_grad()
    def _drawn(self, step: int) -> Batch:
        return self._draw(torch.Generator(self._device).manual_seed((self._seed * APART + step) % 2**63))
