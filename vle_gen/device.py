"""Choosing where to compute, with an error that a person can act on when it is not there."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

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


class _Default:
    """How many computations are under way that take the default dtype to be float32, and what it is to be after them."""

    lock, count, after = Lock(), 0, torch.float32


@contextmanager
def float32_by_default() -> Iterator[None]:
    """New tensors are float32 meanwhile, as the weights are, whatever `torch.set_default_dtype` was told. Threads share that
    default, so it comes back when the last of them is done. Decorates functions too."""
    with _Default.lock:
        if not _Default.count and torch.get_default_dtype() != torch.float32:
            _Default.after = torch.get_default_dtype()
            torch.set_default_dtype(torch.float32)
        _Default.count += 1
    try:
        yield
    finally:
        with _Default.lock:
            _Default.count -= 1
            if not _Default.count and _Default.after != torch.float32:
                torch.set_default_dtype(_Default.after)
                _Default.after = torch.float32
