"""Learning tokens from pictures alone: the loop runs on its own proposals, and only the picture says how well it did.

No layer, mask, box or depth is used. As in Variable Length Embeddings (Chiu, Gu & Zhou 2023) the loop looks, writes a
token, composites it, and looks at what remains. Reconstruction trains the layers; what the layers then show (their
extents, and whether they were worth a token) teaches the step network and the scopes, which decide where to look next.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.data.scene import SceneBatch
from vle_gen.tokenizer.background import stretch
from vle_gen.tokenizer.blocks import Extent, crop, paste, work_picture
from vle_gen.tokenizer.losses import focal, heat_targets
from vle_gen.tokenizer.network import TokenizerNetwork, kl_divergence, posterior_sample
from vle_gen.tokenizer.sizes import FRAME_SCALE, LossWeights
from vle_gen.tokenizer.step import DEPTH_MEAN, DEPTH_SCALE, StepMaps
from vle_gen.tokenizer.warp import density, pixel_centres

SIDE_OF_SPREAD = 3.7  # side of a silhouette over its standard deviation: 3.5 for a square, 4 for a disc
LEAST_GAIN = 0.3  # a token is worth writing if it lowers the squared error under it by this share
LEAST_SAVED = 1.5e-4  # and the picture's mean absolute error by this much
LEAST_NEW = 0.5  # and if this share of what it covers is covered by no earlier token
NOTICED = 0.04  # error of a colour below which nothing asks for a token
SMALLEST, LARGEST = 0.03, 0.6  # extents of a box, in canvas units


@dataclass
class Token:
    """One step of the loop on a batch of B pictures. h x w are the cells of the step's grid."""

    maps: StepMaps
    mean: Tensor  # (B, D)
    logvar: Tensor  # (B, D)
    scope: Tensor  # (B, S, S) logits
    owned: Tensor  # (B, S, S) 0..1, what the scope should be: the silhouette where no earlier token lies
    inside: Tensor  # (B, S, S) 1 inside the picture
    tint: Tensor  # (B, S, S) error of the layer's colour against the glimpse
    alpha: Tensor  # (B, 1, S, S)
    solid: Tensor  # (B, 1, S, S)
    frame: Tensor  # (B, 4) canvas units
    claim: Tensor  # (B, h, w) newly covered, without gradient
    drawn_scope: Tensor  # (B, 1, H/2, W/2)
    error: Tensor  # (B,) of the picture after this token
    worth: Tensor  # (B,) bool


