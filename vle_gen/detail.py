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
from vle_gen.filters import box_mean, filled, grown, nearby
from vle_gen.placing import far_to_near, placed, planes_of
from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.loop import PictureCode
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import Window, draw, window_of
from vle_gen.tokenizer.warp import SLOPE
from vle_gen.tokens import IN_PLACE, OWNED, VLETokens

NOTICED = 5 / 255  # an edit's difference that an eye may notice; what is fainter counts near a noticed one only
REACH = 0.02  # how near, as a share of the picture's longer side
FAINT = 0.02  # alpha below which a shadow cannot be told from the floor's own shading
MARGIN = 0.06  # of the picture's longer side: how far around an edit the floor is looked at
CLEAR = 0.05  # the floor outside this height of every window's bump (`_middle`) is taken for undisturbed
REFLECTS = 0.05  # an object's claim to changed light near it, beside its shadow's alpha
SLIGHT = 0.07  # change of the light, as a share of it, that is taken for noise
LIKELY, SURE = 0.03, 0.1  # the same, where the decoder says a shadow of at least this alpha
TAIL = 0.05  # how far, as a share of its window, a change may fade beyond where it is more than slight
WIDER = 1.25  # than its frame: how far an object may change the light around it
EDGES = 0.15  # height of a window's bump below which light that is continued where the floor is not seen fades to none
UNCLAIMED = 0.01  # a claim that belongs to none, so that faint claims change nothing
LEAST_CONTRAST = 0.006  # squared colour distance from which object and floor can be told apart
GLEAM = 0.12  # how much brighter than both object and floor a highlight on an outline is, at least
SHOWN = 0.1  # a body's matte from which on it is seen
UNTRUSTED = 0.07  # change of the light, as a share of it, at which the floor beneath it is known half as well
LEAST_TRUST = 0.01  # in floor where the light is changed much: it counts where there is no other
CONTACT = 2  # pixels beyond the uncertain band in which floor under changed light is not known, since shadows are sharp there
MIXED = 2  # half-width, in pixels, of the band along a settled outline in which a pixel may show both sides
EDGE = 1.25  # half-width of the uncertain band along an object's outline, in pixels of its glimpse


@torch.no_grad()
def owners(net: TokenizerNetwork, pixels: Tensor, code: PictureCode) -> Tensor:
    """Who owns each pixel of the picture (3, H, W) uint8: uint8 (H, W), index of the token, 0 = scene.

    The scopes are drawn at full resolution from near to far; along outlines the picture itself decides.
    """
    height, width = pixels.shape[-2:]
    owner = torch.zeros(height, width, dtype=torch.long)
    windows = [window_of(where, height, width) for where in code.where]
    for index in range(1, len(code.what)):  # near to far
        if windows[index].empty:
            continue
        scope = draw(code.scope[index][None], code.where[index], height, width, windows[index])[0].cpu()
        part = owner[windows[index].slices]
        part[(scope > OWNED) & (part == 0)] = index
    for index in range(1, len(code.what)):
        band = _band(code.where[index], height, width, net.sizes.glimpse)
        mine, seen = owner[windows[index].slices], pixels[windows[index].planes]
        near = around_mask(mine == index, 2 * band + 2)  # no more than `sharpen` looks at
        if not near.empty:
            sharpen(seen[near.planes].float() / 255, mine[near.slices], index, band)
            settle(seen[near.planes].float() / 255, mine[near.slices], index, band)
    return owner.to(torch.uint8)


