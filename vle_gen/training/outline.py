"""Training the outline network alone: whose is each pixel, given the tokens that the loop wrote of the picture; and, where the
network says that too, which are an object's that no token is of."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.data.scene import SceneBatch
from vle_gen.tokenizer.loop import PictureCode, encode_picture
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.ownership import Claim, claims

SIZES = (0.9, 1.8)  # times those that the rest of the tokenizer is trained on: outlines are drawn at the picture's own size
NOBODY = -30.0  # logit of a token outside its window
BOUNDED = 0.5  # between cross-entropy, 0, and the share of wrong pixels, 1: what nothing could tell has a bounded loss
SAME = 0.2  # intersection over union from which a token is held to be of a true object
MISSED = 0.1  # weight of the loss of what was missed, beside that of the outlines
FORGOTTEN = (8, 900)  # pixels that show of an object whose token is left out, to learn what it looks like when it was missed
NOTICED = 10  # pixels of a missed object from which on it has to be noticed
RARER = 5.0  # how much more its pixels count than others
SPECK = 5.0  # pixels that the overlap of what is said and what is missed is off by at no price


class OutlineLoss:
    """Generalised cross-entropy (Zhang & Sabuncu 2018) of who owns the pixels, nobody or one of the tokens, for
    `vle_gen.training.tokenizer.TokenizerTask`; and cross-entropy and overlap (Milletari et al. 2016) of what was missed, by
    the loop or because a token is left out."""

    def __call__(
        self, net: TokenizerNetwork, scenes: SceneBatch, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """The mean over pixels that any token looks at; the share of these that are wrong, and that were by the scopes. What is
        missed counts by halves: windows in which something is, and the others."""
        losses, wrong, before, missed, calm = [], [], [], [], []
        for picture, labels in zip(scenes.image, scenes.labels, strict=True):
            with torch.autocast(picture.device.type, enabled=False):
                code = encode_picture(net, picture)
            found = claims(net, picture, code)
            if not found:
                continue
            logits, scopes = (planes_of(found, code, labels, name) for name in ("logits", "scope"))
            seen = (logits[1:] > NOBODY).any(0)
            truth = wanted_owner(scopes.argmax(0), labels)
            entropy = F.cross_entropy(logits[None], truth[None], reduction="none")[0][seen]
            losses.append(((1 - torch.exp(-BOUNDED * entropy)) / BOUNDED).mean())
            wrong.append((logits.argmax(0) != truth)[seen].float().mean())
            before.append((scopes.argmax(0) != truth)[seen].float().mean())
            if net.notices_missed:
                there, not_there = missed_losses(found, labels, truth)
                missed += there + forgetful_losses(net, picture, labels, code, truth, generator)
                calm += not_there
        if not losses:
            return sum(parameter.sum() for parameter in net.outline.parameters()) * 0, {}
        named = dict(outline=losses, wrong=wrong, scopes_wrong=before)
        named |= {name: some for name, some in (("missed", missed), ("calm", calm)) if some}
        means = {name: torch.stack(values).mean() for name, values in named.items()}
        loss = means["outline"] + MISSED * sum(means[name] / 2 for name in ("missed", "calm") if name in means)
        return loss, {name: float(mean.detach()) for name, mean in means.items()}


def forgetful_losses(
    net: TokenizerNetwork, picture: Tensor, labels: Tensor, code: PictureCode, owner: Tensor, generator: torch.Generator
) -> list[Tensor]:
    """Losses of the windows in which something is missed when one token is left out, rather one of which less shows; none where
    all that have one show too much. labels and owner, the token that should own a pixel, are (h, w)."""
    shown = torch.bincount(owner.flatten(), minlength=len(code.what))[: len(code.what)]
    weight = torch.where((shown >= FORGOTTEN[0]) & (shown <= FORGOTTEN[1]), 1 / (shown + 60.0), 0.0)
    weight[0] = 0
    if weight.sum() == 0:
        return []
    one = int(torch.multinomial(weight, 1, generator=generator))
    code = code.only([k for k in range(len(code.what)) if k != one])
    found = claims(net, picture, code)
    scopes = planes_of(found, code, labels, "scope")
    return missed_losses(found, labels, wanted_owner(scopes.argmax(0), labels))[0]


def planes_of(found: dict[int, Claim], code: PictureCode, labels: Tensor, name: str) -> Tensor:
    """What the claims of a code's T tokens say of a picture with labels (h, w): (T, h, w), 0 of the scene token."""
    planes = torch.full((len(code.what), *labels.shape), NOBODY, device=labels.device)
    planes[0] = 0.0
    for k, claim in found.items():
        planes[k][claim.window.slices] = getattr(claim, name)
    return planes


def missed_losses(found: dict[int, Claim], labels: Tensor, owner: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The loss of what each window says was missed: of those in which something was, and of the others. labels and owner, the
    token that should own a pixel, are (h, w); objects of which next to nothing shows do not count."""
    absent = (labels > 0) & (owner == 0)
    shown = torch.bincount(labels.flatten())
    counted = ~(absent & (shown < NOTICED)[labels])
    there, not_there = [], []
    for claim in found.values():
        if claim.smaller > 1:  # its pixels are not the picture's
            continue
        wanted, weight = absent[claim.window.slices].float(), counted[claim.window.slices].float()
        entropy = F.binary_cross_entropy_with_logits(claim.missed, wanted, reduction="none")
        said, wanted = torch.sigmoid(claim.missed) * weight, wanted * weight
        overlap = (2 * (said * wanted).sum() + SPECK) / (said.sum() + wanted.sum() + SPECK)
        loss = 10 * (entropy * weight * (1 + RARER * wanted)).mean() + 1 - overlap
        (there if wanted.any() else not_there).append(loss)
    return there, not_there


def wanted_owner(found: Tensor, labels: Tensor) -> Tensor:
    """Which token should own each pixel (h, w), 0 = none, given what tokens own (h, w) and true labels (h, w), 0 = floor: the
    pixels of an object are the token's that is likest to it, if it is like it at all and no other object is liker."""
    tokens, objects = int(found.max()) + 1, int(labels.max()) + 1
    both = torch.bincount((found * objects + labels).flatten(), minlength=tokens * objects).view(tokens, objects).float()
    overlap = both / (both.sum(1, keepdim=True) + both.sum(0, keepdim=True) - both).clamp(min=1)
    overlap[0] = overlap[:, 0] = 0
    rank = torch.zeros(objects, dtype=torch.long, device=labels.device)
    while overlap.max() > SAME:  # the likest pair first, and each once
        token, item = divmod(int(overlap.argmax()), objects)
        rank[item] = token
        overlap[token], overlap[:, item] = 0, 0
    return rank[labels]
