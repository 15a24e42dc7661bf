"""Short names of weights: the same name, the same weights."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable

from torch import Tensor

DIGITS = 12


def digest_of(weights: Iterable[Tensor], before: str = "") -> str:
    """A digest of weights as checkpoints hold them, in float16, and of a text ahead of them."""
    digest = hashlib.sha256(before.encode())
    for weight in weights:
        digest.update(weight.detach().float().half().cpu().numpy().tobytes())
    return digest.hexdigest()[:DIGITS]


def digest_of_text(*texts: str) -> str:
    """A digest of some texts, in order."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:DIGITS]
