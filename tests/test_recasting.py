"""Prompts as people say them, and captions do not: what is said of a thing after it, of several at once, and of "it"; what is
left out is told, and what cannot be drawn is refused by its name."""
from __future__ import annotations

from time import process_time

import pytest

import vle_gen
from prompts.grammar import parse
from prompts.known import MOST_SIGNS, require_drawable
from prompts.reading import notes, read, singly
from prompts.vocabulary import WORDS
from vle_gen.errors import UserError
from vle_gen.workflows.from_text import Made, Wish


@pytest.fixture(scope="module")
def pipe():
    return vle_gen.load("everyday")


def told(prompt, known=WORDS, lexicon=None):
    """What is asked for: mentions, and relations with their numbers."""
    require_drawable(prompt, known, lexicon)
    request = read(prompt, known, lexicon).request
    relations = [f"{one.subject} {one.kind} {one.object}" + (f"+{one.other}" if one.other else "") for one in request.relations]
    return "; ".join((*map(str, request.mentions), *relations))


SOLIDS = {
    "a cube that is large": "large cube",
    "a cube and a ball. The ball is red.": "cube; red sphere",
    "a ball. It is red and shiny": "red metal sphere",
    "the ball is red and the cube is blue": "red sphere; blue cube",
    "two balls, a red one and a blue one": "red sphere; blue sphere",
    "three cubes: one red, one blue and one green": "red cube; blue cube; green cube",
    "a red and a blue ball": "red sphere; blue sphere",
    "a red, a blue, and a green ball": "red sphere; blue sphere; green sphere",
    "red and blue balls": "some red spheres; some blue spheres",
    "two red and blue balls": "red sphere; blue sphere",
    "a big and red ball": "large red sphere",
    "yellow ball made of metal and cyan matte cube": "yellow metal sphere; cyan rubber cube",
    "a ball. it is left of a cube": "sphere; cube; 0 left of 1",
    "there are two balls and there is a cube behind them": "2 spheres; cube; 1 behind 0",
    "a cube with a ball to its left and a can to its right": "cube; sphere; cylinder; 1 left of 0; 2 right of 0",
    "a cube and a ball with a can between them": "cube; sphere; cylinder; 2 between 0+1",
    "a cube, next to it is a ball": "cube; sphere; 1 next to 0",
    "a cube with a ball in the background": "cube; sphere; 1 behind 0",
    "a red ball and a cube side by side": "red sphere; cube; 0 left of 1; 0 next to 1",
    "two red balls next to each other": "red sphere; red sphere; 0 next to 1",
    "a cube, a ball and a can from left to right": "cube; sphere; cylinder; 0 left of 1; 1 left of 2",
    "right to left: cube, ball": "cube; sphere; 0 right of 1",
    "three cubes in a row": "cube; cube; cube; 0 left of 1; 0 next to 1; 1 left of 2; 1 next to 2",
    "a cube with a ball on each side": "cube; 2 spheres; 0 between 1",
    "two cubes on both sides of a ball": "sphere; 2 cubes; 0 between 1",
    "a ball flanked by a cube and a can": "sphere; cube; cylinder; 0 between 1+2",
    "a ball left of and behind a cube": "sphere; cube; 0 left of 1; 0 behind 1",
    "a ball in front of, and to the right of, a cube": "sphere; cube; 0 in front of 1; 0 right of 1",
    "a cube. To the left of the cube, a ball.": "cube; sphere; 1 left of 0",
    "a cube. Behind the cube, a ball. Left of the cube, a can": "cube; sphere; cylinder; 1 behind 0; 2 left of 0",
    "a cube. Behind it a ball": "cube; sphere; 1 behind 0",
    "a cube and a ball are behind a can": "cube; sphere; cylinder; 1 behind 2; 0 behind 2",
    "a cube and a ball with a can in between": "cube; sphere; cylinder; 2 between 0+1",
    "two balls, the red one left of the blue one": "red sphere; blue sphere; 0 left of 1",
    "three balls, the red one left of the blue one": "red sphere; blue sphere; sphere; 0 left of 1",
    "a ball left of a cube, which is behind a can": "sphere; cube; cylinder; 0 left of 1; 1 behind 2",
    "a cube (green), large": "large green cube",
    "ball, red; cube blue": "red sphere; blue cube",
    "a ball! a cube?": "sphere; cube",
    "a ball - a cube": "sphere; cube",
    "hi, this is a cube that has a ball on its left, thanks": "cube; sphere; 1 left of 0",
    "first a cube, then a second cube": "cube; cube",
    "2x ball, 3 x cube": "2 spheres; 3 cubes",
    "my ball": "sphere",
    "a cube and a ball with a can behind them": "cube; sphere; cylinder; 2 behind 0; 2 behind 1",
    "two cubes side by side, a ball behind them": "cube; cube; sphere; 0 left of 1; 0 next to 1; 2 behind 0; 2 behind 1",
    "a cube with a ball in front and a can behind": "cube; sphere; cylinder; 1 in front of 0; 2 behind 0",
    "a cube and a ball, both behind a can": "cube; sphere; cylinder; 1 behind 2; 0 behind 2",
    "two balls side by side in front of a can":
        "sphere; sphere; cylinder; 0 left of 1; 0 next to 1; 1 in front of 2; 0 in front of 2",
    "two balls side by side, left of a can": "sphere; sphere; cylinder; 0 left of 1; 0 next to 1; 1 left of 2; 0 left of 2",
    "a can behind two balls side by side": "cylinder; sphere; sphere; 0 behind 1; 1 left of 2; 1 next to 2; 0 behind 2",
    "a row of two balls behind a can": "sphere; sphere; cylinder; 0 left of 1; 0 next to 1; 1 behind 2; 0 behind 2",
    "a row of two balls next to a can": "sphere; sphere; cylinder; 0 left of 1; 0 next to 1; 1 next to 2",
    "a ball in front of a cube and to its left": "sphere; cube; 0 in front of 1; 0 left of 1",
    "a ball and a cube. They are behind a can": "sphere; cube; cylinder; 1 behind 2; 0 behind 2",
    "a cube. A ball is to its left.": "cube; sphere; 1 left of 0",
    "a cube left of a can and behind it a ball": "cube; cylinder; sphere; 0 left of 1; 2 behind 0",
    "four cylinders, two green and two red": "2 green cylinders; 2 red cylinders",
    "four cylinders, all green": "4 green cylinders",
    "a ball and a cube, both red": "red sphere; red cube",
    "two cubes, one left of a ball and the other right of it": "cube; sphere; cube; 0 left of 1; 2 right of 1",
    "two balls, one red and the other blue": "red sphere; blue sphere",
    "two balls, one cube": "2 spheres; cube",
    "a cube and another behind it": "cube; cube; 1 behind 0",
    "a cube in red": "red cube",
    "a cube. its colour is red.": "red cube",
    "a ball, behind which is a cube": "sphere; cube; 1 behind 0",
    "a cylinder further back than a ball": "cylinder; sphere; 0 behind 1",
    "lots of red balls": "some red spheres",
    "a set of three cubes": "3 cubes",
    "a ball and a cube in front of a can": "sphere; cube; cylinder; 1 in front of 2; 0 in front of 2",
    "a ball, and a cube in front of a can": "sphere; cube; cylinder; 1 in front of 2",
    "a can, a ball on its left and a cube on its right": "cylinder; sphere; cube; 1 left of 0; 2 right of 0",
    "two balls, a big one left of a cube, a small one": "large sphere; cube; small sphere; 0 left of 1",
    "a ball, a cube and a can behind a red ball":
        "sphere; cube; cylinder; red sphere; 2 behind 3; 0 behind 3; 1 behind 3",
    "a cube, a ball and a can left of the cube": "cube; sphere; cylinder; 2 left of 0",
    "a cube. A ball and a can behind it": "cube; sphere; cylinder; 1 behind 0; 2 behind 0",
    "a cube and a ball. A can and a red ball behind them":
        "cube; sphere; cylinder; red sphere; 2 behind 0; 2 behind 1; 3 behind 0; 3 behind 1",
    "a cube and a ball left of a can, a red ball behind it":
        "cube; sphere; cylinder; red sphere; 1 left of 2; 0 left of 2; 3 behind 2",
    "a cube and a ball left of a can, a red ball behind them":
        "cube; sphere; cylinder; red sphere; 1 left of 2; 0 left of 2; 3 behind 0; 3 behind 1",
    "a cube and a ball left of a can, behind a red ball":
        "cube; sphere; cylinder; red sphere; 1 left of 2; 0 left of 2; 1 behind 3; 0 behind 3",
    "a cube and a ball left of a can. They are behind a red ball":
        "cube; sphere; cylinder; red sphere; 1 left of 2; 0 left of 2; 1 behind 3; 0 behind 3",
    "two cubes left of a ball and a can right of it": "2 cubes; sphere; cylinder; 0 left of 1; 2 right of 1",
    "a cube left of a ball, and a can behind both": "cube; sphere; cylinder; 0 left of 1; 2 behind 0; 2 behind 1",
    "a cube and a ball on either side of a can": "cylinder; cube; sphere; 0 between 1+2",
    "a can with a cube and a ball on either side": "cylinder; cube; sphere; 0 between 1+2",
    "a cube with a ball and a can behind it": "cube; sphere; cylinder; 1 behind 0; 2 behind 0",
    "a cube with a ball, and a can behind it": "cube; sphere; cylinder; 2 behind 0",
    "behind a ball a cube": "sphere; cube; 1 behind 0",
    "behind a ball is a cube and a can": "sphere; cube; cylinder; 1 behind 0; 2 behind 0",
    "a cube. To its left a ball and a can": "cube; sphere; cylinder; 1 left of 0; 2 left of 0",
    "three balls, two of them red": "2 red spheres; sphere",
    "three balls, one of which is red": "red sphere; 2 spheres",
    "a ball and a cube are red": "red sphere; red cube",
    "a ball and a cube are both red and a can is behind the cube":
        "red sphere; red cube; cylinder; 2 behind 1",
}
NAMED = {
    "a cat that is black": "black cat",
    "a cat and a dog. The dog is brown.": "cat; brown dog",
    "two cats, a black one and a white one": "black cat; white cat",
    "an orange, a lemon and a green apple": "orange; lemon; green apple",
    "a pink cat and a dog on its left": "pink cat; dog; 1 left of 0",
    "a cat with mountains in the background": "cat; some mountains; 1 behind 0",
    "a dog in the foreground and a house in the background": "dog; house; 1 behind 0",
    "a house with a cat on top": "house; cat; 1 on top of 0",
    "a table with a cake on it": "cake",
    "lots of sheep": "some sheep",
    "a globe next to a die": "earth; game die; 0 next to 1",
    "a beautiful, very small cat": "small cat",
    "a stack of three books": "book; book; book; 0 on top of 1; 1 on top of 2",
    "a stack of books": "stack of books",
    "a bee and a ladybug, one on top of the other": "bee; ladybug; 0 on top of 1",
    "two dogs, one bigger than the other": "dog; dog; 0 bigger than 1",
    "a donut stacked on a cupcake": "donut; cupcake; 0 on top of 1",
    "a drum and a piano stacked on top of each other": "drum; piano; 0 on top of 1",
    "a sun above a house, a cat and a dog side by side": "sun; house; cat; dog; 0 above 1; 2 left of 3; 2 next to 3",
    "an owl with trees on both sides": "owl; 2 trees; 0 between 1",
    "a frog with a crown on its head": "frog; crown; 1 on top of 0",
    "a frog wearing a red hat": "frog; red hat; 1 on top of 0",
    "a frog with a crown": "frog; crown; 1 on top of 0",
    "a frog with a hat and an owl on a lawn": "frog; hat; owl; 1 on top of 0",
    "a frog with a lemon": "frog; lemon",
    "a frog on a marble floor": "frog",
    "a frog in front of a stone wall": "frog",
    "a marble on a wooden floor": "sphere",
    "men holding hands": "men holding hands",
    "a man and his dog": "man; dog",
    "a mouse to the left and below a lion": "mouse; lion; 0 left of 1; 0 below 1",
    "a bird right above a tree": "bird; tree; 0 above 1",
    "a lion and a tiger are below the sun": "lion; tiger; sun; 1 below 2; 0 below 2",
    "an owl surrounded by a bell, a bee and a drum": "owl; bell; bee; drum; 0 next to 1; 0 next to 2; 0 next to 3",
    "loads of bees": "some bees",
    "a lamp on a lawn, a cat": "lamp; cat",
    "a cat. This is a dog.": "cat; dog",
    "a cat at the back of a house": "cat; house; 0 behind 1",
    "a cat smaller than a dog and left of it": "cat; dog; 0 smaller than 1; 0 left of 1",
    "a lion bigger than a mouse and on top of it": "lion; mouse; 0 bigger than 1; 0 on top of 1",
    "a cup next to a stack of two books": "cup; book; book; 0 next to 2; 1 on top of 2",
    "a stack of two books on top of a box": "book; book; cube; 0 on top of 1; 1 on top of 2",
    "in the background there is a castle, in the foreground a dog and a cat":
        "castle; dog; cat; 0 behind 1; 0 behind 2",
    "a dog, a cat, and a castle in the background": "dog; cat; castle; 2 behind 1; 2 behind 0",
    "a dog and a cat in the foreground, a castle in the background": "dog; cat; castle; 2 behind 1; 0 in front of 2",
    "a castle in the background": "castle",
    "a cat and a dog. Both are pink.": "pink cat; pink dog",
    "a man and a woman holding hands": "man; woman; 0 left of 1; 0 next to 1",
    "a lamp standing between two chairs": "lamp; 2 chairs; 0 between 1",
    "three glasses": "3 glasses",
    "a pink cat and a dog of the same color": "pink cat; pink dog",
    "a large cat and a dog, both the same size": "large cat; large dog",
    "the cat is bigger than the dog but smaller than the horse": "cat; dog; horse; 0 bigger than 1; 0 smaller than 2",
    "A cat. Beside her stood a dog.": "cat; dog; 1 next to 0",
    "a cat of pink color and a dog in blue colour": "pink cat; blue dog",
    "a cat (black) next to a dog (brown)": "black cat; brown dog; 0 next to 1",
    "a cat painted pink": "pink cat",
    "a cat on the top of a car": "cat; car; 0 on top of 1",
    "in the picture we can see a dog, behind of the dog is a house": "dog; house; 1 behind 0",
    "Could you please render me a cat?": "cat",
    "once upon a time there was a cat": "cat",
    "I would like to have two cats": "2 cats",
    "place a cat\nand a dog\na bird": "cat; dog; bird",
    "a cat, nothing else": "cat",
    "two people shaking hands": "person; person; 0 left of 1; 0 next to 1",
    "a cat and a dog in the foreground": "cat; dog",
    "a house and a tree in the background": "house; tree; 1 behind 0",
    "a cat, a dog and a horse next to a house": "cat; dog; horse; house; 2 next to 3; 0 next to 3; 1 next to 3",
    "a cat and a dog on a chair": "cat; dog; chair; 1 on top of 2; 0 on top of 2",
    "a bird above a house, a cat and a dog behind a tree": "bird; house; cat; dog; tree; 0 above 1; 3 behind 4; 2 behind 4",
    "a dog and a bigger cat side by side": "dog; cat; 0 left of 1; 0 next to 1; 1 bigger than 0",
    "three red apples, one of them small": "small red apple; 2 red apples",
    "a table with an apple, a banana and a cup on it": "apple; banana; cup",
    "an apple and a pear on a table with a cup on it": "apple; pear; cup",
    "two cats, one on the left and one on the right": "cat; cat",
    "three cats, one on the left": "cat; 2 cats",
    "a large, pink cat": "large pink cat",
    "a cat in a hat": "cat; hat; 1 on top of 0",
    "a woman with her cat on her left": "woman; cat; 1 left of 0",
    "a dog. he is black. next to him is a cat.": "black dog; cat; 1 next to 0",
    "a slice of green cake": "green cake",
    "a kitty cat and a tea pot": "cat; teapot",
    "a polarbear and two mouses": "polar bear; 2 mice",
    "a black bird": "black bird",
    "There is a house. A cat and a dog are behind it.": "house; cat; dog; 2 behind 0; 1 behind 0",
    "a house at the back and a car at the front": "house; car; 1 in front of 0",
    "a dog and a bigger cat": "dog; cat; 1 bigger than 0",
    "a dog and two much larger cats": "dog; 2 cats; 1 bigger than 0",
    "a cat, a dog and a bigger cow": "cat; dog; cow; 2 bigger than 0; 2 bigger than 1",
    "a dog, a bigger cat and a smaller mouse": "dog; cat; mouse; 1 bigger than 0; 2 smaller than 1",
    "two dogs, a big one and a smaller one": "large dog; dog; 1 smaller than 0",
    "a cat, a dog, and a cow in front of a house":
        "cat; dog; cow; house; 2 in front of 3; 0 in front of 3; 1 in front of 3",
    "a bird and a kite above a house": "bird; kite; house; 1 above 2; 0 above 2",
    "a house with a tree, a car and a dog in front of it":
        "house; tree; car; dog; 1 in front of 0; 2 in front of 0; 3 in front of 0",
    "a cat and a dog with a tree and a car behind them":
        "cat; dog; tree; car; 2 behind 0; 2 behind 1; 3 behind 0; 3 behind 1",
    "a cat on a table with a cup and an apple on it": "cat; cup; apple",
    "two cats, one cute dog": "2 cats; dog",
    "two books stacked on a table": "book; book; 0 on top of 1",
    "a pair of red shoes": "2 red shoes",
    "a bunch of yellow bananas": "some yellow bananas",
}