def sharpen(picture: Tensor, owner: Tensor, index: int, band: int) -> None:
    """Settles, in place, whether pixels along the outline of `index` are the object's or the floor's, by whose colour
    nearby theirs is like. picture (3, h, w), 0..1; owner (h, w). Where the two are alike the outline stays as it is."""
    mine, floor = (owner == index).float()[None], (owner == 0).float()[None]
    inner = 1 - grown(1 - mine, band)
    near = grown(mine, band)
    if inner.sum() == 0 or near.min() == 1:
        return
    beyond = floor * (1 - near)
    body, ground = nearby(picture, inner, band), nearby(picture, beyond, band + 1)
    difference = body - ground
    contrast = difference.square().sum(0)
    share = ((picture - ground) * difference).sum(0) / contrast.clamp(min=1e-5)
    share = torch.where(gleams(picture, torch.maximum(body, ground)), 1.0, share)
    sure = (near > inner)[0] & (contrast > LEAST_CONTRAST) & (nearby(beyond, torch.ones_like(beyond), band + 1)[0] > 0.02)
    owner[sure & (share > OWNED) & (owner == 0)] = index
    owner[sure & (share <= OWNED) & (owner == index)] = 0


def settle(picture: Tensor, owner: Tensor, index: int, band: int) -> None:
    """Settles, in place, whether pixels along the outline of `index` are its own or a farther object's, by which of the two
    has the likest colour nearby. Bodies are shaded and mirror others, so a pixel is compared with all pixels about it that
    are surely the one's or the other's and not with their means. picture (3, h, w), 0..1; owner (h, w), near to far."""
    mine, farther = (owner == index).float()[None], (owner > index).float()[None]
    inner, near = 1 - grown(1 - mine, band), grown(mine, band)
    reach = 2 * band + 1
    rows, columns = ((near - inner) * (mine + farther) * grown(farther, reach))[0].nonzero(as_tuple=True)
    if not len(rows):
        return
    sides = torch.stack([inner[0], farther[0] * (1 - near[0]), (owner == 0) * (1 - near[0])])
    planes = F.pad(torch.cat([picture, sides, owner[None]]), [reach] * 4)
    width, span = planes.shape[-1], torch.arange(2 * reach + 1)
    at = (rows * width + columns)[:, None] + (span[:, None] * width + span).flatten()  # (N, M): all pixels about each
    about = planes.flatten(1)[:, at]  # (7, N, M)
    colour = picture[:, rows, columns]
    distance = (about[:3] - colour[..., None]).square().sum(0)
    (own, other, floor), which = torch.where(about[3:6] > 0, distance, float("inf")).min(-1)
    likest = about.gather(2, which[:2].T[None].expand(len(about), -1, -1))  # (7, N, 2)
    contrast = (likest[:3, :, 0] - likest[:3, :, 1]).square().sum(0)
    sure = (contrast > LEAST_CONTRAST) & (torch.minimum(own, other) < floor) & own.isfinite() & other.isfinite()
    signs = torch.zeros_like(mine)
    signs[0, rows, columns] = torch.where(sure, (other - own) / contrast.clamp(min=LEAST_CONTRAST), 0.0)
    signs = box_mean(signs.clamp(-1, 1), 1)[0, rows, columns]  # neighbours on an outline mostly agree
    was = owner[rows, columns]
    now = torch.where(signs > 0, index, torch.where(was == index, likest[6, :, 1].long(), was))
    owner[rows, columns] = torch.where(sure & (signs != 0), now, was)


def gleams(picture: Tensor, expected: Tensor) -> Tensor:
    """Where a picture (3, h, w) is much brighter in some colour than `expected`, the brighter of floor and object: bool
    (h, w). Along an outline that is the object's highlight, which no mixture of the two explains."""
    return (picture - expected).amax(0) > GLEAM


@torch.no_grad()
def render_edited(net: TokenizerNetwork, tokens: VLETokens) -> Tensor:
    """The edited picture (3, H, W) uint8 of tokens that carry their source's detail."""
    detail = tokens.detail
    changed = changed_windows(tokens)
    picture = detail.picture.clone()
    if not changed:
        return picture
    arena = around(changed, tokens.size)
    device = next(net.parameters()).device
    source = picture[arena.planes].to(device).float() / 255
    base, bodies = take_apart(net, tokens, source, arena)
    before = composite(base, [bodies[k] for k in far_to_near(detail.depth) if k in bodies], arena)
    after = composite(base, placed(net, tokens, [bodies, *foreign_bodies(net, tokens)], arena), arena)
    change = after - before
    unexplained = (source - before) * given_up(tokens, bodies, arena, source)
    change = (change - unexplained) * noticed(change, tokens.size)
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


