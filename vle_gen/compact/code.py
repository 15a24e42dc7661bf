"""`TokenCode`: the statistics of a checkpoint's tokens, and the code that they make possible: tokens <-> few bytes.

`what` is transform-coded (Goyal 2001, "Theoretical foundations of transform coding"): turned so that a step in any
direction changes the decoded layer equally much and the coefficients are uncorrelated, most of which then say nothing and
cost nothing; rounded to one step; entropy-coded. Size, place and depth are predicted from that and from one another.
"""
from __future__ import annotations

import hashlib
import zlib
from numbers import Real
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vle_gen.compact.ans import Corrupt, Reader, Writer
from vle_gen.compact.density import BINS, UNIT, Density
from vle_gen.errors import UserError
from vle_gen.io.image_files import MAX_PIXELS

DEFAULT_QUALITY = 80
COARSEST = 0.04  # the step at quality 0: of the rms change of a decoded layer's pixels, 1 = white
HALVES_EVERY = 20  # this much more quality halves the step
SCENE_SHARE = 0.5  # the scene token's step is finer by this: it colours every pixel
GEOMETRY = ("log2 width", "log2 height / width", "y", "depth", "x", "score")  # in the order in which they are coded
DEPTH_STEP, SCORE_STEP = UNIT // 16, UNIT // 16
LEAST_GAP = 1 / 1024  # between the depths of two tokens, so that what hides what survives rounding
CHECKSUM = 2  # bytes
MOST_TOKENS = 1 << 16  # of a picture; no writer makes more


class CodedTokens(NamedTuple):
    """What the bytes of one picture say; the first token is the scene's."""

    what: Tensor  # (T, D)
    where: Tensor  # (T - 1, 4) of the object tokens
    depth: Tensor  # (T - 1,)
    score: Tensor  # (T - 1,)
    size: tuple[int, int]


class Transform(NamedTuple):
    """`what` - `mean` times `forward` gives coefficients; coefficients times `back` + `mean` give `what`. Float64."""

    mean: np.ndarray  # (D,)
    forward: np.ndarray  # (D, K)
    back: np.ndarray  # (K, D)


