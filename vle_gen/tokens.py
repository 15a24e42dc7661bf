"""`VLETokens`: a picture as a short list of tokens, the one type that encoder, editors, prior and decoder share.

A value, never changed in place: an edit returns a new one. Files (.vle) are safetensors.
"""
from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vle_gen.errors import UserError

SCENE, OBJECT = 0, 1  # values of `kind`
FORMAT = "vle-1"
SAME_SCALE = 1e-5  # frames whose extents differ by less than this, as a share, have the same extents
OWNED = 0.5  # a pixel belongs to a token whose share of it is more than this


@dataclass(frozen=True)
class SourceDetail:
    """What carries the fine detail of the picture that tokens were made from: the picture, and who owns its pixels.

    `where`, `depth` and `what` are the tokens as they were when the picture was encoded, so that an edit is the
    difference between these and the tokens' own.
    """

    picture: Tensor  # (3, H, W) uint8
    owner: Tensor  # (H, W) uint8: index of the owning source token, 0 = scene
    what: Tensor  # (T, D)
    where: Tensor  # (T, 4)
    depth: Tensor  # (T,)


class Placement(NamedTuple):
    """How a token lies compared with its source: its centre moved by (dx, dy) pixels, its frame grown by `scale`."""

    dx: float
    dy: float
    scale: float = 1.0


IN_PLACE = Placement(0.0, 0.0)


