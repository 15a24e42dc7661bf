"""The autoregressive loop at work: look at the picture, write tokens, cover what they explain, go on or stop. Objects that
are close to one another are written one by one, near to far; those that are apart in the same round."""
from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.encoding import HALTING, NO_HINTS, Halting, Hints
from vle_gen.imaging.filters import antialiased
from vle_gen.tokenizer.background import compared_with
from vle_gen.tokenizer.blocks import Extent, crop, frame_grid, paste
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.proposals import Proposal, next_proposals
from vle_gen.tokenizer.sizes import FRAME_SCALE, TokenizerSizes
from vle_gen.tokenizer.warp import SLOPE

OCTAVE = 2**0.5  # between the levels of a pyramid
COARSE = 1.4  # pixels of a level per pixel of a glimpse, at most, where it is cut from that level: more would alias
SCENE_DEPTH = 1000.0  # the scene token lies behind everything
MOST_OBJECTS = 32  # that the loop writes by itself


@dataclass(frozen=True)
class PictureCode:
    """The tokens of one picture, T of them with the scene token first and objects near to far, and who owns what."""

    what: Tensor  # (T, D)
    where: Tensor  # (T, 4)
    depth: Tensor  # (T,)
    score: Tensor  # (T,) 0..1, how sure each is (see `confidence`); 1 for the scene token
    evidence: Tensor  # (T, 2) that the score was drawn from: logit of the step's score, logarithm of the squared error
    scope: Tensor  # (T, S, S) 0..1 visible part in the token's frame; zeros for the scene token
    solid: Tensor  # (T, S, S) 0..1 the same with hidden parts, as `what` decodes
    colour: Tensor  # (T, 3, S, S) 0..1 as `what` decodes; zeros for the scene token
    owner: Tensor  # (h, w) long, at the glimpse picture's size: index of the owning object token, 0 = scene

    def only(self, kept: list[int]) -> PictureCode:
        """The code with these tokens, in this order; pixels of the others are the scene's."""
        rank = torch.zeros(len(self.what), dtype=torch.long, device=self.owner.device)
        rank[kept] = torch.arange(len(kept), device=self.owner.device)
        fields = {name: getattr(self, name)[kept] for name in PER_TOKEN}
        return PictureCode(**fields, owner=rank[self.owner])


PER_TOKEN = ("what", "where", "depth", "score", "evidence", "scope", "solid", "colour")  # fields of `PictureCode`


@dataclass(frozen=True)
class View:
    """What glimpses are cut from: the picture at falling sizes, the background (1, 3, gh, gw), and features."""

    extent: Extent
    levels: list[Tensor]
    background: Tensor
    features: Tensor

    @staticmethod
    def of(net: TokenizerNetwork, picture: Tensor) -> tuple[View, Tensor]:
        """The view of a picture (3, H, W), 0..1, and the `what` (1, D) of its scene token."""
        sizes, extent = net.sizes, Extent.of(*picture.shape[-2:])
        full = glimpse_picture(picture, sizes.glimpse_side)  # (1, 3, gh, gw)
        work = [max(32, round(sizes.work_side * e / 16) * 16) for e in (extent.height, extent.width)]
        seen = F.interpolate(full, work, mode="area") * 2 - 1
        features = net.backbone(seen.contiguous(memory_format=torch.channels_last))
        scene_what, _ = net.background_encoder(features.coarse, seen)
        background = compared_with(net.background_decoder(scene_what), *full.shape[-2:])
        return View(extent, pyramid(picture, full), background, features.fine), scene_what


@dataclass(frozen=True)
class Written:
    """One token, as the loop writes it; each tensor has a first axis of 1."""

    what: Tensor  # (1, D)
    where: Tensor  # (1, 4)
    depth: Tensor  # (1,)
    evidence: Tensor  # (1, 2)
    scope: Tensor  # (1, S, S) 0..1 visible part in the token's frame
    solid: Tensor  # (1, S, S) 0..1 the same with hidden parts
    colour: Tensor  # (1, 3, S, S) 0..1
    claim: Tensor  # (1, 1, gh, gw) the same over the picture


def glimpse_picture(picture: Tensor, side: int) -> Tensor:
    """The picture (3, H, W) with its longer side at `side` pixels: (1, 3, h, w)."""
    extent = Extent.of(*picture.shape[-2:])
    size = (max(8, round(side * extent.height)), max(8, round(side * extent.width)))
    if size == tuple(picture.shape[-2:]):
        return picture[None]
    return antialiased(picture[None], size)


