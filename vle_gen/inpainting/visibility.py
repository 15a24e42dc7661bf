"""What a source picture shows of its floor and of its tokens, by what the decoders say."""
from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vle_gen.imaging.filters import grown
from vle_gen.inpainting.hidden_floor import tempered
from vle_gen.inpainting.lights import FAINT, WIDER
from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import Window, band_of, draw, draw_beyond, far_to_near, widened, window_of
from vle_gen.tokens import VLETokens

BRINK = 0.97  # of the way to a frame's edge: up to there a decoded shadow is a cause as it is, and from there on as it fades
BELIEVED = 0.5  # of what a scene token says, below which it is mostly wrong


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
    layers: dict[int, Tensor]  # (5, L, L) decoded: shadow, solid, colour
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
        planes, shades = {}, {}
        if near_to_far:
            layers = net.glimpse_decoder(what[near_to_far])
            for row, k in enumerate(near_to_far):
                planes[k], place = layers.planes(row)[3:], (where[k], height, width, windows[k])
                shades[k] = draw(planes[k][:1], *place).maximum(draw_beyond(planes[k][:1], *place, BRINK, WIDER))
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
        sight = Sight(arena, near_to_far, windows, planes, shades, owned, band, says, bare, floor, scenery)
        if net.sizes.one_world:
            return sight
        says, believed = tempered(says, detail.seen_at(arena.planes).to(device), sight.in_view)
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
