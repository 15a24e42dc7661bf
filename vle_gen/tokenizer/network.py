"""The tokenizer's networks put together, as a plain module that training and inference share."""
from __future__ import annotations

import torch
from torch import Tensor, nn

from vle_gen.tokenizer.backbone import Backbone
from vle_gen.tokenizer.background import BackgroundDecoder, BackgroundEncoder
from vle_gen.tokenizer.glimpse import GlimpseDecoder, GlimpseEncoder
from vle_gen.tokenizer.sizes import TokenizerSizes
from vle_gen.tokenizer.step import StepNetwork

FIRST_LOGVAR = -5.0  # of a new posterior


class TokenizerNetwork(nn.Module):
    """Backbone, step network, glimpse encoder and decoder, background encoder and decoder."""

    def __init__(self, sizes: TokenizerSizes):
        super().__init__()
        w4, w8 = sizes.backbone_widths[1:3]
        self.sizes = sizes
        self.backbone = Backbone(tuple(sizes.backbone_widths))
        self.step = StepNetwork(w4, sizes.step_width)
        self.glimpse_encoder = GlimpseEncoder(w4, tuple(sizes.encoder_widths), sizes.what, sizes.glimpse)
        self.glimpse_decoder = GlimpseDecoder(
            sizes.what, tuple(sizes.decoder_widths), tuple(sizes.decoder_blocks), sizes.glimpse, sizes.layer
        )
        self.background_encoder = BackgroundEncoder(w8, sizes.what)
        self.background_decoder = BackgroundDecoder(sizes.what, sizes.background)
        quiet(self.glimpse_encoder.what[-1])
        quiet(self.background_encoder.head[-1])
        self.to(memory_format=torch.channels_last)  # in which convolutions of small glimpses are fastest


def quiet(head: nn.Linear) -> None:
    """Starts a posterior's head with little noise: at unit noise the decoder learns to ignore `what`, for good."""
    with torch.no_grad():
        mean, logvar = head.bias.chunk(2)
        logvar.fill_(FIRST_LOGVAR)
        head.weight[len(mean) :] = 0


def posterior_sample(mean: Tensor, logvar: Tensor, generator: torch.Generator | None) -> Tensor:
    """A draw from N(mean, exp(logvar)); the mean itself without a generator (Kingma & Welling 2014)."""
    if generator is None:
        return mean
    noise = torch.randn(mean.shape, generator=generator, device=generator.device, dtype=mean.dtype).to(mean.device)
    return mean + noise * torch.exp(0.5 * logvar)


def kl_divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL of N(mean, exp(logvar)) from N(0, 1), summed over the numbers of `what`: (K, D) -> (K,), in nats."""
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)
