"""What a prior says of scenes, and how far another has come away from it: the rehearsal of what was known.

The one that is taught is held to all that the one of before says about scenes which that one drew: which thing comes next, how
likely each place is, when to stop, how its look is denoised, which words speak of what.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vle_gen.prior.network import PriorBatch, PriorNetwork


@dataclass(frozen=True)
class Question:
    """One batch of scenes as both are asked about it. The same noise for both."""

    what: Tensor  # (B, T, D) standardised
    place: Tensor  # (B, T, 5) in 0..1
    told: Tensor  # (B, T, 5) the same, inexactly
    code: Tensor  # (K,) of the tokens in use
    used: Tensor  # (B, T) bool, K of them
    drop: Tensor  # (B,) bool, whose text is hidden
    noise: Tensor  # (K, D)
    sigma: Tensor  # (K,)

    @staticmethod
    @torch.no_grad()
    def of(network: PriorNetwork, batch: PriorBatch, text_drop: float, blur: float, generator: torch.Generator) -> Question:
        """`network` is the one of before."""
        what, place = network.standardise(batch.what), network.code.encode(batch.where, batch.depth)
        used = torch.arange(what.shape[1]) < batch.length[:, None]
        code = network.code_of(what[used], batch.sort[used])
        return Question(
            what, place, network.code.blurred(place, blur, generator), code, used,
            torch.rand(len(what), generator=generator) < text_drop,
            torch.randn(len(code), what.shape[2], generator=generator),
            torch.randn(len(code), generator=generator).sigmoid(),
        )  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a prior says to a `Question`, in logits where there is a choice."""

    code: Tensor  # (K, codes)
    place: Tensor  # (J, 5, bins) of all tokens but the backgrounds
    stop: Tensor  # (K,)
    velocity: Tensor  # (K, D)
    links: Tensor  # (P, relations) of pairs of things
    spoken: Tensor  # (W, tokens) of words
    count: Tensor  # (B,)

    @staticmethod
    def of(network: PriorNetwork, batch: PriorBatch, asked: Question) -> Answer:
        text = network.read_text(batch.features, batch.mask, asked.drop)
        to_what, to_next = network(asked.what, asked.told, text)
        used, turn = asked.used, torch.arange(asked.used.shape[1])
        goes_on = (used & (turn > 0))[:, 1:]
        condition = network.flow_condition(to_what[used], asked.code)
        sigma = asked.sigma[:, None]
        noisy = (1 - sigma) * asked.what[used] + sigma * asked.noise
        links, places = network.next_places(to_next, asked.code, asked.place, used)
        earlier = turn[1:, None] > turn[None, 1:-1]
        return Answer(
            code=network.code_logits(network.to_code(to_what, to_next)[used]).float(),
            place=places,
            stop=network.stop(to_next[used])[:, 0].float(),
            velocity=network.flow(noisy, asked.sigma, condition).float(),
            links=links[earlier & goes_on[..., None]],
            spoken=network.spoken_of(text.words[text.mask & ~asked.drop[:, None]]).float(),
            count=text.count.float(),
        )


def forgotten(new: Answer, old: Answer) -> Tensor:
    """How far the new answers are from the old ones; zero where they are the same. Codes that the old prior lacks have no
    share in what it says."""
    codes = old.code.shape[1]
    said = old.code.softmax(-1)
    code = (said * (old.code.log_softmax(-1) - new.code.log_softmax(-1)[:, :codes])).sum(-1).mean()
    place = _apart(new.place, old.place).sum(-1).mean() if len(new.place) else code * 0
    stop = _unsure(new.stop, old.stop)
    links = _unsure(new.links, old.links) * new.links.shape[-1] if new.links.numel() else code * 0
    spoken = _apart(new.spoken, old.spoken).mean() if len(new.spoken) else code * 0
    velocity = (new.velocity - old.velocity).square().mean()
    count = F.smooth_l1_loss(new.count, old.count)
    return code + 0.5 * place + stop + links + spoken + velocity + count


def _apart(new: Tensor, old: Tensor) -> Tensor:
    """Kullback-Leibler divergence of choices, by their logits."""
    return (old.softmax(-1) * (old.log_softmax(-1) - new.log_softmax(-1))).sum(-1)


def _unsure(new: Tensor, old: Tensor) -> Tensor:
    """The same of yes and no, the mean."""
    said = old.sigmoid()
    return (F.binary_cross_entropy_with_logits(new, said) - F.binary_cross_entropy_with_logits(old, said)).clamp(min=0)
