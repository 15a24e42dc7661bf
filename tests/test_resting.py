"""What is on another thing touches it."""
import pytest
import torch

from prompts.grammar import parse
from vle_gen.generation.resting import resting
from vle_gen.tokenizer.sizes import FRAME_SCALE

SPOILER = torch.zeros(32, 32)  # a car as high as its frame at one end, and lower before that
SPOILER[8:24, 20:24], SPOILER[12:24, 8:24] = 1, 1


@pytest.fixture(scope="module")
def drawn(everyday_pipe):
    return everyday_pipe("a cat and a car", generator=torch.Generator().manual_seed(0), tries=1).tokens[0]


def standing(drawn, *boxes):
    """The drawn picture with its two objects in these boxes (centre, width, height), the second with a spoiler."""
    drawn = drawn.resized(*drawn.size)
    drawn.where[0, 1:] = torch.tensor(boxes) * torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])
    drawn.scope[0, 2] = SPOILER
    return drawn


def foot(tokens):
    return float(tokens.where[0, 1, 1] + tokens.where[0, 1, 3] / FRAME_SCALE / 2)


CAR = (0.5, 0.6, 0.4, 0.2)
SURFACE = 0.6 - 0.2 * FRAME_SCALE / 2 + 0.2 * FRAME_SCALE * 12 / 32


@pytest.mark.parametrize("above", [0.01, 0.1])
def test_it_comes_down_to_what_is_below_it(everyday_pipe, drawn, above):
    request = parse("a cat on a car", everyday_pipe.lexicon)
    before = standing(drawn, (0.4, 0.5 - above - 0.2, 0.2, 0.4), CAR)
    after = resting(before, request, list(request.mentions))
    assert foot(before) < foot(after) == pytest.approx(SURFACE, abs=1e-4)
    after.where[0, 1, 1] = before.where[0, 1, 1]
    assert torch.equal(after.where, before.where), "nothing else moves"


def test_what_would_stand_in_it_stays(everyday_pipe, drawn):
    request = parse("a cat on a car", everyday_pipe.lexicon)
    for box in ((0.4, 0.45, 0.05, 0.05), (0.4, 0.55, 0.2, 0.2), (0.05, 0.4, 0.05, 0.2)):  # small, touching already, and aside
        before = standing(drawn, box, CAR)
        assert torch.equal(resting(before, request, list(request.mentions)).where, before.where)


def test_only_what_is_asked_to_be_on_a_thing_does(everyday_pipe, drawn):
    before = standing(drawn, (0.4, 0.3, 0.2, 0.4), CAR)
    over = parse("a cat above a car", everyday_pipe.lexicon)
    assert resting(before, over, list(over.mentions)) is before
    request = parse("a cat on a car", everyday_pipe.lexicon)
    assert torch.equal(resting(before, request, [None, None]).where, before.where), "what is what is not known"
    assert resting(before, None, [None, None]) is before


@pytest.fixture(scope="module")
def three(everyday_pipe):
    return everyday_pipe("a cat, a car and a car", generator=torch.Generator().manual_seed(0), tries=1).tokens[0]


def placed(tokens, *boxes):
    """A drawn picture with its objects in these boxes (centre, width, height), each of which fills its own."""
    tokens = tokens.resized(*tokens.size)
    tokens.where[0, 1:] = torch.tensor(boxes) * torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])
    tokens.scope[0, 1:] = 0
    tokens.scope[0, 1:, 8:24, 8:24] = 1  # a frame is twice as large as the box
    return tokens


def feet(tokens):
    return (tokens.where[0, 1:, 1] + tokens.where[0, 1:, 3] / FRAME_SCALE / 2).tolist()


def test_what_a_thing_is_on_is_one_pile(everyday_pipe, three):
    """There was a gap between the two books that a teapot stood on."""
    request = parse("a cat on two cars", everyday_pipe.lexicon)
    wanted = [request.mentions[0], request.mentions[1], request.mentions[1]]
    before = placed(three, (0.5, 0.25, 0.2, 0.1), (0.52, 0.45, 0.2, 0.1), (0.5, 0.8, 0.2, 0.2))
    after = resting(before, request, wanted)
    assert feet(after) == pytest.approx([0.6, 0.7, 0.9], abs=1e-4)
    assert torch.equal(after.where[..., [0, 2, 3]], before.where[..., [0, 2, 3]]), "they come down and nothing else"


def test_things_side_by_side_are_no_pile(everyday_pipe, three):
    request = parse("a cat on two cars", everyday_pipe.lexicon)
    wanted = [request.mentions[0], request.mentions[1], request.mentions[1]]
    before = placed(three, (0.3, 0.35, 0.2, 0.1), (0.3, 0.6, 0.2, 0.2), (0.7, 0.8, 0.2, 0.2))
    assert feet(resting(before, request, wanted)) == pytest.approx([0.5, 0.7, 0.9], abs=1e-4)


def test_each_of_several_comes_down_to_what_it_is_over(everyday_pipe, three):
    """A hat hovered over each of two heads."""
    request = parse("two cats on a car", everyday_pipe.lexicon)
    wanted = [request.mentions[1], request.mentions[0], request.mentions[0]]
    before = placed(three, (0.5, 0.8, 0.4, 0.2), (0.4, 0.4, 0.1, 0.1), (0.6, 0.5, 0.1, 0.1))
    assert feet(resting(before, request, wanted)) == pytest.approx([0.9, 0.7, 0.7], abs=1e-4)


def test_a_picture_shows_it_so(everyday_pipe):
    """A penguin floated well over the car that it is on."""
    result = everyday_pipe("a penguin on a car", generator=torch.Generator().manual_seed(2))
    assert result.problems == [[]]
    (tokens,) = result.tokens
    called = [str(name) for name in everyday_pipe.names(tokens).called]
    request = parse("a penguin on a car", everyday_pipe.lexicon)
    wanted = [request.mentions[name != "penguin"] for name in called]
    assert torch.allclose(resting(tokens, request, wanted).where, tokens.where, atol=1e-5), "it rests already"
