"""Rows that a prompt asks for are drawn as rows."""
import pytest
import torch

import vle_gen
from prompts.grammar import parse
from vle_gen.generation.lining_up import SMALLEST, between_of, lined_up, neighbours_of, rows_of
from vle_gen.tokenizer.sizes import FRAME_SCALE


@pytest.fixture(scope="module")
def everyday():
    return vle_gen.load("everyday")


def boxes(tokens):
    return (tokens.where[0, 1:] / torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])).tolist()


@pytest.mark.parametrize("prompt", ["a row of three mushrooms", "a cow, a pig and a sheep side by side"])
def test_rows_stand_on_one_line(everyday, prompt):
    result = everyday(prompt, generator=torch.Generator().manual_seed(1))
    assert result.problems == [[]]
    row = sorted(boxes(result.tokens[0]))
    feet = [y + h / 2 for _, y, _, h in row]
    assert max(feet) - min(feet) < 1e-3
    gaps = [right[0] - right[2] / 2 - left[0] - left[2] / 2 for left, right in zip(row, row[1:], strict=False)]
    assert min(gaps) > 0 and max(gaps) - min(gaps) < 1e-3
    extents = [(w * h) ** 0.5 for _, _, w, h in row]
    assert min(extents) > (0.99 if "mushrooms" in prompt else 0.99 * SMALLEST) * max(extents)


def test_what_is_in_no_row_stays(everyday):
    names = "a cat and a dog side by side and a house behind the dog"
    request = parse(names, everyday.lexicon)
    assert [[str(request.mentions[k]) for k in row] for row in rows_of(request)] == [["cat", "dog"]]
    tokens = everyday("a cat, a dog and a house", generator=torch.Generator().manual_seed(0), tries=1).tokens[0]
    wanted = list(request.mentions)
    house = [one.name for one in wanted].index("house") + 1
    after = lined_up(tokens, request, wanted)
    assert torch.equal(after.where[0, house], tokens.where[0, house]) and not torch.equal(after.where, tokens.where)
    assert lined_up(tokens, parse("a cat left of a dog and a house", everyday.lexicon), wanted) is tokens
    assert lined_up(tokens, request, [None, None, None]) is tokens, "what is what is not known"
    assert lined_up(tokens, None, wanted) is tokens
    assert rows_of(parse("a cat in the top left corner left of and next to a dog", everyday.lexicon)) == []


@pytest.mark.parametrize("seed", [0, 1])
def test_things_of_a_row_keep_the_sizes_that_are_asked_for(everyday, seed):
    result = everyday("a big dog and a small dog side by side", generator=torch.Generator().manual_seed(seed))
    assert result.problems == [[]]
    (_, y, w, h), (_, other_y, other_w, other_h) = sorted(boxes(result.tokens[0]))
    assert abs(y + h / 2 - other_y - other_h / 2) < 1e-3, "and stand on one line"
    assert w * h > SMALLEST**-2 * other_w * other_h


def test_a_way_to_lay_things_is_checked_once_and_the_better_one_kept(everyday, monkeypatch):
    checked = []

    def problems(pipe, tokens, *_):
        checked.append(tokens)
        return ["one"] * (1 + (len(checked) > 1))

    monkeypatch.setattr("vle_gen.generation.drawing._problems", problems)
    everyday("a cat", generator=torch.Generator().manual_seed(1), tries=2)
    assert len(checked) == 2, "of one thing alone there is but one way"
    checked.clear()
    result = everyday("a castle and a red apple", generator=torch.Generator().manual_seed(0), tries=2)
    assert len(checked) == 4 and result.problems == [["one"]]
    assert torch.equal(result.tokens[0].where, checked[0].where), "framed, of which less is wrong than of the other"


