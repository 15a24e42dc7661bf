"""Carried detail: an edited picture at the source's full resolution, in which nothing changes but what the edit changes.

The source is taken apart into layers that composite to it again: the floor without shadows, and for each token a shadow
and a body with a soft edge. The edit composites them anew, and only the difference is added to the source.
"""
from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.body import BRIGHTEST, DARKEST, Body, composite
from vle_gen.camera import sampled_at
from vle_gen.filters import box_mean, filled, grown, inside_mean, nearby
from vle_gen.outlines import around_mask, gleams
from vle_gen.outlines import owners as owners
from vle_gen.placing import far_to_near, placed, planes_of
from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import SHADOWS_END, Window, band_of, draw, draw_beyond, in_frame, widened, window_of
from vle_gen.tokenizer.warp import SLOPE
from vle_gen.tokens import IN_PLACE, OWNED, VLETokens

NOTICED = 10 / 255  # an edit's difference that an eye notices at once; what is fainter counts less away from a noticed one
STRONG = 22 / 255  # one that is noticed even where another token may be its cause
LIFTED, FALLEN, FIRM = 0.029, 0.021, 0.031  # how far from a noticed one, as a share of the picture's longer side, fainter light
# that an edit lets in counts, and fainter light that it takes (where a shadow falls is less sure than where it lay); and both
# from a strong one
FADES = 0.0167  # over the last of these ways, as a share of that side, it comes to count for nothing
RIVAL = 0.1  # of a token's own shadow: from so much shadow of others on they may be the cause, and from twice as much they are
FAINT = 0.02  # alpha below which a shadow cannot be told from the floor's own shading
MARGIN = 0.06  # of the picture's longer side: how far around an edit the floor is looked at
CLEAR = 0.05  # the floor outside this height of every window's bump (`_middle`) is taken for undisturbed
SHADES, REFLECTS = 0.005, 0.05  # an object's claim to darker and to brighter light near it, beside its shadow's alpha
LIKELIEST = 1.5  # power of claims to darker light: shadows seldom overlap, so the likelier cause has more than its share
SLIGHT = 0.07  # change of the light, as a share of it, that is taken for noise where the decoder says no shadow
LIKELY = 0.05  # alpha of a shadow that the decoder says from which on any change is the shadow's
TAIL = 0.05  # how far, as a share of its window, a change may fade beyond where it is more than slight
WIDER = 1.25  # than its frame: how far an object may change the light around it
BRINK = 0.97  # of the way to a frame's edge: up to there a decoded shadow is a cause as it is, and from there on as it fades
EDGES = 0.15  # height of a window's bump below which light that is continued where the floor is not seen fades to none
UNSHADED, UNLIT = 0.002, 0.01  # claims to darker and brighter light that belong to none, so that faint ones change nothing
SHOWN = 0.1  # a body's matte from which on it is seen
UNTRUSTED = 0.07  # change of the light, as a share of it, at which the floor beneath it counts 1 / e when a hole is filled
LEAST_TRUST = 0.01  # in floor where the light is changed much: it counts where there is no other
CONTACT = 3  # pixels beyond the uncertain band in which floor under changed light is not known, since shadows are sharp there
MIXED = 2  # half-width, in pixels, of the band along a settled outline in which a pixel may show both sides


@torch.no_grad()
def render_edited(net: TokenizerNetwork, tokens: VLETokens) -> Tensor:
    """The edited picture (3, H, W) uint8 of tokens that carry their source's detail."""
    detail = tokens.detail
    changed, gone = changed_tokens(tokens)
    windows = changed_windows(tokens, changed, gone)
    picture = detail.picture.clone()
    if not windows:
        return picture
    arena = around(windows, tokens.size)
    device = next(net.parameters()).device
    source = picture[arena.planes].to(device).float() / 255
    base, bodies = take_apart(net, tokens, source, arena)
    before = composite(base, [bodies[k] for k in far_to_near(detail.depth) if k in bodies], arena)
    after = composite(base, placed(net, tokens, [bodies, *foreign_bodies(net, tokens)], arena), arena)
    change = after - before
    unexplained = (source - before) * given_up(gone, bodies, arena, source)
    change = (change - unexplained) * noticed(change, doubted(tokens, changed, gone, bodies, arena, source), tokens.size)
    edited = ((source + change).clamp(0, 1) * 255).round().byte().cpu()
    touched = (change != 0).any(0).cpu()
    picture[arena.planes] = torch.where(touched, edited, picture[arena.planes])
    return picture


