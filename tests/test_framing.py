"""Pictures of several things are framed so that these can be told, and stand to one another as they were drawn."""
from dataclasses import replace

import pytest
import torch

import vle_gen
from prompts.grammar import parse
from vle_gen.generation.framing import AMPLE, FLOOR, HORIZON, LARGEST, MARGIN, centred, framed
from vle_gen.prior.room import rests
from vle_gen.tokenizer.sizes import FRAME_SCALE


@pytest.fixture(scope="module")
def everyday():
    return vle_gen.load("everyday")


@pytest.fixture
def asked(everyday):
    return lambda prompt: parse(prompt, everyday.lexicon)


@pytest.fixture(scope="module")
def drawn(everyday):
    return everyday("a pizza, a cat and a house", generator=torch.Generator().manual_seed(0), tries=1).tokens[0]


def standing(drawn, *boxes):
    """The drawn picture with its objects in these boxes (centre, width, height)."""
    drawn = drawn.resized(*drawn.size)
    drawn.where[0, 1:] = torch.tensor(boxes) * torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])
    return drawn


def boxes(tokens):
    return tokens.where[0, 1:] / torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])


def edges(tokens):
    """Left, top, right and bottom of all objects together."""
    box = boxes(tokens)
    return [*(box[:, :2] - box[:, 2:] / 2).amin(0).tolist(), *(box[:, :2] + box[:, 2:] / 2).amax(0).tolist()]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_at_the_edge_of_a_picture_of_a_few_things(everyday, seed):
    tokens = everyday("a castle and a red apple", generator=torch.Generator().manual_seed(seed)).tokens[0]
    left, _, right, bottom = edges(tokens)
    assert left > MARGIN / 2 and right < 1 - MARGIN / 2 and bottom < 1
    assert right - left > 0.4 or boxes(tokens)[:, 2:].max() > AMPLE, "and they fill it"


def test_things_that_stand_together_come_nearer_as_one(drawn, asked):
    before = standing(drawn, (0.8, 0.6, 0.1, 0.2), (0.86, 0.62, 0.12, 0.1), (0.95, 0.66, 0.14, 0.1))
    after = framed(before, asked("a pizza, a cat and a house"))
    factor = boxes(after)[:, 2:] / boxes(before)[:, 2:]
    assert factor.min() > 1.3 and torch.allclose(factor, factor[:1, :1].expand_as(factor)), "all by as much"
    between = (boxes(after)[1:, :2] - boxes(after)[:-1, :2]) / (boxes(before)[1:, :2] - boxes(before)[:-1, :2])
    assert torch.allclose(between, factor[:2]), "and what is between them"
    assert edges(after)[2] < 1 and boxes(after)[:, 0].mean() < boxes(before)[:, 0].mean(), "they were at the right edge"
    assert boxes(after)[:, 2:].max() <= LARGEST and torch.equal(after.depth, before.depth)


@pytest.mark.parametrize("farthest", [0.37, 0.55])
def test_things_at_the_lower_edge_go_up_to_be_larger_but_stay_on_the_floor(drawn, asked, farthest):
    before = standing(drawn, (0.4, farthest, 0.1, 0.1), (0.5, 0.72, 0.12, 0.12), (0.6, 0.88, 0.12, 0.12))
    after = framed(before, asked("a pizza, a cat and a house"))
    factor = boxes(after)[:, 2:] / boxes(before)[:, 2:]
    assert factor.min() > (1.2 if farthest > HORIZON + FLOOR else 1) and edges(after)[3] <= 1 - MARGIN + 1e-5
    feet = [boxes(one)[:, 1] + boxes(one)[:, 3] / 2 for one in (before, after)]
    assert (feet[1] >= feet[0].clamp(max=HORIZON + FLOOR) - 1e-5).all()


def test_small_things_far_apart_grow_where_they_stand(drawn, asked):
    before = standing(drawn, (0.1, 0.6, 0.08, 0.08), (0.5, 0.9, 0.08, 0.1), (0.95, 0.5, 0.1, 0.08))
    after = framed(before, asked("a pizza, a cat and a house"))
    assert (boxes(after)[:, 2:] > 1.5 * boxes(before)[:, 2:]).all()
    foot = [boxes(one)[:, 1] + boxes(one)[:, 3] / 2 for one in (before, after)]
    assert torch.allclose(*foot, atol=0.01) and edges(after)[0] >= MARGIN - 1e-5 and edges(after)[2] <= 1 - MARGIN + 1e-5
    close = standing(drawn, (0.1, 0.6, 0.08, 0.08), (0.14, 0.6, 0.08, 0.08), (0.9, 0.5, 0.1, 0.08))
    again = framed(close, asked("a pizza, a cat and a house"))
    assert torch.allclose(boxes(again)[:, 2:], boxes(close)[:, 2:]), "what touches would come to stand in the other"


