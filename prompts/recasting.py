"""Ways of saying what things are like that captions do not have, in the way that they do: "a ball that is red", "a ball. The
ball is red", "red and blue balls" all become adjectives before nouns."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.arranging import relates
from prompts.colours import nearest
from prompts.comparing import compared_to, relative_to
from prompts.lexicon import Lexicon
from prompts.nouns import Noun, adjective_at, adjectives_at, is_colour, noun_at, noun_before, nouns_before
from prompts.parting import apposed, contrasted, each_with, parted
from prompts.referring import told, verbless
from prompts.synonyms import EMPHASIS, SHADES, STOPS
from prompts.vocabulary import ADJECTIVES, NUMBERS

_IS = ("is", "are")
_WHICH = ("that", "which")
_MADE = (("made", "of"), ("made", "out", "of"), ("made", "from"))


def recast(words: Sequence[str], lexicon: Lexicon | None) -> list[str]:
    """The words of a prompt, as `split_words` has them, with adjectives where captions have them."""
    words = list(words)
    for change in (
        _made, _postposed, each_with, _relative, verbless, told, compared_to, relative_to, _stated, apposed, parted, contrasted,
        _said_of_all, _summed, _one_each, _listed, _each, _one_more, _shared, _several_more,
    ):  # fmt: skip
        at = 0
        while at < len(words):
            changed = change(words, at, lexicon)
            words, at = (words, at + 1) if changed is None else changed
    return words


def two_coloured(words: Sequence[str], lexicon: Lexicon | None) -> tuple[str, str] | None:
    """What is to have several colours, "black and white cat", and the same in the last of them alone; None where each thing has
    one."""
    for at in range(len(words)):
        described = _coloured(words, at, lexicon)
        if described is not None:
            colours, noun = described
            return " ".join(words[at : noun.end]), " ".join((*colours[-1], *words[noun.start : noun.end]))
    return None


def _ends(words: Sequence[str], at: int, lexicon: Lexicon | None) -> bool:
    """Whether what is said of a thing can end here."""
    return at >= len(words) or not (noun_at(words, at, lexicon) or words[at] in ("than", "one", "ones"))


def _made(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a cat made of gold" -> "a gold cat", where the material is a colour, too."""
    said = next((said for said in _MADE if tuple(words[at : at + len(said)]) == said), None)
    noun = None if said is None else noun_before(words, at, lexicon)
    end = at + len(said or ())
    if noun is None or end >= len(words) or words[end] in ADJECTIVES or not nearest(words[end]):  # nothing is made of red
        return None
    if not _ends(words, end + 1, lexicon):
        return None
    return [*words[: noun.start], words[end], *words[noun.start : at], *words[end + 1 :]], at


