"""Sizes that are compared to something that was named before and is not named again: "a dog and a cat, the dog is bigger"."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.lexicon import Lexicon
from prompts.nouns import COMPARED, adjectives_at, noun_at
from prompts.referring import Phrase, begins, phrases_before, stops
from prompts.synonyms import DEGREES, EMPHASIS

_MOST = {"biggest": "bigger", "largest": "bigger", "smallest": "smaller"}
_OTHER = (("than", "the", "other", "one"), ("than", "the", "other"), ("than", "the", "others"), ("than", "it"),
    ("of", "all"), ("of", "them"), ("of", "the", "two"),
)  # fmt: skip


def compared_to(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a dog and a cat, the dog is much bigger" -> "a dog and a cat, the dog is bigger than the cat", and "a dog, a cat and a
    cow; the cow is the biggest" -> "a dog, a cat and a cow; the cow is bigger than the dog and the cat"."""
    if lexicon is None or words[at] != "the" or not begins(words, at):
        return None
    like, start = adjectives_at(words, at + 1)
    noun = noun_at(words, start, lexicon)
    end = noun.end if noun else start + (words[start : start + 1] == ["one"])
    said = _size_said(words, end)
    if end == start or said is None:
        return None
    phrases, (size, most, stop, like_too) = phrases_before(words, at, lexicon), said
    meant = [one for one in phrases if noun is None or one.noun.means == noun.means]
    meant = [one for one in meant if {*like} <= {*one.like}]
    others = [one for one in phrases if one not in meant]
    if len(meant) != 1 or not others or (len(others) > 1 and not most) or meant[0].count > 1:
        return None
    than = [word for k, one in enumerate(others) for word in (*["and"] * (k > 0), *_named(words, one))]
    told = [*_named(words, meant[0]), "is", size, "than", *than]
    too = [".", *_named(words, meant[0]), "is", *like_too] if like_too else []
    return [*words[:at], *told, *too, *words[stop:]], at + len(told)


def relative_to(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a dog, and a cat which is bigger" -> "a dog, and a cat bigger than the dog"."""
    if lexicon is None or words[at] not in ("that", "which", "who"):
        return None
    said = _size_said(words, at)
    phrases = phrases_before(words, at, lexicon)
    if said is None or said[1] or said[3] or len(phrases) != 2 or phrases[1].noun.end != at or phrases[0].count > 1:
        return None
    told = [said[0], "than", *_named(words, phrases[0])]
    return [*words[:at], *told, *words[said[2] :]], at + len(told)


def _size_said(words: Sequence[str], at: int) -> tuple[str, bool, int, list[str]] | None:
    """The size that words from `at` on say that a thing has beside others, "is much bigger" or "is the biggest", whether
    beside all of them, where these words end, and what they say too of what it is like, "smaller and black" or "black and
    smaller"; None where they say no size, or than what."""
    at += words[at : at + 1] in (["that"], ["which"], ["who"])
    linked = words[at : at + 1] in (["is"], ["are"])
    at += linked or words[at : at + 1] == ["being"]
    too, end = adjectives_at(words, at) if linked else ([], at)
    at = end + 1 if too and words[end : end + 1] == ["and"] else at
    most = words[at : at + 1] == ["the"]
    at += most
    while at < len(words) and words[at] in DEGREES | EMPHASIS | {"by"}:
        at += 1
    size = words[at] if at < len(words) else ""
    size = _MOST.get(size) if most else size if size in COMPARED else None
    if size is None:
        return None
    at += 1
    at += next((len(said) for said in _OTHER if tuple(words[at : at + len(said)]) == said), 0)
    after, end = adjectives_at(words, at + 1) if linked and words[at : at + 1] == ["and"] else ([], at)
    if after and stops(words, end):
        too, at = [*too, *after], end
    return (size, most, at, too) if stops(words, at) else None


def _named(words: Sequence[str], one: Phrase) -> list[str]:
    """A thing that was named, named again."""
    return ["the", *one.like, *words[one.noun.start : one.noun.end]]
