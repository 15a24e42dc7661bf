"""Sides, and "it", of which of the things that a prompt named before they are."""
import pytest

from prompts.grammar import parse
from prompts.known import require_drawable
from prompts.reading import notes


@pytest.mark.parametrize(("prompt", "plainly"), [
    ("a dog to the right of a house and a cat to the left", "a dog right of a house, a cat is left of the house"),
    ("a dog right of a house and a cat left", "a dog right of a house, a cat is left of the house"),
    ("To the right of a house is a dog and to the left is a cat", "right of a house is a dog, a cat is left of the house"),
    ("a house with a dog to the right and a cat to the left", "a house, a dog is right of the house, a cat left of the house"),
    ("There is a house. To the right there is a dog.", "a house, a dog is right of the house"),
    ("a dog next to a house and a cat to the left", "a dog next to a house, a cat is left of the house"),
    ("a dog to the left of a house and a cat on the other side", "a dog left of a house, a cat is right of the house"),
    ("a dog behind a house. On the other side of it is a cat", "a dog behind a house, in front of the house is a cat"),
    ("a dog to the right of a house and a cat to its left", "a dog right of a house, a cat is left of the house"),
    ("a bird on a tree and a cat under it", "a bird on a tree, a cat is under the tree"),
    ("a bird on a tree, under it a cat", "a bird on a tree, a cat is under the tree"),
    ("a dog in front of a house and a cat behind", "a dog in front of a house, a cat is behind the house"),
    ("a dog behind a house and a cat in front", "a dog behind a house, a cat is in front of the house"),
    ("a bird above a house and a dog below", "a bird above a house, a dog is below the house"),
])  # fmt: skip
def test_they_are_those_of_what_something_stands_by(everyday_pipe, prompt, plainly):
    require_drawable(prompt, everyday_pipe.words, everyday_pipe.lexicon)
    assert parse(prompt, everyday_pipe.lexicon) == parse(plainly, everyday_pipe.lexicon) is not None
    assert notes(prompt, everyday_pipe.words, everyday_pipe.lexicon) == []


def test_so_are_those_of_solids():
    said = parse("a ball to the right of a cube and a can to the left")
    assert said == parse("a ball right of a cube, a can is left of the cube") is not None


@pytest.mark.parametrize(("prompt", "plainly"), [
    ("a cat to the left and a dog to the right", "a cat on the left, a dog on the right"),
    ("a cat in the middle, a dog to the left", "a cat in the middle, a dog on the left"),
    ("a dog to the right of the picture and a cat to the left", "a dog on the right, a cat on the left"),
    ("a cat, a dog and a bird to the right", "a cat, a dog and a bird on the right"),
    ("an owl left, a fox right", "an owl on the left, a fox on the right"),
    ("a bird on a tree and a cat behind it", "a bird on a tree, a cat is behind the bird"),
    ("a dog right of a house and a cat on the left", "a dog right of a house, the dog is right of a cat on the left"),
])  # fmt: skip
def test_others_are_the_pictures(everyday_pipe, prompt, plainly):
    assert parse(prompt, everyday_pipe.lexicon) == parse(plainly, everyday_pipe.lexicon) is not None
