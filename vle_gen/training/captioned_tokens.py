"""Captioned token lists for the prior, of layouts of sprite packs: what stands where, and what is said of it.

No picture is rendered: a batch costs the drawing of layouts, a caption for each, and a look into the table of `what`.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor

from prompts import captions
from prompts.lexicon import Lexicon
from prompts.vocabulary import ALL_RELATIONS, OPPOSITE, RELATIONS, VALUES
from vle_gen.data.catalogue import Catalogue
from vle_gen.data.cutouts import CutoutBank
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError
from vle_gen.prior.network import BACKGROUND, BACKGROUND_FRAME, PriorBatch
from vle_gen.prior.sizes import PriorLearning
from vle_gen.training.layouts import Layouts
from vle_gen.training.sources import Examples
from vle_gen.training.texts import NamedTexts, SolidTexts
from vle_gen.training.what_table import WhatTable

ReadText = Callable[[list[str]], tuple[Tensor, Tensor]]  # captions -> features (B, L, W), mask (B, L) bool
Locate = Callable[[str, list[int]], list[int]]  # a caption and some of its characters -> where those are in the features
Draw = Callable[[int, torch.Generator], SceneBatch]  # layouts


@dataclass(frozen=True)
class Strand:
    """One sort of scenes.

    Args:
        texts: what is said of them.
        easy, few, many: draw scenes of one or two objects, of few, and of more.
        share: of all scenes.
    """

    texts: SolidTexts
    easy: Draw
    few: Draw
    many: Draw
    share: float = 1.0


class StrandTokens:
    """Draws captioned token lists of one or several sorts of scenes.

    Args:
        strands: the sorts of scenes.
        table: `what` of their sprites and backgrounds.
        sort: (L,) numbers from 1 of the table's looks, alike where the same words are true.
        read_text: the frozen text tower.
        few_share: share of the scenes that are of few objects.
        locate: finds characters in the features; without it batches do not say which words speak of what.
        relations: those that batches tell of; others are left out.
    """

    def __init__(
        self,
        strands: Sequence[Strand],
        table: WhatTable,
        sort: Tensor,
        read_text: ReadText,
        few_share: float = 0.8,
        locate: Locate | None = None,
        relations: Sequence[str] = RELATIONS,
    ):
        self.strands, self.table, self.sort, self.read_text = strands, table, sort, read_text
        self.few_share, self.locate, self.relations = few_share, locate, relations

    def examples(self) -> Examples:
        """Draws of everything there is."""
        backgrounds, objects = self.table.draw(torch.Generator(self.table.sprite_mean.device).manual_seed(0))
        return Examples(backgrounds, objects, self.sorts_of_draws(objects))

    def sorts_of_draws(self, objects: Tensor) -> Tensor:
        """Sorts of the objects of `WhatTable.draw`."""
        return self.sort.repeat(len(objects) // len(self.sort))

    def batches(self, count: int, generator: torch.Generator, easy: bool = False) -> list[PriorBatch]:
        """`count` token lists, short ones and long ones apart, so that little is spent on padding; easy ones alone, of
        one or two objects, teach what the words mean at a fraction of the cost."""
        found, left, share = [], count, sum(strand.share for strand in self.strands)
        for strand in self.strands:
            mine = round(left * strand.share / share)
            left, share = left - mine, share - strand.share
            few = mine if self.few_share >= 1 else round(mine * self.few_share)
            parts = [(strand.easy, mine)] if easy else [(strand.few, few), (strand.many, mine - few)]
            found += [self.batch(strand.texts, draw, size, generator) for draw, size in parts if size]
        return found

    @torch.no_grad()
    def batch(self, texts: SolidTexts, draw: Draw, count: int, generator: torch.Generator) -> PriorBatch:
        """Token lists of new layouts."""
        table, device = self.table, self.table.sprite_mean.device
        with torch.autocast(device.type, enabled=False):  # places need all their digits
            scenes = draw(count, generator)
        random = Random(int(torch.randint(2**31, (), generator=generator, device=device)))
        contents = texts.scenes(scenes)
        written = [texts.caption(scene, random) for scene in contents]
        features, mask = self.read_text([caption.text for caption in written])
        slots = int(scenes.present.sum(1).max())
        told = zip(contents, written, strict=True)
        members = [[sorted(group) for group in texts.members(caption.request, scene) or []] for scene, caption in told]
        order = torch.tensor(text_order(scenes, members), device=device)[:, :slots]
        kind = None if scenes.light is None else scenes.light[..., 0].gather(1, order).long()
        look = table.looks(scenes.sprite.gather(1, order).clamp(min=0), kind, generator)
        mean = torch.cat([table.background_mean[scenes.rig][:, None], table.sprite_mean[look]], 1)
        std = torch.cat([table.background_std[scenes.rig][:, None], table.sprite_std[look]], 1)
        box = scenes.box.gather(1, order[..., None].expand(-1, -1, 4))
        frame = torch.cat([box[..., :2], 2 * box[..., 2:]], -1)
        whole = frame.new_tensor(BACKGROUND_FRAME).expand(count, 1, 4)
        return PriorBatch(
            what=mean + std * torch.randn(mean.shape, generator=generator, device=device),
            where=torch.cat([whole, frame], 1),
            depth=torch.cat([frame.new_ones(count, 1), scenes.depth.gather(1, order)], 1),
            sort=torch.cat([torch.full_like(look[:, :1], BACKGROUND), self.sort[look]], 1),
            length=scenes.present.sum(1) + 1,
            features=features,
            mask=mask,
            mentioned=torch.tensor([caption.request.count for caption in written], device=device),
            tied=text_ties(written, members, slots + 1, self.relations).to(device),
            spoken=None if self.locate is None else spoken_of(written, members, mask.shape[1], self.locate).to(device),
        )


class CaptionedTokens(StrandTokens):
    """Those of a pack of rigs.

    Args:
        bank: the sprites; its pixels are not used.
        table: `what` of the bank.
        read_text: the frozen text tower.
        few, many: most objects in the two sorts of scenes; few_share: share of the scenes of the first sort.
        whole: chance that a caption mentions every object.
        jitter, mixed: of the layouts (see `Layouts`).
        locate: see `StrandTokens`.
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
        bank = without_pixels(bank)
        self.easy = Layouts(bank, 1, min(2, few), jitter, mixed)
        self.few = Layouts(bank, 1, few, jitter, mixed)
        self.many = Layouts(bank, min(few + 1, many), many, jitter, mixed)
        strand = Strand(SolidTexts(whole), self.easy, self.few, self.many)
        super().__init__([strand], table, sorts_of(bank.attributes), read_text, few_share, locate)


