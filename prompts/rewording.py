"""What people write, in the words of the caption language: synonyms, near colours, fillers, and spaces gone astray.

The checkpoint has seen the words of `vocabulary.WORDS` only; other words that mean the same, or nearly so, become these.
"""
from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache

from prompts.absent import without_absent
from prompts.arranging import arranged
from prompts.colours import WORDS_FOR, nearest
from prompts.handling import handled
from prompts.idioms import plainly
from prompts.lexicon import Lexicon
from prompts.marking import NAME, Atom, aside, left_out, marked
from prompts.marking import WORDS as MARKED_WORDS
from prompts.nouns import COMPARED
from prompts.plurals import article, is_mass, is_plural
from prompts.recasting import recast
from prompts.sameness import compared
from prompts.sides import sided
from prompts.spelling import words_of
from prompts.stand_ins import paired, stood_in
from prompts.synonyms import (
    DEGREES,
    EACH,
    EMPHASIS,
    EXTRA,
    IN_PICTURE,
    NEAR,
    PHRASES,
    SAME,
    SHADES,
    STOPS,
    WHOLE,
    split_words,
)
from prompts.undrawn import without_undrawn
from prompts.venues import on_grounds
from prompts.vocabulary import ADJECTIVES, COLOR, COLORS, NOUNS, WORDS

_EACH = frozenset(EACH.values())
_SURFACES = frozenset("floor floors wall walls ground table counter road street".split())
REMEMBERED = 64  # prompts whose words are not read again


