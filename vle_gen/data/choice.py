"""Which packs to compose from. Plain data, no torch."""
from __future__ import annotations

from dataclasses import dataclass

PICKS = ("seen", "held_out", "all")


@dataclass(frozen=True)
class PackChoice:
    """A pack, and what is drawn of it.

    Args:
        path: a folder or .tar.
        weight: its share of the scenes beside the others'; None is the weight that the pack gives itself.
        pick: which of its objects: seen (those that a tokenizer's training may see), held_out or all.
    """

    path: str
    weight: float | None = None
    pick: str = "seen"
