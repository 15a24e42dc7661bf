"""Carried detail: an edited picture at the source's full resolution, in which nothing changes but what the edit changes.

The source is taken apart into layers that composite to it again: the floor without shadows, and for each token a shadow
and a body with a soft edge. The edit composites them anew, and only the difference is added to the source.
"""
from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.compositing.body import Body, composite
from vle_gen.compositing.camera import sampled_at
from vle_gen.compositing.decomposition import take_apart
from vle_gen.compositing.placing import placed
from vle_gen.imaging.filters import grown, inside_mean
from vle_gen.inpainting.ground import CONTACT
from vle_gen.inpainting.visibility import touched
from vle_gen.inpainting.working_size import cell_of, reduced, reduced_window, stretched
from vle_gen.tokenizer.background import stretch_to
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.render import SHADOWS_END, Window, far_to_near, in_frame
from vle_gen.tokens import IN_PLACE, SURE, VLETokens

NOTICED = 10 / 255  # an edit's difference that an eye notices at once; what is fainter counts less away from a noticed one
STRONG = 22 / 255  # one that is noticed even where another token may be its cause
LIFTED, FALLEN, FIRM = 0.029, 0.021, 0.031  # how far from a noticed one, as a share of the picture's longer side, fainter light
# that an edit lets in counts, and fainter light that it takes (where a shadow falls is less sure than where it lay); and both
# from a strong one
UNSEEN = ((FALLEN / 2, 1.4 / 255, 1.6 / 255), (FALLEN, 1.5 / 255, 4.5 / 255))  # so far from all that an eye notices at once,
# a change that is weaker than the first is left out, and one counts in full from the second on
UNSURE, PLAIN, WEAK = 0.02, 15 / 255, (3.5 / 255, 6 / 255)  # the same of what is less sure: where it gets darker, and, so far
# from all that is plain, where it may be another token's
FADES = 0.0167  # over the last of these ways, as a share of that side, it comes to count for nothing
MARGIN = 0.06  # of the picture's longer side: how far around an edit the floor is looked at
SHOWN = 0.1  # a body's matte from which on it is seen
UNKNOWN = 0.6  # share of a picture's tokens from which on that are unsure, the picture is of a world that is not known
DEEP = 0.4  # light so far down is more likely a part of a body that no outline holds than a shadow


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
    if net.sizes.one_world:
        base, bodies = take_apart(net, tokens, arena)
    else:
        old = changed_windows(tokens, [], gone)
        bared = around(old, tokens.size).inside(arena) if old else None
        base, bodies = take_apart(net, tokens, arena, scenery(tokens, changed, gone), bared)
    before = composite(base, [bodies[k] for k in far_to_near(detail.depth) if k in bodies], arena)
    new = placed(net, tokens, [bodies, *foreign_bodies(net, tokens)], arena)
    source = detail.seen_at(arena.planes).to(device)
    zone = given_up(gone, bodies, arena, source).maximum(covered_anew(new, changed, arena, source))
    doubt = doubted(tokens, changed, gone, bodies, arena, source)
    del bodies  # a large picture's layers take much memory, and each plane of it
    change = composite(base, list(new.values()), arena).sub_(before)
    del base, new
    unexplained = torch.sub(source, before, out=before).mul_(zone)
    kept = noticed_at_working_size(change, doubt, tokens.size)
    change.sub_(unexplained).mul_(kept)
    differs = (change != 0).any(0).cpu()
    edited = source.add_(change).clamp_(0, 1).mul_(255).round_().byte().cpu()
    picture[arena.planes] = torch.where(differs, edited, picture[arena.planes])
    return picture


@torch.no_grad()
def render_without_source(net: TokenizerNetwork, tokens: VLETokens) -> Tensor:
    """The picture (3, H, W), 0..1, of tokens without a source picture of their own, of which some may be retouched or
    come from other pictures."""
    device = next(net.parameters()).device
    floor = stretch_to(net.background_decoder(tokens.what[0, :1].to(device)), *tokens.size)[0]
    whole = Window(0, tokens.size[0], 0, tokens.size[1])
    return composite(floor, list(placed(net, tokens, [{}, *foreign_bodies(net, tokens)], whole).values()), whole)


def foreign_bodies(net: TokenizerNetwork, tokens: VLETokens) -> list[dict[int, Body]]:
    """The layers of pasted tokens, cut from each of `tokens.foreign`, by source token."""
    found = []
    for origin, detail in enumerate(tokens.foreign, 1):
        used = {int(tokens.source[0, k]) for k in range(1, len(tokens)) if int(tokens.origin[0, k]) == origin}
        windows = [touched(detail.where[k], detail.size) for k in used]
        windows = [window for window in windows if not window.empty]
        if not windows:
            found.append({})
            continue
        arena = around(windows, detail.size)
        view = replace(tokens.resized(*detail.size), detail=detail)
        _, bodies = take_apart(net, view, arena)
        found.append({k: bodies[k] for k in used if k in bodies})
    return found


