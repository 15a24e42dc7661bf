"""What a prompt says that no picture here can show: how the picture is to look, "highly detailed, 4k", how things are, "a happy
dog", and what they do, "a cat chasing a mouse". It is left out and told, and what it is said of is drawn; of what is done to a
thing, that the two are next to one another."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from prompts.arranging import EACH_OTHER, placed, relates
from prompts.grounds import FIRST
from prompts.lexicon import Lexicon
from prompts.nouns import COMPARED, adjective_at, adjectives_at, is_colour, noun_at, noun_before
from prompts.synonyms import EMPHASIS, PHRASES, STOPS
from prompts.undrawable import is_action, is_quality, may_go
from prompts.undrawn_words import DIRECTIONS, FIGURES, LOOKS, MEDIA, POSTURES, STYLE, WEATHER
from prompts.vocabulary import NEXT, NUMBERS

_IS = ("is", "are")
_WHICH = ("that", "which", "who")
_LINKING = (*_IS, "looks", "look")
_DETERMINERS = frozenset(("a", "an", "the", "another", "some", "its", "his", "her", "their", "my", "your", "our", *NUMBERS))
_OPENERS = frozenset("picture photo photograph image scene".split())  # captions begin with "a photo of"
_JOINS = frozenset("in of on with by for the a an and at".split())  # of what is said of a picture
_SHOWING = ("of", "showing", "depicting", "featuring", "with")
_WHERE = (("where",), ("in", "which"))
_TO_THINGS = frozenset("at to towards toward after with against".split())  # as in "looking at"
_TURNING = frozenset("up down away over back out off".split())  # said before these: "looking up at", "running away from"
_SET_IN = FIGURES | WEATHER
_DESCRIBED = 30  # words at most between what is said of a thing and its name; each is looked through
_BEGINNING = 6  # words of a wish, "could you draw me a", after which what is wished for begins at the latest


class Drawn(NamedTuple):
    """Words of a prompt without what cannot be drawn; (phrase, what is drawn instead), and what is left out."""

    words: list[str]
    instead: dict[str, str]
    left: list[str]


def without_undrawn(words: Sequence[str], lexicon: Lexicon | None) -> Drawn:
    """The words of a prompt, as `split_words` has them, without what no picture can show. Nothing is left out where nothing
    else is said."""
    if _is_all_drawn(words, lexicon):  # most prompts
        return Drawn(list(words), {}, [])
    found = _Leaving([word for word in words if word != "being"], lexicon)
    found.read()
    if any(word not in STOPS for word in found.kept):
        return Drawn(_stopped_once(found.kept) if found.left else found.kept, found.instead, found.left)
    return Drawn(list(words), {}, [])


def _is_all_drawn(words: Sequence[str], lexicon: Lexicon | None) -> bool:
    """Whether nothing here may be left out: no word outside of names, and no name that a picture is asked to be."""
    at = 0
    while at < len(words):
        noun = noun_at(words, at, lexicon)
        if words[at] in _SET_IN or (noun is None and may_go(words[at])) or (noun and words[noun.end - 1] in MEDIA):
            return False
        at = at + 1 if noun is None else noun.end
    return True


def _stopped_once(words: Sequence[str]) -> list[str]:
    """Words without the commas that what was left out stood between."""
    kept: list[str] = []
    for word in words:
        if word != "," or (kept and kept[-1] not in STOPS):
            kept.append(word)
    while kept[-1:] == [","]:
        kept.pop()
    return kept


class _Leaving:
    """One pass over the words of a prompt."""

    def __init__(self, words: Sequence[str], lexicon: Lexicon | None) -> None:
        self.words, self.lexicon = words, lexicon
        self.kept: list[str] = []
        self.instead: dict[str, str] = {}
        self.left: list[str] = []

    def read(self) -> None:
        at = self.medium() or 0
        while at < len(self.words):
            word = self.words[at]
            if end := self.beside(at):
                at = end
            elif end := self.clause(at):
                self.left.append(" ".join(self.words[at:end]))
                at = end + (self.words[end : end + 1] == [","])
            elif end := self.known(at):
                self.kept += self.words[at:end]
                at = end
            elif end := self.styled(at) or self.in_figure(at):
                self.left.append(" ".join(self.words[at:end]))
                at = end
            elif self.figure_of(at):
                if self.kept[-1:] == ["in"]:  # a circle of things
                    self.instead[" ".join(self.words[at - 1 : at + 3])] = NEXT
                    self.kept[-1:] = NEXT.split()
                else:
                    self.left.append(" ".join(self.words[at + 1 : at + 3]))
                self.kept += [] if self.words[at + 3] in NUMBERS else ["some"]
                at += 3
            elif not (may_go(word) or word in _LINKING) or self.is_drawn(at):
                self.kept.append(word)
                at += 1
            elif (end := self.predicate(at)) or (end := self.action(at)):
                at = end
            elif is_quality(word) and self.is_said_of_thing(at + 1):
                at = self.quality(at)
            elif self.is_medium_after(at):
                self.left.append(word)
                at += 1
            else:
                self.kept.append(word)
                at += 1

    def known(self, at: int) -> int | None:
        """Where a name or a background ends that begins here, which may have such words in it: "a happy face"."""
        if noun := noun_at(self.words, at, self.lexicon):
            return noun.end
        if self.lexicon is None or not (self.words[at] in FIRST or may_go(self.words[at])):
            return None
        ground = self.lexicon.grounds.at_preposition(self.words, at) or self.lexicon.grounds.at(self.words, at)
        names = () if ground is None else (noun_at(self.words, k, self.lexicon) for k in range(at + 1, ground[0]))
        if ground is None or any(noun is not None and noun.end > ground[0] for noun in names):  # "a snow-capped mountain"
            return None
        return ground[0]

    def medium(self) -> int | None:
        """Where what the picture is asked to be ends, "a dreamy watercolor painting of", if the prompt begins with it or with a
        wish for it; nothing is said of "a photo of"."""
        for start in range(min(len(self.words), _BEGINNING)):
            end = start
            while end < len(self.words) and self.is_of_medium(end):
                end += 1
            said = self.words[start:end]
            told = next((one for one in _WHERE if tuple(self.words[end : end + len(one)]) == one), ())  # "a scene where"
            if not said or said[-1] not in MEDIA or not (told or (end < len(self.words) and self.words[end] in _SHOWING)):
                continue
            if (not told and len(said) == 1 and said[0] in _OPENERS) or (self.words[end] != "of" and self.known(end - 1)):
                return None
            self.left += [" ".join(said)] if len(said) > 1 or said[0] not in _OPENERS else []
            begin = start - (start > 0 and self.words[start - 1] in ("a", "an", "the"))
            self.kept += self.words[:begin]
            return end + max(1, len(told))
        return None

    def is_of_medium(self, at: int) -> bool:
        """Whether a word may say what a picture is to be: "black and white photo"."""
        word = self.words[at]
        return word in STYLE or word == "and" or is_quality(word) or bool(adjective_at(self.words, at))

    def clause(self, at: int) -> int | None:
        """Where a clause ends that begins here and speaks of the picture or of looks alone: ", highly detailed,"."""
        if at and self.words[at - 1] not in STOPS:
            return None
        end = next((k for k in range(at, len(self.words)) if self.words[k] in STOPS), len(self.words))
        said = self.words[at:end]
        style = [word for word in said if is_quality(word) and not (len(said) == 1 and self.known(at))]
        if not style or said[0] in _DETERMINERS:
            return None
        named = self.known(at) == end or any(self.known(k) and self.words[k] not in STYLE for k in range(at, end))
        joined = all(
            word in style or word in STYLE or word in _JOINS or word in EMPHASIS or adjective_at(said, k)
            for k, word in enumerate(said)
        )
        return end if joined and not named and not any(is_action(word) and word not in STYLE for word in style) else None

    def styled(self, at: int) -> int | None:
        """Where "in the style of ...", "in anime style" or "in the rain" ends."""
        if self.words[at : at + 2] == ["in", "the"] and not WEATHER.isdisjoint(self.words[at + 2 : at + 3]):
            drawn = self.known(at) or noun_at(self.words, at + 2, self.lexicon) or self.words[at + 3 : at + 4] == ["of"]
            return None if drawn else at + 3
        if self.words[at] != "in" or "style" not in self.words[at + 1 : at + 5]:
            return None
        end = self.words.index("style", at) + 1
        if self.words[end : end + 1] == ["of"]:
            return next((k for k in range(end + 1, len(self.words)) if self.goes_on(k)), len(self.words))
        return end if not any(noun_at(self.words, k, self.lexicon) for k in range(at, end)) else None

    def in_figure(self, at: int) -> int | None:
        """Where "in a circle" ends, of several things."""
        figure = self.words[at] == "in" and self.words[at + 1 : at + 2] == ["a"] and self.words[at + 2 : at + 3]
        noun = noun_before(self.kept, len(self.kept), self.lexicon) if figure and figure[0] in FIGURES else None
        return at + 3 if noun is not None and noun.plural and self.words[at + 3 : at + 4] != ["of"] else None

    def figure_of(self, at: int) -> bool:
        """Whether "a circle of" begins here, before several things."""
        figure = self.words[at] == "a" and self.words[at + 2 : at + 3] == ["of"] and self.words[at + 1] in FIGURES
        start = at + 3 + (self.words[at + 3 : at + 4] != [] and self.words[at + 3] in NUMBERS)
        noun = noun_at(self.words, adjectives_at(self.words, start)[1], self.lexicon) if figure else None
        return noun is not None and noun.plural

    def goes_on(self, at: int) -> bool:
        """Whether what is said here is no longer of whose style a picture is to be."""
        word, following = self.words[at], self.words[at + 1 : at + 2]
        listed = word == "and" and following and following[0] in _DETERMINERS and self.is_said_of_thing(at + 2)
        return word in STOPS or bool(listed) or (word != "by" and (relates(self.words, at) or placed(self.words, at)))

    def is_drawn(self, at: int) -> bool:
        """Whether a size, material or colour is here; a shade before a thing that is called like a colour, "hot coffee", is
        none of these."""
        size = adjective_at(self.words, at)
        thing = noun_at(self.words, at + 1, self.lexicon) if size > 1 else None
        return bool(size) and (thing is None or self.is_said_of_thing(thing.end))

    def is_said_of_thing(self, at: int) -> bool:
        """Whether what is said before this is said of a thing that is named here, with other things that are said of it."""
        last = min(at + _DESCRIBED, len(self.words))
        while at < last:
            word = self.words[at]
            if noun_at(self.words, at, self.lexicon) or (self.lexicon is not None and self.lexicon.grounds.at(self.words, at)):
                return True
            if size := adjective_at(self.words, at):
                at += size
            elif self.words[at + 1 : at + 2] == ["of"]:  # a pair of
                at += 2
            elif word in ("and", "but") and noun_at(self.words, at + 1, self.lexicon):  # "seaweed and fish"
                return False
            elif is_quality(word) or word in (",", "and", "but", *EMPHASIS, *COMPARED) or PHRASES.get(word) == "":
                at += 1
            else:
                return False
        return False

    def is_medium_after(self, at: int) -> bool:
        """Whether a picture is called so here after what it shows: "a cat sticker"."""
        ends = at + 1 == len(self.words) or self.words[at + 1] in STOPS
        return ends and self.words[at] in MEDIA - _OPENERS and noun_before(self.words, at, self.lexicon) is not None

    def quality(self, at: int) -> int:
        """Leaves out what is said before a name; what to read next."""
        self.left.append(self.words[at])
        after = at + 1
        before = self.kept[-1] if self.kept else ","
        listed = after < len(self.words) and self.words[after] in (",", "and", "but")
        first = before in _DETERMINERS or before in STOPS or before in EMPHASIS
        if listed and (first or adjective_at((before,), 0)):  # "a beautiful, cute cat"
            return after + 1
        joins = before in (",", "and", "but") and len(self.kept) > 1
        if joins and adjective_at(self.kept, len(self.kept) - 2):  # "a big, old chair"
            self.kept.pop()
        return after

    def predicate(self, at: int) -> int | None:
        """Where "is happy" ends, after a thing; it is left out, with "that" or "it" before it where nothing else is said."""
        if self.words[at] not in _LINKING or not self.kept:
            return None
        left, drawn, end = self.likes(at + 1)
        if left and not drawn and self.words[end : end + 1] == [","] and (last := self.last_likes(end + 1)):  # "cute, orange"
            drawn, end = last
        says_where = relates(self.words, end) or placed(self.words, end)
        ends = end == len(self.words) or self.words[end] in (*STOPS, "and") or says_where
        if not ends or not any(map(is_quality, left)):
            return None
        self.left += left
        if drawn or says_where:
            self.kept += ["are" if self.words[at] in ("are", "look") else "is", *drawn]
        else:
            self.unsay()
        return end

    def last_likes(self, at: int) -> tuple[list[str], int] | None:
        """What can be drawn of what a thing is like, and where it ends, if that is all that its sentence still says."""
        said, end = adjectives_at(self.words, at)
        return (said, end) if said and (end == len(self.words) or self.words[end] in (".", ";")) else None

    def beside(self, at: int) -> int | None:
        """Where what is said of a thing after a comma ends, if some of it can be drawn or a relation follows: ", ripe and red";
        the rest is left out."""
        if not at or self.words[at - 1] != "," or not self.kept:
            return None
        left, drawn, end = self.likes(at)
        says_where = relates(self.words, end) or placed(self.words, end)
        ends = end == len(self.words) or self.words[end] in STOPS or says_where
        of_picture = any(word == "light" or (word in STYLE and word not in LOOKS) for word in left)
        if not ends or of_picture or not any(map(is_quality, left)) or not (drawn or says_where):
            return None
        self.left += left
        noun = noun_before(self.kept, len(self.kept) - 1, self.lexicon)
        if drawn and noun is not None:  # not ", orange", which may be one
            self.kept[-1:] = ["that", "are" if noun.plural else "is"]
        elif drawn:  # "is big, happy and red"
            self.kept[-1:] = ["and"]
        self.kept += drawn
        return end

    def likes(self, at: int) -> tuple[list[str], list[str], int]:
        """What is said from here on of a thing that cannot be drawn, what of it can, and where it ends: "happy and red"."""
        left: list[str] = []
        drawn: list[str] = []
        end = at
        while end < len(self.words):
            word, size = self.words[end], adjective_at(self.words, end)
            colour = size == 1 and is_colour(word) and (left or drawn)  # "spooky and orange"
            if (named := self.known(end)) and not (colour and named == end + 1):
                break
            if size:
                drawn += [*(["and"] if drawn else []), *self.words[end : end + size]]
            elif word in EMPHASIS or (is_quality(word) and not is_action(word) and word not in POSTURES):
                left.append(word)
            elif word not in ("and", "but"):
                break
            end += size or 1
        while end > at and self.words[end - 1] in ("and", "but"):
            end -= 1
        return left, drawn, end

    def unsay(self) -> None:
        """Takes back the words that pointed to a thing of which nothing is said now."""
        while self.kept and self.kept[-1] in (*_IS, *_WHICH, "it", "they"):
            self.kept.pop()
            if self.kept and self.kept[-1] == "and":
                self.kept.pop()

    def action(self, at: int) -> int | None:
        """Where what a thing does ends, after its name: "running", "looking left", "chasing" a mouse."""
        word, before = self.words[at], self.words[at - 1] if at else ""
        posture = word in POSTURES
        if not (posture or is_action(word)) or not self.kept:
            return None
        going_on = before == "and" and self.left[-1:] == [self.words[at - 2]]  # "running and jumping"
        linked = before in (*_IS, *_WHICH)
        after_comma = before == "," and word.endswith("ing") and not self.is_said_of_thing(at + 1) and self.has_named()
        if not (linked or going_on or after_comma or noun_before(self.words, at, self.lexicon)):
            return None
        end = at + 1
        ends = end == len(self.words) or self.words[end] in (*STOPS, "and")
        leaning = word in ("leaning", "leans")  # against what it leans on, and not on top of that
        says_where = not leaning and (relates(self.words, end) or placed(self.words, end) or self.on_ground(end))
        done_to = None if says_where else self.done_to(at)
        turned = next((d for d in DIRECTIONS if tuple(self.words[end : end + len(d)]) == d), ())
        turned = () if says_where or done_to else turned
        if posture and not (turned or done_to or ends):  # "standing" next to a house
            return None
        if going_on and self.kept[-1] == "and":
            self.kept.pop()
        if done_to:
            self.instead[" ".join(self.words[at:done_to])] = NEXT
            if before in _WHICH:
                self.kept.pop()
            self.kept += NEXT.split()
            return done_to
        end += len(turned)
        self.left.append(" ".join(self.words[at:end]))
        if end == len(self.words) or self.words[end] in (*STOPS, "and", "with") or before in _WHICH:
            self.unsay()
        return end

    def has_named(self) -> bool:
        """Whether the sentence names a thing before."""
        since = max([0, len(self.kept) - _DESCRIBED, *(k for k, word in enumerate(self.kept) if word in ".;:")])
        return any(noun_at(self.kept, k, self.lexicon) for k in range(since, len(self.kept)))

    def on_ground(self, at: int) -> bool:
        if self.lexicon is None or at >= len(self.words):
            return False
        return self.lexicon.grounds.at_preposition(self.words, at) is not None

    def done_to(self, at: int) -> int | None:
        """Where the words for what is done end, before a thing that it is done to."""
        end = at + 1
        leaning = self.words[at] in ("leaning", "leans") and self.words[end : end + 1] == ["on"]
        to_what = {*_TO_THINGS, "from"} if end < len(self.words) and self.words[end] in _TURNING else ()
        if to_what and not to_what.isdisjoint(self.words[end + 1 : end + 2]):
            end += 2
        elif end < len(self.words) and (self.words[end] in _TO_THINGS or leaning):
            end += 1
        start = end
        while start < len(self.words) and (self.words[start] in _DETERMINERS or adjective_at(self.words, start)):
            if noun_at(self.words, start, self.lexicon):
                break
            start += 1
        return end if tuple(self.words[start : start + 2]) in EACH_OTHER or self.is_said_of_thing(start) else None