@pytest.mark.parametrize("prompt", SOLIDS)
def test_what_is_said_of_solids(prompt):
    assert told(prompt) == SOLIDS[prompt]


@pytest.mark.parametrize("prompt", NAMED)
def test_what_is_said_of_things_with_names(pipe, prompt):
    assert told(prompt, pipe.words, pipe.lexicon) == NAMED[prompt]


PLACES = {
    "an owl left, a fox right": ["left", "right"],
    "left: owl, right: fox": ["left", "right"],
    "on the left, an owl, on the right, a fox": ["left", "right"],
    "an owl near the left edge and a fox topright": ["left", "top right"],
    "a sun top left, house bottom right": ["top left", "bottom right"],
    "a kite in the left top corner": ["top left"],
    "a robot, centred": ["middle"],
    "a tree. To the left, a bird.": [None, "left"],
    "a lion and a tiger are in the middle": ["middle", "middle"],
    "a lion and a tiger on the left, an owl and a fox at the top": ["left", "left", "top", "top"],
    "a lion, a tiger on the left": [None, "left"],
    "two owls side by side at the top": ["top", "top"],
    "two cats, one on the left and one on the right": ["left", "right"],
    "a cat on the left and another on the right": ["left", "right"],
    "an owl upper left, a fox in the lower third": ["top left", "bottom"],
    "a robot centered on a blue background": ["middle"],
    "a star near the top right of the orange heart": ["top", None],
    "a star near the top right of the picture": ["top right"],
}


