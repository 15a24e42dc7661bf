"""`VLETokens`: a picture as a short list of tokens, the one type that encoder, editors, prior and decoder share.

A value, never changed in place: an edit returns a new one. Files (.vle) are safetensors.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.errors import UserError
from vle_gen.io import token_file
from vle_gen.source import IN_PLACE, Placement, SourceDetail, centre_of, mirror_edge

__all__ = ["IN_PLACE", "OBJECT", "OWNED", "PER_TOKEN", "SCENE", "SURE", "Placement", "SourceDetail", "VLETokens"]

SCENE, OBJECT = 0, 1  # values of `kind`
SAME_SCALE = 1e-5  # frames whose extents differ by less than this, as a share, have the same extents
FARTHEST = 1e6  # canvas units: beyond it pixels can no longer be counted
SURE = 0.5  # a token whose score is lower is unsure: there may be no object, or none of a kind that the model knows
OWNED = 0.5  # a pixel belongs to a token whose share of it is more than this


class _Several(UserError, TypeError):
    """A `TypeError` too: `list` asks for a length before it iterates, and goes on without one only where that is raised."""


@dataclass(frozen=True, eq=False)
class VLETokens:
    """Variable Length Embeddings of a batch of pictures. B pictures, up to T tokens each, D numbers per token.

    Canvas units: the canvas is the smallest square around the picture, which lies centred in it; 0..1, x right, y down.
    Tensors are float32 unless another type is named, and are converted where they are not.

    Args:
        what: (B, T, D) appearance in the token's own frame, about unit variance.
        where: (B, T, 4) centre x, centre y, width, height of that frame in canvas units.
        depth: (B, T) distance to the camera; larger is farther.
        kind: (B, T) uint8, `SCENE` (whole frame) or `OBJECT`. Token 0 is the scene token.
        length: (B,) long, tokens in use; the rest is padding.
        size: height and width of the picture in pixels.
        scope: (B, T, S, S) 0..1, the token's silhouette in its own frame, hidden parts included.
        score: (B, T) 0..1, how sure the encoder was that there is such an object.
        source: (B, T) long, which token of its source picture each token came from; -1 for tokens made otherwise.
        checkpoint: what made the tokens; only its own decoder can read them.
        detail: what carries the fine detail of a source picture (for B = 1), or None.
        foreign: what carries that of tokens that were pasted from other pictures.
        history: the edits that made the tokens, in the language of `editors.language`; the numbers in a line mean the
            tokens as they were before it.
        origin: (B, T) long, which picture `source` counts in: 0 is `detail`, k is `foreign[k - 1]`.
        mirrored: (B, T) bool, the object is shown mirrored left to right, under the light of the scene.
        turn: (B, T) degrees by which the hue of the object is turned, after it is painted.
        paint: (B, T, 4) colour in 0..1 that the object is painted in, its shading kept, and how much of it: 0 is none.
        opacity: (B, T) 0..1, how much of the object and its shadow there is.

    The last five may be left out: the object then looks as `what` and its source picture show it.
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
    foreign: tuple[SourceDetail, ...] = field(default=(), repr=False)
    history: tuple[str, ...] = ()
    origin: Tensor = None
    mirrored: Tensor = None
    turn: Tensor = None
    paint: Tensor = None
    opacity: Tensor = None

    def __post_init__(self) -> None:
        _require_tensors(self)
        for name in (*PER_TOKEN, "length"):
            value = getattr(self, name)
            value = token_file.usual(name, self.depth) if value is None else value.to(token_file.type_of(name))
            object.__setattr__(self, name, value)
        _validate(self)
        object.__setattr__(self, "size", tuple(map(int, self.size)))  # whatever library's numbers they were

    def __len__(self) -> int:
        """Tokens in use, the scene token included, of a single picture."""
        return int(self._single().length[0])

    def __repr__(self) -> str:
        height, width = self.size
        used = ", ".join(map(str, self.length.tolist()))
        more = f"checkpoint={self.checkpoint!r}, edits={len(self.history)}"
        return f"VLETokens({used} tokens of {width} x {height} pixels, {more})"

    @property
    def batch(self) -> int:
        """Pictures in the batch."""
        return self.what.shape[0]

    def __iter__(self) -> Iterator[VLETokens]:
        """The pictures of the batch, one at a time, without their padding."""
        for index in range(self.batch):
            used = int(self.length[index])
            cut = {name: getattr(self, name)[index : index + 1, :used] for name in PER_TOKEN}
            yield replace(self, **cut, length=self.length[index : index + 1])

    def to(self, device: str | torch.device) -> VLETokens:
        """The same tokens on another device; the carried detail stays on the CPU."""
        moved = {name: getattr(self, name).to(device) for name in (*PER_TOKEN, "length")}
        return replace(self, **moved)

    def resized(self, height: int, width: int) -> VLETokens:
        """The same tokens for a picture of another size, and of the same aspect but for rounding; no detail is carried."""
        none = torch.full_like(self.source, -1)
        return replace(
            self, size=(height, width), detail=None, foreign=(), source=none, origin=torch.zeros_like(none)
        )

    def label_map(self, rows: np.ndarray | None = None, columns: np.ndarray | None = None) -> np.ndarray:
        """Who owns each pixel: int (H, W) at the picture's size, the index of the owning object token, 0 = scene; or only
        those of some rows (h,) and columns (w,), which rise: int (h, w).

        A token that still lies where the encoder found it owns the pixels that the encoder gave it, which is sharper
        than its silhouette; tokens that were moved or written by a prior own what their silhouette covers.
        """
        tokens = self._single()
        height, width = self.size
        rows = np.arange(height) if rows is None else rows
        columns = np.arange(width) if columns is None else columns
        labels = np.zeros((len(rows), len(columns)), np.int64)
        for index in reversed(tokens.near_to_far()):
            covered, top, left = self._silhouette(index, rows, columns)
            region = labels[top : top + covered.shape[0], left : left + covered.shape[1]]
            region[covered] = index
        return labels

    def near_to_far(self) -> list[int]:
        """Indices of the object tokens of a single picture, nearest first."""
        tokens = self._single()
        objects = [i for i in range(len(self)) if tokens.kind[0, i] == OBJECT]
        return sorted(objects, key=lambda i: float(tokens.depth[0, i]))

    def detail_of(self, index: int) -> SourceDetail | None:
        """What carries the detail of token `index`; None when it has no source picture."""
        if int(self.source[0, index]) < 0:
            return None
        origin = int(self.origin[0, index])
        return self.foreign[origin - 1] if origin else self.detail

    def retouched(self, index: int) -> bool:
        """Whether token `index` is shown mirrored, in other colours or half transparent."""
        turned, seen_through = float(self.turn[0, index]) != 0, float(self.opacity[0, index]) != 1
        return bool(self.mirrored[0, index]) or turned or seen_through or float(self.paint[0, index, 3]) > 0

    def placement(self, index: int) -> Placement | None:
        """Where token `index` lies compared with its source; None when it has no source or differs from it in more than
        place, size and handedness, so that the source's pixels no longer show it."""
        source, detail = int(self.source[0, index]), self.detail_of(index)
        if detail is None:
            return None
        was, now = detail.where[source], self.where[0, index].cpu()
        scale_x, scale_y = (now[2:].double() / was[2:].double() * (max(self.size) / max(detail.size))).tolist()
        if abs(scale_x / scale_y - 1) > SAME_SCALE or not torch.equal(detail.what[source], self.what[0, index].cpu()):
            return None
        (was_x, was_y), (x, y) = centre_of(was, detail.size), centre_of(now, self.size)
        scale = 1.0 if abs(scale_x - 1) < SAME_SCALE else (scale_x * scale_y) ** 0.5  # 1 but for float32 rounding
        return Placement(_snapped(x - was_x), _snapped(y - was_y), scale, bool(self.mirrored[0, index]))

    def _silhouette(self, index: int, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, int, int]:
        """Pixels in rows (R,) and columns (C,) of the picture that token `index` covers where nothing hides it: bool (h, w),
        and with which row and column these begin."""
        height, width = self.size
        side = max(height, width)
        cx, cy, w, h = (float(v) for v in self.where[0, index])
        x, y = (cx - 0.5) * side + width / 2, (cy - 0.5) * side + height / 2
        left, right = max(0, int(x - w * side / 2)), min(width, int(x + w * side / 2) + 1)
        top, bottom = max(0, int(y - h * side / 2)), min(height, int(y + h * side / 2) + 1)
        (top, bottom), (left, right) = rows.searchsorted((top, bottom)), columns.searchsorted((left, right))
        rows, columns = rows[top:bottom], columns[left:right]
        if not len(rows) or not len(columns):
            return np.zeros((0, 0), bool), 0, 0
        gx = (torch.from_numpy(columns) + 0.5 - x) / (w * side) * (-2 if self.mirrored[0, index] else 2)
        gy = (torch.from_numpy(rows) + 0.5 - y) / (h * side) * 2
        grid = torch.stack([gx[None].expand(len(gy), -1), gy[:, None].expand(-1, len(gx))], -1)
        scope = self.scope[0, index].cpu().float()[None, None]
        covered = (F.grid_sample(scope, grid[None].float(), "bilinear", "zeros", False)[0, 0] > OWNED).numpy()
        placement = self.placement(index)
        if placement is not None:
            covered = self._sharpened(covered, rows, columns, index, placement)
        return covered, top, left

    def _sharpened(
        self, covered: np.ndarray, rows: np.ndarray, columns: np.ndarray, index: int, placement: Placement
    ) -> np.ndarray:
        """The silhouette (h, w) in these rows and columns, replaced by the encoder's exact ownership wherever the source
        picture shows the token or something that lay behind it."""
        source, detail = int(self.source[0, index]), self.detail_of(index)
        height, width = detail.size
        if placement.scale == 1:
            rows, columns = rows - round(placement.dy), columns - round(placement.dx)
        else:
            x, y = centre_of(detail.where[source], detail.size)
            rows = np.floor(y + (rows + 0.5 - y - placement.dy) / placement.scale).astype(int)
            columns = np.floor(x + (columns + 0.5 - x - placement.dx) / placement.scale).astype(int)
        if placement.mirrored:
            columns = mirror_edge(detail.where[source], detail.size) - 1 - columns
        inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None]
        owner = detail.owner.numpy()[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)]
        nearer = detail.depth < detail.depth[source]
        hidden = nearer.numpy()[owner] & (owner > 0)
        return np.where(inside & ~hidden, owner == source, covered)

    def save(self, path: str | Path, carry: bool = True) -> None:
        """Writes a .vle file; without `carry` the source picture's detail is left out. Raises `UserError` where it cannot be
        written, or for the tokens of several pictures."""
        token_file.write(self._single(), path, carry)

    @staticmethod
    def load(path: str | Path) -> VLETokens:
        """Reads a .vle file. Raises `UserError` when it is missing, corrupt, or holds something else."""
        return token_file.read(path)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from vle_gen.display.notebook import as_html

        return as_html(self)

    def _single(self) -> VLETokens:
        if self.batch != 1:
            raise _Several(f"this holds {self.batch} pictures: iterate over it to get one at a time")
        return self


