"""Which words say by themselves what no picture can show: what a thing does, and what it or the picture is like."""
from __future__ import annotations

import re
from functools import lru_cache

from prompts.idioms import PHRASED
from prompts.lexicon import TAKEN
from prompts.nouns import adjective_at, is_colour
from prompts.plurals import NOT_ACTIONS
from prompts.synonyms import NEAR, TOO_MANY
from prompts.undrawn_words import ACTIONS, LOOKS, POSTURES, PRONOUNS, STYLE

_QUALITY = re.compile(r"\d+(k|mm|p|px|bit)")  # "4k", "35mm"
_ACTION = re.compile(r"\w*[aeiouy]\w*ing")  # no "ring"
_LIKE = re.compile(r"\w{2,}(ing|ed|ful|less|ous|ish|able|istic)")


def is_action(word: str) -> bool:
    """Whether a word says what a thing does, such as "running" or "jumps"."""
    return word in ACTIONS or (bool(_ACTION.fullmatch(word)) and _free(word) and word not in PRONOUNS)


def _free(word: str) -> bool:
    """Whether a word means nothing to the rest of the language."""
    return not any(word in meant for meant in (TAKEN, NEAR, PHRASED, NOT_ACTIONS, TOO_MANY)) and not is_colour(word)


def is_quality(word: str) -> bool:
    """Whether a word before a name says what cannot be drawn of the thing or the picture."""
    if adjective_at((word,), 0) or word in PHRASED:
        return False
    likeness = _LIKE.fullmatch(word) and len(word) > 4 and _free(word)
    acting = word in POSTURES or (word in ACTIONS and word.endswith("ing"))
    return word in LOOKS or word in STYLE or acting or bool(likeness or _QUALITY.fullmatch(word))


@lru_cache(maxsize=4096)
def may_go(word: str) -> bool:
    """Whether a word may be left out somewhere."""
    return word in STYLE or is_quality(word) or is_action(word)
