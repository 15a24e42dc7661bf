"""Things that are painted in the colour that a prompt says: how that is read, what is painted, and how it looks."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import editors
import vle_gen
from prompts.known import require_drawable
from prompts.reading import notes, read, singly
from vle_gen.generation.dyeing import colour_in, colour_of
from vle_gen.imaging.tinting import tinted

GREEN, BLUE, PINK = 1, 2, 0  # which of red, green and blue such a thing shows most of


@pytest.fixture(scope="module")
def pipe():
    return vle_gen.load("everyday")


@pytest.mark.parametrize(
    ("prompt", "text", "dyes"),
    [
        ("a green car left of a red apple", "a car left of a red apple", ["green", None]),
        ("a pink apple", "an apple", ["pink"]),
        ("an orange cat", "a cat", ["orange"]),
        ("an orange", "an orange", [None]),
        ("a black cat", "a black cat", [None]),
        ("a light blue car", "a car", ["light blue"]),
        ("a small purple dog behind a large yellow house", "a small dog behind a large house", ["purple", "yellow"]),
        ("three green cars", None, ["green"] * 3),
        ("a red metal cube right of a brown cow", "a red metal cube right of a cow", [None, "brown"]),
    ],
)
def test_colours_that_a_name_has_not_are_painted(pipe, prompt, text, dyes):
    require_drawable(prompt, pipe.words, pipe.lexicon)
    reading = singly(read(prompt, pipe.words, pipe.lexicon), pipe.lexicon)
    assert text is None or reading.text == text
    assert "green" not in reading.text, "the prior knows nothing of it"
    assert [mention.dye for mention in reading.order.mentions] == dyes
    assert notes(prompt, pipe.words, pipe.lexicon) == [], "nothing is drawn otherwise"


def test_the_definite_article_tells_them_apart(pipe):
    request = read("a pink cat and a white cat, the white cat behind a dog", pipe.words, pipe.lexicon).request
    assert [str(mention) for mention in request.mentions] == ["pink cat", "white cat", "dog"]
    assert request.relations[0].subject == 1


@pytest.mark.parametrize("said", ["pink", "light blue", "mustard", "grey", "dark crimson"])
def test_words_for_colours_have_one(said):
    assert all(0 <= value <= 1 for value in colour_of(said))


def shown(tokens, image, index) -> np.ndarray:
    """The mean colour of what an object shows."""
    return np.asarray(image)[tokens.label_map() == index].mean(0)


def test_drawn_things_have_the_colours_that_are_asked_for(pipe):
    result = pipe("a green car and a blue house", generator=torch.Generator().manual_seed(2))
    assert result.problems == [[]]
    tokens, image = result.tokens[0], result.images[0]
    names = dict(zip(pipe.name_tokens(tokens), range(len(tokens)), strict=True))
    assert shown(tokens, image, names["house"]).argmax() == BLUE
    car = next(index for name, index in names.items() if name not in ("scene", "house"))
    assert shown(tokens, image, car).argmax() == GREEN
    assert pipe.find(tokens, "the blue house") == names["house"]


def test_of_two_the_one_of_that_colour_is_found(pipe):
    result = pipe("a green owl left of a purple owl", generator=torch.Generator().manual_seed(0))
    tokens, image = result.tokens[0], result.images[0]
    green = pipe.find(tokens, "the green owl")
    assert green != pipe.find(tokens, "the purple owl") and shown(tokens, image, green).argmax() == GREEN
    assert tokens.where[0, green, 0] == tokens.where[0, 1:, 0].min(), "it is the left one"
    again = pipe.encode(image)
    assert abs(again.where[0, pipe.find(again, "the green owl"), 0] - tokens.where[0, green, 0]) < 0.05


def test_what_is_added_is_painted(pipe):
    scene = pipe("a lawn", generator=torch.Generator().manual_seed(0)).tokens[0]
    tokens = pipe.add(scene, "a pink cat", generator=torch.Generator().manual_seed(1))
    image = pipe.decode(tokens)
    assert shown(tokens, image, 1).argmax() == PINK and tokens.paint[0, 1, 3] == 1
    assert tokens.history[-1].startswith("add 'a pink cat'")


def test_other_parts_keep_their_colours():
    colour = torch.zeros(3, 20, 20)
    colour[0] = torch.linspace(0.3, 0.7, 20)  # red, shaded
    colour[:, 12:] = torch.tensor([0.02, 0.05, 0.6])[:, None, None]  # a blue part
    colour[:, :3] = 0.01  # a black one
    solid = torch.ones(20, 20, dtype=torch.bool)
    painted = tinted(colour, solid, torch.tensor([0.05, 0.4, 0.05]))
    assert (painted[:, 12:] - colour[:, 12:]).abs().max() < 0.02 and (painted[:, :3] - colour[:, :3]).abs().max() < 0.02
    assert (painted[:, 3:12].argmax(0) == GREEN).all()
    assert painted[1, 5, 19] > 1.3 * painted[1, 5, 0], "shading stays"


@pytest.mark.parametrize(("blue", "painted"), [((6, 34), False), ((0, 40), True), ((0, 34), True)])
def test_a_pane_is_not_what_is_painted(blue, painted):
    """A screen in a grey case stays; a thing that is of the same light blue up to its outline is painted."""
    colour = torch.full((3, 40, 40), 0.55)
    pane = torch.zeros(40, 40, dtype=torch.bool)
    pane[slice(*blue), slice(*blue)] = True
    colour[:, pane] = torch.tensor([0.1, 0.55, 0.9])[:, None]
    result = tinted(colour, torch.ones(40, 40, dtype=torch.bool), torch.tensor([0.05, 0.4, 0.05]))
    assert ((result - colour)[:, pane].abs().amax() > 0.2) == painted
    assert painted or (result[:, ~pane].argmax(0) == GREEN).all(), "the case is"


def test_a_repainted_thing_keeps_its_leaf(pipe):
    tokens = pipe("a red apple", generator=torch.Generator().manual_seed(1)).tokens[0]
    image = pipe.decode(editors.recolor(tokens, 1, to="blue"))
    before, after = (np.asarray(one, float)[tokens.label_map() == 1] for one in (pipe.decode(tokens), image))
    leaf = (before.argmax(1) == GREEN) & (before[:, GREEN] > before[:, 0] + 30)
    assert leaf.sum() > 5 and np.abs(after - before)[leaf].mean() < 12
    assert after[~leaf].mean(0).argmax() == BLUE and isinstance(image, Image.Image)


@pytest.mark.parametrize(("prompt", "colour"), [("a black cat", "black"), ("a white flower", "white")])
def test_a_name_that_says_a_colour_is_drawn_in_it(pipe, prompt, colour):
    """Where the pictures of training have it in a dark purple or a pale pink."""
    result = pipe(prompt, generator=torch.Generator().manual_seed(0))
    assert result.problems == [[]]
    red, green, blue = shown(result.tokens[0], result.images[0], 1)
    assert max(red, green, blue) - min(red, green, blue) < 12, "neither is of any hue"
    assert (max(red, green, blue) < 90) == (colour == "black")
    assert pipe.find(result.tokens[0], f"the {prompt[2:]}") == 1


def test_names_say_colours_that_are_not_known_otherwise():
    assert [colour_in(name) for name in ("black cat", "white heart", "orange book")] == ["black", "white", "orange"]
    assert [colour_in(name) for name in ("red apple", "orange", "cat", "hot dog", "", None)] == [None] * 6
