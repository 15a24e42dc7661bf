"""A source picture taken apart into layers that composite to it again: the floor, and each token's light and body."""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.compositing.body import Body
from vle_gen.imaging.filters import box_mean, filled, grown, inside_mean
from vle_gen.inpainting import patterns
from vle_gen.inpainting.exemplars import filled_in
from vle_gen.inpainting.grain import grain_of
from vle_gen.inpainting.ground import Ground, ground_of, repeats, surely
from vle_gen.inpainting.working_size import at_working_size, cell_of, reduced_window, stretched
from vle_gen.segmentation.outlines import around_mask, gleams
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import Window, band_of, draw
from vle_gen.tokenizer.warp import SLOPE
from vle_gen.tokens import OWNED, VLETokens

LEAST_OWNED = 0.3  # matte that a pixel of a cut-out has at least
AT_ONCE = 1 << 20  # pixels of a body that is cut out at once
MIXED = 2  # half-width, in pixels, of the band along a settled outline in which a pixel may show both sides


@torch.no_grad()
def take_apart(
    net: TokenizerNetwork, tokens: VLETokens, arena: Window, scenery: frozenset[int] = frozenset(), bared: Window | None = None
) -> tuple[Tensor, dict[int, Body]]:
    """The floor without shadows (3, h, w) over `arena`, and the layers of the source's tokens that reach into it; tokens of
    `scenery` are part of the floor, light that they cast and all. `bared`, within the arena, is where an edit lets what is
    hidden be seen: in a world that is not known, pieces of what is seen there fill it.

    Of a large picture the floor and the light are told from that made smaller, and only bodies at its own size.
    """
    cell = cell_of(tokens.size)
    sight, ground = ground_of(net, at_working_size(tokens, cell), reduced_window(arena, cell), scenery)
    ground = ground.at(cell, arena)
    near_to_far, windows, lights, doubt = ground.near_to_far, ground.windows, ground.lights, ground.doubt
    inside = {k: window.within(arena).planes for k, window in windows.items()}
    device = next(net.parameters()).device
    owner = tokens.detail.owner[arena.slices].to(device)
    band = {k: band_of(tokens.detail.where[k], *tokens.size, net.sizes.glimpse) for k in near_to_far}

    # From near to far, undo what each token does to the light: `seen` is the picture as it would be without the nearer ones.
    seen = tokens.detail.seen_at(arena.planes).to(device)
    nearer = torch.zeros_like(seen[:2])
    parts, given = {}, {}
    for k in near_to_far:
        mine, covered = (owner[inside[k][1:]] == k).float()[None], nearer[inside[k]]
        near = around_mask((mine[0] > 0) | (covered[0] > 0), 2 * band[k] + 1)  # no more than `cut_out` looks at
        if not near.empty:
            parts[k], mine, covered = near.planes, mine[near.planes], covered[near.planes]
            given[k] = seen[inside[k]][near.planes].clone(), mine, covered.clone()
            mixed = grown(mine, band[k] if net.sizes.one_world else min(band[k], MIXED))
            torch.maximum(covered, torch.cat([mine, mixed]), out=covered)
        seen[inside[k]] /= lights[k]
    del nearer  # of a large picture it takes much memory
    base = floor_of(tokens, seen, ground, cell, scenery, bared)
    del ground

    bodies, canvas, solid = {}, base.clone(), torch.zeros_like(base[:1])
    for k in reversed(near_to_far):
        behind, settled = canvas[inside[k]], solid[inside[k]]  # views: what is done to them is done to the arena's
        behind *= lights[k]
        colour, matte = torch.zeros_like(behind), torch.zeros_like(settled)
        if k in parts:
            part, (without, mine, covered) = parts[k], given.pop(k)
            under, over = behind[part], settled[part]
            drawn = decoded_at(sight.layers[k], tokens, k, of_part(windows[k], part))
            lit = under / lights[k][part].clamp(max=1)
            planes = (without, under, lit, over, mine, covered, drawn)
            colour[part], matte[part] = cut_out_by_rows(planes, band[k], net.sizes.one_world)
            under.mul_(1 - matte[part]).add_(colour[part])
            torch.maximum(over, matte[part], out=over)
        shadow = colour.new_zeros(()).expand_as(colour)
        bodies[k] = Body(windows[k], shadow, lights[k], colour, matte, doubt[k])
    return base, bodies


