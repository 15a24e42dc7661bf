"""The tokenizer's networks put together, as a plain module that training and inference share."""
from __future__ import annotations

import torch
from torch import Tensor, nn

from vle_gen.tokenizer.backbone import Backbone
from vle_gen.tokenizer.background import BackgroundEncoder, background_decoder
from vle_gen.tokenizer.blocks import quiet
from vle_gen.tokenizer.glimpse import GlimpseDecoder, GlimpseEncoder
from vle_gen.tokenizer.outline import OutlineNetwork
from vle_gen.tokenizer.sizes import TokenizerSizes
from vle_gen.tokenizer.step import StepNetwork


class TokenizerNetwork(nn.Module):
    """Backbone, step network, glimpse encoder and decoder, background encoder and decoder; and, where there is one, the outline
    network."""

    def __init__(self, sizes: TokenizerSizes):
        super().__init__()
        w4, w8 = sizes.backbone_widths[1:3]
        self.sizes = sizes
        self.backbone = Backbone(tuple(sizes.backbone_widths))
        self.step = StepNetwork(w4, sizes.step_width)
        self.glimpse_encoder = GlimpseEncoder(
            w4, tuple(sizes.encoder_widths), sizes.whole, sizes.glimpse, sizes.local
        )
        self.glimpse_decoder = GlimpseDecoder(
            sizes.whole, tuple(sizes.decoder_widths), tuple(sizes.decoder_blocks), sizes.glimpse, sizes.layer, sizes.local
        )
        self.background_encoder = BackgroundEncoder(w8, sizes.what, sizes.whole)
        self.background_decoder = background_decoder(sizes)
        self.outline = OutlineNetwork(sizes.outline, sizes.missed) if sizes.outline else None
        quiet(self.glimpse_encoder.what[-1])
        quiet(self.background_encoder.head[-1])
        self.to(memory_format=torch.channels_last)  # in which convolutions of small glimpses are fastest

    @property
    def notices_missed(self) -> bool:
        """Whether it says which pixels are an object's that no token is of (see `vle_gen.tokenizer.missed`)."""
        return self.outline is not None and self.outline.missed is not None


def posterior_sample(mean: Tensor, logvar: Tensor, generator: torch.Generator | None) -> Tensor:
    """A draw from N(mean, exp(logvar)); the mean itself without a generator (Kingma & Welling 2014)."""
    if generator is None:
        return mean
    noise = torch.randn(mean.shape, generator=generator, device=generator.device, dtype=mean.dtype).to(mean.device)
    return mean + noise * torch.exp(0.5 * logvar)


def kl_divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL of N(mean, exp(logvar)) from N(0, 1), summed over the numbers of `what`: (K, D) -> (K,), in nats."""
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)
