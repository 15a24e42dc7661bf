"""What may have been meant by words that mean nothing here, and what to say instead, as ends of sentences."""
from __future__ import annotations

import difflib
from collections.abc import Sequence

from prompts.grounds import Phrase
from prompts.lexicon import MISSPELT, Lexicon
from prompts.marking import said_ground
from prompts.nouns import noun_at
from prompts.places import READ_AS
from prompts.rewording import likely
from prompts.synonyms import TOO_MANY, UNITS
from prompts.undrawable import is_action
from prompts.undrawn_words import ACTIONS, LOOKS
from prompts.venues import ground_of
from prompts.vocabulary import ADJECTIVES, MORE_SAID_AS, NUMBER_WORDS

GROUNDS = 4  # backgrounds that are named as an example
NONE = frozenset("no not without nor none never except 0 zero isn't aren't don't".split())
# Ordinary words that are no misspelling of anything: to offer "rat, hat, cat" for "at" helps nobody.
COMMON = frozenset(
    "a all an any around as ask at away be breakfast bright but can corner could dark day deep dinner do does down each "
    "eating edge every everything far few for from full get going grass had hair half happy has have having he her here "
    "him his how i if in inside into it its itself like long look looking lunch make many me middle more most much new "
    "nice off old only onto or other our out outside over own rain riding right road round row same sea she short side so "
    "space street such tall than that their them then these they thin think this those through to too toward towards twice "
    "up us use very wall was water we wear wearing well were what when where which while who wide will with woods would "
    "you your".split()
)
_SIZES = "; sizes are 'small' and 'large'"
GATHERED = frozenset("row line stack stacked lined".split())
_SAID_OF = COMMON | ACTIONS | UNITS | NONE | frozenset(TOO_MANY)  # which have hints of their own
_ELSEWHERE = sorted(
    {said for table in (READ_AS, MORE_SAID_AS) for forms in table.values() for said in forms}, key=len, reverse=True
)


def hints(words: Sequence[str], prompt: Sequence[str], lexicon: Lexicon | None) -> str:
    """What may have been meant by the unknown words of a prompt, in words, or what to say instead of them."""
    said = [] if lexicon is not None else _elsewhere(words, prompt)
    beside = [word for word in words if not any(word in phrase.split() for phrase in said)]
    compounds = _compounds(beside, prompt, lexicon)
    beside = [word for word in beside if not any(word in phrase.split() for phrase, _ in compounds)]
    parts = "".join(f"; nothing here is called {phrase!r}, but {noun!r} is known" for phrase, noun in compounds)
    known = f"; '--checkpoint everyday' knows {' and '.join(map(repr, said))}" if said else ""
    compared = ["size"] if prompt.count("as") > 1 else []  # "as big as"
    return known + parts + "".join(dict.fromkeys(hint(word, lexicon) for word in [*beside, *compared]))


