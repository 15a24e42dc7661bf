"""Which words a checkpoint knows: those of the caption language, and those of its lexicon; others are refused by name."""
from __future__ import annotations

from prompts.grammar import parse
from prompts.grounds import at_odds
from prompts.lexicon import Lexicon
from prompts.marking import GROUND, NAME, Atom, said_ground
from prompts.marking import WORDS as PLACES_AND_RELATIONS
from prompts.plurals import plural
from prompts.rewording import is_free, likely, reword
from prompts.synonyms import STOPS, split_words
from prompts.vocabulary import NOUNS, NUMBER_WORDS, WORDS
from vle_gen.errors import UserError

MORE = "a thousand things are known to '--checkpoint everyday'"  # said where a checkpoint knows solids alone
TOO_MANY = ("ten", "eleven", "twelve", "twenty", "dozen", "hundred", "thousand")


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
    """Raises UserError for a prompt without words, or with words that a checkpoint trained on `known` never saw, that its
    lexicon lacks, and that mean nothing near to what it saw. One that was trained on free text may be asked for anything."""
    read = reword(prompt, frozenset(known), lexicon)
    if is_free(known, lexicon):
        if not prompt.strip():
            raise UserError("the prompt is empty: say what to draw")
        return
    if not any(word not in STOPS for word in read.words):
        raise UserError("the prompt is empty: say what to draw, for example 'red ball left of a cube'")
    if not read.unknown:
        return
    words = ", ".join(repr(word) for word in read.unknown)
    hints = [hint(word, lexicon) for word in read.unknown]
    knows = f"it knows cubes, spheres and cylinders, their colors, sizes and materials, and where they stand; {MORE}"
    if lexicon is not None:
        knows = (
            f"it knows {len(lexicon.kinds)} things by name (see 'vlegen names --help'), cubes, spheres and cylinders, and "
            "where they are"
        )
    raise UserError(
        f"this checkpoint has never seen the word{'s' * (len(read.unknown) > 1)} {words}{''.join(hints)}: {knows}"
    )


def require_drawable(
    prompt: str, known: frozenset[str] | set[str] = WORDS, lexicon: Lexicon | None = None
) -> None:
    """Raises UserError as `require_known` does, for a prompt of known words that names nothing, such as "left of", and for one
    with two backgrounds of which a picture shows one."""
    require_known(prompt, known, lexicon)
    if is_free(known, lexicon):
        return
    words = reword(prompt, frozenset(known), lexicon).words
    if odd := at_odds([word.value for word in words if isinstance(word, Atom) and word.kind == GROUND]):
        first, second = map(said_ground, odd)
        raise UserError(f"{prompt.strip()!r} asks for '{first}' and '{second}', and a picture shows one of them: leave one out")
    if parse(prompt, lexicon) is None and not any(map(_is_drawn, words)):
        raise UserError(f"{prompt.strip()!r} names nothing to draw: add a thing, for example 'a red ball'")


def _is_drawn(word: str) -> bool:
    """Whether a word of a prompt names a thing or a background."""
    return word.kind in (NAME, GROUND) if isinstance(word, Atom) else word in NOUNS


def hint(word: str, lexicon: Lexicon | None) -> str:
    """What may have been meant by an unknown word, as the end of a sentence."""
    if word.isdigit() or word in TOO_MANY:
        return f"; counts go up to {NUMBER_WORDS[-1]}"
    if lexicon is not None and (ground := lexicon.grounds.at((word,), 0)):
        return f"; {word!r} is a background: say '{said_ground(ground[1])}'"
    near = [] if lexicon is None else lexicon.nearest(word)
    if near:
        return f"; nearest to {word!r}: {', '.join(near)}"
    other = likely(word)
    return f"; {word!r} may be {other!r}" if other else ""
