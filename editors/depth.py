"""Edits of what hides what: raise and lower, and depths that put tokens in an order."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from editors.rows import one_object, recorded
from vle_gen.tokens import VLETokens

STEP = 1 / 64  # how much nearer or farther than all others a token is put, as a share of depth
BODY, REACH = 0.5, 1.25  # how large an object is, in its frame's extents, and how far it may change the light around it


def raise_(tokens: VLETokens, index: int) -> VLETokens:
    """The tokens with an object one place nearer: in front of the next nearer one that it or its shadow touches, or
    that touches its shadow.

    In front of all that it touches already, it stays where it is. `lower` undoes it.

    Raises:
        UserError: there is no such object, or several are named.
    """
    index = one_object(tokens, index, "raised")
    order = tokens.near_to_far()
    at = order.index(index)
    touched = [k for k in reversed(order[:at]) if _touch(tokens, index, k)]
    if touched:
        tokens = replace(tokens, depth=put_before(tokens.depth, order, index, touched[0]))
    return recorded(tokens, f"raise {index}")


def lower(tokens: VLETokens, index: int) -> VLETokens:
    """The tokens with an object one place farther: behind the next farther one that it or its shadow touches, or
    that touches its shadow.

    Behind all that it touches already, it stays where it is. `raise_` undoes it.

    Raises:
        UserError: there is no such object, or several are named.
    """
    index = one_object(tokens, index, "lowered")
    order = tokens.near_to_far()
    at = order.index(index)
    touched = [k for k in order[at + 1 :] if _touch(tokens, index, k)]
    if touched:
        beyond = order[order.index(touched[0]) + 1 :]
        tokens = replace(tokens, depth=put_before(tokens.depth, order, index, beyond[0] if beyond else None))
    return recorded(tokens, f"lower {index}")


def put_before(depth: Tensor, order: list[int], index: int, other: int | None) -> Tensor:
    """Depths (1, T) that put token `index` directly in front of `other`, or behind all others where that is None.

    `order` holds the object tokens, nearest first.
    """
    rest = [k for k in order if k != index]
    at = len(rest) if other is None else rest.index(other)
    depth = depth.clone()
    if not rest:
        return depth
    if at == len(rest):
        depth[0, index] = depth[0, rest[-1]] + STEP * depth[0, rest[-1]].abs()
    elif at == 0:
        depth[0, index] = depth[0, rest[0]] - STEP * depth[0, rest[0]].abs()
    else:
        depth[0, index] = (depth[0, rest[at - 1]].double() + depth[0, rest[at]].double()) / 2
    return in_order(depth, [*rest[:at], index, *rest[at:]])


def in_order(depth: Tensor, order: list[int] | None = None) -> Tensor:
    """Depths (1, T) in which the tokens of `order` are each truly nearer than the next, changed no more than they must be.

    Without `order` all but the scene token, by their depths, of equal ones the first in front.
    """
    if order is None:
        order = (depth[0, 1:].argsort(stable=True) + 1).tolist()
    depth = depth.clone()
    for nearer, farther in zip(reversed(order[:-1]), reversed(order[1:]), strict=True):
        limit = np.nextafter(np.float32(depth[0, farther].item()), np.float32(-np.inf))
        depth[0, nearer] = torch.minimum(depth[0, nearer], depth.new_tensor(limit))
    return depth


def _touch(tokens: VLETokens, one: int, other: int) -> bool:
    """Whether one of two tokens may hide a part of the other or of its shadow; which of two shadows is nearer does not show."""
    a, b = tokens.where[0, one], tokens.where[0, other]
    apart, (wide, far) = (a[:2] - b[:2]).abs(), (torch.stack([a[2:], b[2:]]) * share / 2 for share in (BODY, REACH))
    return bool((apart < wide[0] + far[1]).all() or (apart < far[0] + wide[1]).all())
