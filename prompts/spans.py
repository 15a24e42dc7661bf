"""Which words of a caption speak of which of its mentions: marked while it is put together, taken out at the end."""
from __future__ import annotations

from dataclasses import dataclass

_MARK, _END = 0xD800, chr(0xDFFF)  # surrogates: no text has them, whatever signs names are in


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` of a caption speak of one mention of its request."""

    start: int
    end: int
    mention: int


def marked(mention: int, words: str) -> str:
    """The words, between marks."""
    return chr(_MARK + mention) + words + _END


def without_marks(text: str, renumber: dict[int, int]) -> tuple[str, tuple[Span, ...]]:
    """A text without its marks, and what they stood around, from left to right, the mentions numbered anew."""
    plain, spans, start, mention = "", [], 0, 0
    for character in text:
        if character == _END:
            spans.append(Span(start, len(plain), renumber[mention]))
        elif _MARK <= ord(character) < ord(_END):
            start, mention = len(plain), ord(character) - _MARK
        else:
            plain += character
    return plain, tuple(spans)