def around(windows: list[Window], size: tuple[int, int]) -> Window:
    """The rectangle of a picture of height and width `size` that holds the windows and enough of the floor about them; of a
    large one whole cells (see `vle_gen.inpainting.working_size`)."""
    margin, cell = round(MARGIN * max(size)), cell_of(size)
    cells = reduced_window(Window(
        min(w.top for w in windows) - margin, max(w.bottom for w in windows) + margin,
        min(w.left for w in windows) - margin, max(w.right for w in windows) + margin,
    ), cell)  # fmt: skip
    return Window(*(cell * edge for edge in cells)).inside(Window(0, size[0], 0, size[1]))


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


def scenery(tokens: VLETokens, changed: list[int], gone: list[int]) -> frozenset[int]:
    """The source tokens that are unsure and that an edit leaves as they are, where there are many: the picture is then unlike
    those that the model knows, and they are parts of what lies behind the others rather than things. `changed` and `gone`: see
    `changed_tokens`."""
    used = {*gone, *(int(tokens.source[0, k]) for k in changed if not tokens.origin[0, k])}
    kept = {int(tokens.source[0, k]): float(tokens.score[0, k]) for k in range(1, len(tokens)) if not tokens.origin[0, k]}
    kept = {source: score for source, score in kept.items() if source > 0 and source not in used}
    unsure = frozenset(source for source, score in kept.items() if score < SURE)
    return unsure if len(unsure) >= UNKNOWN * max(1, len(kept)) else frozenset()


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
            shows = (bodies[k].matte > SHOWN) | (bodies[k].light.amin(0, keepdim=True) < DEEP)
            zone[part] = torch.maximum(zone[part], grown(shows.float(), CONTACT + 1))
    return zone


def covered_anew(bodies: dict[int, Body], changed: list[int], arena: Window, picture: Tensor) -> Tensor:
    """How much of what is seen is one of the `changed` tokens, of bodies from far to near by their index, (1, h, w) over the
    arena: what the layers do not explain there is of what they cover now."""
    zone = torch.zeros_like(picture[:1])
    for index, body in bodies.items():
        part = zone[body.window.within(arena).planes]  # a view
        part.mul_(1 - body.matte).add_(body.matte * (index in changed))
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


def noticed_at_working_size(change: Tensor, doubt: Tensor, size: tuple[int, int]) -> Tensor:
    """The same as `noticed`; in a large picture of height and width `size` it is told from a smaller one."""
    cell = cell_of(size)
    arena = Window(0, change.shape[1], 0, change.shape[2])
    planes = change.abs().amax(0, keepdim=True), change.sum(0, keepdim=True), doubt  # of fine texture the mean change is none
    kept = noticed(*(reduced(plane, cell) for plane in planes), tuple(-(-side // cell) for side in size))
    return stretched(kept, cell, reduced_window(arena, cell), arena)


def noticed(strength: Tensor, brighter: Tensor, doubt: Tensor, size: tuple[int, int]) -> Tensor:
    """How much of a change is kept, by its strength (1, h, w) and by whether it gets `brighter` (1, h, w), above 0, or darker:
    all of it where it is noticed and near by, fading to none away from there, so slowly that the fading shows no edge, and the
    faint tails of a soft shadow touch no far pixel. What may be another token's, as `doubt` (1, h, w) says, is noticed only
    where it is strong. Of a change that is faint all over the stronger half counts as noticed. (1, h, w), 0..1."""
    half = strength.max() / 2
    noticed = (strength > (NOTICED + (STRONG - NOTICED) * doubt).minimum(half)).float()
    strong = (strength > half.clamp(max=STRONG)).float()
    taken, let_in, sure, fades = (max(2, round(share * max(size))) for share in (FALLEN, LIFTED, FIRM, FADES))
    around = grown(noticed, taken)
    around = torch.cat([grown(around, let_in - taken), around, grown(strong, sure)])
    lifted, fallen, firm = (2 * inside_mean(around, fades) - 1).clamp(0, 1).split(1)
    kept = torch.where(brighter > 0, lifted, fallen).maximum(firm).maximum(noticed)
    falls = (brighter <= 0).float()
    doubtful = grown((doubt > 0.5).float(), fades)
    seen = [(NOTICED, share, levels, None) for share, *levels in UNSEEN]
    for plain, share, (none, full), where in [*seen, (NOTICED, UNSURE, WEAK, falls), (PLAIN, UNSURE, WEAK, doubtful)]:
        near = grown((strength > half.clamp(max=plain)).float(), max(2, round(share * max(size))))
        if where is not None:  # what is left out here may be strong enough for an edge to show
            near = (2 * inside_mean(near, max(1, fades // 2)) - 1).clamp(0, 1)
        left = ((strength * kept - none) / (full - none)).clamp(0, 1).maximum(near)
        kept = kept * (left if where is None else left.maximum(1 - where))
    return kept
