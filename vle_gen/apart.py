"""A source picture taken apart into layers that composite to it again: the floor, and each token's light and body."""
from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vle_gen import patterns
from vle_gen.body import BRIGHTEST, DARKEST, Body
from vle_gen.exemplars import filled_in
from vle_gen.filters import box_mean, filled, grown, inside_mean, nearby
from vle_gen.grain import grain_of
from vle_gen.hidden_floor import tempered
from vle_gen.outlines import around_mask, gleams
from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import Window, band_of, draw, draw_beyond, far_to_near, in_frame, widened, window_of
from vle_gen.tokenizer.warp import SLOPE
from vle_gen.tokens import OWNED, VLETokens

RIVAL = 0.1  # of a token's own shadow: from so much shadow of others on they may be the cause, and from twice as much they are
FAINT = 0.02  # alpha below which a shadow cannot be told from the floor's own shading
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
UNTRUSTED = 0.07  # change of the light, as a share of it, at which the floor beneath it counts 1 / e when a hole is filled
GLOWS = 0.04  # difference of its colours from those that the scene token says, at which the same holds of a floor that is grey
LEAST_TRUST = 0.01  # in floor where the light is changed much: it counts where there is no other
CONTACT = 3  # pixels beyond the uncertain band in which floor under changed light is not known, since shadows are sharp there
DEEP = 0.6  # change of the light, in logarithms, at which what of the floor is not foretold is no grain of it, but what
# darkens it
BELIEVED = 0.5  # of what a scene token says, below which it is mostly wrong
DARK = 0.15  # of a decoded shadow, from which on floor is not taken as it is seen for what pieces of others join on to
LEAST_OWNED = 0.3  # matte that a pixel of a cut-out has at least
MIXED = 2  # half-width, in pixels, of the band along a settled outline in which a pixel may show both sides


def touched(where: Tensor, size: tuple[int, int], wider: float = WIDER) -> Window:
    """The pixels of a picture of height and width `size` that an object of frame `where` (4,) may show on or cast light on,
    up to `wider` times the frame."""
    return window_of(widened(where, wider), *size, 2)


class Sight(NamedTuple):
    """What a source shows of the floor and of its tokens on the pixels of `arena`, by what the decoders say; of tokens that
    reach into it, by index."""

    arena: Window
    near_to_far: list[int]
    windows: dict[int, Window]
    drawn: dict[int, Tensor]  # (5, h, w): shadow, solid, colour
    shades: dict[int, Tensor]  # (1, h, w) alpha of the shadow
    owned: dict[int, Tensor]  # (2, h, w): 1 on its pixels, and on those near its outline, which show both it and floor
    band: dict[int, int]  # half-width of that
    says: Tensor  # (3, h, w) the floor, as the scene token says, as far as that is right (see `tempered`)
    bare: Tensor  # (1, h, w): 1 on pixels that show nothing else
    floor: Tensor  # (1, h, w): 1 on those, and on pixels of scenery
    scenery: frozenset[int]
    believed: float = 1.0  # how much of what the scene token says is in `says`

    @property
    def strange(self) -> bool:
        """Whether it is of a world that is not known: one in which there is scenery or, where nothing is seen but the floor and
        what is cut out, the scene token is mostly wrong."""
        return bool(self.scenery) or (len(self.near_to_far) <= 1 and self.believed < BELIEVED)

    @staticmethod
    @torch.no_grad()
    def of(net: TokenizerNetwork, tokens: VLETokens, arena: Window, scenery: frozenset[int] = frozenset()) -> Sight:
        """What the tokens' source shows in `arena`; source tokens of `scenery` are taken for part of the floor."""
        detail, (height, width) = tokens.detail, tokens.size
        device = next(net.parameters()).device
        owner = detail.owner[arena.slices].to(device)
        what, where = detail.what.to(device), detail.where.to(device)
        windows = {k: touched(where[k], (height, width)).inside(arena) for k in range(1, len(where))}
        windows = {k: w for k, w in windows.items() if not w.empty}
        near_to_far = [k for k in reversed(far_to_near(detail.depth)) if k in windows]
        drawn, shades = {}, {}
        if near_to_far:
            layers = net.glimpse_decoder(what[near_to_far])
            for row, k in enumerate(near_to_far):
                planes, place = layers.planes(row)[3:], (where[k], height, width, windows[k])
                drawn[k] = draw(planes, *place)
                shades[k] = drawn[k][:1].maximum(draw_beyond(planes[:1], *place, BRINK, WIDER))
                drawn[k][1] = crisp(drawn[k][1], where[k], max(height, width), layers.solid.shape[-1])
        band = {k: band_of(where[k], height, width, net.sizes.glimpse) for k in near_to_far}
        owned, bare = {}, (owner == 0).float()[None]
        floor = bare if not scenery else torch.isin(owner.long(), owner.new_tensor([0, *scenery]).long()).float()[None]
        for k in near_to_far:
            inside = windows[k].within(arena).planes
            mine = (owner[inside[1:]] == k).float()[None]
            owned[k] = torch.cat([mine, grown(mine, band[k])])
            bare[inside] *= 1 - owned[k][1:]
            if scenery and k not in scenery:
                floor[inside] *= 1 - owned[k][1:]
        says = stretch_to(net.background_decoder(what[:1]), height, width, *arena.slices)[0]
        sight = Sight(arena, near_to_far, windows, drawn, shades, owned, band, says, bare, floor, scenery)
        if net.sizes.one_world:
            return sight
        seen = detail.picture[arena.planes].to(device).float() / 255
        says, believed = tempered(says, seen, sight.in_view)
        return sight._replace(says=says, believed=believed)

    def within(self, k: int) -> tuple[slice, slice, slice]:
        """Where a token's window is in planes of the arena."""
        return self.windows[k].within(self.arena).planes

    @property
    def shadow(self) -> Tensor:
        """How much shadow things cast together, as the decoder says: (1, h, w)."""
        total = torch.zeros_like(self.floor)
        for k, shade in self.shades.items():
            if k not in self.scenery:
                total[self.within(k)] += shade
        return total

    @property
    def in_view(self) -> Tensor:
        """1 on pixels (1, h, w) that show the floor alone, in no shadow."""
        return self.floor * (self.shadow < FAINT)