def touched(where: Tensor, size: tuple[int, int]) -> Window:
    """The pixels of a picture of height and width `size` that an object of frame `where` (4,) may show on or cast light on."""
    return window_of(torch.cat([where[:2], where[2:] * WIDER]), *size, 2)


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


def changed_windows(tokens: VLETokens) -> list[Window]:
    """Where an edit can change the picture: the old and new frames of every token that is not as its source has it."""
    changed, gone = changed_tokens(tokens)
    frames = [tokens.where[0, index] for index in changed]
    for index in changed:  # a copy stands as near to the first as it did
        source = -1 if tokens.origin[0, index] else int(tokens.source[0, index])
        if source > 0:
            frames.append(tokens.detail.where[source])
    frames += [tokens.detail.where[source] for source in gone]
    windows = [touched(where, tokens.size) for where in frames]
    return [window for window in windows if not window.empty]


def given_up(tokens: VLETokens, bodies: dict[int, Body], arena: Window, picture: Tensor) -> Tensor:
    """1 where a body was that has changed, (1, h, w) over the arena: along its outline the picture may hold what the
    layers do not explain, a contour that would stay where the body has gone from."""
    zone = torch.zeros_like(picture[:1])
    for k in changed_tokens(tokens)[1]:
        if k in bodies:
            part = bodies[k].window.within(arena).planes
            zone[part] = torch.maximum(zone[part], grown((bodies[k].matte > SHOWN).float(), CONTACT + 1))
    return zone


def around_mask(mask: Tensor, margin: int) -> Window:
    """The smallest rectangle of a mask (h, w) that holds all that it marks and `margin` pixels on each side; empty where
    it marks nothing."""
    (height, width), ends = mask.shape, []
    if mask.numel() == 0:
        return Window(0, 0, 0, 0)
    for axis in (1, 0):
        marked = mask.byte().amax(axis).nonzero()
        if not len(marked):
            return Window(0, 0, 0, 0)
        ends += [int(marked[0]) - margin, int(marked[-1]) + 1 + margin]
    return Window(*ends).inside(Window(0, height, 0, width))


