"""Prompts for everyday things in other people's English: what they mean in plain words, and what is told of them."""
from __future__ import annotations

import pytest

import vle_gen
from prompts.grammar import parse
from prompts.known import require_drawable
from prompts.reading import notes
from vle_gen.errors import UserError


@pytest.fixture(scope="module")
def everyday():
    return vle_gen.load("everyday")


def meant(request) -> tuple:
    """What a request asks for, in whatever order its things are named."""
    related = sorted((link.kind, *(repr(request.mentions[k]) for k in link.mentions)) for link in request.relations)
    return sorted(map(repr, request.mentions)), related, request.background


def check(pipe, prompt, plainly, told=()):
    """That a prompt can be drawn, means what `plainly` does, and that what is `told` of it is what is told."""
    require_drawable(prompt, pipe.words, pipe.lexicon)
    assert meant(parse(prompt, pipe.lexicon)) == meant(parse(plainly, pipe.lexicon))
    assert notes(prompt, pipe.words, pipe.lexicon) == list(told)


@pytest.mark.parametrize(("prompt", "plainly", "told"), [
    ("a clock hangs over a bed", "a clock above a bed", []),
    ("a boy who holds a balloon", "a boy next to a balloon", ["'who holds' is drawn as next to"]),
    ("a dog who chases a cat", "a dog next to a cat", ["'chases' is drawn as next to"]),
    ("a cat looking up at a bird", "a cat next to a bird", ["'looking up at' is drawn as next to"]),
    ("a mouse running away from a cat", "a mouse next to a cat", ["'running away from' is drawn as next to"]),
    ("a guitar leaning on a chair", "a guitar next to a chair", ["'leaning on' is drawn as next to"]),
    ("can u make a dragon and a castle", "a dragon and a castle", []),
    ("I want that the cat is at left from the dog", "the cat is left of the dog", []),
    ("beside of the house stands a tree", "a tree next to a house", []),
    ("please draw a house with a tree at its side", "a house with a tree next to it", []),
    ("a scene where a cat sits on a box", "a cat on a box", []),
    ("a peaceful picture in which a cat sits on a box", "a cat on a box", ["'peaceful picture' is left out"]),
])  # fmt: skip
def test_words_that_others_use_mean_what_they_say(everyday, prompt, plainly, told):
    check(everyday, prompt, plainly, told)


@pytest.mark.parametrize(("prompt", "plainly", "told"), [
    ("a cat, a dog, both wearing hats", "a cat with a hat on top of it, a dog with a hat on top of it", []),
    ("a cat and a dog, each wearing a hat", "a cat with a hat on top of it, a dog with a hat on top of it", []),
    ("a cat and a dog wearing hats", "a cat with a hat on top of it, a dog with a hat on top of it", []),
    ("a cat and a dog. They are both wearing red hats.", "a cat with a red hat on it, a dog with a red hat on it", []),
    ("a cat next to a dog, both wearing hats", "a cat next to a dog, the cat with a hat on it, the dog with a hat on it", []),
    ("two dogs wearing scarves", "a dog with a scarf next to it, a dog with a scarf next to it",
     ["'wearing' is drawn as next to"]),
    ("a cat that has a hat", "a cat with a hat on top of it", []),
    ("a bear with a hat left of a tree", "a bear with a hat on top of it left of a tree", []),
    ("a bear with a hat left of it", "a bear, a hat left of the bear", []),
    ("a house with a hat left of a tree", "a house, a hat left of a tree", []),
    ("a cat and a dog wearing a hat", "a cat and a dog with a hat on top of it", []),
])  # fmt: skip
def test_each_of_several_wears_its_own(everyday, prompt, plainly, told):
    check(everyday, prompt, plainly, told)