def tokens_of_packs(
    catalogue: Catalogue, table: WhatTable, lexicon: Lexicon, read_text: ReadText, locate: Locate, learning: PriorLearning,
    mixing: float, relations: int,
) -> StrandTokens:
    """Captioned token lists of several packs, things with the names of a lexicon among them.

    Scenes of solids alone are drawn as for one pack of rigs, as often as the packs' weights say; in the others cut-outs stand
    on the backgrounds of their packs, and solids among them.

    Raises:
        UserError: a pack of rigs has solids that the caption language has no words for.
    """
    banks, weights = catalogue.banks, catalogue.weights
    rigs = torch.tensor([isinstance(bank, SpriteBank) for bank in banks], device=weights.device)
    texts = NamedTexts(learning.whole_captions, lexicon, catalogue=catalogue)
    sort = torch.zeros(len(table.sprite_mean), dtype=torch.long, device=weights.device)
    drawn = catalogue.sprites.usable  # the looks of the others are not in the table
    sort[table.look[drawn]] = _sorts_of_names(catalogue, texts)[drawn, None, None].expand_as(table.look[drawn])
    catalogue = replace(catalogue, banks=tuple(without_pixels(bank) for bank in banks))  # layouts do without
    few, many = learning.few, learning.many
    ranges = ((1, min(2, few)), (1, few), (min(few + 1, many), many))
    hosts = weights.masked_fill(rigs, 0.0)
    composers = [MixedComposer(catalogue, *counts, mixing, hosts, learning.repeated, learning.stacked) for counts in ranges]
    share = float(weights[~rigs].sum() / weights.sum())
    strands = [Strand(texts, *(composer.layout for composer in composers), share)]
    first_sprite = first_ground = 0
    for number, bank in enumerate(banks):
        if isinstance(bank, SpriteBank):
            if (bank.attributes < 0).any():
                raise UserError("a pack of rigs has solids that the caption language has no words for: leave it out")
            layouts = [Layouts(catalogue.banks[number], *counts, learning.jitter, learning.mixed) for counts in ranges]
            draws = [_numbered(draw, first_sprite, first_ground) for draw in layouts]
            strands.append(Strand(SolidTexts(learning.whole_captions), *draws, float(weights[number] / weights.sum())))
        first_sprite, first_ground = first_sprite + len(bank), first_ground + len(bank.background)
    return StrandTokens(strands, table, sort, read_text, learning.few_share, locate, ALL_RELATIONS[:relations])


