"""Which packs to compose from. Plain data, no torch."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PackChoice:
    """A pack, and its share of the scenes beside the others'; None is the weight that the pack gives itself."""

    path: str
    weight: float | None = None
