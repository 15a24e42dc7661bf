"""Batches for the prior of pictures whose tokens and captions are kept: nothing is rendered, encoded or read."""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.errors import UserError
from vle_gen.prior.network import ANY, BACKGROUND, PriorBatch
from vle_gen.training.caption_reading import ReadCaptions
from vle_gen.training.sources import Examples
from vle_gen.training.token_cache import PictureTokens

MOST_EXAMPLES = 20_000  # of each kind, that codes are found from


class PictureBatches:
    """Draws pictures evenly, and one of the captions of each. Pictures without any object are not drawn.

    Args:
        tokens, captions: of the same pictures, on the CPU.
        device: where batches go.

    Raises:
        UserError: no picture holds an object.
    """

    def __init__(self, tokens: PictureTokens, captions: ReadCaptions, device: torch.device):
        self.tokens, self.captions, self.device = tokens, captions, device
        self.usable = (tokens.length > 1).nonzero()[:, 0]
        if not len(self.usable):
            raise UserError("the tokenizer finds no objects in these pictures: train one on pictures like them first")
        self.first_caption = captions.count.cumsum(0) - captions.count
        slots = tokens.length.repeat_interleave(captions.count)  # (C,) of each caption's picture
        self.first_order = slots.cumsum(0) - slots
        self.first_word = captions.words.cumsum(0) - captions.words

    def batches(self, count: int, generator: torch.Generator, easy: bool = False) -> list[PriorBatch]:
        """`count` captioned token lists, the shorter half and the longer one apart, so that little is spent on padding."""
        chance = torch.rand(count, 2, generator=generator, device=generator.device).cpu().double()
        picture = self.usable[(chance[:, 0] * len(self.usable)).long()]
        which = (chance[:, 1] * self.captions.count[picture]).long()
        order = self.tokens.length[picture].argsort(stable=True)
        picture, caption = picture[order], (self.first_caption[picture] + which)[order]
        half = count // 2
        parts = [(picture[:half], caption[:half]), (picture[half:], caption[half:])]
        return [self._batch(*part) for part in parts if len(part[0])]

    def _batch(self, picture: Tensor, caption: Tensor) -> PriorBatch:
        tokens, captions = self.tokens, self.captions
        length, words = tokens.length[picture], captions.words[caption]
        slot = torch.arange(int(length.max())).minimum(length[:, None] - 1)  # (B, T), the last one repeated as padding
        slot = captions.order[self.first_order[caption, None] + slot].long()
        row = tokens.start[picture, None] + slot
        word = torch.arange(int(words.max()))
        mask = word < words[:, None]  # (B, L)
        features = captions.features[(self.first_word[caption, None] + word).clamp(max=len(captions.features) - 1)]
        values = dict(
            what=tokens.what[row].float(),
            where=tokens.where[row],
            depth=tokens.depth[row],
            sort=torch.where(slot == 0, BACKGROUND, ANY),
            length=length,
            features=features.float() * mask[..., None],
            mask=mask,
            mentioned=captions.mentioned[caption],
        )
        return PriorBatch(**{name: value.to(self.device) for name, value in values.items()})

    def examples(self, seed: int = 0) -> Examples:
        """Of the pictures' tokens, all of one sort: what they show has no name."""
        first = torch.zeros(len(self.tokens.what), dtype=torch.bool)
        first[self.tokens.start[self.tokens.length > 0]] = True
        random = torch.Generator().manual_seed(seed)

        def some(rows: Tensor) -> Tensor:
            chosen = rows[torch.randperm(len(rows), generator=random)[:MOST_EXAMPLES]]
            return self.tokens.what[chosen].float().to(self.device)

        objects = some((~first).nonzero()[:, 0])
        return Examples(some(first.nonzero()[:, 0]), objects, torch.ones(len(objects), dtype=torch.long, device=self.device))