@torch.no_grad()
def render_without_source(net: TokenizerNetwork, tokens: VLETokens) -> Tensor:
    """The picture (3, H, W), 0..1, of tokens without a source picture of their own, of which some may be retouched or
    come from other pictures."""
    device = next(net.parameters()).device
    floor = stretch_to(net.background_decoder(tokens.what[0, :1].to(device)), *tokens.size)[0]
    whole = Window(0, tokens.size[0], 0, tokens.size[1])
    return composite(floor, placed(net, tokens, [{}, *foreign_bodies(net, tokens)], whole), whole)


def foreign_bodies(net: TokenizerNetwork, tokens: VLETokens) -> list[dict[int, Body]]:
    """The layers of pasted tokens, cut from each of `tokens.foreign`, by source token."""
    device, found = next(net.parameters()).device, []
    for origin, detail in enumerate(tokens.foreign, 1):
        used = {int(tokens.source[0, k]) for k in range(1, len(tokens)) if int(tokens.origin[0, k]) == origin}
        windows = [touched(detail.where[k], detail.size) for k in used]
        windows = [window for window in windows if not window.empty]
        if not windows:
            found.append({})
            continue
        arena = around(windows, detail.size)
        view = replace(tokens.resized(*detail.size), detail=detail)
        _, bodies = take_apart(net, view, detail.picture[arena.planes].to(device).float() / 255, arena)
        found.append({k: bodies[k] for k in used if k in bodies})
    return found


def touched(where: Tensor, size: tuple[int, int], wider: float = WIDER) -> Window:
    """The pixels of a picture of height and width `size` that an object of frame `where` (4,) may show on or cast light on,
    up to `wider` times the frame."""
    return window_of(widened(where, wider), *size, 2)


def around(windows: list[Window], size: tuple[int, int]) -> Window:
    """The rectangle of a picture of height and width `size` that holds the windows and enough of the floor about them."""
    margin = round(MARGIN * max(size))
    return Window(
        min(w.top for w in windows) - margin, max(w.bottom for w in windows) + margin,
        min(w.left for w in windows) - margin, max(w.right for w in windows) + margin,
    ).inside(Window(0, size[0], 0, size[1]))  # fmt: skip


def changed_tokens(tokens: VLETokens) -> tuple[list[int], list[int]]:
    """The tokens that are not as their source has them, and the source tokens that are no longer as they were."""
    detail, kept, changed = tokens.detail, set(), []
    gone = set(range(1, len(detail.where)))
    for index in range(1, len(tokens)):
        source = -1 if tokens.origin[0, index] else int(tokens.source[0, index])
        as_it_was = tokens.placement(index) == IN_PLACE and not tokens.retouched(index) and source not in kept
        kept.add(source)
        if source > 0 and as_it_was and float(tokens.depth[0, index]) == float(detail.depth[source]):
            gone.discard(source)
        else:
            changed.append(index)
    return changed, sorted(gone)


def changed_windows(tokens: VLETokens, changed: list[int], gone: list[int]) -> list[Window]:
    """Where an edit can change the picture: the old and new frames of every token that is not as its source has it."""
    frames = [tokens.where[0, index] for index in changed]
    for index in changed:  # a copy stands as near to the first as it did
        source = -1 if tokens.origin[0, index] else int(tokens.source[0, index])
        if source > 0:
            frames.append(tokens.detail.where[source])
    frames += [tokens.detail.where[source] for source in gone]
    windows = [touched(where, tokens.size) for where in frames]
    windows += [touched(tokens.where[0, k], tokens.size, SHADOWS_END) for k in changed if tokens.placement(k) is None]
    return [window for window in windows if not window.empty]


def given_up(gone: list[int], bodies: dict[int, Body], arena: Window, picture: Tensor) -> Tensor:
    """1 where a body was that is no longer as it was, (1, h, w) over the arena: along its outline the picture may hold what the
    layers do not explain, a contour that would stay where the body has gone from."""
    zone = torch.zeros_like(picture[:1])
    for k in gone:
        if k in bodies:
            part = bodies[k].window.within(arena).planes
            zone[part] = torch.maximum(zone[part], grown((bodies[k].matte > SHOWN).float(), CONTACT + 1))
    return zone


