"""What is asked to be above a thing is near to it."""
import pytest
import torch

from prompts.grammar import parse
from vle_gen.generation.closing_up import NEAR, closed_up
from vle_gen.tokenizer.sizes import FRAME_SCALE

BOXES = [(0.5, 0.1, 0.1, 0.1), (0.5, 0.2, 0.2, 0.1), (0.55, 0.8, 0.2, 0.2)]  # a pizza, a cat and a house


@pytest.fixture(scope="module")
def everyday(everyday_pipe):
    return everyday_pipe


@pytest.fixture(scope="module")
def drawn(everyday):
    tokens = everyday("a pizza, a cat and a house", generator=torch.Generator().manual_seed(0), tries=1).tokens[0]
    tokens.where[0, 1:] = torch.tensor(BOXES) * torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])
    return tokens


def heights(tokens):
    return tokens.where[0, 1:, 1].tolist()


@pytest.fixture
def closed(everyday, drawn):
    def close(prompt, wanted=None):
        request = parse(prompt, everyday.lexicon)
        by_name = {mention.name: mention for mention in request.mentions}
        return closed_up(drawn, request, [by_name[name] for name in ("pizza", "cat", "house")] if wanted is None else wanted)

    return close


NEARBY = 0.7 - NEAR - 0.05  # where a thing 0.1 high is near to the house


@pytest.mark.parametrize(("prompt", "expected"), [
    ("a cat above a house and a pizza", [0.1, NEARBY, 0.8]),
    ("a pizza, and a house below a cat", [0.1, NEARBY, 0.8]),
    ("a pizza on top of a cat, the cat is above a house", [NEARBY - 0.1, NEARBY, 0.8]),
    ("a pizza above a cat, the cat is above a house", [NEARBY - 0.1 - NEAR, NEARBY, 0.8]),
    ("a pizza left of a cat, the pizza is above a house", [NEARBY, NEARBY + 0.1, 0.8]),
    ("a house, and a pizza above a cat", [0.1, 0.2, 0.8]),  # near to it already
])  # fmt: skip
def test_what_is_above_comes_down_with_what_stands_by_it(closed, drawn, prompt, expected):
    after = closed(prompt)
    assert heights(after) == pytest.approx(expected, abs=1e-5)
    assert torch.equal(after.where[..., [0, 2, 3]], drawn.where[..., [0, 2, 3]])


@pytest.mark.parametrize("prompt", [
    "a cat left of a house and a pizza", "a cat in the top left corner above a house, and a pizza",
    "a cat above a house, the cat is behind the house, and a pizza",
])  # fmt: skip
def test_what_is_not_asked_to_be_above_or_has_a_place_stays(closed, drawn, prompt):
    assert torch.equal(closed(prompt).where, drawn.where)


def test_what_is_not_known_stays(closed, drawn):
    assert torch.equal(closed("a cat above a house and a pizza", [None] * 3).where, drawn.where)


@pytest.mark.parametrize("seed", range(3))
def test_drawn_pictures_show_the_two_together(everyday, seed):
    result = everyday("a genie above a joker", generator=torch.Generator().manual_seed(seed))
    assert result.problems == [[]]
    (_, y, _, h), (_, other_y, _, other_h) = sorted(result.tokens[0].where[0, 1:].tolist(), key=lambda box: box[1])
    assert 0 < other_y - other_h / FRAME_SCALE / 2 - (y + h / FRAME_SCALE / 2) < 2 * NEAR
