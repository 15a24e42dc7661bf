"""A pack of cut-outs as tensors: every object in textures of three sizes, drawn at any place with its shadow."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from vle_gen.data.floor import Floor
from vle_gen.data.pack import Pack, PackObject
from vle_gen.data.shadows import FRAME, SIDE, shadow_maps

LEVELS = (192, 96, 48)  # pixels of the textures
MARGIN = 1 / 32  # of a texture, empty on every side


@dataclass(frozen=True)
class CutoutBank:
    """Every object of a pack on one device. S objects, G backgrounds."""

    pack: Pack
    levels: tuple[Tensor, ...]  # (S, 4, T, T) uint8: colour times alpha, and alpha, the longer side filling the texture
    box: Tensor  # (S, 4) centre x, centre y, width, height in the texture, 0..1
    background: Tensor  # (G, 3, C, C) uint8

    def __len__(self) -> int:
        return len(self.box)

    @property
    def floors(self) -> list[Floor | None]:
        return [one.floor for one in self.pack.backgrounds]

    @staticmethod
    def of(pack: Pack, device: str | torch.device = "cpu") -> CutoutBank:
        """The bank of a pack. Backgrounds are brought to one size, the largest."""
        squares = [_squared(one) for one in pack.objects]
        levels = tuple(
            torch.from_numpy(np.stack([_texture(square, side) for square in squares])).permute(0, 3, 1, 2).contiguous()
            for side in LEVELS
        )
        sides = torch.tensor([one.pixels.shape[1::-1] for one in pack.objects], dtype=torch.float32)  # (S, 2) w, h
        extent = sides / sides.amax(1, keepdim=True) * (1 - 2 * MARGIN)
        side = max((one.pixels.shape[0] for one in pack.backgrounds), default=1)
        grounds = [np.asarray(Image.fromarray(one.pixels).resize((side, side))) for one in pack.backgrounds]
        background = np.stack(grounds) if grounds else np.zeros((0, side, side, 3), np.uint8)
        return CutoutBank(
            pack=pack,
            levels=tuple(level.to(device) for level in levels),
            box=torch.cat([torch.full_like(extent, 0.5), extent], 1).to(device),
            background=torch.from_numpy(background).permute(0, 3, 1, 2).contiguous().to(device),
        )

    def draw(self, index: Tensor, grid: Tensor, pixels: Tensor, light: Tensor) -> Tensor:
        """Layers (K, 5, H, W), premultiplied RGBA and silhouette, of objects `index` (K,).

        Args:
            grid: (K, H, W, 2) where to look in the texture, -1..1.
            pixels: (K,) how many pixels of the result the texture's side covers: says which texture is fine enough.
            light: (K, 5), see `shadows.LIGHT`.
        """
        body = grid.new_zeros(len(index), 4, *grid.shape[1:3])
        level = torch.zeros_like(index)
        for k, side in enumerate(LEVELS[1:], 1):
            level = torch.where(pixels * 0.8 <= side, k, level)
        for k, textures in enumerate(self.levels):
            mine = torch.nonzero(level == k)[:, 0]
            if len(mine):
                body[mine] = F.grid_sample(textures[index[mine]].float() / 255, grid[mine], "bilinear", "zeros", False)
        alpha = body[:, 3:]
        shade = F.grid_sample(self.shadows(index, light), self._in_frame(index, grid), "bilinear", "zeros", False)
        return torch.cat([body[:, :3], alpha + (1 - alpha) * shade, alpha], 1)

    def shadows(self, index: Tensor, light: Tensor) -> Tensor:
        """Shadow maps (K, 1, S, S) in the objects' frames."""
        centres = (torch.arange(SIDE, device=index.device) + 0.5) / SIDE * 2 - 1  # -1..1 over the frame
        box = self.box[index]
        x = (box[:, 0:1] * 2 - 1) + centres * box[:, 2:3] * FRAME  # (K, S) in the texture
        y = (box[:, 1:2] * 2 - 1) + centres * box[:, 3:4] * FRAME
        grid = torch.stack([x[:, None].expand(-1, SIDE, -1), y[:, :, None].expand(-1, -1, SIDE)], -1)
        alpha = self.levels[-1][index, 3:].float() / 255
        silhouette = F.grid_sample(alpha, grid, "bilinear", "zeros", False)
        return shadow_maps(silhouette, box[:, 2] / box[:, 3], light)

    def _in_frame(self, index: Tensor, grid: Tensor) -> Tensor:
        box = self.box[index][:, None, None]
        return (grid - (box[..., :2] * 2 - 1)) / (box[..., 2:] * FRAME)


def _squared(one: PackObject) -> Image.Image:
    """The cut-out, premultiplied, in the middle of a square with a margin."""
    height, width = one.pixels.shape[:2]
    side = round(max(height, width) / (1 - 2 * MARGIN))
    square = Image.new("RGBA", (side, side))
    square.paste(Image.fromarray(one.pixels), ((side - width) // 2, (side - height) // 2))
    return square.convert("RGBa")


def _texture(square: Image.Image, side: int) -> np.ndarray:
    """The square at another size, averaged where it gets smaller: (side, side, 4) uint8."""
    return np.asarray(square.resize((side, side), Image.Resampling.BILINEAR))
