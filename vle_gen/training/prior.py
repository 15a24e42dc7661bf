"""Training of the prior: captioned token lists, of layouts of sprite packs or of one's own pictures, encoded beforehand."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from prompts.called import every_calling
from prompts.known import caption_words
from prompts.lexicon import Lexicon
from prompts.vocabulary import SHAPE, SHAPES, WORDS
from vle_gen.compact.fit import seen_gauges
from vle_gen.config import PriorConfig
from vle_gen.data.catalogue import Catalogue
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.packs import load_catalogue
from vle_gen.data.sprites import SpriteBank
from vle_gen.data.words import names_of
from vle_gen.errors import UserError
from vle_gen.prior.more_codes import with_new_names
from vle_gen.prior.network import PriorNetwork, prior_loss
from vle_gen.prior.sizes import Needs
from vle_gen.recognition.shape_reading import ShapeReading
from vle_gen.training.captioned_tokens import (
    CaptionedTokens,
    ReadText,
    StrandTokens,
    text_order,
    text_ties,
    tokens_of_packs,
    write_captions,
)
from vle_gen.training.log import Watch
from vle_gen.training.own_pictures import OwnPictures, read_pictures
from vle_gen.training.picture_batches import PictureBatches
from vle_gen.training.prior_parts import clip_of, part, take_over, trained_network
from vle_gen.training.sharpening import cut_outs, sharpen
from vle_gen.training.sources import Mixture, Source
from vle_gen.training.what_table import WhatTable

__all__ = [
    "CaptionedTokens", "PriorTask", "ReadText", "WhatTable", "build", "part", "text_order", "text_ties", "write_captions",
]

NUMBERS = ("x", "y", "scale", "aspect", "depth", "stop", "code", "flow", "count", "tied", "spoken")  # what is logged
NEARER = 0.9985  # share of a pack's sprites that stand nearer than what is called too far
TableBy = Callable[[Any], WhatTable]  # a `VLETokenizer` -> what it makes of the sprites


class PriorTask:
    """The prior for `vle_gen.training.loop`.

    Args:
        config: the whole configuration.
        device: where to train.
        tokenizer: the `VLETokenizer` whose tokens are to be written; stays as it is.
        clip: the `ClipModel` whose text features are read; stays as it is.
        own: pictures of one's own, where there are any.
    """

    def __init__(self, config: PriorConfig, device: torch.device, tokenizer, clip, own: OwnPictures | None = None):
        self.config, self.tokenizer, self.clip, self.own = config, tokenizer, clip, own
        self.lexicon: Lexicon | None = None
        self.farthest: float | None = None
        self.shapes: Tensor | None = None  # of the sprites of one pack of rigs, (S,) long
        self.catalogue: Catalogue | None = None  # of packs of cut-outs
        pictures = None if own is None else PictureBatches(own.tokens, own.captions, device)
        sprites, table_by = self._sprites(device) if config.data.packs else (None, None)  # which takes minutes
        both = sprites is not None and pictures is not None
        self.sprites = sprites
        self.data: Source = Mixture(sprites, pictures, config.data.pictures_share) if both else sprites or pictures
        self.model = PriorNetwork(config.model, clip.text_width, tokenizer.network.sizes.what).to(device)
        if config.init is None:
            self._fit_codes()
        else:
            self._start_from(config, sprites, table_by)

    def _sprites(self, device: torch.device) -> tuple[StrandTokens, TableBy]:
        """What is composed of packs, with names where those have them, and how tokenizers see its sprites."""
        config, learning = self.config, self.config.learning
        if learning.many >= config.model.max_tokens:
            raise UserError(
                f"learning.many is {learning.many}: expected less than model.max_tokens, which is "
                f"{config.model.max_tokens} with the background"
            )
        self.lexicon, locate = names_of(config.data.packs), self.clip.tokenizer.positions
        if self.lexicon is None:
            bank = SpriteBank.load(config.data.packs[0].path, device)
            self.shapes = bank.attributes[:, SHAPE]
            if self.own is None:
                self.farthest = bank.depth.quantile(NEARER).item()

            def table_by(tokenizer) -> WhatTable:
                return WhatTable.of(tokenizer, bank)

            return CaptionedTokens(
                bank, table_by(self.tokenizer), self.read_text, learning.few, learning.many, learning.few_share,
                learning.whole_captions, learning.jitter, learning.mixed, locate,
            ), table_by  # fmt: skip
        unread = sorted(caption_words(self.lexicon) - self.clip.words) if self.clip.words is not None else []
        if unread:
            raise UserError(
                f"this CLIP has never seen {len(unread)} words of the packs, such as {', '.join(unread[:5])}: "
                "train one on the same packs (vlegen train clip), and give clip=FOLDER"
            )
        catalogue = self.catalogue = load_catalogue(config.data.packs, device)

        def table_by(tokenizer) -> WhatTable:
            return WhatTable.of_packs(tokenizer, catalogue, learning.suns)

        return tokens_of_packs(
            catalogue, table_by(self.tokenizer), self.lexicon, self.read_text, locate, learning, config.data.mixing,
            config.model.relations,
        ), table_by  # fmt: skip

    def _start_from(self, config: PriorConfig, sprites: StrandTokens | None, table_by: TableBy | None) -> None:
        """Takes over a trained prior, and carries its codes over to this tokenizer's `what`."""
        from vle_gen.tokenizer.model import VLETokenizer

        trained = trained_network(config, self.model.text_width, self.lexicon)
        if sprites is not None and not config.learning.new_codes:
            table = before = sprites.table
            trained = trained.to(table.sprite_mean.device)
            if config.init_tokenizer is not None:
                before = table_by(VLETokenizer.load(config.init_tokenizer, table.sprite_mean.device))
            old, new = (t.draw(torch.Generator(t.sprite_mean.device).manual_seed(0)) for t in (before, table))
            sorts = sprites.sorts_of_draws(new[1])
            if trained.what_dim == old[1].shape[1]:
                trained = with_new_names(trained, old[1], sorts, config.model.codes)
        if not take_over(trained, self.model):
            self._fit_codes()
        elif config.learning.new_codes:
            self._fit_codes()
            self.model.code_logits.reset_parameters()
        elif sprites is not None:
            self.model.follow_codes(old, new, seen_gauges(self.tokenizer.network, *new), sorts)
        elif config.init_tokenizer is not None:
            raise UserError("init_tokenizer needs data.sprites, which both tokenizers have seen: give learning.new_codes=true")

    def _fit_codes(self) -> None:
        """A new codebook, in which near means that it looks alike once it is decoded."""
        found = self.data.examples()
        kinds = found.backgrounds, found.objects
        self.model.fit_codes(*kinds, seen_gauges(self.tokenizer.network, *kinds), found.sorts)

    def read_text(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Features of the frozen text tower, cut to what the prior reads."""
        read = self.clip.text_features(texts)
        words = self.config.model.max_words
        return read.tokens[:, :words].float(), read.mask[:, :words]

    def loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """One batch's loss, and its parts."""
        learning, total = self.config.learning, 0.0
        parts = dict.fromkeys(NUMBERS, 0.0)
        for batch in self.data.batches(self.config.train.batch, generator, step < learning.easy_steps):
            share = len(batch.what) / self.config.train.batch
            loss = prior_loss(self.model, batch, learning.text_drop, learning.flow_draws, generator, learning.blur)
            total = total + share * loss.total(learning.place_weight, learning.what_weight, learning.words_weight)
            numbers = [*loss.place, loss.stop, loss.code, loss.flow, loss.count, loss.tied, loss.spoken]
            parts = {name: parts[name] + share * part.detach() for name, part in zip(parts, numbers, strict=True)}
        return total, parts

    def sample_grid(self, ema_model: PriorNetwork) -> Image.Image:
        """Two pictures from tokens alone for each of a few prompts."""
        from vle_gen.prior.sampling import sample
        from vle_gen.tokenizer.render import render_tokens

        shown = self.shown()
        features, mask = self.read_text([prompt for prompt in shown for _ in range(2)])
        drawn = sample(ema_model, features, mask, torch.Generator().manual_seed(0))
        pictures = []
        for row, length in enumerate(drawn.length.tolist()):
            one = (value[row, :length] for value in (drawn.what, drawn.where, drawn.depth))
            pictures.append(render_tokens(self.tokenizer.network, *one, 160, 160).clamp(0, 1))
        pairs = [torch.cat(pictures[k : k + 2], 1) for k in range(0, len(pictures), 2)]  # (3, 320, 160) each
        grid = torch.cat(pairs, 2)
        return Image.fromarray((grid * 255).round().byte().permute(1, 2, 0).cpu().numpy())

    def shown(self) -> tuple[str, ...]:
        """Prompts of the sample pictures."""
        if self.own is not None:
            return self.own.shown
        if self.lexicon is None:
            return SHOWN
        things = [called for called in every_calling(self.lexicon) if called.name is not None]
        some = Random(0).sample(things, min(4, len(things)))
        said = [one.introduced for one in some]
        return (SHOWN[0], *said, f"{said[0]} left of {said[-1]}")

    def _words(self) -> tuple[str, ...] | None:
        """Those of all captions; None where they are those of the caption language of solids alone."""
        if self.own is None and self.lexicon is None:
            return None
        composed = WORDS if self.lexicon is None else caption_words(self.lexicon)
        composed = composed if self.config.data.packs else frozenset()
        return tuple(sorted(composed | (self.own.words if self.own else frozenset())))

    def _sharpen(self, network: PriorNetwork) -> None:
        """Fits the codes of cut-outs to what those look like."""
        steps, suns = self.config.learning.sharpen, self.config.learning.suns
        if not steps or self.catalogue is None:
            return
        table, mean, std = self.sprites.table, network.what_mean[1], network.what_std[1]
        shown = (table.sprite_mean[table.look.flatten(1)].mean(1) - mean) / std  # (S, D)
        code = network.code_of(shown, self.sprites.sort[table.look[:, 0, 0]])
        with Watch("sharpening codes", len(code[cut_outs(self.catalogue)].unique())) as watch:
            sharpen(network, self.tokenizer.network, MixedComposer(self.catalogue), code, steps, suns, watch.advance)

    def _shapes(self) -> dict | None:
        """How the tokens of sprites of solids say their shapes."""
        if self.shapes is None or not (known := self.shapes >= 0).any():
            return None
        return ShapeReading.fit(self.sprites.table.sprite_mean[known], self.shapes[known], len(SHAPES)).as_json()

    def export(self, ema_model: PriorNetwork, folder: Path, card: dict) -> None:
        """Writes the checkpoint that `vle_gen.load` reads."""
        from vle_gen.prior.model import TextToTokenPrior

        self._sharpen(ema_model)
        needs = Needs(
            clip_name=self.clip.config.name,
            clip_id=self.clip.text_id,
            tokenizer_id=self.tokenizer.checkpoint_id,
            words=self._words(),
            lexicon=None if self.lexicon is None else self.lexicon.as_json(),
            farthest=self.farthest,
            shapes=self._shapes(),
        )
        TextToTokenPrior.from_network(ema_model, needs).save_checkpoint(folder, card)


SHOWN = (
    "red ball left of a cube",
    "a small yellow cylinder in front of a large metal cube",
    "red metal cube and blue rubber cube",
    "three green balls",
    "a purple cube",
    "a gray can, a cyan ball, a brown cube and a red cylinder",
)
"""Prompts of the sample pictures, where one has no captions of one's own."""


def build(config: PriorConfig, device: torch.device, out: Path) -> PriorTask:
    """The task of `vlegen train prior`. In `out` are kept the tokens of one's own pictures, and a CLIP of open_clip's."""
    from vle_gen.tokenizer.model import VLETokenizer

    tokenizer = VLETokenizer.load(part(config.tokenizer, "tokenizer"), device)
    clip = clip_of(config.clip, out / "clip", device)
    if config.data.pictures is None:
        return PriorTask(config, device, tokenizer, clip)
    if config.init is not None:  # before hours are spent on the pictures
        trained_network(config, clip.text_width)
    return PriorTask(config, device, tokenizer, clip, read_pictures(config, tokenizer, clip, out / "tokens"))
