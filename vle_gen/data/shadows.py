"""Soft shadows of cut-outs, made from their silhouettes: where they touch the floor, and where they keep the light off it.

A shadow map covers an object's frame, twice its box, as a token's does; it fades out before the frame ends.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 48  # pixels of a shadow map
FRAME = 2.0  # a map's extent in boxes
NONE, FLOOR, WALL, PERCHED = range(4)  # how an object stands to what its shadow falls on
LIGHT = 5  # numbers of a light: kind, sideways and depthwards shift (per unit of height, or of the box), strength, softness


def draw_lights(kind: Tensor, generator: torch.Generator) -> Tensor:
    """Lights (B, N, 5) of objects of `kind` (B, N): the same sun for all objects of a scene."""
    u = torch.rand(len(kind), 4, generator=generator, device=kind.device)
    sideways = (0.2 + 0.6 * (2 * u[:, 0] - 1).abs()) * (2 * u[:, 0] - 1).sign()
    behind = torch.where(u[:, 1] < 0.75, 0.10 + 0.25 * u[:, 1], -0.08 - 0.4 * (u[:, 1] - 0.75))  # else towards the camera
    scene = torch.stack([sideways, behind, 0.40 + 0.40 * u[:, 2], u[:, 3]], 1)  # (B, 4)
    return torch.cat([kind[..., None].to(scene), scene[:, None].expand(*kind.shape, 4)], -1)


def shadow_maps(silhouette: Tensor, aspect: Tensor, light: Tensor) -> Tensor:
    """Alpha (K, 1, S, S) of the shadows.

    Args:
        silhouette: (K, 1, S, S) of the objects in their frames, 0..1; the box is the middle half.
        aspect: (K,) width of the box over its height.
        light: (K, 5), see `LIGHT`.
    """
    kind, dx, dz, strength, softness = (value[:, None, None] for value in light.unbind(1))
    wide, high = aspect.clamp(max=1), (1 / aspect).clamp(max=1)  # the box's sides in units of its longer one
    at = (torch.arange(SIDE, device=light.device) + 0.5) / SIDE * FRAME - (FRAME - 1) / 2  # -0.5..1.5, the box is 0..1
    x, y = at[None, None, :], at[None, :, None]
    base = 1.0

    # Cast: the silhouette's point at height h above the base falls to (h dx, h dz) from its own foot.
    rise = (base - y) / torch.where(dz.abs() < 0.02, 0.02, dz)  # (K, S, 1), in boxes
    on_floor = torch.stack(torch.broadcast_tensors(x - rise * dx * (high / wide)[:, None, None], base - rise), -1)
    on_wall = torch.stack(torch.broadcast_tensors(x - 0.14 * dx, y - 0.05 - 0.10 * dz.abs()), -1)
    grid = torch.where((kind == WALL)[..., None], on_wall, on_floor)
    cast = F.grid_sample(silhouette, (grid - 0.5) * 2 / FRAME, "bilinear", "zeros", False)
    spread = (0.02 + 0.05 * softness[:, :, 0]) / torch.stack([wide, high], 1) * SIDE / FRAME  # (K, 2) pixels
    near, far = _blurred(cast, spread * 0.6), _blurred(cast, spread * 2.2)
    away = torch.where(kind == WALL, 0.5, rise.clamp(0, 1))[:, None]  # a shadow is softer the farther it falls
    cast = (near + (far - near) * away) * (1 - 0.3 * away)

    # Contact: dark under what is lowest, for every light.
    low = silhouette * ((y > 0.87) & (y <= 1.06))[:, None]
    profile = _blurred(low.amax(2, keepdim=True).expand(-1, -1, SIDE, -1).contiguous(), spread.new_tensor([[1.2, 0.3]]))
    thick = (0.04 + 0.03 * softness) * (wide / high)[:, None, None].clamp(0.6, 1.6)
    contact = profile * torch.exp(-(((y - (base - 0.015)) / thick) ** 2))[:, None]
    perched = (kind == PERCHED)[:, None]
    shade = 1 - (1 - 0.55 * contact) * (1 - torch.where(perched, 0.0, strength[:, None] * cast))
    shade = torch.where((kind == WALL)[:, None], 0.75 * strength[:, None] * cast, shade)
    shade = torch.where((kind == NONE)[:, None], 0.0, shade)
    edge = torch.minimum(at + 0.5, 1.5 - at).clamp(0, 0.3) / 0.3
    return (shade * (edge[None, None, :, None] * edge[None, None, None, :])).clamp(0, 1)


def _blurred(maps: Tensor, sigma: Tensor) -> Tensor:
    """Maps (K, 1, S, S) under Gaussians of `sigma` (K or 1, 2) pixels across and down; nothing lies beyond their edges."""
    at = torch.arange(SIDE, device=maps.device, dtype=maps.dtype)
    weights = torch.exp(-(((at[:, None] - at) / sigma.clamp(0.3, 6.0)[..., None, None]) ** 2) / 2)  # (K, 2, S, S)
    weights = weights / weights[:, :, SIDE // 2].sum(-1)[..., None, None]
    across, down = weights.unbind(1)
    with torch.autocast(maps.device.type, enabled=False):  # truth is not rounded, whatever training does
        return (down @ maps[:, 0] @ across)[:, None]