def take_apart(
    net: TokenizerNetwork, tokens: VLETokens, source: Tensor, arena: Window
) -> tuple[Tensor, dict[int, Body]]:
    """The floor without shadows (3, h, w) over `arena`, and the layers of the source's tokens that reach into it.

    `source` (3, h, w), 0..1, is the arena's part of the source picture.
    """
    detail, (height, width) = tokens.detail, tokens.size
    owner = detail.owner[arena.slices].to(source.device).long()
    what, where = detail.what.to(source.device), detail.where.to(source.device)
    windows = {k: touched(where[k], (height, width)).inside(arena) for k in range(1, len(where))}
    windows = {k: w for k, w in windows.items() if not w.empty}
    near_to_far = [k for k in reversed(far_to_near(detail.depth)) if k in windows]
    drawn = {}
    if near_to_far:
        layers = net.glimpse_decoder(what[near_to_far])
        for row, k in enumerate(near_to_far):
            drawn[k] = draw(planes_of(layers, row), where[k], height, width, windows[k])  # (8, h, w)
            drawn[k][4] = crisp(drawn[k][4], where[k], max(height, width), layers.solid.shape[-1])

    says = stretch_to(net.background_decoder(what[:1]), height, width, *arena.slices)[0]
    band = {k: _band(where[k], height, width, net.sizes.glimpse) for k in near_to_far}
    floor = (owner == 0).float()[None]
    for k in near_to_far:  # pixels near an outline show object and floor mixed
        local = windows[k].within(arena)
        floor[local.planes] *= 1 - grown((owner[local.slices] == k).float()[None], band[k])
    lights = observed_lights(source, says, floor, {k: (windows[k].within(arena), drawn[k]) for k in near_to_far})

    # From near to far, undo what each token does to the light: `seen` is the picture as it would be without the nearer ones.
    seen, without = source.clone(), {}
    nearer, covered = torch.zeros_like(seen[:2]), {}
    for k in near_to_far:
        part = windows[k].within(arena).planes
        without[k], covered[k] = seen[part].clone(), nearer[part].clone()
        seen[part] = seen[part] / lights[k]
        mine = (owner[part[1:]] == k).float()[None]
        nearer[part] = torch.maximum(nearer[part], torch.cat([mine, grown(mine, band[k])]))
    trust, outlines = torch.ones_like(floor), torch.zeros_like(floor)
    for k in near_to_far:
        part = windows[k].within(arena).planes
        trust[part] *= torch.exp(-lights[k].log().square().sum(0, keepdim=True) / UNTRUSTED**2)
        outlines[part] = torch.maximum(outlines[part], grown((owner[part[1:]] == k).float()[None], band[k] + CONTACT))
    smooth = says + filled(seen - says, trust.clamp(min=LEAST_TRUST) * floor)
    base = smooth + (seen - smooth) * floor * torch.where(outlines > 0, trust, 1.0)

    bodies, canvas, solid = {}, base.clone(), torch.zeros_like(floor)
    for k in reversed(near_to_far):
        local = windows[k].within(arena).slices
        part = windows[k].within(arena).planes
        canvas[part] = canvas[part] * lights[k]
        mine = (owner[local] == k).float()[None]
        colour, matte = torch.zeros_like(without[k]), torch.zeros_like(mine)
        near = around_mask((mine[0] > 0) | (covered[k][0] > 0), 2 * band[k] + 1)  # no more than `cut_out` looks at
        if not near.empty:
            given = (without[k], canvas[part], solid[part], mine, covered[k], drawn[k])
            colour[near.planes], matte[near.planes] = cut_out(*(planes[near.planes] for planes in given), band[k])
        canvas[part] = canvas[part] * (1 - matte) + colour
        solid[part] = torch.maximum(solid[part], matte)
        bodies[k] = Body(windows[k], torch.zeros_like(colour), lights[k], colour, matte)
    return base, bodies


