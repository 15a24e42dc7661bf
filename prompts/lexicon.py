"""The names of things beyond the solids: what each is called, what falls under it, and what it is like.

A lexicon is a list of concepts. A concept has words ("cat", "kitten") and members, the objects of sprite packs that it
covers ("cat", "black cat", "cat face"); "animal" is a concept as "cat" is one, with more members. It is small text: it
goes with a checkpoint, which knows the names of it and no others.
"""
from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from prompts.grounds import Grounds
from prompts.plurals import LINKS, NOT_SEVERAL, PAIRS, SEVERAL, head, is_plural, plural, singular
from prompts.synonyms import PHRASES, SAME, SHADES, STOPS, split_words
from prompts.vocabulary import ADJECTIVES, COLORS, NUMBERS, WORDS
from vle_gen.errors import UserError

FORMAT = "vlegen lexicon 1"
FILLERS = frozenset(word for said in PHRASES for word in said.split())  # words that leave prompts, or turn into others
TAKEN = WORDS | SHADES | SAME.keys() | FILLERS
MISSPELT = 0.85  # likeness above which one word is the other misspelt
CLOSE = 0.7  # least likeness of two words for one to be offered for the other


@dataclass(frozen=True)
class Concept:
    """One thing, or a sort of things, that a prompt may name.

    Args:
        name: as captions say it, in the singular where there is one.
        also: other words for it that prompts may have.
        members: the names, in their packs, of the objects that it covers.
    """

    name: str
    members: frozenset[str]
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """A concept as words say it: in the plural or not."""

    concept: str
    plural: bool = False


