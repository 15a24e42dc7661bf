"""Several packs as one list of sprites and one of backgrounds, numbered through, with what a layout needs to know of them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from prompts.vocabulary import SHAPES
from vle_gen.data.cutouts import CutoutBank
from vle_gen.data.floor import Floor
from vle_gen.data.pack import RIG_GROUND, Placement
from vle_gen.data.shadows import FRAME
from vle_gen.data.sprites import SpriteBank
from vle_gen.errors import UserError

Bank = SpriteBank | CutoutBank
RIGS = Placement(floor=0.8, free=0.0, stacked=0.2)  # how objects of other packs come to a rig's floor
FLAT = ("cube", "cylinder")  # solids on which something can stand
EDGE = 0.06  # of a cut-out's height: what lies this near to its top or bottom row is its top or its base


@dataclass(frozen=True)
class Sprites:
    """S sprites. Boxes are in the sprite's texture, 0..1."""

    pack: Tensor  # (S,) long
    local: Tensor  # (S,) long: index in its bank
    attributes: Tensor  # (S, 4) long, -1 for cut-outs
    box: Tensor  # (S, 4)
    extent: Tensor  # (S, 4) all that it draws, its shadow too
    size: Tensor  # (S,) longer side, in floor units
    floats: Tensor  # (S,) bool
    usable: Tensor  # (S,) bool: drawn for scenes
    home: Tensor  # (S,) long: the background that it was rendered on, or -1
    depth: Tensor  # (S,) at home
    top: Tensor  # (S, 3) where something can stand on it: centre x, y, width in the texture; width 0 = nowhere
    base: Tensor  # (S,) width of what it stands on, in the texture


@dataclass(frozen=True)
class Grounds:
    """G backgrounds."""

    pack: Tensor  # (G,) long
    local: Tensor  # (G,) long: index in its bank
    floor: Tensor  # (G, 5) horizon, height, top, bottom, focal
    has_floor: Tensor  # (G,) bool
    shaded: Tensor  # (G,) bool


@dataclass(frozen=True)
class Catalogue:
    """Packs with their weights, how their scenes are placed, and what they hold."""

    banks: tuple[Bank, ...]
    weights: Tensor  # (P,) share of the scenes that a pack gives its background to
    placement: Tensor  # (P, 3) shares of the rules floor, free, stacked
    sprites: Sprites
    grounds: Grounds
    names: tuple[str, ...]  # of every sprite
    words: tuple[tuple[str, ...], ...]  # of every background

    @staticmethod
    def of(banks: Sequence[Bank], weights: Sequence[float], picks: Sequence[str] | None = None) -> Catalogue:
        """Puts banks together. `picks` say which objects of each are drawn: seen, held_out or all (rigs hold nothing out);
        without them those that are seen.

        Raises:
            UserError: nothing to draw, or no weight.
        """
        picks = ["seen"] * len(banks) if picks is None else picks
        sprites, grounds, names, words, placement = [], [], [], [], []
        start = 0
        for number, bank in enumerate(banks):
            device = bank.box.device
            if isinstance(bank, SpriteBank):
                floors: list[Floor | None] = list(bank.floors())
                found, shaded, rule = _of_rigs(bank, floors, start), [True] * len(floors), RIGS
                names += bank.names()
                words += [RIG_GROUND] * len(floors)
            else:
                floors, shaded, rule = bank.floors, [one.shaded for one in bank.pack.backgrounds], bank.pack.placement
                found = _of_cutouts(bank, picks[number])
                names += [one.name for one in bank.pack.objects]
                words += [one.words for one in bank.pack.backgrounds]
            start += len(floors)
            sprites.append(replace(found, pack=torch.full_like(found.local, number)))
            grounds.append(_grounds(number, floors, shaded, device))
            placement.append([rule.floor, rule.free, rule.stacked])
        all_sprites, all_grounds = _joined(Sprites, sprites), _joined(Grounds, grounds)
        if not len(all_grounds.pack):
            raise UserError("none of the packs has a background")
        for number, bank in enumerate(banks):
            if not all_sprites.usable[all_sprites.pack == number].any():
                raise UserError(f"pack {bank.pack.name} has no object that is {picks[number].replace('_', ' ')}")
        device = all_sprites.box.device
        return Catalogue(
            banks=tuple(banks),
            weights=torch.tensor(weights, dtype=torch.float32, device=device),
            placement=torch.tensor(placement, device=device),
            sprites=all_sprites,
            grounds=all_grounds,
            names=tuple(names),
            words=tuple(words),
        )


