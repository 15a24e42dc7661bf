"""`SceneBatch`: a batch of annotated scenes, whatever they were made from.

Composed sprites and whole renders end up in the same type, so a training step need not know which it got.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SceneBatch:
    """Scenes with their objects in slots sorted near to far; slots where `present` is False hold zeros.

    Canvas units: the canvas is the smallest square around the picture, the picture centred in it, 0..1, x right, y down.
    """

    present: Tensor  # (B, N) bool
    box: Tensor  # (B, N, 4) object's box: centre x, centre y, width, height in canvas units
    depth: Tensor  # (B, N) distance to the camera, larger is farther
    attributes: Tensor  # (B, N, 4) long: shape, size, material, colour (indices into prompts.vocabulary); -1 where it has none
    sprite: Tensor  # (B, N) long: index into the sprites of the engine, -1 for objects of whole renders
    rig: Tensor  # (B,) long: index of the background (of the rig) in the engine, -1 for whole renders
    view: Tensor  # (B, 4): how the canvas looks at the 0..1 source square: x, y of its top-left corner, scale x, scale y
    has_layers: Tensor  # (B,) bool: sprites and background are known exactly
    image: Tensor | None = None  # (B, 3, H, W) float, 0..1
    background: Tensor | None = None  # (B, 3, H, W) float, 0..1; zeros where has_layers is False
    labels: Tensor | None = None  # (B, H, W) long: 0 = floor, k + 1 = object slot k
    visible: Tensor | None = None  # (B, N) float: visible pixels of the object, as a share of the picture
    place: Tensor | None = None  # (B, N, 4): the sprite's texture in the source square: left, top, width, height
    light: Tensor | None = None  # (B, N, 5): what casts the object's shadow, see vle_gen.data.shadows

    def __len__(self) -> int:
        return self.present.shape[0]

    def to(self, device: str | torch.device) -> SceneBatch:
        """The same batch on another device."""
        return SceneBatch(**{k: None if v is None else v.to(device) for k, v in vars(self).items()})

    @staticmethod
    def cat(batches: list[SceneBatch]) -> SceneBatch:
        """Concatenates batches of equal picture size along the batch axis, padding the object slots."""
        slots = max(b.present.shape[1] for b in batches)
        padded = [b.pad_slots(slots) for b in batches]
        joined = {}
        for key in vars(padded[0]):
            values = [getattr(b, key) for b in padded]
            shape = next((v.shape[1:] for v in values if v is not None), None)
            if shape is not None:  # what only some batches have, such as places of sprites, is 0 in the others
                values = [b.box.new_zeros(len(b), *shape) if v is None else v for b, v in zip(padded, values, strict=True)]
            joined[key] = None if shape is None else torch.cat(values)
        return SceneBatch(**joined)

    def pad_slots(self, slots: int) -> SceneBatch:
        """The same batch with `slots` object slots (at least as many as it has)."""
        extra = slots - self.present.shape[1]
        if extra == 0:
            return self
        values = dict(vars(self))
        for key in ("present", "box", "depth", "attributes", "sprite", "visible", "place", "light"):
            value = values[key]
            if value is None:
                continue
            fill = torch.zeros(value.shape[0], extra, *value.shape[2:], dtype=value.dtype, device=value.device)
            values[key] = torch.cat([value, fill - 1 if key == "sprite" else fill], 1)
        return SceneBatch(**values)
