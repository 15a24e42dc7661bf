"""Whole rendered scenes with masks (no layers): a folder or tar of ID.png, ID.mask.png and ID.json."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from prompts.vocabulary import ATTRIBUTES
from vle_gen.data.compose import FULL_VIEW, boxes_in_view, view_grid
from vle_gen.data.reading import read_as_large, read_files, read_json
from vle_gen.data.scene import SceneBatch
from vle_gen.data.sprites import attribute_indices
from vle_gen.errors import UserError


@dataclass(frozen=True)
class SceneStore:
    """Whole scenes on one device, S of them, square, C x C pixels, up to N objects each, sorted near to far."""

    image: Tensor  # (S, 3, C, C) uint8
    labels: Tensor  # (S, C, C) uint8: 0 floor, k + 1 = slot k
    present: Tensor  # (S, N) bool
    box: Tensor  # (S, N, 4) canvas units
    depth: Tensor  # (S, N)
    attributes: Tensor  # (S, N, 4) long

    def __len__(self) -> int:
        return self.image.shape[0]

    @staticmethod
    def load(path: str | Path, device: str | torch.device = "cpu") -> SceneStore:
        """Reads all square scenes. Raises `UserError` when there are none, they differ in size, or one is damaged."""
        files = read_files(path)
        stems = [name.removesuffix(".json") for name in sorted(files) if name.endswith(".json")]
        records = [_record(files, stem + ".json", path) for stem in stems]
        if not records:
            raise UserError(f"{path} holds no scenes: expected ID.png, ID.mask.png and ID.json")
        slots = max(len(r["objects"]) for r in records)
        count, side = len(records), records[0]["width"]
        present = torch.zeros(count, slots, dtype=torch.bool)
        box, depth = torch.zeros(count, slots, 4), torch.zeros(count, slots)
        attributes = torch.zeros(count, slots, 4, dtype=torch.long)
        images, labels = [], []
        for i, (stem, record) in enumerate(zip(stems, records, strict=True)):
            if (record["width"], record["height"]) != (side, side):
                raise UserError(f"{path}: scene {stem} is not {side} x {side}; training scenes are square, of one size")
            order = sorted(range(len(record["objects"])), key=lambda k: record["objects"][k]["pixel"][2])
            rank = np.zeros(256, np.uint8)
            for slot, k in enumerate(order):
                item = record["objects"][k]
                x0, y0, x1, y1 = item["bbox"]
                present[i, slot] = True
                box[i, slot] = torch.tensor([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]) / side
                depth[i, slot] = item["pixel"][2]
                try:
                    attributes[i, slot] = torch.tensor(attribute_indices(item))
                except UserError as fault:
                    raise UserError(f"{path}: {stem}.json, object {k}: {fault}") from None
                rank[k + 1] = slot + 1
            mask = read_as_large(files, stem + ".mask.png", path, "RGBA", side, side)[..., 0] // 16
            labels.append(torch.from_numpy(rank[mask]))
            pixels = read_as_large(files, stem + ".png", path, "RGB", side, side)
            images.append(torch.from_numpy(pixels).permute(2, 0, 1))
        store = SceneStore(torch.stack(images), torch.stack(labels), present, box, depth, attributes)
        return SceneStore(**{k: v.to(device) for k, v in vars(store).items()})

    def subset(self, index: Tensor) -> SceneStore:
        """Some of the scenes."""
        return SceneStore(**{k: v[index] for k, v in vars(self).items()})

    @torch.no_grad()
    def __call__(
        self,
        batch_size: int,
        generator: torch.Generator,
        height: int = 256,
        width: int = 256,
        view: Tensor | None = None,
        least_visible: float = 1.5e-4,
    ) -> SceneBatch:
        """Random scenes, seen through `view` (B, 4); objects that hardly show are marked absent."""
        device = self.image.device
        row = torch.randint(len(self), (batch_size,), generator=generator, device=device)
        if view is None:
            view = torch.tensor(FULL_VIEW, device=device).expand(batch_size, 4)
        grid = view_grid(view, height, width)
        image = F.grid_sample(self.image[row].float() / 255, grid, "bilinear", "border", False)
        labels = F.grid_sample(self.labels[row, None].float(), grid, "nearest", "zeros", False)[:, 0].long()
        slots = torch.arange(1, self.present.shape[1] + 1, device=device)
        visible = (labels.flatten(1)[:, None] == slots[None, :, None]).float().mean(2)
        present = self.present[row] & (visible >= least_visible)
        return SceneBatch(
            present=present,
            box=boxes_in_view(self.box[row], view) * self.present[row][..., None],
            depth=self.depth[row],
            attributes=self.attributes[row],
            sprite=torch.full_like(self.depth[row], -1, dtype=torch.long),
            rig=torch.full((batch_size,), -1, device=device),
            view=view,
            has_layers=torch.zeros(batch_size, dtype=torch.bool, device=device),
            image=image,
            background=torch.zeros_like(image),
            labels=labels,
            visible=visible,
        )


def _record(files: dict[str, bytes], name: str, source: str | Path) -> dict[str, Any]:
    """The record of a scene. Raises `UserError` where it does not say all that training takes."""
    record = read_json(files, name, source)
    try:
        whole = record["width"] > 0 and record["height"] > 0
        for item in record["objects"]:
            numbers = [float(value) for value in [*item["bbox"], *item["pixel"]]]
            whole &= len(item["bbox"]) == 4 and len(numbers) == 7 and bool(np.isfinite(numbers).all())
            whole &= set(ATTRIBUTES) <= item.keys()
    except (KeyError, TypeError, ValueError, AttributeError):
        whole = False
    if not whole:
        raise UserError(f"{source}: {name} is no record of a scene: expected width, height and objects, each with bbox (four "
                        f"numbers), pixel (x, y, depth), {', '.join(ATTRIBUTES)}")  # fmt: skip
    return record
