"""Edits as pure functions on tokens: no model, no file, no device. Each returns new tokens."""
from editors.arrange import align, distribute
from editors.between import interpolate
from editors.depth import lower, raise_
from editors.looks import flip, recolor
from editors.members import duplicate, paste, remove
from editors.place import move, resize, swap

__all__ = [
    "align", "distribute", "duplicate", "flip", "interpolate", "lower", "move", "paste", "raise_", "recolor", "remove",
    "resize", "swap",
]  # fmt: skip
