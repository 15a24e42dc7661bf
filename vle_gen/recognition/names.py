"""Names for what is seen: the best of all that an object may be called, by CLIP's embeddings of them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from prompts.called import Called, every_calling
from prompts.lexicon import Lexicon
from prompts.request import Mention
from prompts.vocabulary import COLOR, SHAPE
from vle_gen.recognition.prototypes import agreed

TEXTS = 256  # names that are encoded at once
DOUBT = 0.3  # of the best name: true names have it in 9 of 10 cases, others in 1 of 200 (docs/experiments/everyday.md)
TRUST = 2.0  # in the shapes that tokens tell, beside CLIP's
LIKELY = 0.3  # chance from which a solid is taken for what it was drawn to be


@dataclass(frozen=True)
class Names:
    """The best name of each of K glimpses among all that things may be called."""

    attributes: Tensor  # (K, 4) long: shape, size, material, color; -1 where what a thing is called does not say
    probability: Tensor  # (K,) of that name, 0..1
    called: tuple[Called, ...]  # K
    odds: Tensor  # (K, N) of every name, 0..1
    every: tuple[Called, ...]  # N, all names

    def given(self, wanted: Sequence[Mention | None]) -> tuple[Called, ...]:
        """The names, knowing what each was drawn to be, None for what is not known. Where that is a solid, and the names that
        fit it have a chance of `LIKELY` together, it has the best of them: else one good thing in ten is taken for another."""
        found = list(self.called)
        solids = {mention for mention in wanted if mention is not None and mention.name is None}
        fitting = {mention: [k for k, one in enumerate(self.every) if one.fits(mention)] for mention in solids}
        for row, mention in enumerate(wanted):
            rows = fitting.get(mention)
            if rows and self.odds[row, rows].sum() >= LIKELY:
                found[row] = self.every[rows[int(self.odds[row, rows].argmax())]]
        return tuple(found)

    def painted(self, plain: Names, rows: Sequence[int]) -> Names:
        """The names where things of `rows` are painted over, and `plain` are those of all in their own colours: one that has a
        name keeps it, without the colour that it may say; of a solid the colour is what it shows."""
        called, attributes = list(self.called), self.attributes.clone()
        probability, odds = self.probability.clone(), self.odds.clone()
        for row in rows:
            if plain.called[row].name is not None:
                bare = (*plain.called[row].attributes[:COLOR], -1)
                called[row] = replace(plain.called[row], attributes=bare)
                attributes[row] = attributes.new_tensor(bare)
                probability[row], odds[row] = plain.probability[row], plain.odds[row]
        return replace(self, attributes=attributes, probability=probability, called=tuple(called), odds=odds)

    def shaped(self, told: Tensor) -> Names:
        """The names of solids where something else tells their shapes too: logarithms (K, S) of how likely each is."""
        shape = torch.tensor([one.attributes[SHAPE] for one in self.every], device=told.device)
        odds = (self.odds.clamp(min=1e-9).log() + TRUST * told[:, shape]).softmax(-1)
        probability, best = odds.max(-1)
        called = tuple(self.every[k] for k in best.tolist())
        attributes = self.attributes.new_tensor([one.attributes for one in called])
        return replace(self, attributes=attributes, probability=probability, called=called, odds=odds)

    @property
    def text(self) -> list[str]:
        """In words, e.g. "large red metal sphere"."""
        return [str(one) for one in self.called]


@dataclass(frozen=True)
class NameTable:
    """All that things may be called, embedded."""

    lexicon: Lexicon | None
    called: tuple[Called, ...]
    attributes: Tensor  # (N, 4) long
    embedded: Tensor  # (N, embed) unit length

    @staticmethod
    def of(lexicon: Lexicon | None, encode: Callable[[list[str]], Tensor]) -> NameTable:
        """`encode` embeds texts."""
        called = every_calling(lexicon)
        texts = [str(one) for one in called]
        embedded = torch.cat([encode(texts[start : start + TEXTS]) for start in range(0, len(texts), TEXTS)])
        rows = torch.tensor([one.attributes for one in called], device=embedded.device)
        return NameTable(lexicon, called, rows, embedded)

    def best(self, pictures: Tensor, scale: Tensor, asked: Sequence[Mention] = (), told: Tensor | None = None) -> Names:
        """The names of pictures by their embeddings (K, embed); `scale` is that of similarities. `told` (K, N) is what else is
        known of them, as `vle_gen.recognition.prototypes.agreed` takes it.

        A thousand names are more alike than their pictures. So what one of `asked` describes by a name of the lexicon is held
        to be that, where it is at least `DOUBT` times as probable as the best; solids are what is most probable.
        """
        odds = (scale * pictures @ self.embedded.T).softmax(-1)  # (K, N)
        odds = odds if told is None else agreed(odds, told)
        probability, best = odds.max(-1)
        asked = [mention for mention in asked if mention.name is not None]
        wanted = [k for k, one in enumerate(self.called) if any(one.fits(mention) for mention in asked)]
        if wanted:
            likely, which = odds[:, wanted].max(-1)
            may_be = likely >= DOUBT * probability
            best = torch.where(may_be, torch.tensor(wanted, device=best.device)[which], best)
            probability = torch.where(may_be, likely, probability)
        return Names(self.attributes[best], probability, tuple(self.called[k] for k in best.tolist()), odds, self.called)
