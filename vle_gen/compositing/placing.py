"""The layers of edited tokens in their places: cut from a source picture where one shows them, decoded otherwise."""
from __future__ import annotations

from dataclasses import replace

import torch

from vle_gen.compositing.body import Body, faded, flipped, scaled, shifted
from vle_gen.compositing.camera import Camera, moved_aside
from vle_gen.compositing.completing import brought_into_view, completed
from vle_gen.compositing.paint import repainted
from vle_gen.compositing.relighting import light_gain
from vle_gen.source import IN_PLACE, mirror_edge
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import SHADOWS_END, Window, draw, draw_beyond, far_to_near, widened, window_of
from vle_gen.tokens import VLETokens


def _near(body: Body, dx: float, size: tuple[int, int]) -> bool:
    """Whether a body that moves so far sideways can still be seen, or its shadow: of what is a picture away nothing is."""
    side = max(size)
    return body.window.left + dx < size[1] + side and body.window.right + dx > -side


def placed(
    net: TokenizerNetwork, tokens: VLETokens, sources: list[dict[int, Body]], arena: Window, whole: bool = False
) -> dict[int, Body]:
    """The layers of the edited tokens in their new places, far to near, by the tokens' indices; with `whole` those that are
    where they were are completed beyond the edges of the picture too.

    `sources` holds the layers that were cut from each picture that tokens come from (`VLETokens.origin`), by source token.
    """
    camera = Camera.of(tokens, net.sizes)
    result, scene = {}, net.background_decoder(tokens.what[0, :1].to(next(net.parameters()).device))
    for index in far_to_near(tokens.depth[0].cpu()):
        source, origin, placement = int(tokens.source[0, index]), int(tokens.origin[0, index]), tokens.placement(index)
        if placement is not None and source in sources[origin]:
            body, detail = sources[origin][source], tokens.detail_of(index)
            where = detail.where[source]
            if whole or origin or placement != IN_PLACE:
                simply = not whole and not origin and camera is None
                body = completed(net, body, detail, source, brought_into_view(placement) if simply else (True,) * 4)
            if placement.mirrored:
                body = flipped(body, mirror_edge(where, detail.size))
            body = dressed(body, tokens, index, not net.sizes.one_world)
            if not origin and placement != IN_PLACE and camera is not None:
                body = lit(body, light_gain(scene, tokens.size, where, tokens.where[0, index]))
                if placement.dx and placement.scale == 1 and _near(body, placement.dx, tokens.size):
                    body = moved_aside(body, where, placement.dx, camera)
            if placement.scale != 1:
                body = scaled(body, placement, where, detail.size, arena)
            else:
                body = shifted(body, placement[:2], arena)
        elif placement == IN_PLACE and not origin:
            continue  # it does not reach into the arena
        else:
            body = decoded(net, tokens, index, arena)
        if not body.window.empty:
            result[index] = body
    return result


def lit(body: Body, gain: float) -> Body:
    """A token's layers in other light: the body is `gain` times as bright. What it does to the floor's light is a factor."""
    return replace(body, colour=torch.minimum(body.colour * gain, body.matte))


def dressed(body: Body, tokens: VLETokens, index: int, parts: bool) -> Body:
    """A token's layers in the colours that it is painted in, and as opaque as it is. `parts`: see `repainted`."""
    body = repainted(body, tokens.paint[0, index], float(tokens.turn[0, index]), parts)
    return faded(body, float(tokens.opacity[0, index]))


def decoded(net: TokenizerNetwork, tokens: VLETokens, index: int, arena: Window) -> Body:
    """The layers of a token of which no source picture knows anything."""
    (height, width), device = tokens.size, next(net.parameters()).device
    where = tokens.where[0, index].to(device)
    window = window_of(widened(where, SHADOWS_END), height, width, 2).inside(arena)
    layer = net.glimpse_decoder(tokens.what[0, index : index + 1].to(device)).planes(0)
    colour, shade, solid = layer[:3], layer[3:4], layer[4:5]
    layer = torch.cat([colour * shade, shade, solid, colour * solid])  # so that an edge takes no colour from beyond it
    if tokens.mirrored[0, index]:  # the object alone: its shadow falls as the light of the scene lets it
        layer = torch.cat([layer[:4], layer[4:].flip(-1)])
    planes = draw(layer, where, height, width, window)
    shade = planes[3:4].maximum(draw_beyond(layer[3:4], where, height, width, window))
    light = (1 - shade).expand(3, -1, -1)
    body = Body(window, planes[:3], light, planes[5:8], planes[4:5])
    return dressed(body, tokens, index, not net.sizes.one_world)
