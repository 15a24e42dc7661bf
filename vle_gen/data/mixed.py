"""The composition engine for any number of packs: objects of one or several of them on the backgrounds of one.

A scene follows one rule: objects stand on the floor in perspective, hang free, or stand on the floor and on one another.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.data import shadows
from vle_gen.data.catalogue import Catalogue
from vle_gen.data.compose import FULL_VIEW, Engine, boxes_in_view, unit
from vle_gen.data.cutouts import CutoutBank
from vle_gen.data.scene import SceneBatch

FLOOR, FREE, STACKED = range(3)
SMALLEST, LARGEST = 0.055, 0.62  # of an object's longer side, in units of the picture's
CLIMBERS = 0.6  # share of the objects of a stacked scene that look for something to stand on
BASES = 0.4  # share of the objects of a stacked scene that are drawn from those with flat tops
WINDOWS = (24, 48, 72, 96, 144, 192, 4096)  # pixels on a side in which objects are drawn
ALONE = 0.3  # of the picture's side, the longer side of an object that is shown alone
SKY = 0.12  # a horizon below this y leaves room for what floats


@dataclass(frozen=True)
class Candidates:
    """Objects that may join B scenes, T each, in order of preference. Canvas units of the source square."""

    sprite: Tensor  # (B, T) long
    place: Tensor  # (B, T, 4) left, top, width, height of the texture
    depth: Tensor  # (B, T)
    fixed: Tensor  # (B, T) bool: rendered at this very place
    hangs: Tensor  # (B, T) bool


class MixedComposer(Engine):
    """Draws scenes from several packs.

    Args:
        catalogue: the packs, on the device where the scenes are wanted.
        min_objects, max_objects: least and most objects in a scene, uniformly many.
        mixing: share of a scene's objects that come from other packs than its background, where there are others.
        hosts: (P,) shares of the scenes that packs give their backgrounds to; without it their weights.
        repeated: share of the scenes in which one thing is there several times, if there is room.
        stacked: share of the scenes that follow the rule for stacking, whatever their packs say.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        min_objects: int = 1,
        max_objects: int = 9,
        mixing: float = 0.25,
        hosts: Tensor | None = None,
        repeated: float = 0.0,
        stacked: float = 0.0,
    ):
        self.catalogue, self.mixing, self.repeated = catalogue, mixing, repeated
        self.hosts = catalogue.weights if hosts is None else hosts
        self.min_objects, self.max_objects = min_objects, max_objects
        self._placement = catalogue.placement * (1 - stacked)
        self._placement[:, STACKED] += stacked
        sprites, grounds, packs = catalogue.sprites, catalogue.grounds, range(len(catalogue.banks))
        self._sprites_of = _padded([torch.nonzero((sprites.pack == p) & sprites.usable)[:, 0] for p in packs])
        flat = sprites.usable & (sprites.top[:, 2] > 0)
        self._bases_of = _padded([torch.nonzero((sprites.pack == p) & flat)[:, 0] for p in packs])
        rigs = torch.zeros_like(grounds.has_floor)
        rigs[sprites.home[sprites.home >= 0]] = True
        lent = ~rigs if not rigs.all() else rigs  # for packs that have no background of their own
        own = [grounds.pack == p for p in packs]
        own = [mine if mine.any() else lent for mine in own]
        self._floors_of = _padded([torch.nonzero(mine & grounds.has_floor)[:, 0] for mine in own])
        self._walls_of = _padded([torch.nonzero(mine & ~grounds.has_floor)[:, 0] for mine in own])
        homes = [torch.nonzero(sprites.home == g)[:, 0] for g in range(len(grounds.pack))]
        self._sprites_at = _padded(homes)
        others = catalogue.weights.clamp(min=1e-6)[None] * (1 - torch.eye(len(packs), device=catalogue.weights.device))
        self._others = others if len(packs) > 1 else torch.ones_like(others)

    @property
    def device(self) -> torch.device:
        return self.catalogue.sprites.box.device

    @torch.no_grad()
    def layout(
        self, batch_size: int, generator: torch.Generator, view: Tensor | None = None, tries: int = 24
    ) -> SceneBatch:
        table, device = self.catalogue, self.device

        def rand() -> Tensor:
            return torch.rand(batch_size, generator=generator, device=device)

        pack = torch.multinomial(self.hosts, batch_size, True, generator=generator)
        rule = torch.multinomial(self._placement[pack], 1, generator=generator)[:, 0]
        ground = self._grounds(pack, rule, rand())
        rule = torch.where(table.grounds.has_floor[ground], rule, FREE)
        wanted = self.min_objects + (rand() * (self.max_objects + 1 - self.min_objects)).long()
        sprite = self._repeated(self._chosen(pack, ground, rule, tries, generator), generator)
        found = self._placed(sprite, ground, rule, generator)
        taken, place, depth, perched = self._greedy(found, ground, rule, wanted, generator)

        order = torch.where(taken, depth, torch.inf).argsort(dim=1, stable=True)[:, : self.max_objects]
        present = taken.gather(1, order)
        sprite, fixed, hangs = (value.gather(1, order) for value in (found.sprite, found.fixed, found.hangs))
        place = place.gather(1, order[..., None].expand(-1, -1, 4))
        zero = torch.zeros((), device=device)
        kind = torch.where(perched.gather(1, order), shadows.PERCHED, shadows.FLOOR)
        before_wall = table.grounds.shaded[ground] & (rule == FREE)
        kind = torch.where(hangs, torch.where(before_wall[:, None], shadows.WALL, shadows.NONE), kind)
        kind = torch.where(fixed, shadows.NONE, kind)
        if view is None:
            view = torch.tensor(FULL_VIEW, device=device).expand(batch_size, 4)
        box = boxes_in_view(_in_square(table.sprites.box[sprite], place), view)
        return SceneBatch(
            present=present,
            box=torch.where(present[..., None], box, zero),
            depth=torch.where(present, depth.gather(1, order), zero),
            attributes=table.sprites.attributes[sprite] * present[..., None],
            sprite=torch.where(present, sprite, -1),
            rig=ground,
            view=view,
            has_layers=torch.ones(batch_size, dtype=torch.bool, device=device),
            place=torch.where(present[..., None], place, zero),
            light=shadows.draw_lights(kind, generator),
        )

    def alone(self, sprite: Tensor, kind: int, generator: torch.Generator) -> SceneBatch:
        """Layouts (B,) of one cut-out each, `sprite` (B,), in the middle of a background of its pack, with a shadow of `kind`
        (see `shadows`). All are under one sun."""
        table, count, device = self.catalogue, len(sprite), self.device
        light = shadows.draw_lights(torch.full((1, count), kind, device=device), generator)  # first: the same for any count
        on_floor = kind in (shadows.FLOOR, shadows.PERCHED)
        rule = torch.full_like(sprite, FLOOR if on_floor else FREE)
        ground = self._grounds(table.sprites.pack[sprite], rule, torch.rand(count, generator=generator, device=device))
        box = table.sprites.box[sprite]
        scale = ALONE / box[:, 2:].amax(1, keepdim=True)
        place = torch.cat([0.5 - box[:, :2] * scale, scale, scale], 1)[:, None]
        return SceneBatch(
            present=torch.ones(count, 1, dtype=torch.bool, device=device),
            box=_in_square(box[:, None], place),
            depth=torch.full((count, 1), 8.0, device=device),
            attributes=table.sprites.attributes[sprite, None],
            sprite=sprite[:, None],
            rig=ground,
            view=torch.tensor(FULL_VIEW, device=device).expand(count, 4),
            has_layers=torch.ones(count, dtype=torch.bool, device=device),
            place=place,
            light=light.transpose(0, 1),
        )

    def _grounds(self, pack: Tensor, rule: Tensor, u: Tensor) -> Tensor:
        """A background (B,) of each pack that suits the rule; of the other sort where the pack has none that does."""
        floor, wall = _pick(self._floors_of[pack], u), _pick(self._walls_of[pack], u)
        hangs = ((rule == FREE) & (wall >= 0)) | (floor < 0)
        return torch.where(hangs, wall, floor)

    def _chosen(self, pack: Tensor, ground: Tensor, rule: Tensor, tries: int, generator: torch.Generator) -> Tensor:
        """Sprites (B, T) that may join: most of the background's own pack, and those of a rig at their places in it."""
        table, batch = self.catalogue, len(pack)

        def rand() -> Tensor:
            return torch.rand(batch, tries, generator=generator, device=self.device)

        in_rig = self._sprites_at[ground, :1] >= 0  # (B, 1)
        own = torch.where(in_rig, _pick_many(self._sprites_at[ground], rand()), _pick_many(self._sprites_of[pack], rand()))
        bases = _pick_many(self._bases_of[pack], rand())
        useful = (rule == STACKED)[:, None] & (rand() < BASES) & (bases >= 0) & ~in_rig
        own = torch.where(useful, bases, own)
        other = torch.multinomial(self._others[pack], tries, True, generator=generator)  # (B, T)
        foreign = _pick(self._sprites_of[other], rand())
        elsewhere = rand() < (self.mixing if len(table.banks) > 1 else 0.0)
        elsewhere &= (rule != FREE)[:, None] | (table.sprites.home[foreign] < 0)  # renders have the floor's shadow in them
        return torch.where(elsewhere, foreign, own)

    def _repeated(self, sprite: Tensor, generator: torch.Generator) -> Tensor:
        """The same candidates (B, T), but in some scenes the first one takes the turns of some of the others."""
        if not self.repeated:
            return sprite
        batch, device = len(sprite), self.device
        here = torch.rand(batch, 1, generator=generator, device=device) < self.repeated
        share = 0.3 + 0.7 * torch.rand(batch, 1, generator=generator, device=device)
        again = here & (torch.rand(sprite.shape, generator=generator, device=device) < share)
        return torch.where(again, sprite[:, :1], sprite)

    def _placed(self, sprite: Tensor, ground: Tensor, rule: Tensor, generator: torch.Generator) -> Candidates:
        """Where the sprites (B, T) would stand or hang."""
        table, (batch, tries) = self.catalogue, sprite.shape

        def rand(columns: int = tries) -> Tensor:
            return torch.rand(batch, columns, generator=generator, device=self.device)

        in_rig, free = self._sprites_at[ground, :1] >= 0, (rule == FREE)[:, None]  # (B, 1)
        fixed = table.sprites.home[sprite] == ground[:, None]
        horizon, height, top, bottom, focal = (value[:, None] for value in table.grounds.floor[ground].unbind(1))
        hangs = (free | (table.sprites.floats[sprite] & (horizon > SKY))) & ~fixed
        closer = torch.where(in_rig, 1.0, torch.exp(0.6 * rand(1)))  # the whole scene's scale
        size = table.sprites.size[sprite] * closer * torch.exp(0.36 * (rand() - 0.5))

        foot = top + (bottom - top) * rand()
        depth = torch.where(hangs, 10 + 8 * rand(), focal * height / (foot - horizon))
        depth = torch.where(free, 4.5 + 11 * rand(), depth)
        alone = 1.75 * size**0.6  # what hangs alone need not tell its true size
        extent = torch.where(free, alone, size * focal) / depth  # of the longer side
        box = table.sprites.box[sprite]
        longer = box[..., 2:].amax(-1)
        most = torch.where(table.sprites.home[sprite] >= 0, 1.4 * longer, LARGEST)  # renders are as fine as they are
        scale = extent.clamp(min=SMALLEST).minimum(most) / longer  # (B, T) canvas units per texture
        wide, high = box[..., 2] * scale, box[..., 3] * scale
        x = 0.45 * wide + (1 - 0.9 * wide) * rand()
        lowest = torch.where(free, 0.96, top - 0.02)  # of what hangs
        middle = 0.04 + 0.5 * high + (lowest - high - 0.04).clamp(min=0.0) * rand()
        y = torch.where(hangs, middle, foot - high / 2)
        place = torch.stack([x - box[..., 0] * scale, y - box[..., 1] * scale, scale, scale], -1)
        return Candidates(
            sprite=sprite,
            place=torch.where(fixed[..., None], place.new_tensor(FULL_VIEW), place),
            depth=torch.where(fixed, table.sprites.depth[sprite], depth),
            fixed=fixed,
            hangs=hangs,
        )

    def _greedy(
        self, found: Candidates, ground: Tensor, rule: Tensor, wanted: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Which candidates join (B, T) bool, their places and depths, and which stand on others (B, T) bool.

        A candidate joins when nothing that already stands is too close; in stacked scenes many look for another to stand on.
        """
        table = self.catalogue
        batch, tries = found.sprite.shape
        place, depth = found.place.clone(), found.depth.clone()
        slack, climber, choice = (
            torch.rand(batch, columns, generator=generator, device=self.device) for columns in (1, tries, tries)
        )
        clash = self._clashes(found, ground, slack)
        climbs = (rule == STACKED)[:, None] & ~found.fixed & ~found.hangs & (climber < CLIMBERS)
        box, base = table.sprites.box[found.sprite], table.sprites.base[found.sprite]
        top = table.sprites.top[found.sprite]  # (B, T, 3)
        taken = torch.zeros(batch, tries, dtype=torch.bool, device=place.device)
        perched, bearing = taken.clone(), taken.clone()
        rows = torch.arange(batch, device=place.device)
        for k in range(tries):
            wants = taken.sum(1) < wanted
            stands = ~(clash[:, k] & taken & ~perched).any(1)
            if k:
                breadth = top[..., 2] * place[..., 2]  # (B, T) of what can be stood on
                scale = place[:, k, 2] * depth[:, k]  # texture's side at distance 1
                there = scale[:, None] / depth  # (B, T) the texture's side, were it on each of the others
                fits = (breadth > 0.7 * base[:, k, None] * there) & (breadth > 0.5 * box[:, k, 2, None] * there)
                under = place[..., 1] + top[..., 1] * place[..., 3]  # y of the tops
                fits &= under - box[:, k, 3, None] * there > 0.02
                fits &= taken & ~bearing & ~found.hangs & (breadth > 0)
                score = torch.where(fits, choice, -1.0)
                best = score.argmax(1)
                perches = climbs[:, k] & (score[rows, best] >= 0) & wants
                side = there[rows, best]
                spare = (breadth[rows, best] - base[:, k] * side).clamp(min=0) * (choice[:, k] - 0.5)
                x = place[rows, best, 0] + top[rows, best, 0] * place[rows, best, 2] + spare
                foot = under[rows, best]
                new = torch.stack([x - box[:, k, 0] * side, foot - (box[:, k, 1] + box[:, k, 3] / 2) * side, side, side], 1)
                place[:, k] = torch.where(perches[:, None], new, place[:, k])
                depth[:, k] = torch.where(perches, depth[rows, best] - 0.01, depth[:, k])
                bearing[rows, best] |= perches
                perched[:, k] = perches
                stands = stands | perches
            taken[:, k] = stands & wants
        return taken, place, depth, perched & taken

    def _clashes(self, found: Candidates, ground: Tensor, slack: Tensor) -> Tensor:
        """(B, T, T) bool: pairs that cannot both be there. `slack` (B, 1), 0..1, is how crowded a scene may be."""
        box = _in_square(self.catalogue.sprites.box[found.sprite], found.place)
        focal = self.catalogue.grounds.floor[ground][:, 4:5]
        metres = found.depth / focal
        floor = torch.stack([(box[..., 0] - 0.5) * metres, found.depth], -1)
        radius = 0.45 * box[..., 2] * metres
        gap = torch.cdist(floor, floor) - radius[:, None] - radius[:, :, None]
        near = gap < (0.3 * slack)[..., None]
        apart = (box[:, :, None, :2] - box[:, None, :, :2]).abs()
        reach = (box[:, :, None, 2:] + box[:, None, :, 2:]) / 2 * (0.5 + 0.5 * slack)[..., None, None]
        overlap = (apart < reach).all(-1)
        hangs = found.hangs[:, :, None] & found.hangs[:, None]
        either = found.hangs[:, :, None] | found.hangs[:, None]
        return torch.where(hangs, overlap, near & ~either)

    def names(self, scenes: SceneBatch, row: int) -> list[str]:
        return [self.catalogue.names[index] for index in scenes.sprite[row].tolist() if index >= 0]

    def backdrop(self, scenes: SceneBatch, grid: Tensor) -> Tensor:
        grounds = self.catalogue.grounds
        out = grid.new_zeros(len(grid), 3, *grid.shape[1:3])
        for number, bank in enumerate(self.catalogue.banks):
            mine = torch.nonzero(grounds.pack[scenes.rig] == number)[:, 0]
            if len(mine):
                pictures = unit(bank.background[grounds.local[scenes.rig[mine]]])
                out[mine] = F.grid_sample(pictures, grid[mine], "bilinear", "border", False)
        return out

    def paint(self, scenes: SceneBatch, image: Tensor, labels: Tensor, step: Tensor | None) -> None:
        """As `Engine.paint`, but each object only in a window around it: objects of one window size are drawn together.

        A GPU draws whole canvases sooner than it is told of so many small pieces."""
        if image.is_cuda:
            super().paint(scenes, image, labels, step)
            return
        rows, slots = torch.nonzero(scenes.sprite >= 0, as_tuple=True)
        if not len(rows):
            return
        height, width = labels.shape[1:]
        side, view = max(height, width), scenes.view[rows]
        shift = torch.zeros_like(view[:, :2]) if step is None else step[rows, slots]
        extent = _in_square(self.catalogue.sprites.extent[scenes.sprite[rows, slots]], scenes.place[rows, slots])
        seen = boxes_in_view(extent[:, None], view)[:, 0]  # (K, 4) canvas units
        margin = torch.tensor([(side - width) / 2, (side - height) / 2], device=view.device)
        corner = (seen[:, :2] + shift - seen[:, 2:] / 2) * side - margin  # pixels of the picture
        need = (seen[:, 2:].amax(1) * side).ceil() + 2
        window = torch.bucketize(need, torch.tensor(WINDOWS[:-1], device=need.device))  # (K,) which of WINDOWS
        drawn: dict[int, tuple[Tensor, list]] = {}
        for number in window.unique().tolist():
            mine = torch.nonzero(window == number)[:, 0]
            high, wide = min(WINDOWS[number], height), min(WINDOWS[number], width)
            limit = torch.tensor([width - wide, height - high], device=view.device)
            at = corner[mine].floor().long().clamp(min=0).minimum(limit)  # (K, 2) left, top
            x = (at[:, :1] + torch.arange(wide, device=view.device) + 0.5 + margin[0]) / side - shift[mine, :1]
            y = (at[:, 1:] + torch.arange(high, device=view.device) + 0.5 + margin[1]) / side - shift[mine, 1:]
            x, y = view[mine, :1] + x * view[mine, 2:3], view[mine, 1:2] + y * view[mine, 3:]
            grid = torch.stack([x[:, None].expand(-1, high, -1), y[:, :, None].expand(-1, -1, wide)], -1) * 2 - 1
            layers = self.draw(scenes, rows[mine], slots[mine], grid, side / view[mine, 3].abs())
            for k, index, corner_of in zip(range(len(mine)), mine.tolist(), at.tolist(), strict=True):
                drawn[index] = (layers[k], corner_of)
        order = torch.argsort(slots, descending=True, stable=True).tolist()
        row_of, slot_of = rows.tolist(), slots.tolist()
        for index in order:  # far to near
            layer, (left, top) = drawn[index]
            part = (row_of[index], ..., slice(top, top + layer.shape[1]), slice(left, left + layer.shape[2]))
            image[part].mul_(1 - layer[3]).add_(layer[:3])
            labels[part].masked_fill_(layer[4] > 0.5, slot_of[index] + 1)

    def draw(self, scenes: SceneBatch, rows: Tensor, slots: Tensor, grid: Tensor, pixels: Tensor) -> Tensor:
        sprite, place, light = (value[rows, slots] for value in (scenes.sprite, scenes.place, scenes.light))
        side = place[:, None, None, 2:]
        at = grid / side + (1 - 2 * place[:, None, None, :2]) / side - 1  # the same point in the texture
        pack, local = self.catalogue.sprites.pack[sprite], self.catalogue.sprites.local[sprite]
        parts, order = [], []
        for number, bank in enumerate(self.catalogue.banks):
            mine = torch.nonzero(pack == number)[:, 0]
            if not len(mine):
                continue
            order.append(mine)
            if isinstance(bank, CutoutBank):
                parts.append(bank.draw(local[mine], at[mine], pixels[mine] * place[mine, 2], light[mine]))
            else:
                parts.append(F.grid_sample(unit(bank.pixels[local[mine]]), at[mine], "bilinear", "zeros", False))
        return parts[0] if len(parts) == 1 else torch.cat(parts)[torch.cat(order).argsort()]


def _in_square(box: Tensor, place: Tensor) -> Tensor:
    """Boxes (..., 4) in textures -> in the source square."""
    return torch.cat([place[..., :2] + box[..., :2] * place[..., 2:], box[..., 2:] * place[..., 2:]], -1)


def _padded(rows: list[Tensor]) -> Tensor:
    """Index lists as one tensor (R, M), at least one wide, -1 after their ends."""
    return F.pad(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-1), (0, 1), value=-1)


def _pick(options: Tensor, u: Tensor) -> Tensor:
    """One of each list (..., M) that ends in -1s, by u (...) in 0..1."""
    count = (options >= 0).sum(-1)
    return options.gather(-1, (u * count).long()[..., None])[..., 0]


def _pick_many(options: Tensor, u: Tensor) -> Tensor:
    """T of each list (B, M) that ends in -1s, by u (B, T) in 0..1."""
    count = (options >= 0).sum(-1, keepdim=True)
    return options.gather(-1, (u * count).long())
