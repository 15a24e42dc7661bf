"""Pictures as a photographer would take them: of several things from near enough, and with room at the edges; of one thing with
it near the middle."""
from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from prompts.request import SceneRequest
from vle_gen.prior.room import rests
from vle_gen.tokenizer.blocks import Extent
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokens import VLETokens

FILLS = 0.75  # of the picture's width or height, what the things together take up where there is room
NEAREST = 1.8  # times as large as they were drawn, at most
FARTHEST = 0.85  # times as large at least, where they would be at the picture's edges otherwise
LARGEST = 0.5  # longer side of a thing that is made larger, in canvas units, at most
HORIZON = 0.35  # canvas units down, where floors of training data end on average: larger things stand farther below it
FLOOR = 0.15  # canvas units below that, what stands on the floor stays
MARGIN = 0.05  # canvas units that they keep from the picture's edge, where they can
GROWN = 1.8  # times as large as they would be then, at most, things come to be that have room about them
AMPLE = 0.3  # longer side of the largest of them, in canvas units, up to which they do
APART = 0.02  # canvas units that they keep from one another
TO_THE_MIDDLE = 0.7  # how far, of the whole way, things come to the middle of the picture

Room = tuple[tuple[float, float], tuple[float, float]]  # canvas units from left to right and from top to bottom


def room_of(size: tuple[int, int]) -> Room:
    """Where things may be in a picture of `size` (height, width) in pixels."""
    extent = Extent.of(*size)
    return tuple((0.5 - part / 2 + MARGIN, 0.5 + part / 2 - MARGIN) for part in (extent.width, extent.height))


def framed(tokens: VLETokens, request: SceneRequest | None) -> VLETokens:
    """The tokens of one picture with all objects (all but token 0) larger by one factor, shifted sideways together, and down
    from above the middle or up from the lower edge, so that they fill more of the picture and none is at its edge; larger where
    they stand, where small things stand far apart; and a little smaller, where they reach to both edges all the same. How they
    stand to one another stays as it is. Where a request asks for sizes they are shifted sideways alone, and where it asks for
    places in the picture, or for one thing alone, nothing changes."""
    if request is None or len(tokens) < 3 or any(mention.place is not None for mention in request.mentions):
        return tokens
    extent, room = Extent.of(*tokens.size), room_of(tokens.size)
    x, y, width, height = tokens.where[0, 1:].unbind(1)
    box = torch.stack([x, y, width / FRAME_SCALE, height / FRAME_SCALE], 1)
    free = all(mention.size is None for mention in request.mentions)
    box = _near(box, extent, room, free)
    if free:
        box = _drawn_back(_grown(box, room), room)
    where = tokens.where.clone()
    where[0, 1:] = box * box.new_tensor([1, 1, FRAME_SCALE, FRAME_SCALE])
    return replace(tokens, where=where)


def centred(tokens: VLETokens, request: SceneRequest | None) -> VLETokens:
    """The tokens of one picture with its object, if there is but one, nearer to the middle, unless a request asks for a place:
    from above it comes down all the way, since a floor on which it stands goes on to the picture's lower edge; from below it
    does not go up, where there may be none."""
    if request is None or len(tokens) != 2 or any(mention.place is not None for mention in request.mentions):
        return tokens
    (first, last), (_, low) = room_of(tokens.size)
    where = tokens.where.clone()
    x, y, *sides = where[0, 1].tolist()
    width, height = (side / FRAME_SCALE for side in sides)
    aim = x + TO_THE_MIDDLE * (0.5 - x)
    aim = min(max(aim, first + width / 2), last - width / 2) if width < last - first else 0.5
    where[0, 1, :2] = where.new_tensor([aim, max(y, min(0.5, low - height / 2))])
    return replace(tokens, where=where)


