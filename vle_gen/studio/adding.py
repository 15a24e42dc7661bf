"""One more object in a picture, from text, where the pipeline has no way of its own to add one."""
from __future__ import annotations

from typing import TYPE_CHECKING

import editors
from vle_gen.errors import UserError

if TYPE_CHECKING:
    import torch

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
    return editors.paste(tokens, drawn, 1, to=at, name=text)
