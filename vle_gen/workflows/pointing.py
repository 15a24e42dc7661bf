"""Objects that a person points out in a picture at work, by a box about one, a pixel of it or a mask: each gets a token."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from editors.language import Selector
from vle_gen.encoding import AS_USUAL, Box, Encoding, Point
from vle_gen.errors import UserError
from vle_gen.io.image_files import ICC
from vle_gen.segmentation.masks import box_of
from vle_gen.segmentation.pointed import owners_at
from vle_gen.segmentation.second_look import Looked, look_again
from vle_gen.workflows.batch import require_objects
from vle_gen.workflows.inserting import with_one_more
from vle_gen.workflows.script import find

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens


@dataclass(frozen=True)
class Shown:
    """All that a picture was encoded with: what commands are told by their options, and the masks (H, W) bool, which there
    are files."""

    encoding: Encoding = AS_USUAL
    masks: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class PointedOut:
    """A picture's tokens with one for an object that a person pointed out.

    Args:
        tokens: of the picture, which looks as it did; by a level or two otherwise where edits had bared its floor.
        index: of the object's token.
        shown: with which the picture was encoded to these tokens; None where they are the edited ones and one more.
    """

    tokens: VLETokens
    index: int
    shown: Shown | None


def point_out(
    pipe: VLEPipeline, tokens: VLETokens, place: Selector | np.ndarray, name: str, shown: Shown | None
) -> PointedOut:
    """The tokens of a picture of which `place` says by a box, a point or a mask (H, W) bool where an object is.

    Tokens as they were found are found anew, with all that was pointed out so far, as commands do that are told the same by
    their options. Edited ones stay, and the object's token comes after them; what was edited keeps its pixels. A point on what
    has a token needs none, unless that is unsure and a second look finds a better one.

    Args:
        name: of the picture, for errors.
        shown: with which the picture was encoded to just these tokens; None where they were edited since.

    Raises:
        UserError: the tokens carry no picture, the place lies outside it, or there is nothing to be found.
    """
    masked = isinstance(place, np.ndarray)
    selector = Selector(box=box_of(place)) if masked else place
    point = selector.point
    index = _pointed_at(tokens, point) if point is not None else 0
    if index and (shown is None or tokens.detail is None):
        return PointedOut(tokens, index, shown)
    if tokens.detail is None:
        raise UserError(f"{name} is made of its tokens alone: there is no picture behind it in which more could be found")
    so_far = shown or Shown()
    looked = Looked(tokens, {}) if point is None else _looked(pipe, tokens, so_far, point, shown is None, name)
    if point in looked.boxes:
        more, found = _shown_too(so_far, Selector(box=looked.boxes[point])), looked.tokens
    elif index:
        return PointedOut(tokens, index, shown)
    else:
        more = _shown_too(so_far, place)
        found = _found(pipe, tokens, more, [point] if point is not None else [], name)
    (new,) = find(pipe, found, selector, name)
    if shown is not None:
        return PointedOut(found, new, more)
    edited = with_one_more(tokens, found, new)
    return PointedOut(edited, len(edited) - 1, None)


def _looked(pipe: VLEPipeline, tokens: VLETokens, shown: Shown, point: Point, edited: bool, name: str) -> Looked:
    """What a second look at a point finds in the tokens' source picture; nothing where it lies outside."""
    (height, width), (x, y) = tokens.size, point
    if not (0 <= x < width and 0 <= y < height):
        return Looked(tokens, {})
    seen = _found(pipe, tokens, shown, [], name) if edited else tokens
    given = (*shown.encoding.boxes, *map(box_of, shown.masks))

    def encode(boxes: dict[Point, Box]) -> VLETokens:
        return _found(pipe, tokens, _shown_too(shown, Selector(box=boxes[point])), [], name)

    return look_again(pipe.tokenizer.network, seen, [point], encode, given)


def _pointed_at(tokens: VLETokens, point: Point) -> int:
    """The object token at a pixel; 0 where there is none."""
    (height, width), (x, y) = tokens.size, point
    return owners_at(tokens, [point])[0] if 0 <= x < width and 0 <= y < height else 0


def _shown_too(shown: Shown, place: Selector | np.ndarray) -> Shown:
    """What was shown so far, and one place more."""
    if isinstance(place, np.ndarray):
        return replace(shown, masks=(*shown.masks, place))
    boxes, points = ([] if one is None else [one] for one in (place.box, place.point))
    encoding = shown.encoding
    return replace(shown, encoding=replace(encoding, boxes=(*encoding.boxes, *boxes), points=(*encoding.points, *points)))


def _found(pipe: VLEPipeline, tokens: VLETokens, shown: Shown, points: list[Point], name: str) -> VLETokens:
    """What is found in the tokens' source picture with all that is shown, of which `points` are new."""
    image = Image.fromarray(tokens.detail.picture.permute(1, 2, 0).contiguous().numpy())
    if tokens.detail.profile:
        image.info[ICC] = tokens.detail.profile
    told = shown.encoding
    found = pipe.encode(image, told.boxes, told.points, told.halting, told.refine, shown.masks)
    require_objects(found, points, name)
    return replace(found, detail=replace(found.detail, picture=tokens.detail.picture))  # one picture in memory
