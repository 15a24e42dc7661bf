"""Prompts as different people put them, and what they mean in plain words."""
import pytest

import vle_gen
from prompts.grammar import parse
from prompts.known import require_drawable
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
    ("a christmas tree with a star on the top", "a christmas tree with a star on top"),
    ("a house. Left of it: a dog. Right of it: a cat.", "a house. Left of it, a dog. Right of it, a cat."),
])  # fmt: skip
def test_they_are_understood(everyday, prompt, plainly):
    require_drawable(prompt, everyday.words, everyday.lexicon)
    assert parse(prompt, everyday.lexicon) == parse(plainly, everyday.lexicon) is not None
    assert notes(prompt, everyday.words, everyday.lexicon) == []


@pytest.mark.parametrize(("prompt", "plainly", "said"), [
    ("five mushrooms in a circle on a lawn", "five mushrooms on a lawn", ["'in a circle' is left out"]),
    ("a ring of stars", "some stars", ["'ring of' is left out"]),
    ("a circle of four cups", "four cups", ["'circle of' is left out"]),
    ("a cat as big as a house on a lawn", "a cat next to a house on a lawn", ["'as big as' is drawn as next to"]),
    ("an ant the size of an elephant", "an ant next to an elephant", ["'the size of' is drawn as next to"]),
    ("a mouse is not as big as a cat", "a mouse is smaller than a cat", ["'not as big as' is drawn as smaller than"]),
    ("a dog and a cat twice its size", "a dog and a cat bigger than it", ["'twice its size' is drawn as bigger than it"]),
    ("a dog next to a cat half as big", "a dog next to a cat smaller than it", ["'half as big' is drawn as smaller than it"]),
    ("a lion in a circle of zebras", "a lion next to some zebras", ["'in a circle of' is drawn as next to"]),
])  # fmt: skip
def test_it_is_told_what_is_drawn_otherwise(everyday, prompt, plainly, said):
    require_drawable(prompt, everyday.words, everyday.lexicon)
    assert parse(prompt, everyday.lexicon) == parse(plainly, everyday.lexicon) is not None
    assert notes(prompt, everyday.words, everyday.lexicon) == said


@pytest.mark.parametrize(("prompt", "plainly"), [
    ("a red ball and two blue ones", "a red ball and two blue balls"),
    ("a cube. To its left: a ball", "a cube. To its left, a ball"),
])  # fmt: skip
def test_so_are_those_for_solids(pipe, prompt, plainly):
    require_drawable(prompt, pipe.words)
    assert parse(prompt) == parse(plainly) is not None
    assert notes(prompt) == []


def test_a_name_misspelt_is_not_taken_apart(everyday):
    with pytest.raises(UserError, match="'ballon'; nearest to 'ballon': balloon"):
        require_drawable("a red ballon", everyday.words, everyday.lexicon)
    assert parse("a redball", everyday.lexicon) == parse("a red ball")
