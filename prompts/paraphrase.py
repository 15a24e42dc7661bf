"""Captions as people would type them: other words for the same, near colours, and careless case and spaces."""
from __future__ import annotations

from random import Random

from prompts.colours import WORDS_FOR, nearest
from prompts.synonyms import NEAR, SAME
from prompts.vocabulary import ADJECTIVES, NOUNS

_OTHERS: dict[str, list[str]] = {}
for _other, _word in (SAME | NEAR).items():
    if _word in ADJECTIVES or _word in NOUNS:
        _OTHERS.setdefault(_word, []).append(_other)
for _name in WORDS_FOR:
    _OTHERS.setdefault(nearest(_name), []).append(_name)
_OTHERS["gray"] = [*_OTHERS["gray"], "grey"]


def careless(text: str, random: Random, often: float = 0.4) -> str:
    """The caption with some of its words said otherwise; it reads back as the same."""
    words = []
    for word in text.split():
        core = word.rstrip(",.;")
        if core in _OTHERS and random.random() < often:
            core = random.choice(_OTHERS[core])
        if random.random() < 0.1:
            core = random.choice((core.upper(), core.capitalize()))
        words.append(core + word[len(word.rstrip(",.;")) :])
    joined = words[0]
    for word in words[1:]:
        joined += random.choice((" ", " ", " ", "  ")) + word
    return random.choice((joined, f"  {joined} ", f"please draw {joined}"))
