"""Training the outline network alone: whose is each pixel, given the tokens that the loop wrote of the picture."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.data.scene import SceneBatch
from vle_gen.tokenizer.loop import encode_picture
from vle_gen.tokenizer.network import TokenizerNetwork
from vle_gen.tokenizer.ownership import claims

SIZES = (0.9, 1.8)  # times those that the rest of the tokenizer is trained on: outlines are drawn at the picture's own size
NOBODY = -30.0  # logit of a token outside its window
BOUNDED = 0.5  # between cross-entropy, 0, and the share of wrong pixels, 1: what nothing could tell has a bounded loss
SAME = 0.2  # intersection over union from which a token is held to be of a true object


class OutlineLoss:
    """Generalised cross-entropy (Zhang & Sabuncu 2018) of who owns the pixels, nobody or one of the tokens, for
    `vle_gen.training.tokenizer.TokenizerTask`."""

    def __call__(
        self, net: TokenizerNetwork, scenes: SceneBatch, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """The mean over pixels that any token looks at; the share of these that are wrong, and that were by the scopes."""
        losses, wrong, before = [], [], []
        for picture, labels in zip(scenes.image, scenes.labels, strict=True):
            with torch.autocast(picture.device.type, enabled=False):
                code = encode_picture(net, picture)
            found = claims(net, picture, code)
            if not found:
                continue
            shape = (len(code.what), *picture.shape[-2:])
            logits, scopes = picture.new_full(shape, NOBODY), picture.new_full(shape, NOBODY)
            logits[0], scopes[0] = 0.0, 0.0
            for k, claim in found.items():
                logits[k][claim.window.slices] = claim.logits
                scopes[k][claim.window.slices] = claim.scope
            seen = (logits[1:] > NOBODY).any(0)
            truth = wanted_owner(scopes.argmax(0), labels)
            entropy = F.cross_entropy(logits[None], truth[None], reduction="none")[0][seen]
            losses.append(((1 - torch.exp(-BOUNDED * entropy)) / BOUNDED).mean())
            wrong.append((logits.argmax(0) != truth)[seen].float().mean())
            before.append((scopes.argmax(0) != truth)[seen].float().mean())
        if not losses:
            return sum(parameter.sum() for parameter in net.outline.parameters()) * 0, {}
        named = dict(outline=losses, wrong=wrong, scopes_wrong=before)
        return torch.stack(losses).mean(), {name: float(torch.stack(values).detach().mean()) for name, values in named.items()}


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