@dataclass(frozen=True)
class VLETokens:
    """Variable Length Embeddings of a batch of pictures. B pictures, up to T tokens each, D numbers per token.

    Canvas units: the canvas is the smallest square around the picture, which lies centred in it; 0..1, x right, y down.

    Args:
        what: (B, T, D) appearance in the token's own frame, about unit variance.
        where: (B, T, 4) centre x, centre y, width, height of that frame in canvas units.
        depth: (B, T) distance to the camera; larger is farther.
        kind: (B, T) uint8, `SCENE` (whole frame) or `OBJECT`. Token 0 is the scene token.
        length: (B,) tokens in use; the rest is padding.
        size: height and width of the picture in pixels.
        scope: (B, T, S, S) float 0..1, the token's silhouette in its own frame, hidden parts included.
        score: (B, T) 0..1, how sure the encoder was that there is such an object.
        source: (B, T) long, which token of `detail` each token came from; -1 for tokens made otherwise.
        checkpoint: what made the tokens; only its own decoder can read them.
        detail: what carries the fine detail of a source picture (for B = 1), or None.
    """

    what: Tensor
    where: Tensor
    depth: Tensor
    kind: Tensor
    length: Tensor
    size: tuple[int, int]
    scope: Tensor
    score: Tensor
    source: Tensor
    checkpoint: str = ""
    detail: SourceDetail | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _validate(self)

    def __len__(self) -> int:
        """Tokens in use, the scene token included, of a single picture."""
        return int(self._single().length[0])

    @property
    def batch(self) -> int:
        """Pictures in the batch."""
        return self.what.shape[0]

    def __iter__(self) -> Iterator[VLETokens]:
        """The pictures of the batch, one at a time, without their padding."""
        for index in range(self.batch):
            used = int(self.length[index])
            cut = {name: getattr(self, name)[index : index + 1, :used] for name in _PER_TOKEN}
            yield replace(self, **cut, length=self.length[index : index + 1])

    def to(self, device: str | torch.device) -> VLETokens:
        """The same tokens on another device; the carried detail stays on the CPU."""
        moved = {name: getattr(self, name).to(device) for name in (*_PER_TOKEN, "length")}
        return replace(self, **moved)

    def resized(self, height: int, width: int) -> VLETokens:
        """The same tokens for a picture of another size, and of the same aspect but for rounding; no detail is carried."""
        none = torch.full_like(self.source, -1)
        return replace(self, size=(height, width), detail=None, source=none)

    def label_map(self) -> np.ndarray:
        """Who owns each pixel: int (H, W) at the picture's size, the index of the owning object token, 0 = scene.

        A token that still lies where the encoder found it owns the pixels that the encoder gave it, which is sharper
        than its silhouette; tokens that were moved or written by a prior own what their silhouette covers.
        """
        tokens = self._single()
        height, width = self.size
        labels = np.zeros((height, width), np.int64)
        for index in reversed(tokens.near_to_far()):
            covered, top, left = self._silhouette(index)
            region = labels[top : top + covered.shape[0], left : left + covered.shape[1]]
            region[covered] = index
        return labels

    def near_to_far(self) -> list[int]:
        """Indices of the object tokens of a single picture, nearest first."""
        tokens = self._single()
        objects = [i for i in range(len(self)) if tokens.kind[0, i] == OBJECT]
        return sorted(objects, key=lambda i: float(tokens.depth[0, i]))

    def shift(self, index: int) -> tuple[float, float] | None:
        """How far token `index` is from where its source has it, in pixels (x, y); None when it has no source or
        differs from it in more than place, so that the source's pixels no longer show it as it is."""
        placement = self.placement(index)
        return placement[:2] if placement is not None and placement.scale == 1 else None

    def placement(self, index: int) -> Placement | None:
        """Where token `index` lies compared with its source; None when it has no source or differs from it in more than
        place and size, so that the source's pixels no longer show it."""
        source = int(self.source[0, index])
        if self.detail is None or source < 0:
            return None
        was, now = self.detail.where[source].double(), self.where[0, index].cpu().double()
        scale_x, scale_y = (now[2:] / was[2:]).tolist()
        if abs(scale_x / scale_y - 1) > SAME_SCALE or not torch.equal(self.detail.what[source], self.what[0, index].cpu()):
            return None
        dx, dy = ((now[:2] - was[:2]) * max(self.size)).tolist()
        same = abs(scale_x - 1) < SAME_SCALE  # but for float32 rounding
        return Placement(_snapped(dx), _snapped(dy), 1.0 if same else (scale_x * scale_y) ** 0.5)

    def _silhouette(self, index: int) -> tuple[np.ndarray, int, int]:
        """Pixels of the picture that token `index` covers where nothing hides it: bool (h, w), and its top and left."""
        height, width = self.size
        side = max(height, width)
        cx, cy, w, h = (float(v) for v in self.where[0, index])
        x, y = (cx - 0.5) * side + width / 2, (cy - 0.5) * side + height / 2
        left, right = max(0, int(x - w * side / 2)), min(width, int(x + w * side / 2) + 1)
        top, bottom = max(0, int(y - h * side / 2)), min(height, int(y + h * side / 2) + 1)
        if right <= left or bottom <= top:
            return np.zeros((0, 0), bool), 0, 0
        gx = (torch.arange(left, right) + 0.5 - x) / (w * side) * 2
        gy = (torch.arange(top, bottom) + 0.5 - y) / (h * side) * 2
        grid = torch.stack([gx[None].expand(len(gy), -1), gy[:, None].expand(-1, len(gx))], -1)
        scope = self.scope[0, index].cpu().float()[None, None]
        covered = (F.grid_sample(scope, grid[None].float(), "bilinear", "zeros", False)[0, 0] > OWNED).numpy()
        placement = self.placement(index)
        if placement is not None:
            covered = self._sharpened(covered, top, left, index, placement)
        return covered, top, left

    def _sharpened(self, covered: np.ndarray, top: int, left: int, index: int, placement: Placement) -> np.ndarray:
        """The silhouette, replaced by the encoder's exact ownership wherever the source picture shows the token or
        something that lay behind it."""
        source = int(self.source[0, index])
        height, width = self.size
        rows = np.arange(top, top + covered.shape[0]) - round(placement.dy)
        columns = np.arange(left, left + covered.shape[1]) - round(placement.dx)
        if placement.scale != 1:
            cx, cy = ((self.detail.where[source, :2].double() - 0.5) * max(self.size)).tolist()
            x, y = cx + width / 2, cy + height / 2
            rows = np.floor(y + (np.arange(len(rows)) + top + 0.5 - y - placement.dy) / placement.scale).astype(int)
            columns = np.floor(x + (np.arange(len(columns)) + left + 0.5 - x - placement.dx) / placement.scale).astype(int)
        inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None]
        owner = self.detail.owner.numpy()[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)]
        nearer = self.detail.depth < self.detail.depth[source]
        hidden = nearer.numpy()[owner] & (owner > 0)
        return np.where(inside & ~hidden, owner == source, covered)

    def save(self, path: str | Path, carry: bool = True) -> None:
        """Writes a .vle file; without `carry` the source picture's detail is left out."""
        tokens = self._single()
        tensors = {name: getattr(tokens, name).cpu().contiguous() for name in (*_PER_TOKEN, "length")}
        tensors["scope"] = (tensors["scope"] * 255).round().to(torch.uint8)
        if carry and self.detail is not None:
            tensors["detail.picture"] = _packed(self.detail.picture.permute(1, 2, 0).numpy())
            tensors["detail.owner"] = _packed(self.detail.owner.numpy())
            # safetensors refuses tensors that share memory, and these may be the tokens' own
            tensors |= {f"detail.{name}": getattr(self.detail, name).clone() for name in ("what", "where", "depth")}
        header = {"format": FORMAT, "size": json.dumps(list(self.size)), "checkpoint": self.checkpoint}
        path = Path(path)
        partial = path.with_name(f".{path.name}.part")
        try:
            save_file(tensors, partial, header)
            os.replace(partial, path)
        except OSError as fault:
            partial.unlink(missing_ok=True)
            raise UserError(f"cannot write {path}: {fault.strerror or fault}") from None

    @staticmethod
    def load(path: str | Path) -> VLETokens:
        """Reads a .vle file. Raises `UserError` when it is missing, corrupt, or holds something else."""
        if not Path(path).is_file():
            raise UserError(f"{path} does not exist")
        try:
            with safe_open(path, "pt") as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT:
                    raise UserError(f"{path} is no token file: expected format {FORMAT}, found {header.get('format')}")
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            size = tuple(int(v) for v in json.loads(header["size"]))
            named = {name: tensors[name] for name in (*_PER_TOKEN, "length")}
            named["scope"] = named["scope"].float() / 255
            detail = None
            if "detail.picture" in tensors:
                detail = SourceDetail(
                    picture=torch.from_numpy(_unpacked(tensors["detail.picture"])).permute(2, 0, 1).contiguous(),
                    owner=torch.from_numpy(_unpacked(tensors["detail.owner"])),
                    **{name: tensors[f"detail.{name}"] for name in ("what", "where", "depth")},
                )
            return VLETokens(**named, size=size, checkpoint=header["checkpoint"], detail=detail)
        except UserError as fault:
            raise fault if str(path) in str(fault) else UserError(f"{path} is corrupt: {fault}") from None
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as fault:
            raise UserError(f"{path} is no readable token file: {' '.join(str(fault).split())}") from None

    def _single(self) -> VLETokens:
        if self.batch != 1:
            raise UserError(f"this holds {self.batch} pictures: iterate over it to get one at a time")
        return self


