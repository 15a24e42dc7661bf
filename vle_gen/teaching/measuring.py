"""How well a checkpoint draws an object that it was taught, and what became of the prompts that it followed before."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch

from prompts.request import Mention
from vle_gen.generation.drawing import Drawn, Order, Settings, draw_orders
from vle_gen.teaching.rehearsal import Watch, Wishes, nearest_codes

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline

BATCH = 16
FIRST = Settings(guidance=3.0, flow_steps=16, tries=1, size=(256, 256))  # as pictures are drawn, but never again


@dataclass(frozen=True)
class Measured:
    """What teaching came to; shares are of first draws.

    Args:
        name: of the object.
        named: share of the prompts with the name in whose pictures CLIP finds the object.
        likest: share in whose tokens one looks more like the object's pictures than like anything else that the prior knows:
            what CLIP says has no part in it.
        right: share with everything right, by the checkpoint's own check.
        old_before, old_after: share of the same other prompts with everything right.
        new_prompts, old_prompts: how many there were.
        glimpses_named, glimpses_mistaken: shares of glimpses that CLIP did not learn from, of the object and of other things,
            that it calls by the name.
        minutes: of all, measuring too.
    """

    name: str
    named: float
    likest: float
    right: float
    old_before: float
    old_after: float
    new_prompts: int
    old_prompts: int
    glimpses_named: float
    glimpses_mistaken: float
    minutes: float

    @property
    def lost(self) -> float:
        """Points of old prompts that were followed and are no more, less those that are now."""
        return 100 * (self.old_before - self.old_after)

    def as_json(self) -> dict:
        """Plain values."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


def new_prompts(wishes: Wishes, name: str, count: int) -> list[str]:
    """Prompts with the name: alone, beside and in relation to other things, at places, before backgrounds."""
    one, found = Mention(name=name), []
    while len(found) < count:
        request = wishes.any([one])
        if any(mention.name == name for mention in request.mentions):
            found.append(wishes.caption(request, measured=True).text)
    return found


def old_prompts(wishes: Wishes, count: int) -> list[str]:
    """Prompts of known things alone."""
    return [wishes.caption(wishes.any(), measured=True).text for _ in range(count)]


def draw(pipe: VLEPipeline, prompts: Sequence[str], seed: int, watch: Watch, doing: str) -> list[Drawn]:
    """The first draw of each prompt."""
    orders, found = [Order.of(text, (), pipe.words, pipe.lexicon) for text in prompts], []
    for start in watch(range(0, len(orders), BATCH), doing):
        some = orders[start : start + BATCH]
        generators = [torch.Generator().manual_seed(seed + start + k) for k in range(len(some))]
        found += draw_orders(pipe, some, 1, generators, FIRST)
    return found


def share_right(drawn: Sequence[Drawn]) -> float:
    """Share of the pictures with everything right."""
    return sum(not one.problems for one in drawn) / len(drawn)


def share_named(pipe: VLEPipeline, drawn: Sequence[Drawn], name: str) -> float:
    """Share of the pictures in which CLIP finds what is called so, as the check of prompts does."""
    asked = [Mention(name=name)]
    return sum(any(called.name == name for called in pipe.called(one.tokens, asked)) for one in drawn) / len(drawn)


def share_likest(pipe: VLEPipeline, drawn: Sequence[Drawn], sort: int) -> float:
    """Share of the pictures with a token that is nearest to a code of that sort."""
    network = pipe.prior.network
    near = [network.code_sort[nearest_codes(network, one.tokens.what[0])] for one in drawn]
    return sum(bool((sorts == sort).any()) for sorts in near) / len(near)
