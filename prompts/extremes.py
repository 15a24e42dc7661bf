"""Which of several things is meant by "the leftmost ball" or "the biggest cat", of which a picture shows others."""
from __future__ import annotations

from collections.abc import Callable, Sequence

from prompts.places import extent, leaning
from prompts.synonyms import split_words

Measure = Callable[[Sequence[float]], float]  # of a box (cx, cy, w, h), the most where a thing is meant

_MOST: dict[str, Measure] = {
    "leftmost": lambda box: -box[0],
    "rightmost": lambda box: box[0],
    **dict.fromkeys(("topmost", "uppermost", "highest"), lambda box: -box[1]),
    **dict.fromkeys(("bottommost", "lowermost", "lowest"), lambda box: box[1]),
    **dict.fromkeys(("biggest", "largest"), extent),
    "smallest": lambda box: -extent(box),
}


def superlative(phrase: str) -> tuple[str, Measure | None]:
    """A phrase without the word that says which one of its things is meant, and what that is the most of; as it was where
    there is no such word."""
    words = split_words(phrase) if isinstance(phrase, str) else []
    at = next((k for k, word in enumerate(words) if word in _MOST), None)
    if at is None:
        return phrase, None
    return " ".join((*words[:at], *(words[at + 1 :] or ["one"]))), _MOST[words[at]]


def chosen(place: str | None, most: Measure | None, boxes: Sequence[Sequence[float]]) -> list[int]:
    """Which of some boxes a person means who says where one is, or that it is the most of them."""
    found = list(range(len(boxes))) if place is None else leaning(place, boxes)
    return found if most is None or not found else [max(found, key=lambda k: most(boxes[k]))]