def pyramid(picture: Tensor, full: Tensor) -> list[Tensor]:
    """The picture (3, H, W) at falling sizes (1, 3, h, w), from at most twice the glimpse picture's down to that itself:
    small objects are seen as sharply as the picture has them."""
    longest, side = max(picture.shape[-2:]), max(full.shape[-2:])
    levels, size = [full], side * OCTAVE
    while size <= min(longest * OCTAVE, 2 * side + 1) and longest > side:
        levels.append(glimpse_picture(picture, round(min(size, longest))))
        size *= OCTAVE
    return levels[::-1]


def level_for(levels: list[Tensor], where: Tensor, glimpse: int) -> Tensor:
    """The finest level from which the glimpse of a frame (1, 4) can be cut without aliasing, or the coarsest."""
    share = SLOPE * float(where[0, 2:].max()) / glimpse
    return next((level for level in levels if share * max(level.shape[-2:]) <= COARSE), levels[-1])


@torch.no_grad()
def encode_picture(
    net: TokenizerNetwork, picture: Tensor, halting: Halting = HALTING, hints: Hints = NO_HINTS
) -> PictureCode:
    """Tokens of one picture (3, H, W), 0..1, on the network's device. What the hints ask for is written whatever its score
    and however little of it is new; nothing is dropped for its worth here (see `vle_gen.tokenizer.worth`)."""
    sizes, device = net.sizes, picture.device
    view, scene_what = View.of(net, picture)
    extent, full = view.extent, view.levels[-1]
    embedded = net.step.embed(view.features)
    cells = embedded.shape[-2:]
    error = F.interpolate(full - view.background, cells, mode="area")

    coverage = torch.zeros_like(full[:, :1])  # (1, 1, gh, gw)
    owner = torch.zeros(full.shape[-2:], dtype=torch.long, device=device)
    allowed = torch.ones(cells, device=device)
    unwritten = set(range(len(hints.boxes) + len(hints.points)))
    most = MOST_OBJECTS + len(unwritten)
    written: list[Written] = []
    maps = None  # of the coverage as it is
    for _ in range(2 * most):
        if len(written) >= most:
            break
        if maps is None:
            maps = net.step(embedded, F.interpolate(coverage, cells, mode="area"), error)
        proposals = next_proposals(maps, allowed, halting.least_score, extent, hints, unwritten)[: most - len(written)]
        if not proposals:
            break
        for proposal, token in zip(proposals, look(net, view, proposals, coverage), strict=True):
            new, total = (float(torch.where(part > 0.5, part, 0).sum()) for part in (token.claim * (1 - coverage), token.claim))
            y, x = proposal.cell
            if new < halting.least_area or new < halting.least_new * total:
                allowed[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = 0  # nothing new here: look elsewhere
                if proposal.hint is None:
                    continue
                # A person says that there is an object: it is looked at as if nothing had been found, and takes what it
                # claims.
                (again,) = look(net, view, [proposal], torch.zeros_like(coverage))
                token = at_least(again, extent, halting.least_area)
                written = [without(one, token, extent) for one in written]
                owner[token.claim[0, 0] > 0.5] = 0
            unwritten.discard(proposal.hint)
            owner[(token.claim[0, 0] > 0.5) & (owner == 0)] = len(written) + 1
            coverage, maps = torch.maximum(coverage, token.claim), None
            written.append(token)

    one = torch.ones(1, device=device)
    frame = torch.tensor([[0.5, 0.5, extent.width, extent.height]], device=device)
    nothing = scene_what.new_zeros(1, sizes.glimpse, sizes.glimpse)
    code = PictureCode(
        what=torch.cat([scene_what, *(token.what for token in written)]),
        where=torch.cat([frame, *(token.where for token in written)]),
        depth=torch.cat([one * SCENE_DEPTH, *(token.depth for token in written)]),
        score=torch.cat([one, *(confidence(token.evidence, sizes) for token in written)]),
        evidence=torch.cat([torch.zeros(1, 2, device=device), *(token.evidence for token in written)]),
        scope=torch.cat([nothing, *(token.scope for token in written)]),
        solid=torch.cat([nothing, *(token.solid for token in written)]),
        colour=torch.cat([nothing[:, None].expand(-1, 3, -1, -1), *(token.colour for token in written)]),
        owner=owner,
    )
    return near_to_far(code)


def look(net: TokenizerNetwork, view: View, proposals: list[Proposal], coverage: Tensor) -> list[Written]:
    """Writes the tokens of proposals: what is in their frames, and which pixels are theirs, each as if there were no other.
    coverage (1, 1, gh, gw)."""
    size, where = net.sizes.glimpse, torch.cat([one.where for one in proposals])
    cuts = [crop(level_for(view.levels, one, size), view.extent, one[None], size)[0] for one in where.split(1)]
    colour = torch.cat(cuts)  # (K, 3, S, S)
    planes = torch.cat([view.background, coverage, torch.ones_like(coverage)], 1)
    behind, covered = crop(planes, view.extent, where[None], size)[0].split([3, 2], 1)
    context = crop(view.features, view.extent, where[None], size // 4)[0]
    code = net.glimpse_encoder(torch.cat([colour, colour - behind, covered], 1), context)
    layers = net.glimpse_decoder(code.mean).at(size)
    # What is seen of a token lies within its whole silhouette: a scope that runs over into a neighbour of the same
    # colour is cut back there, and the neighbour is left to be found.
    scope = torch.sigmoid(code.scope) * (net.sizes.slack * layers.solid[:, 0]).clamp(max=1)  # (K, S, S)
    claim = paste(scope[:, None], view.extent, where, *coverage.shape[-2:])
    error = ((layers.colour - colour).square().mean(1) * scope).sum((1, 2)) / scope.sum((1, 2)).clamp(min=1)
    score, depth = (torch.cat(values) for values in zip(*((one.score, one.depth) for one in proposals), strict=True))
    evidence = torch.stack([torch.logit(score, 1e-6), torch.log(error + 1e-4)], 1)
    fields = (code.mean, where, depth, evidence, scope, layers.solid[:, 0], layers.colour, claim)
    return [Written(*one) for one in zip(*(field.split(1) for field in fields), strict=True)]


@torch.no_grad()
def reread(net: TokenizerNetwork, picture: Tensor, where: Tensor, depth: Tensor) -> Tensor:
    """The `what` (K, D) of objects that are known to stand in frames (K, 4), `depth` (K,) away, as the loop writes it who finds
    them there in a picture (3, H, W), 0..1: near to far, each without what the nearer ones cover."""
    view, _ = View.of(net, picture)
    coverage, one = torch.zeros_like(view.background[:, :1]), torch.ones(1, device=picture.device)
    found = where.new_zeros(len(where), net.sizes.what)
    for k in depth.argsort().tolist():
        (token,) = look(net, view, [Proposal(where[k : k + 1], depth[k : k + 1], one, (0, 0))], coverage)
        found[k], coverage = token.what[0], torch.maximum(coverage, token.claim)
    return found


def confidence(evidence: Tensor, sizes: TokenizerSizes) -> Tensor:
    """How sure tokens are, 0..1 (K,), by evidence (K, 2): the step network's logit, and the logarithm of the squared error that
    the token's layer leaves where it is seen. A logistic regression of whether an object is there, fitted by
    benchmarks/confidence.py."""
    step, error = evidence.unbind(1)
    return torch.sigmoid(sizes.step_weight * step + sizes.error_weight * (math.log(sizes.even_error) - error))


def at_least(token: Written, extent: Extent, least_area: float) -> Written:
    """The token as it is or, where next to nothing of its box is its own, with the whole box."""
    if (token.claim > 0.5).sum() >= least_area:
        return token
    size = token.scope.shape[-1]
    beside = (frame_grid(token.where, size) - token.where[:, None, None, :2]).abs() / token.where[:, None, None, 2:]
    scope = (beside.amax(-1) <= 0.5 / FRAME_SCALE).to(token.scope.dtype)
    return replace(token, scope=scope, claim=paste(scope[None], extent, token.where, *token.claim.shape[-2:]))


def without(token: Written, other: Written, extent: Extent) -> Written:
    """The token without the pixels that another claims."""
    taken = crop(other.claim, extent, token.where[None], token.scope.shape[-1])[:, 0, 0]  # (1, S, S)
    return replace(token, scope=token.scope * (1 - taken), claim=token.claim * (1 - other.claim))


def near_to_far(code: PictureCode) -> PictureCode:
    """The same code with its object tokens sorted by depth."""
    return code.only([0, *(code.depth[1:].argsort() + 1).tolist()])
