"""The edit language: "move 3 by 20,0", "recolor 'the red ball' to blue", "add 'a green cylinder' at 120,80".

Text to `Edit` values and back. What the words mean in a picture is settled in `vle_gen.workflows.script`.
"""
from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from editors.arrange import DIRECTIONS, EDGES
from editors.rows import said
from vle_gen.errors import UserError

STEP, PLACE, FACTOR, DEGREES, COLOUR, FILE = "DX,DY", "X,Y", "FACTOR", "DEGREES", "COLOUR", "FILE"
WORDS, PIXELS, COUNT = "'WORDS'", "PIXELS", "NUMBER"
FIELDS = {"by": "by", "to": "to", "from": "source", "with": "phrase", "at": "at", "size": "size", "seed": "seed"}
"""Words that something follows, in the order in which they are written, and the field of `Edit` that holds it."""


@dataclass(frozen=True)
class Form:
    """What may follow a verb: how many objects, and which words with what after them."""

    example: str
    objects: tuple[int, int | None] = (1, None)  # least, most
    clauses: dict[str, str] = field(default_factory=dict)
    must: tuple[str, ...] = ()  # one of these words is needed
    lines: tuple[str, ...] = ()  # one of these words comes last
    perspective: bool = False


FORMS: dict[str, Form] = {
    "move": Form("move 3 by 20,0", clauses={"by": STEP, "to": PLACE}, must=("by", "to"), perspective=True),
    "resize": Form("resize 3 by 1.5", clauses={"by": FACTOR}, must=("by",)),
    "remove": Form("remove 3"),
    "duplicate": Form("duplicate 3 by 40,0", (1, 1), {"by": STEP, "to": PLACE}, must=("by", "to")),
    "swap": Form("swap 3 4", (2, 2), perspective=True),
    "raise": Form("raise 3", (1, 1)),
    "lower": Form("lower 3", (1, 1)),
    "flip": Form("flip 3"),
    "align": Form("align 3 4 bottom", (2, None), lines=EDGES),
    "distribute": Form("distribute 2 3 4 horizontally", (3, None), lines=DIRECTIONS),
    "recolor": Form("recolor 3 to blue", clauses={"by": DEGREES, "to": COLOUR}, must=("by", "to")),
    "paste": Form("paste 3 from other.png to 120,80", clauses={"to": PLACE, "from": FILE}, must=("from",)),
    "add": Form("add 'a green cylinder' at 120,80", (1, 1), {"at": PLACE, "size": PIXELS, "seed": COUNT}),
    "replace": Form("replace 3 with 'a blue cube'", (1, 1), {"with": WORDS, "seed": COUNT}, must=("with",)),
}
ALSO = {"recolour": "recolor", "copy": "duplicate", "delete": "remove"}
ARTICLES, FILLERS, EVERY = ("the", "a", "an"), ("and", "with"), "all"
MOST_COUNT = 2**64 - 1  # the largest seed that there is


@dataclass(frozen=True)
class Selector:
    """Which object: by `number`, in `words`, by a pixel (x, y) of it, by its `box` (left, top, width, height), or every
    one when nothing is given."""

    number: int | None = None
    words: str | None = None
    point: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None

    def __str__(self) -> str:
        if self.box is not None:
            return f"@{said(*self.box)}"
        if self.point is not None:
            return f"@{said(*self.point)}"
        return EVERY if self == Selector() else quoted(self.words) if self.number is None else str(self.number)


