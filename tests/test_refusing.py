"""Places that are drawn again while the prior writes: where there is no room, and where a relation would not hold."""
from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import vle_gen
from prompts import parse
from prompts.request import Mention, Relation, SceneRequest
from prompts.satisfied import CLEAR, ENOUGH, check, holds
from vle_gen.generation.refusing import SINKS_BEHIND, TOLD, Pair, Refusing, least_extent, pairs_of, sinks_of
from vle_gen.prior.room import HOVERS, SINKS, covering, crowded, cut_off, piled, rests
from vle_gen.prior.sampling import Guidance, SampledTokens
from vle_gen.standing import clashes, standings
from vle_gen.tokenizer.sizes import FRAME_SCALE

LARGE, FAR = 0.2, 9.0  # width of a large object's box in canvas units, so far away


def objects(*places: tuple[float, float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Frames (1, N, 4) and depths (1, N) of large objects at (x, y, depth)."""
    rows = [[x, y, *[FRAME_SCALE * LARGE * FAR / depth] * 2] for x, y, depth in places]
    return torch.tensor([rows]), torch.tensor([[depth for _, _, depth in places]])


def draw(pipe, prompts: list[str], generator, refuse=None) -> SampledTokens:
    read = pipe.clip.text_features(prompts)
    return pipe.prior.sample(
        read.tokens.float(), read.mask, generator, guidance=Guidance(3.0, 3.0), flow_steps=2, refuse=refuse
    )


def seeded(count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(k) for k in range(count)]


def right_half(turn, where, depth):
    return where[:, -1, 0] > 0.5


def test_refused_places_are_drawn_again(pipe):
    prompts = ["four cubes", "a red ball and a cube", "three metal things"]
    free, kept = draw(pipe, prompts, seeded(3)), draw(pipe, prompts, seeded(3), right_half)
    assert (free.where[:, 1:, 0] > 0.5).any() and not (kept.where[:, 1:, 0] > 0.5).any()
    for k in range(3):
        alone = draw(pipe, prompts[k : k + 1], seeded(3)[k : k + 1], right_half)
        used = int(alone.length[0])
        assert torch.allclose(alone.where[0], kept.where[k, :used], atol=1e-3), "whatever is refused beside it"


def test_where_nothing_is_refused_nothing_changes(pipe):
    prompts = ["four cubes", "a red ball"]
    free = draw(pipe, prompts, torch.Generator().manual_seed(1))
    same = draw(pipe, prompts, torch.Generator().manual_seed(1), lambda *_: torch.zeros(2, dtype=torch.bool))
    assert torch.equal(free.where, same.where) and torch.equal(free.what, same.what)


def test_a_place_that_is_always_refused_is_written_all_the_same(pipe):
    drawn = draw(pipe, ["four cubes"], torch.Generator().manual_seed(0), lambda *_: torch.ones(1, dtype=torch.bool))
    assert drawn.length[0] > 1 and drawn.where.isfinite().all()


def test_there_is_room_beside_but_not_within():
    assert not crowded(*objects((0.3, 0.5, FAR)))
    assert not crowded(*objects((0.3, 0.5, FAR), (0.7, 0.5, FAR)))
    assert not crowded(*objects((0.3, 0.5, FAR), (0.52, 0.5, FAR))), "side by side"
    assert crowded(*objects((0.3, 0.5, FAR), (0.36, 0.5, FAR))), "one in the other"
    assert crowded(*objects((0.3, 0.5, FAR), (0.31, 0.46, FAR + 3))), "apart, but hidden"
    for x, y in ((0.99, 0.5), (0.01, 0.5), (0.6, 0.99), (0.6, 0.01)):
        assert crowded(*objects((0.3, 0.5, FAR), (x, y, FAR))), "cut off by the edge"


def test_what_is_to_show_is_neither_hidden_nor_cut_off():
    refuse = Refusing([()], room=False, shown=[True])
    for turn, told, *places in (
        (1, False, (0.5, 0.5, FAR)),
        (1, True, (0.95, 0.5, FAR)),
        (2, False, (0.3, 0.5, FAR), (0.45, 0.5, FAR + 3)),
        (2, True, (0.3, 0.5, FAR), (0.33, 0.5, FAR + 3)),
    ):
        assert refuse(turn, *objects(*places)).tolist() == [told], places
        assert Refusing([()], room=False)(turn, *objects(*places)).tolist() == [False], "unless it is to show"


def test_checked_draws_of_several_things_show_each():
    prompts = ["a cat behind a dog, a bird right of the dog", "a car in front of a house, a tree behind the house"]
    for tokens in vle_gen.load("everyday")(prompts, 3, torch.Generator().manual_seed(0)).tokens:
        where = tokens.where[:, 1:]
        for count in range(1, where.shape[1] + 1):
            assert not covering(where[:, :count]) and not cut_off(where[:, :count])


def test_what_is_too_far_is_refused():
    far, near = objects((0.3, 0.3, FAR + 1)), objects((0.3, 0.3, FAR + 1), (0.7, 0.5, FAR))
    assert Refusing([()])(1, *far).tolist() == [False], "nothing is"
    refuse = Refusing([()], farthest=FAR + 0.5)
    assert refuse(1, *far).tolist() == [True] and refuse(2, *near).tolist() == [False], "the newest place counts"


def test_fewer_checked_draws_stand_farther_than_renders_show_things(pipe):
    chain = "a cylinder behind the cube, a green cube behind the cylinder, a blue ball behind the green cube"
    prompt = f"a red ball in front of a cube, {chain} and a gray cylinder behind the blue ball"
    free, kept = (pipe([prompt] * 6, generator=seeded(6), tries=tries).tokens for tries in (1, 2))
    beyond = [sum(float(one.depth[0, 1:].max()) > pipe.prior.config.farthest for one in drawn) for drawn in (free, kept)]
    assert beyond[1] < beyond[0]


def test_relations_are_told_by_turns():
    request = parse("two red cubes left of a ball")
    assert pairs_of(request) == (Pair(1, "left of", 3), Pair(2, "left of", 3))
    assert pairs_of(parse("some red cubes left of a ball")) == (), "how many there will be is not known"
    refuse = Refusing([pairs_of(request)], room=False)
    apart = objects((0.2, 0.5, FAR), (0.8, 0.5, FAR), (0.5, 0.5, FAR))
    assert refuse(3, *apart).tolist() == [True]
    assert refuse(3, *objects((0.2, 0.5, FAR), (0.25, 0.7, FAR), (0.7, 0.5, FAR))).tolist() == [False]
    assert refuse(2, *objects((0.2, 0.5, FAR), (0.8, 0.5, FAR))).tolist() == [False], "the ball is still to come"


def test_checked_draws_stand_apart(pipe):
    prompts = ["four large rubber balls", "four large cubes", "a large red cube next to a large blue cylinder"] * 2
    result = pipe(prompts, generator=[torch.Generator().manual_seed(k) for k in range(len(prompts))], tries=2)
    for tokens in result.tokens:
        stand = standings(tokens)
        assert not any(clashes(stand[k], stand[:k]) for k in range(len(stand)))


def test_a_relation_holds_that_the_prior_was_not_told_of(pipe):
    drawn = draw(pipe, ["a small red ball, a small blue cube"] * 4, seeded(4), Refusing([[Pair(1, "right of", 2)]] * 4))
    for k in range(4):
        first, second = ((drawn.turn[k] == turn).long().argmax() for turn in (1, 2))
        boxes = torch.cat([drawn.where[k, :, :2], drawn.where[k, :, 2:] / FRAME_SCALE], 1).tolist()
        depth = drawn.depth[k].tolist()
        assert holds("right of", boxes[first], depth[first], boxes[second], depth[second], ENOUGH)


def test_a_thing_is_taken_for_what_it_was_drawn_to_be_only_where_that_is_likely(pipe, tokens):
    names = pipe.names(tokens)
    count = len(names.called)
    (purple,), (sphere,) = parse("a purple sphere").mentions, parse("a sphere").mentions
    assert names.given([None] * count) == names.called
    assert names.given([purple] * count) == names.called, "nothing purple is there"
    assert names.given([one.mention for one in names.called]) == names.called
    unsure = replace(names, odds=torch.full_like(names.odds, 1 / len(names.every)))  # a third of all names are of spheres
    assert all(one.fits(sphere) for one in unsure.given([sphere] * count))
    assert not any(one.fits(purple) for one in unsure.given([purple] * count))


def test_few_things_are_drawn_large_enough_to_be_told():
    everyday = vle_gen.load("everyday")

    def extent(prompt: str, seed: int) -> float:
        drawn = everyday(prompt, generator=torch.Generator().manual_seed(seed))
        return float(drawn.tokens[0].where[0, 1:, 2:].amax()) / FRAME_SCALE

    assert all(extent("a cow", seed) >= TOLD[0] for seed in range(4))
    assert any(extent("a small cow", seed) < TOLD[0] for seed in range(4)), "what is asked to be small may be"


def test_how_large_things_are_to_be_at_least():
    names = vle_gen.load("everyday").lexicon
    assert least_extent(parse("a cow", names)) == TOLD[0] > least_extent(parse("a cow and a cat", names)) == TOLD[1]
    for free in ("a small cow", "a cow smaller than a cat", "nine cows"):
        assert least_extent(parse(free, names)) == 0, free


def test_before_and_behind_are_seen_and_not_only_written_down():
    """A thing that hangs above another one does not look as if it were before it, however near its token says it is."""
    hanging, below, beside = (0.4, 0.2, 0.2, 0.2), (0.6, 0.7, 0.2, 0.2), (0.35, 0.75, 0.2, 0.2)
    for margin in (ENOUGH, CLEAR):
        assert not holds("in front of", hanging, 5.0, below, 8.0, margin)
        assert not holds("behind", below, 8.0, hanging, 5.0, margin)
        assert holds("in front of", beside, 5.0, below, 8.0, margin)
        assert holds("behind", below, 8.0, beside, 5.0, margin)
    covering = (0.6, 0.62, 0.2, 0.2)
    assert holds("in front of", covering, 5.0, below, 8.0, CLEAR)


@pytest.mark.parametrize(
    ("near", "far", "before"),
    [
        ((0.65, 0.43, 0.15, 0.15), (0.66, 0.57, 0.16, 0.17), False),  # hangs in the air and covers a part
        ((0.30, 0.45, 0.12, 0.16), (0.52, 0.40, 0.24, 0.26), False),  # beside, as low
        ((0.34, 0.76, 0.15, 0.14), (0.85, 0.72, 0.13, 0.16), False),  # a little lower, but far aside
        ((0.75, 0.75, 0.15, 0.14), (0.85, 0.70, 0.13, 0.16), True),  # no lower than that, and near
        ((0.55, 0.41, 0.20, 0.26), (0.52, 0.40, 0.24, 0.26), True),  # covers it
        ((0.23, 0.86, 0.19, 0.19), (0.58, 0.65, 0.15, 0.14), True),  # clearly lower
    ],
)
def test_what_is_before_a_thing_is_seen_to_be(near, far, before):
    """Of solids depths and a place that is no higher are enough."""
    cat, dog = Mention(name="cat"), Mention(name="dog")
    unknown, kinds = [[-1] * 4] * 2, [{"cat"}, {"dog"}]
    for relation in (Relation(0, "in front of", 1), Relation(1, "behind", 0)):
        problems = check(SceneRequest((cat, dog), (relation,)), unknown, [near, far], [5.0, 8.0], kinds=kinds)
        assert (problems == []) == before, (relation, problems)
    solids = SceneRequest((Mention(shape=0), Mention(shape=1)), (Relation(0, "in front of", 1),))
    broken = check(solids, [[0, 0, 0, 0], [1, 0, 0, 0]], [near, far], [5.0, 8.0])
    assert broken == [], "as it was"


def frames(*boxes):
    """Frames (1, N, 4) of boxes."""
    return torch.tensor([boxes]) * torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])


@pytest.mark.parametrize(
    ("one", "other", "looks"),
    [
        ((0.5, 0.4, 0.2, 0.2), (0.5, 0.65, 0.3, 0.3), True),  # on its top
        ((0.6, 0.44, 0.2, 0.2), (0.5, 0.65, 0.3, 0.3), True),  # a little behind it and aside
        ((0.5, 0.55, 0.2, 0.2), (0.5, 0.65, 0.3, 0.3), False),  # half hidden
        ((0.5, 0.3, 0.2, 0.2), (0.5, 0.65, 0.3, 0.3), False),  # farther off
        ((0.75, 0.4, 0.2, 0.2), (0.5, 0.65, 0.3, 0.3), False),  # aside
        ((0.5, 0.3, 0.5, 0.4), (0.5, 0.65, 0.3, 0.3), False),  # a house behind a cat
    ],
)
def test_what_looks_to_stand_on_another_thing(one, other, looks):
    assert piled(frames(one, other)).tolist() == piled(frames(other, one)).tolist() == [[looks]]
    assert not piled(frames(one, other), HOVERS).any(), "where that is asked for"


def test_which_things_may_look_to_stand_on_one_another():
    names = vle_gen.load("everyday").lexicon
    behind = SINKS_BEHIND
    read = {
        "a book and a cup": {},
        "a cup on top of a book": {(1, 2): HOVERS},
        "a hat on a cat on a car": {(1, 2): HOVERS, (2, 3): HOVERS, (1, 3): HOVERS},
        "a cat below a hat, a dog behind the cat": {(1, 2): HOVERS, (1, 3): behind},
        "a car in front of a house, a tree behind the house": {(1, 2): behind, (2, 3): behind, (1, 3): behind},
    }
    for text, sinks in read.items():
        assert sinks_of(pairs_of(parse(text, names))) == {frozenset(both): most for both, most in sinks.items()}, text
    stacked = frames((0.5, 0.65, 0.3, 0.3), (0.5, 0.41, 0.2, 0.2))
    far = torch.tensor([[8.0, 8.0]])
    for sinks, refused in (({}, True), ({frozenset((1, 2)): HOVERS}, False), (None, False)):
        assert bool(Refusing([()], room=False, sinks=[sinks])(2, stacked, far)) == refused
    sunk = frames((0.5, 0.65, 0.3, 0.3), (0.5, 0.46, 0.2, 0.2))
    assert SINKS_BEHIND < (0.56 - 0.5) / 0.3 < SINKS, "so it is refused beside the other, but not behind it"
    for sinks, refused in (({}, True), ({frozenset((1, 2)): SINKS_BEHIND}, False)):
        assert bool(Refusing([()], room=False, sinks=[sinks])(2, sunk, far)) == refused


def test_things_are_piled_up_only_where_that_is_asked_for():
    everyday = vle_gen.load("everyday")

    def boxes(prompt: str, seed: int) -> torch.Tensor:
        drawn = everyday(prompt, generator=torch.Generator().manual_seed(seed))
        assert drawn.problems == [[]]
        return drawn.tokens[0].where[0, 1:] / torch.tensor([1, 1, FRAME_SCALE, FRAME_SCALE])

    beside = {"a banana next to an apple": 207, "a robot and a computer": 204, "an apple and a pear on a wooden table": 217}
    for prompt, seed in (*beside.items(), ("a camera, a phone and a laptop", 227)):
        box = boxes(prompt, seed)
        assert not rests(box[:, None], box[None]).any(), prompt
    box = boxes("a book on top of a car", 128)
    assert rests(box[:, None], box[None]).any()
