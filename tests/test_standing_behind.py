"""What is asked to be behind a thing does not look to stand on it."""
import pytest
import torch

from prompts.grammar import parse
from vle_gen.generation.standing_behind import COVERED, NEARER, PILED, TOLD, stood_behind
from vle_gen.prior.room import rests
from vle_gen.tokenizer.sizes import FRAME_SCALE

CAT, CAR, TREE = (0.55, 0.45, 0.2, 0.2), (0.5, 0.7, 0.4, 0.3), (0.94, 0.25, 0.08, 0.1)


@pytest.fixture(scope="module")
def everyday(everyday_pipe):
    return everyday_pipe


@pytest.fixture(scope="module")
def drawn(everyday):
    return everyday("a cat, a car and a tree", generator=torch.Generator().manual_seed(0), tries=1).tokens[0]


def boxes(tokens):
    return tokens.where[0, 1:] / torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])


@pytest.fixture
def laid(everyday, drawn):
    def lay(prompt, cat=CAT, tree=TREE):
        before = drawn.resized(*drawn.size)
        before.where[0, 1:] = torch.tensor([cat, CAR, tree]) * torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])
        by_name = {mention.name: mention for mention in parse(prompt, everyday.lexicon).mentions}
        wanted = [by_name[name] for name in ("cat", "car", "tree")]
        return boxes(before), boxes(stood_behind(before, parse(prompt, everyday.lexicon), wanted))

    return lay


@pytest.mark.parametrize("prompt", ["a tree, and a cat behind a car", "a tree, and a car in front of a cat"])
@pytest.mark.parametrize("x", [0.45, 0.55])
def test_it_stands_to_the_side_and_is_covered_in_part(laid, prompt, x):
    before, after = laid(prompt, (x, *CAT[1:]))
    (cat, car, _), was = after, before[0]
    assert torch.equal(after[1:], before[1:]) and rests(was, car, PILED), "it looked to stand on the car"
    assert (cat[0] - car[0]).sign() == (was[0] - car[0]).sign(), "on the side on which it was"
    shared = (cat[2] + car[2]) / 2 - (cat[0] - car[0]).abs()
    assert float(shared / cat[2]) == pytest.approx(COVERED, abs=1e-4)
    assert car[1] < cat[1] + cat[3] / 2 < car[1] + car[3] / 2, "a little higher than the car"
    assert 1 < cat[2] / was[2] <= NEARER + 1e-5 and torch.allclose(cat[2] / was[2], cat[3] / was[3]), "nearer, so larger"


def test_a_size_that_is_asked_for_stays(laid):
    before, after = laid("a tree, and a small cat behind a car")
    assert torch.allclose(after[:, 2:], before[:, 2:]) and not torch.equal(after[0], before[0])


@pytest.mark.parametrize("cat", [(0.1, 0.45, 0.2, 0.2), (0.55, 0.6, 0.2, 0.2), (0.55, 0.15, 0.2, 0.2), (0.1, 0.6, 0.2, 0.2)])
def test_what_is_seen_to_be_behind_stays(laid, cat):
    before, after = laid("a tree, and a cat behind a car", cat)
    assert torch.equal(after, before)


def test_what_stands_hardly_higher_goes_up_or_the_other_one_down(laid):
    before, after = laid("a tree, and a cat behind a car", (0.1, 0.7, 0.2, 0.2))
    assert after[0].tolist() == pytest.approx([0.1, 0.85 - TOLD - 0.1, 0.2, 0.2]) and torch.equal(after[1:], before[1:])
    before, after = laid("a tree left of a cat, the cat is behind a car", (0.1, 0.7, 0.2, 0.2))
    assert after[1].tolist() == pytest.approx([0.5, 0.8 + TOLD - 0.15, 0.4, 0.3]) and torch.equal(after[0], before[0])
    before, after = laid("a tree left of a cat, the cat is behind a car", (0.1, 0.78, 0.2, 0.2))
    assert torch.equal(after, before), "there is no more picture below"


def test_it_goes_to_the_other_side_where_something_else_is_on_its_own(laid):
    (_, car, tree), (cat, _, _) = laid("a tree, and a cat behind a car", (0.45, *CAT[1:]), tree=(0.22, 0.66, 0.2, 0.3))
    assert cat[0] > car[0] > tree[0]
    before, after = laid("a tree, and a cat behind a car", (0.5, 0.48, 0.3, 0.2), tree=(0.5, 0.75, 0.9, 0.3))
    assert torch.equal(after, before), "where there is no room it stays"


@pytest.mark.parametrize("prompt", [
    "a cat left of a car and a tree", "a cat behind a car, a tree to the right of the cat", "a cat behind a car and a tree",
    "a cat on the left behind a car, and a tree", "a cat on top of a car and a tree",
])  # fmt: skip
def test_what_is_asked_to_stand_in_another_way_stays(laid, prompt):
    before, after = laid(prompt)
    assert torch.equal(after, before)


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_piled_on_what_it_is_behind(everyday, seed):
    result = everyday("a cat behind a car", generator=torch.Generator().manual_seed(seed))
    assert result.problems == [[]]
    one, other = boxes(result.tokens[0])
    assert not rests(one, other, PILED) and not rests(other, one, PILED)
