"""Places that a user chooses: "red ball@0.25,0.6" fixes where the prompt's red ball goes, and the prior writes the rest."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

from prompts.grammar import parse
from prompts.lexicon import Lexicon
from prompts.request import NO_KINDS, Mention, SceneRequest
from vle_gen.errors import UserError
from vle_gen.prior.places import VARIABLES, PlaceCode
from vle_gen.tokenizer.sizes import FRAME_SCALE


@dataclass(frozen=True)
class Place:
    """Where the centre of one thing goes.

    Args:
        phrase: the thing, such as "red ball".
        x, y: shares of the picture's width and height, x right, y down.
        size: of its box (the geometric mean of width and height) as a share of the picture; None leaves it open.
    """

    phrase: str
    x: float
    y: float
    size: float | None = None

    def __post_init__(self) -> None:
        numbers = [self.x, self.y] if self.size is None else [self.x, self.y, self.size]
        if not isinstance(self.phrase, str) or not all(isinstance(v, Real) for v in numbers):
            raise UserError(f"{self!r} is no place: expected a text and numbers, such as Place('red ball', 0.25, 0.6)")
        inside = all(math.isfinite(v) and 0 <= v <= 1 for v in (self.x, self.y))
        if not inside or not (self.size is None or 0.01 <= self.size <= 0.75):
            raise UserError(f"{self} is no place: expected x and y of 0 to 1, and a size of 0.01 to 0.75")

    @staticmethod
    def read(text: str) -> Place:
        """From "red ball@0.25,0.6" or "red ball@0.25,0.6,0.2". Raises `UserError` for what is neither."""
        phrase, _, numbers = text.rpartition("@")
        try:
            x, y, *size = (float(number) for number in numbers.split(","))
            if len(size) > 1 or not phrase.strip():
                raise ValueError
        except ValueError:
            raise UserError(f"{text!r} is no place: expected THING@X,Y[,SIZE], such as 'red ball@0.25,0.6'") from None
        return Place(phrase.strip(), x, y, *size)

    def mention(self, lexicon: Lexicon | None = None) -> Mention:
        """The thing, which may have a name of a lexicon. Raises `UserError` where the phrase does not describe one."""
        request = parse(self.phrase, lexicon)
        if request is None or request.count != 1 or len(request.mentions) != 1:
            raise UserError(f"{self.phrase!r} does not describe one object: expected words like 'red ball'")
        return request.mentions[0]

    def __str__(self) -> str:
        size = "" if self.size is None else f",{self.size:g}"
        return f"{self.phrase}@{self.x:g},{self.y:g}{size}"


def with_places(prompt: str, places: Sequence[Place], lexicon: Lexicon | None = None) -> str:
    """The prompt and the things that only a place speaks of: after it, or before it where it cannot be read or ends in a
    background, so that their turns are known."""
    request = parse(prompt, lexicon) if prompt.strip() else SceneRequest()
    if request is None:
        return ", ".join([*(place.phrase for place in places), prompt])
    found = _turns(request, places, lexicon)
    more = [place.phrase for k, place in enumerate(places) if k not in found]
    said = prompt.strip().rstrip(".,;:")
    if more and request.background:  # nothing is listed after a background
        return ", ".join([*more, said])
    return ", ".join([said, *more] if said else more)


def turns_of(
    request: SceneRequest | None, places: Sequence[Place], lexicon: Lexicon | None = None
) -> tuple[int, ...]:
    """The turn in which what stands at each place is written, for a request made by `with_places`; the scene is turn 0."""
    if request is None:
        return tuple(range(1, len(places) + 1))
    found = _turns(request, places, lexicon)
    return tuple(found[k] for k in range(len(places)))


def _turns(request: SceneRequest, places: Sequence[Place], lexicon: Lexicon | None) -> dict[int, int]:
    """Turns of the places whose things a request speaks of, by number of the place; the best fit is taken first."""
    first = [1]
    for mention in request.mentions:
        first.append(first[-1] + mention.count)
    free = [list(range(a, b)) for a, b in zip(first, first[1:], strict=False)]
    kinds = [NO_KINDS if lexicon is None else lexicon.above(mention.name) for mention in request.mentions]
    wanted, turns = [place.mention(lexicon) for place in places], {}
    for exactly in (True, False):
        for k, thing in enumerate(wanted):
            for mention, above, spare in zip(request.mentions, kinds, free, strict=True):
                same = (thing.attributes, thing.called) == (mention.attributes, mention.called)
                fits = same if exactly else thing.covers(mention.attributes, above | mention.kinds)
                if k not in turns and spare and fits:
                    turns[k] = spare.pop(0)
    return turns


def clamps(code: PlaceCode, places: Sequence[Place], turns: Sequence[int], count: int) -> Tensor:
    """What the places fix of `count` tokens' places: (count, 5) in 0..1, NaN where free."""
    fixed = torch.full((count, VARIABLES), torch.nan)
    for place, turn in zip(places, turns, strict=True):
        fixed[turn] = code.fixed((place.x, place.y), None if place.size is None else FRAME_SCALE * place.size)
    return fixed
