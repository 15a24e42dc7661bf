"""Where a token's fine detail comes from: the picture that it was found in, and how it lies compared with it now."""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from vle_gen.errors import UserError


@dataclass(frozen=True, eq=False)
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
    profile: bytes = b""  # ICC profile of the picture's colours; empty where it has none

    def __post_init__(self) -> None:
        count = self.where.shape[0]
        if self.picture.ndim != 3 or self.picture.shape[0] != 3 or min(self.size) < 1:
            raise UserError(f"detail has a picture of shape {tuple(self.picture.shape)}: expected (3, height, width)")
        if tuple(self.owner.shape) != self.size:
            raise UserError(f"detail.owner has shape {tuple(self.owner.shape)}: expected {self.size}")
        if int(self.owner.max()) >= count:
            raise UserError(f"detail names a token that it does not hold: it holds {count}")
        for name, shape in (("what", self.what.shape[1:]), ("where", (4,)), ("depth", ())):
            value = getattr(self, name)
            if tuple(value.shape) != (count, *shape) or value.ndim > 2:
                raise UserError(f"detail.{name} has shape {tuple(value.shape)}: expected {(count, *shape)}")
            if not value.isfinite().all():
                raise UserError(f"detail.{name} holds a value that is not finite")
        if not (self.where[:, 2:] > 0).all():
            raise UserError("detail.where holds a frame without width or height")
        if float(self.where.abs().max()) > 1e6:
            raise UserError("detail.where holds a frame that is far outside every picture")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        return tuple(self.picture.shape[1:])

    def seen_at(self, part: tuple[slice, slice, slice] = (slice(None),) * 3) -> Tensor:
        """A part of the picture, 0..1: (3, h, w)."""
        return self.picture[part] / 255


class Placement(NamedTuple):
    """How a token lies compared with its source: its centre moved by (dx, dy) pixels, its frame grown by `scale`, and
    whether it is mirrored left to right about its centre."""

    dx: float
    dy: float
    scale: float = 1.0
    mirrored: bool = False


IN_PLACE = Placement(0.0, 0.0)


def centre_of(where: Tensor, size: tuple[int, int]) -> tuple[float, float]:
    """The centre of a frame `where` (4,) in pixels (x, y) of a picture of height and width `size`."""
    (height, width), side = size, max(size)
    x, y = ((where[:2].double() - 0.5) * side).tolist()
    return x + width / 2, y + height / 2


def mirror_edge(where: Tensor, size: tuple[int, int]) -> int:
    """Pixel column c of a token of frame `where`, mirrored, is column `mirror_edge - 1 - c`: about its centre, to the
    nearest half pixel, so that a mirrored token is made of the very same pixels."""
    return round(2 * centre_of(where, size)[0])
