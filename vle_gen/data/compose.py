"""The composition engine: sprites, put together far to near, make scenes with exact layers, masks and depth.

Everything is batched on the bank's device and seeded by the caller's generator. Layout (which sprites go together) and
pixels are separate, since the prior needs only the first.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import SpriteBank

FULL_VIEW = (0.0, 0.0, 1.0, 1.0)


def view_grid(view: Tensor, height: int, width: int) -> Tensor:
    """Sampling grid (B, height, width, 2) in grid_sample's -1..1 over the source square, for canvases looking at `view`.

    The picture of `height` x `width` lies centred in its square canvas, and the canvas shows the part of the source
    square that starts at (view x, view y) and has the extent (scale x, scale y); a negative extent mirrors.
    """
    side = max(height, width)
    x = (torch.arange(width, device=view.device) + 0.5 + (side - width) / 2) / side  # (W,) canvas units
    y = (torch.arange(height, device=view.device) + 0.5 + (side - height) / 2) / side
    gx = view[:, 0:1] + x * view[:, 2:3]  # (B, W) in the source square
    gy = view[:, 1:2] + y * view[:, 3:4]
    grid = torch.stack([gx[:, None].expand(-1, height, -1), gy[:, :, None].expand(-1, -1, width)], -1)
    return grid * 2 - 1


def boxes_in_view(box: Tensor, view: Tensor) -> Tensor:
    """Boxes (B, N, 4) of the source square in the canvas units of `view` (B, 4)."""
    v = view[:, None]
    centre = (box[..., :2] - v[..., :2]) / v[..., 2:]
    return torch.cat([centre, box[..., 2:] / v[..., 2:].abs()], -1)


class Engine:
    """What all composition engines share: layouts become pixels, layers and moved counterparts.

    An engine says which layouts it makes, and how its backgrounds and its sprites look through a grid.
    """

    @property
    def device(self) -> torch.device:
        """Where scenes are made; generators are of it."""
        raise NotImplementedError

    def layout(self, batch_size: int, generator: torch.Generator, view: Tensor | None = None) -> SceneBatch:
        """Scenes without pixels: which sprites stand together, where, and how far. `view` is (B, 4)."""
        raise NotImplementedError

    def backdrop(self, scenes: SceneBatch, grid: Tensor) -> Tensor:
        """The empty backgrounds (B, 3, H, W) of scenes, seen through `grid` (B, H, W, 2) over the source square."""
        raise NotImplementedError

    def draw(self, scenes: SceneBatch, rows: Tensor, slots: Tensor, grid: Tensor, pixels: Tensor) -> Tensor:
        """Layers (K, 5, H, W), premultiplied RGBA and silhouette, of objects (rows, slots) through `grid` (K, H, W, 2)
        over the source square, of whose side a picture shows `pixels` (K,)."""
        raise NotImplementedError

    def names(self, scenes: SceneBatch, row: int) -> list[str]:
        """What the objects of one scene are called, slot by slot."""
        raise NotImplementedError

    @torch.no_grad()
    def render(
        self, scenes: SceneBatch, height: int, width: int, least_visible: float = 1.5e-4, step: Tensor | None = None
    ) -> SceneBatch:
        """The pixels of a layout at `height` x `width`. Objects with less than `least_visible` of the picture showing
        are marked absent (their few pixels stay, as clutter). `step` (B, N, 2) shifts objects, in canvas units."""
        batch = len(scenes)
        grid = view_grid(scenes.view, height, width)
        background = self.backdrop(scenes, grid)
        image = background.clone()
        labels = torch.zeros(batch, height, width, dtype=torch.long, device=image.device)
        self.paint(scenes, image, labels, step)
        slots = scenes.present.shape[1]
        numbered = labels + torch.arange(batch, device=labels.device)[:, None, None] * (slots + 1)
        counts = torch.bincount(numbered.flatten(), minlength=batch * (slots + 1)).view(batch, slots + 1)
        visible = counts[:, 1:].float() / (height * width)  # (B, N)
        values = dict(vars(scenes))
        values |= dict(image=image, background=background, labels=labels, visible=visible)
        values["present"] = (scenes.sprite >= 0) & (visible >= least_visible)
        return SceneBatch(**values)

    def paint(self, scenes: SceneBatch, image: Tensor, labels: Tensor, step: Tensor | None) -> None:
        """Draws all objects, far to near, into `image` (B, 3, H, W) and `labels` (B, H, W)."""
        height, width = labels.shape[1:]
        grid = view_grid(scenes.view, height, width)
        pixels = max(height, width) / scenes.view[:, 3].abs()
        for slot in reversed(range(scenes.present.shape[1])):
            rows = torch.nonzero(scenes.sprite[:, slot] >= 0)[:, 0]
            if len(rows) == 0:
                continue
            at = grid[rows]
            if step is not None:
                at = at - 2 * (step[rows, slot] * scenes.view[rows, 2:])[:, None, None]
            drawn = self.draw(scenes, rows, torch.full_like(rows, slot), at, pixels[rows])
            image[rows] = drawn[:, :3] + image[rows] * (1 - drawn[:, 3:4])
            labels[rows] = torch.where(drawn[:, 4] > 0.5, slot + 1, labels[rows])

    def moved(self, scenes: SceneBatch, slot: Tensor, step: Tensor) -> SceneBatch:
        """The counterparts of rendered scenes in which object `slot` (B,) of each stands `step` (B, 2) canvas units
        further, with its shadow: exact truth for an edit."""
        shift = torch.zeros_like(scenes.box[..., :2])
        shift[torch.arange(len(scenes), device=slot.device), slot] = step
        values = dict(vars(scenes))
        values["box"] = torch.cat([scenes.box[..., :2] + shift, scenes.box[..., 2:]], -1)
        return self.render(SceneBatch(**values), *scenes.image.shape[-2:], step=shift)

    def __call__(
        self, batch_size: int, generator: torch.Generator, height: int = 256, width: int = 256, view: Tensor | None = None
    ) -> SceneBatch:
        """A batch of scenes with pixels."""
        return self.render(self.layout(batch_size, generator, view), height, width)

    @torch.no_grad()
    def layers(self, scenes: SceneBatch, rows: Tensor, slots: Tensor, points: Tensor) -> Tensor:
        """Exact layers (K, 5, S, S), premultiplied RGBA and silhouette, of objects (rows, slots), at the points
        (K, S, S, 2), in canvas units, of their own grids."""
        view = scenes.view[rows][:, None, None]
        grid = (view[..., :2] + points * view[..., 2:]) * 2 - 1
        middle = points.shape[1] // 2  # grids are finest there
        apart = (points[:, middle, middle] - points[:, middle - 1, middle - 1]).abs().amin(1).clamp(min=1e-5)
        return self.draw(scenes, rows, slots, grid, 1 / (apart * scenes.view[rows, 3].abs()))


class Composer(Engine):
    """Draws scenes from the rigs of one sprite bank.

    Args:
        bank: the sprites, on the device where the scenes are wanted.
        max_objects: most objects in a scene; the number is uniform over `min_objects..max_objects`.
        margin: least gap between two objects on the floor, in the floor's units.
    """

    def __init__(self, bank: SpriteBank, min_objects: int = 1, max_objects: int = 9, margin: float = 0.2):
        self.bank, self.min_objects, self.max_objects, self.margin = bank, min_objects, max_objects, margin

    @property
    def device(self) -> torch.device:
        return self.bank.pixels.device

    @torch.no_grad()
    def layout(
        self, batch_size: int, generator: torch.Generator, view: Tensor | None = None, tries: int = 24
    ) -> SceneBatch:
        """Scenes without pixels: which sprites of one rig stand together, where, and how far. `view` is (B, 4)."""
        bank, device = self.bank, self.device
        rigs, slots = bank.members.shape[0], self.max_objects
        rig = torch.randint(rigs, (batch_size,), generator=generator, device=device)
        wanted = torch.randint(self.min_objects, slots + 1, (batch_size,), generator=generator, device=device)
        count = (bank.members >= 0).sum(1)[rig]  # (B,)
        pick = torch.rand(batch_size, tries, generator=generator, device=device) * count[:, None]
        candidate = bank.members[rig[:, None], pick.long()]  # (B, tries)
        floor, radius = bank.floor[candidate], bank.radius[candidate]
        gap = torch.cdist(floor, floor) - radius[:, None] - radius[:, :, None]  # (B, tries, tries)
        clash = gap < self.margin
        taken = torch.zeros(batch_size, tries, dtype=torch.bool, device=device)
        for k in range(tries):  # greedy: a candidate joins when nothing that already stands is too close
            fits = ~(clash[:, k] & taken).any(1) & (taken.sum(1) < wanted)
            taken[:, k] = fits
        depth = torch.where(taken, bank.depth[candidate], torch.inf)
        depth, order = depth.sort(1)
        sprite = candidate.gather(1, order)[:, :slots]
        present = depth[:, :slots].isfinite()
        zero = torch.zeros((), device=device)
        if view is None:
            view = torch.tensor(FULL_VIEW, device=device).expand(batch_size, 4)
        box = boxes_in_view(bank.box[sprite], view)
        return SceneBatch(
            present=present,
            box=torch.where(present[..., None], box, zero),
            depth=torch.where(present, depth[:, :slots], zero),
            attributes=bank.attributes[sprite] * present[..., None],
            sprite=torch.where(present, sprite, -1),
            rig=rig,
            view=view,
            has_layers=torch.ones(batch_size, dtype=torch.bool, device=device),
        )

    def names(self, scenes: SceneBatch, row: int) -> list[str]:
        names = self.bank.names()
        return [names[index] for index in scenes.sprite[row].tolist() if index >= 0]

    def backdrop(self, scenes: SceneBatch, grid: Tensor) -> Tensor:
        return F.grid_sample(unit(self.bank.background[scenes.rig]), grid, "bilinear", "border", False)

    def draw(self, scenes: SceneBatch, rows: Tensor, slots: Tensor, grid: Tensor, pixels: Tensor) -> Tensor:
        return F.grid_sample(unit(self.bank.pixels[scenes.sprite[rows, slots]]), grid, "bilinear", "zeros", False)


def unit(pixels: Tensor) -> Tensor:
    """0..255 -> 0..1."""
    return pixels.float() / 255
