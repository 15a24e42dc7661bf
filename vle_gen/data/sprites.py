"""Sprite packs: RGBA cut-outs with shadows, grouped into rigs (one camera and light set-up each), as one bank of tensors.

A pack is a folder or tar of `NAME/meta.json`, `NAME/background.png` and the sprites that `meta.json` lists.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from prompts import vocabulary
from vle_gen.data.floor import Floor
from vle_gen.data.pack import is_cutout_pack
from vle_gen.data.reading import read_files, read_json, read_pixels
from vle_gen.errors import UserError

SOLID = 0.97  # alpha above which a sprite's pixel is the object itself; below it is shadow or soft edge
FADE = 6  # a shadow can be cut by its crop: alpha fades to 0 over this many pixels at the crop's border


def attribute_indices(record: dict, known: bool = True) -> list[int]:
    """shape, size, material and colour of a record as indices into the vocabulary.

    Words that are not in it are -1, or with `known` a `UserError`.
    """
    indices = []
    for key, words in zip(vocabulary.ATTRIBUTES, vocabulary.VALUES, strict=True):
        if known and record[key] not in words:
            raise UserError(f"{key} is {record[key]!r}: expected one of {', '.join(words)}")
        indices.append(words.index(record[key]) if record[key] in words else -1)
    return indices


def silhouette(alpha: np.ndarray) -> np.ndarray:
    """The object's own pixels (H, W) bool: opaque ones, and their antialiased edge where it is mostly object."""
    opaque = alpha > SOLID * 255
    near = np.pad(opaque, 1)
    near = near[1:-1, :-2] | near[1:-1, 2:] | near[:-2, 1:-1] | near[2:, 1:-1]
    return opaque | (near & (alpha > 0.6 * 255))


def faded(rgba: np.ndarray) -> np.ndarray:
    """A crop (H, W, 4) uint8 whose soft alpha fades to 0 towards the border, so that a cut shadow leaves no edge."""
    height, width = rgba.shape[:2]
    ramp_y = np.minimum(np.arange(height), np.arange(height)[::-1])
    ramp_x = np.minimum(np.arange(width), np.arange(width)[::-1])
    ramp = np.minimum(np.minimum(ramp_y[:, None], ramp_x[None]) / FADE, 1.0)
    alpha = rgba[..., 3].astype(np.float32)
    out = rgba.copy()
    out[..., 3] = np.where(alpha < 0.9 * 255, alpha * ramp, alpha).round().astype(np.uint8)
    return out


