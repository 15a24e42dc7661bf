"""The flow head: a small MLP that turns noise into a token's `what`, given the hidden state of its step.

Straight paths from noise to data: x(s) = (1 - s) * data + s * noise, and the network says noise - data.
"""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def around(x: Tensor, sigma: Tensor, centre: Tensor, spread: Tensor) -> Tensor:
    """The velocity (K, D) of a normal distribution around `centre`, in closed form: numbers that are as many as those of a map
    do not pass through a narrow network, and noise that it cannot tell from them would stay."""
    sigma, variance = sigma[:, None], spread.square()
    total = (1 - sigma).square() * variance + sigma.square()
    return ((sigma - (1 - sigma) * variance) * x - sigma * centre) / total


class FlowBlock(nn.Module):
    """Residual MLP block whose norm and gate are set by the condition."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.modulation = nn.Linear(width, 3 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        shift, scale, gate = self.modulation(condition).chunk(3, -1)
        return x + gate * self.mlp(self.norm(x) * (1 + scale) + shift)


class Condition(NamedTuple):
    """What the velocity of K tokens depends on, the same at every noise level."""

    told: Tensor  # (K, width)
    centre: Tensor  # (K, D) the codes' means
    spread: Tensor | None = None  # (K, D) standard deviation around them, where the flow begins with it

    def repeated(self, times: int) -> Condition:
        """For `times` as many tokens, all of them again and again."""
        return Condition(*(None if value is None else value.repeat(times, 1) for value in self))


class FlowHead(nn.Module):
    """Velocity of `what` (K, D) at noise level sigma (K,) in 0..1, given hidden states (K, hidden) of the trunk."""

    def __init__(self, what_dim: int, hidden: int, width: int, blocks: int, octaves: int = 8):
        super().__init__()
        self.octaves = octaves
        self.inlet = nn.Linear(what_dim, width)
        self.time = nn.Sequential(nn.Linear(2 * octaves, width), nn.SiLU(), nn.Linear(width, width))
        self.from_hidden = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, width))
        self.from_code = nn.Linear(what_dim, width)
        self.blocks = nn.ModuleList(FlowBlock(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Linear(width, 2 * width)
        self.outlet = nn.Linear(width, what_dim)
        for layer in (self.modulation, self.outlet):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def condition(self, hidden: Tensor, code: Tensor, spread: Tensor | None = None) -> Condition:
        """The condition of hidden states and codebook rows (K, D) and, where the flow is to begin with a normal distribution
        around those, of its standard deviations (K, D)."""
        return Condition(self.from_hidden(hidden) + self.from_code(code), code, spread)

    def forward(self, x: Tensor, sigma: Tensor, condition: Condition) -> Tensor:
        """Velocity (K, D); `condition` comes from `self.condition`."""
        start = None if condition.spread is None else around(x, sigma, condition.centre, condition.spread)
        angle = sigma[:, None] * (math.pi / 2) * 2.0 ** torch.arange(self.octaves, device=sigma.device)  # (K, octaves)
        time = self.time(torch.cat([angle.sin(), angle.cos()], 1).to(x.dtype))
        told = F.silu(condition.told + time)
        x = self.inlet(x)
        for block in self.blocks:
            x = block(x, told)
        shift, scale = self.modulation(told).chunk(2, -1)
        out = self.outlet(self.norm(x) * (1 + scale) + shift)
        return out if start is None else start + out

    def loss(self, data: Tensor, condition: Condition, repeats: int, generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity, over `repeats` draws of noise for each of data (K, D)."""
        shape = (repeats, *data.shape)
        noise = torch.randn(shape, generator=generator, device=data.device)
        # logit-normal: most draws in the middle, where it is decided what the thing will be
        sigma = torch.randn(shape[:2], generator=generator, device=data.device).sigmoid()[..., None]
        noisy = (1 - sigma) * data + sigma * noise
        said = self(noisy.flatten(0, 1), sigma.flatten(), condition.repeated(repeats))
        return (said.float().view(shape) - (noise - data)).square().mean()
