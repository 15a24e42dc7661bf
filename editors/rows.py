"""What editors share: which tokens are meant, where they stand, and tokens added, left out and written down."""
from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import SupportsIndex

import torch

from vle_gen.errors import UserError
from vle_gen.tokens import PER_TOKEN, SCENE, VLETokens

Which = SupportsIndex | Iterable[SupportsIndex]  # arrays and tensors of numbers too


@dataclass(frozen=True)
class Box:
    """An object's box in pixels of the picture: centre and extent. Its frame is twice as large."""

    x: float
    y: float
    width: float
    height: float

    @property
    def floor(self) -> float:
        """The y of its bottom edge, where it stands on the floor."""
        return self.y + self.height / 2

    def within(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Centre and extent in shares of a picture of that many pixels."""
        return self.x / width, self.y / height, self.width / width, self.height / height


def indices_of(which: Which) -> list[int]:
    """Indices without repeats, of one number or several, whatever library's. Raises `UserError` for anything else: truth values
    too, which Python and torch take for 0 and 1."""
    try:
        several = list(which) if isinstance(which, Iterable) and getattr(which, "ndim", 1) else [which]
        if any(isinstance(number, bool) or getattr(number, "dtype", None) == torch.bool for number in several):
            raise TypeError
        return list(dict.fromkeys(map(operator.index, several)))
    except TypeError:
        raise UserError(f"{which!r} names no token: expected its number, or several numbers") from None


def require_tokens(tokens: VLETokens) -> None:
    """Raises `UserError` for anything else."""
    if not isinstance(tokens, VLETokens):
        raise UserError(f"{type(tokens).__name__} is no tokens: expected VLETokens, as 'encode' of a pipeline gives")


def objects(tokens: VLETokens, which: Which, verb: str = "edited") -> list[int]:
    """`which` as a list of object tokens without repeats. Raises `UserError`, with `verb` for what was wanted of them."""
    require_tokens(tokens)
    indices = indices_of(which)
    count = len(tokens)
    if not indices:
        raise UserError(f"no token was named: say which is to be {verb}")
    for index in indices:
        if not 0 <= index < count:
            raise UserError(f"token {index} does not exist: there are tokens 0 to {count - 1}")
        if int(tokens.kind[0, index]) == SCENE:
            raise UserError(f"token {index} is the scene itself, which everything stands on: only objects can be {verb}")
    return indices


def one_object(tokens: VLETokens, which: Which, verb: str) -> int:
    """`which` as the one object token that it names. Raises `UserError` where it names several."""
    first, *more = objects(tokens, which, verb)
    if more:
        raise UserError(f"tokens {named([first, *more])} cannot be {verb} at once: expected one")
    return first


def finite(*values: float, what: str = "a step") -> None:
    """Raises `UserError` unless all are finite numbers."""
    if not all(isinstance(value, Real) and math.isfinite(value) for value in values):
        said = ", ".join(f"{value:g}" if isinstance(value, Real) else repr(value) for value in values)
        raise UserError(f"{what} of {said} pixels is no place to move to: expected finite numbers")


def place_of(to: tuple[float, float]) -> tuple[float, float]:
    """A place as a pair. Raises `UserError` for what is not two numbers."""
    to = to.tolist() if hasattr(to, "tolist") else to
    if not (isinstance(to, Sequence) and len(to) == 2 and all(isinstance(value, Real) for value in to)):
        raise UserError(f"{to!r} is no place: expected x and y in pixels")
    return tuple(to)


def box(tokens: VLETokens, index: int) -> Box:
    """The box of an object token."""
    (height, width), side = tokens.size, max(tokens.size)
    x, y, w, h = tokens.where[0, index].double().tolist()
    return Box((x - 0.5) * side + width / 2, (y - 0.5) * side + height / 2, w * side / 2, h * side / 2)


def shifted(tokens: VLETokens, steps: dict[int, tuple[float, float]]) -> VLETokens:
    """Tokens moved by (dx, dy) pixels each."""
    where, side = tokens.where.clone(), max(tokens.size)
    for index, (dx, dy) in steps.items():
        where[0, index, 0] += dx / side
        where[0, index, 1] += dy / side
    return replace(tokens, where=where)


def rows(tokens: VLETokens, indices: Sequence[int]) -> VLETokens:
    """Only the tokens `indices` of a single picture, in that order; pictures that none of them comes from are dropped."""
    at = torch.tensor(list(indices), device=tokens.what.device)
    taken = {name: getattr(tokens, name).index_select(1, at) for name in PER_TOKEN}
    used = sorted({int(o) for o in taken["origin"][0] if o > 0})
    origin = taken["origin"].clone()
    for new, old in enumerate(used, 1):
        origin[taken["origin"] == old] = new
    length = torch.full_like(tokens.length, len(at))
    return replace(tokens, **taken | {"origin": origin}, length=length, foreign=tuple(tokens.foreign[o - 1] for o in used))


def joined(tokens: VLETokens, other: VLETokens, indices: Sequence[int]) -> VLETokens:
    """The tokens of a single picture with some of another's added at the end, which keep where their detail comes from."""
    base, added = rows(tokens, range(len(tokens))), rows(other, indices)
    foreign, own = list(base.foreign), base.detail
    origin = torch.zeros_like(added.origin)
    for row in range(len(indices)):
        detail = added.detail_of(row)
        if detail is None or detail is own or (own is not None and _same(own, detail)):
            continue
        known = [k for k, held in enumerate(foreign, 1) if held is detail or _same(held, detail)]
        if not known:
            foreign.append(detail)
            known = [len(foreign)]
        origin[0, row] = known[0]
    source = added.source.clone()
    if added.detail is None:  # a number without a picture would now count in the wrong one
        source[added.origin == 0] = -1
    parts = {name: [getattr(base, name), getattr(added, name).to(base.what.device)] for name in PER_TOKEN}
    parts["origin"][1], parts["source"][1] = origin.to(base.what.device), source.to(base.what.device)
    merged = {name: torch.cat(pair, 1) for name, pair in parts.items()}
    return replace(base, **merged, length=base.length + len(indices), foreign=tuple(foreign))


def recorded(tokens: VLETokens, line: str) -> VLETokens:
    """The tokens with one more line of history."""
    return replace(tokens, history=(*tokens.history, line))


def said(*values: float) -> str:
    """Numbers as the edit language has them."""
    return ",".join(f"{float(value):.6g}" for value in values)


def named(indices: Sequence[int]) -> str:
    """Tokens as the edit language has them."""
    return " ".join(str(index) for index in indices)


def _same(one, other) -> bool:
    """Whether two details are of the same picture and its tokens."""
    alike = one.size == other.size and one.where.shape == other.where.shape
    return alike and torch.equal(one.picture, other.picture) and torch.equal(one.where, other.where)
