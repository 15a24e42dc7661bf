"""What a prompt says later of things that it told apart before: by their side, size, place, number or colour."""
import pytest

import vle_gen
from prompts.grammar import parse, parsed
from prompts.known import require_drawable
from prompts.reading import notes


@pytest.fixture(scope="module")
def everyday():
    return vle_gen.load("everyday")


@pytest.mark.parametrize(("prompt", "plainly"), [
    ("a small ball and a big ball. The small ball is red, the big one is blue", "a small red ball and a big blue ball"),
    ("two cubes, the left one is red and the right one is green", "a red cube left of a green cube"),
    ("There are two cubes. The cube on the left is red.", "a red cube left of another cube"),
    ("two big cubes, the one in front is red", "a big red cube in front of another big cube"),
    ("three cubes, the middle one is red", "a cube left of a red cube left of another cube"),
    ("three cubes, the first is red, the second is blue, the third is green", "a red cube, a blue cube, a green cube"),
    ("two balls, the smaller one is red", "a small red ball and a large ball"),
    ("two balls. One is red, the other is blue.", "a red ball and a blue ball"),
    ("a ball left of a cube. The left one is red", "a red ball left of a cube"),
    ("a ball left of a cube. The right one is red", "a ball left of a red cube"),
    ("a cube with a ball to its left. The right one is red", "a red cube with a ball to its left"),
    ("a big cube, a small cube left of it; the small cube is yellow", "a big cube, a small yellow cube left of it"),
    ("a cube. The ball to its left is red, the ball to its right is blue", "a red ball left of a cube, a blue ball right "
     "of the cube"),
])  # fmt: skip
def test_solids(prompt, plainly):
    assert same(parse(prompt), parse(plainly))


@pytest.mark.parametrize(("prompt", "plainly"), [
    ("two cats on a lawn. The one on the left is black", "a black cat left of another cat on a lawn"),
    ("two cats side by side, the left one is black", "a black cat and a cat side by side"),
    ("the cat on the left is black, the cat on the right is white", "a black cat on the left, a white cat on the right"),
    ("a dog on the left is brown, the one on the right is black", "a brown dog on the left, a black dog on the right"),
    ("a cat on the left and a dog on the right. The left one is red", "a red cat on the left and a dog on the right"),
    ("a house and a car, the first is red and the second is blue", "a red house and a blue car"),
    ("a cat and a dog. The cat on the left is black", "a black cat on the left and a dog"),
    ("a small orange and a big orange. The small one is red", "a small red orange and a big orange"),
    ("the dog next to the cat is white", "a white dog next to a cat"),
    ("two dogs, the smaller one is red", "a red dog smaller than another dog"),
    ("a dog and a cat, the dog is bigger", "a dog bigger than a cat"),
    ("a lion and a mouse, the lion is much bigger", "a lion bigger than a mouse"),
    ("a lion and a mouse, the lion being larger", "a lion bigger than a mouse"),
    ("a cat and a dog, the dog much bigger", "a cat, a dog bigger than the cat"),
    ("a cat and a dog and the cat is smaller", "a cat smaller than a dog"),
    ("a dog, and a cat which is bigger", "a dog, a cat bigger than the dog"),
    ("a house with a tree that is bigger than it", "a house, a tree bigger than the house"),
    ("a cat, and two dogs that are bigger", "a cat, two dogs bigger than the cat"),
    ("a red ball and a blue ball, the blue one is bigger", "a red ball, a blue ball bigger than the red ball"),
    ("a red ball and a blue ball, the red ball is smaller than the other", "a red ball smaller than a blue ball"),
    ("two cats and a dog. The dog is bigger", "two cats, a dog bigger than the cats"),
    ("a cat, a dog and a mouse; the mouse is the smallest", "a cat, a dog, a mouse smaller than the cat and the dog"),
    ("a cat, a dog and a horse. The horse is the biggest of all", "a cat, a dog, a horse bigger than the cat and the dog"),
    ("two cats behind a dog. The left one is black", "a black cat left of a cat behind a dog, the black cat is behind the dog"),
    ("two cats behind a dog. The left cat is black", "a black cat left of a cat behind a dog, the black cat is behind the dog"),
    ("a tree bigger than a house. The house is red and the tree is on its left.", "a tree bigger than and left of a red house"),
    ("a butterfly above a flower, both yellow", "a yellow butterfly above a yellow flower"),
    ("three cars: red, blue and orange", "a red car, a blue car and an orange car"),
    ("two cats and a dog. The left one is black", "a black cat left of another cat, a dog"),
    ("two cats, a dog and a bird on a lawn. The left cat is black", "a black cat left of a cat, a dog and a bird on a lawn"),
    ("two cats, the nearest one is black", "a black cat in front of another cat"),
    ("three cars. The farthest one is red, the closest one is blue", "a blue car in front of a car in front of a red car"),
    ("two birds, the highest is blue", "a blue bird above another bird"),
])  # fmt: skip
def test_named_things(everyday, prompt, plainly):
    require_drawable(prompt, everyday.words, everyday.lexicon)
    assert same(parse(prompt, everyday.lexicon), parse(plainly, everyday.lexicon))
    assert notes(prompt, everyday.words, everyday.lexicon) == []


@pytest.mark.parametrize("prompt", [
    "a cat and a dog. The left one is red", "two cats next to two dogs. The left one is red", "a dog. The small one is red",
    "a red ball and a red ball. The red ball is big", "two balls, the middle one is red", "two balls. The third one is red",
    "two cats. The cat is black", "two cats. It is black", "the cat is bigger", "two cats. The cat is bigger",
    "a cat, a dog and a mouse, the mouse is smaller",
])  # fmt: skip
def test_it_is_told_where_nobody_knows_which_is_meant(everyday, prompt):
    assert parsed(prompt, everyday.lexicon).unread


def same(one, other) -> bool:
    """Whether two requests are for the same things, whatever the order in which these are named."""
    told = [
        (sorted(map(repr, request.mentions)), sorted((repr(request.mentions[link.subject]), link.kind,
         repr(request.mentions[link.object])) for link in request.relations), request.background)
        for request in (one, other)
    ]  # fmt: skip
    return told[0] == told[1]


@pytest.mark.parametrize(("prompt", "meant"), [
    ("a pear at the upper right to the left of a cat", "a pear in the top right corner left of a cat"),
    ("a pear at the top left to the right of a cat", "a pear in the top left corner right of a cat"),
    ("a pear at the top right to the right of a cat", "a pear in the top right corner right of a cat"),
    ("a picture with a woman's hat", "a woman's hat"),
    ("a photo with a cat", "a cat"),
])  # fmt: skip
def test_corners_before_sides_and_pictures_of_hats(everyday, prompt, meant):
    assert parse(prompt, everyday.lexicon) == parse(meant, everyday.lexicon) is not None
