"""What is said of all that was named before: "both are yellow", "they are black", "which are white"."""
import pytest

import vle_gen
from prompts.grammar import parse, parsed
from prompts.known import require_drawable
from prompts.reading import notes


@pytest.fixture(scope="module")
def everyday():
    return vle_gen.load("everyday")


@pytest.mark.parametrize(("prompt", "plainly"), [
    ("a butterfly above a flower, both are yellow", "a yellow butterfly above a yellow flower"),
    ("a butterfly above a flower. Both of them are yellow.", "a yellow butterfly above a yellow flower"),
    ("a cat is next to a dog and they are white", "a white cat is next to a white dog"),
    ("a dog and a cat which are both white", "a white dog and a white cat"),
    ("a dog and a cat that are white", "a white dog and a white cat"),
    ("a dog and two cats that are white", "a dog and two white cats"),
    ("a dog and a cat. They are black.", "a black dog and a black cat"),
    ("a cat, a dog and a mouse, they are all small and white", "a small white cat, a small white dog and a small white mouse"),
    ("a cup and a spoon on a wooden table. They are red.", "a red cup and a red spoon on a wooden table"),
])  # fmt: skip
def test_colours_and_sizes(everyday, prompt, plainly):
    require_drawable(prompt, everyday.words, everyday.lexicon)
    assert parse(prompt, everyday.lexicon) == parse(plainly, everyday.lexicon)
    assert notes(prompt, everyday.words, everyday.lexicon) == []


@pytest.mark.parametrize("prompt", ["three cats next to a dog. They are black.", "a cat next to a dog, which are black"])
def test_it_is_told_where_nobody_knows_of_which_it_is_said(everyday, prompt):
    assert parsed(prompt, everyday.lexicon).unread == "black"
