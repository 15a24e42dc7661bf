"""Choosing where to compute, with an error that a person can act on when it is not there."""
from __future__ import annotations

import torch
from torch import nn

from vle_gen.errors import UserError


def choose(name: str | torch.device | None = None) -> torch.device:
    """The named device, or without a name CUDA where there is one and the CPU elsewhere.

    Raises:
        UserError: no such device, here or anywhere.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if torch.empty(1, device=device).is_meta:
            raise NotImplementedError  # it holds no numbers
    except (RuntimeError, AssertionError, NotImplementedError):
        there = ", ".join(["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))])
        raise UserError(f"device {str(name)!r} is not available: expected one of {there}") from None
    return device


def aligned(model: nn.Module) -> nn.Module:
    """The same model with its weights in memory of torch's own. Read from a file they may lie anywhere, and sums of numbers
    that lie elsewhere can differ in their last bit: a seed would not mean the same picture."""
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data = tensor.data.clone()
    return model


def require_float32(dtype: object) -> None:
    """Raises `UserError` for a dtype other than float32; what is none is let pass."""
    if isinstance(dtype, torch.dtype) and dtype != torch.float32:
        raise UserError(f"this computes in float32: leave {dtype} out")