def _joined(kind, tables: list):
    return kind(**{f.name: torch.cat([getattr(table, f.name) for table in tables]) for f in fields(kind)})


def _grounds(pack: int, floors: Sequence[Floor | None], shaded: Sequence[bool], device: torch.device) -> Grounds:
    known = [floor or Floor(0.0, 1.0, 0.1) for floor in floors]
    rows = [[f.horizon, f.height, f.top, f.bottom, f.focal] for f in known]
    return Grounds(
        pack=torch.full((len(floors),), pack, device=device),
        local=torch.arange(len(floors), device=device),
        floor=torch.tensor(rows, dtype=torch.float32, device=device).reshape(-1, 5),
        has_floor=torch.tensor([floor is not None for floor in floors], dtype=torch.bool, device=device),
        shaded=torch.tensor(shaded, dtype=torch.bool, device=device),
    )


def _of_rigs(bank: SpriteBank, floors: Sequence[Floor], start: int) -> Sprites:
    count, box = len(bank), bank.box
    focal = torch.tensor([floor.focal for floor in floors], dtype=torch.float32, device=box.device)[bank.rig]
    flat = torch.zeros(count, dtype=torch.bool, device=box.device)
    for shape in FLAT:
        flat |= bank.attributes[:, 0] == SHAPES.index(shape)
    return Sprites(
        pack=torch.zeros(count, dtype=torch.long, device=box.device),
        local=torch.arange(count, device=box.device),
        attributes=bank.attributes,
        box=box,
        extent=bank.extent,
        size=box[:, 2:].amax(1) * bank.depth / focal,
        floats=torch.zeros(count, dtype=torch.bool, device=box.device),
        usable=torch.ones(count, dtype=torch.bool, device=box.device),
        home=bank.rig + start,
        depth=bank.depth,
        top=torch.stack([box[:, 0], box[:, 1] - 0.34 * box[:, 3], 0.7 * box[:, 2] * flat], 1),
        base=0.7 * box[:, 2],
    )


def _of_cutouts(bank: CutoutBank, pick: str) -> Sprites:
    objects, device = bank.pack.objects, bank.box.device
    count = len(objects)
    held_out = torch.tensor([one.held_out for one in objects], device=device)
    top, base = _flat_parts(bank)
    return Sprites(
        pack=torch.zeros(count, dtype=torch.long, device=device),
        local=torch.arange(count, device=device),
        attributes=torch.full((count, 4), -1, device=device),
        box=bank.box,
        extent=bank.box * torch.tensor([1, 1, FRAME, FRAME], device=device),
        size=torch.tensor([one.size for one in objects], device=device),
        floats=torch.tensor([one.floats for one in objects], device=device),
        usable={"seen": ~held_out, "held_out": held_out, "all": torch.ones_like(held_out)}[pick],
        home=torch.full((count,), -1, device=device),
        depth=torch.zeros(count, device=device),
        top=top,
        base=base,
    )


def _flat_parts(bank: CutoutBank) -> tuple[Tensor, Tensor]:
    """The tops (S, 3) on which something can stand, and the widths (S,) of the bases, from the silhouettes."""
    alpha = bank.levels[-1][:, 3] > 127  # (S, T, T)
    at = (torch.arange(alpha.shape[-1], device=alpha.device) + 0.5) / alpha.shape[-1]
    y0, height = bank.box[:, 1] - bank.box[:, 3] / 2, bank.box[:, 3]
    below_top = (at[None] - y0[:, None]) / height[:, None]  # (S, T), 0 at the top, 1 at the bottom
    shown = {}
    for name, rows in (("top", below_top < EDGE), ("base", below_top > 1 - EDGE)):
        columns = (alpha & rows[:, :, None]).any(1)  # (S, T)
        left = torch.where(columns, at, 2.0).amin(1)
        right = torch.where(columns, at, -1.0).amax(1)
        full = columns.float().sum(1) / alpha.shape[-1] > 0.85 * (right - left)  # no gaps, as between towers
        shown[name] = (left, right, full)
    left, right, full = shown["top"]
    flat = full & (right - left > 0.5 * bank.box[:, 2])
    top = torch.stack([(left + right) / 2, y0 + 0.5 * EDGE * height, (right - left) * flat], 1)
    left, right, _ = shown["base"]
    return top.clamp(0, 1), (right - left).clamp(min=0.05)
