"""Convolutional building blocks that the tokenizer's networks share, and affine sampling of frames."""
from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.tokenizer.warp import pixel_centres, to_glimpse

LOGVAR = (-10.0, 4.0)  # least and greatest of a posterior: pictures of a new kind would else send it to infinity
FIRST_LOGVAR = -5.0  # of a new posterior
PLANNED = 64  # numbers of glimpses that a GPU plans for are multiples of this


def quiet(head: nn.Linear | nn.Conv2d) -> None:
    """Starts a posterior's head with little noise: at unit noise the decoder learns to ignore `what`, for good."""
    with torch.no_grad():
        mean, logvar = head.bias.chunk(2)
        logvar.fill_(FIRST_LOGVAR)
        head.weight[len(mean) :] = 0


def planned(network: nn.Module, *inputs: Tensor) -> NamedTuple:
    """What a network of tensors (K, ...) makes of its inputs (K, ...), each row by itself. A GPU takes longer to plan a
    convolution for a K that it has not met than to compute it, so there it is given few: K is filled up with zeros."""
    count = len(inputs[0])
    spare = -count % PLANNED if inputs[0].is_cuda else 0
    if not spare:
        return network(*inputs)
    out = network(*(F.pad(one, (0, 0) * (one.ndim - 1) + (0, spare)) for one in inputs))
    return type(out)(*(one[:count] for one in out))


def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation: batch-size free, so that one picture is encoded as a batch is."""
    return nn.GroupNorm(max(1, channels // 16), channels)


class ResBlock(nn.Module):
    """Pre-activation residual block (He et al. 2016) of two 3 x 3 convolutions; changes width if asked."""

    def __init__(self, width_in: int, width: int, dilation: int = 1):
        super().__init__()
        self.norm1, self.conv1 = norm(width_in), nn.Conv2d(width_in, width, 3, padding=1)
        self.norm2 = norm(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)
        self.skip = nn.Identity() if width_in == width else nn.Conv2d(width_in, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


def frame_grid(where: Tensor, size: int) -> Tensor:
    """Canvas points (K, size, size, 2), in canvas units, of the pixel centres of the glimpses of frames (K, 4)."""
    unit = pixel_centres(size, where.device) / 2
    x = where[:, 0:1] + unit * where[:, 2:3]  # (K, size)
    y = where[:, 1:2] + unit * where[:, 3:4]
    return torch.stack([x[:, None].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], -1)


class Extent(NamedTuple):
    """How much of its square canvas a picture fills: width and height in canvas units, the longer one 1."""

    width: float
    height: float

    @staticmethod
    def of(height: int, width: int) -> Extent:
        """The extent of a picture of height x width pixels."""
        side = max(height, width)
        return Extent(width / side, height / side)


def work_picture(image: Tensor, side: int) -> Tensor:
    """What the backbone sees of pictures (B, 3, H, W), 0..1: their longer side at about `side` pixels, both multiples of 16, in
    -1..1."""
    extent = Extent.of(*image.shape[-2:])
    work = [round(side * share / 16) * 16 for share in (extent.height, extent.width)]
    return F.interpolate(image, work, mode="area") * 2 - 1


def crop(pictures: Tensor, extent: Extent, where: Tensor, size: int, mode: str = "bilinear") -> Tensor:
    """Glimpses (B, N, C, size, size): frames `where` (B, N, 4) of each picture of `pictures` (B, C, h, w), all of
    which show the whole of `extent`; 0 outside."""
    batch, count = where.shape[:2]
    scale = torch.tensor(extent, device=where.device)
    grid = (frame_grid(where.flatten(0, 1), size) - 0.5) / scale * 2  # (B * N, size, size, 2)
    grid = grid.view(batch, count * size, size, 2).to(pictures.dtype)
    crops = F.grid_sample(pictures, grid, mode, "zeros", False)  # (B, C, N * size, size)
    return crops.view(batch, -1, count, size, size).transpose(1, 2)


def paste(layers: Tensor, extent: Extent, where: Tensor, height: int, width: int) -> Tensor:
    """Layers (K, C, S, S), seen in frames (K, 4), drawn on pictures (K, C, height, width) of `extent`; 0 outside."""
    x = 0.5 + ((torch.arange(width, device=where.device) + 0.5) / width - 0.5) * extent.width
    y = 0.5 + ((torch.arange(height, device=where.device) + 0.5) / height - 0.5) * extent.height
    gx = to_glimpse((x - where[:, 0:1]) / where[:, 2:3] * 2)  # (K, W)
    gy = to_glimpse((y - where[:, 1:2]) / where[:, 3:4] * 2)
    grid = torch.stack([gx[:, None].expand(-1, height, -1), gy[:, :, None].expand(-1, -1, width)], -1)
    return F.grid_sample(layers, grid.to(layers.dtype), "bilinear", "zeros", False)