@dataclass(frozen=True)
class Edit:
    """One edit. `by` is a step in pixels, or one number (a factor, or degrees); `to` is a place in pixels or a colour.
    What `add` names is not there yet, and `phrase` is what `replace` puts in an object's place."""

    verb: str
    which: tuple[Selector, ...]
    by: tuple[float, ...] | None = None
    to: tuple[float, float] | str | None = None
    source: str | None = None
    line: str | None = None
    perspective: bool = False
    phrase: str | None = None
    at: tuple[float, float] | None = None
    size: float | None = None
    seed: int | None = None

    def checked(self, text: str | None = None) -> Edit:
        """The edit itself. Raises `UserError` when it lacks something, or has too much; `text` is how it was put."""
        form, said_as, least, most = FORMS[self.verb], repr(text or str(self)), *FORMS[self.verb].objects
        expected = f"expected something like {form.example!r}"
        if not self.which:
            raise UserError(f"{said_as} does not say which object: {expected}")
        if Selector() not in self.which and (len(self.which) < least or (most is not None and len(self.which) > most)):
            count = "one object" if most == 1 else f"{least} objects" + ("" if most else " or more")
            raise UserError(f"{said_as} names {len(self.which)}: {self.verb} takes {count}, as in {form.example!r}")
        if form.must and all(getattr(self, FIELDS[word]) is None for word in form.must):
            raise UserError(f"{said_as} lacks {' or '.join(map(repr, form.must))}: {expected}")
        if self.by is not None and self.to is not None:
            raise UserError(f"{said_as} has both 'by' and 'to': expected one of them")
        if self.verb == "add" and self.which[0].words is None:
            raise UserError(f"{said_as} does not say what to add: {expected}")
        if form.lines and self.line not in form.lines:
            lacks = "lacks one of" if self.line is None else f"has {self.line!r}: expected"
            raise UserError(f"{said_as} {lacks} {', '.join(form.lines)}, as in {form.example!r}")
        return self

    def __str__(self) -> str:
        words = [self.verb, *map(str, self.which)]
        for word in ("from", *FIELDS):
            value = getattr(self, FIELDS[word])
            if value is not None and word not in words:
                words += [word, self._written(word, value)]
        if self.line is not None:
            words.append(self.line)
        return " ".join([*words, "in perspective"] if self.perspective else words)

    def _written(self, word: str, value) -> str:
        if isinstance(value, str):
            return colour_said(value) if word == "to" else quoted(value)
        return said(*value) if isinstance(value, tuple) else str(value) if word == "seed" else said(value)


def parse_group(text: str) -> tuple[Edit, ...]:
    """The edits of a line in which semicolons part them."""
    steps = [step for step in _split(text, ";") if step.strip()]
    if not steps:
        raise UserError(f"an edit is empty: expected something like {FORMS['move'].example!r}")
    return tuple(parse_edit(step) for step in steps)


def parse_edit(text: str) -> Edit:
    """One edit of a line of text.

    Raises:
        UserError: text that is no edit; the word that was wrong is named.
    """
    words = _words(text)
    if not words:
        raise UserError(f"an edit is empty: expected something like {FORMS['move'].example!r}")
    verb = ALSO.get(words[0].lower(), words[0].lower())
    if verb not in FORMS:
        raise UserError(f"{words[0]!r} in {text.strip()!r} is no edit: expected {', '.join(FORMS)}")
    return _Reader(text.strip(), verb, words[1:]).read()


