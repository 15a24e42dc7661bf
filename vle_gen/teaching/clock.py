"""How long tuning may take, shared by its parts."""
from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Some minutes of tuning, from `began` on (of `time.monotonic`)."""

    began: float
    minutes: float

    @staticmethod
    def start(minutes: float) -> Clock:
        """It runs from now on."""
        return Clock(time.monotonic(), minutes)

    @property
    def spent(self) -> float:
        """The share of the time that is gone, 0..1 and beyond."""
        return (time.monotonic() - self.began) / (60 * self.minutes)

    @property
    def is_over(self) -> bool:
        """Whether it is time to end."""
        return self.spent >= 1

    def slowing(self, done: float) -> float:
        """A cosine from 1 to 0 over what is done of the steps, or is gone of the time, whichever is further."""
        return 0.5 * (1 + math.cos(math.pi * min(max(done, self.spent), 1.0)))
