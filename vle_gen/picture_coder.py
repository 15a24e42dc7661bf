"""`PictureCoder`: pictures to tokens and back by a tokenizer, as every pipeline does it."""
from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import torch
from PIL import Image

from vle_gen.device import float32_by_default, require_float32
from vle_gen.encoding import HALTING, Box, Halting, Hints, Point
from vle_gen.errors import UserError
from vle_gen.io.image_files import ICC, MAX_PIXELS, to_rgb
from vle_gen.segmentation.masks import as_boxed, as_masked, box_of
from vle_gen.segmentation.second_look import look_again
from vle_gen.tokenizer.core import TokenizerCore
from vle_gen.tokens import VLETokens


class PictureCoder:
    """What has a `tokenizer`, and so encodes and decodes."""

    tokenizer: TokenizerCore

    @float32_by_default()
    def encode(
        self,
        image: Image.Image,
        boxes: Iterable[Box] | None = None,
        points: Iterable[Point] | None = None,
        halting: Halting | None = None,
        refine: int = 0,
        masks: Iterable[np.ndarray] | None = None,
    ) -> VLETokens:
        """Tokens of a picture of any size and mode, with its fine detail carried.

        Args:
            image: any size and mode.
            boxes: left, top, width and height, in pixels, of objects that are to have a token each.
            points: x, y, in pixels, on objects that are to have a token each, however unsure the model is of them.
            halting: when the model stops, and how many tokens are worth keeping; without it as usual.
            refine: steps of gradient descent by which the tokens are fitted to the picture: what they alone say comes
                nearer to it, for about 70 ms of a core each (see `vle_gen.tokenizer.refining`).
            masks: (H, W) bool of objects that are to have a token each, which owns just the pixels that are true.

        Raises:
            UserError: the picture is too small or too large, a box or point lies outside it, a mask has another size or marks
                nothing, or `refine` is below 0.
        """
        require_float32(next(self.tokenizer.parameters()).dtype)
        if not isinstance(refine, Integral) or refine < 0:
            raise UserError(f"tokens cannot be refined in {refine!r} steps: expected 0 or more, whole ones")
        for name, several in (("boxes", boxes), ("points", points), ("masks", masks)):
            if not isinstance(several, Iterable | None):
                raise UserError(f"{name} is {several!r}: expected a list of them")
        halting = HALTING if halting is None else halting
        if not isinstance(halting, Halting):
            raise UserError(f"halting is {halting!r}: expected a vle_gen.encoding.Halting")
        image = to_rgb(image)
        boxes, points, masks = (() if several is None else tuple(several) for several in (boxes, points, masks))
        size = image.height, image.width
        for mask in masks:
            if not isinstance(mask, np.ndarray):
                raise UserError(f"a mask is of {type(mask).__name__}: expected an array of numpy, of bool")
            if mask.shape != size or mask.dtype != bool or not mask.any():
                expected = f"bool, {size[0]} x {size[1]}, true somewhere"
                raise UserError(f"a mask is {mask.dtype} of shape {mask.shape}: expected {expected}")
        hints = Hints.of((*boxes, *map(box_of, masks)), points, *size)
        if (asked := len(hints.boxes) + len(hints.points)) >= halting.max_tokens:
            most = f"at most {halting.max_tokens} tokens are kept, the scene token too"
            raise UserError(f"{asked} boxes, points and masks are too many: {most}")
        points = [(float(x), float(y)) for x, y in points]  # a list or an array is no key

        def told(more: dict[Point, Box]) -> VLETokens:
            rest = [point for point in points if point not in more]
            return self._found(image, (*boxes, *dict.fromkeys(more.values())), rest, halting, refine, masks)

        return look_again(self.tokenizer.network, told({}), points, told, (*boxes, *map(box_of, masks))).tokens

    def _found(
        self,
        image: Image.Image,
        boxes: Sequence[Box],
        points: Sequence[Point],
        halting: Halting,
        refine: int,
        masks: Sequence[np.ndarray],
    ) -> VLETokens:
        """Tokens of an RGB picture by one look at it."""
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()  # (3, H, W)
        hints = Hints.of((*boxes, *map(box_of, masks)), points, *pixels.shape[1:])
        found = self.tokenizer.encode(pixels, halting, hints, refine)
        if profile := image.info.get(ICC):
            found = replace(found, detail=replace(found.detail, profile=profile))
        if boxes and not self.tokenizer.network.sizes.one_world:
            found = as_boxed(found, boxes)
        return as_masked(found, masks) if masks else found

    @float32_by_default()
    def decode(self, tokens: VLETokens, carry: bool = True, size: int | None = None) -> Image.Image:
        """The picture of one picture's tokens, with the ICC profile of the picture that they were made from.

        Args:
            tokens: of one picture.
            carry: add the source picture's detail where it is known; without it, what the tokens alone say.
            size: longer side of the result in pixels; without it the picture's own.

        Returns:
            An RGB picture: with `carry`, at its own size and without edits, the source picture to the bit.

        Raises:
            UserError: no tokens or those of several pictures, tokens of another checkpoint, a size below 1, or a result of
                over 100 megapixels.
        """
        if not isinstance(tokens, VLETokens):
            raise UserError(f"{type(tokens).__name__} is no tokens: expected VLETokens, as 'encode' gives")
        require_float32(next(self.tokenizer.parameters()).dtype)
        if size is not None and not (isinstance(size, Real) and 1 <= size < math.inf):
            raise UserError(f"a picture of {size} pixels cannot be made: expected a size of 1 or more")
        height, width = tokens._single().size
        scale = 1.0 if size is None else size / max(height, width)
        target = (max(1, round(height * scale)), max(1, round(width * scale)))
        if target[0] * target[1] > MAX_PIXELS:
            most = f"expected at most {MAX_PIXELS // 10**6} megapixels"
            raise UserError(f"a picture of {target[1]} x {target[0]} is too large: {most}")
        drawn = self._drawn(tokens, target, carry)
        if tokens.detail is not None and tokens.detail.profile:
            drawn.info[ICC] = tokens.detail.profile
        return drawn

    def _drawn(self, tokens: VLETokens, target: tuple[int, int], carry: bool) -> Image.Image:
        """The picture at `target`, its height and width."""
        if carry and (tokens.detail is not None or tokens.foreign):
            picture = _to_image(self.tokenizer.decode(tokens))
            return picture if target == tuple(tokens.size) else picture.resize(target[::-1], Image.Resampling.LANCZOS)
        return _to_image(self.tokenizer.decode(tokens.resized(*target), carry=False))


def _to_image(pixels: torch.Tensor) -> Image.Image:
    """A picture (3, H, W) uint8 as RGB."""
    return Image.merge("RGB", [Image.fromarray(plane) for plane in pixels.numpy()])
