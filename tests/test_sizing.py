"""Sizes and numbers of things are as a prompt asks for them, whatever the prior has seen of that name."""
import pytest
import torch

import vle_gen
from prompts.grammar import parse
from prompts.places import LARGE, SMALL, extent
from vle_gen.generation.refusing import Refusing, sizes_of, written_by
from vle_gen.generation.sizing import ALONE, least_drawn, sized
from vle_gen.prior.room import cut_off
from vle_gen.tokenizer.sizes import FRAME_SCALE


@pytest.fixture(scope="module")
def everyday():
    return vle_gen.load("everyday")


def drawn(pipe, prompt, seed=0, **options):
    return pipe(prompt, generator=torch.Generator().manual_seed(seed), **options)


def boxes(tokens):
    where = tokens.where[0, 1:].clone()
    where[:, 2:] /= FRAME_SCALE
    return where.tolist()


@pytest.mark.parametrize("prompt", ["a tiny castle", "a huge ant", "a large apple and a small house"])
def test_what_is_asked_to_be_small_or_large_is(everyday, prompt):
    result = drawn(everyday, prompt)
    assert result.problems == [[]]
    sizes = sorted(extent(box) for box in boxes(result.tokens[0]))
    for mention in parse(prompt, everyday.lexicon).mentions:
        assert sizes[0] < SMALL if mention.size == 0 else sizes[-1] > LARGE


def test_one_thing_alone_is_never_too_small_to_be_told(everyday):
    """Crabs are small in all that the prior has seen."""
    for seed in range(3):
        (box,) = boxes(drawn(everyday, "a crab", seed).tokens[0])
        assert max(box[2:]) > ALONE - 1e-4 and abs(box[0] - 0.5) < 0.16, "and it stands near the middle"


def test_one_thing_alone_is_larger_where_it_is_to_be_large_and_fits_into_a_corner():
    names = vle_gen.load("everyday").lexicon
    asked = ("a large crab", "a crab", "a crab in the top left corner", "a small crab", "a crab and a cat")
    least = [least_drawn(parse(text, names)) for text in asked]
    assert least[0] > least[1] > least[2] > 0 and least[3:] == [0, 0]


def test_what_is_scaled_stands_where_it_stood_and_is_not_cut_off(everyday):
    tokens = drawn(everyday, "a castle", tries=1).tokens[0]
    (small,), (large,) = (parse(text, everyday.lexicon).mentions for text in ("a small castle", "a large castle"))
    foot = [round(y + h / 2, 4) for _, y, _, h in boxes(tokens)]
    less = sized(tokens, [small])
    assert [round(y + h / 2, 4) for _, y, _, h in boxes(less)] == foot and extent(boxes(less)[0]) < SMALL
    assert torch.equal(sized(less, [small]).where, less.where) and torch.equal(sized(tokens, [None]).where, tokens.where)
    less.where[0, 1, :2] = torch.tensor([0.05, 0.05])
    more = sized(less, [large])
    assert extent(boxes(more)[0]) > LARGE and not cut_off(more.where[:, 1:]).any()


def test_places_of_a_size_that_was_not_asked_for_are_refused(everyday):
    written = written_by(parse("a large dog left of a small cat and a cow", everyday.lexicon))
    assert sizes_of(written) == {1: 1, 2: 0}
    assert sizes_of(written_by(parse("a large ball", everyday.lexicon))) == {}, "solids have a size of their own"
    where = torch.tensor([[[0.5, 0.5, FRAME_SCALE * side, FRAME_SCALE * side]] for side in (0.2, 0.9 * LARGE, 1.1 * LARGE)])
    refusing = Refusing([()] * 3, room=False, sized=[sizes_of(written)] * 3)
    assert refusing(1, where, torch.full((3, 1), 8.0)).tolist() == [True, True, False]


@pytest.mark.parametrize(("prompt", "count"), [("nothing", 0), ("a cat with a dog", 2), ("seven cats", 7)])
def test_as_many_things_are_drawn_as_were_asked_for(everyday, prompt, count):
    result = drawn(everyday, prompt)
    assert len(result.tokens[0]) == 1 + count and result.problems == [[]]


def test_more_solids_than_any_layout_of_training_has(pipe):
    result = drawn(pipe, "seven balls")
    assert len(result.tokens[0]) == 8 and result.problems == [[]]
