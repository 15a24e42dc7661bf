"""What the tokenizer is trained on: the paper's losses, and supervision where the data has layers.

Variable Length Embeddings (Chiu, Gu & Zhou 2023) supplies reconstruction after every token, distinctiveness and the mask
terms; layers supply where, scope, RGBA and depth with the loop teacher-forced from near to far.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.data.compose import Engine
from vle_gen.data.scene import SceneBatch
from vle_gen.tokenizer.background import stretch
from vle_gen.tokenizer.blocks import Extent, crop, frame_grid, paste, planned, work_picture
from vle_gen.tokenizer.glimpse import Layers
from vle_gen.tokenizer.network import TokenizerNetwork, kl_divergence, posterior_sample
from vle_gen.tokenizer.sizes import FRAME_SCALE, LossWeights
from vle_gen.tokenizer.step import DEPTH_SCALE, STRIDE, StepMaps


def heat_targets(centres: Tensor, wanted: Tensor, height: int, width: int, sigma: float = 0.8) -> Tensor:
    """Gaussian bumps (M, height, width) at `centres` (M, N, 2), in cells, of the objects that are `wanted` (M, N)."""
    x = torch.arange(width, device=centres.device) + 0.5
    y = torch.arange(height, device=centres.device) + 0.5
    # The bump peaks on a cell's centre, so that every object has a cell with target exactly 1.
    peak = centres.floor() + 0.5
    dx2 = (x - peak[..., 0:1]) ** 2  # (M, N, w)
    dy2 = (y - peak[..., 1:2]) ** 2
    bumps = torch.exp(-(dx2[:, :, None] + dy2[..., None]) / (2 * sigma**2)) * wanted[..., None, None]
    return bumps.amax(1)


def focal(score: Tensor, target: Tensor) -> Tensor:
    """Penalty-reduced focal loss (Zhou et al. 2019, CenterNet), summed and divided by the number of peaks."""
    p = torch.sigmoid(score).clamp(1e-4, 1 - 1e-4)
    is_peak = target > 0.999
    loss = torch.where(is_peak, (1 - p) ** 2 * p.log(), (1 - target) ** 4 * p**2 * (1 - p).log())
    return -loss.sum() / is_peak.sum().clamp(min=1)


def visible_centres(labels: Tensor, slots: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Centroid of each object's visible part, in cells of a height x width grid: (B, N, 2); and masks (B, N, H, W)."""
    index = torch.arange(1, slots + 1, device=labels.device)
    masks = (labels[:, None] == index[None, :, None, None]).float()  # (B, N, H, W)
    area = masks.sum((2, 3)).clamp(min=1)
    y = (torch.arange(labels.shape[1], device=labels.device) + 0.5) * height / labels.shape[1]
    x = (torch.arange(labels.shape[2], device=labels.device) + 0.5) * width / labels.shape[2]
    cx = (masks.sum(2) * x).sum(-1) / area
    cy = (masks.sum(3) * y).sum(-1) / area
    return torch.stack([cx, cy], -1), masks


