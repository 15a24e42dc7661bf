"""Training the background decoder alone: what scenes look like without their objects, given the scene tokens that are written
of them."""
from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from vle_gen import config as configs
from vle_gen.tokenizer.blocks import work_picture
from vle_gen.tokenizer.network import TokenizerNetwork, posterior_sample
from vle_gen.training.log import Watch
from vle_gen.training.tokenizer import Pictures, readable, starting_network

SHOWN = 8  # backgrounds of a sample picture
STRANGE = 0.5  # of a batch, how many tokens there are besides that no background has, and how much these count
FAR = (0.4, 1.4)  # times the difference of two tokens, by which these lie away from a third
WORST = 1.0  # squared error that counts as no more, of what such a token says


class Pairs(NamedTuple):
    """Scene tokens, and the backgrounds that they are of."""

    mean: Tensor  # (N, D)
    logvar: Tensor  # (N, D)
    colours: Tensor  # (N, 3, S, S) uint8, stretched to squares of the decoder's size

    @staticmethod
    def drawn(network: TokenizerNetwork, pictures: Pictures, count: int, generator: torch.Generator) -> Pairs:
        """`count` pairs of composed scenes, with their objects in them when they are seen."""
        parts, done, side = [], 0, network.sizes.background
        with Watch("drawing backgrounds", count) as watch:
            while done < count:
                with torch.autocast(generator.device.type, enabled=False):
                    scenes = pictures(generator)
                known = scenes.has_layers
                mean, logvar = _read(network, scenes.image[known])
                colours = F.interpolate(scenes.background[known], (side, side), mode="area").clamp(0, 1)
                parts.append(Pairs(mean.float(), logvar.float(), (colours * 255).round().byte()))
                done += len(mean)
                watch.advance(len(mean))
        return Pairs(*(torch.cat(values) for values in zip(*parts, strict=True)))


class BackgroundTask:
    """The background decoder for `vle_gen.training.loop`, from pairs that are drawn once: to draw them takes longer than to
    learn from them, and a resumed run draws the same.

    Tokens of pictures unlike those that are composed, such as photographs, have no true background. Of tokens that no
    background has it learns to draw roughly what the decoder of `init` does, since objects are looked for against that.
    """

    def __init__(self, config: configs.TokenizerConfig, device: torch.device):
        self.config, self.network = config, starting_network(config).to(device)
        self.model = self.network.background_decoder
        self.before, self.squared = decoder_of(config.init).to(device), config.losses.squared
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=config.train.precision == "bf16"):
            generator = torch.Generator(device).manual_seed(config.train.seed)
            self.pairs = Pairs.drawn(self.network.eval(), Pictures.of(config, device), config.pairs, generator)

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        """How far colours are from the true ones, and how far their differences from pixel to pixel are; and how far those of
        strange tokens are, averaged over pixels of the decoder before."""
        count = self.config.train.batch
        chosen = torch.randint(len(self.pairs.mean), (count,), generator=generator, device=generator.device)
        mean, logvar, colours = (values[chosen] for values in self.pairs)
        strange = self._strange(max(1, round(STRANGE * count)), generator)
        drawn = self.model(torch.cat([posterior_sample(mean, logvar, generator), strange]))
        away = drawn[:count] - colours.float() / 255
        colour = away.abs().mean() + self.squared * away.square().mean()
        edges = away.diff(dim=2).abs().mean() + away.diff(dim=3).abs().mean()
        with torch.no_grad():
            before = self.before(strange)
        side = min(before.shape[-1], drawn.shape[-1])
        changed = F.adaptive_avg_pool2d(drawn[count:], side) - F.adaptive_avg_pool2d(before, side)
        changed = changed.abs().mean() + self.squared * changed.square().clamp(max=WORST).mean()
        terms = {"colour": colour.detach(), "edges": edges.detach(), "changed": changed.detach()}
        return colour + edges + STRANGE * changed, terms

    def _strange(self, count: int, generator: torch.Generator) -> Tensor:
        """Scene tokens (count, D) that are farther off than any background's."""
        chosen = torch.randint(len(self.pairs.mean), (3, count), generator=generator, device=generator.device)
        one, other, third = self.pairs.mean[chosen]
        share = torch.rand(count, 1, generator=generator, device=generator.device)
        return third + (FAR[0] + (FAR[1] - FAR[0]) * share) * (one - other)

    def sample_grid(self, ema_model: nn.Module) -> Image.Image:
        """Backgrounds above, as they are drawn below."""
        drawn = ema_model(self.pairs.mean[:SHOWN]).clamp(0, 1)
        rows = torch.stack([self.pairs.colours[:SHOWN].float() / 255, drawn])  # (2, N, 3, S, S)
        picture = rows.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
        return Image.fromarray((picture * 255).round().byte().cpu().numpy())

    def export(self, ema_model: nn.Module, folder: Path, card: dict) -> None:
        """Writes the checkpoint that `vle_gen.load` reads."""
        from vle_gen.tokenizer.model import VLETokenizer

        self.network.background_decoder.load_state_dict(ema_model.state_dict())
        VLETokenizer.from_network(self.network, readable(self.config)).save_checkpoint(folder, card)


def decoder_of(folder: str) -> nn.Module:
    """The background decoder of a checkpoint, to be read by."""
    from vle_gen.tokenizer.model import VLETokenizer

    return VLETokenizer.load(folder).network.background_decoder.eval().requires_grad_(False)


def _read(network: TokenizerNetwork, image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log-variance (B, D) of the scene tokens of pictures (B, 3, H, W), 0..1."""
    picture = work_picture(image, network.sizes.work_side)
    coarse = network.backbone(picture.contiguous(memory_format=torch.channels_last)).coarse
    return network.background_encoder(coarse, picture)