def hint(word: str, lexicon: Lexicon | None) -> str:
    """What may have been meant by an unknown word, or what to say instead of it; empty where there is no telling."""
    if word in NONE:
        return f"; {word!r} needs no saying: what is not asked for is not drawn"
    if word in ("size", "twice"):
        return "; sizes are told by 'bigger than' and 'smaller than'" if lexicon is not None else _SIZES
    if word in UNITS or (word[:1].isdigit() and word.lstrip("0123456789") in UNITS):
        return f"; nothing is measured here{_SIZES.replace(';', ':')}"
    if word.isdigit() or word in TOO_MANY:
        return f"; counts go up to {NUMBER_WORDS[-1]}"
    if word == "or":
        return "; a picture shows one of the two: say which"
    if lexicon is None and word in ("top", "bottom"):
        return "; what is above or below another thing is known to '--checkpoint everyday'"
    if lexicon is not None and word == "corner":
        return "; say which corner, such as 'in the top left corner'"
    if word in ("inside", "within", "into"):
        return "; nothing is drawn inside another thing: say 'behind' or 'in front of'"
    if is_action(word):
        return "; what things do is not drawn: say where they are, such as 'next to'"
    if word in GATHERED:
        return "; say how many there are, five at most, and nothing else of them, such as 'three balls in a row'"
    if lexicon is not None and word in ("wearing", "wears"):
        return "; of what is worn clothes alone are drawn, such as 'wearing a hat'"
    if lexicon is not None and (said := _backgrounds(word, lexicon)):
        sort = "a background" if lexicon.grounds.at((word,), 0) else "said of backgrounds"
        several = " or ".join((", ".join(said[:-1]), said[-1]) if said[1:] else said)
        return f"; {word!r} is {sort}: say {several}"
    if lexicon is not None and (place := ground_of(word, lexicon)):
        ground, is_there = said_ground(str(Phrase.of(place[0]))), place[1]
        if is_there:
            return f"; of {word!r} the ground alone is drawn: say '{ground}'"
        return f"; no background is called {word!r}, the nearest is '{ground}' ('vlegen names --sort background' lists all)"
    if word in LOOKS:
        return f"; sizes and colours are drawn, and not what is {word!r}"
    if word in COMMON:
        return ""
    near = [] if lexicon is None else lexicon.nearest(word)
    other = likely(word)
    if near and other in ADJECTIVES:  # "gren" is no garment
        near = [other, *near]
    if near:
        return f"; nearest to {word!r}: {', '.join(near)}"
    return f"; {word!r} may be {other!r}" if other else ""


def _compounds(words: Sequence[str], prompt: Sequence[str], lexicon: Lexicon | None) -> list[tuple[str, str]]:
    """Names of which only the last words mean something, "hot air balloon", and these."""
    found, at = [], 0
    while lexicon is not None and at < len(prompt):
        end = at
        while end < len(prompt) and prompt[end] in words and prompt[end] not in _SAID_OF and not prompt[end].isdigit():
            end += 1
        noun = noun_at(prompt, end, lexicon) if end > at else None
        if noun is not None and (end - at > 1 or not _misspelt(prompt[at], lexicon)):
            found.append((" ".join(prompt[at : noun.end]), " ".join(prompt[end : noun.end])))
        at = max(end, at + 1)
    return found


def _misspelt(word: str, lexicon: Lexicon) -> bool:
    """Whether a word may be another one misspelt, or speaks of backgrounds."""
    near = lexicon.nearest(word)
    close = difflib.get_close_matches(word, near, 1, MISSPELT) if near else ()
    return bool(close or likely(word) or _backgrounds(word, lexicon))


def known_elsewhere(unread: str) -> str:
    """That another checkpoint understands what was not understood, such as "on the left"; empty where it would not."""
    said = next((said for said in _ELSEWHERE if f"{unread} ".startswith(f"{said} ")), None)
    return "" if said is None else f"; '--checkpoint everyday' knows {said!r}"


def _elsewhere(words: Sequence[str], prompt: Sequence[str]) -> list[str]:
    """The phrases of a prompt that have one of these words in them and that the checkpoint of everyday things knows."""
    left, found = f" {' '.join(prompt)} ", []
    for said in _ELSEWHERE:
        if f" {said} " in left and any(word in words for word in said.split()):
            left = left.replace(f" {said} ", " , ")
            found.append(said)
    return found


def _backgrounds(word: str, lexicon: Lexicon) -> list[str]:
    """Some backgrounds, as they are to be said, that a word is of: the noun, or, as "checkered", what describes one alone."""
    grounds = lexicon.grounds
    found = grounds.at((word,), 0)
    noun = word if found is None else Phrase.of(found[1]).noun
    alike = [str(one) for one in grounds.phrases if noun == one.noun or noun in one.before]
    if found is not None and word not in grounds.nouns:  # "night" is a night sky, and no blue one
        alike = [one for one in alike if set(Phrase.of(found[1]).before) <= set(one.split())]
    return [f"'{said_ground(one)}'" for one in alike[:GROUNDS] or ([] if found is None else [found[1]])]
