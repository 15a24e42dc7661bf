"""The autoregressive loop at work: look at the picture, write one token, cover what it explains, go on or stop."""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.tokenizer.background import stretch
from vle_gen.tokenizer.blocks import Extent, crop, paste
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.sizes import FRAME_SCALE
from vle_gen.tokenizer.step import STRIDE, StepMaps
from vle_gen.tokenizer.warp import SLOPE

OCTAVE = 2**0.5  # between the levels of a pyramid
COARSE = 1.4  # pixels of a level per pixel of a glimpse, at most, where it is cut from that level: more would alias
SLACK = 1.4  # a scope is cut where the silhouette, which is softer, falls below 1 / SLACK
SCENE_DEPTH = 1000.0  # the scene token lies behind everything


@dataclass(frozen=True)
class Halting:
    """When the loop stops. A token is worth writing while its score and the part of it that is new reach these."""

    least_score: float = 0.3
    least_new: float = 0.25  # share of the scope that no earlier token covers
    least_area: float = 8.0  # pixels of the glimpse picture
    max_tokens: int = 32


HALTING = Halting()


@dataclass(frozen=True)
class PictureCode:
    """The tokens of one picture, T of them with the scene token first and objects near to far, and who owns what."""

    what: Tensor  # (T, D)
    where: Tensor  # (T, 4)
    depth: Tensor  # (T,)
    score: Tensor  # (T,) 0..1, 1 for the scene token
    scope: Tensor  # (T, S, S) 0..1 visible part in the token's frame; zeros for the scene token
    owner: Tensor  # (h, w) long, at the glimpse picture's size: index of the owning object token, 0 = scene


def glimpse_picture(picture: Tensor, side: int) -> Tensor:
    """The picture (3, H, W) with its longer side at `side` pixels: (1, 3, h, w)."""
    extent = Extent.of(*picture.shape[-2:])
    size = (max(8, round(side * extent.height)), max(8, round(side * extent.width)))
    return F.interpolate(picture[None], size, mode="bilinear", antialias=True, align_corners=False)


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
def encode_picture(net: TokenizerNetwork, picture: Tensor, halting: Halting = HALTING) -> PictureCode:
    """Tokens of one picture (3, H, W), 0..1, on the network's device."""
    sizes, device = net.sizes, picture.device
    extent = Extent.of(*picture.shape[-2:])
    full = glimpse_picture(picture, sizes.glimpse_side)  # (1, 3, gh, gw)
    work = [max(32, round(sizes.work_side * e / 16) * 16) for e in (extent.height, extent.width)]
    seen = F.interpolate(full, work, mode="area") * 2 - 1
    features = net.backbone(seen.contiguous(memory_format=torch.channels_last))
    scene_what, _ = net.background_encoder(features.coarse, seen)
    background = stretch(net.background_decoder(scene_what), *full.shape[-2:])
    cells = (work[0] // STRIDE, work[1] // STRIDE)
    error = F.interpolate(full - background, cells, mode="area")
    embedded = net.step.embed(features.fine)
    levels = pyramid(picture, full)

    coverage = torch.zeros_like(full[:, :1])  # (1, 1, gh, gw)
    owner = torch.zeros(full.shape[-2:], dtype=torch.long, device=device)
    allowed = torch.ones(cells, device=device)
    whats, wheres, depths, scores, scopes = [], [], [], [], []
    for _ in range(2 * halting.max_tokens):
        if len(whats) >= halting.max_tokens:
            break
        maps = net.step(embedded, F.interpolate(coverage, cells, mode="area"), error)
        cell = next_cell(maps, allowed, halting.least_score)
        if cell is None:
            break
        y, x = cell
        where = frame_at(maps, y, x, extent)  # (1, 4)
        colour = crop(level_for(levels, where, sizes.glimpse), extent, where[None], sizes.glimpse)[:, 0]
        planes = torch.cat([background, coverage, torch.ones_like(coverage)], 1)
        behind, covered = crop(planes, extent, where[None], sizes.glimpse)[:, 0].split([3, 2], 1)
        context = crop(features.fine, extent, where[None], sizes.glimpse // 4)[:, 0]
        code = net.glimpse_encoder(torch.cat([colour, colour - behind, covered], 1), context)
        # What is seen of a token lies within its whole silhouette: a scope that runs over into a neighbour of the same
        # colour is cut back there, and the neighbour is left to be found.
        whole = net.glimpse_decoder(code.mean).solid[:, 0]
        scope = torch.sigmoid(code.scope) * (SLACK * whole).clamp(max=1)  # (1, S, S)
        claim = paste(scope[None], extent, where, *full.shape[-2:])  # (1, 1, gh, gw)
        new = claim * (1 - coverage)
        area, total = new[new > 0.5].sum(), claim[claim > 0.5].sum()
        if area < halting.least_area or area < halting.least_new * total:
            allowed[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = 0  # nothing new here: look elsewhere
            continue
        owner[(claim[0, 0] > 0.5) & (owner == 0)] = len(whats) + 1
        coverage = torch.maximum(coverage, claim)
        whats.append(code.mean)
        wheres.append(where)
        depths.append(maps.depth[0, y, x][None])
        scores.append(torch.sigmoid(maps.score[0, y, x])[None])
        scopes.append(scope)

    one = torch.ones(1, device=device)
    frame = torch.tensor([[0.5, 0.5, extent.width, extent.height]], device=device)
    code = PictureCode(
        what=torch.cat([scene_what, *whats]),
        where=torch.cat([frame, *wheres]),
        depth=torch.cat([one * SCENE_DEPTH, *depths]),
        score=torch.cat([one, *scores]),
        scope=torch.cat([scene_what.new_zeros(1, sizes.glimpse, sizes.glimpse), *scopes]),
        owner=owner,
    )
    return near_to_far(code)


def next_cell(maps: StepMaps, allowed: Tensor, least_score: float) -> tuple[int, int] | None:
    """The cell (y, x) of the nearest object among the peaks of the score map; None is the decision to stop."""
    score = torch.sigmoid(maps.score[0]) * allowed
    peak = (score == F.max_pool2d(score[None], 3, 1, 1)[0]) & (score >= least_score)
    if not peak.any():
        return None
    depth = torch.where(peak, maps.depth[0], torch.inf)
    return divmod(int(depth.argmin()), depth.shape[1])


def frame_at(maps: StepMaps, y: int, x: int, extent: Extent) -> Tensor:
    """The frame (1, 4), in canvas units, that the cell (y, x) proposes."""
    height, width = maps.score.shape[-2:]
    dx, dy, log_w, log_h = maps.box[0, :, y, x]
    cx = 0.5 + ((x + 0.5 + dx) / width - 0.5) * extent.width
    cy = 0.5 + ((y + 0.5 + dy) / height - 0.5) * extent.height
    return torch.stack([cx, cy, FRAME_SCALE * log_w.exp(), FRAME_SCALE * log_h.exp()])[None]


def near_to_far(code: PictureCode) -> PictureCode:
    """The same code with its object tokens sorted by depth."""
    order = torch.cat([torch.zeros(1, dtype=torch.long, device=code.depth.device), code.depth[1:].argsort() + 1])
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    fields = {name: getattr(code, name)[order] for name in ("what", "where", "depth", "score", "scope")}
    return PictureCode(**fields, owner=rank[code.owner])