@torch.no_grad()
def take_apart(
    net: TokenizerNetwork, tokens: VLETokens, source: Tensor, arena: Window,
    scenery: frozenset[int] = frozenset(), bared: Window | None = None,
) -> tuple[Tensor, dict[int, Body]]:
    """The floor without shadows (3, h, w) over `arena`, and the layers of the source's tokens that reach into it; tokens of
    `scenery` are part of the floor, light that they cast and all. `bared`, within the arena, is where an edit lets what is
    hidden be seen: in a world that is not known, pieces of what is seen there fill it.

    `source` (3, h, w), 0..1, is the arena's part of the source picture.
    """
    sight = Sight.of(net, tokens, arena, scenery)
    near_to_far, windows, drawn, owned, band, floor = (
        sight.near_to_far, sight.windows, sight.drawn, sight.owned, sight.band, sight.floor,
    )  # fmt: skip
    inside = {k: sight.within(k) for k in near_to_far}
    says, patterned, grain = floor_beneath(net, tokens, source, sight)
    beside = bared is not None and sight.strange and patterns.has_pattern(source - says, sight.in_view)
    shades = {k: (windows[k].within(arena), sight.shades[k]) for k in near_to_far}
    if net.sizes.one_world:
        reach = {k: middle_of(tokens.detail.where[k].to(source), tokens.size, windows[k]) for k in near_to_far}
    else:  # of things that are not known, what is seen of one is all that is taken for its surroundings
        reach = {k: _middle(sight.shades[k]) for k in near_to_far}
    lights, doubt = observed_lights(source, says, sight.bare, shades, reach, patterned, brighter=bool(net.sizes.focal))
    near_to_far = [k for k in near_to_far if k not in scenery]

    # From near to far, undo what each token does to the light: `seen` is the picture as it would be without the nearer ones.
    seen, without = source.clone(), {}
    nearer, covered = torch.zeros_like(seen[:2]), {}
    trust, plain, outlines = torch.ones_like(floor), torch.ones_like(floor), torch.zeros_like(floor)
    for k in near_to_far:
        without[k], covered[k] = seen[inside[k]].clone(), nearer[inside[k]].clone()
        seen[inside[k]] /= lights[k]
        mixed = owned[k] if net.sizes.one_world else torch.cat([owned[k][:1], grown(owned[k][:1], min(band[k], MIXED))])
        nearer[inside[k]] = torch.maximum(covered[k], mixed)
        changed = lights[k].log().square().sum(0, keepdim=True)
        trust[inside[k]] *= torch.exp(-changed / UNTRUSTED**2)
        plain[inside[k]] *= 1 - grown(1 - torch.exp(-(changed / DEEP**2).square()), 1)
        outlines[inside[k]] = torch.maximum(outlines[inside[k]], grown(owned[k][1:], CONTACT))
    sure = trust
    if net.sizes.one_world:  # the floor is grey there: what glows in a colour does so by a thing near by
        off = seen - says
        sure = trust * torch.exp(-((off.amax(0, keepdim=True) - off.amin(0, keepdim=True)) / GLOWS).square())
    smooth = says + filled(seen - says, sure.clamp(min=LEAST_TRUST) * floor) + grain
    certain = floor * torch.where(outlines > 0, trust, plain)
    if beside and not patterned:
        part = bared.within(arena).planes  # nothing of it may depend on the arena, or moved pictures would flicker
        hole = ((sight.floor == 0) | (outlines > 0) | (sight.shadow > DARK)).float()[part]
        pieces = filled_in(source[part], hole, sight.in_view[part] * (1 - hole))
        if pieces is not None:
            smooth[part] = torch.where(hole > 0, pieces, smooth[part])
    base = smooth + (seen - smooth) * certain

    bodies, canvas, solid = {}, base.clone(), torch.zeros_like(floor)
    for k in reversed(near_to_far):
        behind, settled = canvas[inside[k]], solid[inside[k]]  # views: what is done to them is done to the arena's
        behind *= lights[k]
        colour, matte = torch.zeros_like(behind), torch.zeros_like(settled)
        near = around_mask((owned[k][0] > 0) | (covered[k][0] > 0), 2 * band[k] + 1)  # no more than `cut_out` looks at
        if not near.empty:
            given = (without[k], behind, behind / lights[k].clamp(max=1), settled, owned[k][:1], covered[k], drawn[k][1:])
            planes = [one[near.planes] for one in given]
            colour[near.planes], matte[near.planes] = cut_out(*planes, band[k], net.sizes.one_world)
            behind.mul_(1 - matte).add_(colour)
            torch.maximum(settled, matte, out=settled)
        bodies[k] = Body(windows[k], torch.zeros_like(colour), lights[k], colour, matte, doubt[k])
    return base, bodies


