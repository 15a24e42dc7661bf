"""Backgrounds that a prompt asks for are looked for in what was drawn, by their colours."""
from __future__ import annotations

import pytest
import torch

import vle_gen
from prompts.grounds import Grounds
from prompts.lexicon import Lexicon
from vle_gen.data.backgrounds import backgrounds
from vle_gen.ground_looks import looks_of, unshown


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
