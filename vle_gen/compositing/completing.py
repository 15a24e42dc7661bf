"""What of a thing lies beyond its source picture's edges, for when an edit brings it into view: as the decoder says, continuing
what is seen of it."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.compositing.body import Body
from vle_gen.compositing.decomposition import crisp
from vle_gen.imaging.filters import filled, inside_mean
from vle_gen.inpainting.lights import BRIGHTEST, DARKEST, WIDER
from vle_gen.inpainting.visibility import BRINK
from vle_gen.inpainting.working_size import cell_of, reduced, reduced_window, stretched
from vle_gen.source import Placement, SourceDetail
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import Window, draw, draw_beyond, frame_window, widened

CUT = 0.5  # matte on a picture's edge from which on a thing is cut by it
DIMMED = 0.02  # change of the light there from which on its shadow is
SHOWN = 0.1  # matte below which a pixel shows next to nothing of it
FADES = 0.08  # of the picture's longer side: how far beyond the edge what is seen of the light goes on
SHADOWS = 0.5  # alpha that shadows seldom reach
SHARPER = 3.0  # than decoders say an outline is that they do not see: a thing is there or it is not, and is no fog
SURE = 0.99  # matte of pixels that show the thing alone


def cut_off(body: Body, size: tuple[int, int]) -> tuple[bool, bool, bool, bool]:
    """Which edges of its picture of height and width `size` cut a body or its light: top, bottom, left, right."""
    shows = (body.matte[0] > CUT) | ((body.light - 1).abs().amax(0) > DIMMED)
    window, (height, width) = body.window, size
    return (
        window.top == 0 and bool(shows[0].any()),
        window.bottom == height and bool(shows[-1].any()),
        window.left == 0 and bool(shows[:, 0].any()),
        window.right == width and bool(shows[:, -1].any()),
    )


def brought_into_view(placement: Placement) -> tuple[bool, bool, bool, bool]:
    """Beyond which edges of its picture what comes into view by a placement may lie: top, bottom, left, right."""
    dx, dy, scale, mirrored = placement
    if scale != 1 or mirrored:
        return (True,) * 4
    return dy > 0 or dy % 1 > 0, dy < 0 or dy % 1 > 0, dx > 0 or dx % 1 > 0, dx < 0 or dx % 1 > 0


def completed(
    net: TokenizerNetwork, body: Body, detail: SourceDetail, token: int, shown: tuple[bool, bool, bool, bool] = (True,) * 4
) -> Body:
    """The body of a source's token with what lies beyond those edges of the picture that are `shown`, where these cut it.
    Inside the picture it stays as it is, to the last bit."""
    edges = tuple(cut and seen for cut, seen in zip(cut_off(body, detail.size), shown, strict=True))
    if not any(edges):
        return body
    old, cell = body.window, cell_of(detail.size)
    full = frame_window(widened(detail.where[token], WIDER), *detail.size)
    top, bottom, left, right = (
        most if cut else held for cut, most, held in zip(edges, full, old, strict=True)
    )  # fmt: skip
    top, left = (cell * (edge // cell) for edge in (top, left))
    window = Window(min(top, old.top), max(bottom, old.bottom), min(left, old.left), max(right, old.right))
    if window == old:
        return body
    cells = reduced_window(window, cell)
    small = (reduced(planes, cell) for planes in (body.light, body.colour, body.matte))
    layers = net.glimpse_decoder(detail.what[token : token + 1].to(body.matte.device)).planes(0)[3:]
    beyond = goes_on(layers, *small, detail, token, cell, reduced_window(old, cell), cells)
    light, colour, matte = (stretched(planes, cell, cells, window) for planes in beyond)
    for planes, seen in ((light, body.light), (colour, body.colour), (matte, body.matte)):
        planes[old.within(window).planes] = seen
    shadow = light.new_zeros(()).expand_as(light)  # as what is cut from a picture has
    return Body(window, shadow, light, colour, matte)


def goes_on(
    planes: Tensor, light: Tensor, colour: Tensor, matte: Tensor, detail: SourceDetail, token: int, cell: int, old: Window,
    window: Window,
) -> tuple[Tensor, Tensor, Tensor]:
    """Light (3, h, w), colour (3, h, w) and matte (1, h, w) on `window` of a token that is seen in a part of that, `old`,
    both in cells of the picture: as its decoded layers (5, L, L) say, joined on to what is seen of it."""
    where, (height, width) = detail.where[token].to(matte.device), (side / cell for side in detail.size)
    place = (where, height, width, window)
    drawn = draw(planes, *place)
    shade = drawn[:1].maximum(draw_beyond(planes[:1], *place, BRINK, WIDER))
    # Beyond the edge decoders are surer that something is there than that it is the thing itself; few shadows are as dense.
    dense = ((drawn[:1] - SHADOWS) / (1 - SHADOWS)).clamp(min=0)
    solid = crisp(drawn[1:2] + (1 - drawn[1:2]) * dense, where, max(height, width), planes.shape[-1])
    solid = ((solid - 0.5) * SHARPER + 0.5).clamp(0, 1)

    around = (old.left - window.left, window.right - old.right, old.top - window.top, window.bottom - old.bottom)
    seen = F.pad(torch.ones_like(matte), around)
    sure = F.pad((matte > SURE).float(), around)
    colour = F.pad(colour, around)
    guess = drawn[2:]
    if sure.max() > 0:  # no seam between what was seen and what was not
        guess = guess + filled(colour - guess, sure)
    light, floor = F.pad(light, around, value=1.0), F.pad((matte < SHOWN).float(), around)
    darkest = 1 - torch.where(floor > 0, light, 1.0).amin()  # shadows of which nothing is seen are least sure
    fades = max(1, round(FADES * max(height, width)))
    cast = 1 - shade.clamp(max=float(darkest.clamp(0, DARKEST)))
    if around[2]:  # what stands on the floor casts little light upwards: no more than is seen below the upper edge
        first = slice(around[2], around[2] + fades)
        above = 1 - torch.where(floor[:, first] > 0, light[:, first], 1.0).amin()
        cast[:, : around[2]].clamp_(min=1 - float(above.clamp(0, DARKEST)))
    near = (2 * inside_mean(seen, fades)).clamp(max=1) * bool(floor.max() > 0)
    beyond = cast + (filled(light, floor) - cast) * near
    light = torch.where(seen > 0, light, beyond.clamp(1 - DARKEST, BRIGHTEST))  # of what is seen too: planes are stretched
    return light, torch.where(seen > 0, colour, guess.clamp(0, 1) * solid), torch.where(seen > 0, F.pad(matte, around), solid)
