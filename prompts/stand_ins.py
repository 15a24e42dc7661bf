"""Words that name one thing and are drawn as another, the nearest there is, which is told."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.lexicon import Lexicon
from prompts.nouns import noun_at
from prompts.plurals import plural, singular

LOOSE = frozenset((
    "ape", "bamboo", "cabbage", "chips", "diamond", "drumstick", "football", "grasshopper", "hot chocolate", "hurricane",
    "lemonade", "noodle soup", "noodles", "pumpkin", "rope", "soda", "sofa", "soft drink", "soup", "stew", "target", "wool",
))  # fmt: skip
"""These are other things than what a lexicon may have them mean, but near to them, or mean another thing elsewhere."""


def stood_in(words: Sequence[str], lexicon: Lexicon) -> dict[str, str]:
    """The loose names among the words of a prompt, and what is drawn for each."""
    found: dict[str, str] = {}
    at = 0
    while at < len(words):
        noun = noun_at(words, at, lexicon)
        if noun is None:
            at += 1
            continue
        said = " ".join(words[at : noun.end])
        if not LOOSE.isdisjoint((said, singular(said))) and noun.means not in (said, singular(said)):
            found[said] = plural(noun.means) if noun.plural else noun.means
        at = noun.end
    return found
