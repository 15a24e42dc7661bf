"""The words of the caption language and what each one means.

Attributes of an object are four indices in the order shape, size, material, color; None stands for "not said".
"""
from __future__ import annotations

SHAPES = ("cube", "sphere", "cylinder")
SIZES = ("small", "large")
MATERIALS = ("rubber", "metal")
COLORS = ("gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow")
ATTRIBUTES = ("shape", "size", "material", "color")
VALUES = (SHAPES, SIZES, MATERIALS, COLORS)
SHAPE, SIZE, MATERIAL, COLOR = range(4)

# Every way to say a value, the canonical word first. Nouns are listed in the singular.
SAID_AS = (
    (("cube", "box", "block"), ("sphere", "ball"), ("cylinder", "can")),
    (("small", "tiny", "little"), ("large", "big")),
    (("rubber", "matte"), ("metal", "metallic", "shiny")),
    (("gray", "grey"), ("red",), ("blue",), ("green",), ("brown",), ("purple",), ("cyan",), ("yellow",)),
)
ANY_SHAPE = ("object", "thing")
PLURALS = {noun: "boxes" if noun == "box" else noun + "s" for said in (*SAID_AS[SHAPE], ANY_SHAPE) for noun in said}

# Words -> meaning, for the parser.
NOUNS: dict[str, tuple[int | None, bool]] = {}  # word -> (shape or None, is it a plural)
for _shape, _said in [*enumerate(SAID_AS[SHAPE]), (None, ANY_SHAPE)]:
    for _noun in _said:
        NOUNS[_noun] = (_shape, False)
        NOUNS[PLURALS[_noun]] = (_shape, True)
ADJECTIVES: dict[str, tuple[int, int]] = {  # word -> (attribute, value)
    word: (attribute, value)
    for attribute in (SIZE, MATERIAL, COLOR)
    for value, said in enumerate(SAID_AS[attribute])
    for word in said
}
NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number_said(count: int) -> str:
    """A number in words, or in figures where there is no word for it."""
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)


NUMBERS = {said: value for value in range(1, 10) for said in (NUMBER_WORDS[value], str(value))}

# A relation reads "subject RELATION object". Left and right are in the picture, front and behind by depth.
LEFT, RIGHT, FRONT, BEHIND, NEXT = RELATIONS = ("left of", "right of", "in front of", "behind", "next to")
BETWEEN = "between"  # of three; read, though captions do not say it
# Beyond the solids: said and read where there is a lexicon. Sizes are those in the picture.
ABOVE, BELOW, ON, BIGGER, SMALLER = MORE_RELATIONS = ("above", "below", "on top of", "bigger than", "smaller than")
ALL_RELATIONS = RELATIONS + MORE_RELATIONS
OPPOSITE = {
    LEFT: RIGHT, RIGHT: LEFT, FRONT: BEHIND, BEHIND: FRONT, NEXT: NEXT, ABOVE: BELOW, BELOW: ABOVE, ON: BELOW,
    BIGGER: SMALLER, SMALLER: BIGGER,
}  # fmt: skip
RELATION_SAID_AS = {
    LEFT: ("left of", "to the left of", "on the left of", "on the left side of"),
    RIGHT: ("right of", "to the right of", "on the right of", "on the right side of"),
    FRONT: ("in front of",),
    BEHIND: ("behind", "in back of"),
    NEXT: ("next to", "beside", "near", "close to", "by"),
}
MORE_SAID_AS = {
    ABOVE: ("above", "over"),
    BELOW: ("below", "under", "beneath", "underneath"),
    ON: ("on top of", "on", "atop", "upon"),
    BIGGER: ("bigger than", "larger than"),
    SMALLER: ("smaller than",),
}
# The same after "an object with a subject ...": it for one object, them for several.
RELATION_TO_IT = {
    LEFT: ("to its left", "on its left", "on the left of it"),
    RIGHT: ("to its right", "on its right", "on the right of it"),
    FRONT: ("in front of it",),
    BEHIND: ("behind it",),
    NEXT: ("next to it", "beside it"),
}
RELATION_TO_THEM = {
    kind: tuple(said.replace("its", "their").replace(" it", " them") for said in forms)
    for kind, forms in RELATION_TO_IT.items()
}
# The same, as captions do not say it: of what stands somewhere else in the picture.
RELATION_IN_PICTURE = {BEHIND: ("in the background",), FRONT: ("in the foreground",)}
MORE_TO_IT = {ABOVE: ("above it", "over it"), BELOW: ("below it", "under it"), ON: ("on top of it", "on it")}
MORE_TO_THEM = {kind: tuple(said.replace(" it", " them") for said in forms) for kind, forms in MORE_TO_IT.items()}
OPENERS = (
    "a picture of", "a photo of", "an image of", "a picture with", "a scene with", "a picture showing", "picture of",
    "photo of", "image of", "an image with",
)
NOTHING = ("an empty scene", "an empty floor", "an empty picture", "empty scene", "nothing")

WORDS = frozenset(
    word
    for text in (
        *NOUNS, *ADJECTIVES, *NUMBERS, *OPENERS, *NOTHING,
        *sum((*RELATION_SAID_AS.values(), *RELATION_TO_IT.values(), *RELATION_TO_THEM.values()), ()),
        "a an the some another and with is are that which there made of one",
    )
    for word in text.split()
)
"""Every word of the language: a word outside it was never seen in training on our captions."""


def describe(attributes: tuple[int | None, int | None, int | None, int | None] | list[int | None]) -> str:
    """Canonical description of an object, e.g. (1, 1, 1, 1) -> "large red metal sphere".

    `attributes`: shape, size, material, color as indices, None for anything left out.
    """
    shape, size, material, color = attributes
    words = [VALUES[a][v] for a, v in ((SIZE, size), (COLOR, color), (MATERIAL, material)) if v is not None]
    return " ".join([*words, "object" if shape is None else SHAPES[shape]])


def combinations() -> list[tuple[int, int, int, int]]:
    """All 96 full attribute combinations, in a fixed order (shape slowest, color fastest)."""
    return [
        (shape, size, material, color)
        for shape in range(len(SHAPES))
        for size in range(len(SIZES))
        for material in range(len(MATERIALS))
        for color in range(len(COLORS))
    ]