class SelfSupervisedLoss:
    """Every term of a batch of pictures. `tokens` is how many the loop writes for each, worth it or not."""

    def __init__(self, weights: LossWeights, tokens: int = 8):
        self.weights, self.tokens = weights, tokens

    def __call__(
        self, net: TokenizerNetwork, scenes: SceneBatch, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """The weighted sum, and each term unweighted. Of `scenes` only the image is looked at."""
        image = scenes.image
        height, width = image.shape[-2:]
        extent, picture = Extent.of(height, width), work_picture(image, net.sizes.work_side)
        features = net.backbone(picture)
        mean, logvar = net.background_encoder(features.coarse, picture)
        background = stretch(net.background_decoder(posterior_sample(mean, logvar, generator)), height, width)
        tokens, remaining, background_error = self._loop(net, image, extent, features.fine, background, generator)

        terms = self._taught(tokens, extent, generator)
        what = F.normalize(torch.stack([t.mean for t in tokens], 1), dim=2)  # (B, T, D)
        worth = torch.stack([t.worth for t in tokens], 1)  # (B, T)
        pairs = worth[:, :, None] & worth[:, None] & ~torch.eye(len(tokens), dtype=torch.bool, device=image.device)
        scopes = torch.stack([torch.sigmoid(t.scope) for t in tokens], 1)  # (B, T, S, S)
        ring = locality(scopes.shape[-1], image.device)
        share = torch.stack([t.frame[:, 2] * t.frame[:, 3] for t in tokens], 1) / (extent.width * extent.height)
        alpha = torch.stack([(t.alpha[:, 0] * ring).mean((1, 2)) for t in tokens], 1)  # (B, T)
        terms |= {
            "layer": tokens[-1].error.mean() + shown_colour(tokens),
            "intermediate": torch.stack([t.error for t in tokens]).mean(),
            "background": background_error,
            "distinct": ((what @ what.transpose(1, 2)).square() * pairs).sum() / pairs.sum().clamp(min=1),
            "mask_empty": F.relu(0.02 - scopes.mean((2, 3))).mean() * 50,
            "mask_apart": F.relu(torch.stack([t.drawn_scope for t in tokens]).sum(0) - 1).mean(),
            "area": (alpha * share).sum(1).mean(),
            "kl": torch.stack([kl_divergence(t.mean, t.logvar).mean() for t in tokens]).mean()
            + kl_divergence(mean, logvar).mean() / 4,
        }
        total = sum(getattr(self.weights, name) * value for name, value in terms.items())
        numbers = {name: float(value.detach()) for name, value in terms.items()}
        return total, numbers | {"worth": float(worth.float().sum(1).mean()), "remaining": float(remaining)}

    def _loop(self, net, image, extent, fine, background, generator) -> tuple[list[Token], Tensor, Tensor]:
        """The tokens in the order of writing, which is near to far; the share of the picture that still asks for a token;
        and the scene token's error where no token lies."""
        height, width = (s // 2 for s in image.shape[-2:])
        cells = fine.shape[-2:]
        target = F.interpolate(image, (height, width), mode="area")
        base = F.interpolate(background, (height, width), mode="area")
        behind = background.detach()  # tokens look at the scene token, and do not teach it by being looked at
        error = F.interpolate(image - behind, cells, mode="area")
        asks = F.relu(F.interpolate((image - behind).abs().amax(1, keepdim=True), cells, mode="area") - NOTICED)[:, 0]
        difference = torch.cat([image, image - behind], 1)
        embedded = net.step.embed(fine)
        covered = image.new_zeros(len(image), 1, *cells)
        tried = image.new_zeros(len(image), *cells)
        shown, through = torch.zeros_like(target), torch.ones_like(target[:, :1])
        tokens = []
        for _ in range(self.tokens):
            maps = net.step(embedded, covered, error)
            cell = self.look(maps, asks * (1 - covered[:, 0]) * (1 - tried), tried, generator)
            frame = frames_at(maps, cell, extent)  # (B, 4)
            colour = crop(difference, extent, frame[:, None].detach(), net.sizes.glimpse)[:, 0]
            planes = torch.cat([covered, torch.ones_like(covered)], 1)
            planes = crop(planes, extent, frame[:, None].detach(), net.sizes.glimpse)[:, 0]
            context = crop(fine.float(), extent, frame[:, None].detach(), net.sizes.glimpse // 4)[:, 0]
            code = net.glimpse_encoder(torch.cat([colour, planes], 1), context)
            layers = net.glimpse_decoder(posterior_sample(code.mean, code.logvar, generator)).at(net.sizes.glimpse)

            opaque = (layers.alpha > 0.5).float().detach()
            was = shown + through * base
            drawn = paste(torch.cat([layers.premultiplied, opaque], 1), extent, frame, height, width)
            shown = shown + through * drawn[:, :3]
            through = through * (1 - drawn[:, 3:4])
            now = shown + through * base
            before, after = self._apart(was - target), self._apart(now - target)

            with torch.no_grad():
                under = drawn[:, 4:5]
                left = (after * under).sum((1, 2, 3)) / (before * under).sum((1, 2, 3)).clamp(min=1e-6)
                all_under = F.interpolate(under, cells, mode="area")
                claim = all_under * (1 - covered)
                new = claim.sum((1, 2, 3)) / all_under.sum((1, 2, 3)).clamp(min=1e-3)
                saved = ((was - target).abs() - (now - target).abs()).mean((1, 2, 3))
                worth = (left < 1 - LEAST_GAIN) & (saved > LEAST_SAVED) & (new > LEAST_NEW)
                covered = torch.where(worth[:, None, None, None], torch.maximum(covered, claim), covered)
                tried = torch.maximum(tried, around(cell, cells))
            tokens.append(
                Token(
                    maps, code.mean, code.logvar, code.scope, opaque[:, 0] * (1 - planes[:, 0]), planes[:, 1],
                    self._apart(layers.colour - colour[:, :3]).mean(1), layers.alpha, layers.solid, frame.detach(), claim[:, 0],
                    paste(torch.sigmoid(code.scope)[:, None], extent, frame.detach(), height, width),
                    after.mean((1, 2, 3)), worth,
                )  # fmt: skip
            )
        remaining = ((asks > 0) & (covered[:, 0] < 0.5)).float().mean()
        floor = F.interpolate(1 - covered, (height, width), mode="bilinear")
        # Absolute error alone: its minimum is the median, which is the floor where objects are the smaller part.
        background_error = ((base - target).abs() * floor).sum() / (3 * floor.sum()).clamp(min=1)
        return tokens, remaining, background_error

    def look(self, maps: StepMaps, asks: Tensor, tried: Tensor, generator: torch.Generator) -> Tensor:
        """Where the next token is written: cells (B, 2), y and x. Drawn from the score map where the scene token's error
        asks for a token, so that places which the score does not know yet are tried as well."""
        batch, height, width = asks.shape
        score = torch.sigmoid(maps.score.detach()) * (1 - tried)
        asks = asks / asks.flatten(1).amax(1).clamp(min=1e-3)[:, None, None]
        chance = (score * (0.2 + asks) + 0.05 * asks).square().flatten(1) + 1e-8
        drawn = torch.multinomial(chance, 1, generator=generator)[:, 0]
        return torch.stack([drawn // width, drawn % width], 1)

    def _taught(self, tokens: list[Token], extent: Extent, generator: torch.Generator) -> dict[str, Tensor]:
        """Score, box, depth, scope and silhouette, against what the written layers turned out to be."""
        claim = torch.stack([t.claim for t in tokens], 1)  # (B, T, h, w)
        worth = torch.stack([t.worth for t in tokens], 1)  # (B, T)
        centre, side = extents(claim)  # (B, T, 2) each, in cells
        height, width = claim.shape[-2:]
        scale = torch.tensor([extent.width / width, extent.height / height], device=claim.device)
        truth_side = (side * scale).clamp(SMALLEST, LARGEST).log()
        limit = torch.tensor([width - 1, height - 1], device=claim.device)
        score, box, depth = [], [], []
        for step, token in enumerate(tokens):  # in every state of the loop, all that is written from there on is wanted
            wanted = worth.clone()
            wanted[:, :step] = False
            score.append(focal(token.maps.score, heat_targets(centre, wanted, height, width)))
            rows, later = torch.nonzero(wanted, as_tuple=True)
            if len(rows) == 0:
                continue
            cell = centre[rows, later].floor().long()
            jitter = torch.randint(-1, 2, cell.shape, generator=generator, device=cell.device)
            cell = (cell + jitter).clamp(min=torch.zeros_like(limit), max=limit)
            truth = torch.cat([centre[rows, later] - (cell + 0.5), truth_side[rows, later]], 1)
            guess = token.maps.box[rows, :, cell[:, 1], cell[:, 0]]
            unit = torch.tensor([0.5, 0.5, 2.0, 2.0], device=cell.device)
            box.append(F.smooth_l1_loss(guess * unit, truth * unit, beta=0.25))
            order = DEPTH_MEAN + DEPTH_SCALE * (2 * later.float() / len(tokens) - 1)  # what is written first is in front
            guess = token.maps.depth[rows, cell[:, 1], cell[:, 0]]
            depth.append(F.smooth_l1_loss(guess / DEPTH_SCALE, order / DEPTH_SCALE, beta=0.1))
        nothing = tokens[0].maps.box.sum() * 0
        scope = torch.stack([t.scope for t in tokens])  # (T, B, S, S)
        owned, inside = (torch.stack([getattr(t, name) for t in tokens]) for name in ("owned", "inside"))
        solid = torch.stack([t.solid for t in tokens]).clamp(1e-4, 1 - 1e-4)
        opaque = (torch.stack([t.alpha for t in tokens]) > 0.5).float()
        entropy = F.binary_cross_entropy_with_logits(scope, owned, reduction="none")
        return {
            "score": torch.stack(score).mean(),
            "box": torch.stack(box).mean() if box else nothing,
            "depth": torch.stack(depth).mean() if depth else nothing,
            "scope": (entropy * inside).sum() / inside.sum().clamp(1),
            "silhouette": -(opaque * solid.log() + (1 - opaque) * (1 - solid).log()).mean(),
        }

    def _apart(self, difference: Tensor) -> Tensor:
        return difference.abs() + self.weights.squared * difference.square()


def frames_at(maps: StepMaps, cell: Tensor, extent: Extent) -> Tensor:
    """Frames (B, 4), in canvas units, that cells (B, 2), y and x, propose; of sane size, and with their centres near."""
    height, width = maps.score.shape[-2:]
    rows = torch.arange(len(cell), device=cell.device)
    box = maps.box[rows, :, cell[:, 0], cell[:, 1]]
    x = (cell[:, 1] + 0.5 + box[:, 0].clamp(-width / 4, width / 4)) / width
    y = (cell[:, 0] + 0.5 + box[:, 1].clamp(-height / 4, height / 4)) / height
    centre = torch.stack([0.5 + (x - 0.5) * extent.width, 0.5 + (y - 0.5) * extent.height], 1)
    return torch.cat([centre, FRAME_SCALE * box[:, 2:].exp().clamp(SMALLEST, LARGEST)], 1)


def shown_colour(tokens: list[Token]) -> Tensor:
    """Error of the layers' colours where they show, each pixel of a glimpse alike: in the picture, where small objects
    have few pixels, colours are learnt late."""
    shows = torch.stack([t.owned * t.inside for t in tokens])
    return (torch.stack([t.tint for t in tokens]) * shows).sum() / shows.sum().clamp(1)


def extents(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Centroid and sides (B, T, 2), x and y in cells, of soft masks (B, T, h, w)."""
    total = mask.sum((2, 3)).clamp(min=1e-3)
    centres, sides = [], []
    for axis, length in ((2, mask.shape[3]), (3, mask.shape[2])):  # x: sum over rows; y: sum over columns
        profile = mask.sum(axis) / total[..., None]
        at = torch.arange(length, device=mask.device) + 0.5
        centre = (profile * at).sum(-1)
        variance = (profile * (at - centre[..., None]).square()).sum(-1)
        centres.append(centre)
        sides.append(SIDE_OF_SPREAD * variance.clamp(min=0.05).sqrt())
    return torch.stack(centres, -1), torch.stack(sides, -1)


def around(cell: Tensor, size: tuple[int, int], reach: float = 2.5) -> Tensor:
    """1 within `reach` cells of the cells (B, 2), y and x, of a grid of `size`: (B, h, w)."""
    y = torch.arange(size[0], device=cell.device)[None, :, None] - cell[:, 0, None, None]
    x = torch.arange(size[1], device=cell.device)[None, None] - cell[:, 1, None, None]
    return ((y.square() + x.square()) <= reach**2).float()


def locality(size: int, device: torch.device) -> Tensor:
    """What alpha costs in a frame (size, size): little in the middle half, where the object should be; more outside."""
    at = pixel_centres(size, device).abs()
    return (0.5 + 1.5 * ((torch.maximum(at[:, None], at[None]) - 0.5).clamp(min=0) * 2)) * density(size, device)