@pytest.mark.parametrize(
    "prompt", ["an eagle next to an evergreen tree", "two cats beside a dog", "a bus near a cat and a house behind the bus"]
)
def test_what_is_next_to_a_thing_is_to_its_side(everyday, prompt):
    for seed in (0, 1):
        result = everyday(prompt, generator=torch.Generator().manual_seed(seed))
        assert result.problems == [[]]
        (tokens,) = result.tokens
        called = [str(name) for name in everyday.names(tokens).called]
        neighbours = sorted(box for box, name in zip(boxes(tokens), called, strict=True) if name != "house")
        assert len(neighbours) == (3 if "two" in prompt else 2), called
        for left, right in zip(neighbours, neighbours[1:], strict=False):
            assert right[0] - left[0] > 0.4 * (left[2] + right[2]), "neither is above the other or before it"
            assert abs(left[1] + left[3] / 2 - right[1] - right[3] / 2) < 0.1


def test_neighbours_are_those_of_which_nothing_else_is_asked(everyday):
    def neighbours(prompt):
        request = parse(prompt, everyday.lexicon)
        return [[str(request.mentions[k]) for k in chain] for chain in neighbours_of(request)]

    assert neighbours("a cat next to a dog") == [["cat", "dog"]]
    assert neighbours("a cat next to a dog. the dog is next to a house") == [["cat", "dog", "house"]]
    assert neighbours("a red cube next to a blue sphere") == [], "solids stand on a floor, one behind the other as well"
    assert neighbours("a cat behind and next to a dog") == []
    assert neighbours("a cat left of and next to a dog") == [], "which is a row"
    assert neighbours("a cat in the top left corner next to a dog") == []


@pytest.mark.parametrize("prompt", ["a bear between two trees", "a cat between a dog and a bird"])
def test_what_is_between_two_things_stands_in_a_row_with_them(everyday, prompt):
    for seed in (1, 2):
        result = everyday(prompt, generator=torch.Generator().manual_seed(seed))
        assert result.problems == [[]]
        (tokens,) = result.tokens
        called = [str(name) for name in everyday.names(tokens).called]
        row = sorted(zip(boxes(tokens), called, strict=True))
        assert ("bear" if "bear" in prompt else "cat") in row[1][1], called
        for (left, _), (right, _) in zip(row, row[1:], strict=False):
            assert left[0] + left[2] / 2 < right[0] - right[2] / 2, "none covers another"
            assert left[1] + left[3] / 2 == pytest.approx(right[1] + right[3] / 2, abs=1e-3)


def test_between_two_is_of_what_nothing_else_is_asked(everyday):
    def rows(prompt):
        request = parse(prompt, everyday.lexicon)
        return [[str(request.mentions[k]) for k in chain] for chain in between_of(request)]

    assert rows("a cat between a dog and a bird") == [["dog", "cat", "bird"]]
    assert rows("a cat between two dogs") == [["2 dogs", "cat", "2 dogs"]]
    assert rows("a red cube between a ball and a can") == [], "solids stand on a floor, one behind the other as well"
    assert rows("a cat between a dog and a bird, the cat is behind the dog") == []
    assert rows("a cat in the top left corner between a dog and a bird") == []


def test_what_stands_on_a_neighbour_comes_along(everyday):
    request = parse("a bird on top of a house and a tree next to the house", everyday.lexicon)
    tokens = everyday("a bird, a house and a tree", generator=torch.Generator().manual_seed(0), tries=1).tokens[0]
    wanted = list(request.mentions)
    bird, house = ([one.name for one in wanted].index(name) for name in ("bird", "house"))
    before, after = (torch.tensor(boxes(one)) for one in (tokens, lined_up(tokens, request, wanted)))
    shift = after[house, :2] - before[house, :2]
    assert shift.abs().max() > 0.01
    low, high = before[bird, 2:] / 2 + 0.05, 0.95 - before[bird, 2:] / 2
    expected = (before[bird, :2] + shift).maximum(low).minimum(high)
    assert torch.allclose(after[bird, :2], expected, atol=1e-4), "as far as the house, and not out of the picture"
