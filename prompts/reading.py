"""A prompt as a checkpoint is to read it: in words that it has seen, with what must hold, and what it draws instead of
what it cannot."""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from prompts.captions import say
from prompts.grammar import parse, parsed
from prompts.grounds import patterned
from prompts.lexicon import Lexicon
from prompts.marking import GROUND, Atom
from prompts.request import Mention, Relation, SceneRequest
from prompts.rewording import is_free, reword, strange
from prompts.scene_captions import say as say_named
from prompts.synonyms import EXTRA, STOPS, split_words
from prompts.vocabulary import BETWEEN, LEFT, RIGHT, WORDS

MOST_WORDS = 20_000  # that a checkpoint remembers, the commonest ones
MOST_SINGLY = 40  # things that are said one by one: no picture holds more
SAYINGS = 24  # ways of saying a request that are tried until one leaves nothing out


@dataclass(frozen=True)
class Reading:
    """A prompt, read.

    Args:
        text: for the prior, in the words that it was trained on.
        request: what must hold; None where the grammar cannot read the prompt.
        order: what `text` says, its mentions in the order in which the prior writes them.
        instead: (word, what is drawn instead).
    """

    text: str
    request: SceneRequest | None
    order: SceneRequest | None
    instead: tuple[tuple[str, str], ...] = ()


def read(prompt: str, known: frozenset[str] = WORDS, lexicon: Lexicon | None = None) -> Reading:
    """Reads a prompt whose words are all known (see `require_known`)."""
    understood = parsed(prompt, lexicon)
    request = understood.request
    if is_free(known, lexicon):
        return Reading(plain(prompt), request, request)
    reworded = reword(prompt, known, lexicon)
    if request is None or (understood.usual and not EXTRA & set(reworded.words)):
        return Reading(reworded.text, request, request, reworded.instead)
    text = restated(request, lexicon)
    return Reading(_undyed(text, request, lexicon), request, parse(text, lexicon), reworded.instead)


def singly(reading: Reading, lexicon: Lexicon | None) -> Reading:
    """The same with each of several things of one name said by itself: "a cat and another cat" for "two cats". In scenes
    of cut-outs, which priors learn names from, plurals are seen far less often than single names, and are followed worse; of
    solids there are many, and these stay as they are."""
    request = reading.request
    if request is None or request.count > MOST_SINGLY or not any(map(_several, request.mentions)):
        return reading
    text = restated(_one_by_one(request), lexicon)
    return replace(reading, text=_undyed(text, request, lexicon), order=parse(text, lexicon))


def notes(prompt: str, known: frozenset[str] = WORDS, lexicon: Lexicon | None = None) -> list[str]:
    """What is drawn otherwise than a prompt says, or may not be drawn, in lines for the user."""
    if is_free(known, lexicon):
        return [f"'{word}' is in no caption that this checkpoint was trained on" for word in strange(prompt, known)]
    reworded = reword(prompt, known, lexicon)
    drawn = [f"'{word}' is drawn as {other}" for word, other in reworded.instead]
    understood = parsed(prompt, lexicon)
    lost = understood.left_out if understood.request is not None else _lost_colours(reworded.words)
    left = [*reworded.left_out, *lost]
    return drawn + [f"'{word}' is left out" for word in left]


def faint(prompt: str, known: frozenset[str] = WORDS, lexicon: Lexicon | None = None) -> list[str]:
    """What of a prompt a picture shows but faintly, in lines for the user: the patterns of backgrounds."""
    grounds = [word.value for word in reword(prompt, known, lexicon).words if isinstance(word, Atom) and word.kind == GROUND]
    return [f"'{one}': the colour is drawn, the pattern hardly or not at all" for one in grounds if patterned(one)]


def _lost_colours(words: Sequence[str]) -> list[str]:
    """Colours that things are to be painted in where nobody will know which of the things drawn these are."""
    return list(dict.fromkeys(word.dye for word in words if isinstance(word, Atom) and word.dye is not None))


def as_read(captions: Sequence[str]) -> tuple[list[str], frozenset[str]]:
    """Captions as `read` will have prompts, and the words that a checkpoint trained on them knows.

    Where all of them can be said in the caption language, so are prompts; else both are left in their own words.
    """
    if any(said.unknown or said.left_out for said in map(reword, captions)):
        texts = [plain(caption) for caption in captions]
    else:
        texts = [read(caption).text for caption in captions]
    counts = Counter(word for text in texts for word in split_words(text) if word not in STOPS)
    return texts, frozenset(word for word, _ in counts.most_common(MOST_WORDS))


def plain(text: str) -> str:
    """A text as it is, but for its spaces."""
    return " ".join(text.split())


def restated(request: SceneRequest, lexicon: Lexicon | None = None) -> str:
    """A request in words that captions use, whole where that can be said."""
    plain, best = _without_between(request), None
    for seed in range(SAYINGS):
        random = Random(seed)
        said = say(plain, random) if lexicon is None else say_named(plain, lexicon, random)
        if best is None or len(said.request.relations) > len(best.request.relations):
            best = said
        if len(best.request.relations) == len(plain.relations):
            break
    return best.text


def _undyed(text: str, request: SceneRequest, lexicon: Lexicon | None) -> str:
    """A caption of a request without the colours that things are to be painted in, of which the prior knows nothing."""
    return text if all(mention.dye is None for mention in request.mentions) else reword(text, lexicon=lexicon).text


def _without_between(request: SceneRequest) -> SceneRequest:
    """The same with what stands between two others right of the first and left of the second."""
    mentions, relations = list(request.mentions), []
    for relation in request.relations:
        if relation.kind != BETWEEN:
            relations.append(relation)
            continue
        other = relation.other
        if other is None:  # the two are one mention: each gets its own
            mentions[relation.object] = _one(mentions[relation.object])
            other = len(mentions)
            mentions.append(_one(mentions[relation.object]))
        relations.append(Relation(relation.subject, RIGHT, relation.object))
        relations.append(Relation(relation.subject, LEFT, other))
    return replace(request, mentions=tuple(mentions), relations=tuple(relations))


def _one_by_one(request: SceneRequest) -> SceneRequest:
    """A request in which things of a name are mentioned one by one, each in all relations."""
    mentions: list[Mention] = []
    places: list[range] = []  # of each mention, those that it becomes
    for mention in request.mentions:
        parts = [_one(mention)] * mention.count if _several(mention) else [mention]
        places.append(range(len(mentions), len(mentions) + len(parts)))
        mentions += parts
    relations = []
    for relation in request.relations:
        subjects, objects = places[relation.subject], places[relation.object]
        if relation.kind == BETWEEN:
            two = objects if relation.other is None else (objects[0], places[relation.other][0])
            relations += [Relation(one, BETWEEN, two[0], two[1] if len(two) > 1 else None) for one in subjects]
        else:
            relations += [Relation(one, relation.kind, other) for one in subjects for other in objects]
    return replace(request, mentions=tuple(mentions), relations=tuple(relations))


def _several(mention: Mention) -> bool:
    return mention.name is not None and mention.count > 1


def _one(mention: Mention) -> Mention:
    return replace(mention, count=1, open=False)
