"""Plurals of names, and names that have none: which word of a name is its noun, and how English inflects it."""
from __future__ import annotations

IRREGULAR = {
    "man": "men", "woman": "women", "person": "people", "child": "children", "mouse": "mice", "louse": "lice",
    "goose": "geese", "tooth": "teeth", "foot": "feet", "ox": "oxen", "knife": "knives", "wife": "wives", "life": "lives",
    "leaf": "leaves", "wolf": "wolves", "scarf": "scarves", "loaf": "loaves", "shelf": "shelves", "half": "halves",
    "calf": "calves", "elf": "elves", "thief": "thieves", "potato": "potatoes", "tomato": "tomatoes", "hero": "heroes",
    "superhero": "superheroes", "mango": "mangoes", "volcano": "volcanoes", "mosquito": "mosquitoes",
    "tornado": "tornadoes", "buffalo": "buffaloes", "die": "dice", "quiz": "quizzes", "yo-yo": "yo-yos",
    "fry": "fries", "policeman": "policemen", "policewoman": "policewomen", "snowman": "snowmen", "fireman": "firemen",
    "merman": "mermen", "guardsman": "guardsmen", "guardswoman": "guardswomen", "fisherman": "fishermen",
}  # fmt: skip
SAME = frozenset(
    "sheep fish deer moose bison shrimp swine salmon trout aircraft spacecraft moai series species jellyfish blowfish "
    "goldfish starfish pufferfish".split()
)
# Nouns that end in s, are said without "a", and take "are"; the rule below finds the rest.
PAIRS = frozenset(
    "glasses eyeglasses sunglasses spectacles goggles jeans shorts briefs scissors trousers pants tongs binoculars clothes "
    "scales headphones arts skis".split()
)
SINGULAR_IN_S = ("ss", "us", "is", "os", "as")  # glass, bus, tennis, rhinoceros, gas
MASS = frozenset(
    "bread rice ice soap yarn popcorn bacon butter salt sushi broccoli garlic milk spaghetti pasta curry ramen honey thread "
    "wood coal cheese tea coffee sake oden dna money corn custard fire luggage food clothing furniture jewelry fruit meat "
    "champagne beer wine sand snow stew chocolate music equipment sweetcorn fog mail cake mate".split()
)
LINKS = frozenset("of with without in on at for behind under from wearing showing without to".split())
NOT_ACTIONS = frozenset("ring king string wing building clothing lightning ceiling wedding pudding swing spring".split())
PEOPLE = {"man": "men", "woman": "women"}
NOT_SEVERAL = frozenset(("woods",))  # these are a place, and not more of what they are called like
SEVERAL = frozenset(("men", "women", "people"))
OWN = "my"  # names that begin with it, such as "my mug", take no other article


def article(text: str) -> str:
    """"a" or "an", as the text wants it."""
    an = text[0] in "aeiou" and not text.startswith(("uni", "use", "eu", "one-", "uk"))
    return "an" if an or text.startswith("hour") else "a"


def head(name: str) -> int:
    """Which word of a name is its noun: "leaf" in "leaf fluttering in wind", "dog" in "hot dog"."""
    words = name.split()
    for k, word in enumerate(words[1:], 1):
        if word in LINKS or (word.endswith("ing") and word not in NOT_ACTIONS):
            return k - 1
    return len(words) - 1


def plural(name: str) -> str:
    """The plural of a name: "hot dogs", "mice", "glasses of milk"; of what is a plural already, itself."""
    if is_plural(name):
        return name
    words, at = name.split(), head(name)
    words[at] = _plural_of_word(words[at])
    if words[0] in PEOPLE and at > 0:  # women scientists
        words[0] = PEOPLE[words[0]]
    return " ".join(words)


def is_plural(name: str) -> bool:
    """Whether a name is a plural in itself, as jeans and cherries are."""
    noun = name.split()[head(name)]
    if noun in PAIRS or noun in SEVERAL or noun in ("mice", "geese", "teeth"):
        return True
    return noun.endswith("s") and not noun.endswith(SINGULAR_IN_S) and not noun.endswith(("'s", "mas")) and noun not in SAME


def invariant(name: str) -> bool:
    """Whether one and several are said alike, as sheep are."""
    return plural(name) == name


def is_mass(name: str) -> bool:
    """Whether a name is said without "a", as bread is, and as "my mug" is."""
    words = name.split()
    return words[0] == OWN or words[head(name)] in MASS


def singular(name: str) -> str | None:
    """One of what a plural name means: "cherry" of "cherries"; None where there is no such word ("jeans")."""
    words, at = name.split(), head(name)
    noun = words[at]
    known = {many: one for one, many in IRREGULAR.items()}
    if not is_plural(name) or noun in PAIRS:
        return None
    if noun in known:
        words[at] = known[noun]
    elif noun.endswith("ies") and len(noun) > 5:
        words[at] = noun[:-3] + "y"
    elif noun.endswith(("shes", "ches", "xes", "sses")):
        words[at] = noun[:-2]
    else:
        words[at] = noun[:-1]
    return " ".join(words)


def _plural_of_word(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in SAME:
        return word
    stem, mark, last = word.rpartition("-")
    if mark and last in IRREGULAR:
        return stem + mark + IRREGULAR[last]
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"
