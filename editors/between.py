"""Tokens on the way from one state of a picture to another: the frames of an animation."""
from __future__ import annotations

from dataclasses import replace
from numbers import Real

import torch

from editors.rows import joined, require_tokens, rows
from vle_gen.errors import UserError
from vle_gen.tokens import VLETokens


def interpolate(before: VLETokens, after: VLETokens, t: float) -> VLETokens:
    """The tokens at `t` of the way, 0 to 1, from `before` to `after`, two states of one picture.

    Objects slide, grow and change colour; those that only `after` has appear, but a copy comes out of its original; those
    that only `before` has fade away. A flip happens at half way. At 0 and 1 it is exactly `before` and `after`.

    The history of a state between the two is that of `before`: no list of edits makes it.

    Raises:
        UserError: `t` outside 0 to 1, or states of pictures of different size.
    """
    if not isinstance(t, Real) or not 0 <= t <= 1:
        raise UserError(f"{t} of the way is not between two states: expected 0 to 1")
    require_tokens(before)
    require_tokens(after)
    if before.detail is not None and after.detail is not None and not torch.equal(before.detail.picture, after.detail.picture):
        raise UserError("these are tokens of two pictures, and no states of one")
    if before.size != after.size:
        raise UserError(f"pictures of {before.size} and {after.size} pixels are not states of one picture")
    if t in (0, 1):
        return after if t else before
    start = _matches(before, after)
    gone = [k for k in range(1, len(before)) if k not in start]
    # every token of either state is a row of both ends: as it is there, or as it first or last is, and transparent
    end = joined(rows(after, range(len(after))), before, gone) if gone else rows(after, range(len(after)))
    first = {name: getattr(end, name).clone() for name in _MIXED}
    last = {name: value.clone() for name, value in first.items()}
    for row in range(len(end)):
        old = start[row] if row < len(after) else gone[row - len(after)]
        if row >= len(after):
            last["opacity"][0, row] = 0
        if old is None:
            first["opacity"][0, row] = 0
        else:
            for name in _MIXED:
                first[name][0, row] = getattr(before, name)[0, old].to(first[name])
    return replace(end, **{name: _mixed(name, first[name], last[name], t) for name in _MIXED}, history=before.history)


_MIXED = ("where", "depth", "mirrored", "turn", "paint", "opacity")


def _matches(before: VLETokens, after: VLETokens) -> list[int | None]:
    """For each token of `after`, the one of `before` that it was, or was copied from; None for one that is new."""
    seen: dict[object, list[int]] = {}
    for index in range(len(before)):
        seen.setdefault(_identity(before, index), []).append(index)
    result, taken = [], {}
    for index in range(len(after)):
        key = _identity(after, index)
        known, nth = seen.get(key, []), taken.get(key, 0)
        taken[key] = nth + 1
        result.append(known[min(nth, len(known) - 1)] if known else None)
    return result


def _identity(tokens: VLETokens, index: int) -> object:
    """The same for a token before and after edits, none of which change what it is."""
    return tuple(tokens.what[0, index].tolist())


def _mixed(name: str, first: torch.Tensor, last: torch.Tensor, t: float) -> torch.Tensor:
    if name == "mirrored":
        return last if t >= 0.5 else first
    if name == "turn":  # the short way round
        return (first + ((last - first + 180) % 360 - 180) * t) % 360
    if name == "paint":  # what is not painted has no colour to begin or end with
        unpainted = first[..., 3:] == 0, last[..., 3:] == 0
        colour_first = torch.where(unpainted[0], last[..., :3], first[..., :3])
        colour_last = torch.where(unpainted[1], first[..., :3], last[..., :3])
        first, last = torch.cat([colour_first, first[..., 3:]], -1), torch.cat([colour_last, last[..., 3:]], -1)
    return first + (last - first) * t
