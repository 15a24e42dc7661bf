"""The floor of a source picture and the light on it, as far as they can be told, where things hide it too."""
from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vle_gen.imaging.filters import filled, grown, nearby
from vle_gen.inpainting import patterns
from vle_gen.inpainting.lights import middle, middle_of, observed_lights
from vle_gen.inpainting.visibility import Sight
from vle_gen.inpainting.working_size import stretched
from vle_gen.segmentation.outlines import around_mask
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import Window
from vle_gen.tokens import VLETokens

UNTRUSTED = 0.07  # change of the light, as a share of it, at which the floor beneath it counts 1 / e when a hole is filled
GLOWS = 0.04  # difference of its colours from those that the scene token says, at which the same holds of a floor that is grey
LEAST_TRUST = 0.01  # in floor where the light is changed much: it counts where there is no other
CONTACT = 3  # pixels beyond the uncertain band in which floor under changed light is not known, since shadows are sharp there
DEEP = 0.6  # change of the light, in logarithms, at which what of the floor is not foretold is no grain of it, but what
# darkens it
DARK = 0.15  # of a decoded shadow, from which on floor is not taken as it is seen for what pieces of others join on to
RIM = 2  # cells by which light on the floor goes on beneath what stands on it
UNCHANGED = 0.2 / 255  # light that is nearer to 1 changes nothing that is seen


class Ground(NamedTuple):
    """What can be told of a source's floor and of the light on it, on the pixels of `window`."""

    window: Window
    near_to_far: list[int]  # the tokens that cast the light; others are part of the floor
    says: Tensor  # (3, h, w) the floor, as the scene token says, or with its pattern; or (3, 1, 1), where `rest` says all
    patterned: bool
    rough: bool  # it is no smooth one
    strange: bool  # it is of a world that is not known, and rough
    rest: Tensor  # (3, h, w) what is to be added to `says` where the floor is hidden: as what is seen around it, smoothly
    certain: Tensor  # (1, h, w) how surely a pixel shows the floor as it is, but for the light
    in_view: Tensor  # (1, h, w) 1 where it shows that in no shadow
    bare: Tensor  # (1, h, w) 1 where it shows nothing else and no uncertain outline
    covered: Tensor  # (1, h, w) bool: where it shows something else
    hole: Tensor  # (1, h, w) bool: where it shows something else, or floor in deep shadow
    windows: dict[int, Window]  # where tokens show, may be hidden or cast light
    bodies: dict[int, Tensor]  # (1, h, w) 1 there where they show or are hidden by nearer ones, if they are there
    band: dict[int, int]  # pixels that are uncertain on each side of their outlines
    lights: dict[int, Tensor]  # (3, h, w) what each does to the light there
    doubt: dict[int, Tensor]  # (1, h, w) how much of that may be another's, 0..1
    whole: tuple[Tensor, Tensor] | None  # of a pattern: what is said without it, and where it is seen, in all the picture

    def at(self, cell: int, window: Window) -> Ground:
        """The same on the pixels of `window` of a picture `cell` times larger."""
        if cell == 1:
            return self
        windows = {k: self._needed(k, cell).inside(window) for k in self.windows}
        says, rest = self.says, self.rest
        if not self.patterned:  # both are smooth, and one is made of them
            says, rest = torch.zeros_like(says[:, :1, :1]), says + rest
        return self._replace(
            window=window,
            says=stretched(says, cell, self.window, window) if self.patterned else says,
            rest=stretched(rest, cell, self.window, window),
            certain=stretched(self.certain, cell, self.window, window),
            in_view=surely(stretched(self.in_view, cell, self.window, window)),
            covered=stretched(self.covered.float(), cell, self.window, window) > 0.5,
            hole=stretched(self.hole.float(), cell, self.window, window) > 0,
            windows=windows,
            lights={k: stretched(self._around(k) - 1, cell, self.windows[k], windows[k]).add_(1) for k in self.lights},
            doubt={k: stretched(one, cell, self.windows[k], windows[k]) for k, one in self.doubt.items()},
        )

    def _around(self, k: int) -> Tensor:
        """A token's light, that on floor that is seen going on a little where none is, by its outline: between cells of both
        there would be a rim that is neither."""
        seen = self.bare[self.windows[k].within(self.window).planes]
        rim = (grown(seen, RIM) > 0) & (seen == 0)
        return torch.where(rim, nearby(self.lights[k], seen, RIM - 1), self.lights[k])

    def _needed(self, k: int, cell: int) -> Window:
        """The part of a token's window in which anything is to be done, in pixels of a picture `cell` times larger."""
        window, shows = self.windows[k], (self.bodies[k][0] > 0) | ((self.lights[k] - 1).abs().amax(0) > UNCHANGED)
        part = around_mask(shows, 2 * self.band[k] + 2)
        top, left = (0, 0) if part.empty else (window.top, window.left)
        part = window if part.empty else Window(top + part.top, top + part.bottom, left + part.left, left + part.right)
        return Window(*(cell * edge for edge in part))


