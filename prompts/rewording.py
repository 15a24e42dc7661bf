"""What people write, in the words of the caption language: synonyms, near colours, fillers, and spaces gone astray.

The checkpoint has seen the words of `vocabulary.WORDS` only; other words that mean the same, or nearly so, become these.
"""
from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from prompts.colours import WORDS_FOR, nearest
from prompts.vocabulary import COLORS, WORDS

STOPS = ",;.:"

# Words with the same meaning, and words that are drawn as what is nearest: the second are said.
SAME = {
    "balls'": "balls", "orb": "ball", "orbs": "balls", "globe": "ball", "globes": "balls", "die": "cube", "dice": "cubes",
    "cylinders'": "cylinders", "item": "thing", "items": "things", "huge": "large", "giant": "large", "enormous": "large",
    "massive": "large", "bigger": "large", "larger": "large", "mini": "small", "miniature": "small", "wee": "small",
    "smaller": "small", "matt": "matte", "rubbery": "rubber", "single": "one",
    "&": "and", "plus": "and", "nearby": "near", "adjacent": "next",
    "solitary": "one", "shape": "object", "shapes": "objects",
}  # fmt: skip
NEAR = {
    "steel": "metal", "iron": "metal", "chrome": "metal", "aluminium": "metal", "aluminum": "metal", "brass": "metal",
    "mirrored": "metal", "reflective": "metal", "polished": "metal", "glossy": "metal", "plastic": "rubber",
    "wooden": "rubber", "wood": "rubber", "clay": "rubber", "stone": "rubber", "dull": "rubber", "soft": "rubber",
    "marble": "ball", "marbles": "balls", "barrel": "cylinder", "barrels": "cylinders", "tube": "cylinder",
    "tubes": "cylinders", "pipe": "cylinder", "drum": "cylinder", "drums": "cylinders", "tin": "can", "tins": "cans",
    "cuboid": "cube", "cuboids": "cubes", "brick": "block", "bricks": "blocks", "bead": "ball", "beads": "balls",
    "bubble": "ball", "disc": "cylinder", "disk": "cylinder",
}  # fmt: skip
SHADES = {"dark", "light", "bright", "deep", "pale", "sky", "forest", "royal", "hot", "neon", "pastel", "vivid"}
# Phrases of several words; an empty one is left out. Longer ones are tried first.
PHRASES = {
    "exactly": "", "just": "", "only": "", "please": "", "both": "", "also": "",
    "a pair of": "two", "a couple of": "two", "pair of": "two", "couple of": "two", "a single": "a",
    "standing": "", "sitting": "", "lying": "", "placed": "", "located": "", "positioned": "", "resting": "",
    "situated": "", "stands": "is", "sits": "is", "lies": "is", "stand": "are", "sit": "are", "lie": "are",
    "appears": "is", "appear": "are",
    "on the floor": "", "on the ground": "", "on a floor": "", "in the scene": "", "in the picture": "",
    "as well as": "and", "along with": "and", "together with": "and", "accompanied by": "and",
    "at the left of": "to the left of", "to left of": "left of", "on left of": "left of", "left from": "left of",
    "at the left side of": "on the left side of", "to the left side of": "on the left side of",
    "at the right of": "to the right of", "to right of": "right of", "on right of": "right of", "right from": "right of",
    "at the right side of": "on the right side of", "to the right side of": "on the right side of",
    "ahead of": "in front of", "in the front of": "in front of", "at the front of": "in front of", "before": "in front of",
    "in the back of": "behind", "at the back of": "behind", "to the rear of": "behind", "in the rear of": "behind",
    "at the rear of": "behind", "directly behind": "behind", "right behind": "behind",
    "right in front of": "in front of", "directly in front of": "in front of", "right next to": "next to",
    "directly left of": "left of", "directly right of": "right of", "adjacent to": "next to", "alongside": "beside",
    "right beside": "beside", "in between": "between", "in the middle of": "between",
    "made out of": "made of", "made from": "made of", "from metal": "made of metal", "from rubber": "made of rubber",
    "there 's": "there is", "there's": "there is", "it is": "is", "containing": "with", "a scene of": "a picture of",
    "a scene containing": "a picture of", "a scene where there is": "a picture of", "a rendering of": "a picture of",
    "a render of": "a picture of", "an image showing": "a picture showing", "a photo showing": "a picture showing",
    "a drawing of": "a picture of", "a photograph of": "a photo of", "an illustration of": "a picture of",
    "draw": "", "draw me": "", "show": "", "show me": "", "paint": "", "paint me": "", "render": "", "generate": "",
    "create": "", "make": "", "i want": "", "i would like": "", "i 'd like": "", "give me": "", "colored": "", "coloured": "",
    "in color": "", "sized": "", "shaped": "", "round ball": "ball", "round sphere": "sphere", "square cube": "cube",
    "square box": "box",
}  # fmt: skip
EXTRA = frozenset({"between"})  # words that the parser reads, though captions do not say them