def test_things_that_reach_to_both_edges_are_seen_from_farther_away(drawn, asked):
    before = standing(drawn, (0.1, 0.6, 0.2, 0.2), (0.5, 0.6, 0.55, 0.4), (0.9, 0.6, 0.18, 0.2))
    after = framed(before, asked("a pizza, a cat and a house"))
    left, _, right, _ = edges(after)
    assert left >= MARGIN - 1e-5 and right <= 1 - MARGIN + 1e-5
    factor = boxes(after)[:, 2:] / boxes(before)[:, 2:]
    assert factor.min() > 0.8 and torch.allclose(factor, factor[:1, :1].expand_as(factor)), "all by as much"
    sized = framed(before, asked("a small pizza, a cat and a house"))
    assert torch.allclose(boxes(sized)[:, 2:], boxes(before)[:, 2:])


def test_things_above_the_middle_come_down_together_and_nearer(drawn, asked):
    before = standing(drawn, (0.4, 0.12, 0.12, 0.14), (0.4, 0.3, 0.16, 0.22), (0.6, 0.3, 0.12, 0.2))
    after = framed(before, asked("a pizza, a cat and a house"))
    middle = [sum(edges(one)[1::2]) / 2 for one in (before, after)]
    assert middle[1] > middle[0] + 0.1 and edges(after)[1] >= MARGIN - 1e-5
    factor = boxes(after)[:, 2:] / boxes(before)[:, 2:]
    assert factor.min() > 1.2, "for which there was no room at the top"
    between = (boxes(after)[1:, :2] - boxes(after)[:-1, :2]) / (boxes(before)[1:, :2] - boxes(before)[:-1, :2])
    assert between[0, 1] == pytest.approx(float(factor[0, 0]), abs=1e-4), "and stand to one another as they did"


def test_a_picture_that_is_not_square_is_filled_as_well(drawn, asked):
    before = standing(drawn, (0.3, 0.5, 0.05, 0.1), (0.33, 0.5, 0.05, 0.1), (0.36, 0.55, 0.05, 0.1)).resized(160, 320)
    left, top, right, bottom = edges(framed(before, asked("a pizza, a cat and a house")))
    assert left >= 0 and right <= 1 and top >= 0.25 and bottom <= 0.75


def test_what_is_asked_for_stays_where_and_as_large_as_it_is(drawn, asked):
    before = standing(drawn, (0.2, 0.2, 0.1, 0.1), (0.3, 0.6, 0.12, 0.1), (0.4, 0.66, 0.14, 0.1))
    placed = framed(before, asked("a pizza in the top left corner, a cat and a house"))
    assert torch.equal(placed.where, before.where)
    sized = framed(before, asked("a small pizza, a cat and a house"))
    assert torch.allclose(sized.where[..., 1:], before.where[..., 1:]), "moved to the side at most"
    assert framed(before, None) is before


def test_what_grows_does_not_come_to_look_as_if_it_carried_another(drawn, asked):
    before = standing(drawn, (0.5, 0.5, 0.08, 0.08), (0.51, 0.68, 0.1, 0.16), (0.9, 0.6, 0.1, 0.1))
    box, grown = boxes(before), boxes(framed(before, asked("a pizza, a cat and a house")))
    assert not rests(box[:, None], box[None]).any() and not rests(grown[:, None], grown[None]).any()
    assert (grown[:, 2:] > box[:, 2:]).all(), "which lets it grow all the same"


@pytest.mark.parametrize(("place", "down"), [((0.85, 0.15, 0.3, 0.3), 0.5), ((0.15, 0.8, 0.3, 0.3), 0.8)])
def test_one_thing_alone_is_brought_to_the_middle(everyday, place, down):
    """It does not go up, where there may be no floor below it."""
    alone = everyday("a cat", generator=torch.Generator().manual_seed(0), tries=1).tokens[0]
    before = standing(alone, place)
    (box,) = boxes(centred(before, parse("a cat", everyday.lexicon))).tolist()
    assert abs(box[0] - 0.5) < 0.5 * abs(place[0] - 0.5)
    assert box[1:] == pytest.approx((down, *place[2:]))
    corner = centred(before, parse("a cat in the top right corner", everyday.lexicon))
    assert torch.equal(corner.where, before.where), "it is where it is asked to be"


def test_a_way_to_lay_things_that_hides_one_is_not_taken(everyday, monkeypatch):
    from vle_gen.generation import drawing

    seen = []
    monkeypatch.setattr(drawing, "framed", lambda tokens, _: replace(tokens, where=onto_the_first(tokens.where)))
    monkeypatch.setattr(drawing, "_problems", lambda pipe, tokens, *_: seen.append(tokens.where[0, 1:]) or [])
    everyday("a castle and a red apple", generator=torch.Generator().manual_seed(0))
    assert seen and not any(torch.equal(*one) for one in seen)


def onto_the_first(where):
    return torch.cat([where[:, :1], where[:, 1:2].expand(-1, where.shape[1] - 1, -1)], 1)