@dataclass(frozen=True)
class Lexicon:
    """What a checkpoint can be asked for by name.

    Args:
        concepts: each name once; where two have a word in common it means the first.
        colors: objects whose names say their colour ("green apple") -> index of the colour.
        grounds: the backgrounds.
        near: words that nothing here is called by -> the concept that is nearest in meaning, for hints.
    """

    concepts: tuple[Concept, ...] = ()
    colors: Mapping[str, int] = field(default_factory=dict)
    grounds: Grounds = field(default_factory=Grounds)
    near: Mapping[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.concepts, frozenset(self.colors.items()), self.grounds.descriptions))

    @cached_property
    def named(self) -> dict[str, Concept]:
        """Concepts by name."""
        return {concept.name: concept for concept in self.concepts}

    @cached_property
    def forms(self) -> dict[tuple[str, ...], Form]:
        """What words mean, as `split_words` has them; first come names, then other words, then plurals."""
        found: dict[tuple[str, ...], Form] = {}
        said = [(text, c.name) for c in self.concepts for text in (c.name,)]
        said += [(text, c.name) for c in self.concepts for text in c.also]
        for text, name in said:
            claim(found, text, Form(name))
        for text, name in said:
            many = plural(text)
            if many != text and many not in NOT_SEVERAL:
                claim(found, many, Form(name, True))
        for text, name in said:  # "mouses", "fishes", "butterflys", and "sun behind clouds", which is one sun
            if not is_plural(text) and plural(text) not in NOT_SEVERAL:
                ending = "es" if text.endswith(("s", "x", "sh", "ch")) else "s"
                claim(found, text + ending, Form(name, not _goes_with(text)))
        for text, name in said:
            one = singular(text)
            if one is not None and text.split()[head(text)] not in SEVERAL:  # "women holding hands" are two
                claim(found, one, Form(name))
        return found

    def form_at(self, words: Sequence[str], at: int, said: tuple[str, ...]) -> Form:
        """What a form that begins there means: "glasses" that are counted are for drinking."""
        form = self.forms[said]
        one = self.forms.get((said[0].removesuffix("es"),)) if said[0] in PAIRS and len(said) == 1 and not form.plural else None
        while one is not None and at and words[at - 1] in ADJECTIVES:
            at -= 1
        counted = one is not None and at > 0 and NUMBERS.get(words[at - 1], 1) > 1
        return Form(one.concept, True) if counted else form

    @cached_property
    def run_together(self) -> dict[str, tuple[str, ...]]:
        """The words of names of several by what they are without spaces, where that is no name itself."""
        joined = {"".join(words): words for words in self.forms if len(words) > 1}
        return {text: words for text, words in joined.items() if (text,) not in self.forms and text not in TAKEN}

    @cached_property
    def starting(self) -> dict[str, list[tuple[str, ...]]]:
        """The words of the forms by their first, longest first."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for words in sorted(self.forms, key=len, reverse=True):
            found.setdefault(words[0], []).append(words)
        return found

    @cached_property
    def kinds(self) -> dict[str, tuple[str, ...]]:
        """The concepts that cover each object, the most special first."""
        found: dict[str, list[Concept]] = {}
        for concept in sorted(self.concepts, key=lambda concept: len(concept.members)):
            for member in concept.members:
                found.setdefault(member, []).append(concept)
        return {member: tuple(concept.name for concept in concepts) for member, concepts in found.items()}

    @cached_property
    def _above(self) -> dict[str, frozenset[str]]:
        return {
            one.name: frozenset(
                other for other in self.kinds[next(iter(one.members))] if one.members <= self.named[other].members
            )
            for one in self.concepts
        }

    def above(self, name: str | None) -> frozenset[str]:
        """The concepts that cover all that `name` covers, itself among them; none for a solid."""
        return frozenset() if name is None else self._above.get(name, frozenset((name,)))

    def kinds_of(self, object_name: str | None) -> frozenset[str]:
        """The concepts that an object of a pack falls under; none for a solid, or for what the lexicon lacks."""
        return frozenset() if object_name is None else frozenset(self.kinds.get(object_name, ()))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every single word of its names and backgrounds."""
        said = frozenset(word for words in self.forms for word in words if word not in STOPS)
        return said | self.grounds.words

    def nearest(self, word: str, count: int = 5) -> list[str]:
        """Names to offer for a word, in either number, that nothing is called by: what it may be a misspelling of; else what is
        near in meaning, and others of the same sort; else what is spelt alike."""
        texts = {" ".join(words): form.concept for words, form in self.forms.items() if not form.plural}
        one = singular(word) or word
        close = _close(word, one, texts, count, CLOSE)
        likely = _close(word, one, close, count, MISSPELT)
        if likely:
            return self._differing(likely, texts)
        found = [self.near[said] for said in _close(word, one, self.near, 1, MISSPELT) if self.near[said] in self.named][:1]
        found += [texts[text] for text in texts if len(text) > 3 and one.endswith(text)]  # a spaceship is some ship
        if not found:
            return self._differing(close, texts)
        sort = self.named[found[0]]
        if len(sort.members) == 1:
            sort = next((self.named[kind] for kind in self.kinds[min(sort.members)][1:]), sort)
        found += difflib.get_close_matches(one, map(self._plainest, sorted(sort.members)), count, 0.0)
        return list(dict.fromkeys(found))[:count]

    def is_misspelt(self, word: str) -> bool:
        """Whether a word is all but spelt like a name that begins like it."""
        alike = [words[0] for words in self.forms if len(words) == 1 and words[0][0] == word[0]]
        return bool(difflib.get_close_matches(word, alike, 1, MISSPELT))

    @staticmethod
    def _differing(said: Sequence[str], meant: Mapping[str, str]) -> list[str]:
        """One way to say each thing, the first: of "kitten" and "kitty" one."""
        first: dict[str, str] = {}
        for text in said:
            first.setdefault(meant[text], text)
        return list(first.values())

    def _plainest(self, member: str) -> str:
        return min(self.kinds[member][:2], key=len)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a file or a model's config."""
        concepts = []
        for one in self.concepts:
            record: dict[str, Any] = {"name": one.name, "members": sorted(one.members)}
            if one.members == {one.name}:
                del record["members"]
            concepts.append(record | ({"also": list(one.also)} if one.also else {}))
        return {
            "format": FORMAT,
            "concepts": concepts,
            "colors": {name: COLORS[color] for name, color in self.colors.items()},
            "backgrounds": list(self.grounds.descriptions),
            "background_words": dict(self.grounds.also),
            "background_looks": {said: list(look) for said, look in self.grounds.looks.items()},
            "near": dict(self.near),
        }

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Lexicon:
        """From what `as_json` gave. Raises `ValueError` for anything else."""
        try:
            if values["format"] != FORMAT:
                raise ValueError(f"format is {values['format']!r}: expected {FORMAT!r}")
            concepts = tuple(
                Concept(one["name"], frozenset(one.get("members", (one["name"],))), tuple(one.get("also", ())))
                for one in values["concepts"]
            )
            colors = {name: COLORS.index(color) for name, color in values.get("colors", {}).items()}
            looks = {said: tuple(map(float, look)) for said, look in values.get("background_looks", {}).items()}
            grounds = Grounds(tuple(values.get("backgrounds", ())), dict(values.get("background_words", {})), looks)
            return Lexicon(concepts, colors, grounds, dict(values.get("near", {})))
        except (KeyError, TypeError, AttributeError) as fault:
            raise ValueError(f"{fault!r} is amiss: expected what 'vlegen data lexicon' writes") from None

    def save(self, path: str | Path) -> Path:
        """Writes it as JSON; the path."""
        path = Path(path)
        path.write_text(json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
        return path

    @staticmethod
    def load(path: str | Path) -> Lexicon:
        """Reads what `save` wrote. Raises `UserError` where there is none."""
        try:
            return Lexicon.from_json(json.loads(Path(path).read_text("utf-8")))
        except OSError as fault:
            raise UserError(f"{path} is no lexicon: {fault.strerror}; expected what 'vlegen data lexicon' writes") from None
        except ValueError as fault:
            raise UserError(f"{path} is no lexicon: {' '.join(str(fault).split())}") from None


def _goes_with(name: str) -> bool:
    """Whether a name ends with what its thing has or is at, "cup with a straw", and not with the thing."""
    after = name.split()[head(name) + 1 :]
    return after != [] and after[0] in LINKS and after[0] != "of"


def _close(word: str, one: str, texts: Iterable[str], count: int, least: float) -> list[str]:
    """The texts that are spelt like a word, or like the singular that it may be a plural of; the likest to each first."""
    found = [text for said in (word, one) for text in difflib.get_close_matches(said, texts, count, least)]
    return list(dict.fromkeys(found))


def claim(forms: dict[tuple[str, ...], Any], text: str, value: Any) -> bool:
    """Lets `text` mean `value`, unless it means something already, or is of the language of the solids."""
    words = tuple(split_words(text))
    if not words or words in forms or not may_name(words):
        return False
    forms[words] = value
    return True


def may_name(words: Sequence[str]) -> bool:
    """Whether words can be a name: those of the language of solids, "red ball", keep their meaning."""
    return not all(word in TAKEN or word in STOPS for word in words)
