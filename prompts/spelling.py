"""Names as people space them: "tea pot", "polarbear", "sun-flower"; and twice over, "kitty cat", "bunny rabbit"."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.lexicon import Lexicon
from prompts.nouns import adjective_at, noun_at
from prompts.synonyms import split_words
from prompts.vocabulary import NOUNS

SHORTEST = 3  # letters of a part of a name that a space may have got into


def words_of(prompt: str, lexicon: Lexicon | None) -> list[str]:
    """The words of a prompt, "&" among them as "and", with names spaced as the lexicon has them."""
    return respaced(["and" if word == "&" else word for word in split_words(prompt)], lexicon)


def respaced(words: Sequence[str], lexicon: Lexicon | None) -> list[str]:
    """The words of a prompt with names spaced as the lexicon has them, each said once."""
    if lexicon is None:
        return list(words)
    result: list[str] = []
    at = 0
    while at < len(words):
        noun = noun_at(words, at, lexicon)
        torn = _torn(words, at, lexicon)
        if torn and (noun is None or noun.end == at + 1):
            result.append(torn)
            at += 2
        elif noun is None:
            result += lexicon.run_together.get(words[at], (words[at],))
            at += 1
        else:
            again = noun_at(words, noun.end, lexicon)
            if again is None or again.means != noun.means or noun.plural or words[at] in NOUNS:
                result += words[at : noun.end]
            at = noun.end
    return result


def _torn(words: Sequence[str], at: int, lexicon: Lexicon) -> str | None:
    """A name of one word that two words make: "sun flower" where there is a sunflower, but not "black bird"."""
    if at + 1 >= len(words) or min(map(len, words[at : at + 2])) < SHORTEST or adjective_at(words, at):
        return None
    joined = words[at] + words[at + 1]
    return joined if (joined,) in lexicon.forms else None
