"""Who owns each pixel: by the outline network or, without one, by the tokens' scopes, settled by the colours of the picture."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.imaging.filters import box_mean, grown, nearby
from vle_gen.tokenizer.loop import PictureCode
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.ownership import LEAST_CONTRAST, Claim, claims
from vle_gen.tokenizer.render import Window, band_of, draw, window_of
from vle_gen.tokens import OWNED

CLAIMED = 0.4  # of a scope, from which a pixel that no token owns is its token's: scopes are soft where parts are thin
LENIENT = 2.5  # below nobody's logit, from which on a pixel is a token's: one that shows object and floor is the object's
COARSE = 2  # times smaller that the outline network may look at a token and still know its outline best
TEXTURE = 12.0  # how much more the colours of object and floor must differ than each varies, squared, to tell them apart
NEAREST = 6  # pixels to each side of one that is settled that it is compared with; further off every second, third, ... of them
FINELY = 12  # pixels of the band along an outline up to which each is settled by itself
AT_ONCE = 1 << 15  # pixels that are settled together: each is compared with up to (2 * NEAREST + 1) squared others
SPECKS_AT = 480  # longer side, in pixels, of pictures in which specks are as small as this:
SPECK = 2  # half-width, in pixels, of the narrowest part of an object that is no speck by itself
GLEAM = 0.12  # how much brighter than both object and floor a highlight on an outline is, at least


@torch.no_grad()
def owners(net: TokenizerNetwork, pixels: Tensor, code: PictureCode, found: dict[int, Claim] | None = None) -> Tensor:
    """Who owns each pixel of the picture (3, H, W) uint8: uint8 (H, W), index of the token, 0 = scene.

    The outline network says so where there is one, else the scopes. Along outlines for which these are too coarse the colours
    of the picture decide, and between two objects always. `found` is what the outline network has said already, if it has.
    """
    height, width = pixels.shape[-2:]
    owner, coarse = by_scopes(net, pixels, code) if net.outline is None else by_network(net, pixels, code, found)
    for index in range(1, len(code.what)):
        band, window = band_of(code.where[index], height, width, net.sizes.glimpse), window_of(code.where[index], height, width)
        mine, seen = owner[window.slices], pixels[window.planes]
        near = around_mask(mine == index, 2 * band + 2)  # no more than `sharpen` looks at
        if not near.empty:
            if index in coarse:
                sharpen(seen[near.planes].float() / 255, mine[near.slices], index, band)
            settle(seen[near.planes].float() / 255, mine[near.slices], index, band)
    if not net.sizes.one_world:  # solids mirror one another, and have no specks
        owner = without_specks(owner, code.where)
    return owner.to(torch.uint8)


def by_scopes(net: TokenizerNetwork, pixels: Tensor, code: PictureCode) -> tuple[Tensor, list[int]]:
    """Who owns each pixel (H, W), by the scopes drawn at full resolution from near to far; and all object tokens."""
    height, width = pixels.shape[-2:]
    owner = torch.zeros(height, width, dtype=torch.long)
    windows = [window_of(where, height, width) for where in code.where]
    scopes = {
        index: draw(code.scope[index][None], code.where[index], height, width, windows[index])[0].cpu()
        for index in range(1, len(code.what)) if not windows[index].empty
    }  # fmt: skip
    for least in (OWNED, CLAIMED):
        for index, scope in scopes.items():  # near to far
            part = owner[windows[index].slices]
            part[(scope > least) & (part == 0)] = index
    return owner, list(range(1, len(code.what)))


def by_network(
    net: TokenizerNetwork, pixels: Tensor, code: PictureCode, found: dict[int, Claim] | None = None
) -> tuple[Tensor, list[int]]:
    """Who owns each pixel (H, W), by the outline network; and the tokens that it had to look at much smaller than they are."""
    if found is None:
        found = claims(net, pixels.to(code.what.device).float() / 255, code)
    owner = torch.zeros(pixels.shape[-2:], dtype=torch.long, device=code.what.device)
    most = torch.full_like(owner, -LENIENT, dtype=torch.float32)
    for index, claim in found.items():
        highest, part = most[claim.window.slices], owner[claim.window.slices]
        part[claim.logits > highest] = index
        torch.maximum(highest, claim.logits, out=highest)
    return owner.cpu(), [index for index, claim in found.items() if claim.smaller > COARSE]


def sharpen(picture: Tensor, owner: Tensor, index: int, band: int) -> None:
    """Settles, in place, whether pixels along the outline of `index` are the object's or the floor's, by whose colour
    nearby theirs is like. picture (3, h, w), 0..1; owner (h, w). Where the two are alike, or either is of many colours, the
    outline stays as it is."""
    mine = (owner == index)[None]
    inner, near = ~grown(~mine, band), grown(mine, band)
    if not inner.any() or near.all():
        return
    beyond = ((owner == 0)[None] & ~near).float()
    planes = torch.cat([picture, picture.square().sum(0, keepdim=True)])
    body, ground = nearby(planes, inner.float(), band), nearby(planes, beyond, band + 1)
    known = nearby(beyond, torch.ones_like(beyond), band + 1)[0] > 0.02
    rows, columns = ((near & ~inner)[0] & known).nonzero(as_tuple=True)  # a large object has few pixels along its outline
    seen, body, ground = (side[:, rows, columns] for side in (picture, body, ground))
    varied = sum(side[3] - side[:3].square().sum(0) for side in (body, ground)).clamp(min=0)
    body, ground = body[:3], ground[:3]
    difference = body - ground
    contrast = difference.square().sum(0)
    share = ((seen - ground) * difference).sum(0) / contrast.clamp(min=1e-5)
    share = torch.where(gleams(seen, torch.maximum(body, ground)), 1.0, share)
    told, was = contrast > LEAST_CONTRAST + TEXTURE * varied, owner[rows, columns]
    now = torch.where(share > OWNED, torch.where(was == 0, index, was), torch.where(was == index, 0, was))
    owner[rows, columns] = torch.where(told, now, was)


def settle(picture: Tensor, owner: Tensor, index: int, band: int) -> None:
    """Settles, in place, whether pixels along the outline of `index` are its own or a farther object's, by which of the two
    has the likest colour nearby. Bodies are shaded and mirror others, so a pixel is compared with pixels all about it that
    are surely the one's or the other's and not with their means. picture (3, h, w), 0..1; owner (h, w), near to far."""
    if not (owner > index).any():
        return
    mine, farther = (owner == index)[None], (owner > index)[None]
    inner, near = ~grown(~mine, band), grown(mine, band)
    reach = 2 * band + 1
    rows, columns = (near & ~inner & (mine | farther) & grown(farther, reach))[0].nonzero(as_tuple=True)
    if not len(rows):
        return
    outside = ~near[0]
    sides = inner[0], farther[0] & outside, (owner == 0) & outside
    surely = sum(side.byte() << place for place, side in enumerate(sides))
    cell, width = max(1, band // FINELY), mine.shape[-1]  # of wide bands one pixel of a cell speaks for all
    cells, which = torch.unique(rows // cell * width + columns // cell, return_inverse=True)
    picture, surely, owners = (F.pad(plane, [reach] * 4) for plane in (picture, surely, owner))
    at = (cells // width * cell + reach) * surely.shape[-1] + cells % width * cell + reach
    step = -(-reach // NEAREST)
    span = torch.arange(-(reach // step), reach // step + 1) * step
    about = (span[:, None] * surely.shape[-1] + span).flatten()
    parts = [_likest(picture.flatten(1), surely.flatten(), owners.flatten(), part, about) for part in at.split(AT_ONCE)]
    sign, other, sure = (torch.cat(part)[which] for part in zip(*parts, strict=True))
    signs = torch.zeros(mine.shape)
    signs[0, rows, columns] = sign
    signs = box_mean(signs.clamp(-1, 1), cell)[0, rows, columns]  # neighbours on an outline mostly agree
    was = owner[rows, columns]
    now = torch.where(signs > 0, index, torch.where(was == index, other, was))
    owner[rows, columns] = torch.where(sure & (signs != 0), now, was)


def without_specks(owner: Tensor, where: Tensor) -> Tensor:
    """Owners (h, w) with the specks of each token (T, 4) given to what they lie in (see `given_back`); those of a large picture
    are as much larger, and are looked for in fewer of its pixels."""
    (height, width), times = owner.shape, max(1, round(max(owner.shape) / SPECKS_AT))
    small = owner[::times, ::times].clone()
    before = small.clone()
    for index in range(1, len(where)):
        given_back(small[window_of(where[index], *small.shape).slices], index)
    if times == 1:
        return small
    was, now = (one.repeat_interleave(times, 0).repeat_interleave(times, 1)[:height, :width] for one in (before, small))
    return torch.where((was != now) & (owner == was), now, owner)


def given_back(owner: Tensor, index: int) -> None:
    """Gives, in place, specks of `index` that hang together with no part of it that is more than a few pixels wide, and lie
    in another object, to that. owner (h, w)."""
    mine = (owner == index)[None]
    reached = ~grown(~mine, SPECK)
    if not reached.any() or not ((owner > 0) & (owner != index)).any():
        return
    while True:
        further = grown(reached, 1) & mine
        if torch.equal(further, reached):
            break
        reached = further
    specks = mine & ~reached
    which = [k for k in owner.unique().tolist() if k != index]
    while specks.any():
        others = torch.stack([(owner == k).float() for k in which])
        share, most = box_mean(others, 2).max(0)
        rim = specks[0] & (share > 0)
        if not rim.any():
            return
        now = torch.tensor(which)[most]
        owner[rim & (now > 0)] = now[rim & (now > 0)]
        specks[0][rim] = False


def _likest(colours: Tensor, surely: Tensor, owners: Tensor, at: Tensor, about: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of the pixels `at` (N,): how much liker each is to the likest of those `about` it (M,), steps from it, that is surely a
    token's than to the likest that is surely a farther one's; whose that is; and whether this says anything, (N,) each.
    colours (3, P), owners (P,), and in the bits of `surely` (P,) what is surely the token's, a farther one's, the floor's."""
    around = at[:, None] + about  # (N, M)
    sides, distance = surely[around], 0
    for colour in colours:
        distance = distance + (colour[around] - colour[at][:, None]).square()
    (own, mine), (other, farther), (floor, _) = (
        torch.where((sides & 1 << place) > 0, distance, float("inf")).min(1) for place in range(3)
    )
    mine, farther = (around.gather(1, which[:, None])[:, 0] for which in (mine, farther))
    contrast = (colours[:, mine] - colours[:, farther]).square().sum(0)
    sure = (contrast > LEAST_CONTRAST) & (torch.minimum(own, other) < floor) & own.isfinite() & other.isfinite()
    return torch.where(sure, (other - own) / contrast.clamp(min=LEAST_CONTRAST), 0.0), owners[farther], sure


def gleams(picture: Tensor, expected: Tensor) -> Tensor:
    """Where a picture (3, ...) is much brighter in some colour than `expected`, the brighter of floor and object: bool
    (...). Along an outline that is the object's highlight, which no mixture of the two explains."""
    return (picture - expected).amax(0) > GLEAM


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
