"""Points at which a picture is looked at again: where it is unlike those that the model knows, and no token is sure of what is
there, the box of what stands there is found (see `vle_gen.tokenizer.fixation`), as if a person had drawn it."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vle_gen.encoding import Box, Point
from vle_gen.segmentation.masks import CERTAIN, is_strange, token_of
from vle_gen.segmentation.pointed import owners_at
from vle_gen.tokenizer.fixation import apart_of, standing_at
from vle_gen.tokenizer.loop import glimpse_picture
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokens import VLETokens

LEAST_WORTH = 0.37  # of what stands at a point, from which on it is taken for an object: bare ground is worth less
BETTER = 0.1  # how much more of it has to be told apart than of what an unsure token has there
SAME = 0.5  # intersection over union of boxes from which on two points are on one object


@dataclass(frozen=True)
class Looked:
    """Tokens of a picture, and the boxes of what stands at some of the points that a person pointed at: each has a token."""

    tokens: VLETokens
    boxes: dict[Point, Box]


def look_again(
    net: TokenizerNetwork,
    tokens: VLETokens,
    points: Sequence[Point],
    encode: Callable[[dict[Point, Box]], VLETokens],
    given: Sequence[Box] = (),
) -> Looked:
    """The tokens that `encode` makes of the picture with boxes in the place of the points (x, y) at which something stands; the
    tokens as they are where nothing does.

    Args:
        tokens: of the picture, just encoded.
        given: boxes that it was encoded with, whose tokens are believed.
    """
    boxes = _boxes_at(net, tokens, points, given) if points else {}
    while boxes:
        found = encode(boxes)
        owners = owners_at(found, list(boxes))
        there = {
            point: box for (point, box), owner in zip(boxes.items(), owners, strict=True) if 0 < owner == token_of(found, box)
        }
        if len(there) == len(boxes):
            return Looked(found, boxes)
        boxes = there
    return Looked(tokens, {})


def _boxes_at(net: TokenizerNetwork, tokens: VLETokens, points: Sequence[Point], given: Sequence[Box]) -> dict[Point, Box]:
    """The boxes of what stands at those of the points at which it is told apart better than what a token has there."""
    if not isinstance(net, TokenizerNetwork) or net.sizes.one_world:
        return {}
    scores, known = tokens.score[0].tolist(), {token_of(tokens, box) for box in given} - {0}
    owners = dict(zip(points, owners_at(tokens, points), strict=True))
    unsure = [point for point, owner in owners.items() if owner not in known and not (owner and scores[owner] >= CERTAIN)]
    if not unsure or not is_strange(tokens, sum(owner == 0 for owner in owners.values())):
        return {}
    picture = tokens.detail.picture.to(next(net.parameters()).device).float() / 255
    small = glimpse_picture(picture, net.sizes.glimpse_side)[0]
    labels = tokens.label_map(*map(_middles, tokens.size, small.shape[-2:])) if any(map(owners.get, unsure)) else None
    boxes: dict[Point, Box] = {}
    for point, standing in zip(unsure, standing_at(net, picture, unsure), strict=True):
        if standing is None or standing.worth < LEAST_WORTH:
            continue
        if owner := owners[point]:
            if standing.apart < apart_of(small, torch.from_numpy(labels == owner).to(small.device)) + BETTER:
                continue
        boxes[point] = next((box for box in boxes.values() if _overlap(box, standing.box) > SAME), standing.box)
    return boxes


def _middles(length: int, count: int) -> np.ndarray:
    """Which of so many pixels in a line lie in the middle of each of `count` parts of it."""
    return ((torch.arange(count) + 0.5) * length / count).long().numpy()


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    both = 1.0
    for axis in (0, 1):
        both *= max(0.0, min(box[axis] + box[axis + 2] for box in (one, other)) - max(one[axis], other[axis]))
    return both / (one[2] * one[3] + other[2] * other[3] - both)