def doubted(
    tokens: VLETokens, changed: list[int], gone: list[int], bodies: dict[int, Body], arena: Window, picture: Tensor
) -> Tensor:
    """Where what an edit changes of the light may be another token's, at the old places and at the new ones: (1, h, w), 0..1,
    over the arena."""
    detail, side = tokens.detail, max(tokens.size)
    frames = [(source, detail.where[source]) for source in gone]
    frames += [(int(tokens.source[0, index]), tokens.where[0, index]) for index in changed if not tokens.origin[0, index]]
    zone = torch.zeros_like(picture[:1])
    for source, where in frames:
        window = touched(where, tokens.size).inside(arena)
        if source not in bodies or window.empty:
            continue
        body = bodies[source]
        x, y = in_frame(where.to(zone), *tokens.size, window)
        wide, high = (float(v) * side / 2 for v in detail.where[source][2:])  # pixels
        left, top = (float(v[0]) for v in in_frame(detail.where[source], *tokens.size, body.window))
        at = sampled_at((x - left) * wide + 0.5, (y[:, None] - top) * high + 0.5, body.doubt)
        part = zone[window.within(arena).planes]
        torch.maximum(part, F.grid_sample(body.doubt[None], at, "bilinear", "zeros", False)[0], out=part)
    return zone


def take_apart(
    net: TokenizerNetwork, tokens: VLETokens, source: Tensor, arena: Window
) -> tuple[Tensor, dict[int, Body]]:
    """The floor without shadows (3, h, w) over `arena`, and the layers of the source's tokens that reach into it.

    `source` (3, h, w), 0..1, is the arena's part of the source picture.
    """
    detail, (height, width) = tokens.detail, tokens.size
    owner = detail.owner[arena.slices].to(source.device)
    what, where = detail.what.to(source.device), detail.where.to(source.device)
    windows = {k: touched(where[k], (height, width)).inside(arena) for k in range(1, len(where))}
    windows = {k: w for k, w in windows.items() if not w.empty}
    near_to_far = [k for k in reversed(far_to_near(detail.depth)) if k in windows]
    inside = {k: windows[k].within(arena).planes for k in near_to_far}
    drawn, shades = {}, {}
    if near_to_far:
        layers = net.glimpse_decoder(what[near_to_far])
        for row, k in enumerate(near_to_far):
            planes = planes_of(layers, row)[3:]
            drawn[k] = draw(planes, where[k], height, width, windows[k])  # (5, h, w): shadow, solid, colour
            shades[k] = drawn[k][:1].maximum(draw_beyond(planes[:1], where[k], height, width, windows[k], BRINK, WIDER))
            drawn[k][1] = crisp(drawn[k][1], where[k], max(height, width), layers.solid.shape[-1])

    says = stretch_to(net.background_decoder(what[:1]), height, width, *arena.slices)[0]
    band = {k: band_of(where[k], height, width, net.sizes.glimpse) for k in near_to_far}
    owned = {}  # (2, h, w): 1 on a token's pixels, and on those near its outline, which show object and floor mixed
    floor = (owner == 0).float()[None]
    for k in near_to_far:
        mine = (owner[inside[k][1:]] == k).float()[None]
        owned[k] = torch.cat([mine, grown(mine, band[k])])
        floor[inside[k]] *= 1 - owned[k][1:]
    lights, doubt = observed_lights(source, says, floor, {k: (windows[k].within(arena), shades[k]) for k in near_to_far})

    # From near to far, undo what each token does to the light: `seen` is the picture as it would be without the nearer ones.
    seen, without = source.clone(), {}
    nearer, covered = torch.zeros_like(seen[:2]), {}
    trust, outlines = torch.ones_like(floor), torch.zeros_like(floor)
    for k in near_to_far:
        without[k], covered[k] = seen[inside[k]].clone(), nearer[inside[k]].clone()
        seen[inside[k]] /= lights[k]
        nearer[inside[k]] = torch.maximum(covered[k], owned[k])
        trust[inside[k]] *= torch.exp(-lights[k].log().square().sum(0, keepdim=True) / UNTRUSTED**2)
        outlines[inside[k]] = torch.maximum(outlines[inside[k]], grown(owned[k][1:], CONTACT))
    smooth = says + filled(seen - says, trust.clamp(min=LEAST_TRUST) * floor)
    base = smooth + (seen - smooth) * floor * torch.where(outlines > 0, trust, 1.0)

    bodies, canvas, solid = {}, base.clone(), torch.zeros_like(floor)
    for k in reversed(near_to_far):
        behind, settled = canvas[inside[k]], solid[inside[k]]  # views: what is done to them is done to the arena's
        behind *= lights[k]
        colour, matte = torch.zeros_like(behind), torch.zeros_like(settled)
        near = around_mask((owned[k][0] > 0) | (covered[k][0] > 0), 2 * band[k] + 1)  # no more than `cut_out` looks at
        if not near.empty:
            given = (without[k], behind, settled, owned[k][:1], covered[k], drawn[k][1:])
            colour[near.planes], matte[near.planes] = cut_out(*(planes[near.planes] for planes in given), band[k])
            behind.mul_(1 - matte).add_(colour)
            torch.maximum(settled, matte, out=settled)
        bodies[k] = Body(windows[k], torch.zeros_like(colour), lights[k], colour, matte, doubt[k])
    return base, bodies


