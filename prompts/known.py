"""Which words a checkpoint knows: those of the caption language, and those of its lexicon; others are refused by name."""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from prompts.absent import without_absent
from prompts.colours import nearest
from prompts.contradictions import at_odds_of_one, circle
from prompts.grammar import parse
from prompts.grounds import at_odds
from prompts.hints import hint, hints
from prompts.lexicon import Lexicon
from prompts.marking import GROUND, NAME, Atom, said_ground
from prompts.marking import WORDS as PLACES_AND_RELATIONS
from prompts.nouns import noun_at
from prompts.plurals import article, plural
from prompts.recasting import recast, two_coloured
from prompts.rewording import is_free, reword
from prompts.spelling import words_of
from prompts.synonyms import STOPS, split_words
from prompts.vocabulary import MORE_SAID_AS, NOUNS, RELATION_SAID_AS, WORDS
from vle_gen.errors import UserError

MORE = "a thousand things are known to '--checkpoint everyday'"  # said where a checkpoint knows solids alone
MOST_SIGNS = 2000  # of a prompt: many times what a text model reads, and few enough to be read at once
AROUND = ".,;:!?\"'()[]{}“”‘’«»…"  # punctuation about words
AND = "&+"
BETWEEN_WORDS = ("/", "\\", "|", "~", "=", "->")  # signs that stand for words, nobody knows which
SIGNS = ("So", "Sk", "Sm", "Sc", "Cs", "Co", "Cn")  # Unicode's categories: emoji, currencies, and more
RELATING = frozenset(said.split()[0] for forms in (RELATION_SAID_AS | MORE_SAID_AS).values() for said in forms) - {"a"}
_ENUMERATED = re.compile(r"\d+[-\w]*[a-z]\w*", re.IGNORECASE)  # "3d", "2-door"


def caption_words(lexicon: Lexicon) -> frozenset[str]:
    """Every word that captions of scenes with the lexicon's things may have (without `Often.synonyms`): what a text model
    that is trained on them knows, and what prompts are read into."""
    names = (text for concept in lexicon.concepts for text in (concept.name, plural(concept.name)))
    said = (*names, *map(str, lexicon.grounds.phrases))
    words = frozenset(word for text in said for word in split_words(text) if word not in STOPS)
    return WORDS | PLACES_AND_RELATIONS | words


def unknown_words(prompt: str, known: frozenset[str] | set[str] = WORDS, lexicon: Lexicon | None = None) -> list[str]:
    """Words of `prompt` that cannot be said in the words `known` or those of a lexicon, each once, in order. Punctuation
    is not a word."""
    return list(reword(prompt, frozenset(known), lexicon).unknown)


def require_known(
    prompt: str, known: frozenset[str] | set[str] = WORDS, lexicon: Lexicon | None = None
) -> None:
    """Raises UserError for a prompt without words or of more than `MOST_SIGNS` characters, or with words that a checkpoint
    trained on `known` never saw, that its lexicon lacks, and that mean nothing near to what it saw. One that was trained on
    free text may be asked for anything of that length."""
    if not isinstance(prompt, str):
        raise UserError(f"{prompt!r} is no text: say what is meant in words, such as 'a red ball'")
    if len(prompt) > MOST_SIGNS:
        raise UserError(f"the prompt has {len(prompt)} characters: expected at most {MOST_SIGNS}")
    read = reword(prompt, frozenset(known), lexicon)
    if is_free(known, lexicon):
        if not prompt.strip():
            raise UserError("the prompt is empty: say what to draw")
        return
    if odd := no_words(prompt):
        raise UserError(f"{odd[0]!r} is neither a word nor a whole number: say it in words, such as 'three balls' or 'a cat'")
    if not any(word not in STOPS for word in read.words):
        raise UserError("the prompt is empty: say what to draw, for example 'red ball left of a cube'")
    if not read.unknown:
        return
    words = ", ".join(repr(word) for word in read.unknown)
    meant = hints(read.unknown, split_words(prompt), lexicon)
    knows = f"it knows cubes, spheres and cylinders, their colors, sizes and materials, and where they stand; {MORE}"
    if lexicon is not None:
        knows = (
            f"it knows {len(lexicon.kinds)} things by name (see 'vlegen names --help'), cubes, spheres and cylinders, and "
            "where they are"
        )
    sign = ";" if meant else ":"  # hints may hold a colon themselves
    raise UserError(f"this checkpoint has never seen the word{'s' * (len(read.unknown) > 1)} {words}{meant}{sign} {knows}")