@pytest.mark.parametrize(("prompt", "plainly"), [
    ("A cat and a dog. The cat is smaller and black.", "a black cat and a dog. The cat is smaller than the dog."),
    ("A cat and a dog. The cat is black and smaller.", "a black cat and a dog. The cat is smaller than the dog."),
    ("a tree to the left of which is a house", "a tree, a house left of the tree"),
    ("a tree behind which is a house", "a tree, a house behind the tree"),
    ("a cat left of a tree, behind which is a house", "a cat left of a tree, a house behind the tree"),
    ("a dog, which is black, is left of a cat", "a black dog left of a cat"),
    ("a cat, which is black, and a dog", "a black cat and a dog"),
    ("a cat, wearing a hat, sits on a box", "a cat with a hat on top of it on a box"),
    ("a frog, which is wearing a crown, sits beside a mushroom", "a frog with a crown on top of it next to a mushroom"),
    ("red ball blue cube", "a red ball and a blue cube"),
    ("pink cat green car", "a pink cat and a green car"),
    ("big elephant small mouse", "a big elephant and a small mouse"),
    ("one big and one small dog", "a big dog and a small dog"),
    ("one red ball and one blue", "a red ball and a blue ball"),
    ("one black cat and another white", "a black cat and a white cat"),
])  # fmt: skip
def test_clauses_are_said_of_what_they_speak_of(everyday, prompt, plainly):
    check(everyday, prompt, plainly)


def test_what_says_how_things_are_is_no_list(everyday):
    """Only what is like something else than the thing before it begins another one."""
    assert meant(parse("a ball red", everyday.lexicon)) == meant(parse("a red ball", everyday.lexicon))
    assert parse("a cat and a dog, are left of a tree", everyday.lexicon) is None


@pytest.mark.parametrize(("prompt", "plainly", "told"), [
    ("a woman reading a book on a chair", "a woman next to a book and on a chair", "'reading' is drawn as next to"),
    ("a girl who is eating an apple under a tree", "a girl next to an apple and under a tree", "'eating' is drawn as next to"),
    ("a girl holding a red balloon behind a car", "a girl next to a red balloon and behind a car",
     "'holding' is drawn as next to"),
    ("a man reading a book on a wooden floor", "a man next to a book on a wooden floor", "'reading' is drawn as next to"),
    ("a cat watching a bird on a tree", "a cat next to a bird, the bird on a tree", "'watching' is drawn as next to"),
])  # fmt: skip
def test_whoever_has_a_thing_in_hand_is_where_that_is_said(everyday, prompt, plainly, told):
    check(everyday, prompt, plainly, [told])


@pytest.mark.parametrize(("prompt", "plainly", "told"), [
    ("a laptop on my desk next to a lamp", "a laptop on a wooden table next to a lamp",
     "'on my desk' is drawn as on a wooden table"),
    ("a cup on a coffee table", "a cup on a wooden table", "'on a coffee table' is drawn as on a wooden table"),
    ("a cow on a farm", "a cow on a lawn", "'on a farm' is drawn as on a lawn"),
])  # fmt: skip
def test_grounds_of_places_are_drawn_and_told(everyday, prompt, plainly, told):
    check(everyday, prompt, plainly, [told])


@pytest.mark.parametrize(("prompt", "hint"), [
    ("a fox in a forest", "no background is called 'forest', the nearest is 'on a lawn'"),
    ("a boat on the sea", "no background is called 'sea', the nearest is 'on sand'"),
    ("a rocket in space", "no background is called 'space', the nearest is 'under a night sky'"),
    ("a park with a dog", "of 'park' the ground alone is drawn: say 'on a lawn'"),
    ("night scene with an owl", "'night' is a background: say 'under a night sky'"),
])  # fmt: skip
def test_who_asks_for_another_place_is_told_the_nearest_background(everyday, prompt, hint):
    with pytest.raises(UserError, match=hint):
        require_drawable(prompt, everyday.words, everyday.lexicon)


@pytest.mark.parametrize("prompt", ["a girl with hair", "breakfast"])
def test_no_name_that_is_merely_spelt_alike_is_offered_for_a_common_word(everyday, prompt):
    with pytest.raises(UserError) as fault:
        require_drawable(prompt, everyday.words, everyday.lexicon)
    assert "nearest to" not in str(fault.value)


@pytest.mark.parametrize(("prompt", "plainly", "told"), [
    ("two slices of pizza", "two pizzas", []),
    ("some pieces of cake next to a cup", "some cakes next to a cup", []),
    ("two bottles of wine", "two glasses of wine", ["'bottles of' is left out"]),
    ("the apple it is red, the pear it is green", "a red apple, a green pear", []),
    ("my dog he is next to a tree and the cat she is left of a house", "a dog next to a tree and a cat left of a house", []),
])  # fmt: skip
def test_several_helpings_and_things_said_again_are_read(everyday, prompt, plainly, told):
    check(everyday, prompt, plainly, told)
