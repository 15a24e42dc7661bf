"""What no picture can show: a thing that is to be large and small, or red and blue, and things that stand to one another in a
circle, such as a cat left of a dog that is left of the cat."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.colours import nearest
from prompts.lexicon import Lexicon
from prompts.nouns import COMPARED, noun_at
from prompts.request import SceneRequest
from prompts.synonyms import NEAR, SAME, SHADES
from prompts.vocabulary import ABOVE, ADJECTIVES, BEHIND, BELOW, BIGGER, COLOR, COLORS, FRONT, LEFT, ON, RIGHT, SMALLER

_LINES = {  # of each relation, which line it puts things on, and whether the first comes first
    LEFT: ("across", True), RIGHT: ("across", False), FRONT: ("away", True), BEHIND: ("away", False), ABOVE: ("down", True),
    ON: ("down", True), BELOW: ("down", False), BIGGER: ("size", True), SMALLER: ("size", False),
}  # fmt: skip
_FARTHEST = ("black", "white")


def at_odds_of_one(words: Sequence[str], lexicon: Lexicon | None) -> tuple[str, str, str] | None:
    """A thing of which words, recast, say two things that cannot both be, and these: ("big small dog", "big", "small"); None
    where there is none."""
    at = 0
    while (start := at) < len(words):
        said: dict[int, tuple[str, int | str]] = {}  # of each attribute, the word and what it means
        odd: tuple[str, str] | None = None
        while at < len(words) and noun_at(words, at, lexicon) is None and (found := _attribute(words, at)) is not None:
            attribute, value = found
            if attribute in said and said[attribute][1] != value:
                odd = odd or (said[attribute][0], words[at])
            said.setdefault(attribute, (words[at], value))
            at += 1 + (at + 1 < len(words) and words[at] in SHADES)
        noun = noun_at(words, at, lexicon)
        if odd is not None and noun is not None:
            return " ".join(words[start : noun.end]), *odd
        at += at == start  # else the adjectives were all looked at: fewer of them before a noun say nothing more
    return None


def circle(request: SceneRequest) -> list[str]:
    """Relations of a request that cannot hold together, as sentences without their ends; none where all can."""
    for line in dict.fromkeys(line for line, _ in _LINES.values()):
        after: dict[int, list[tuple[int, str]]] = {}
        for relation in request.relations:
            on, first = _LINES.get(relation.kind, ("", True))
            if on == line:
                one, other = (relation.subject, relation.object) if first else (relation.object, relation.subject)
                subject, anchor = (str(request.mentions[k]) for k in (relation.subject, relation.object))
                after.setdefault(one, []).append((other, f"{subject} {relation.kind} {anchor}"))
        for start in after:
            if found := _way_back(after, start):
                return found
    return []


def _way_back(after: dict[int, list[tuple[int, str]]], start: int) -> list[str]:
    """What is said on the shortest way from a thing to itself."""
    ways, seen = [(start, [])], set()
    for at, said in ways:  # grows as it is read: breadth first
        for other, sentence in after.get(at, ()):
            if other == start:
                return [*said, sentence]
            if other not in seen:
                seen.add(other)
                ways.append((other, [*said, sentence]))
    return []


def _attribute(words: Sequence[str], at: int) -> tuple[int, int | str] | None:
    """Which attribute an adjective that begins here says, and which value; a shade belongs to the colour after it."""
    word = words[at]
    if word in SHADES and at + 1 < len(words) and nearest(words[at + 1]) is not None:
        word = words[at + 1]
    if word in ADJECTIVES:
        return ADJECTIVES[word]
    if (colour := nearest(word)) is not None:  # black and white are near to the same gray, and yet two
        return COLOR, word if word in _FARTHEST else COLORS.index(colour)
    means = (None if word in COMPARED else SAME.get(word)) or NEAR.get(word)
    return ADJECTIVES.get(means) if means else None
