"""What a new object is called, and the lexicon that has its name."""
from __future__ import annotations

from dataclasses import dataclass, replace

from prompts.called import called_as
from prompts.grammar import parse
from prompts.lexicon import Concept, Lexicon
from prompts.plurals import OWN, plural
from prompts.synonyms import STOPS, split_words
from vle_gen.errors import UserError

ARTICLES = ("a", "an", "the")
TRIALS = ("{} left of a cube", "a cube behind {}", "{} and a large red ball")  # sentences in which a name must be readable


@dataclass(frozen=True)
class NewName:
    """How an object is said.

    Args:
        name: as captions and prompts have it, in small letters and without "a" or "the"; "my" is a part of it.
        also: other words for it: "mug" of "my mug", where nothing was called a mug before.
        under: the concept that it is one of: "cat" of "my cat", where cats were known.
    """

    name: str
    also: tuple[str, ...] = ()
    under: str | None = None

    @staticmethod
    def of(said: str, lexicon: Lexicon) -> NewName:
        """Raises `UserError` for a name that is known, or that prompts could not be read with."""
        words = split_words(said)
        words = words[1:] if words[:1] and words[0] in ARTICLES else words
        name = " ".join(words)
        if not words or words == [OWN] or any(word in STOPS or word == "&" for word in words):
            raise UserError(f"{said!r} is no name: expected a word or a few, such as 'my mug'")
        plain = tuple(words[words[0] == OWN :])
        known = lexicon.forms.get(tuple(words))
        if known is not None or name in lexicon.kinds:
            meant = known.concept if known is not None else name
            hint = "call this one otherwise" if words[0] == OWN else f"say '{OWN} {name}' for one of your own"
            raise UserError(f"{name!r} is known already, and means {meant!r}: {hint}")
        under = lexicon.forms.get(plain) if words[0] == OWN else None
        also = (" ".join(plain),) if words[0] == OWN and under is None else ()
        new = NewName(name, also, None if under is None else under.concept)
        new._require_readable(lexicon)
        return new

    def _require_readable(self, lexicon: Lexicon) -> None:
        extended = with_name(lexicon, self)
        for trial in TRIALS:
            request = parse(trial.format(self.name), extended)
            if request is None or len(request.mentions) != 2 or [m.name for m in request.mentions].count(self.name) != 1:
                raise UserError(
                    f"prompts cannot be read with {self.name!r} in them: expected a name without colours, sizes, numbers or "
                    "words for where things are, such as 'my mug'"
                )

    @property
    def words(self) -> frozenset[str]:
        """Every single word of it, the plural's too."""
        return frozenset(word for text in (self.name, plural(self.name)) for word in split_words(text))


def with_name(lexicon: Lexicon, new: NewName) -> Lexicon:
    """The lexicon with one more name, of one object that is called the same. What was known keeps its meaning: other words that
    mean something already are left out, and so is what it is one of, where things would then be called otherwise."""
    own = Concept(new.name, frozenset((new.name,)), new.also)
    alone = replace(lexicon, concepts=(*lexicon.concepts, own))
    if new.under is None:
        return alone
    wider = lexicon.above(new.under)
    grown = tuple(
        replace(one, members=one.members | {new.name}) if one.name in wider else one for one in lexicon.concepts
    )
    among = replace(lexicon, concepts=(*grown, own))
    solid = (-1,) * 4
    kept = all(
        called_as(member, solid, among).name == called_as(member, solid, lexicon).name for member in lexicon.kinds
    )
    return among if kept and among.kinds[new.name][0] == new.name else alone