PER_TOKEN = (*(name for name in token_file.ALWAYS if name != "length"), *token_file.WHERE_USED)
"""The fields that have a row for each token."""


WHOLE = ("kind", "length", "source", "origin")  # fields that count


def _require_tensors(tokens: VLETokens) -> None:
    """Raises `UserError` naming the field that is no tensor where one is expected, or holds no such numbers."""
    for name in (*PER_TOKEN, "length"):
        value = getattr(tokens, name)
        if value is None and name in token_file.WHERE_USED:
            continue
        if not isinstance(value, Tensor):
            raise UserError(f"{name} is of {type(value).__name__}: expected a torch.Tensor")
        if value.is_complex() or (name in WHOLE and value.is_floating_point()):
            raise UserError(f"{name} holds {value.dtype}: expected {'whole' if name in WHOLE else 'real'} numbers")


def _validate(tokens: VLETokens) -> None:
    """Raises `UserError` naming the field that does not fit."""
    if tokens.what.ndim != 3 or min(tokens.what.shape[:2]) < 1:
        raise UserError(f"what has shape {tuple(tokens.what.shape)}: expected (pictures, tokens, numbers)")
    batch, count = tokens.what.shape[:2]
    shapes = {name: () for name in ("depth", "kind", "score", "source", "origin", "mirrored", "turn", "opacity")}
    shapes |= {"where": (4,), "paint": (4,)}
    for name, rest in shapes.items():
        shape = tuple(getattr(tokens, name).shape)
        if shape != (batch, count, *rest):
            raise UserError(f"{name} has shape {shape}: expected {(batch, count, *rest)}")
    scope = tuple(tokens.scope.shape)
    if len(scope) != 4 or scope[:2] != (batch, count) or scope[2] != scope[3] or scope[2] < 1:
        raise UserError(f"scope has shape {scope}: expected ({batch}, {count}, side, side)")
    if tuple(tokens.length.shape) != (batch,):
        raise UserError(f"length has shape {tuple(tokens.length.shape)}: expected {(batch,)}")
    if int(tokens.length.min()) < 1 or int(tokens.length.max()) > count:
        raise UserError(f"length is {tokens.length.tolist()}: expected 1 to {count}")
    for name in ("what", "where", "depth", "scope", "score", "turn", "paint", "opacity"):
        if not getattr(tokens, name).isfinite().all():
            raise UserError(f"{name} holds a value that is not finite: expected finite numbers")
    if not (tokens.where[..., 2:] > 0).all():
        raise UserError("where holds a frame without width or height: expected both above 0")
    if float(tokens.where.abs().max()) > FARTHEST:
        raise UserError(f"where holds a frame that is more than {FARTHEST:,.0f} pictures away or wide: expected less")
    sides = tuple(tokens.size) if isinstance(tokens.size, Sequence) else ()
    if len(sides) != 2 or not all(isinstance(side, Integral) and side >= 1 for side in sides):
        raise UserError(f"size is {tokens.size}: expected height and width in pixels")
    if not ((tokens.kind == OBJECT) | (tokens.kind == SCENE)).all():
        raise UserError(f"kind is {tokens.kind.tolist()}: expected {SCENE} for a scene token and {OBJECT} for an object's")
    for name in ("paint", "opacity", "score", "scope"):
        if float(getattr(tokens, name).min()) < 0 or float(getattr(tokens, name).max()) > 1:
            raise UserError(f"{name} holds a value outside 0 to 1")
    if tokens.detail is not None or tokens.foreign:
        _validate_details(tokens)