@dataclass(frozen=True)
class Reworded:
    """A prompt in the words of the language.

    Args:
        words: with the punctuation that ends clauses.
        instead: (word, what is drawn instead) for words whose meaning can only be come near to.
        unknown: words that mean nothing here, each once, in order.
        left_out: words that say nothing that could be drawn.
    """

    words: tuple[str, ...]
    instead: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As a caption would have it."""
        return re.sub(r" ([,;.:])", r"\1", " ".join(word for word in self.words if word not in _EACH))


@lru_cache(maxsize=REMEMBERED)
def reword(prompt: str, known: frozenset[str] = WORDS, lexicon: Lexicon | None = None) -> Reworded:
    """The prompt in the words `known`, as far as it can be said in them; with a lexicon, in what that knows too."""
    words = words_of(prompt, lexicon)
    words, absent = without_absent(words if lexicon is None else handled(words, lexicon), lexicon)
    words, phrases, left = without_undrawn(words, lexicon)
    left += absent
    if lexicon is not None:
        words, worn = paired(words, lexicon)
        words, grounds = on_grounds(words, lexicon)
        phrases |= worn | grounds
    words, alike = compared(words, lexicon)
    words, stuff = _without_stuff(words, lexicon)
    left += [*alike, *stuff]
    words, near, empty = plainly(sided(words, lexicon), lexicon)
    phrases |= near
    left += empty
    words = recast(arranged(words, lexicon), lexicon)
    compares = [following in COMPARED for following in [*words[1:], ""]][: len(words)]
    empty = [word in EMPHASIS or (word in DEGREES and compared) for word, compared in zip(words, compares, strict=True)]
    left += [word for word, said in zip(words, empty, strict=True) if said]
    words = [word for word, said in zip(words, empty, strict=True) if not said]
    if lexicon is not None:
        phrases |= stood_in(words, lexicon)
        left += left_out(words, lexicon)
        words, known = marked(words, lexicon), known & WORDS  # a part of a name is no word by itself
        words, beside = aside(words)
        left += beside
    words = _phrased(_spaced(words, known, lexicon))
    result, instead, unknown = [], dict(phrases), {}
    for k, word in enumerate(words):
        following = words[k + 1] if k + 1 < len(words) else ""
        if isinstance(word, Atom) or word in known or word in STOPS or word in EXTRA:
            result.append(word)
        elif word in IN_PICTURE and words[max(0, k - 2) : k] == ["in", "the"]:
            result.append(word)
        elif word == "top" and lexicon is not None and words[max(0, k - 1) : k] == ["on"]:
            result.append(word)
        elif word in COMPARED and lexicon is not None and _has_compared(words, k):
            result.append(word)
        elif word in SHADES and nearest(following):
            instead[f"{word} {following}"] = nearest(following)
        elif word in SAME:
            result.append(SAME[word])
            instead |= {word: SAME[word]} if word in COMPARED else {}
        elif other := NEAR.get(word) or nearest(word):
            instead.setdefault(word, other)
            result.append(other)
        else:
            unknown[word] = None
            result.append(word)
    shaded = {said.split()[-1] for said in instead if " " in said and said not in phrases}
    pairs = tuple((said, other) for said, other in instead.items() if said not in shaded)
    return Reworded(tuple(_articled(result)), pairs, tuple(unknown), tuple(dict.fromkeys(left)))


def _without_stuff(words: list[str], lexicon: Lexicon | None) -> tuple[list[str], list[str]]:
    """Words without what floors and walls are said to be of that no background is; and it. Of a solid it would be a shape or a
    material: a marble is a ball, and a marble floor is none."""
    if lexicon is None or not words:
        return words, []
    stuff = [
        following in _SURFACES and word not in lexicon.grounds.nouns.get(following, ((),))[0] and _of_solids(NEAR.get(word))
        for word, following in zip(words, [*words[1:], ""], strict=True)
    ]
    kept, left = ([word for word, of in zip(words, stuff, strict=True) if of is out] for out in (False, True))
    return kept, left


def _of_solids(word: str | None) -> bool:
    """Whether a word is said of solids alone: a shape, a material or a size."""
    return word in NOUNS or (word in ADJECTIVES and ADJECTIVES[word][0] != COLOR)


def _has_compared(words: list[str], at: int) -> bool:
    """Whether something was named before that what is "bigger" here is bigger than; "the bigger one" is chosen among others."""
    named = any(word in NOUNS or (isinstance(word, Atom) and word.kind == NAME) for word in words[:at])
    return named and words[at - 1] != "the"


def is_free(known: frozenset[str] | set[str], lexicon: Lexicon | None = None) -> bool:
    """Whether a checkpoint that knows these words was trained on captions beyond the caption language."""
    return not known <= WORDS and (lexicon is None or not known <= WORDS | lexicon.words | MARKED_WORDS)


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
    """"a" and "an" as the next word wants them; neither before what is said without, such as grapes."""
    return [
        article(words[k + 1]) if word in ("a", "an") and k + 1 < len(words) else word
        for k, word in enumerate(words)
        if word not in ("a", "an") or not _bare(words, k + 1)
    ]


def _bare(words: list[str], at: int) -> bool:
    """Whether the thing whose words begin here is said without "a"."""
    while at < len(words) and words[at] in ADJECTIVES:
        at += 1
    word = words[at] if at < len(words) else None
    return isinstance(word, Atom) and word.kind == NAME and not word.plural and (is_plural(word) or is_mass(word))


def _spaced(words: list[str], known: frozenset[str], lexicon: Lexicon | None) -> list[str]:
    """Words that were run together taken apart, and words that were torn joined, where that makes known ones. A name misspelt,
    "ballon", is left as it is."""
    if all(isinstance(word, Atom) or word in known or word in _READ for word in words):
        return words
    known = known | _READ
    result: list[str] = []
    for word in words:
        if isinstance(word, Atom) or word in known:
            result.append(word)
        elif result and not isinstance(result[-1], Atom) and result[-1] not in known and result[-1] + word in known:
            result[-1] += word
        else:
            parts = _apart(word, known)
            result += parts if parts and not (lexicon is not None and lexicon.is_misspelt(word)) else [word]
    return result


def _apart(word: str, known: frozenset[str]) -> list[str] | None:
    """A word as the fewest known words one after the other, or None."""
    if word in WHOLE:
        return None
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