@pytest.mark.parametrize("prompt", PLACES)
def test_places_as_people_say_them(pipe, prompt):
    request = parse(prompt, pipe.lexicon)
    assert [mention.place for mention in request.mentions] == PLACES[prompt]


@pytest.mark.parametrize(("prompt", "background"), [
    ("flamingo, snow, blue sky", ("snow", "blue sky")),
    ("a cow, white background", ("plain white backdrop",)),
    ("a car, paving stones, brick wall", ("paving stones", "brick wall")),
    ("a car on a lawn. The sky is blue.", ("lawn", "blue sky")),
])  # fmt: skip
def test_backgrounds_may_be_listed(pipe, prompt, background):
    request = parse(prompt, pipe.lexicon)
    assert request.background == background and len(request.mentions) == 1


@pytest.mark.parametrize(("prompt", "note"), [
    ("a robot surrounded by mice", "'surrounded by' is drawn as next to"),
    ("a monkey riding a bicycle", "'riding' is drawn as on top of"),
    ("a mouse half the size of a cat", "'half the size of' is drawn as smaller than"),
    ("a ship far below a sun", "'far' is left out"),
    ("a square", "'square' is drawn as cube"),
    ("the biggest dog", "'biggest' is drawn as large"),
    ("a ship 5 cm below a sun", "'5 cm' is left out"),
    ("a red ball and two cubes of the same size", "'of the same size' is left out"),
    ("three cats, each of a different color", "'each of a different color' is left out"),
    ("a cat 3 times bigger than a mouse", "'3 times bigger than' is drawn as bigger than"),
    ("a close-up of a bee", "'close up' is left out"),
    ("two pumpkins", "'pumpkins' is drawn as jack-o-lanterns"),
    ("a sofa", "'sofa' is drawn as couch and lamp"), ("a cat on a couch", "'couch' is drawn as couch and lamp"),
    ("a glass of red wine", "'red' is left out"),
    ("a basket of red apples", "'of red apples' is left out"),
    ("three bees together", "'together' is drawn as side by side"),
    ("a bigger dog", "'bigger' is drawn as large"),
    ("a castle in the background", "'in the background' is left out"),
])  # fmt: skip
def test_what_is_only_near_to_what_was_said_is_told(pipe, prompt, note):
    require_drawable(prompt, pipe.words, pipe.lexicon)
    assert notes(prompt, pipe.words, pipe.lexicon) == [note]


