"""Where things are, "in the park", in backgrounds that can be drawn: the ground there, which is told; and which background is
the nearest to a place of which not even the ground can be drawn."""
from __future__ import annotations

from collections.abc import Sequence

from prompts.arranging import relates
from prompts.grounds import FIRST
from prompts.lexicon import Lexicon
from prompts.nouns import noun_at
from prompts.synonyms import STOPS

_GROUND = {
    "lawn": (
        "park", "garden", "yard", "backyard", "back yard", "front yard", "playground", "countryside", "pasture", "orchard",
        "prairie", "golf course", "soccer field", "football field", "farm", "farmyard",
    ),
    "sand": ("desert", "seaside", "seashore", "dunes", "sandbox", "sandpit"),
    "paving stones": (
        "street", "road", "sidewalk", "town square", "market", "parking lot", "car park", "driveway", "courtyard", "alley",
        "terrace", "patio",
    ),
    "wooden floor": (
        "room", "living room", "kitchen", "bedroom", "dining room", "bathroom", "office", "classroom", "attic", "gym",
        "restaurant", "cafe", "studio", "hallway",
    ),
    "wooden table": (
        "desk", "wooden desk", "office desk", "writing desk", "workbench", "coffee table", "kitchen table", "side table",
        "bedside table", "dinner table",
    ),
}  # fmt: skip
_NEAREST = {
    "lawn": "forest jungle woods woodland rainforest savanna savannah swamp valley",
    "sand": "sea ocean lake river pond shore coast island underwater",
    "paving stones": "city town village downtown airport station",
    "night sky": "space galaxy universe cosmos",
    "snow": "arctic antarctica glacier",
}
_IN = tuple(tuple(said.split()) for said in ("in the middle of", "in", "at", "on", "through", "across", "inside", "around"))
_ARTICLES = ("a", "an", "the", "my", "our", "some", "his", "her", "their")
_OF = {tuple(said.split()): ground for ground, places in _GROUND.items() for said in places}
_NEAR = {word: ground for ground, words in _NEAREST.items() for word in words.split()}


def on_grounds(words: Sequence[str], lexicon: Lexicon) -> tuple[list[str], dict[str, str]]:
    """The words of a prompt with the ground of such places in their stead, as a caption says it, and what is drawn instead.
    What the lexicon has itself, as a thing or a background, stays, and so does what no ground stands for there."""
    told, instead, at = [], {}, 0
    while at < len(words):
        found = _place(words, at, lexicon)
        if found is None:
            told.append(words[at])
            at += 1
            continue
        end, ground = found
        drawn = ["on", *ground.split()]
        instead[" ".join(words[at:end])] = " ".join(drawn)
        told += drawn
        at = end
    return told, instead


def _place(words: Sequence[str], at: int, lexicon: Lexicon) -> tuple[int, str] | None:
    """Where such a place ends that is said from here on, and its ground as the lexicon describes it."""
    before = next((one for one in _IN if tuple(words[at : at + len(one)]) == one), None)
    if before is None:
        return None
    start = at + len(before)
    start += words[start : start + 1] != [] and words[start] in _ARTICLES
    for end in (start + 2, start + 1):
        if end > len(words):
            continue
        known = _described(_OF.get(tuple(words[start:end])), lexicon)
        noun = noun_at(words, start, lexicon)  # "a coffee table" is no coffee
        if known is None or (noun is not None and noun.end >= end) or lexicon.grounds.at(words, start):
            continue
        if end == len(words) or words[end] in (*STOPS, "and", "with", "is", "are", "there", *FIRST) or relates(words, end):
            return end, known
    return None


def ground_of(place: str, lexicon: Lexicon) -> tuple[str, bool] | None:
    """The background for a place that is named by itself, as the lexicon describes it, and whether it is the ground there, and
    not merely what comes nearest to such a place; None where there is neither."""
    for table, is_there in ((_OF, True), (_NEAR, False)):
        if (known := _described(table.get((place,) if is_there else place), lexicon)) is not None:
            return known, is_there
    return None


def _described(ground: str | None, lexicon: Lexicon) -> str | None:
    """A ground as the lexicon describes it, if it does."""
    return next((one for one in (f"a {ground}", ground) if one in lexicon.grounds.descriptions), None)