def floor_of(
    tokens: VLETokens, seen: Tensor, ground: Ground, cell: int, scenery: frozenset[int], bared: Window | None
) -> Tensor:
    """The floor without shadows (3, h, w), of a source as it would be without them, `seen`, which is written over: what is seen
    of it and, where it is hidden, what can be told (see `take_apart`)."""
    arena, says, source = ground.window, ground.says, tokens.detail.seen_at(ground.window.planes).to(seen.device)
    if ground.patterned and cell > 1:
        says = with_fine_pattern(tokens, ground, cell, repeats(scenery))
    smooth = ground.rest.add_(says)
    if ground.rough:
        smooth += grain_of(source - says if len(says[0]) > 1 else source, ground.in_view, ground.covered.float())
    if bared is not None and ground.strange and not ground.patterned:
        part = bared.within(arena).planes  # nothing of it may depend on the arena, or moved pictures would flicker
        hole = ground.hole[part].float()
        pieces = filled_in(source[part], hole, ground.in_view[part] * (1 - hole))
        if pieces is not None:
            smooth[part] = torch.where(hole > 0, pieces, smooth[part])
    return seen.sub_(smooth).mul_(ground.certain).add_(smooth)


def with_fine_pattern(tokens: VLETokens, ground: Ground, cell: int, least: float) -> Tensor:
    """What can be told of a floor (3, h, w) whose pattern was found in a smaller picture, with that at the picture's own size
    where something hides it; `least`: see `repeats`."""
    (height, width), says = tokens.size, ground.says
    near = around_mask(ground.hole[0], cell)
    if near.empty:
        return says
    every, whole = Window(0, height, 0, width), Window(0, -(-height // cell), 0, -(-width // cell))
    smooth, in_view = (stretched(planes, cell, whole, every) for planes in ground.whole)
    picture = tokens.detail.seen_at().to(says.device)
    pattern = patterns.continued(picture, smooth, surely(in_view), of_part(ground.window, near.planes), least)
    if pattern is not None:
        says[near.planes] = pattern
    return says


def decoded_at(layers: Tensor, tokens: VLETokens, token: int, window: Window) -> Tensor:
    """A source token's silhouette and colour (4, h, w) on the pixels of `window`, of its decoded layers (5, L, L)."""
    where = tokens.detail.where[token].to(layers.device)
    drawn = draw(layers[1:], where, *tokens.size, window)
    drawn[0] = crisp(drawn[0], where, max(tokens.size), layers.shape[-1])
    return drawn


def of_part(window: Window, part: tuple[slice, slice, slice]) -> Window:
    """Where in the picture a part of planes of `window` is."""
    _, rows, columns = part
    return Window(window.top + rows.start, window.top + rows.stop, window.left + columns.start, window.left + columns.stop)


def cut_out_by_rows(planes: tuple[Tensor, ...], band: int, shines: bool) -> tuple[Tensor, Tensor]:
    """What `cut_out` gives of its `planes`, of a large body in full view some rows at a time, since it takes much memory."""
    seen, _, _, solid, mine, covered, _ = planes
    if not shines:  # cut-outs end sharply
        band = max(1, band - 1)
    height, width = mine.shape[-2:]
    count = max(1, AT_ONCE // width)
    if count >= height or covered.any():
        return cut_out(*planes, band, shines)
    about = 2 * band + 4  # rows beside them that are looked at
    parts = [(max(0, top - about), top, min(height, top + count)) for top in range(0, height, count)]
    thin = True
    for first, top, bottom in parts:
        _, inner = outline_of(*(plane[:, first : bottom + about] for plane in (mine, solid)), band)
        thin = thin and not (inner[:, top - first : bottom - first] * mine[:, top:bottom]).any()
    colour, matte = torch.empty_like(seen), torch.empty_like(mine)
    for first, top, bottom in parts:
        part = cut_out(*(plane[:, first : bottom + about] for plane in planes), band, shines, thin)
        colour[:, top:bottom], matte[:, top:bottom] = (plane[:, top - first : bottom - first] for plane in part)
    return colour, matte


def cut_out(
    seen: Tensor, behind: Tensor, lit: Tensor, solid: Tensor, mine: Tensor, covered: Tensor, drawn: Tensor, band: int,
    shines: bool, thin: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """A body's premultiplied colour (3, h, w) and matte (1, h, w), out of the picture.

    Inside its outline the body is what is seen; in a band along the outline the matte is where the colour lies between
    what is behind and the body's own colour nearby (the compositing equation solved for alpha; Smith & Blinn 1996).
    Where something nearer hides it, or is mixed with it, the decoded layer says what is there, in the colours of what is
    seen about it.

    Args:
        seen: (3, h, w) the picture without what nearer tokens do to the light.
        behind: (3, h, w) what lies behind the body.
        lit: (3, h, w) the same out of the body's shadow: the rim of a shadow is no highlight.
        solid: (1, h, w) how much of that are other bodies, the outlines before which have been settled more narrowly.
        mine: (1, h, w) 1 on its pixels.
        covered: (2, h, w) 1 on pixels of nearer tokens, and on those that are mixed with one.
        drawn: (4, h, w) the decoded layer: its silhouette, and its colour.
        band: half-width of the band along its outline.
        shines: things shine, as solids do; else what is bright on an outline is no highlight.
        thin: whether nothing of it is as far as `band` from its outline; None where these planes show all of it.
    """
    hidden, nearer = covered[:1] > 0, covered[1:] > 0
    whole, guess = drawn[:1], drawn[1:]
    met = bool(nearer.any())  # most bodies are in full view, and done with less
    shape = torch.maximum(mine, nearer * (whole > OWNED)) if met else mine  # the outline, whole
    outer, inner = outline_of(shape, solid, band)
    if thin or (thin is None and (inner * mine).sum() == 0):
        inner = shape
    clean = inner * mine * (1 - covered[1:])
    if met and clean.max() > 0:  # no seam between what was seen and what was not
        guess = (guess + filled(seen - guess, clean)).clamp(0, 1)
    own = colour_nearby(seen, clean, guess, band)
    along, contrast = share_of(seen, behind, own)
    soft = inside_mean(shape, 1)
    matte = torch.where(inner > 0, 1.0, outer * (contrast * along + (1 - contrast) * soft))
    gleam = outer * gleams(seen, torch.maximum(own, lit)) if shines else torch.zeros_like(outer)
    matte = torch.where(gleam > 0, 1.0, matte)
    least = OWNED if shines else LEAST_OWNED
    matte = torch.where(mine > 0, matte.clamp(min=least), matte)  # whose the pixel is was settled with more in view
    if not shines:
        # What is darker than all that was there before the body, close to it, is its shadow where it touches the floor.
        darkest = (1 - (seen / behind.clamp(min=1e-3)).amin(0, keepdim=True)).clamp(0, 1)
        matte = torch.where((grown(outer, 1) > 0) & (mine == 0) & (solid <= OWNED), matte.maximum(darkest), matte)
    colour = torch.where((inner > 0) | (gleam > 0), seen, seen - (1 - matte) * behind)
    colour = torch.minimum(colour.clamp(min=0), matte)
    if met:
        matte = torch.where(hidden, whole, torch.where(nearer, soft, matte))
        colour = torch.where(nearer, guess * matte, colour)
    return colour, matte


def outline_of(shape: Tensor, solid: Tensor, band: int) -> tuple[Tensor, Tensor]:
    """A body's shape (1, h, w) with the band along its outline, and without it; before bodies that are settled, `solid`
    (1, h, w), the band is narrower."""
    either = torch.cat([shape, 1 - shape])
    both = grown(either, band)
    if band > MIXED and (before := solid > OWNED).any():
        both = torch.where(before, grown(either, MIXED), both)
    return both[:1], 1 - both[1:]


def colour_nearby(seen: Tensor, clean: Tensor, guess: Tensor, band: int) -> Tensor:
    """A body's own colour (3, h, w) near its outline: of what is seen (3, h, w) where it is surely the body's, `clean`
    (1, h, w), and where that is too far the `guess` (3, h, w)."""
    known = box_mean(torch.cat([seen * clean, clean, torch.ones_like(clean)]), band + 1)
    own = known[:3] / known[3:4].clamp(min=1e-6)
    return torch.where(known[3:4] / known[4:] > 0.01, own, guess)


def share_of(seen: Tensor, behind: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """Where between two colours (3, h, w), what is `behind` and a body's `own`, what is seen lies, 0..1; and how much that
    says, 0..1, since of colours that are too alike the outline decides. (1, h, w) each."""
    difference = own - behind
    distance = difference.square().sum(0, keepdim=True)
    along = ((seen - behind) * difference).sum(0, keepdim=True) / distance.clamp(min=1e-5)
    return along.clamp(0, 1), (distance / 0.01).clamp(max=1)


def crisp(solid: Tensor, where: Tensor, side: int, size: int) -> Tensor:
    """A decoded silhouette (h, w), size x size in its frame `where` (4,), with the soft edge that the layer's own pixels
    have in a picture whose longer side is `side`, and not one as wide as they are when drawn larger."""
    grain = SLOPE * float(where[2:].max()) * side / size
    return ((solid - 0.5) * max(1.0, grain) + 0.5).clamp(0, 1)