@pytest.mark.parametrize("prompt", [
    "two lanterns on each side of an owl", "trees in a row", "nine cups in a row",
    "an owl flanked by a lantern", "lanterns on both sides of the picture",
])  # fmt: skip
def test_arrangements_that_are_not_clear_are_not_guessed(pipe, prompt):
    with pytest.raises(UserError):
        require_drawable(prompt, pipe.words, pipe.lexicon)
        assert parse(prompt, pipe.lexicon) is None
        raise UserError("not read")


@pytest.mark.parametrize("prompt", ["two balls, a red one and a blue one", "a cube with a ball to its left"])
def test_the_prior_is_told_in_words_of_captions(prompt):
    text = read(prompt).text
    assert told(text) == told(prompt) and "one" not in text.split()


@pytest.mark.parametrize("said", ["with a blue background", "on a blue background", "in front of a blue backdrop"])
def test_a_coloured_background_is_a_backdrop(pipe, said):
    (background,) = read(f"a cat {said}", pipe.words, pipe.lexicon).request.background
    assert set(background.split()) >= {"blue", "backdrop"}


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("an orange and black tiger", "'black tiger'"),
        ("a black and white cow", "'white cow'"),
        ("a dog that is black and white", "'white dog'"),
        ("a submarine next to a house", "'submarine'"),
        ("a tennis ball", "'tennis ball'"),
        ("a plum and a peach", "'plum' is a colour"),
        ("a cat 🎩", "'🎩'"),
        ("2.5 cats", "'2.5'"),
        ("-3 cats", "'-3'"),
        ("5% cats", "'5%'"),
        ("a goldfish and a fish", "'goldfish'"),
        ("a cat under a red sky", "'under a blue sky'"),
    ],
)
def test_what_cannot_be_drawn_is_named(pipe, prompt, named):
    with pytest.raises(UserError) as refused:
        require_drawable(prompt, pipe.words, pipe.lexicon)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("prompt", "left"),
    [
        ("a wooden chair", ["wooden"]),
        ("a lying dog and a sitting cat", ["lying", "sitting"]),
        ("a bottle of wine", ["bottle of"]),
        ("a very big cat", ["very"]),
        ("a flying bird next to a parked car", ["flying", "parked"]),
        ("a cat much bigger than a house", ["much"]),
        ("a fluffy cat next to a juicy red apple", ["fluffy", "juicy"]),
        ("a pink cat in trees", ["pink"]),  # which is not understood, and so not painted
    ],
)
def test_words_that_change_nothing_are_told(pipe, prompt, left):
    assert notes(prompt, pipe.words, pipe.lexicon) == [f"'{word}' is left out" for word in left]


def test_more_things_than_the_prior_writes_are_refused(pipe):
    with pytest.raises(UserError, match="18 things are too many"):
        pipe("nine cats and nine dogs")


def test_the_same_shortcoming_is_said_once(tmp_path):
    made = Made(Wish("cats", 0, tmp_path / "cats.png"), None, None, ["no cat", "no cat", "no dog"], True)
    assert made.shortcoming.endswith("no cat (2 times); no dog")


def test_prompts_of_the_greatest_length_are_read_at_once(pipe):
    for said in ("nine cats left of nine dogs", "a cat and a dog side by side, a bird above the house", "two cups, one large"):
        prompt = "; ".join([said] * (MOST_SIGNS // (len(said) + 2)))
        start = process_time()
        require_drawable(prompt, pipe.words, pipe.lexicon)
        singly(read(prompt, pipe.words, pipe.lexicon), pipe.lexicon)
        assert process_time() - start < 4, said
