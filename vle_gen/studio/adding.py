"""One more object in a picture, from text, where the pipeline has no way of its own to add one."""
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from vle_gen.errors import UserError

if TYPE_CHECKING:
    from vle_gen.pipeline import VLEPipeline
    from vle_gen.tokens import VLETokens


def add(
    pipe: VLEPipeline, tokens: VLETokens, text: str, at: tuple[float, float] | None, generator: torch.Generator
) -> VLETokens:
    """The tokens with one more, drawn as a picture of its own; `at` in pixels of the picture."""
    if hasattr(pipe, "add"):
        return pipe.add(tokens, text, at=at, generator=generator)
    drawn = pipe(text, generator=generator).tokens[0]
    if len(drawn) < 2:
        raise UserError(f"nothing came of {text!r}: try again, or say it in other words")
    height, width = tokens.size
    where = drawn.where[:, 1:2].clone()
    if at is not None:
        where[0, 0, 0] = (at[0] - width / 2) / max(tokens.size) + 0.5
        where[0, 0, 1] = (at[1] - height / 2) / max(tokens.size) + 0.5
    new = {name: getattr(drawn, name)[:, 1:2] for name in ("what", "depth", "kind", "scope", "score", "source")}
    joined = {name: torch.cat([getattr(tokens, name), part], 1) for name, part in {**new, "where": where}.items()}
    return replace(tokens, **joined, length=tokens.length + 1)
