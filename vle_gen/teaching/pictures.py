"""The pictures of a new object: read, composed on made backgrounds, and as the checkpoint's tokenizer sees them."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vle_gen.data.backgrounds import backgrounds
from vle_gen.data.catalogue import Catalogue
from vle_gen.data.cutouts import CutoutBank
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.own import cutout
from vle_gen.data.pack import Pack, PackObject, Placement
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.training.what_table import WhatTable

GROUNDS = 32
SIZE = 0.8  # in floor units: only of the scenes that CLIP learns from; how large it is drawn its look-alikes say
PLACEMENT = Placement(0.6, 0.25, 0.15)
SIDE = 256  # pixels of the scenes


@dataclass(frozen=True)
class Looks:
    """How an object looks: `what` of every picture under every sun with every kind of shadow.

    Args:
        mean, std: (L, D) of each look.
        look: (V, suns, kinds) long, which look each of V pictures has.
        aspect: (V,) width over height.
    """

    mean: Tensor
    std: Tensor
    look: Tensor
    aspect: Tensor

    def draw(self, kind: int, generator: torch.Generator) -> tuple[Tensor, float]:
        """One look (D,) with shadows of a kind (see `vle_gen.data.shadows`), and how wide its frame is for its height."""
        views, suns, _ = self.look.shape
        view = int(torch.randint(views, (), generator=generator))
        look = self.look[view, int(torch.randint(suns, (), generator=generator)), kind]
        noise = torch.randn(self.mean.shape[1], generator=generator)
        return self.mean[look] + self.std[look] * noise, float(self.aspect[view])


@dataclass(frozen=True)
class Pictures:
    """An object's cut-outs, ready to be composed."""

    composer: MixedComposer

    @staticmethod
    def read(paths: Sequence[Path], name: str) -> Pictures:
        """Raises `UserError` for files that are no cut-outs."""
        objects = tuple(PackObject(path.name, name, cutout(path, plain=True), size=SIZE) for path in paths)
        bank = CutoutBank.of(Pack(name, objects, tuple(backgrounds(GROUNDS)), placement=PLACEMENT))
        return Pictures(MixedComposer(Catalogue.of([bank], [1.0]), 1, 2))

    def looks(self, tokenizer, suns: int) -> Looks:
        """As a `VLETokenizer` sees them."""
        catalogue = self.composer.catalogue
        table = WhatTable.of_packs(tokenizer, catalogue, suns)
        box = catalogue.sprites.box
        return Looks(table.sprite_mean, table.sprite_std, table.look, box[:, 2] / box[:, 3])

    def glimpses(
        self, clip, count: int, generator: torch.Generator, watch: Callable[[range], Iterator[int]] = iter
    ) -> Tensor:
        """At least `count` glimpses (N, 3, S, S) of it in composed scenes, as a `ClipModel` has them."""
        found, batch = [], 16
        for _ in watch(range(-(-count // batch))):
            scenes = self.composer(batch, generator, SIDE, SIDE)
            rows, slots = torch.nonzero(scenes.present, as_tuple=True)
            box, noise = scenes.box[rows, slots], torch.randn(len(rows), 3, generator=generator)
            where = torch.cat([box[:, :2] + 0.04 * box[:, 2:] * noise[:, :2], FRAME_SCALE * box[:, 2:]], 1)
            depth = scenes.depth[rows, slots] * torch.exp(0.05 * noise[:, 2])
            for row in rows.unique().tolist():
                mine = rows == row
                found.append(clip.glimpses(scenes.image[row], where[mine], depth[mine]))
        return torch.cat(found)
