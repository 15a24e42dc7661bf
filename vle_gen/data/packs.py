"""Which packs to compose from, and the engine that does it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from vle_gen.data.catalogue import Bank, Catalogue
from vle_gen.data.choice import PackChoice
from vle_gen.data.compose import Composer, Engine
from vle_gen.data.cutouts import CutoutBank
from vle_gen.data.mixed import MixedComposer
from vle_gen.data.pack import is_cutout_pack, read_pack
from vle_gen.data.reading import read_files
from vle_gen.data.sprites import SpriteBank

OWN_BACKGROUNDS = 24  # made for cut-outs where no pack brings any


def load_bank(path: str | Path, device: str | torch.device = "cpu") -> Bank:
    """Reads a pack of either kind, of rigs with whatever shapes and materials. Raises `UserError` that names what is wrong."""
    files = read_files(path)
    if is_cutout_pack(files):
        return CutoutBank.of(read_pack(path, files), device)
    return SpriteBank.load(path, device, files, known=False)


def load_catalogue(packs: Sequence[PackChoice], device: str | torch.device = "cpu", pick: str | None = None) -> Catalogue:
    """Reads packs and puts them together; cut-outs get made backgrounds where no pack of cut-outs brings any. `pick` says which
    objects, of all packs alike; without it each pack's choice does."""
    banks = [load_bank(pack.path, device) for pack in packs]
    cutouts = [bank for bank in banks if isinstance(bank, CutoutBank)]
    if cutouts and not any(bank.pack.backgrounds for bank in cutouts):
        from vle_gen.data.backgrounds import backgrounds

        furnished = replace(cutouts[0].pack, backgrounds=tuple(backgrounds(OWN_BACKGROUNDS)))
        banks = [CutoutBank.of(furnished, device) if bank is cutouts[0] else bank for bank in banks]
    own = [bank.pack.weight if isinstance(bank, CutoutBank) else 1.0 for bank in banks]
    weights = [mine if pack.weight is None else pack.weight for pack, mine in zip(packs, own, strict=True)]
    return Catalogue.of(banks, weights, [pick or pack.pick for pack in packs])


def load_engine(
    packs: Sequence[PackChoice],
    device: str | torch.device = "cpu",
    min_objects: int = 1,
    max_objects: int = 9,
    mixing: float = 0.25,
    pick: str | None = None,
) -> Engine:
    """The engine for packs: one pack of rigs alone is composed as rendered, anything else is mixed.

    Args:
        packs: at least one.
        min_objects, max_objects: least and most objects in a scene.
        mixing: share of objects from other packs than their scene's background.
        pick: which objects of packs of cut-outs are drawn: seen (those that training may see), held_out or all; without it
            each choice says so.
    """
    if len(packs) == 1:
        bank = load_bank(packs[0].path, device)
        if isinstance(bank, SpriteBank):
            return Composer(bank, min_objects, max_objects)
    return MixedComposer(load_catalogue(packs, device, pick), min_objects, max_objects, mixing)
