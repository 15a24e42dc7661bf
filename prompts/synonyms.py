"""Words outside the caption language and what they become in it, and how a prompt falls into words."""
from __future__ import annotations

import re

STOPS = ",;.:"

# Words with the same meaning, and words that are drawn as what is nearest: the second are said.
SAME = {
    "orb": "ball", "orbs": "balls",
    "item": "thing", "items": "things", "huge": "large", "giant": "large", "enormous": "large",
    "massive": "large", "gigantic": "large", "colossal": "large", "humongous": "large", "teeny": "small", "minuscule": "small",
    "bigger": "large", "larger": "large", "mini": "small", "miniature": "small", "wee": "small",
    "smaller": "small", "matt": "matte", "rubbery": "rubber", "single": "one",
    "plus": "and", "nearby": "near", "adjacent": "next",
    "solitary": "one", "shape": "object", "shapes": "objects",
}  # fmt: skip
NEAR = {
    "steel": "metal", "iron": "metal", "chrome": "metal", "aluminium": "metal", "aluminum": "metal", "brass": "metal",
    "mirrored": "metal", "reflective": "metal", "polished": "metal", "glossy": "metal", "plastic": "rubber",
    "wooden": "rubber", "wood": "rubber", "clay": "rubber", "stone": "rubber", "dull": "rubber", "soft": "rubber",
    "marble": "ball", "marbles": "balls", "barrel": "cylinder", "barrels": "cylinders", "tube": "cylinder",
    "tubes": "cylinders", "pipe": "cylinder", "drum": "cylinder", "drums": "cylinders", "tin": "can", "tins": "cans",
    "cuboid": "cube", "cuboids": "cubes", "brick": "block", "bricks": "blocks", "bead": "ball", "beads": "balls",
    "bubble": "ball", "globe": "ball", "globes": "balls", "die": "cube", "dice": "cubes",
    "disc": "cylinder", "disk": "cylinder", "circle": "ball", "circles": "balls", "square": "cube", "squares": "cubes",
    "rectangle": "box", "rectangles": "boxes", "biggest": "large", "largest": "large", "smallest": "small", "tiniest": "small",
}  # fmt: skip
SHADES = {"dark", "light", "bright", "deep", "pale", "sky", "forest", "royal", "hot", "neon", "pastel", "vivid"}
# Phrases of several words; an empty one is left out. Longer ones are tried first.
PHRASES = {
    "exactly": "", "just": "", "only": "", "both": "", "also": "",
    "a pair of": "two", "a couple of": "two", "a couple": "two", "pair of": "two", "couple of": "two", "a single": "a",
    "standing": "", "sitting": "", "lying": "", "placed": "", "located": "", "positioned": "", "resting": "",
    "situated": "", "seated": "", "parked": "", "perched": "", "flying": "", "floating": "", "hovering": "", "hanging": "",
    "stands": "is", "sits": "is", "lies": "is", "rests": "is", "hangs": "is", "hovers": "is", "stand": "are", "sit": "are",
    "lie": "are", "hang": "are", "hover": "are", "appears": "is", "appear": "are",
    "on the floor": "", "on the ground": "", "on a floor": "", "in the scene": "", "in the picture": "",
    "as well as": "and", "along with": "and", "accompanied by": "and",
    "at the left of": "to the left of", "to left of": "left of", "on left of": "left of", "left from": "left of",
    "at the left side of": "on the left side of", "to the left side of": "on the left side of",
    "at the right of": "to the right of", "to right of": "right of", "on right of": "right of", "right from": "right of",
    "at the right side of": "on the right side of", "to the right side of": "on the right side of",
    "ahead of": "in front of", "in the front of": "in front of", "at the front of": "in front of", "before": "in front of",
    "in the back of": "behind", "at the back of": "behind", "to the rear of": "behind", "in the rear of": "behind",
    "at the rear of": "behind",
    "alongside": "beside",
    "in between": "between", "in the middle of": "between",
    "made out of": "made of", "made from": "made of", "from metal": "made of metal", "from rubber": "made of rubber",
    "they're": "they are",
    "containing": "with", "a scene of": "a picture of",
    "a scene containing": "a picture of", "a scene where there is": "a picture of",
    "an image showing": "a picture showing", "a photo showing": "a picture showing",
    "a photograph of": "a photo of",
    "colored": "", "coloured": "",
    "in color": "", "sized": "", "shaped": "", "round ball": "ball", "round sphere": "sphere", "square cube": "cube",
    "square box": "box",
}  # fmt: skip
# Words that mean something else than the words that they are made of.
WHOLE = frozenset(
    "background foreground without within inside outside into onto throughout nowhere nothing anything".split()
)
UNITS = frozenset("mm cm m km inch inches foot feet ft meter meters metre metres px pixels kg lbs".split())
TOO_MANY = ("ten", "eleven", "twelve", "twenty", "dozen", "hundred", "thousand")
EACH = {count: f"each-{count}" for count in range(2, 6)}  # what follows is said of each of the last so many things in a row
EXTRA = frozenset({"between", "they", *EACH.values()})  # words that the parser reads, though captions do not say them
IN_PICTURE = frozenset({"background", "foreground"})  # the same after "in the"
EMPHASIS = frozenset("very really quite rather so truly extremely".split())  # says nothing that could be drawn
DEGREES = frozenset("much far way even slightly somewhat".split())  # nor do these before "bigger"


def split_words(prompt: str) -> list[str]:
    """Lower-case words, numbers and the punctuation that ends a clause."""
    prompt = re.sub(r"(?m)^\s*(?:[-–—*•]+|\d+[.)])\s+(?=\S)", "", prompt)  # of a list on lines of its own
    prompt = re.sub(r"[.,;:]?\s*\n\s*", " . ", prompt.strip())
    said = re.sub(r"\b(that|which|it|there)'s\b", r"\1 is", prompt.lower().replace("’", "'").replace("+", "&"))
    said = re.sub(r"\bw/(o\b)?", lambda found: "without " if found[1] else "with ", said)  # "w/ fries"
    said = re.sub(r"\s[-–—]+\s", " , ", re.sub(r"[!?]+(?=\s+\w)", " . ", said))
    return re.findall(r"[^\W_]+(?:'[^\W_]+)?|[,;.:&+]", said)
