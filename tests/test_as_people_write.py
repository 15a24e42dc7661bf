"""Prompts as different people put them, and what they mean in plain words."""
import pytest

import vle_gen
from prompts.grammar import parse
from prompts.known import require_drawable, require_known_object
from prompts.reading import notes
from vle_gen.errors import UserError


@pytest.fixture(scope="module")
def everyday():
    return vle_gen.load("everyday")


@pytest.mark.parametrize(("prompt", "plainly"), [
    ("a red balloon and two blue ones", "a red balloon and two blue balloons"),
    ("one red balloon, two blue ones and some yellow ones", "a red balloon, two blue balloons and some yellow balloons"),
    ("a big star and a few tiny ones", "a big star and some small stars"),
    ("a cat and two black ones behind it", "a cat and two black cats behind it"),
    ("a dog with a cat on one side and a mouse on the other", "a dog between a cat and a mouse"),
    ("a tree on one side of a house and a car on the other side", "a house between a tree and a car"),
    ("three cups in a row, the middle one red", "three cups in a row. The second is red"),
    ("two dogs, the first black, the second white", "a black dog and a white dog"),
    ("three cups. The smallest one is red.", "a red cup smaller than two cups"),
    ("two black cats, each on a chair, and a dog", "a black cat on a chair, a black cat on a chair, and a dog"),
    ("two dogs with a hat each on a lawn", "a dog with a hat on top of it, a dog with a hat on top of it on a lawn"),
    ("two glasses, a red one and a blue one", "a red glass and a blue glass"),
    ("a frog that wears a crown", "a frog with a crown on top of it"),
    ("a king wearing a crown", "a king"),
    ("a queen with a crown next to a dog", "a queen next to a dog"),
    ("a king wearing a hat", "a king with a hat on top of it"),
    ("a cat on a chair wearing a hat", "a cat on a chair, the cat with a hat on top of it"),
    ("a man next to a dog wearing a hat", "a man next to a dog with a hat on top of it"),
    ("a boy with a hat on next to a dog", "a boy with a hat on top of it next to a dog"),
    ("a cat and a dog are wearing hats", "a cat with a hat on top of it, a dog with a hat on top of it"),
    ("a chair with a cup on it next to a lamp", "a chair next to a lamp, a cup on the chair"),
    ("a christmas tree with a star on the top", "a christmas tree with a star on top"),
    ("a house. Left of it: a dog. Right of it: a cat.", "a house. Left of it, a dog. Right of it, a cat."),
    ("I want a picture of my 3 cats", "three cats"),
    ("a bird sits on the head of an elephant", "a bird on an elephant"),
    ("a cat on the roof of a house", "a cat on a house"),
    ("a cup between a dog on the left and a cat on the right", "a dog on the left, a cat on the right, a cup between them"),
    ("There are three dogs. One is black. The other two are white.", "a black dog and two white dogs"),
    ("three dogs, one is black and the others are white", "a black dog and two white dogs"),
    ("a pig and a cow; the cow is behind the pig; the pig is pink", "a pink pig and a cow; the cow is behind the pig"),
    ("a cat is left of the dog and a bird is on its right side", "a cat is left of the dog and a bird is on its right"),
    ("1 apple 2 pears", "an apple and two pears"),
    ("a cat a dog a bird on a lawn", "a cat, a dog, a bird on a lawn"),
    ("two cats 2 dogs side by side", "two cats and two dogs side by side"),
    ("a cat, a dog and a bird. They are next to each other.", "a cat, a dog and a bird next to each other"),
    ("two cats and a dog and they stand side by side", "two cats and a dog side by side"),
    ("a lamp mounted on a castle", "a lamp on a castle"),
])  # fmt: skip
def test_they_are_understood(everyday, prompt, plainly):
    require_drawable(prompt, everyday.words, everyday.lexicon)
    assert same(parse(prompt, everyday.lexicon), parse(plainly, everyday.lexicon))
    assert notes(prompt, everyday.words, everyday.lexicon) == []


