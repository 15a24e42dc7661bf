"""The optimiser: AdamW, and for kernels and matrices, if wanted, momentum that is made orthogonal (Muon).

Muon is Jordan et al. 2024; the step's scale, which lets it share AdamW's range of learning rates, is Liu et al. 2025
("Muon is scalable for LLM training", section 2.2).
"""
from __future__ import annotations

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
POLYNOMIAL = (3.4445, -4.7750, 2.0315)  # of the Newton-Schulz iteration: steep at 0, so that five rounds are enough
ROUNDS = 5
LEAST_ROWS = 16  # heads of a few outputs are no matrices worth orthogonalising
LARGEST = 800_000  # entries; beyond, the iteration costs more than it brings on a CPU


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest matrices with singular values near 1, (K, n, m) in bfloat16, by the Newton-Schulz iteration."""
    a, b, c = POLYNOMIAL
    x = matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def is_matrix(parameter: nn.Parameter) -> bool:
    """Whether Muon may train it: a kernel or matrix of some size."""
    if parameter.ndim not in (2, 4):
        return False
    return min(len(parameter), parameter[0].numel()) >= LEAST_ROWS and parameter.numel() <= LARGEST


def some_rows(parameter: nn.Parameter, rows: Tensor) -> None:
    """Lets training change some rows of a table alone, (N,) bool: the others have no gradient, and nothing decays."""
    parameter.requires_grad_(True)
    parameter.register_hook(lambda gradient: gradient * rows[:, None])
    parameter.table = True


class Optimizer(torch.optim.AdamW):
    """AdamW (betas 0.9 and 0.99); kernels and matrices follow Muon when `matrix_lr` is above 0.

    Args:
        model: its parameters that require a gradient are trained.
        lr, matrix_lr: highest learning rates; `scale` scales both alike.
        weight_decay: on matrices and kernels; biases and norms have none.
    """

    def __init__(self, model: nn.Module, lr: float, matrix_lr: float, weight_decay: float):
        trained = [p for p in model.parameters() if p.requires_grad]
        tables = {p for p in trained if getattr(p, "table", False)}
        muon = {p for p in trained if matrix_lr > 0 and is_matrix(p) and p not in tables}
        groups = [
            dict(params=[p for p in trained if p in muon], orthogonal=True, peak=matrix_lr, weight_decay=weight_decay),
            dict(params=[p for p in trained if p.ndim >= 2 and p not in muon | tables], peak=lr, weight_decay=weight_decay),
            dict(params=[p for p in trained if p.ndim < 2 or p in tables], peak=lr, weight_decay=0.0),
        ]
        super().__init__([dict(orthogonal=False) | g for g in groups if g["params"]], lr=lr, betas=(0.9, 0.99))

    def scale(self, factor: float) -> None:
        """Sets every learning rate to `factor` times its highest."""
        for group in self.param_groups:
            group["lr"] = factor * group["peak"]

    def blank(self, group: dict, parameter: nn.Parameter, step: int) -> dict[str, Tensor]:
        """The state of a parameter of `group` before anything is known of its gradients."""
        state = {"exp_avg": torch.zeros_like(parameter)}
        if not group["orthogonal"]:
            state |= {"exp_avg_sq": torch.zeros_like(parameter), "step": torch.tensor(float(step))}
        return state

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """One step; `closure` is not supported."""
        groups = self.param_groups
        self.param_groups = [g for g in groups if not g["orthogonal"]]
        try:
            super().step()
        finally:
            self.param_groups = groups
        for group in groups:
            if group["orthogonal"]:
                self._orthogonal_step(group)

    def _orthogonal_step(self, group: dict) -> None:
        alike: dict[tuple[int, int], list[Tensor]] = {}  # by shape: many small products cost more than a few large ones
        for parameter in group["params"]:
            if parameter.grad is not None:
                alike.setdefault((len(parameter), parameter[0].numel()), []).append(parameter)
        for shape, parameters in alike.items():
            for parameter in parameters:
                if not self.state[parameter]:
                    self.state[parameter] = self.blank(group, parameter, 0)
            averages, gradients = [self.state[p]["exp_avg"] for p in parameters], [p.grad for p in parameters]
            torch._foreach_mul_(averages, MOMENTUM)
            torch._foreach_add_(averages, gradients)
            ahead = torch._foreach_add(gradients, averages, alpha=MOMENTUM)  # Nesterov
            directions = orthogonal(torch.stack([matrix.reshape(shape) for matrix in ahead]))
            torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
            step = -group["lr"] * 0.2 * max(shape) ** 0.5
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter.add_(direction.to(parameter.dtype).view_as(parameter), alpha=step)