def observed_lights(
    source: Tensor, says: Tensor, floor: Tensor, shades: dict[int, tuple[Window, Tensor]]
) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    """What each token does to the light, as the picture shows it: factors (3, h, w) of its window; and how much that may be
    another's, 0..1, (1, h, w).

    The decoder knows where a shadow should fall (`shades`: each token's window, and the alpha (1, h, w) of its shadow there);
    what it does there, and what the object reflects onto the floor, is read off the floor around it (`floor` is 1 on pixels
    (1, h, w) that show nothing else), so that nothing is lifted from where the picture has nothing. Where several objects
    may be the cause, each has a share: of darker light by its shadow, of brighter light by how near it is too.
    """
    total, near, around, claims = (torch.zeros_like(floor) for _ in range(4))
    reach = {k: _middle(shade) for k, (_, shade) in shades.items()}
    claim = {k: (shade + SHADES * reach[k]) ** LIKELIEST for k, (_, shade) in shades.items()}
    for k, (window, shade) in shades.items():
        total[window.planes] += shade
        near[window.planes] = torch.maximum(near[window.planes], reach[k])
        around[window.planes] += reach[k]
        claims[window.planes] += claim[k]
    clear = floor * (total < FAINT) * (near < CLEAR)
    ground = (says + filled(source - says, clear)).clamp(min=0.02)
    smooth = nearby(source, floor, 0)
    smooth = 2 * smooth - nearby(smooth, floor, 0)  # what a mean takes off the bend at a shadow's edge is put back
    change = (smooth.clamp(min=0.02) / ground).log() * floor
    lights, doubt = {}, {}
    for k, (window, shade) in shades.items():
        shadows, objects, part = total[window.planes], around[window.planes], change[window.planes]
        doubt[k] = ((shadows - shade) / (RIVAL * (shade + FAINT)) - 1).clamp(0, 1)
        darker = claim[k] / (UNSHADED**LIKELIEST + claims[window.planes])
        brighter = (shade + REFLECTS * reach[k]) / (UNLIT + shadows + REFLECTS * objects)
        mine = torch.where(part < 0, darker, brighter) * part
        least = SLIGHT * (1 - shade / LIKELY).clamp(min=0)
        felt = (box_mean(mine.abs().amax(0, keepdim=True), 2) > least).float()
        tail = max(2, round(TAIL * min(felt.shape[-2:])))
        mine *= inside_mean(grown(felt, tail), tail)
        light = mine.exp_().clamp_(1 - DARKEST, BRIGHTEST)
        seen = floor[window.planes]
        unseen = 1 - shade.clamp(max=DARKEST)
        if seen.max() > 0:
            unseen = torch.maximum(unseen, 1 + (filled(light, seen) - 1) * (reach[k] / EDGES).clamp(max=1))
        lights[k] = torch.where(seen > 0, light, unseen)
    return lights, doubt