@dataclass(frozen=True)
class SpriteBank:
    """Every sprite of a pack on one device. S sprites, R rigs, canvas of C x C pixels."""

    pixels: Tensor  # (S, 5, C, C) uint8: colour times alpha, alpha, silhouette; at its own place on the canvas
    background: Tensor  # (R, 3, C, C) uint8
    rig: Tensor  # (S,) long
    attributes: Tensor  # (S, 4) long, -1 for words that the caption language lacks
    box: Tensor  # (S, 4) centre x, centre y, width, height in canvas units
    depth: Tensor  # (S,) distance to the camera
    floor: Tensor  # (S, 2) position on the floor
    radius: Tensor  # (S,) on the floor
    members: Tensor  # (R, M) long: the sprites of each rig, padded with -1
    extent: Tensor  # (S, 4) the crop with its shadow: centre x, centre y, width, height in canvas units

    def __len__(self) -> int:
        return self.pixels.shape[0]

    def names(self) -> list[str]:
        """What captions call each sprite; left out of it is what they have no word for."""
        return [vocabulary.describe([None if v < 0 else v for v in row]) for row in self.attributes.tolist()]

    @property
    def canvas(self) -> int:
        return self.pixels.shape[-1]

    def to(self, device: str | torch.device) -> SpriteBank:
        """The same bank on another device."""
        return SpriteBank(**{k: v.to(device) for k, v in vars(self).items()})

    @staticmethod
    def load(
        path: str | Path,
        device: str | torch.device = "cpu",
        files: dict[str, bytes] | None = None,
        known: bool = True,
    ) -> SpriteBank:
        """Reads a pack of rigs. Raises `UserError` that names what is wrong.

        Args:
            files: those of the pack, where they have been read already.
            known: every shape, size, material and colour is to be a word of the caption language, as captions need.
        """
        files = read_files(path) if files is None else files
        metas = sorted(name for name in files if name.endswith("meta.json"))
        if not metas and is_cutout_pack(files):
            raise UserError(f"{path} is a pack of cut-outs: here a pack of rigs is needed, with rigNNN/meta.json inside")
        if not metas:
            raise UserError(f"{path} holds no sprite pack: expected rigNNN/meta.json or pack.json inside")
        crops, backgrounds, rigs, records = [], [], [], []
        for rig, name in enumerate(metas):
            canvas, sprites = checked_rig(read_json(files, name, path), f"{path}: {name}", known)
            folder = name.removesuffix("meta.json")
            background = read_pixels(files, folder + "background.png", path, "RGB")
            if background.shape[:2] != (canvas, canvas):
                raise UserError(f"{path}: {folder}background.png is not {canvas} x {canvas}, the canvas of {name}")
            backgrounds.append(background)
            for record in sprites:
                crop = read_pixels(files, folder + record["file"], path, "RGBA")
                top, left = record["top"], record["left"]
                if top < 0 or left < 0 or top + crop.shape[0] > canvas or left + crop.shape[1] > canvas:
                    raise UserError(f"{path}: {folder}{record['file']} does not lie inside the canvas of {name}")
                soft = faded(crop)
                colour = (soft[..., :3] * (soft[..., 3:] / 255)).round().astype(np.uint8)
                crops.append(np.dstack([colour, soft[..., 3], 255 * silhouette(crop[..., 3]).astype(np.uint8)]))
                rigs.append(rig)
                records.append(record)
        if len({len(one) for one in backgrounds}) > 1:
            raise UserError(f"{path}: the canvases of its rigs differ: expected one size")
        pixels = torch.zeros(len(crops), 5, canvas, canvas, dtype=torch.uint8)
        for full, crop, record in zip(pixels, crops, records, strict=True):
            top, left = record["top"], record["left"]
            full[:, top : top + crop.shape[0], left : left + crop.shape[1]] = torch.from_numpy(crop).permute(2, 0, 1)
        sides = torch.tensor([crop.shape[1::-1] for crop in crops])
        middles = torch.tensor([[r["left"], r["top"]] for r in records]) + sides / 2
        corners = torch.tensor([r["bbox"] for r in records]) / canvas  # (S, 4) x0, y0, x1, y1
        rig_of = torch.tensor(rigs)
        groups = [torch.nonzero(rig_of == r)[:, 0] for r in range(len(metas))]
        members = torch.nn.utils.rnn.pad_sequence(groups, batch_first=True, padding_value=-1)
        return SpriteBank(
            pixels=pixels,
            background=torch.from_numpy(np.stack(backgrounds)).permute(0, 3, 1, 2).contiguous(),
            rig=rig_of,
            attributes=torch.tensor([attribute_indices(r, known) for r in records]),
            box=torch.cat([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], 1),
            depth=torch.tensor([r["depth"] for r in records]),
            floor=torch.tensor([r["xyz"][:2] for r in records]),
            radius=torch.tensor([r["radius"] for r in records]),
            members=members,
            extent=torch.cat([middles, sides], 1) / canvas,
        ).to(device)

    def floors(self) -> list[Floor]:
        """The floor of each rig, fitted to where its sprites stand and how large they are there."""
        return [self._floor(members[members >= 0]) for members in self.members]

    def _floor(self, index: Tensor) -> Floor:
        box, depth, radius = (one[index].double().cpu() for one in (self.box, self.depth, self.radius))  # lstsq: any rank there
        foot, inverse = box[:, 1] + box[:, 3] / 2, 1 / depth
        inputs = torch.stack([torch.ones_like(inverse), inverse], 1)
        horizon, slope = torch.linalg.lstsq(inputs, foot[:, None]).solution[:, 0].tolist()
        focal = float((box[:, 2] * depth / (2 * radius)).median())  # y = horizon + focal * height / depth
        low, high = foot.quantile(0.02).item(), foot.quantile(0.98).item()
        return Floor(horizon, slope / focal, max(low, horizon + 0.02), high, focal)


NUMBER = (int, float)
FIELDS = {  # of a sprite in a rig's meta.json
    "file": str, "left": int, "top": int, "depth": NUMBER, "radius": NUMBER, "xyz": list, "bbox": list,
    **dict.fromkeys(vocabulary.ATTRIBUTES, str),
}  # fmt: skip


def checked_rig(meta: object, where: str, known: bool) -> tuple[int, list[dict]]:
    """The canvas and the sprites of a rig's `meta.json`. Raises `UserError` that says what is wrong in it."""
    canvas, sprites = (meta.get(key) if isinstance(meta, dict) else None for key in ("canvas", "sprites"))
    if not (isinstance(canvas, int) and canvas > 0 and isinstance(sprites, list) and sprites):
        raise UserError(f"{where}: expected canvas, in pixels, and a list of sprites")
    for k, record in enumerate(sprites):
        for key, kind in FIELDS.items():
            value = record.get(key) if isinstance(record, dict) else None
            if not isinstance(value, kind):
                raise UserError(f"{where}: sprite {k}: {key} is {value!r}")
        numbers = all(isinstance(value, NUMBER) for value in (*record["bbox"], *record["xyz"]))
        if len(record["bbox"]) != 4 or len(record["xyz"]) < 2 or not numbers:
            raise UserError(f"{where}: sprite {k}: expected bbox with 4 numbers and xyz with 3")
        try:
            attribute_indices(record, known)
        except UserError as fault:
            raise UserError(f"{where}: sprite {k}: {fault}") from None
    return canvas, sprites