class TokenizerLoss:
    """Computes every term of a batch. `states` is how many states of the loop are trained per scene and step."""

    def __init__(self, weights: LossWeights, composer: Engine, states: int = 3):
        self.weights, self.composer, self.states = weights, composer, states

    def __call__(
        self, net: TokenizerNetwork, scenes: SceneBatch, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """The weighted sum, and each term unweighted."""
        height, width = scenes.image.shape[-2:]
        extent = Extent.of(height, width)
        picture = work_picture(scenes.image, net.sizes.work_side)
        work = picture.shape[-2:]
        features = net.backbone(picture)

        bg_mean, bg_logvar = net.background_encoder(features.coarse, picture)
        background = stretch(net.background_decoder(posterior_sample(bg_mean, bg_logvar, generator)), height, width)

        centres, masks = visible_centres(scenes.labels, scenes.present.shape[1], work[0] // STRIDE, work[1] // STRIDE)
        terms = {}
        if self.weights.score or self.weights.box or self.weights.depth:
            terms = self._step_terms(net, scenes, extent, features.fine, background.detach(), centres, masks, generator)
        terms |= self._glimpse_terms(net, scenes, extent, features.fine, background, generator)
        layered = scenes.has_layers.float()
        error = self._apart(background - scenes.background).mean((1, 2, 3))
        terms["background"] = (error * layered).sum() / layered.sum().clamp(min=1)
        terms["kl"] = terms["kl"] + kl_divergence(bg_mean, bg_logvar).mean() / 4
        total = sum(getattr(self.weights, name) * value for name, value in terms.items())
        return total, {name: float(value.detach()) for name, value in terms.items()}

    def _step_terms(self, net, scenes, extent, fine, background, centres, masks, generator) -> dict[str, Tensor]:
        """Score, box and depth, from random states of the loop: the nearest k objects found, sometimes others."""
        batch, slots = scenes.present.shape
        device = fine.device
        rows = torch.arange(batch, device=device).repeat(self.states)  # (M,)
        present = scenes.present[rows]
        count = present.sum(1, keepdim=True)
        found_count = (torch.rand(len(rows), 1, generator=generator, device=device) * (count + 1)).long()
        rank = present.cumsum(1)  # 1.. for present objects, near to far
        found = present & (rank <= found_count)
        shuffled = present & (torch.rand(len(rows), slots, generator=generator, device=device) < 0.5)
        odd = torch.rand(len(rows), 1, generator=generator, device=device) < 0.3
        found = torch.where(odd, shuffled, found)

        height, width = fine.shape[-2:]
        small = F.interpolate(masks, (height, width), mode="area")  # (B, N, h, w)
        coverage = (small[rows] * found[..., None, None]).sum(1, keepdim=True).clamp(max=1)
        blurred = F.avg_pool2d(coverage, 3, 1, 1)  # the loop's own coverage is never this exact
        rough = torch.rand(len(rows), 1, 1, 1, generator=generator, device=device) < 0.5
        coverage = torch.where(rough, blurred, coverage)
        error = F.interpolate(scenes.image - background, (height, width), mode="area")[rows]
        maps: StepMaps = net.step(net.step.embed(fine)[rows], coverage, error)

        wanted = present & ~found
        target = heat_targets(centres[rows], wanted, height, width)
        terms = {"score": focal(maps.score, target)}
        state, slot = torch.nonzero(wanted, as_tuple=True)
        if len(state) == 0:
            return terms | {"box": maps.box.sum() * 0, "depth": maps.depth.sum() * 0}
        # The centre's cell and its neighbours answer alike, so that a peak one cell off still gives the right frame.
        cell = centres[rows][state, slot].floor().long()  # (P, 2)
        jitter = torch.randint(-1, 2, cell.shape, generator=generator, device=device)
        limit = torch.tensor([width - 1, height - 1], device=device)
        cell = (cell + jitter).clamp(min=torch.zeros_like(limit), max=limit)
        box = scenes.box[rows[state], slot]
        middle = (box[:, :2] - 0.5) / torch.tensor(extent, device=device) + 0.5  # 0..1 over the picture
        offset = middle * torch.tensor([width, height], device=device) - (cell + 0.5)
        truth = torch.cat([offset, box[:, 2:].clamp(min=1e-3).log()], 1)
        guess = maps.box[state, :, cell[:, 1], cell[:, 0]]
        scale = torch.tensor([0.5, 0.5, 2.0, 2.0], device=device)
        terms["box"] = F.smooth_l1_loss(guess * scale, truth * scale, beta=0.25)
        depth = maps.depth[state, cell[:, 1], cell[:, 0]]
        terms["depth"] = F.smooth_l1_loss(depth / DEPTH_SCALE, scenes.depth[rows[state], slot] / DEPTH_SCALE, beta=0.1)
        return terms

    def _glimpse_terms(self, net, scenes, extent, fine, background, generator) -> dict[str, Tensor]:
        """Scope, layer, silhouette, intermediate reconstruction, distinctiveness and mask terms, over all objects."""
        device, size = fine.device, net.sizes.glimpse
        rows, slots = torch.nonzero(scenes.present, as_tuple=True)  # (K,), near to far within a scene
        box = scenes.box[rows, slots]
        noise = torch.randn(len(rows), 4, generator=generator, device=device)
        centre = box[:, :2] + 0.06 * noise[:, :2] * box[:, 2:]
        frame = torch.cat([centre, FRAME_SCALE * box[:, 2:] * torch.exp(0.07 * noise[:, 2:])], 1)

        frames = scenes.box.new_zeros(*scenes.present.shape, 4) + 0.5
        frames[rows, slots] = frame
        # Labels at twice the resolution, averaged: soft masks without a mask picture per object.
        seen = crop(scenes.labels[:, None].float() + 1, extent, frames, 2 * size, "nearest")[rows, slots, 0]
        label, slot = seen.long() - 1, slots[:, None, None]  # -1 outside the picture
        nearer = (label > 0) & (label <= slot)
        others = (label > 0) & (label != slot + 1)
        every = torch.rand(len(rows), 1, 1, generator=generator, device=device) < 0.25
        planes = torch.stack([label == slot + 1, torch.where(every, others, nearer), nearer, label >= 0], 1).float()
        own, covered, _, inside = F.avg_pool2d(planes, 2).unbind(1)  # (K, S, S) each
        colour = crop(torch.cat([scenes.image, scenes.image - background.detach()], 1), extent, frames, size)[rows, slots]
        glimpse = torch.cat([colour, covered[:, None], inside[:, None]], 1)
        context = crop(fine.float(), extent, frames, size // 4)[rows, slots]
        code = planned(net.glimpse_encoder, glimpse.contiguous(memory_format=torch.channels_last), context)
        layers = planned(net.glimpse_decoder, posterior_sample(code.mean, code.logvar, generator))
        fine_size = net.sizes.layer
        if fine_size != size:
            colour = crop(scenes.image, extent, frames, fine_size)[rows, slots]
        truth = F.interpolate(planes, (fine_size, fine_size), mode="area")  # (K, 4, L, L)

        terms = {"scope": _mask_loss(code.scope, own, inside), "kl": kl_divergence(code.mean, code.logvar).mean()}
        terms |= self._layer_terms(scenes, rows, slots, frame, layers, colour[:, :3], *truth[:, [0, 2, 3]].unbind(1))
        terms |= self._canvas_terms(scenes, extent, rows, slots, frame, layers.at(size), torch.sigmoid(code.scope), background)
        what = F.normalize(code.mean, dim=1)
        same = (rows[:, None] == rows[None]) & ~torch.eye(len(rows), dtype=torch.bool, device=device)
        alike = (what @ what.T).square()
        terms["distinct"] = (alike * same).sum() / same.sum().clamp(min=1)
        return terms

    def _layer_terms(self, scenes, rows, slots, frame, layers, seen, own, nearer, inside) -> dict[str, Tensor]:
        """RGBA and silhouette: against the exact layer where there is one, else against what the mask tells."""
        layered = scenes.has_layers[rows]
        truth = torch.zeros(len(rows), 5, *own.shape[1:], device=own.device)
        if layered.any():
            truth[layered] = self.composer.layers(
                scenes, rows[layered], slots[layered], frame_grid(frame[layered], own.shape[-1])
            )
        exact = layered.float()[:, None, None]
        in_view = 0.1 + 0.9 * inside
        # The root, so that faint shadows count: they are most of a layer's area, and what is wrong with them shows.
        focus = in_view * (1 + 3 * truth[:, 3].clamp(0, 1).sqrt())
        apart = self._apart(layers.premultiplied - truth[:, :4]).mean(1)
        layer = (apart * focus * exact).sum() / (focus * exact).sum().clamp(1)
        owned = own * (1 - exact)
        rough = (self._apart(layers.colour - seen).mean(1) * owned).sum() / owned.sum().clamp(1)
        share = exact.mean()
        silhouette = torch.where(layered[:, None, None], truth[:, 4], own)
        known = in_view * torch.where(layered[:, None, None], torch.ones_like(own), 1 - nearer)
        solid = layers.solid[:, 0].clamp(1e-4, 1 - 1e-4)
        entropy = -(silhouette * solid.log() + (1 - silhouette) * (1 - solid).log())
        return {
            "layer": layer * share + rough * (1 - share),
            "silhouette": (entropy * known).sum() / known.sum().clamp(1),
        }

    def _apart(self, difference: Tensor) -> Tensor:
        """Absolute error, plus a share of squared error that keeps highlights from being averaged away."""
        return difference.abs() + self.weights.squared * difference.square()

    def _canvas_terms(self, scenes, extent, rows, slots, frame, layers: Layers, scope, background) -> dict[str, Tensor]:
        """Reconstruction after every token, and the mask terms, on the canvas at half the picture's resolution."""
        height, width = (s // 2 for s in scenes.image.shape[-2:])
        batch, count = scenes.present.shape
        planes = torch.cat([layers.premultiplied, scope[:, None]], 1)
        drawn = paste(planes, extent, frame, height, width)  # (K, 5, h, w)
        canvas = drawn.new_zeros(batch, count, 5, height, width)
        canvas[rows, slots] = drawn
        image = F.interpolate(scenes.image, (height, width), mode="area")
        base = F.interpolate(background, (height, width), mode="area")
        shown, through = torch.zeros_like(image), torch.ones_like(image[:, :1])
        labels = scenes.labels[:, ::2, ::2]
        error = (self._apart(base - image) * (labels == 0)[:, None]).mean()  # after the scene token alone
        steps = 1.0
        for slot, drawing in enumerate(canvas.unbind(1)):  # near to far: what is written so far, over the background
            colour, alpha, _ = drawing.split([3, 1, 1], 1)
            shown = shown + through * colour
            through = through * (1 - alpha)
            # What is yet to be written is left out: nearer tokens would else learn to paint what lies behind them.
            due = (labels <= slot + 1)[:, None]
            after = (self._apart(shown + through * base - image) * due).mean((1, 2, 3))
            written = scenes.present[:, slot].float()
            error = error + (after * written).mean()
            steps = steps + written.mean()
        scopes = canvas[:, :, 4]  # (B, N, h, w)
        total = scopes.sum(1)
        apart = (F.relu(total - 1)).mean()  # a pixel has one owner
        area = scope.mean((1, 2))
        return {
            "intermediate": error / steps,
            "mask_apart": apart,
            "mask_empty": F.relu(0.02 - area).mean() * 50,  # a scope is no sliver of its frame
        }


def _mask_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Binary cross-entropy plus soft Dice (Milletari et al. 2016), over pixels of `weight`."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
    p = torch.sigmoid(logits) * weight
    dice = 1 - (2 * (p * target).sum((1, 2)) + 1) / (p.sum((1, 2)) + (target * weight).sum((1, 2)) + 1)
    return entropy.sum() / weight.sum().clamp(1) + dice.mean()