def _postposed(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a ball, red" and "ball red" -> "red ball"."""
    noun = noun_at(words, at, lexicon)
    if noun is None or noun.end >= len(words):
        return None
    start = noun.end + (words[noun.end] == ",")
    said, end = adjectives_at(words, start)
    if not said or any(noun_at(words, k, lexicon) for k in range(start, min(end + 1, len(words)))):
        return None
    listed = words[end : end + 1] == ["and"] and not adjective_at(words, end + 1)
    if not (end == len(words) or words[end] in STOPS or listed or relates(words, end)):
        return None
    return [*words[:at], *said, *words[at : noun.end], *words[end:]], at + len(said) + 1


def _relative(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a ball that is red" and "a ball, which is red," -> "a red ball"."""
    if words[at] not in _WHICH or at + 1 >= len(words) or words[at + 1] not in _IS:
        return None
    said, end = adjectives_at(words, at + 2)
    begun = at - (at > 0 and words[at - 1] == ",")
    noun = noun_before(words, begun, lexicon)
    if not said or noun is None or not _ends(words, end, lexicon) or _of_several(words, at + 1, lexicon):
        return None
    if begun < at and words[at + 1] == "are" and not noun.plural:  # "a cat and a dog, which are black"
        return None
    goes_on = words[end : end + 1] == [","] and (words[end + 1 : end + 2] in (["is"], ["are"]) or relates(words, end + 1))
    end += begun < at and goes_on
    return [*words[: noun.start], *said, *words[noun.start : begun], *words[end:]], at


def _stated(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a ball. The ball is red" -> "a red ball"; "the ball is red" -> "the red ball"."""
    if at and words[at - 1] not in (*STOPS, "and", "but"):
        return None
    noun = noun_at(words, at + 1, lexicon) if words[at] in ("the", "a", "an") else None
    subject_end = noun.end if noun is not None else at + 1
    if (noun is None and words[at] not in ("it", "they")) or subject_end >= len(words) or words[subject_end] not in _IS:
        return None
    if _of_several(words, subject_end, lexicon):
        return None
    said, end = adjectives_at(words, subject_end + 1)
    if not said or not (end == len(words) or words[end] in (*STOPS, "and")):
        return None
    earlier = [one for one in nouns_before(words, at, lexicon) if noun is None or one.means == noun.means]
    if noun is not None and earlier:  # the same one said again is no other one
        earlier = [earlier[0], *(one for one in earlier[1:] if words[one.start - 1] != "the")]
    if noun is not None and words[at] != "the":
        earlier = []
    if not earlier and noun is not None:
        return [*words[: noun.start], *said, *words[noun.start : noun.end], *words[end:]], at
    if len(earlier) != 1:
        return None
    meant = earlier[0]
    if words[subject_end] == "is" and meant.plural and meant.one != meant.many and not (noun is not None and noun.plural):
        return None  # "two cats. The cat is black": which of them?
    before = at
    while before and words[before - 1] in (*STOPS, "and", "but"):
        before -= 1
    more = words[end : end + 1] == ["and"] and not {"the", "it", "they", "there"}.isdisjoint(words[end + 1 : end + 2])
    rest = [".", *words[end + 1 :]] if more else words[end:]  # a clause of its own
    return [*words[: meant.start], *said, *words[meant.start : before], *rest], at


def _said_of_all(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"three balls, all red" -> "three red balls", and "a ball and a cube are red" or "which are red" -> "a red ball and a red
    cube"."""
    summed = words[at] in ("all", "both") and at > 0 and words[at - 1] in (",", "are", "is")
    they = words[at : at + 2] == ["they", "are"] and at > 0 and words[at - 1] in (*STOPS, "and")
    if not (summed or they) and not _of_several(words, at, lexicon):
        return None
    said, end = adjectives_at(words, at + 1 + they)
    begun = at - (summed or they or words[at - 1] in _WHICH)
    start = next((k + 1 for k in range(begun - 1, -1, -1) if words[k] in (".", ";", ":")), 0)
    nouns = [noun for noun in nouns_before(words, at, lexicon) if noun.start >= start]
    if not said or not nouns or not (end == len(words) or words[end] in (*STOPS, "and")):
        return None
    last = nouns[-1].end
    ground = None if lexicon is None or last == begun else lexicon.grounds.at_preposition(words, last)
    besides = range(start, last if ground is not None and ground[0] == begun else begun)
    besides = [k for k in besides if not any(noun.start <= k < noun.end for noun in nouns)]
    two = len(nouns) == 2 and (words[at] == "both" or not any(noun.plural for noun in nouns))
    if two and relates(words, nouns[0].end + (words[nouns[0].end] == "is")):  # "a butterfly above a flower, both yellow"
        besides = [k for k in besides if not nouns[0].end <= k < nouns[1].start]
    listed = all(words[k] in ("a", "an", "and", "some", "the", ",", *NUMBERS) or adjective_at(words, k) for k in besides)
    if not listed or (len(nouns) == 1 and not nouns[0].plural):
        return None
    told = list(words)
    del told[begun:end]
    for noun in reversed(nouns):
        told[noun.start : noun.start] = said
    return told, at


def _of_several(words: Sequence[str], at: int, lexicon: Lexicon | None) -> bool:
    """Whether "are" is here after a thing of which it cannot be said alone: "a ball and a cube are red"."""
    end = at - (at > 0 and words[at - 1] in _WHICH)
    noun = noun_before(words, end, lexicon) if words[at] == "are" else None
    return noun is not None and not noun.plural and noun.one != noun.many


def _summed(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"three things: a ball, a cube and a can" -> "a ball, a cube and a can", where what is listed is of that sort."""
    count = NUMBERS.get(words[at])
    sort = noun_at(words, at + 1, lexicon) if count is not None else None
    if sort is None or words[sort.end : sort.end + 1] != [":"]:
        return None
    end = next((k for k in range(sort.end + 1, len(words)) if words[k] in (".", ";")), len(words))
    listed = words[sort.end + 1 : end]
    counted = sum(1 if word in ("a", "an") else NUMBERS.get(word, 0) for word in listed)
    of_it = all(_is_a(noun, sort, lexicon) for noun in nouns_before(listed, len(listed), lexicon))
    return ([*words[:at], *listed, *words[end:]], at) if counted == count and of_it else None


def _one_each(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"three cars: red, blue and green" -> "a red car and a blue car and a green car"."""
    count = NUMBERS.get(words[at], 1)
    noun = noun_at(words, at + 1, lexicon) if count > 1 else None
    if noun is None or not noun.plural or words[noun.end : noun.end + 1] != [":"]:
        return None
    told: list[str] = []
    colours, end = 0, noun.end
    while end < len(words) and words[end] in (":", ",", "and"):
        start = end + 1 + (words[end : end + 2] == [",", "and"])
        size = adjective_at(words, start)
        if not size or not is_colour(words[start + size - 1]):
            return None
        colours, end = colours + 1, start + size
        told += [*(["and"] if told else []), "a", *words[start:end], *noun.one]
    whole = colours == count and (end == len(words) or words[end] in STOPS)
    return ([*words[:at], *told, *words[end:]], at + len(told)) if whole else None


def _is_a(noun: Noun, sort: Noun, lexicon: Lexicon | None) -> bool:
    """Whether what a noun means is of a sort of things; all are objects."""
    above = frozenset() if lexicon is None else lexicon.above(noun.means)
    return sort.means in (f"shape {None}", noun.means, *above)


def _listed(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a big and red ball" -> "a big red ball"."""
    first = adjective_at(words, at)
    of = at > 0 and words[at - 1] in ("of", "from")  # "made of metal and red"
    if not first or of or words[at + first : at + first + 1] != ["and"] or noun_at(words, at, lexicon) is not None:
        return None
    said, end = adjectives_at(words, at)
    if "and" in said or end == at + first or noun_at(words, end, lexicon) is None:
        return None
    return [*words[:at], *said, *words[end:]], at + len(said)


def _each(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a red and a blue ball" and "one red and one blue ball" -> "a red ball and a blue ball"."""
    end, first, noun = at, 0, None
    while end < len(words) and words[end] in ("a", "an", "one") and noun is None:
        size = adjective_at(words, end + 1)
        if not size or noun_at(words, end + 1, lexicon) is not None:  # "a lemon and a green apple"
            return None
        end += 1 + size
        first = first or end
        noun = noun_at(words, end, lexicon)
        while noun is None and end < len(words) and words[end] in (",", "and"):
            end += 1
    if noun is None or noun.plural or end == first:
        return None
    return [*words[:first], *noun.one, *words[first:]], first


def _shared(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"red and blue balls" -> "some red balls and some blue balls", and with a "two" before it "a red ball and a blue ball"."""
    described = _coloured(words, at, lexicon)
    if described is None or not described[1].plural:
        return None
    colours, noun = described
    count = NUMBERS.get(words[at - 1]) if at else None
    if count is not None and count != len(colours):
        return None
    start = at - (count is not None or (at > 0 and words[at - 1] == "some"))
    if start and words[start - 1] in ("the", "another"):
        return None
    told = [["a", *colour, *noun.one] if count else ["some", *colour, *noun.many] for colour in colours]
    flat = [word for k, one in enumerate(told) for word in (["and", *one] if k else one)]
    return [*words[:start], *flat, *words[noun.end :]], start + len(flat)


def _one_more(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"one red ball and one blue" -> "one red ball and one blue ball"."""
    noun = noun_before(words, at - 1, lexicon) if words[at] in ("one", "another") and words[at - 1] == "and" else None
    named = noun is None or noun.plural or noun_at(words, at + 1, lexicon)  # "one coral" is a thing
    said, end = ([], at) if named else adjectives_at(words, at + 1)
    if not said or not (end == len(words) or words[end] in STOPS):
        return None
    one = noun.one[adjectives_at(noun.one, 0)[1] % len(noun.one) :]  # "a black cat and another white" one is no black cat
    return [*words[:end], *one, *words[end:]], end


def _several_more(words: list[str], at: int, lexicon: Lexicon | None) -> tuple[list[str], int] | None:
    """"a red ball and two blue ones" -> "a red ball and two blue balls"."""
    if words[at] != "ones" or not at:
        return None
    start = at
    while start and (words[start - 1] in EMPHASIS or adjective_at(words[:at], start - 1)):
        start -= 1
    before = nouns_before(words, start, lexicon)
    if not before or words[start - 1] in ("the", "these", "those"):  # which were named before
        return None
    return [*words[:at], *before[-1].many, *words[at + 1 :]], at + 1


def _coloured(words: Sequence[str], at: int, lexicon: Lexicon | None) -> tuple[list[tuple[str, ...]], Noun] | None:
    """The colours that are listed from here on, "red, white and blue", and their noun; None where fewer than two are."""
    colours: list[tuple[str, ...]] = []
    if at and (words[at - 1] == "and" or words[at - 1] in SHADES):  # this is a list's later part
        return None
    end = at
    while True:
        size = adjective_at(words, end)
        if not size or not is_colour(words[end + size - 1]):
            return None
        colours.append(tuple(words[end : end + size]))
        end += size
        step = 0
        while words[end + step : end + step + 1] in ([","], ["and"]) and step < 2:
            step += 1
        if not step:
            break
        end += step
    if len(colours) == 1:  # that is no list, and its noun may be far: "red red red ..." would be looked through at every word
        return None
    while size := adjective_at(words, end):
        if is_colour(words[end + size - 1]) and noun_at(words, end, lexicon) is not None:
            break
        end += size
    noun = noun_at(words, end, lexicon)
    return None if noun is None else (colours, noun)
