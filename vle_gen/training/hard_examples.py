"""Layouts that are hard to take apart: things of one colour before one another."""
from __future__ import annotations

import torch
from torch import Tensor

from prompts.vocabulary import COLOR, MATERIAL
from vle_gen.data.compose import Engine
from vle_gen.data.scene import SceneBatch

DRAWN = 4  # layouts of which the hardest is taken


def likeness(scenes: SceneBatch) -> Tensor:
    """How hard scenes are to take apart, (B,), 0 or more: for each pair of things of one colour by how much the nearer one's
    box covers the other's, most for a half, and half as much again where they are of one material."""
    low, high = scenes.box[..., :2] - scenes.box[..., 2:] / 2, scenes.box[..., :2] + scenes.box[..., 2:] / 2
    shared = torch.minimum(high[:, :, None], high[:, None]) - torch.maximum(low[:, :, None], low[:, None])
    area = (high - low).prod(-1).clamp(min=1e-6)
    covered = (shared.clamp(min=0).prod(-1) / area[:, None]).clamp(max=1)  # (B, near, far)
    kinds, there = scenes.attributes, scenes.present[:, :, None] & scenes.present[:, None]
    same = [(kinds[:, :, None, k] == kinds[:, None, :, k]) & (kinds[:, :, None, k] >= 0) for k in (COLOR, MATERIAL)]
    hard = covered * (1 - covered) * 4 * (1 + 0.5 * same[1].float()) * (same[0] & there).float()
    return hard.triu(1).sum((1, 2))  # slots are near to far


def hard_layouts(
    engine: Engine, count: int, share: float, generator: torch.Generator, view: Tensor | None = None
) -> SceneBatch:
    """`count` layouts, of which about `share` are each the hardest of several. `view` is (count, 4)."""
    if share == 0:
        return engine.layout(count, generator, view)
    drawn = [engine.layout(count, generator, view) for _ in range(DRAWN)]
    hardest = torch.stack([likeness(scenes) for scenes in drawn]).argmax(0)  # (B,)
    chosen = torch.rand(count, generator=generator, device=hardest.device) < share
    row = torch.where(chosen, hardest, 0) * count + torch.arange(count, device=hardest.device)
    every = SceneBatch.cat(drawn)
    return SceneBatch(**{name: None if value is None else value[row] for name, value in vars(every).items()})
