"""Between sRGB, linear light and OKLab, in which distances are as seen (Ottosson 2020). Colours come first: (3, ...)."""
from __future__ import annotations

import torch
from torch import Tensor

TO_LMS = ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
          (0.0883024619, 0.2817188376, 0.6299787005))  # fmt: skip
TO_LAB = ((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
          (0.0259040371, 0.7827717662, -0.8086757660))  # fmt: skip


def to_linear(srgb: Tensor) -> Tensor:
    """sRGB 0..1 as linear light."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb.clamp(min=0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Tensor) -> Tensor:
    """Linear light 0..1 as sRGB."""
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=1e-6) ** (1 / 2.4) - 0.055)


def to_lab(colour: Tensor) -> Tensor:
    """OKLab of linear colours (3, ...)."""
    lms = torch.tensordot(colour.new_tensor(TO_LMS), colour, 1).clamp(min=0) ** (1 / 3)
    return torch.tensordot(colour.new_tensor(TO_LAB), lms, 1)


def from_lab(lab: Tensor) -> Tensor:
    """Linear colours of OKLab (3, ...)."""
    lms = torch.tensordot(torch.linalg.inv(lab.new_tensor(TO_LAB)), lab, 1) ** 3
    return torch.tensordot(torch.linalg.inv(lab.new_tensor(TO_LMS)), lms, 1)