class TokenCode(nn.Module):
    """Statistics as buffers, so that they are saved and loaded with the tokenizer; all zero until `store`.

    They are int32, and those that are real numbers are the bits of float32: a model that is cast to another precision
    keeps them as they are.
    """

    def __init__(self, what: int):
        super().__init__()
        self.coefficients = kept = max(1, what // 2)
        sizes = dict(
            object_mean=(what,), object_forward=(what, kept), object_back=(kept, what),
            scene_mean=(what,), scene_forward=(what, kept), scene_back=(kept, what),
            geometry=(1 + kept + len(GEOMETRY), len(GEOMETRY)),
            spacing=(2 * kept + len(GEOMETRY),), cumulative=(2 * kept + len(GEOMETRY), BINS + 1),
        )  # fmt: skip
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size, dtype=torch.int32))

    def store(self, scene: Transform, objects: Transform, geometry: np.ndarray, densities: list[Density]) -> None:
        """Takes statistics over; `densities` are of the scene's coefficients, the objects', and GEOMETRY."""
        for name, transform in (("scene", scene), ("object", objects)):
            for part, value in transform._asdict().items():
                getattr(self, f"{name}_{part}").copy_(_bits(value))
        self.geometry.copy_(_bits(geometry))
        self.spacing.copy_(torch.tensor([d.spacing for d in densities]))
        self.cumulative.copy_(torch.tensor([list(d.cumulative) for d in densities]))

    def digest(self, checkpoint: str) -> int:
        """32 bits that name these statistics and the decoder of `checkpoint`: only they can read what they wrote."""
        digest = hashlib.sha256(checkpoint.encode())
        for name, buffer in sorted(self.named_buffers()):
            digest.update(name.encode() + buffer.cpu().numpy().astype("<i4").tobytes())
        return int.from_bytes(digest.digest()[:4], "little")

    def encode(self, tokens: CodedTokens, quality: float, checkpoint: str) -> bytes:
        """The bytes of one picture's tokens, whose detail is as fine as `quality` (0..100) says."""
        data = self._written(tokens, quality, checkpoint)[0].data()
        return _checksum(data) + data

    def bits(self, tokens: CodedTokens, quality: float, checkpoint: str) -> list[float]:
        """What each token costs in `encode`'s bytes; the picture's size and the names count to the scene token."""
        return self._written(tokens, quality, checkpoint)[1]

    def _written(self, tokens: CodedTokens, quality: float, checkpoint: str) -> tuple[Writer, list[float]]:
        """All that `encode` writes, and the bits of each token."""
        step = round(step_of(quality) * UNIT)
        tables, writer = self._tables(), Writer()
        digest = self.digest(checkpoint)
        writer.uniform(digest & 0xFFFF, 1 << 16)
        writer.uniform(digest >> 16, 1 << 16)
        writer.uniform(step, 1 << 12)
        for number in (*tokens.size, len(tokens.what)):
            writer.integer(number - 1)
        what = tokens.what.double().cpu().numpy()
        write_coefficients(writer, what[0], tables.scene, tables.scene_densities, scene_step(step))
        order = tokens.depth.argsort(stable=True).tolist()  # nearest first
        write_order(writer, order)
        until = [writer.bits]
        for index in range(len(what) - 1):
            seen = write_coefficients(writer, what[index + 1], tables.objects, tables.object_densities, step)
            cx, cy, w, h = (float(v) for v in tokens.where[index])
            depth, score = float(tokens.depth[index]), float(tokens.score[index])
            values = [np.log2(w), np.log2(h / w), cy, depth, cx, score]
            for k, (value, one) in enumerate(zip(values, geometry_steps(step), strict=True)):
                expected = seen @ tables.geometry[: len(seen), k]
                count = round((value - expected) * UNIT / one)
                tables.geometry_densities[k].write(writer, count, one)
                seen = np.append(seen, expected + count * one / UNIT)
            until.append(writer.bits)
        return writer, [after - before for before, after in zip([0.0, *until], until, strict=False)]

    def decode(self, data: bytes, checkpoint: str) -> CodedTokens:
        """What `encode` wrote. Raises `UserError` for other bytes, and for those of other statistics."""
        if len(data) <= CHECKSUM or _checksum(data[CHECKSUM:]) != data[:CHECKSUM]:
            raise UserError("its bytes are damaged")
        try:
            return self._decode(Reader(data[CHECKSUM:]), checkpoint)
        except (Corrupt, OverflowError) as fault:
            raise UserError(f"its bytes make no tokens: {fault}") from None

    def _decode(self, reader: Reader, checkpoint: str) -> CodedTokens:
        digest = reader.uniform(1 << 16) | reader.uniform(1 << 16) << 16
        if digest != self.digest(checkpoint):
            raise UserError(f"it was not written by checkpoint {checkpoint}: read it with the one that wrote it")
        step = reader.uniform(1 << 12)
        height, width, count = (reader.integer() + 1 for _ in range(3))
        if step < 1:
            raise Corrupt("its step is 0")
        if height * width > MAX_PIXELS or count > MOST_TOKENS:
            raise Corrupt(f"it claims {count} tokens of a picture of {width} x {height}")
        tables = self._tables()
        what = [read_coefficients(reader, tables.scene, tables.scene_densities, scene_step(step))[0]]
        order, rows = read_order(reader, count - 1), []
        for _ in range(count - 1):
            one_what, seen = read_coefficients(reader, tables.objects, tables.object_densities, step)
            what.append(one_what)
            for k, one in enumerate(geometry_steps(step)):
                expected = seen @ tables.geometry[: len(seen), k]
                seen = np.append(seen, expected + tables.geometry_densities[k].read(reader, one) * one / UNIT)
            rows.append(seen[-len(GEOMETRY) :])
        reader.finish()
        width_2, aspect_2, y, depth, x, score = np.array(rows).reshape(-1, len(GEOMETRY)).T
        where = np.stack([x, y, 2**width_2, 2 ** (width_2 + aspect_2)], 1)
        for nearer, farther in zip(order, order[1:], strict=False):
            depth[farther] = max(depth[farther], depth[nearer] + LEAST_GAP)
        parts = (torch.from_numpy(part).float() for part in (np.array(what), where, depth.copy(), score.clip(0, 1)))
        return CodedTokens(*parts, (height, width))

    def _tables(self) -> _Tables:
        transforms = {
            name: Transform(*(_floats(getattr(self, f"{name}_{part}")) for part in Transform._fields))
            for name in ("scene", "object")
        }
        rows = zip(self.spacing.tolist(), self.cumulative.tolist(), strict=True)
        densities, kept = [Density(spacing, row) for spacing, row in rows], self.coefficients
        split = densities[:kept], densities[kept : 2 * kept], densities[2 * kept :]
        return _Tables(transforms["scene"], transforms["object"], _floats(self.geometry), *split)


