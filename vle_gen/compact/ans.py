"""Entropy coding by asymmetric numeral systems (Duda 2009, arXiv 0902.0271): intervals in, bytes out.

The state is one Python integer that is never renormalised. A picture's tokens are a thousand bits or so, so that is fast,
no padding to machine words is written, and integers alone decide: every machine reads what any other wrote.
"""
from __future__ import annotations

import math
from collections.abc import Callable

BITS = 24
TOTAL = 1 << BITS  # every choice is an interval of 0..TOTAL
MOST_BITS = 48  # of an integer of open range


class Corrupt(ValueError):
    """Bytes that no writer wrote."""


class Writer:
    """Collects intervals; they are read in the order in which they were put."""

    def __init__(self) -> None:
        self._intervals: list[tuple[int, int]] = []

    def put(self, start: int, end: int) -> None:
        """One choice of probability (end - start) / TOTAL."""
        self._intervals.append((start, end - start))

    def uniform(self, value: int, count: int) -> None:
        """One of `count` equally likely values, 0..count - 1; count is at most TOTAL."""
        self.put(value * TOTAL // count, (value + 1) * TOTAL // count)

    def integer(self, value: int) -> None:
        """Any integer from 0 on; small ones take fewer bits (exponential Golomb code)."""
        length = (value + 1).bit_length()
        if length > MOST_BITS:
            raise ValueError(f"{value} is too large to code")
        for _ in range(length - 1):
            self.uniform(1, 2)
        self.uniform(0, 2)
        for k in reversed(range(length - 1)):
            self.uniform((value + 1) >> k & 1, 2)

    @property
    def bits(self) -> float:
        """What all that was put costs, before it is made whole bytes."""
        return sum(BITS - math.log2(size) for _, size in self._intervals)

    def data(self) -> bytes:
        """All that was put."""
        state = 1
        for start, size in reversed(self._intervals):
            state = (state // size << BITS) + start + state % size
        return state.to_bytes((state.bit_length() + 7) // 8, "little")


class Reader:
    """Reads back what a `Writer` wrote, given the same models. Raises `Corrupt` where it cannot be that."""

    def __init__(self, data: bytes) -> None:
        self._state = int.from_bytes(data, "little")

    def get(self, find: Callable[[int], tuple[int, int, int]]) -> int:
        """One choice: `find` tells the value, start and end of the interval that holds a slot of 0..TOTAL."""
        slot = self._state & (TOTAL - 1)
        value, start, end = find(slot)
        self._state = (end - start) * (self._state >> BITS) + slot - start
        if self._state < 1:
            raise Corrupt("it ends too early")
        return value

    def uniform(self, count: int) -> int:
        """As `Writer.uniform`."""

        def find(slot: int) -> tuple[int, int, int]:
            value = ((slot + 1) * count - 1) // TOTAL
            return value, value * TOTAL // count, (value + 1) * TOTAL // count

        return self.get(find)

    def integer(self) -> int:
        """As `Writer.integer`."""
        length = 0
        while self.uniform(2):
            length += 1
            if length >= MOST_BITS:
                raise Corrupt("it holds a number that is too large")
        value = 1
        for _ in range(length):
            value = value << 1 | self.uniform(2)
        return value - 1

    def finish(self) -> None:
        """Call when all is read."""
        if self._state != 1:
            raise Corrupt("something is left over at its end")