def _near(box: Tensor, extent: Extent, room: Room, larger: bool) -> Tensor:
    """Boxes (N, 4), centre and size, shifted sideways and, if they may become `larger`, as seen from nearer by and shifted down
    from above the middle: what they stand on goes on to the picture's lower edge."""
    low, high = (box[:, :2] - box[:, 2:] / 2).amin(0), (box[:, :2] + box[:, 2:] / 2).amax(0)
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    down = max(0.0, TO_THE_MIDDLE * min(0.5 - (top + bottom) / 2, room[1][1] - bottom)) if larger else 0.0
    top, bottom = top + down, bottom + down
    (first, last), factor, lift = room[0], 1.0, 0.0
    if larger:
        taken = max((right - left) / extent.width, (bottom - top) / extent.height)
        factor = min(FILLS / taken, NEAREST, LARGEST / float(box[:, 2:].max()), (last - first) / (right - left))
        while factor > 1 and (lift := _lift(box + box.new_tensor([0, down, 0, 0]), factor, room)) is None:
            factor -= 0.05
    factor, lift = (factor, lift) if factor > 1 else (1.0, 0.0)
    middle, half = (left + right) / 2, factor * (right - left) / 2
    aim = middle + TO_THE_MIDDLE * (0.5 - middle)
    aim = min(max(aim, first + half), last - half) if 2 * half < last - first else 0.5
    old, new = box.new_tensor([middle, HORIZON - down]), box.new_tensor([aim, HORIZON - lift])
    return torch.cat([new + factor * (box[:, :2] - old), factor * box[:, 2:]], 1)


def _drawn_back(box: Tensor, room: Room) -> Tensor:
    """Boxes (N, 4), centre and size, as seen from a little farther away, where they reach to both edges of the picture."""
    left, right = float((box[:, 0] - box[:, 2] / 2).min()), float((box[:, 0] + box[:, 2] / 2).max())
    factor = max((room[0][1] - room[0][0]) / (right - left), FARTHEST)
    if factor >= 1:
        return box
    old, new = box.new_tensor([(left + right) / 2, HORIZON]), box.new_tensor([0.5, HORIZON])
    return torch.cat([new + factor * (box[:, :2] - old), factor * box[:, 2:]], 1)


def _lift(box: Tensor, factor: float, room: Room) -> float | None:
    """How far (canvas units) boxes (N, 4) are to go up that are seen so many times nearer, to be in the room from top to
    bottom; None where there is none, or where what stands on the floor would then stand where it may end."""
    feet = HORIZON + factor * (box[:, 1] + box[:, 3] / 2 - HORIZON)
    top = HORIZON + factor * (float((box[:, 1] - box[:, 3] / 2).min()) - HORIZON)
    lift = max(0.0, float(feet.max()) - room[1][1])
    least = (box[:, 1] + box[:, 3] / 2).clamp(max=HORIZON + FLOOR)
    return lift if top - lift >= room[1][0] and (feet - lift >= least).all() else None


def _grown(box: Tensor, room: Room) -> Tensor:
    """Boxes (N, 4), centre and size, scaled about their feet by the largest factor that leaves them apart, none as if it stood
    on another that it was clear of, closer to one another sideways if they would not fit into the picture otherwise."""
    largest, factor = float(box[:, 2:].max()), GROWN
    resting = rests(box[:, None], box[None])  # (N, N)
    itself = torch.eye(len(box), dtype=torch.bool, device=box.device)
    while (factor := min(factor, AMPLE / largest)) > 1:
        size = factor * box[:, 2:]
        x = _fitted(box[:, 0], size[:, 0], *room[0])
        centre = torch.stack([x, box[:, 1] + (box[:, 3] - size[:, 1]) / 2], 1)
        between = (centre[:, None] - centre[None]).abs() - (size[:, None] + size[None]) / 2  # (N, N, 2) gaps on each axis
        apart = (between.amax(-1) >= APART) | itself
        grown = torch.cat([centre, size], 1)
        clear = not (rests(grown[:, None], grown[None]) & ~resting).any()
        if clear and apart.all() and float((centre[:, 1] - size[:, 1] / 2).min()) >= room[1][0]:
            return grown
        factor -= 0.05
    return box


def _fitted(x: Tensor, width: Tensor, first: float, last: float) -> Tensor:
    """Centres (N,) of things of widths (N,), moved together as far as they must to lie between two limits."""
    low, high = int((x - width / 2).argmin()), int((x + width / 2).argmax())
    least, most = x[low].maximum(first + width[low] / 2), x[high].minimum(last - width[high] / 2)
    if low == high or x[high] <= x[low]:
        return x
    return least + (x - x[low]) * (most - least) / (x[high] - x[low])