def surely(share: Tensor) -> Tensor:
    """1 where all of a stretched mask's cells about a pixel are marked, else 0."""
    return (share > 0.999).float()


@torch.no_grad()
def ground_of(
    net: TokenizerNetwork, tokens: VLETokens, arena: Window, scenery: frozenset[int] = frozenset()
) -> tuple[Sight, Ground]:
    """What the tokens' source shows in `arena`, and what can be told from that of the floor; tokens of `scenery` are part of
    it, light that they cast and all."""
    source = tokens.detail.seen_at(arena.planes).to(next(net.parameters()).device)
    sight = Sight.of(net, tokens, arena, scenery)
    near_to_far, windows, owned, floor = sight.near_to_far, sight.windows, sight.owned, sight.floor
    says, patterned, rough, whole = floor_beneath(net, tokens, source, sight)
    strange = sight.strange and patterns.has_pattern(source - says, sight.in_view)
    shades = {k: (windows[k].within(arena), sight.shades[k]) for k in near_to_far}
    if net.sizes.one_world:
        reach = {k: middle_of(tokens.detail.where[k].to(source), tokens.size, windows[k]) for k in near_to_far}
    else:  # of things that are not known, what is seen of one is all that is taken for its surroundings
        reach = {k: middle(sight.shades[k]) for k in near_to_far}
    lights, doubt = observed_lights(source, says, sight.bare, shades, reach, patterned, brighter=bool(net.sizes.focal))
    near_to_far = [k for k in near_to_far if k not in scenery]

    # From near to far, undo what each token does to the light: `seen` is the picture as it would be without the nearer ones.
    seen, nearer, bodies = source.clone(), torch.zeros_like(floor), {}
    trust, plain, outlines = torch.ones_like(floor), torch.ones_like(floor), torch.zeros_like(floor)
    for k in near_to_far:
        inside = sight.within(k)
        seen[inside] /= lights[k]
        nearer[inside] = torch.maximum(nearer[inside], owned[k][:1])
        bodies[k] = nearer[inside].clone()
        changed = lights[k].log().square().sum(0, keepdim=True)
        trust[inside] *= torch.exp(-changed / UNTRUSTED**2)
        plain[inside] *= 1 - grown(1 - torch.exp(-(changed / DEEP**2).square()), 1)
        outlines[inside] = torch.maximum(outlines[inside], grown(owned[k][1:], CONTACT))
    sure = trust
    if net.sizes.one_world:  # the floor is grey there: what glows in a colour does so by a thing near by
        off = seen - says
        sure = trust * torch.exp(-((off.amax(0, keepdim=True) - off.amin(0, keepdim=True)) / GLOWS).square())
    return sight, Ground(
        window=arena,
        near_to_far=near_to_far,
        says=says,
        patterned=patterned,
        rough=rough,
        strange=strange,
        rest=filled(seen - says, sure.clamp(min=LEAST_TRUST) * floor),
        certain=floor * torch.where(outlines > 0, trust, plain),
        in_view=sight.in_view,
        bare=sight.bare,
        covered=floor == 0,
        hole=(floor == 0) | (outlines > 0) | (sight.shadow > DARK),
        windows={k: windows[k] for k in near_to_far},
        bodies=bodies,
        band=sight.band,
        lights={k: lights[k] for k in near_to_far},
        doubt={k: doubt[k] for k in near_to_far},
        whole=whole,
    )


def floor_beneath(
    net: TokenizerNetwork, tokens: VLETokens, source: Tensor, sight: Sight
) -> tuple[Tensor, bool, bool, tuple[Tensor, Tensor] | None]:
    """What can be told of the floor of an arena (3, h, w) where it is hidden: what the scene token says, and its pattern;
    whether it has a pattern; and whether it is rough. All the picture is looked at, since a pattern may repeat anywhere: of
    one, what is said without it and where it is seen there (3, H, W), (1, H, W)."""
    in_view = sight.in_view
    if not patterns.has_pattern(source - sight.says, in_view):
        return sight.says, False, False, None
    whole, picture = sight, source
    if tokens.detail.picture.shape[-2:] != source.shape[-2:]:
        whole = Sight.of(net, tokens, Window(0, tokens.size[0], 0, tokens.size[1]), sight.scenery)
        picture = tokens.detail.seen_at().to(source.device)
    full = float(whole.bare.mean()) < patterns.SHARE  # of what is not known to be floor alone, in which anything may be alike
    pattern = None if full else patterns.continued(picture, whole.says, whole.in_view, sight.arena, repeats(sight.scenery))
    if pattern is None:
        return sight.says, False, True, None
    return pattern, True, True, (whole.says, whole.in_view)


def repeats(scenery: frozenset[int]) -> float:
    """Share of a pattern's variance that must be told: more where there is scenery, in which more is alike by chance."""
    return patterns.FIRMLY if scenery else patterns.REPEATS