def without_pixels(bank: SpriteBank | CutoutBank) -> SpriteBank | CutoutBank:
    """What a layout needs of a bank."""
    if isinstance(bank, CutoutBank):
        return replace(bank, levels=(), background=bank.background[:0].clone())
    return replace(bank, pixels=bank.pixels[:0].clone(), background=bank.background[:0].clone())


def _numbered(draw: Draw, first_sprite: int, first_ground: int) -> Draw:
    """Layouts of one bank, numbered as in a catalogue."""

    def numbered(count: int, generator: torch.Generator) -> SceneBatch:
        scenes = draw(count, generator)
        sprite = torch.where(scenes.sprite >= 0, scenes.sprite + first_sprite, scenes.sprite)
        return replace(scenes, sprite=sprite, rig=scenes.rig + first_ground)

    return numbered


def _sorts_of_names(catalogue: Catalogue, texts: NamedTexts) -> Tensor:
    """Numbers from 1 of all sprites (S,) of a catalogue, alike where they are called the same."""
    rows = [tuple(row) for row in catalogue.sprites.attributes.tolist()]
    found = [texts.number(name if row[0] < 0 else None, row) for name, row in zip(catalogue.names, rows, strict=True)]
    sorts = torch.tensor(found, device=catalogue.sprites.box.device)
    return torch.where(sorts >= 0, sorts, len(texts.callings)) + 1


def sorts_of(attributes: Tensor) -> Tensor:
    """Numbers from 1 of objects (S,), alike where all attributes (S, 4) are."""
    sizes = [len(values) for values in VALUES]
    number = torch.zeros_like(attributes[..., 0])
    for column, size in enumerate(sizes):
        number = number * size + attributes[..., column]
    return number + 1


def write_captions(scenes: SceneBatch, random: Random, whole: float = 0.9) -> list[captions.Caption]:
    """One caption for every scene of a batch."""
    texts = SolidTexts(whole)
    return [texts.caption(scene, random) for scene in texts.scenes(scenes)]


def text_order(scenes: SceneBatch, members: list[list[list[int]]]) -> list[list[int]]:
    """All slots of every scene, in the order in which its caption mentions the objects; the unmentioned come after.

    A prior that writes in this order knows at each step which words are next, and need not choose among all of them.
    """
    slots, orders = scenes.present.shape[1], []
    for groups in members:
        mentioned = [slot for group in groups for slot in group]
        orders.append(mentioned + [slot for slot in range(slots) if slot not in mentioned])
    return orders


def text_ties(
    written: list[captions.Caption], members: list[list[list[int]]], length: int, relations: Sequence[str] = RELATIONS
) -> Tensor:
    """Which of `relations` the captions state between tokens in the order of `text_order`: (B, length, length, relations)
    bool, true at [b, later, earlier, kind]."""
    tied = torch.zeros(len(written), length, length, len(relations), dtype=torch.bool)
    for row, (caption, groups) in enumerate(zip(written, members, strict=True)):
        first, tokens = 1, []
        for group in groups:
            tokens.append(range(first, first + len(group)))
            first += len(group)
        for relation in caption.request.relations if groups else ():
            for a in tokens[relation.subject]:
                for b in tokens[relation.object]:
                    later, earlier, kind = (a, b, relation.kind) if a > b else (b, a, OPPOSITE[relation.kind])
                    if kind in relations:
                        tied[row, later, earlier, relations.index(kind)] = True
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