def _validate_details(tokens: VLETokens) -> None:
    if tokens.batch != 1:
        raise UserError(f"detail is carried for one picture, and this holds {tokens.batch}")
    if tokens.detail is not None and tokens.detail.size != tuple(tokens.size):
        raise UserError(f"detail has a picture of shape {tuple(tokens.detail.picture.shape)}: expected {(3, *tokens.size)}")
    details = (tokens.detail, *tokens.foreign)
    for detail in details:
        if detail is not None and detail.what.shape[1:] != tokens.what.shape[2:]:
            raise UserError(f"detail.what has shape {tuple(detail.what.shape)}: expected (tokens, {tokens.what.shape[2]})")
    for source, origin in zip(tokens.source[0].tolist(), tokens.origin[0].tolist(), strict=True):
        if source < 0:
            continue
        if not 0 <= origin < len(details):
            raise UserError(f"a token comes from picture {origin} of {len(details)}")
        if details[origin] is not None and source >= len(details[origin].where):
            raise UserError(f"detail names a token that it does not hold: it holds {len(details[origin].where)}")


def _snapped(pixels: float) -> float:
    """A shift in pixels, made whole where it is whole but for float32 rounding of canvas units."""
    whole = round(pixels)
    return float(whole) if abs(pixels - whole) < 0.01 else pixels
