"""What a checkpoint can be asked for, as a list for people: each name, other words for it, and the sorts that it is of."""
from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prompts.grounds import ARTICLES
from prompts.hints import hint
from prompts.known import MORE
from prompts.lexicon import Lexicon
from prompts.marking import said_ground
from prompts.plurals import singular
from prompts.rewording import is_free, reword
from prompts.synonyms import split_words
from prompts.vocabulary import ATTRIBUTES, SAID_AS
from vle_gen.errors import UserError

BACKGROUND = "background"
WORD = "word"  # the sort of all that a checkpoint reads which was trained on captions in free words
OFFERED = 8  # sorts that are named where there is none such


@dataclass(frozen=True)
class Entry:
    """One name.

    Args:
        name: as prompts may have it, such as "cat", "red" or "on a lawn".
        also: other words for the same.
        sorts: what it is one of, the most special first: "dog" and "animal" of a poodle.
        things: how many different things it may mean: 1 of a poodle, 5 of a dog.
    """

    name: str
    also: tuple[str, ...]
    sorts: tuple[str, ...]
    things: int = 1


def entries(known: frozenset[str], lexicon: Lexicon | None) -> list[Entry]:
    """All that a checkpoint may be asked for, by the words that it knows and its lexicon: solids, things, backgrounds."""
    if is_free(known, lexicon):
        return [Entry(word, (), (WORD,)) for word in sorted(known)]
    listed = []
    for attribute, values in zip(ATTRIBUTES, SAID_AS, strict=True):
        for said in values:
            there = [word for word in said if word in known]
            listed += [Entry(there[0], tuple(there[1:]), (attribute,))] if there else []
    return listed if lexicon is None else listed + _things(lexicon) + _backgrounds(lexicon)


def _things(lexicon: Lexicon) -> list[Entry]:
    size = {concept.name: len(concept.members) for concept in lexicon.concepts}
    return [
        Entry(one.name, one.also, tuple(sorted(lexicon.above(one.name) - {one.name}, key=size.__getitem__)), size[one.name])
        for one in sorted(lexicon.concepts, key=lambda concept: concept.name)
    ]


def _backgrounds(lexicon: Lexicon) -> list[Entry]:
    also: dict[str, list[str]] = {}
    for said, meant in lexicon.grounds.also.items():
        also.setdefault(meant, []).append(said)
    described = sorted(map(str, lexicon.grounds.phrases))
    return [Entry(said_ground(text), tuple(also.get(text, ())), (BACKGROUND,)) for text in described]


def of_sort(listed: Sequence[Entry], sort: str, lexicon: Lexicon | None) -> list[Entry]:
    """Those of a sort, in either number and by any word for it. Raises `UserError` for what is no sort."""
    sorts = counted(listed)
    form = lexicon.forms.get(tuple(_plain(sort))) if lexicon is not None else None
    said = (sort, singular(sort) or sort, form.concept if form is not None else sort)
    meant = next((one for one in said if one in sorts), None)
    if meant is None:
        close = difflib.get_close_matches(sort, sorts, OFFERED) or [name for name, _ in sorts.most_common(OFFERED)]
        raise UserError(f"{sort!r} is no sort of thing here: expected one such as {', '.join(close)}")
    return [one for one in listed if meant in one.sorts]


def counted(listed: Iterable[Entry]) -> Counter[str]:
    """How many names there are of each sort."""
    return Counter(sort for one in listed for sort in one.sorts)


def search(listed: Sequence[Entry], text: str, known: frozenset[str], lexicon: Lexicon | None) -> list[Entry]:
    """Those that some words mean, then others that have the words in a name. Raises `UserError` where there are none, with
    the nearest."""
    found = _having(listed, _plain(text))
    if not found and not is_free(known, lexicon):
        found = _having(listed, _plain(reword(text, known, lexicon).text))  # "kittens" are cats, "crimson" is drawn as red
    if not found:
        near = hint(text, lexicon)
        more = f": {MORE}" if lexicon is None else "" if near else ": without a word 'vlegen names' lists all that is known"
        raise UserError(f"nothing here is called {text!r}{near}{more}")
    return found


def _having(listed: Sequence[Entry], words: Sequence[str]) -> list[Entry]:
    wanted = [list(words), split_words(singular(" ".join(words)) or "")] if words else []
    ranked = []
    for one in listed:
        said = [_plain(text) for text in (one.name, *one.also)]
        if said[0] in wanted:
            ranked.append((0, one))
        elif any(text in wanted for text in said):
            ranked.append((1, one))
        elif any(_within(part, text) for part in wanted if part for text in said):
            ranked.append((2, one))
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]


def _within(part: Sequence[str], words: Sequence[str]) -> bool:
    return any(words[k : k + len(part)] == part for k in range(len(words) - len(part) + 1))


def _plain(text: str) -> list[str]:
    """Its words, without an article before them."""
    words = split_words(text)
    return words[1:] if words[:1] and words[0] in ARTICLES else words
