"""Sprite packs: RGBA cut-outs with shadows, grouped into rigs (one camera and light set-up each), as one bank of tensors.

A pack is a folder or tar of `NAME/meta.json`, `NAME/background.png` and the sprites that `meta.json` lists.
"""
from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from prompts import vocabulary
from vle_gen.errors import UserError

SOLID = 0.97  # alpha above which a sprite's pixel is the object itself; below it is shadow or soft edge
FADE = 6  # a shadow can be cut by its crop: alpha fades to 0 over this many pixels at the crop's border


def read_files(path: str | Path) -> dict[str, bytes]:
    """All files under a folder or in a tar, by path relative to its top."""
    path = Path(path)
    if path.is_dir():
        return {str(f.relative_to(path)): f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()}
    if not path.is_file():
        raise UserError(f"no data at {path}: give a folder or a .tar")
    try:
        with tarfile.open(path) as tar:
            return {m.name.removeprefix("./"): tar.extractfile(m).read() for m in tar if m.isfile()}
    except tarfile.TarError as fault:
        raise UserError(f"{path} is neither a folder nor a .tar: {fault}") from None


def attribute_indices(record: dict) -> list[int]:
    """shape, size, material and colour of a record as indices into the vocabulary."""
    return [
        vocabulary.SHAPES.index(record["shape"]),
        vocabulary.SIZES.index(record["size"]),
        vocabulary.MATERIALS.index(record["material"]),
        vocabulary.COLORS.index(record["color"]),
    ]


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
    attributes: Tensor  # (S, 4) long
    box: Tensor  # (S, 4) centre x, centre y, width, height in canvas units
    depth: Tensor  # (S,) distance to the camera
    floor: Tensor  # (S, 2) position on the floor
    radius: Tensor  # (S,) on the floor
    members: Tensor  # (R, M) long: the sprites of each rig, padded with -1

    def __len__(self) -> int:
        return self.pixels.shape[0]

    @property
    def canvas(self) -> int:
        return self.pixels.shape[-1]

    def to(self, device: str | torch.device) -> SpriteBank:
        """The same bank on another device."""
        return SpriteBank(**{k: v.to(device) for k, v in vars(self).items()})

    @staticmethod
    def load(path: str | Path, device: str | torch.device = "cpu") -> SpriteBank:
        """Reads a pack. Raises `UserError` when it has no rig."""
        files = read_files(path)
        metas = sorted(name for name in files if name.endswith("meta.json"))
        if not metas:
            raise UserError(f"{path} holds no sprite pack: expected rigNNN/meta.json inside")
        pixels, backgrounds, rigs, records = [], [], [], []
        for rig, name in enumerate(metas):
            meta, folder = json.loads(files[name]), name.removesuffix("meta.json")
            canvas = meta["canvas"]
            background = Image.open(io.BytesIO(files[folder + "background.png"])).convert("RGB")
            backgrounds.append(np.asarray(background))
            for record in meta["sprites"]:
                crop = np.asarray(Image.open(io.BytesIO(files[folder + record["file"]])).convert("RGBA"))
                full = np.zeros((canvas, canvas, 5), np.uint8)
                top, left = record["top"], record["left"]
                soft = faded(crop)
                colour = (soft[..., :3] * (soft[..., 3:] / 255)).round().astype(np.uint8)
                whole = np.dstack([colour, soft[..., 3], 255 * silhouette(crop[..., 3]).astype(np.uint8)])
                full[top : top + crop.shape[0], left : left + crop.shape[1]] = whole
                pixels.append(torch.from_numpy(full).permute(2, 0, 1).contiguous())
                rigs.append(rig)
                records.append(record)
        corners = torch.tensor([r["bbox"] for r in records]) / canvas  # (S, 4) x0, y0, x1, y1
        rig_of = torch.tensor(rigs)
        groups = [torch.nonzero(rig_of == r)[:, 0] for r in range(len(metas))]
        members = torch.nn.utils.rnn.pad_sequence(groups, batch_first=True, padding_value=-1)
        return SpriteBank(
            pixels=torch.stack(pixels),
            background=torch.from_numpy(np.stack(backgrounds)).permute(0, 3, 1, 2).contiguous(),
            rig=rig_of,
            attributes=torch.tensor([attribute_indices(r) for r in records]),
            box=torch.cat([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], 1),
            depth=torch.tensor([r["depth"] for r in records]),
            floor=torch.tensor([r["xyz"][:2] for r in records]),
            radius=torch.tensor([r["radius"] for r in records]),
            members=members,
        ).to(device)