_PER_TOKEN = ("what", "where", "depth", "kind", "scope", "score", "source")


def _validate(tokens: VLETokens) -> None:
    """Raises `UserError` naming the field that does not fit."""
    if tokens.what.ndim != 3 or tokens.what.shape[1] < 1:
        raise UserError(f"what has shape {tuple(tokens.what.shape)}: expected (pictures, tokens, numbers)")
    batch, count = tokens.what.shape[:2]
    shapes = {"where": (4,), "depth": (), "kind": (), "score": (), "source": ()}
    for name, rest in shapes.items():
        shape = tuple(getattr(tokens, name).shape)
        if shape != (batch, count, *rest):
            raise UserError(f"{name} has shape {shape}: expected {(batch, count, *rest)}")
    scope = tuple(tokens.scope.shape)
    if len(scope) != 4 or scope[:2] != (batch, count):
        raise UserError(f"scope has shape {scope}: expected ({batch}, {count}, side, side)")
    if tuple(tokens.length.shape) != (batch,):
        raise UserError(f"length has shape {tuple(tokens.length.shape)}: expected {(batch,)}")
    if int(tokens.length.min()) < 1 or int(tokens.length.max()) > count:
        raise UserError(f"length is {tokens.length.tolist()}: expected 1 to {count}")
    for name in ("what", "where", "depth", "scope", "score"):
        if not getattr(tokens, name).isfinite().all():
            raise UserError(f"{name} holds a value that is not finite")
    if not (tokens.where[..., 2:] > 0).all():
        raise UserError("where holds a frame without width or height")
    if len(tokens.size) != 2 or min(tokens.size) < 1:
        raise UserError(f"size is {tokens.size}: expected height and width in pixels")
    if tokens.detail is not None:
        _validate_detail(tokens)


def _validate_detail(tokens: VLETokens) -> None:
    detail, size = tokens.detail, tuple(tokens.size)
    count = detail.where.shape[0]
    if tokens.batch != 1:
        raise UserError(f"detail is carried for one picture, and this holds {tokens.batch}")
    if tuple(detail.picture.shape) != (3, *size) or tuple(detail.owner.shape) != size:
        raise UserError(f"detail has a picture of shape {tuple(detail.picture.shape)}: expected {(3, *size)}")
    if int(detail.owner.max()) >= count or int(tokens.source.max()) >= count:
        raise UserError(f"detail names a token that it does not hold: it holds {count}")
    for item in fields(detail):
        if item.name in ("what", "where", "depth") and getattr(detail, item.name).shape[0] != count:
            raise UserError(f"detail.{item.name} holds {getattr(detail, item.name).shape[0]} tokens: expected {count}")


def _snapped(pixels: float) -> float:
    """A shift in pixels, made whole where it is whole but for float32 rounding of canvas units."""
    whole = round(pixels)
    return float(whole) if abs(pixels - whole) < 0.01 else pixels


def _packed(pixels: np.ndarray) -> Tensor:
    """Pixels as the bytes of a PNG: lossless, and much smaller."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)


def _unpacked(data: Tensor) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data.numpy().tobytes())))
