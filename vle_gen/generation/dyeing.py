"""Things that are painted in the colour that a prompt says, where none of that name has it by itself: "a pink cat"."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from prompts.called import Called
from prompts.colours import DRAWN, LIGHTNESS, WORDS_FOR, nearest
from prompts.request import Mention, SceneRequest
from vle_gen.errors import UserError
from vle_gen.imaging.colour_space import to_lab, to_linear
from vle_gen.imaging.colours import COLOURS, colour_named
from vle_gen.imaging.tinting import as_drawn, main_colour
from vle_gen.tokens import VLETokens


def dyed(tokens: VLETokens, wanted: Sequence[Mention | None]) -> VLETokens:
    """The tokens with those objects painted whose mention says so, or whose name does: "a black cat", which the pictures of
    training have in a dark purple. `wanted` has a mention for each object token (all but token 0)."""
    paint = tokens.paint.clone()
    for index, mention in enumerate(wanted, 1):
        dye = None if mention is None else mention.dye or colour_in(mention.name)
        if dye is not None:
            paint[0, index] = paint.new_tensor([*colour_of(dye), 1.0])
    return replace(tokens, paint=paint)


def colour_in(name: str | None) -> str | None:
    """The colour that a name of several words begins with, of those beyond the eight that a thing is known to have or not."""
    first, *more = (name or "").split()[:2] or [""]
    return first if more and first in COLOURS and first not in DRAWN else None


def called_dyed(names: Sequence[Called], wanted: Sequence[Mention | None]) -> tuple[Called, ...]:
    """What objects are called that are going to be painted as their mentions say."""
    return tuple(
        name if mention is None else replace(name, kinds=name.kinds | mention.kinds)
        for name, mention in zip(names, wanted, strict=True)
    )


def undyed(mention: Mention) -> Mention:
    """The mention of a thing as it is before it is painted."""
    return replace(mention, dye=None)


def all_undyed(request: SceneRequest) -> SceneRequest:
    """A request of things as they are before they are painted."""
    return replace(request, mentions=tuple(map(undyed, request.mentions)))


def most_of_colour(
    tokens: VLETokens, found: Sequence[int], picture: Image.Image, dye: str, within: float = math.inf
) -> list[int]:
    """That one of the object tokens `found` whose main colour in the picture is nearest to a colour, and nearer than `within`
    (in OKLab); none where there is none."""
    owner, pixels = tokens.label_map(), torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
    wanted = to_lab(as_drawn(to_linear(torch.tensor(colour_of(dye))))[:, None])[:, 0]
    off = {}
    for index in found:
        shown = torch.from_numpy(owner == index)
        if shown.any():
            light, hues = main_colour(to_lab(to_linear(pixels[:, shown])))
            off[index] = float((torch.stack([LIGHTNESS * light, *hues]) - wanted * torch.tensor([LIGHTNESS, 1, 1])).norm())
    return [index for index in off if off[index] == min(off.values()) < within]


def colour_of(dye: str) -> tuple[float, float, float]:
    """sRGB, 0..1, of a colour in words: as the editors have it, or by its hexadecimal code, or the nearest of the eight."""
    for said in (dye, dye.split()[0], dye.split()[-1]):  # "navy blue" is navy
        try:
            return colour_named(said)
        except UserError:
            if said in WORDS_FOR:
                return colour_named(f"#{WORDS_FOR[said]}")
    return colour_named(nearest(dye.split()[-1]) or next(iter(COLOURS)))
