"""How likely each quantised value of one number is: a piecewise linear cumulative distribution of integers.

A number is a multiple of 2 ** -16 here, and a step a whole count of those, so that one stored distribution serves every
step. Nothing is computed in floating point: an encoder and a decoder cannot differ.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vle_gen.compact.ans import TOTAL, Reader, Writer

UNIT = 1 << 16  # fixed point: 1.0
BINS = 64  # of the distribution, half of them below zero
WHOLE = 1 << 20  # the last value of a stored distribution
UNSEEN = 0.01  # share of all values that the samples need not have shown, spread over the range


@dataclass(frozen=True)
class Density:
    """`cumulative` has BINS + 1 values from 0 to WHOLE, at -BINS / 2 to BINS / 2 times `spacing`."""

    spacing: int
    cumulative: Sequence[int]

    @staticmethod
    def fit(samples: np.ndarray) -> Density:
        """The smoothed histogram of samples (N,), in fixed point, about zero."""
        reach = 1.25 * float(np.abs(samples).max(initial=0.0))
        spacing = max(1, int(np.ceil(reach / (BINS // 2))))
        edges = np.arange(-(BINS // 2), BINS // 2 + 1) * spacing
        counts = np.histogram(samples, edges)[0].astype(np.float64)
        smooth = np.convolve(np.pad(counts, 1, mode="edge"), [0.2, 0.6, 0.2], "valid")
        share = (1 - UNSEEN) * smooth / max(smooth.sum(), 1e-9) + UNSEEN / BINS
        cumulative = np.concatenate([[0.0], np.cumsum(share / share.sum())])
        return Density(spacing, np.round(cumulative * WHOLE).astype(np.int64).tolist())

    def last(self, step: int) -> int:
        """The largest value that has an interval of its own at `step`; it stands for all beyond, too."""
        return BINS // 2 * self.spacing // step + 1

    def below(self, value: int, step: int) -> int:
        """The start of the interval of `value`, in 0..TOTAL: what lies below (value - 1/2) * step."""
        last = self.last(step)
        if value <= -last:
            return 0
        if value > last:
            return TOTAL
        width = 2 * self.spacing  # in half units, in which (value - 1/2) * step is whole
        cell, offset = divmod((2 * value - 1) * step + BINS * self.spacing, width)
        if cell < 0:
            share = 0
        elif cell >= BINS:
            share = WHOLE * width
        else:
            low, high = self.cumulative[cell], self.cumulative[cell + 1]
            share = low * width + (high - low) * offset
        symbols = 2 * last + 1  # each of which gets 1 of TOTAL at least
        return share * (TOTAL - symbols) // (WHOLE * width) + value + last

    def write(self, writer: Writer, value: int, step: int) -> None:
        """Codes `value`, a whole number of steps."""
        last = self.last(step)
        shown = max(-last, min(last, value))
        writer.put(self.below(shown, step), self.below(shown + 1, step))
        if abs(shown) == last:
            writer.integer(abs(value) - last)

    def read(self, reader: Reader, step: int) -> int:
        """As `write`."""
        last = self.last(step)

        def find(slot: int) -> tuple[int, int, int]:
            low, high = -last, last + 1
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if self.below(middle, step) <= slot else (low, middle)
            return low, self.below(low, step), self.below(low + 1, step)

        value = reader.get(find)
        if abs(value) == last:
            value += reader.integer() * (1 if value > 0 else -1)
        return value
