"""Objects that the loop missed: of which little shows beside a nearer thing, whose token took that for a part of its own.

To the loop such a sliver is explained. The outline network looks closer, at the picture's own size, and says which pixels are
an object's that no token is of; there the picture counts as not explained after all, and the loop goes on.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.encoding import NO_HINTS, Halting
from vle_gen.imaging.filters import grown
from vle_gen.tokenizer.blocks import crop, paste
from vle_gen.tokenizer.loop import PER_TOKEN, PictureCode, View, Written, confidence, look, near_to_far
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.ownership import Claim
from vle_gen.tokenizer.proposals import next_proposals

CERTAIN = -1.0  # logit, a mean of all that see it, from which on a pixel is a missed object's: such are few, so logits are low
LEAST = 1e-4  # of the pixels of the canvas, of such, for which the loop goes on
ROUNDS = 3
AROUND = 2  # pixels of the glimpse picture about what was missed that count as not explained either
MOSTLY = 0.5  # of what a token claims that has to lie there
LEAST_SURE = 0.2  # score of a token that is kept


def missed(found: dict[int, Claim], height: int, width: int) -> Tensor:
    """Which pixels of a picture are an object's that no token is of, by the mean of all windows that see them: bool (height,
    width). Each of `found`, one or more, has to say so of its window."""
    total, seen = torch.zeros(2, height, width, device=next(iter(found.values())).missed.device)
    for claim in found.values():
        total[claim.window.slices] += claim.missed
        seen[claim.window.slices] += 1
    return (seen > 0) & (total > CERTAIN * seen)


@torch.no_grad()
def completed(
    net: TokenizerNetwork, picture: Tensor, code: PictureCode, found: dict[int, Claim], halting: Halting
) -> PictureCode:
    """The code of a picture (3, H, W), 0..1, with tokens of the objects that the loop missed, if `found`, what its
    tokens claim, says that there are any; else the code itself."""
    height, width = picture.shape[-2:]
    sliver = missed(found, height, width) if found else picture.new_zeros(1)
    if sliver.sum() < LEAST * max(height, width) ** 2:
        return code
    view, _ = View.of(net, picture)
    full, extent = view.levels[-1], view.extent
    embedded = net.step.embed(view.features)
    cells = embedded.shape[-2:]
    error = F.interpolate(full - view.background, cells, mode="area")
    share = F.interpolate(sliver[None, None].float(), full.shape[-2:], mode="area")  # of each pixel
    hole = grown((share[0] > 0).float(), AROUND)[None]
    coverage = paste(code.scope[1:, None], extent, code.where[1:], *full.shape[-2:]).amax(0, keepdim=True) * (1 - hole)
    allowed, written = torch.ones(cells, device=picture.device), []
    for _ in range(ROUNDS):
        maps = net.step(embedded, F.interpolate(coverage, cells, mode="area"), error)
        proposals = next_proposals(maps, allowed, halting.least_score, extent, NO_HINTS, set())
        if not proposals:
            break
        for proposal, token in zip(proposals, look(net, view, proposals, coverage), strict=True):
            y, x = proposal.cell
            allowed[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = 0
            claim = torch.where(token.claim > 0.5, token.claim, 0.0)
            there = claim.sum() > 0 and (claim * hole).sum() > MOSTLY * claim.sum()
            if there and confidence(token.evidence, net.sizes) > LEAST_SURE:
                written.append(token)
                coverage = torch.maximum(coverage, token.claim)
    return _with_tokens(net, code, written, view, share) if written else code


def _with_tokens(net: TokenizerNetwork, code: PictureCode, written: list[Written], view: View, share: Tensor) -> PictureCode:
    """The code with tokens that were written after all. What they claim of pixels that are missed, `share` (1, 1, gh, gw) of
    each, is no other's."""
    claim = torch.stack([token.claim for token in written]).amax(0) * share
    taken = crop(claim, view.extent, code.where[None, 1:], code.scope.shape[-1])[0, :, 0]  # (T - 1, S, S)
    scope = torch.cat([code.scope[:1], code.scope[1:] * (1 - taken)])
    fields = {name: getattr(code, name) for name in PER_TOKEN} | {"scope": scope}
    scores = [confidence(token.evidence, net.sizes) for token in written]
    more = {name: scores if name == "score" else [getattr(token, name) for token in written] for name in PER_TOKEN}
    owner = code.owner.clone()
    for index, token in enumerate(written, len(code.what)):
        owner[token.claim[0, 0] > 0.5] = index
    return near_to_far(PictureCode(**{name: torch.cat([fields[name], *more[name]]) for name in PER_TOKEN}, owner=owner))
