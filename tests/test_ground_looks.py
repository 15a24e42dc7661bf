"""Backgrounds that a prompt asks for are looked for in what was drawn, by their colours."""
from __future__ import annotations

import pytest
import torch

import vle_gen
from prompts.grounds import Grounds
from prompts.lexicon import Lexicon
from vle_gen.data.backgrounds import backgrounds
from vle_gen.generation.drawing import Order
from vle_gen.recognition.ground_looks import is_open_sky, looks_of, unshown


def picture_of(one) -> torch.Tensor:
    return torch.from_numpy(one.pixels.copy()).permute(2, 0, 1).float() / 255


@pytest.fixture(scope="module")
def pipe():
    return vle_gen.load("everyday")


@pytest.fixture(scope="module")
def made():
    return [(one.words, picture_of(one)) for one in backgrounds(96, seed=3, side=64, photographs=False)]


def test_backgrounds_that_were_never_seen_are_told_apart(pipe, made):
    grounds = pipe.lexicon.grounds
    right = [not unshown([said for said in words if said in grounds.looks], picture, grounds) for words, picture in made]
    assert sum(right) >= 0.9 * len(right)
    wrong = ["red floor", "plain purple backdrop", "teal wall"]
    shown = [said for _, picture in made for said in wrong if not unshown([said], picture, grounds)]
    truly = [said for words, _ in made for said in wrong if any(said.split()[-2:] == word.split()[-2:] for word in words)]
    assert len(shown) <= len(truly) + 0.1 * len(made) * len(wrong)


def test_a_word_for_several_is_shown_by_any_of_them(pipe):
    grounds = pipe.lexicon.grounds
    white, vivid = torch.full((3, 8, 8), 0.95), torch.tensor([0.0, 1.0, 0.0])[:, None, None].expand(3, 8, 8)
    assert not unshown(["wall"], white, grounds) and unshown(["wall"], vivid, grounds) == ["wall"]
    assert unshown(["red wall", "white tiles"], white, grounds) == ["red wall"]
    assert not unshown(["hills", "something"], vivid, grounds), "nothing is known of these"


def test_looks_go_with_the_lexicon(made):
    looks = looks_of(made)
    grounds = Grounds(tuple(looks), {}, looks)
    again = Lexicon.from_json(Lexicon(grounds=grounds).as_json())
    assert again.grounds.looks == looks and "hills" not in looks


def test_what_is_missing_is_said(pipe):
    prompt = "a cat in front of a plain purple backdrop"
    tries = [pipe(prompt, tries=1, generator=torch.Generator().manual_seed(seed)).problems[0] for seed in range(6)]
    checked = pipe(prompt, generator=torch.Generator().manual_seed(0)).problems[0]
    assert "no plain purple backdrop" not in checked
    assert all(problem.startswith(("no ", "the ")) for problems in tries for problem in problems)
    impossible = pipe("a cat on snow in front of a plain dark backdrop", tries=1, generator=torch.Generator().manual_seed(1))
    assert any(problem in ("no snow", "no plain dark backdrop") for problem in impossible.problems[0])


def skies(pipe, prompt: str, seeds: int) -> list[bool]:
    """Whether pictures of a prompt show nothing but sky."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(seeds)]
    drawn = pipe([prompt] * seeds, generator=generators)
    assert drawn.problems == [[]] * seeds
    what = torch.cat([tokens.what[0, :1] for tokens in drawn.tokens])
    with torch.no_grad():
        return [is_open_sky(scene.clamp(0, 1)) for scene in pipe.tokenizer.network.background_decoder(what).float()]


def test_open_sky_is_told_from_all_that_has_ground():
    small = [(one.words, picture_of(one)) for one in backgrounds(200, seed=3, side=32, photographs=False)]
    assert not any(is_open_sky(picture) for words, picture in small if len(words) > 1 or "sky" not in words[0])
    plain = [is_open_sky(picture) for words, picture in small if tuple(words) == ("a blue sky",)]
    assert plain and all(plain)


def test_things_do_not_float_in_the_sky_unless_that_is_asked_for(pipe):
    assert not any(skies(pipe, "a bird above a tree", 6)), "of which the prior alone draws every other one before open sky"
    assert not any(skies(pipe, "a house under a blue sky", 3)), "of which it draws all so"
    assert all(skies(pipe, "a rocket before a blue sky", 3))


@pytest.mark.parametrize(
    ("prompt", "grounded"),
    [
        ("a house under a blue sky", True),
        ("under a grey sky, a cat and a dog", True),
        ("two penguins at night", True),
        ("a castle with a sunset sky in the background", True),
        ("a rocket before a blue sky", False),
        ("a kite in front of a blue sky", False),
        ("a bird in the sky", False),
        ("a cat on a lawn under a blue sky", False),
        ("a cat in front of hills under a blue sky", False),
        ("a cat in front of a white wall", False),
        ("a cat", False),
    ],
)
def test_there_is_ground_under_a_sky(pipe, prompt, grounded):
    order = Order.of(prompt, (), pipe.words, pipe.lexicon)
    assert ("hills" in order.text) == (grounded or "hills" in prompt)
    assert "hills" not in order.request.background or "hills" in prompt, "which are not asked for, though"
