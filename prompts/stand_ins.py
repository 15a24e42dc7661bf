"""Words that name one thing and are drawn as another, the nearest there is, which is told."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.lexicon import Lexicon
from prompts.nouns import noun_at
from prompts.plurals import PAIRS, is_plural, plural, singular

LOOSE = frozenset((
    "ape", "bamboo", "cabbage", "chips", "couch", "diamond", "drumstick", "football", "grasshopper", "hot chocolate",
    "hurricane", "lemonade", "noodle soup", "noodles", "pumpkin", "rope", "soda", "sofa", "soft drink", "soup", "stew",
    "target", "wool",
))  # fmt: skip
"""These are other things than what a lexicon may have them mean, but near to them, or mean another thing elsewhere."""


_WORN = (("pair", "of"), ("with",), ("wearing",), ("in",))


def paired(words: Sequence[str], lexicon: Lexicon) -> tuple[list[str], dict[str, str]]:
    """The words of a prompt with what is worn called so, where the lexicon has but another thing by that name: "a man with
    glasses" has sunglasses, and no drinking glasses; and what is drawn instead."""
    told, instead = list(words), {}
    for at in range(len(words) - 1, 0, -1):
        form = lexicon.forms.get((words[at],)) if words[at] in PAIRS else None
        before = form and next((said for said in _WORN if tuple(words[max(0, at - len(said)) : at]) == said), None)
        if not before or not form.plural or words[at + 1 : at + 2] == ["of"]:  # "with glasses of milk"
            continue
        alike = (name for name in lexicon.named if name.endswith(words[at]) and " " not in name and is_plural(name))
        if nearest := next(alike, None):
            told[at - (len(before) if len(before) > 1 else 0) : at + 1] = [nearest]
            instead[words[at]] = nearest
    return told, instead


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
