"""The variant `reconstruction`: every token is a layer of the whole frame, and layers add up to the picture.

Each step looks at the residual, what is left of the picture, divided by its own scale, and writes one token; its layer, times
the scale that it holds, is subtracted. That is the loop of Variable Length Embeddings (Chiu, Gu & Zhou 2023). One encoder and
one decoder serve every step: that early tokens are coarse and late ones fine follows from what is left, and from the scale.
"""
from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vle_gen.tokenizer.blocks import ResBlock, quiet
from vle_gen.tokenizer.network import kl_divergence, posterior_sample
from vle_gen.tokenizer.sizes import ReconstructionSizes, ReconstructionWeights

PATCH = 4  # pixels on a side of what the networks see as one cell
STRIDE = 4 * PATCH  # pixels of a layer per cell of `what`
GREY = 0.5  # what no token says
STEP = 0.25  # to which written numbers are rounded
SCALE_MEAN, SCALE_SPREAD = -4.0, 2.0  # of the binary logarithm of residuals' scales: so the number is about unit variance
LEAST_SCALE = 2.0**-10
LEAST_ERROR = 1e-5  # squared; what is left below it teaches nothing


class Written(NamedTuple):
    """One step's answer for a batch of pictures."""

    what: Tensor  # (B, D + 1), the last number is the scale's
    layer: Tensor  # (B, 3, S, S), to be added
    kl: Tensor  # (B,) nats