@dataclass(frozen=True)
class Reworded:
    """A prompt in the words of the language.

    Args:
        words: with the punctuation that ends clauses.
        instead: (word, what is drawn instead) for words whose meaning can only be come near to.
        unknown: words that mean nothing here, each once, in order.
    """

    words: tuple[str, ...]
    instead: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As a caption would have it."""
        return re.sub(r" ([,;.:])", r"\1", " ".join(self.words))


def split_words(prompt: str) -> list[str]:
    """Lower-case words, numbers and the punctuation that ends a clause."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)?|[,;.:&+]", prompt.lower().replace("’", "'").replace("+", "&"))


def reword(prompt: str, known: frozenset[str] = WORDS) -> Reworded:
    """The prompt in the words `known`, as far as it can be said in them."""
    words = _phrased(_spaced(split_words(prompt), known))
    result, instead, unknown = [], {}, {}
    for k, word in enumerate(words):
        following = words[k + 1] if k + 1 < len(words) else ""
        if word in known or word in STOPS or word in EXTRA:
            result.append(word)
        elif word in SHADES and nearest(following):
            instead[f"{word} {following}"] = nearest(following)
        elif word in SAME:
            result.append(SAME[word])
        elif other := NEAR.get(word) or nearest(word):
            instead.setdefault(word, other)
            result.append(other)
        else:
            unknown[word] = None
            result.append(word)
    shaded = {said.split()[-1] for said in instead if " " in said}
    pairs = tuple((said, other) for said, other in instead.items() if said not in shaded)
    return Reworded(tuple(_articled(result)), pairs, tuple(unknown))


def is_free(known: frozenset[str] | set[str]) -> bool:
    """Whether a checkpoint that knows these words was trained on captions beyond the caption language."""
    return not known <= WORDS


def strange(prompt: str, known: frozenset[str] | set[str]) -> list[str]:
    """The words of a prompt that are not among `known`, each once, in order."""
    return list(dict.fromkeys(word for word in split_words(prompt) if word not in known and word not in (*STOPS, "&")))


def likely(word: str) -> str | None:
    """The word that a misspelt one may mean."""
    candidates = [*sorted(WORDS), *COLORS, *WORDS_FOR, *NEAR, *SAME]
    found = difflib.get_close_matches(word, candidates, 1, 0.75)
    return found[0] if found else None


def _phrased(words: list[str]) -> list[str]:
    result, at = [], 0
    while at < len(words):
        for said, instead in _PHRASES.get(words[at], ()):
            if tuple(words[at : at + len(said)]) == said:
                result += instead
                at += len(said)
                break
        else:
            result.append(words[at])
            at += 1
    return result


def _articled(words: list[str]) -> list[str]:
    """"a" and "an" as the next word wants them."""
    return [
        ("an" if words[k + 1][0] in "aeiou" else "a") if word in ("a", "an") and k + 1 < len(words) else word
        for k, word in enumerate(words)
    ]


def _spaced(words: list[str], known: frozenset[str]) -> list[str]:
    """Words that were run together taken apart, and words that were torn joined, where that makes known ones."""
    if all(word in known or word in _READ for word in words):
        return words
    known = known | _READ
    result: list[str] = []
    for word in words:
        if word in known:
            result.append(word)
        elif result and result[-1] not in known and result[-1] + word in known:
            result[-1] += word
        else:
            result += _apart(word, known) or [word]
    return result


def _apart(word: str, known: frozenset[str]) -> list[str] | None:
    """A word as the fewest known words one after the other, or None."""
    best: list[list[str] | None] = [[]] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(end - 1, -1, -1):
            part, before = word[start:end], best[start]
            long = len(part) > 1 or (part == "a" and start == 0)
            if before is not None and part in known and long and (best[end] is None or len(before) + 1 < len(best[end])):
                best[end] = [*before, part]
    return best[-1]


_PHRASES: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}  # by their first word, longest first
for _said, _instead in sorted(PHRASES.items(), key=lambda pair: -len(pair[0].split())):
    _PHRASES.setdefault(_said.split()[0], []).append((tuple(_said.split()), tuple(_instead.split())))
_READ = frozenset({*SAME, *NEAR, *WORDS_FOR, *SHADES, *STOPS, *EXTRA, *(word for said in PHRASES for word in said.split())})
