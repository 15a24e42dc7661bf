"""Layouts for the prior: what stands where, without pixels, with more ways to stand than a sprite pack holds.

A sprite has one place, and a rig holds each sort of object once or twice. A prior that sees no more learns which sprite stands
at which place of which rig, and what a text says of it hardly matters. So sprites of all rigs meet here on any floor, and
each is shifted over it in perspective.
"""
from __future__ import annotations

import torch
from torch import Tensor

from editors.perspective import GROUND
from vle_gen.data.compose import FULL_VIEW
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank

SIDEWAYS, AWAY = 0.905, 1.10  # floor units for a unit of (x - 1/2) * depth, and of depth, with CLEVR's lens
GAP = 0.5  # least gap between two objects on the floor, in its units: what is written has then some room to err
COVERED = 0.25  # share of the smaller of two boxes from which the farther one would be hidden
EDGE = 0.06  # canvas units that a centre keeps from the edge of the picture
DEEP = 1 / 3  # of a shift sideways, how far one goes up or down the picture


class Layouts:
    """Draws scenes without pixels.

    Args:
        bank: the sprites; their pixels are not used.
        min_objects, max_objects: in a scene, uniform.
        jitter: standard deviation of the shift sideways, in canvas units; a third of that up and down.
        mixed: share of the scenes in which sprites of all rigs meet.
    """

    def __init__(self, bank: SpriteBank, min_objects: int, max_objects: int, jitter: float = 0.0, mixed: float = 1.0):
        self.bank, self.min_objects, self.max_objects = bank, min_objects, max_objects
        self.jitter, self.mixed = jitter, mixed

    @torch.no_grad()
    def __call__(self, count: int, generator: torch.Generator, tries: int = 40) -> SceneBatch:
        """`count` scenes, nearest objects first."""
        bank, device = self.bank, self.bank.box.device

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator, device=device)

        rig = (uniform(count) * len(bank.members)).long()
        wanted = self.min_objects + (uniform(count) * (self.max_objects + 1 - self.min_objects)).long()
        own = (bank.members >= 0).sum(1)[rig, None]  # (B, 1)
        pick = uniform(count, tries)
        sprite = bank.members[rig[:, None], (pick * own).long()]
        anywhere = (uniform(count, 1) < self.mixed).expand(-1, tries)
        sprite = torch.where(anywhere, (pick * len(bank.box)).long(), sprite)
        box, depth = self._shifted(bank.box[sprite], bank.depth[sprite], generator)
        taken = self._standing(box, depth, bank.radius[sprite], wanted)

        depth, order = torch.where(taken, depth, torch.inf).sort(1)
        depth, order = depth[:, : self.max_objects], order[:, : self.max_objects]
        present, sprite = depth.isfinite(), sprite.gather(1, order)
        return SceneBatch(
            present=present,
            box=box.gather(1, order[..., None].expand(-1, -1, 4)) * present[..., None],
            depth=torch.where(present, depth, torch.zeros_like(depth)),
            attributes=bank.attributes[sprite] * present[..., None],
            sprite=torch.where(present, sprite, -1),
            rig=rig,
            view=torch.tensor(FULL_VIEW, device=device).expand(count, 4),
            has_layers=torch.ones(count, dtype=torch.bool, device=device),
        )

    def _shifted(self, box: Tensor, depth: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Boxes (B, N, 4) and depths (B, N) of objects that stand elsewhere on the floor, larger where nearer."""
        if not self.jitter:
            return box, depth
        noise = torch.randn(*depth.shape, 2, generator=generator, device=depth.device).clamp(-2, 2)
        step = self.jitter * noise * noise.new_tensor([1.0, DEEP])
        below = (box[..., 1] - GROUND.horizon).clamp(min=0.1)
        scale = ((below + step[..., 1]) / below).clamp(0.7, 1.4)
        return torch.cat([box[..., :2] + step, box[..., 2:] * scale[..., None]], -1), depth / scale

    def _standing(self, box: Tensor, depth: Tensor, radius: Tensor, wanted: Tensor) -> Tensor:
        """Which candidates (B, N) stand in the scene: one after the other, where there is room, up to `wanted` (B,)."""
        floor = torch.stack([SIDEWAYS * (box[..., 0] - 0.5) * depth, AWAY * depth], -1)
        gap = torch.cdist(floor, floor) - radius[:, None] - radius[:, :, None]  # (B, N, N)
        low, high = box[..., :2] - box[..., 2:] / 2, box[..., :2] + box[..., 2:] / 2
        common = torch.minimum(high[:, None], high[:, :, None]) - torch.maximum(low[:, None], low[:, :, None])
        area = box[..., 2:].prod(-1)
        covered = common.clamp(min=0).prod(-1) / torch.minimum(area[:, None], area[:, :, None]).clamp(min=1e-6)
        clash = (gap < GAP) | (covered > COVERED)
        inside = ((box[..., :2] > EDGE) & (box[..., :2] < 1 - EDGE)).all(-1)
        taken = torch.zeros_like(inside)
        for k in range(depth.shape[1]):
            taken[:, k] = inside[:, k] & ~(clash[:, k] & taken).any(1) & (taken.sum(1) < wanted)
        return taken