def require_known_object(
    phrase: str, known: frozenset[str] | set[str] = WORDS, lexicon: Lexicon | None = None
) -> None:
    """As `require_known`, of words that say which object of a picture is meant, where without any nothing is meant."""
    if isinstance(phrase, str) and all(word in STOPS for word in split_words(phrase)):
        raise UserError(f"{phrase!r} does not say which object is meant: expected words like 'the red ball'")
    require_known(phrase, known, lexicon)
    absent = () if is_free(known, lexicon) else without_absent(words_of(phrase, lexicon), lexicon)[1]
    if absent:
        raise UserError(f"{absent[0]!r} tells no object from others: say what it has or where it is, such as 'the left ball'")


def require_drawable(
    prompt: str, known: frozenset[str] | set[str] = WORDS, lexicon: Lexicon | None = None
) -> None:
    """Raises UserError as `require_known` does, for a prompt of known words that names nothing, such as "left of", for one with
    two backgrounds of which a picture shows one, and for one that contradicts itself."""
    require_known(prompt, known, lexicon)
    if is_free(known, lexicon):
        return
    words = reword(prompt, frozenset(known), lexicon).words
    if odd := at_odds([word.value for word in words if isinstance(word, Atom) and word.kind == GROUND]):
        first, second = map(said_ground, odd)
        raise UserError(f"{prompt.strip()!r} asks for '{first}' and '{second}', and a picture shows one of them: leave one out")
    said = recast(words_of(prompt, lexicon), lexicon)
    if several := two_coloured(said, lexicon):
        raise UserError(f"{several[0]!r} has several colours, and a thing here has one: say one, such as {several[1]!r}")
    if odd := at_odds_of_one(said, lexicon):
        what, one, other = odd
        raise UserError(f"{what!r} is to be both {one!r} and {other!r}, and a thing here is one of them: leave one out")
    if (request := parse(prompt, lexicon)) is not None:
        if turning := circle(request):
            raise UserError(f"{prompt.strip()!r} contradicts itself: {' and '.join(turning)} cannot all be, so leave one out")
        return
    if lexicon is None and "floor" in words:
        raise UserError(
            f"{prompt.strip()!r} asks for a floor, and this checkpoint has one floor alone: leave it out, or take "
            "'--checkpoint everyday'"
        )
    if lexicon is not None and (run := _run_together(words, said, lexicon)):
        raise UserError(
            f"nothing here is called {run!r}{hint(run, lexicon)}: 'vlegen names' lists what there is; if these are two things, "
            "put 'and' between them"
        )
    if colour := _colour_alone(said, lexicon):
        example = f"{article(colour)} {colour} ball"
        raise UserError(f"{colour!r} is a colour here, and no thing: say what has it, such as {example!r}")
    if not any(map(_is_drawn, words)):
        raise UserError(f"{prompt.strip()!r} names nothing to draw: add a thing, for example 'a red ball'")


def no_words(prompt: str) -> list[str]:
    """The signs of a prompt that are neither words nor punctuation, and numbers that count nothing: "2.5", "5%", "-3"."""
    found = []
    for word in prompt.split():
        bare = word.strip(AROUND)
        if any(sign.isdigit() for sign in bare) and not bare.isalnum() and not _ENUMERATED.fullmatch(bare):
            found.append(bare)
        elif word in BETWEEN_WORDS:
            found.append(word)
        else:
            found += [sign for sign in word if unicodedata.category(sign) in SIGNS and sign not in AND]
    return found


def _run_together(words: Sequence[str], said: Sequence[str], lexicon: Lexicon) -> str | None:
    """Two names side by side, which are meant as one that nothing has, such as "fire truck"; as they were `said`."""
    for one, other in pairwise(words):
        first = isinstance(one, Atom) and one.kind == NAME
        if first and ((isinstance(other, Atom) and other.kind == NAME) or other in NOUNS):
            for at in range(len(said)):
                name = noun_at(said, at, lexicon)
                following = None if name is None or name.means != one.value else noun_at(said, name.end, lexicon)
                if following is not None:
                    return " ".join(said[at : following.end])
            return f"{one} {other}"
    return None


def _colour_alone(words: Sequence[str], lexicon: Lexicon | None) -> str | None:
    """A colour after an article that is said of nothing, such as "a lime"."""
    for k, word in enumerate(words[1:], 1):
        after = words[k + 1] if k + 1 < len(words) else ","
        counted = words[k - 1] in ("a", "an", "the", "some") and nearest(word) and noun_at(words, k, lexicon) is None
        if counted and (after in (*STOPS, "and", "with") or after in RELATING):
            return word
    return None


def _is_drawn(word: str) -> bool:
    """Whether a word of a prompt names a thing or a background."""
    return word.kind in (NAME, GROUND) if isinstance(word, Atom) else word in NOUNS