def cut_out(
    seen: Tensor, behind: Tensor, solid: Tensor, mine: Tensor, covered: Tensor, drawn: Tensor, band: int
) -> tuple[Tensor, Tensor]:
    """A body's premultiplied colour (3, h, w) and matte (1, h, w), out of the picture.

    Inside its outline the body is what is seen; in a band along the outline the matte is where the colour lies between
    what is behind and the body's own colour nearby (the compositing equation solved for alpha; Smith & Blinn 1996).
    Where something nearer hides it, or is mixed with it, the decoded layer says what is there, in the colours of what is
    seen about it.

    Args:
        seen: (3, h, w) the picture without what nearer tokens do to the light.
        behind: (3, h, w) what lies behind the body.
        solid: (1, h, w) how much of that are other bodies, the outlines before which have been settled more narrowly.
        mine: (1, h, w) 1 on its pixels.
        covered: (2, h, w) 1 on pixels of nearer tokens, and on those that are mixed with one.
        drawn: (4, h, w) the decoded layer: its silhouette, and its colour.
    """
    hidden, nearer = covered[:1] > 0, covered[1:] > 0
    whole, guess = drawn[:1], drawn[1:]
    met = bool(nearer.any())  # most bodies are in full view, and done with less
    shape = torch.maximum(mine, nearer * (whole > OWNED)) if met else mine  # the outline, whole
    either = torch.cat([shape, 1 - shape])
    outer, beyond = grown(either, band).split(1)
    if band > MIXED and (before := solid > OWNED).any():
        outer, beyond = torch.where(before, grown(either, MIXED), torch.cat([outer, beyond])).split(1)
    inner = 1 - beyond
    if (inner * mine).sum() == 0:
        inner = shape
    clean = inner * mine * (1 - covered[1:])
    known = box_mean(torch.cat([seen * clean, clean, torch.ones_like(clean)]), band + 1)
    own = known[:3] / known[3:4].clamp(min=1e-6)  # its colour nearby
    if met and clean.max() > 0:  # no seam between what was seen and what was not
        guess = (guess + filled(seen - guess, clean)).clamp(0, 1)
    own = torch.where(known[3:4] / known[4:] > 0.01, own, guess)
    difference = own - behind
    distance = difference.square().sum(0, keepdim=True)
    along = ((seen - behind) * difference).sum(0, keepdim=True) / distance.clamp(min=1e-5)
    contrast = (distance / 0.01).clamp(max=1)  # too alike: the outline decides
    soft = inside_mean(shape, 1)
    matte = torch.where(inner > 0, 1.0, outer * (contrast * along.clamp(0, 1) + (1 - contrast) * soft))
    gleam = outer * gleams(seen, torch.maximum(own, behind))
    matte = torch.where(gleam > 0, 1.0, matte)
    matte = torch.where(mine > 0, matte.clamp(min=OWNED), matte)  # whose the pixel is was settled with more in view
    colour = torch.where((inner > 0) | (gleam > 0), seen, seen - (1 - matte) * behind)
    colour = torch.minimum(colour.clamp(min=0), matte)
    if met:
        matte = torch.where(hidden, whole, torch.where(nearer, soft, matte))
        colour = torch.where(nearer, guess * matte, colour)
    return colour, matte


def crisp(solid: Tensor, where: Tensor, side: int, size: int) -> Tensor:
    """A decoded silhouette (h, w), size x size in its frame `where` (4,), with the soft edge that the layer's own pixels
    have in a picture whose longer side is `side`, and not one as wide as they are when drawn larger."""
    grain = SLOPE * float(where[2:].max()) * side / size
    return ((solid - 0.5) * max(1.0, grain) + 0.5).clamp(0, 1)


def noticed(change: Tensor, doubt: Tensor, size: tuple[int, int]) -> Tensor:
    """How much of a change (3, h, w) is kept: all of it where it is noticed and near by, fading to none away from there, so
    slowly that the fading shows no edge, and the faint tails of a soft shadow touch no far pixel. What may be another token's,
    as `doubt` (1, h, w) says, is noticed only where it is strong. Of a change that is faint all over the stronger half counts
    as noticed. (1, h, w), 0..1."""
    strength = change.abs().amax(0, keepdim=True)
    half = strength.max() / 2
    noticed = (strength > (NOTICED + (STRONG - NOTICED) * doubt).minimum(half)).float()
    strong = (strength > half.clamp(max=STRONG)).float()
    taken, let_in, sure, fades = (max(2, round(share * max(size))) for share in (FALLEN, LIFTED, FIRM, FADES))
    around = grown(noticed, taken)
    around = torch.cat([grown(around, let_in - taken), around, grown(strong, sure)])
    lifted, fallen, firm = (2 * inside_mean(around, fades) - 1).clamp(0, 1).split(1)
    return torch.where(change.sum(0, keepdim=True) > 0, lifted, fallen).maximum(firm).maximum(noticed)


def _middle(planes: Tensor) -> Tensor:
    """1 in the middle of a token's window, smoothly down to 0 at its edge: (1, h, w) for planes (C, h, w)."""
    bumps = []
    for count in planes.shape[-2:]:
        at = (torch.arange(count, device=planes.device) + 0.5) / count * 2 - 1
        bumps.append((1 - at.square()).square())
    return (bumps[0][:, None] * bumps[1])[None]