class FrameEncoder(nn.Module):
    """Residual of unit scale, what is explained so far, and the scale -> mean and log-variance (B, D)."""

    def __init__(self, sizes: ReconstructionSizes):
        super().__init__()
        w4, w8, w16 = sizes.widths
        cells = (sizes.side // STRIDE) ** 2
        self.stem = nn.Conv2d(6 * PATCH**2 + 1, w4, 3, padding=1)
        self.blocks = nn.Sequential(
            ResBlock(w4, w4), nn.Conv2d(w4, w8, 4, stride=2, padding=1),
            ResBlock(w8, w8), nn.Conv2d(w8, w16, 4, stride=2, padding=1),
            ResBlock(w16, w16), ResBlock(w16, w16),
        )  # fmt: skip
        self.head = CellHead(w16, sizes.what // cells)

    def forward(self, residual: Tensor, explained: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        seen = F.pixel_unshuffle(torch.cat([residual, explained], 1), PATCH)
        x = self.blocks(self.stem(torch.cat([seen, _plane(scale, seen)], 1)))
        mean, logvar = self.head(x).float().chunk(2, 1)
        return mean.flatten(1), logvar.flatten(1)


class CellHead(nn.Conv2d):
    """The numbers of each cell of the frame, mean and log-variance, of which the latter starts with little noise."""

    def __init__(self, width: int, numbers: int):
        super().__init__(width, 2 * numbers, 1)
        quiet(self)


class FrameDecoder(nn.Module):
    """What (B, D) and scale numbers (B,) -> layers (B, 3, S, S) of about unit scale."""

    def __init__(self, sizes: ReconstructionSizes):
        super().__init__()
        w4, w8, w16 = sizes.widths
        self.cells = sizes.side // STRIDE
        self.start = nn.Conv2d(sizes.what // self.cells**2 + 1, w16, 3, padding=1)
        self.at16 = nn.Sequential(ResBlock(w16, w16), ResBlock(w16, w16))
        self.at8 = nn.Sequential(nn.Conv2d(w16, w8, 1), ResBlock(w8, w8))
        self.at4 = nn.Sequential(nn.Conv2d(w8, w4, 1), ResBlock(w4, w4))
        self.out = nn.Conv2d(w4, 3 * PATCH**2, 3, padding=1)
        with torch.no_grad():
            self.out.weight.mul_(0.1)

    def forward(self, what: Tensor, scale: Tensor) -> Tensor:
        x = what.view(len(what), -1, self.cells, self.cells)
        x = self.at16(self.start(torch.cat([x, _plane(scale, x)], 1)))
        x = self.at4(_double(self.at8(_double(x))))
        return F.pixel_shuffle(self.out(x), PATCH).float()


class ReconstructionNetwork(nn.Module):
    """Encoder and decoder of whole-frame tokens."""

    def __init__(self, sizes: ReconstructionSizes):
        super().__init__()
        self.sizes = sizes
        self.encoder, self.decoder = FrameEncoder(sizes), FrameDecoder(sizes)

    def layers(self, what: Tensor) -> Tensor:
        """What tokens (T, D + 1) add to the picture: (T, 3, S, S)."""
        return self.decoder(what[:, :-1], what[:, -1]) * _scale_of(what[:, -1])[:, None, None, None]

    def write(self, residual: Tensor, explained: Tensor, generator: torch.Generator | None = None) -> Written:
        """The next token of pictures of which `residual` (B, 3, S, S) is left. `what` is drawn from its posterior with a
        generator, and rounded as it is to be written without one."""
        number = _scale_number(residual)
        unit = residual / _scale_of(number)[:, None, None, None]
        mean, logvar = self.encoder(unit, explained, number)
        what = rounded(mean) if generator is None else posterior_sample(mean, logvar, generator)
        what = torch.cat([what, number[:, None]], 1)
        return Written(what, self.layers(what), kl_divergence(mean, logvar))


class ReconstructionLoss:
    """The loop's losses on pictures alone: the error after every token, and the KL of `what`."""

    def __init__(self, weights: ReconstructionWeights, tokens: int):
        self.weights, self.tokens = weights, tokens

    def __call__(
        self, net: ReconstructionNetwork, pictures: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float | Tensor]]:
        """The weighted loss of pictures (B, 3, S, S), 0..1, and its terms."""
        explained = torch.full_like(pictures, GREY)
        errors, divergence = [], []
        for _ in range(self.tokens):
            written = net.write((pictures - explained).detach(), explained.detach() - GREY, generator)
            explained = explained + written.layer
            errors.append((pictures - explained).square().mean((1, 2, 3)))
            divergence.append(written.kl)
        error = torch.stack(errors)  # (T, B)
        # The logarithm, so that the tenth token, which has little left to say, learns as much as the first.
        intermediate = (error + LEAST_ERROR).log().mean()
        kl = torch.stack(divergence).mean()
        loss = self.weights.intermediate * intermediate + self.weights.kl * kl
        last = error.detach().mean(1)
        numbers = {"intermediate": intermediate.detach(), "kl": kl.detach()}
        shown = {f"psnr_{k}": -10 * last[k - 1].log10() for k in shown_counts(self.tokens)}
        return loss, numbers | shown


@torch.no_grad()
def write_tokens(net: ReconstructionNetwork, picture: Tensor, most: int, price: float) -> Tensor:
    """The tokens (T, D + 1) of a picture (3, S, S), 0..1: the first, and more while each lowers the squared error (summed
    over colours, averaged over the frame) by more than its bits cost at `price` each, up to `most`."""
    explained, tokens = torch.full_like(picture[None], GREY), []
    while len(tokens) < most:
        written = net.write(picture[None] - explained, explained - GREY)
        after = explained + written.layer
        saved = squared_error(picture, explained[0]) - squared_error(picture, after[0])
        if tokens and saved < price * float(bits_of(written.what)):
            break
        tokens.append(written.what[0])
        explained = after
    return torch.stack(tokens)


@torch.no_grad()
def read_tokens(net: ReconstructionNetwork, what: Tensor, height: int, width: int) -> Tensor:
    """The picture (3, height, width) that tokens (T, D + 1) say."""
    frame = GREY + net.layers(what).sum(0, keepdim=True)
    return F.interpolate(frame, (height, width), mode="bicubic", antialias=True, align_corners=False)[0].clamp(0, 1)


def squared_error(a: Tensor, b: Tensor) -> float:
    """Of pictures (3, S, S): summed over colours, averaged over the frame."""
    return 3 * float((a - b).square().mean())


def bits_of(what: Tensor) -> Tensor:
    """The ideal code length (T,), in bits, of rounded tokens (T, D + 1) under the unit Gaussian that KL keeps them near."""
    nearer, farther = (torch.special.log_ndtr(-(what.double().abs() + edge)) for edge in (-STEP / 2, STEP / 2))
    nats = -(nearer + torch.log1p(-torch.exp(farther - nearer)))
    return nats.sum(1) / math.log(2)


def rounded(numbers: Tensor) -> Tensor:
    """The numbers as they are written."""
    return (numbers / STEP).round() * STEP


def shown_counts(tokens: int) -> list[int]:
    """1, 2, 4, 8, ... tokens: after how many to look."""
    return [2**k for k in range(tokens.bit_length())]


def _scale_number(residual: Tensor) -> Tensor:
    """How the scale (root mean square) of residuals (B, 3, S, S) is written: (B,)."""
    scale = residual.square().mean((1, 2, 3)).sqrt().clamp(min=LEAST_SCALE)
    return rounded((scale.log2() - SCALE_MEAN) / SCALE_SPREAD)


def _scale_of(number: Tensor) -> Tensor:
    return torch.exp2(number * SCALE_SPREAD + SCALE_MEAN)


def _plane(number: Tensor, like: Tensor) -> Tensor:
    """A number (B,) at every place of (B, C, h, w)."""
    return number[:, None, None, None].expand(-1, 1, *like.shape[-2:]).to(like.dtype)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