@pytest.mark.parametrize(("prompt", "plainly", "said"), [
    ("five mushrooms in a circle on a lawn", "five mushrooms on a lawn", ["'in a circle' is left out"]),
    ("a ring of stars", "some stars", ["'ring of' is left out"]),
    ("a circle of four cups", "four cups", ["'circle of' is left out"]),
    ("no people, just a beach with a palm tree", "a palm tree on a beach", ["'no people' is left out"]),
    ("a house without windows next to a tree", "a house next to a tree", ["'without windows' is left out"]),
    ("a man with no hat or scarf and a dog", "a man and a dog", ["'with no hat or scarf' is left out"]),
    ("a dog, not a cat, on a lawn", "a dog on a lawn", ["'not a cat' is left out"]),
    ("a man wearing glasses", "a man with glasses next to it", ["'wearing' is drawn as next to"]),
    ("a woman in a red dress holding an umbrella", "a woman with a red dress next to it, the woman is next to an umbrella",
     ["'in' is drawn as next to", "'holding' is drawn as next to"]),
    ("a bear wearing a green hat and a scarf next to a tree", "a bear with a green hat on top of it, a scarf next to the bear, "
     "the bear is next to a tree", ["'wearing' is drawn as next to"]),
    ("a horse on the left, facing right", "a horse on the left", ["'facing right' is left out"]),
    ("a fox, quick and brown, jumping over a log", "a brown fox over a log", ["'quick' is left out", "'jumping' is left out"]),
    ("a cat on a chair, looking at a bird", "a cat on a chair, the cat next to a bird", ["'looking at' is drawn as next to"]),
    ("a boy, smiling and waving", "a boy", ["'smiling' is left out", "'waving' is left out"]),
    ("a dragon breathing fire", "a dragon next to a fire", ["'breathing' is drawn as next to"]),
    ("a mouse being chased by a cat", "a mouse next to a cat", ["'chased' is left out"]),
    ("a strawberry among bananas", "a strawberry next to some bananas", ["'among' is drawn as next to"]),
    ("a basket full of red apples next to a jar filled with water", "a basket next to a jar",
     ["'full of red apples' is left out", "'filled with water' is left out"]),
    ("a panda holding a balloon in its left hand", "a panda next to a balloon",
     ["'holding' is drawn as next to", "'in its left hand' is left out"]),
    ("a cat as big as a house on a lawn", "a cat next to a house on a lawn", ["'as big as' is drawn as next to"]),
    ("an ant the size of an elephant", "an ant next to an elephant", ["'the size of' is drawn as next to"]),
    ("a mouse is not as big as a cat", "a mouse is smaller than a cat", ["'not as big as' is drawn as smaller than"]),
    ("a dog and a cat twice its size", "a dog and a cat bigger than it", ["'twice its size' is drawn as bigger than it"]),
    ("a dog next to a cat half as big", "a dog next to a cat smaller than it", ["'half as big' is drawn as smaller than it"]),
    ("a big red balloon tied to a small house", "a big red balloon next to a small house", ["'tied to' is drawn as next to"]),
    ("a house with a balloon attached to it", "a house with a balloon next to it", ["'attached to' is drawn as next to"]),
    ("a lamp hanging from a tree", "a lamp below a tree", ["'hanging from' is drawn as below"]),
    ("a hedgehog under a mushroom in the rain", "a hedgehog under a mushroom", ["'in the rain' is left out"]),
    ("a cat in the shadow of a tree", "a cat next to a tree", ["'in the shadow of' is drawn as next to"]),
    ("a car driving past a house", "a car next to a house", ["'past' is drawn as next to", "'driving' is left out"]),
    ("a fox and a rabbit facing each other", "a fox next to a rabbit", ["'facing' is drawn as next to"]),
    ("two dogs are playing with each other on a lawn", "two dogs next to each other on a lawn",
     ["'playing with' is drawn as next to"]),
    ("a lion in a circle of zebras", "a lion next to some zebras", ["'in a circle of' is drawn as next to"]),
])  # fmt: skip
def test_it_is_told_what_is_drawn_otherwise(everyday, prompt, plainly, said):
    require_drawable(prompt, everyday.words, everyday.lexicon)
    assert same(parse(prompt, everyday.lexicon), parse(plainly, everyday.lexicon))
    assert notes(prompt, everyday.words, everyday.lexicon) == said


@pytest.mark.parametrize(("prompt", "plainly"), [
    ("a red ball and two blue ones", "a red ball and two blue balls"),
    ("a cube. To its left: a ball", "a cube. To its left, a ball"),
])  # fmt: skip
def test_so_are_those_for_solids(pipe, prompt, plainly):
    require_drawable(prompt, pipe.words)
    assert parse(prompt) == parse(plainly) is not None
    assert notes(prompt) == []


@pytest.mark.parametrize("prompt", ["no cats", "a ball that is not red", "a lawn without trees and houses"])
def test_where_nobody_knows_what_is_not_to_be_there_it_is_refused(everyday, prompt):
    with pytest.raises(UserError, match="what is not asked for is not drawn"):
        require_drawable(prompt, everyday.words, everyday.lexicon)


def test_what_is_not_there_tells_no_object_from_others(everyday):
    with pytest.raises(UserError, match="'without a hat' tells no object from others"):
        require_known_object("the cat without a hat", everyday.words, everyday.lexicon)
    require_known_object("the face without mouth", everyday.words, everyday.lexicon)


def test_a_name_misspelt_is_not_taken_apart(everyday):
    with pytest.raises(UserError, match="'ballon'; nearest to 'ballon': balloon"):
        require_drawable("a red ballon", everyday.words, everyday.lexicon)
    assert parse("a redball", everyday.lexicon) == parse("a red ball")


def same(one, other) -> bool:
    """Whether two requests are for the same things, in whatever order these are named."""
    told = [
        (sorted(map(repr, request.mentions)), sorted((link.kind, *(repr(request.mentions[k]) for k in link.mentions))
         for link in request.relations), request.background) for request in (one, other)
    ]  # fmt: skip
    return told[0] == told[1]


@pytest.mark.parametrize(("prompt", "plainly", "told"), [
    ("two dogs in the park next to a ball", "two dogs on a lawn next to a ball", "'in the park' is drawn as on a lawn"),
    ("in our living room, a cat on a chair", "on a wooden floor, a cat on a chair",
     "'in our living room' is drawn as on a wooden floor"),
    ("a camel in the desert under a blue sky", "a camel on sand under a blue sky", "'in the desert' is drawn as on sand"),
    ("there is a bus on the street at night", "there is a bus on paving stones at night",
     "'on the street' is drawn as on paving stones"),
])  # fmt: skip
def test_where_things_are_is_drawn_as_the_ground_there(everyday, prompt, plainly, told):
    assert parse(prompt, everyday.lexicon) == parse(plainly, everyday.lexicon) is not None
    assert notes(prompt, everyday.words, everyday.lexicon) == [told]


@pytest.mark.parametrize("prompt", ["a garden", "a cat in a garden shed", "a dog in front of a kitchen", "a park bench"])
def test_places_that_things_are_not_said_to_be_in_are_unknown_as_before(everyday, prompt):
    with pytest.raises(UserError):
        require_drawable(prompt, everyday.words, everyday.lexicon)