def looks_like_an_edit(text: str) -> bool:
    """Whether an argument that names no file was meant as an edit: it begins as one, or has several words and does not
    end like a file."""
    words = text.split()
    if words and (words[0].lower() in FORMS or words[0].lower() in ALSO):
        return True
    return len(words) > 1 and not re.search(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", text)


def pair(text: str, form: str, context: str) -> tuple[float, float]:
    """Two numbers with a comma between, of the form `STEP` or `PLACE`. Raises `UserError` naming `text`."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        kind = "place" if form == PLACE else "step"
        raise UserError(f"{context}: {text!r} is no {kind}: expected {form} in pixels, such as 120,80")
    return x, y


def _shown(text: str, context: str) -> Selector:
    """What X,Y or X,Y,W,H shows: a pixel, or a box. Raises `UserError` as `pair` does."""
    parts = text.split(",")
    if len(parts) != 4:
        return Selector(point=pair(text, PLACE, context))
    place, extent = (pair(",".join(part), PLACE, context) for part in (parts[:2], parts[2:]))
    return Selector(box=(*place, *extent))


def colour_said(text: str) -> str:
    """A colour as the language has it, such as blue or 'light blue'."""
    return quoted(text) if " " in text else text


def quoted(text: str) -> str:
    """A word of the language that may hold blanks. No sign escapes a quote: of two kinds the double ones become single."""
    if "'" in text:
        text, mark = text.replace('"', "'"), '"'
    else:
        mark = "'"
    return f"{mark}{text}{mark}"


class _Reader:
    """Reads what follows a verb, word by word."""

    def __init__(self, text: str, verb: str, words: list[str]):
        self.text, self.verb, self.form, self.words = text, verb, FORMS[verb], words

    def read(self) -> Edit:
        which, found = self._selectors(), {}
        while self.words:
            word = self.words.pop(0)
            key = word.lower()
            if key in self.form.clauses and key not in found:
                found[key] = self._clause(key)
            elif key in self.form.lines and "line" not in found:
                found["line"] = key
            elif key == "in" and self.form.perspective and [w.lower() for w in self.words[:1]] == ["perspective"]:
                self.words.pop(0)
                found["perspective"] = True
            else:
                raise self._wrong(word)
        edit = Edit(self.verb, tuple(which), **{FIELDS.get(key, key): value for key, value in found.items()})
        return edit.checked(self.text)

    def _selectors(self) -> list[Selector]:
        found = []
        while self.words:
            word = self.words[0]
            key = word.lower()
            if key in (*self.form.clauses, *self.form.lines, "in"):
                break
            self.words.pop(0)
            if key in FILLERS and found:
                continue
            if word[0] in "'\"":
                found.append(Selector(words=word[1:-1]))
            elif word[0] == "@":
                found.append(_shown(word[1:], f"in {self.text!r}"))
            elif re.fullmatch(r"-?\d{1,9}(,\d{1,9})*,?", word):
                found += [Selector(number=int(part)) for part in word.split(",") if part]
            elif key == EVERY:
                found.append(Selector())
            elif key in ARTICLES:
                found.append(Selector(words=" ".join([word, *self._phrase()])))
            else:
                raise self._wrong(word)
        return found

    def _phrase(self) -> list[str]:
        """The bare words that go on after an article."""
        stop = (*self.form.clauses, *self.form.lines, *FILLERS, *ARTICLES, "in", EVERY)
        taken = []
        while self.words and self.words[0].lower() not in stop and re.fullmatch(r"[A-Za-z-]+", self.words[0]):
            taken.append(self.words.pop(0))
        return taken

    def _clause(self, key: str):
        form = self.form.clauses[key]
        if not self.words:
            raise UserError(f"in {self.text!r} nothing follows {key!r}: expected {form}, as in {self.form.example!r}")
        word = self.words.pop(0)
        bare = word[1:-1] if word[0] in "'\"" else word
        if form in (STEP, PLACE):
            return pair(bare, form, f"in {self.text!r}")
        if form == WORDS and word.lower() in ARTICLES:
            return " ".join([word, *self._phrase()])
        if form in (COLOUR, FILE, WORDS):
            return bare
        if form == COUNT and bare.isdecimal() and len(bare) <= len(str(MOST_COUNT)):
            value = int(bare)  # exactly: a seed may have more digits than a float
            if value <= MOST_COUNT:
                return value
        try:
            value = float(bare)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise UserError(f"in {self.text!r}: {bare!r} is no number, as in {self.form.example!r}")
        if form == COUNT and not (0 <= value <= MOST_COUNT and value == int(value)):
            raise UserError(f"in {self.text!r}: {bare!r} is no whole number from 0 to {MOST_COUNT}")
        return int(value) if form == COUNT else value if form == PIXELS else (value,)

    def _wrong(self, word: str) -> UserError:
        return UserError(f"{word!r} in {self.text!r} is not understood: expected something like {self.form.example!r}")


def _words(text: str) -> list[str]:
    """The words of an edit; what is in quotes is one word and keeps them."""
    words = re.findall(r"'[^']*'|\"[^\"]*\"|[^\s'\"]+|['\"]", text)
    if any(word in ("'", '"') for word in words):
        raise UserError(f"a quote in {text.strip()!r} is not closed")
    if any(word in ("''", '""') for word in words):
        raise UserError(f"there is nothing between the quotes in {text.strip()!r}")
    return words


def _split(text: str, mark: str) -> list[str]:
    """The parts of a text between marks that are not in quotes."""
    return re.findall(rf"(?:'[^']*'|\"[^\"]*\"|[^{mark}])+", text)