class _Tables(NamedTuple):
    """The statistics, ready for use."""

    scene: Transform
    objects: Transform
    geometry: np.ndarray  # (1 + K + 6, 6): what is expected of each of GEOMETRY, from 1, coefficients, and those before
    scene_densities: list[Density]
    object_densities: list[Density]
    geometry_densities: list[Density]


def step_of(quality: float) -> float:
    """The step to which coefficients are rounded at `quality`. Raises `UserError` unless that is 0..100."""
    if not (isinstance(quality, Real) and 0 <= quality <= 100):
        raise UserError(f"quality is {quality}: expected 0 to 100")
    return COARSEST * 2 ** (-quality / HALVES_EVERY)


def scene_step(step: int) -> int:
    """The scene token's step."""
    return max(1, round(step * SCENE_SHARE))


def geometry_steps(step: int) -> tuple[int, ...]:
    """Steps of GEOMETRY, where coefficients have `step`. Places: 1/8192 to 1/1024 of the canvas; sizes move the outline
    about as much."""
    place = max(UNIT // 8192, min(UNIT // 1024, step // 16))
    return 32 * place, 32 * place, place, DEPTH_STEP, place, SCORE_STEP


def write_coefficients(writer: Writer, what: np.ndarray, by: Transform, densities: list[Density], step: int) -> np.ndarray:
    """Codes one token's what (D,); 1 and the coefficients as they will be read, (1 + K,)."""
    counts = np.round((what - by.mean) @ by.forward * UNIT / step).astype(np.int64)
    for density, count in zip(densities, counts.tolist(), strict=True):
        density.write(writer, count, step)
    return np.append(1.0, counts * step / UNIT)


def read_coefficients(
    reader: Reader, by: Transform, densities: list[Density], step: int
) -> tuple[np.ndarray, np.ndarray]:
    """As `write_coefficients`: what (D,), and 1 and the coefficients (1 + K,)."""
    values = np.array([density.read(reader, step) for density in densities]) * step / UNIT
    return values @ by.back + by.mean, np.append(1.0, values)


def write_order(writer: Writer, order: list[int]) -> None:
    """Codes a permutation; the identity, tokens from near to far, in one choice of two."""
    identity = order == sorted(order)
    writer.uniform(int(identity), 2)
    left = sorted(order)
    for index in [] if identity else order:
        writer.uniform(left.index(index), len(left))
        left.remove(index)


def read_order(reader: Reader, count: int) -> list[int]:
    """As `write_order`."""
    left = list(range(count))
    if reader.uniform(2):
        return left
    return [left.pop(reader.uniform(len(left))) for _ in range(count)]


def _checksum(data: bytes) -> bytes:
    return (zlib.crc32(data) & 0xFFFF).to_bytes(CHECKSUM, "little")


def _bits(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32)).view(torch.int32)


def _floats(buffer: Tensor) -> np.ndarray:
    return buffer.cpu().view(torch.float32).numpy().astype(np.float64)