def observed_lights(
    source: Tensor, says: Tensor, floor: Tensor, drawn: dict[int, tuple[Window, Tensor]]
) -> dict[int, Tensor]:
    """What each token does to the light, as the picture shows it: factors (3, h, w) of its window.

    The decoder knows where a shadow should fall; what it does there, and what the object reflects onto the floor, is read
    off the floor around it (`floor` is 1 on pixels (1, h, w) that show nothing else), so that nothing is lifted from where
    the picture has nothing. Where several objects may be the cause, each has a share.
    """
    total, near, claims = torch.zeros_like(floor), torch.zeros_like(floor), torch.full_like(floor, UNCLAIMED)
    reach = {k: _middle(planes) for k, (_, planes) in drawn.items()}
    for k, (window, planes) in drawn.items():
        total[window.planes] += planes[3:4]
        near[window.planes] = torch.maximum(near[window.planes], reach[k])
        claims[window.planes] += planes[3:4] + REFLECTS * reach[k]
    clear = floor * (total < FAINT) * (near < CLEAR)
    ground = (says + filled(source - says, clear)).clamp(min=0.02)
    change = (nearby(source, floor, 0).clamp(min=0.02) / ground).log() * floor
    lights = {}
    for k, (window, planes) in drawn.items():
        share = (planes[3:4] + REFLECTS * reach[k]) / claims[window.planes]
        mine = share * change[window.planes]
        least = torch.where(planes[3:4] > SURE, LIKELY, SLIGHT)
        felt = (box_mean(mine.abs().amax(0, keepdim=True), 2) > least).float()
        tail = max(2, round(TAIL * min(felt.shape[-2:])))
        mine = mine * (box_mean(grown(felt, tail), tail) / box_mean(torch.ones_like(felt), tail))
        light = mine.exp().clamp(1 - DARKEST, BRIGHTEST)
        seen = floor[window.planes]
        unseen = 1 - planes[3:4].clamp(max=DARKEST)
        if seen.max() > 0:
            unseen = torch.maximum(unseen, 1 + (filled(light, seen) - 1) * (reach[k] / EDGES).clamp(max=1))
        lights[k] = torch.where(seen > 0, light, unseen)
    return lights


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
        drawn: (8, h, w) the decoded layer, as `planes_of` has it.
    """
    hidden, mixed = covered[:1], covered[1:] * (1 - covered[:1])
    shape = torch.maximum(mine, covered[1:] * (drawn[4:5] > OWNED))  # the outline, whole
    narrow, before = min(band, MIXED), solid > OWNED
    inner = 1 - torch.where(before, grown(1 - shape, narrow), grown(1 - shape, band))
    if (inner * mine).sum() == 0:
        inner = shape
    outer = torch.where(before, grown(shape, narrow), grown(shape, band))
    clean = inner * mine * (1 - covered[1:])
    own = nearby(seen, clean, band)
    guess = drawn[5:8]
    if covered.max() > 0 and clean.max() > 0:  # no seam between what was seen and what was not
        guess = (guess + filled(seen - guess, clean)).clamp(0, 1)
    own = torch.where(nearby(clean, torch.ones_like(clean), band) > 0.01, own, guess)
    difference = own - behind
    distance = difference.square().sum(0, keepdim=True)
    along = ((seen - behind) * difference).sum(0, keepdim=True) / distance.clamp(min=1e-5)
    contrast = (distance / 0.01).clamp(max=1)  # too alike: the outline decides
    soft = nearby(shape, torch.ones_like(shape), 0)
    matte = torch.where(inner > 0, 1.0, outer * (contrast * along.clamp(0, 1) + (1 - contrast) * soft))
    gleam = outer * gleams(seen, torch.maximum(own, behind))
    matte = torch.where(gleam > 0, 1.0, matte)
    matte = torch.where(mine > 0, matte.clamp(min=OWNED), matte)  # whose the pixel is was settled with more in view
    colour = torch.where((inner > 0) | (gleam > 0), seen, seen - (1 - matte) * behind)
    colour = torch.minimum(colour.clamp(min=0), matte)
    matte = torch.where(hidden > 0, drawn[4:5], torch.where(mixed > 0, soft, matte))
    colour = torch.where(covered[1:] > 0, guess * matte, colour)
    return colour, matte


def crisp(solid: Tensor, where: Tensor, side: int, size: int) -> Tensor:
    """A decoded silhouette (h, w), size x size in its frame `where` (4,), with the soft edge that the layer's own pixels
    have in a picture whose longer side is `side`, and not one as wide as they are when drawn larger."""
    grain = SLOPE * float(where[2:].max()) * side / size
    return ((solid - 0.5) * max(1.0, grain) + 0.5).clamp(0, 1)


def noticed(change: Tensor, size: tuple[int, int]) -> Tensor:
    """How much of a change (3, h, w) is kept: all of it where it can be noticed, fading to none away from there, so that
    the faint tails of a soft shadow touch no far pixel. (1, h, w), 0..1."""
    reach = max(2, round(REACH * max(size)))
    seen = (change.abs().amax(0, keepdim=True) > NOTICED).float()
    inside = box_mean(grown(seen, reach), reach) / box_mean(torch.ones_like(seen), reach)
    return (2 * inside - 1).clamp(0, 1).maximum(seen)


def _middle(planes: Tensor) -> Tensor:
    """1 in the middle of a token's window, smoothly down to 0 at its edge: (1, h, w) for planes (C, h, w)."""
    bumps = []
    for count in planes.shape[-2:]:
        at = (torch.arange(count, device=planes.device) + 0.5) / count * 2 - 1
        bumps.append((1 - at.square()).square())
    return (bumps[0][:, None] * bumps[1])[None]


def _band(where: Tensor, height: int, width: int, glimpse: int) -> int:
    """Half-width in picture pixels of the uncertain band along the outline of a token of frame `where`."""
    frame = float(where[2:].max()) * max(height, width)
    return max(1, round(EDGE * max(1.0, SLOPE * frame / glimpse)))
