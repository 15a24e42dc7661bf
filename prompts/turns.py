"""Turns of phrase, and what captions say for them: tables of words, which `idioms` and `wishes` look prompts up in."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.places import PICTURES
from prompts.vocabulary import NUMBERS

_SIDES = ("left", "right")


def _both_hands(said: dict[str, str]) -> dict[str, str]:
    """What is said of the left, and the same of the right."""
    return {one.replace("left", side): other.replace("left", side) for side in _SIDES for one, other in said.items()}


_HANDS = _both_hands({
    "at left of": "left of", "in left of": "left of", "in the left of": "left of", "to left side of": "left of",
    "on left side of": "left of", "at left side of": "left of", "at the left hand side of": "left of",
    "on the left hand side of": "left of", "to the left hand side of": "left of", "off to the left of": "left of",
    "to his left": "to its left", "to her left": "to its left", "on his left": "on its left", "on her left": "on its left",
    **{f"{at} {whose} left side": "on its left" for at in ("on", "at", "to") for whose in ("its", "his", "her")},
    **{f"{at} left from": "left of" for at in ("at", "on", "to", "at the", "on the", "to the", "in the")},
    "to the immediate left of": "left of", "left to a": "left of a", "left to an": "left of an",
    "left to the": "left of the",
    "to the left and in": "left of and in", "to the left and behind": "left of and behind",
    "in front and to": "in front of and to", "in front and left": "in front of and left",
})  # fmt: skip
_PLACES = _both_hands({
    "topleft": "top left", "bottomleft": "bottom left", "left top": "top left", "left bottom": "bottom left",
    "upper left hand": "upper left", "lower left hand": "lower left", "top left hand": "top left",
    "bottom left hand": "bottom left",
    "near the left": "on the left", "at left": "on the left", "on left": "on the left", "in the left third": "on the left",
    "on the very left": "on the left", "in the left": "on the left", "in the left half": "in the left half",
    "in the left top": "in the top left", "in the left bottom": "in the bottom left",
    "to the left and below": "left of and below",
    "to the left and above": "left of and above", "to the left and under": "left of and under",
    **{f"near the {high} left": f"in the {high} left" for high in ("top", "bottom", "upper", "lower")},
    **{f"near the {high} left of": f"near the {high} left of" for high in ("top", "bottom")},  # captions say two things so
    **{
        f"near the {high} left of the {picture}": f"in the {high} left of the {picture}"
        for high in ("top", "bottom") for picture in PICTURES
    },
})  # fmt: skip
_ACROSS = [f"{one} to the {other} of" for one in _SIDES for other in _SIDES]  # "at the top left to the right of a cat"
SAME = {
    **_HANDS, **{said: said for said in _ACROSS},
    "underneath of": "underneath", "near of": "near", "near from": "near", "close from": "near", "beside of": "beside",
    **{f"{at} {whose} side": "next to it" for at in ("at", "by") for whose in ("its", "his", "her")}, "at side": "next to it",
    "ontop of": "on top of", "ontop": "on top of",
    **dict.fromkeys(("that has", "which has", "that have", "which have", "has", "have", "having"), "with"),
    "that shows": "showing", "which shows": "showing", "a trio of": "three", "half a dozen": "six", "half dozen": "six",
    "one more": "another", "yet another": "another", "a second": "another", "a third": "another", "has been placed": "is",
    "laying": "lying",
    "has been put": "is", "was placed": "is", "was put": "is", "is put": "is", "put": "placed", "this is": "there is",
    "here is": "there is", "these are": "there are", "here are": "there are", "coloured": "", "colored": "",
    "are all": "are", "are both": "are", "while": "and", "whereas": "and", "lone": "", "alone": "", "by itself": "",
    "in the distance": "in the background", "in the far background": "in the background",
    "far in the background": "in the background", "further back than": "behind", "farther back than": "behind",
    "further away than": "behind", "farther away than": "behind", "closer to us than": "in front of",
    "nearer to us than": "in front of", "nearer than": "in front of", "closer than": "in front of", "near to": "near",
    "close by": "near", "should be": "is", "he is": "it is", "she is": "it is", "him": "it",
    "its color is": "it is", "its colour is": "it is", "whose color is": "that is", "whose colour is": "that is",
    "color :": "", "colour :": "", "in the color": "in", "in the colour": "in", "together with": "and",
    "both of them": "them", "all of them": "all", "each of them": "all", "who is": "that is", "who are": "that are",
    "behind of": "behind", "besides": "beside", "was": "is", "were": "are", "stood": "is", "sat": "is", "lived": "is",
    "but": "and",
    "something": "a thing", "and nothing else": "", "nothing else": "", "painted": "", "of color": "in", "of colour": "in",
    **{f"of {picture}": f"of the {picture}" for picture in PICTURES},
}  # fmt: skip
SAME_NAMED = {
    **_PLACES, "on the top of": "on top of",
    **{f"on the top of the {picture}": f"at the top of the {picture}" for picture in PICTURES},
    "dead centre": "in the middle", "dead center": "in the middle", "at dead center": "in the middle",
    "at the back": "in the background", "at the front": "in the foreground", "up front": "in the foreground",
    "at the back of": "behind", "at the front of": "in front of",
    **{f"in the {high} third": f"at the {edge}" for high, edge in (
        ("top", "top"), ("upper", "top"), ("bottom", "bottom"), ("lower", "bottom"),
    )},
    "in the dead centre": "in the middle", "in the dead center": "in the middle", "at dead centre": "in the middle",
    "at top": "at the top", "at bottom": "at the bottom", "up in the": "in the",
    "stacked on": "on", "mounted on": "on",
    **{f"on the back of the {picture}": "in the background" for picture in PICTURES},
    **{f"on the {part} of": "on top of" for part in ("head", "back", "shoulder", "nose", "roof", "rooftop", "lap")},
    **{f"on {whose} {part}": "on top of it" for whose in ("its", "his", "her") for part in ("head", "back", "shoulder")},
    "on their heads": "on top of them", "on their backs": "on top of them",
}  # fmt: skip
"""The same where places and more relations are known."""
_TIED = "tied attached connected linked chained leashed glued taped stuck fastened strapped fixed pinned nailed hooked joined"
_HOLDING = [f"{which}{verb}" for verb in ("holds", "hold", "carries", "carry") for which in ("", "that ", "which ", "who ")]
NEAR = {
    **{f"{tied} {to}": "next to" for tied in _TIED.split() for to in ("to", "onto")},
    **dict.fromkeys((
        *_HOLDING,
        "surrounded by", "encircled by", "around", "holding", "carrying", "among", "amongst", "amid", "amidst", "past",
        "opposite", "across from", "in the shadow of", "in the shade of",
    ), "next to"),
    **dict.fromkeys(("holding hands", "shaking hands", "together", "close together"), "side by side"),
}  # fmt: skip
NEAR_NAMED = {
    **{f"{hanging} from": "below" for hanging in ("hanging", "hangs", "hang", "suspended", "dangling", "dangles")},
    "riding on": "on top of", "riding": "on top of", "high up": "at the top",
    **dict.fromkeys((
        "half as big as", "half as large as", "half as tall as", "half the size of", "shorter than",
        *(f"not {so} {big} as" for so in ("as", "so") for big in ("big", "large", "tall")),
    ), "smaller than"),
    **dict.fromkeys((
        "twice as big as", "twice as large as", "twice as tall as", "twice the size of", "double the size of", "taller than",
        *(
            f"{many} times {more}" for many in (*NUMBERS, "many")
            for more in ("as big as", "as large as", "the size of", "bigger than", "larger than")
        ),
    ), "bigger than"),
    **{f"{many} times smaller than": "smaller than" for many in NUMBERS},
    **dict.fromkeys((
        "as big as", "as large as", "as small as", "as tall as", "the size of", "the same size as", "of the same size as",
    ), "next to"),
    **dict.fromkeys(("twice as big", "twice as large", "twice its size", "double its size"), "bigger than it"),
    **dict.fromkeys(("half as big", "half as large", "half its size"), "smaller than it"),
}  # fmt: skip
FIRST = {  # that a prompt begins with
    **{f"{this} is": "there is" for this in ("it", "that")},
    **{f"{these} are": "there are" for these in ("they", "those")},
    **{
        f"{begin} {picture} {shows}": "" for picture in ("scene", "picture", "image", "photo", "drawing")
        for begin in ("the", "a") for shows in ("shows", "contains")
    },
    **{f"in {this} {picture}{stop}": "" for picture in PICTURES for this in ("this", "the") for stop in ("", " ,")},
    **dict.fromkeys(("once upon a time", "once upon a time ,", "let me see", "let us see"), ""), "let there be": "there is",
    **dict.fromkeys((
        "picture with", "image with", "photo with", "scene :", "picture :", "image :", "composition :", "prompt :",
        "an image with", "a photo with", "a drawing with",
    ), ""),
}  # fmt: skip


Table = dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]  # phrases and what is said for them, by their first word


def phrase_table(*tables: dict[str, str]) -> Table:
    """The phrases of tables, the longest first."""
    pairs = [(tuple(said.split()), tuple(instead.split())) for table in tables for said, instead in table.items()]
    found: Table = {}
    for said, instead in sorted(pairs, key=lambda pair: -len(pair[0])):
        found.setdefault(said[0], []).append((said, instead))
    return found


def starting(words: Sequence[str], at: int, table: Table) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The longest phrase of a table that begins here, and what is said for it."""
    return next((pair for pair in table.get(words[at], ()) if tuple(words[at : at + len(pair[0])]) == pair[0]), None)
