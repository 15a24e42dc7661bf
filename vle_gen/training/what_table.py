"""`what` of everything in packs, encoded once, so that training the prior renders and encodes nothing."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vle_gen.data import shadows
from vle_gen.data.catalogue import Catalogue
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.sprites import SpriteBank

KINDS = (shadows.NONE, shadows.FLOOR, shadows.WALL, shadows.PERCHED)
BATCH = 32


@dataclass(frozen=True)
class WhatTable:
    """`what` of every look of the sprites (L, D) and of every background (R, D), as posteriors: mean and spread."""

    sprite_mean: Tensor
    sprite_std: Tensor
    background_mean: Tensor
    background_std: Tensor
    look: Tensor | None = None  # (S, suns, KINDS) long: which look each sprite has; without it sprite s has look s

    @staticmethod
    @torch.no_grad()
    def of(tokenizer, bank: SpriteBank) -> WhatTable:
        """Encodes a whole pack of rigs with a `VLETokenizer`."""
        return WhatTable(*_posterior(tokenizer.encode_sprites(bank)), *_posterior(tokenizer.encode_backgrounds(bank)))

    @staticmethod
    @torch.no_grad()
    def of_packs(tokenizer, catalogue: Catalogue, suns: int, seed: int = 0) -> WhatTable:
        """Encodes packs: each cut-out that may be drawn under each of some suns, with every kind of shadow."""
        composer, sprites = MixedComposer(catalogue), catalogue.sprites
        look = torch.zeros(len(sprites.pack), suns, len(KINDS), dtype=torch.long, device=composer.device)
        near, far, start = [], [], 0
        for number, bank in enumerate(catalogue.banks):
            far.append(_posterior(tokenizer.encode_backgrounds(bank)) if len(bank.background) else None)
            mine = torch.nonzero((sprites.pack == number) & sprites.usable)[:, 0]
            if isinstance(bank, SpriteBank):
                near.append(_posterior(tokenizer.encode_sprites(bank)))
                look[mine] = (start + torch.arange(len(mine), device=mine.device))[:, None, None]
                start += len(mine)
                continue
            for sun in range(suns):
                for kind in KINDS:
                    for some in mine.split(BATCH):
                        generator = torch.Generator(mine.device).manual_seed(seed + sun)
                        near.append(_posterior(tokenizer.encode_alone_in(composer, composer.alone(some, kind, generator))))
                    look[mine, sun, kind] = start + torch.arange(len(mine), device=mine.device)
                    start += len(mine)
        joined = [torch.cat(parts) for kinds in (near, [one for one in far if one]) for parts in zip(*kinds, strict=True)]
        return WhatTable(*joined, look=look)

    def looks(self, sprite: Tensor, kind: Tensor | None, generator: torch.Generator) -> Tensor:
        """The look (B, T) of each of sprites (B, T) whose shadows are of `kind` (B, T), under one sun in each scene."""
        if self.look is None:
            return sprite
        sun = torch.randint(self.look.shape[1], (len(sprite), 1), generator=generator, device=sprite.device)
        return self.look[sprite, sun, torch.zeros_like(sprite) if kind is None else kind]

    def draw(self, generator: torch.Generator, least: int = 512) -> tuple[Tensor, Tensor]:
        """Equally many draws of every background (.., D) and of every look (.., D), at least `least` of each kind."""

        def drawn(mean: Tensor, std: Tensor) -> Tensor:
            times = -(-least // len(mean))
            noise = torch.randn(times * len(mean), mean.shape[1], generator=generator, device=mean.device)
            return mean.repeat(times, 1) + std.repeat(times, 1) * noise

        return drawn(self.background_mean, self.background_std), drawn(self.sprite_mean, self.sprite_std)


def _posterior(code: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and spread; cloned, since tensors made in inference mode cannot take part in training."""
    mean, logvar = code
    return mean.float().clone(), (logvar.float() / 2).exp()
