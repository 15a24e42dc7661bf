"""Training the tokenizer's variant `reconstruction`, on the pictures of the same scenes: nothing else of them is looked at."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from vle_gen import config as configs
from vle_gen.tokenizer.reconstruction import (
    ReconstructionLoss,
    ReconstructionNetwork,
    read_tokens,
    shown_counts,
    write_tokens,
)
from vle_gen.training.tokenizer import Pictures

SHOWN = 16  # most tokens in sample pictures


class ReconstructionTask:
    """The variant for `vle_gen.training.loop`."""

    def __init__(self, config: configs.ReconstructionConfig, device: torch.device):
        self.model = ReconstructionNetwork(config.model).to(device)
        self.pictures = Pictures.of(config, device)
        self.criterion = ReconstructionLoss(config.losses, config.tokens)

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float | Tensor]]:
        """One batch's weighted loss and its terms."""
        with torch.autocast(generator.device.type, enabled=False):
            frames = self._frames(self.pictures(generator).image)
        return self.criterion(self.model, frames, generator)

    def sample_grid(self, ema_model: ReconstructionNetwork) -> Image.Image:
        """A column per scene: the picture, and what 1, 2, 4, 8, ... tokens say of it."""
        generator = torch.Generator(next(ema_model.parameters()).device).manual_seed(1)
        columns = []
        for picture in self.pictures.examples(generator):
            what = write_tokens(ema_model, self._frames(picture[None])[0], SHOWN, price=0.0)
            counts = [k for k in shown_counts(SHOWN) if k <= len(what)]
            rows = [read_tokens(ema_model, what[:k], *picture.shape[1:]) for k in counts]
            missing = len(shown_counts(SHOWN)) - len(rows)  # it stopped: no further token helped
            columns.append(torch.cat([picture, *rows, *missing * [torch.zeros_like(picture)]], 1))
        grid = torch.cat(columns, 2).clamp(0, 1)
        return Image.fromarray((grid * 255).round().byte().permute(1, 2, 0).cpu().numpy())

    def export(self, ema_model: ReconstructionNetwork, folder, card: dict) -> None:
        """Writes the checkpoint that `vle_gen.load` reads."""
        from vle_gen.tokenizer.reconstruction_model import ReconstructionTokenizer

        ReconstructionTokenizer.from_network(ema_model).save_checkpoint(folder, card)

    def _frames(self, pictures: Tensor) -> Tensor:
        side = self.model.sizes.side
        return F.interpolate(pictures, (side, side), mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)