def floor_beneath(net: TokenizerNetwork, tokens: VLETokens, source: Tensor, sight: Sight) -> tuple[Tensor, bool, Tensor]:
    """What can be told of the floor of an arena (3, h, w) where it is hidden: what the scene token says, and its pattern;
    whether it has a pattern; and the grain of what is beside it. All the picture is looked at, since that may repeat
    anywhere."""
    in_view = sight.in_view
    if not patterns.has_pattern(source - sight.says, in_view):
        return sight.says, False, torch.zeros_like(source)
    whole, picture = sight, source
    if tokens.detail.picture.shape[-2:] != source.shape[-2:]:
        whole = Sight.of(net, tokens, Window(0, tokens.size[0], 0, tokens.size[1]), sight.scenery)
        picture = tokens.detail.picture.to(source.device).float() / 255
    full = float(whole.bare.mean()) < patterns.SHARE  # of what is not known to be floor alone, in which anything may be alike
    repeats = patterns.FIRMLY if sight.scenery else patterns.REPEATS
    pattern = None if full else patterns.continued(picture, whole.says, whole.in_view, sight.arena, repeats)
    says = sight.says if pattern is None else pattern
    return says, pattern is not None, grain_of(source - says, in_view, 1 - sight.floor)


def observed_lights(
    source: Tensor, says: Tensor, floor: Tensor, shades: dict[int, tuple[Window, Tensor]], reach: dict[int, Tensor],
    patterned: bool, brighter: bool,
) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    """What each token does to the light, as the picture shows it: factors (3, h, w) of its window; and how much that may be
    another's, 0..1, (1, h, w).

    The decoder knows where a shadow should fall (`shades`: each token's window, and the alpha (1, h, w) of its shadow there);
    what it does there, and what the object reflects onto the floor, is read off the floor around it (`floor` is 1 on pixels
    (1, h, w) that show nothing else; `reach`: 1 in the middle of each token's window down to 0 where it ends; `patterned`: the
    floor has a pattern, and `says` has it too), so that nothing is lifted from where the picture has nothing. Where several
    objects may be the cause, each has a share: of darker light by its shadow, of brighter light by how near it is too. Where
    the world is not known (`brighter` false) brighter floor is taken for paint.
    """
    total, near, around, claims = (torch.zeros_like(floor) for _ in range(4))
    claim = {k: (shade + SHADES * reach[k]) ** LIKELIEST for k, (_, shade) in shades.items()}
    for k, (window, shade) in shades.items():
        total[window.planes] += shade
        near[window.planes] = torch.maximum(near[window.planes], reach[k])
        around[window.planes] += reach[k]
        claims[window.planes] += claim[k]
    clear = floor * (total < FAINT) * (near < CLEAR)
    ground = (says + filled(source - says, clear)).clamp(min=0.02)
    change = light_on(source, ground, floor, patterned) * floor
    lights, doubt = {}, {}
    for k, (window, shade) in shades.items():
        shadows, objects, part = total[window.planes], around[window.planes], change[window.planes]
        doubt[k] = ((shadows - shade) / (RIVAL * (shade + FAINT)) - 1).clamp(0, 1)
        darker = claim[k] / (UNSHADED**LIKELIEST + claims[window.planes])
        reflected = (shade + REFLECTS * reach[k]) / (UNLIT + shadows + REFLECTS * objects) if brighter else 0.0
        mine = torch.where(part < 0, darker, reflected) * part
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


