"""What each token does to the light on the floor, as a picture shows it."""
from __future__ import annotations

import torch
from torch import Tensor

from vle_gen.imaging.filters import box_mean, filled, grown, inside_mean, nearby
from vle_gen.tokenizer.render import Window, in_frame

DARKEST = 0.85  # a shadow is undone up to this alpha; below what is darker nothing can be seen
BRIGHTEST = 2.0  # most that reflected light multiplies the floor's
RIVAL = 0.1  # of a token's own shadow: from so much shadow of others on they may be the cause, and from twice as much they are
FAINT = 0.02  # alpha below which a shadow cannot be told from the floor's own shading
CLEAR = 0.05  # the floor outside this height of every window's bump (`middle`) is taken for undisturbed
SHADES, REFLECTS = 0.005, 0.05  # an object's claim to darker and to brighter light near it, beside its shadow's alpha
LIKELIEST = 1.5  # power of claims to darker light: shadows seldom overlap, so the likelier cause has more than its share
SLIGHT = 0.07  # change of the light, as a share of it, that is taken for noise where the decoder says no shadow
LIKELY = 0.05  # alpha of a shadow that the decoder says from which on any change is the shadow's
TAIL = 0.05  # how far, as a share of its window, a change may fade beyond where it is more than slight
WIDER = 1.25  # than its frame: how far an object may change the light around it
EDGES = 0.15  # height of a window's bump below which light that is continued where the floor is not seen fades to none
UNSHADED, UNLIT = 0.002, 0.01  # claims to darker and brighter light that belong to none, so that faint ones change nothing


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


def middle_of(where: Tensor, size: tuple[int, int], window: Window) -> Tensor:
    """The same bump (1, h, w) on the pixels of `window` of a picture of height and width `size`, over all that a token of frame
    `where` (4,) may reach, so that it is no lower where the picture's edge cuts that."""
    x, y = (((1 - (at / WIDER).square().clamp(max=1)).square()) for at in in_frame(where, *size, window))
    return (y[:, None] * x)[None]


def middle(planes: Tensor) -> Tensor:
    """1 in the middle of a token's window, smoothly down to 0 at its edge: (1, h, w) for planes (C, h, w)."""
    bumps = []
    for count in planes.shape[-2:]:
        at = (torch.arange(count, device=planes.device) + 0.5) / count * 2 - 1
        bumps.append((1 - at.square()).square())
    return (bumps[0][:, None] * bumps[1])[None]
