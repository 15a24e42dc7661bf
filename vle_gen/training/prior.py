"""Training of the prior: captioned token lists, of layouts of a sprite pack or of one's own pictures, encoded once beforehand.

No picture is rendered: a batch costs the drawing of a layout, a caption for it, and a look into the table.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import torch
from PIL import Image
from torch import Tensor

from prompts import captions
from prompts.heldout import write_for_training
from prompts.satisfied import assign
from prompts.vocabulary import OPPOSITE, RELATIONS, VALUES, WORDS
from vle_gen.compact.fit import seen_gauges
from vle_gen.config import PriorConfig
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError
from vle_gen.prior.network import BACKGROUND, BACKGROUND_FRAME, PriorBatch, PriorNetwork, prior_loss
from vle_gen.prior.sizes import Needs
from vle_gen.training.layouts import Layouts
from vle_gen.training.own_pictures import OwnPictures, read_pictures
from vle_gen.training.picture_batches import PictureBatches
from vle_gen.training.prior_parts import clip_of, part, trained_network
from vle_gen.training.sources import Examples, Mixture, Source

NUMBERS = ("x", "y", "scale", "aspect", "depth", "stop", "code", "flow", "count", "tied", "spoken")  # what is logged
ReadText = Callable[[list[str]], tuple[Tensor, Tensor]]  # captions -> features (B, L, W), mask (B, L) bool
Locate = Callable[[str, list[int]], list[int]]  # a caption and some of its characters -> where those are in the features


@dataclass(frozen=True)
class WhatTable:
    """`what` of every sprite (S, D) and every rig's background (R, D), as posteriors: mean and spread."""

    sprite_mean: Tensor
    sprite_std: Tensor
    background_mean: Tensor
    background_std: Tensor

    @staticmethod
    @torch.no_grad()
    def of(tokenizer, bank: SpriteBank) -> WhatTable:
        """Encodes a whole bank with a `VLETokenizer`."""
        near, far = tokenizer.encode_sprites(bank), tokenizer.encode_backgrounds(bank)
        # cloned, since tensors made in inference mode cannot take part in training
        near, far = ((mean.float().clone(), (logvar.float() / 2).exp()) for mean, logvar in (near, far))
        return WhatTable(*near, *far)

    def draw(self, generator: torch.Generator, least: int = 512) -> tuple[Tensor, Tensor]:
        """Equally many draws of every background (.., D) and of every sprite (.., D), at least `least` of each kind."""

        def drawn(mean: Tensor, std: Tensor) -> Tensor:
            times = -(-least // len(mean))
            noise = torch.randn(times * len(mean), mean.shape[1], generator=generator, device=mean.device)
            return mean.repeat(times, 1) + std.repeat(times, 1) * noise

        return drawn(self.background_mean, self.background_std), drawn(self.sprite_mean, self.sprite_std)


class CaptionedTokens:
    """Draws captioned token lists.

    Args:
        bank: the sprites; its pixels are not used.
        table: `what` of the bank.
        read_text: the frozen text tower.
        few, many: most objects in the two sorts of scenes; few_share: share of the scenes of the first sort.
        whole: chance that a caption mentions every object.
        jitter, mixed: of the layouts (see `Layouts`).
        locate: finds characters in the features; without it batches do not say which words speak of what.
    """

    def __init__(
        self,
        bank: SpriteBank,
        table: WhatTable,
        read_text: ReadText,
        few: int = 4,
        many: int = 9,
        few_share: float = 0.8,
        whole: float = 0.9,
        jitter: float = 0.0,
        mixed: float = 1.0,
        locate: Locate | None = None,
    ):
        self.locate = locate
        self.table, self.read_text, self.whole, self.few_share = table, read_text, whole, few_share
        self.sort = sorts_of(bank.attributes)
        bank = replace(bank, pixels=bank.pixels[:0].clone(), background=bank.background[:0].clone())
        self.easy = Layouts(bank, 1, min(2, few), jitter, mixed)
        self.few = Layouts(bank, 1, few, jitter, mixed)
        self.many = Layouts(bank, min(few + 1, many), many, jitter, mixed)

    def examples(self) -> Examples:
        """Draws of everything in the bank."""
        backgrounds, objects = self.table.draw(torch.Generator(self.table.sprite_mean.device).manual_seed(0))
        return Examples(backgrounds, objects, self.sorts_of_draws(objects))

    def sorts_of_draws(self, objects: Tensor) -> Tensor:
        """Sorts of the objects of `WhatTable.draw`."""
        return self.sort.repeat(len(objects) // len(self.sort))

    def batches(self, count: int, generator: torch.Generator, easy: bool = False) -> list[PriorBatch]:
        """`count` token lists, short ones and long ones apart, so that little is spent on padding; easy ones alone, of
        one or two objects, teach what the words mean at a fraction of the cost."""
        if easy:
            return [self.batch(self.easy, count, generator)]
        few = count if self.few_share >= 1 else round(count * self.few_share)
        parts = [(self.few, few), (self.many, count - few)]
        return [self.batch(layouts, size, generator) for layouts, size in parts if size]

    @torch.no_grad()
    def batch(self, layouts: Layouts, count: int, generator: torch.Generator) -> PriorBatch:
        """Token lists of new layouts."""
        device = self.table.sprite_mean.device
        with torch.autocast(device.type, enabled=False):  # places need all their digits
            scenes = layouts(count, generator)
        random = Random(int(torch.randint(2**31, (), generator=generator, device=device)))
        written = write_captions(scenes, random, self.whole)
        features, mask = self.read_text([caption.text for caption in written])
        slots = int(scenes.present.sum(1).max())
        members = text_members(scenes, written)
        order = torch.tensor(text_order(scenes, members), device=device)[:, :slots]
        sprite = scenes.sprite.gather(1, order).clamp(min=0)
        mean = torch.cat([self.table.background_mean[scenes.rig][:, None], self.table.sprite_mean[sprite]], 1)
        std = torch.cat([self.table.background_std[scenes.rig][:, None], self.table.sprite_std[sprite]], 1)
        box = scenes.box.gather(1, order[..., None].expand(-1, -1, 4))
        frame = torch.cat([box[..., :2], 2 * box[..., 2:]], -1)
        whole = frame.new_tensor(BACKGROUND_FRAME).expand(count, 1, 4)
        return PriorBatch(
            what=mean + std * torch.randn(mean.shape, generator=generator, device=device),
            where=torch.cat([whole, frame], 1),
            depth=torch.cat([frame.new_ones(count, 1), scenes.depth.gather(1, order)], 1),
            sort=torch.cat([torch.full_like(sprite[:, :1], BACKGROUND), self.sort[sprite]], 1),
            length=scenes.present.sum(1) + 1,
            features=features,
            mask=mask,
            mentioned=torch.tensor([caption.request.count for caption in written], device=device),
            tied=text_ties(written, members, slots + 1).to(device),
            spoken=None if self.locate is None else spoken_of(written, members, mask.shape[1], self.locate).to(device),
        )


def sorts_of(attributes: Tensor) -> Tensor:
    """Numbers from 1 of objects (S,), alike where all attributes (S, 4) are."""
    sizes = [len(values) for values in VALUES]
    number = torch.zeros_like(attributes[..., 0])
    for column, size in enumerate(sizes):
        number = number * size + attributes[..., column]
    return number + 1


def write_captions(scenes: SceneBatch, random: Random, whole: float = 0.9) -> list[captions.Caption]:
    """One caption for every scene of a batch."""
    return [write_for_training(*scene, random, whole) for scene in _scenes(scenes)]


def text_members(scenes: SceneBatch, written: list[captions.Caption]) -> list[list[list[int]]]:
    """For every scene the slots that each mention of its caption stands for."""
    return [
        [sorted(group) for group in assign(caption.request, *scene) or []]
        for scene, caption in zip(_scenes(scenes), written, strict=True)
    ]


def text_order(scenes: SceneBatch, members: list[list[list[int]]]) -> list[list[int]]:
    """All slots of every scene, in the order in which its caption mentions the objects; the unmentioned come after.

    A prior that writes in this order knows at each step which words are next, and need not choose among all of them.
    """
    slots, orders = scenes.present.shape[1], []
    for groups in members:
        mentioned = [slot for group in groups for slot in group]
        orders.append(mentioned + [slot for slot in range(slots) if slot not in mentioned])
    return orders


def text_ties(written: list[captions.Caption], members: list[list[list[int]]], length: int) -> Tensor:
    """Which relations the captions state between tokens in the order of `text_order`: (B, length, length, KINDS) bool, true
    at [b, later, earlier, kind]."""
    tied = torch.zeros(len(written), length, length, len(RELATIONS), dtype=torch.bool)
    for row, (caption, groups) in enumerate(zip(written, members, strict=True)):
        first, tokens = 1, []
        for group in groups:
            tokens.append(range(first, first + len(group)))
            first += len(group)
        for relation in caption.request.relations if groups else ():
            for a in tokens[relation.subject]:
                for b in tokens[relation.object]:
                    later, earlier, kind = (a, b, relation.kind) if a > b else (b, a, OPPOSITE[relation.kind])
                    tied[row, later, earlier, RELATIONS.index(kind)] = True
    return tied


def spoken_of(written: list[captions.Caption], members: list[list[list[int]]], length: int, locate: Locate) -> Tensor:
    """The first token of what each word speaks of, in the order of `text_order`, 0 where of none: (B, length) long."""
    spoken = torch.zeros(len(written), length, dtype=torch.long)
    for row, (caption, groups) in enumerate(zip(written, members, strict=True)):
        first = [1 + sum(map(len, groups[:k])) for k in range(len(groups))]
        edges = locate(caption.text, [edge for span in caption.spans for edge in (span.start, span.end)])
        for span, start, end in zip(caption.spans if groups else (), edges[::2], edges[1::2], strict=False):
            spoken[row, start:end] = first[span.mention]
    return spoken


def _scenes(scenes: SceneBatch) -> Iterator[tuple[list, list, list]]:
    """Attributes, boxes and depths of every scene's objects."""
    counts = scenes.present.sum(1).tolist()  # present slots come first
    rows = zip(counts, scenes.attributes.tolist(), scenes.box.tolist(), scenes.depth.tolist(), strict=True)
    return ((attributes[:n], box[:n], depth[:n]) for n, attributes, box, depth in rows)


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
        learning, bank, sprites = config.learning, None, None
        if config.data.sprites is not None:
            if learning.many >= config.model.max_tokens:
                raise UserError(
                    f"learning.many is {learning.many}: expected less than model.max_tokens, which is "
                    f"{config.model.max_tokens} with the background"
                )
            bank = SpriteBank.load(config.data.sprites, device)
            sprites = CaptionedTokens(
                bank, WhatTable.of(tokenizer, bank), self.read_text, learning.few, learning.many, learning.few_share,
                learning.whole_captions, learning.jitter, learning.mixed, clip.tokenizer.positions,
            )  # fmt: skip
        pictures = None if own is None else PictureBatches(own.tokens, own.captions, device)
        both = sprites is not None and pictures is not None
        self.data: Source = Mixture(sprites, pictures, config.data.pictures_share) if both else sprites or pictures
        self.model = PriorNetwork(config.model, clip.text_width, tokenizer.network.sizes.what).to(device)
        if config.init is None:
            self._fit_codes()
        else:
            self._start_from(config, bank, sprites)

    def _start_from(self, config: PriorConfig, bank: SpriteBank | None, sprites: CaptionedTokens | None) -> None:
        """Takes over a trained prior, and carries its codes over to this tokenizer's `what`."""
        from vle_gen.tokenizer.model import VLETokenizer

        self.model.load_state_dict(trained_network(config, self.model.text_width, self.model.what_dim).state_dict())
        if config.learning.new_codes:
            self._fit_codes()
            self.model.code_logits.reset_parameters()
        elif sprites is not None:
            table = before = sprites.table
            if config.init_tokenizer is not None:
                before = WhatTable.of(VLETokenizer.load(config.init_tokenizer, table.sprite_mean.device), bank)
            old, new = (t.draw(torch.Generator(t.sprite_mean.device).manual_seed(0)) for t in (before, table))
            self.model.follow_codes(old, new, seen_gauges(self.tokenizer.network, *new), sprites.sorts_of_draws(new[1]))
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

        shown = SHOWN if self.own is None else self.own.shown
        features, mask = self.read_text([prompt for prompt in shown for _ in range(2)])
        drawn = sample(ema_model, features, mask, torch.Generator().manual_seed(0))
        pictures = []
        for row, length in enumerate(drawn.length.tolist()):
            one = (value[row, :length] for value in (drawn.what, drawn.where, drawn.depth))
            pictures.append(render_tokens(self.tokenizer.network, *one, 160, 160).clamp(0, 1))
        pairs = [torch.cat(pictures[k : k + 2], 1) for k in range(0, len(pictures), 2)]  # (3, 320, 160) each
        grid = torch.cat(pairs, 2)
        return Image.fromarray((grid * 255).round().byte().permute(1, 2, 0).cpu().numpy())

    def _words(self) -> tuple[str, ...] | None:
        """Those of all captions; None where they are those of the caption language alone."""
        if self.own is None:
            return None
        return tuple(sorted(self.own.words if self.config.data.sprites is None else self.own.words | WORDS))

    def export(self, ema_model: PriorNetwork, folder: Path, card: dict) -> None:
        """Writes the checkpoint that `vle_gen.load` reads."""
        from vle_gen.prior.model import TextToTokenPrior

        needs = Needs(
            clip_name=self.clip.config.name,
            clip_id=self.clip.text_id,
            tokenizer_id=self.tokenizer.checkpoint_id,
            words=self._words(),
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
        trained_network(config, clip.text_width, tokenizer.network.sizes.what)
    return PriorTask(config, device, tokenizer, clip, read_pictures(config, tokenizer, clip, out / "tokens"))