def light_on(source: Tensor, ground: Tensor, floor: Tensor, patterned: bool) -> Tensor:
    """The logarithm of how much brighter than the `ground` (3, h, w) the source shows it, where the floor (1, h, w) is 1."""
    if patterned:  # what of the pattern is not foretold is no light: so the factor that fits best nearby, for all colours
        both = torch.cat([(source * ground).sum(0, keepdim=True), ground.square().sum(0, keepdim=True)])
        fits = nearby(both, floor, 0)
        return (fits[:1] / fits[1:].clamp(min=1e-4)).clamp(min=0.02).log().expand(3, -1, -1)
    smooth = nearby(source, floor, 0)
    smooth = 2 * smooth - nearby(smooth, floor, 0)  # what a mean takes off the bend at a shadow's edge is put back
    return (smooth.clamp(min=0.02) / ground).log()


def cut_out(
    seen: Tensor, behind: Tensor, lit: Tensor, solid: Tensor, mine: Tensor, covered: Tensor, drawn: Tensor, band: int,
    shines: bool,
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
    """
    hidden, nearer = covered[:1] > 0, covered[1:] > 0
    if not shines:  # cut-outs end sharply
        band = max(1, band - 1)
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


def crisp(solid: Tensor, where: Tensor, side: int, size: int) -> Tensor:
    """A decoded silhouette (h, w), size x size in its frame `where` (4,), with the soft edge that the layer's own pixels
    have in a picture whose longer side is `side`, and not one as wide as they are when drawn larger."""
    grain = SLOPE * float(where[2:].max()) * side / size
    return ((solid - 0.5) * max(1.0, grain) + 0.5).clamp(0, 1)


def middle_of(where: Tensor, size: tuple[int, int], window: Window) -> Tensor:
    """The same bump (1, h, w) on the pixels of `window` of a picture of height and width `size`, over all that a token of frame
    `where` (4,) may reach, so that it is no lower where the picture's edge cuts that."""
    x, y = (((1 - (at / WIDER).square().clamp(max=1)).square()) for at in in_frame(where, *size, window))
    return (y[:, None] * x)[None]


def _middle(planes: Tensor) -> Tensor:
    """1 in the middle of a token's window, smoothly down to 0 at its edge: (1, h, w) for planes (C, h, w)."""
    bumps = []
    for count in planes.shape[-2:]:
        at = (torch.arange(count, device=planes.device) + 0.5) / count * 2 - 1
        bumps.append((1 - at.square()).square())
    return (bumps[0][:, None] * bumps[1])[None]
