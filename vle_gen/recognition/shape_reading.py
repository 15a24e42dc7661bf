"""What solids' tokens say of their shape: a linear reading of `what`.

CLIP's small image tower knows the lights of the renders that it was trained on, and takes a sphere for a cube under others. The
tokenizer, which has to draw what it sees, is less easily misled, and its tokens say the shape linearly (benchmarks/probe.py).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

PENALTY = 0.1  # on squared weights of standardised numbers
ROUNDS = 200  # of L-BFGS, at most
DIGITS = 4  # of weights, after the point


@dataclass(frozen=True)
class ShapeReading:
    """Weights (S, D) and bias (S,) of the logits of S shapes."""

    weight: Tensor
    bias: Tensor

    @staticmethod
    def fit(what: Tensor, shapes: Tensor, count: int) -> ShapeReading:
        """Multinomial logistic regression of shapes (N,), of `count`, on tokens (N, D)."""
        with torch.enable_grad():
            x, y = what.detach().double().cpu(), shapes.cpu()
            mean, std = x.mean(0), x.std(0) + 1e-6
            x = (x - mean) / std
            weight, bias = (torch.zeros(count, n, dtype=x.dtype, requires_grad=True) for n in (x.shape[1], 1))
            optimizer = torch.optim.LBFGS([weight, bias], max_iter=ROUNDS)

            def loss() -> Tensor:
                optimizer.zero_grad()
                value = F.cross_entropy(x @ weight.T + bias[:, 0], y) + PENALTY * weight.square().sum()
                value.backward()
                return value

            optimizer.step(loss)
        weight = weight.detach() / std
        return ShapeReading(weight.float(), (bias.detach()[:, 0] - weight @ mean).float())

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        values = ([round(v, DIGITS) for v in row] for row in self.weight.tolist())
        return {"weight": list(values), "bias": [round(v, DIGITS) for v in self.bias.tolist()]}

    @staticmethod
    def from_json(values: dict[str, Any]) -> ShapeReading:
        """What `as_json` gave."""
        return ShapeReading(torch.tensor(values["weight"]), torch.tensor(values["bias"]))

    def __call__(self, what: Tensor) -> Tensor:
        """Logarithms of how likely each shape is of tokens (K, D): (K, S)."""
        return (what.float() @ self.weight.to(what.device).T + self.bias.to(what.device)).log_softmax(-1)
