"""What a call of the pipeline may be given, judged before anything is drawn."""
from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real

import torch

from vle_gen.errors import UserError
from vle_gen.generation.chosen_places import Place


def prompts_of(prompt: str | Sequence[str]) -> Sequence[str]:
    """The prompts. Raises `UserError` for what is neither a text nor a list of them."""
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(prompts, Sequence) or not all(isinstance(text, str) for text in prompts):
        raise UserError(f"{prompt!r} is no prompt: expected a text, or a list of them")
    return prompts


def places_of(places: Sequence[Place | str] | None) -> list[Place]:
    """The places, read from text where they are that. Raises `UserError` for what is none, or no list of them."""
    if isinstance(places, str) or not isinstance(places, Sequence | None):
        raise UserError(f"{places!r} is no list of places: expected a list such as ['red ball@0.25,0.6']")
    for place in places or ():
        if not isinstance(place, str | Place):
            raise UserError(f"{place!r} is no place: expected one such as 'red ball@0.25,0.6'")
    return [Place.read(place) if isinstance(place, str) else place for place in places or ()]


def require_output(output_type: str) -> None:
    """Raises `UserError` for an `output_type` that there is not."""
    if output_type not in ("pil", "np"):
        raise UserError(f"output_type is {output_type!r}: expected 'pil' or 'np'")


def require_numbers(guidance_scale: float, **counts: int) -> None:
    """Raises `UserError` unless the guidance is a number of 0 or more, and the others whole numbers of 1 or more."""
    if not isinstance(guidance_scale, Real) or not 0 <= guidance_scale < math.inf:
        raise UserError(f"guidance_scale is {guidance_scale!r}: expected a number of 0 or more")
    for name, value in counts.items():
        if not isinstance(value, Integral) or value < 1:
            raise UserError(f"{name} is {value}: expected a whole number of 1 or more")


def require_generators(generator: torch.Generator | list[torch.Generator] | None, count: int) -> None:
    """Raises `UserError` unless it is a generator, none, or a list of one for each of `count` pictures."""
    for one in generator if isinstance(generator, list) else [generator]:
        if one is not None and not isinstance(one, torch.Generator):
            raise UserError(f"a generator is of {type(one).__name__}: expected a torch.Generator, or a list of them")
        if one is not None and one.device.type != "cpu":
            raise UserError(f"a generator is of {one.device}: expected one of the CPU, where a seed means the same everywhere")
    if isinstance(generator, list) and len(generator) != count:
        raise UserError(f"{len(generator)} generators for {count} pictures: give one, or one for each")


def one_generator(generator: torch.Generator | list[torch.Generator] | None) -> torch.Generator | None:
    """The generator of one picture, which may be the only one in a list. Raises `UserError` for anything else."""
    require_generators(generator, 1)
    return generator[0] if isinstance(generator, list) else generator


def seed_of(generator: torch.Generator | None) -> int | None:
    """The seed that a generator began with; None without one."""
    return None if generator is None else generator.initial_seed()
