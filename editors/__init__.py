"""Edits as pure functions on tokens: no model, no file, no device. Each returns new tokens."""
from editors.place import move

__all__ = ["move"]
