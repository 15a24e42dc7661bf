"""The parts of a pipeline: of which kind each is, and which can work together."""
from __future__ import annotations

from diffusers import FlowMatchEulerDiscreteScheduler

from vle_gen.clip import ClipModel
from vle_gen.errors import UserError
from vle_gen.prior.model import TextToTokenPrior
from vle_gen.tokenizer.model import VLETokenizer

KINDS = {"tokenizer": VLETokenizer, "prior": TextToTokenPrior, "clip": ClipModel, "scheduler": FlowMatchEulerDiscreteScheduler}


def require_parts(**parts: object) -> None:
    """Raises `UserError` for a part of another kind than its name's in `KINDS`. All but the tokenizer may be None."""
    for name, part in parts.items():
        if not isinstance(part, KINDS[name]) and (part is not None or name == "tokenizer"):
            found = "None" if part is None else f"of {type(part).__name__}"
            raise UserError(f"the {name} is {found}: expected a {KINDS[name].__name__}")


def require_fit(tokenizer: VLETokenizer, prior: TextToTokenPrior | None, clip: ClipModel | None) -> None:
    """Raises `UserError` for parts that cannot work together."""
    if prior is None or clip is None:
        return
    reads, writes = prior.config.text_width, prior.config.what_dim
    if (reads, writes) != (clip.text_width, tokenizer.config.what):
        named = f" ({prior.config.clip_name})" if prior.config.clip_name else ""
        raise UserError(
            f"the prior reads a CLIP of width {reads}{named} and writes {writes} numbers a token: this CLIP has width "
            f"{clip.text_width}, and this tokenizer {tokenizer.config.what} numbers"
        )
