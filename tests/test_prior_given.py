"""What is fixed before the prior draws, what its options mean, and what a training step counts."""
from __future__ import annotations

import pytest
import torch

from vle_gen.prior.codebook import centres_of, make_groups, shared_out
from vle_gen.prior.network import ANY, BACKGROUND, UNCOUNTED, PriorBatch, PriorNetwork, prior_loss
from vle_gen.prior.places import PlaceCode
from vle_gen.prior.sampling import Given, Guidance, SampledTokens, sample
from vle_gen.prior.sizes import PriorSizes

WIDTH, WHAT = 12, 6


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def network() -> PriorNetwork:
    """A tiny one, of random weights."""
    torch.manual_seed(0)
    sizes = PriorSizes(
        width=32, blocks=1, heads=4, text_blocks=1, flow_width=32, flow_blocks=1, bins=32, codes=16, max_tokens=6,
        neighbours=True,
    )  # fmt: skip
    network = PriorNetwork(sizes, WIDTH, WHAT).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    network.fit_codes(torch.randn(9, WHAT), 1 + 2 * torch.randn(40, WHAT))
    network.stop.weight.data.zero_()
    return network


def draw(network: PriorNetwork, seed: int = 0, **options) -> SampledTokens:
    features, mask = torch.randn(3, 5, WIDTH, generator=seeded(1)), torch.ones(3, 5, dtype=torch.bool)
    return sample(network, features, mask, seeded(seed), flow_steps=2, **options)


def test_numbers_of_a_place_are_fixed_as_they_are_said():
    code = PlaceCode((4.0, 20.0), 128)
    frame, depth = code.decode(code.fixed((0.2, 0.7), extent=0.3, aspect=2.0, depth=9.0))
    assert frame.tolist() == pytest.approx([0.2, 0.7, 0.3 * 2**0.5, 0.3 / 2**0.5], abs=1e-5)
    assert float(depth) == pytest.approx(9, rel=1e-4)
    assert code.fixed(extent=0.3).isnan().tolist() == [True, True, False, True, True]
    assert code.fixed((0.2, 0.7), depth=9.0).isnan().tolist() == [False, False, True, True, False]


def test_each_sample_has_as_many_tokens_as_it_may_and_must(network):
    network.stop.bias.data.fill_(-20.0)  # it would go on for ever
    assert draw(network, given=Given(most=torch.tensor([2, 3, 1]))).length.tolist() == [2, 3, 1]
    network.stop.bias.data.fill_(20.0)  # it would stop at once
    assert draw(network, given=Given(at_least=torch.tensor([1, 4, 2]))).length.tolist() == [1, 4, 2]
    clamped = torch.full((3, 4, 5), torch.nan)
    clamped[1, 2, 0] = 0.5
    drawn = draw(network, given=Given(clamped=clamped))
    assert drawn.length.tolist() == [1, 3, 1], "up to the last one that is fixed"
    (second,) = torch.nonzero(drawn.turn[1, :3] == 2)[:, 0].tolist()
    assert float(drawn.where[1, second, 0]) == pytest.approx(0.5, abs=1e-5)


def test_cold_draws_are_of_the_likeliest_code(network):
    def varied(**options) -> float:
        drawn = [draw(network, seed, noise=0.0, max_tokens=1, **options).what[:, 0] for seed in range(8)]
        return float(torch.stack(drawn).std(0).mean())

    assert varied(temperature=1e-6) < 1e-5 < 0.1 < varied(temperature=1.0)


def test_looks_alone_may_follow_the_text_more_strictly(network):
    plain, strict = (draw(network, max_tokens=2, guidance=Guidance(1.0, what)).what for what in (1.0, 3.0))
    assert plain.shape == strict.shape and not torch.allclose(plain, strict, atol=1e-3)


def test_codes_are_found_the_same_again_and_shared_out_by_number():
    points = torch.randn(60, 2, generator=seeded(0))
    assert torch.equal(make_groups(points, 7), make_groups(points, 7))
    assert shared_out(10, [1, 1, 6]) == [2, 2, 6] and shared_out(3, [5, 1, 1]) == [1, 1, 1]
    assert centres_of(torch.tensor([[0.0], [4.0]]), torch.tensor([0, 2]), 3).tolist() == [[0.0], [2.0], [4.0]]


def test_texts_that_are_dropped_and_counts_that_are_not_known_teach_nothing(network):
    def loss(drop: float, seed: int, mentioned: int):
        batch = PriorBatch(
            what=torch.randn(4, 3, WHAT, generator=seeded(2)),
            where=torch.rand(4, 3, 4, generator=seeded(3)) * 0.5 + 0.2,
            depth=torch.rand(4, 3, generator=seeded(4)) * 10 + 5,
            sort=torch.tensor([[BACKGROUND, ANY, ANY]]).expand(4, 3),
            length=torch.tensor([3, 3, 2, 3]),
            features=torch.randn(4, 5, WIDTH, generator=seeded(seed)),
            mask=torch.ones(4, 5, dtype=torch.bool),
            mentioned=torch.full((4,), mentioned),
        )
        with torch.no_grad():
            return prior_loss(network, batch, drop, 2, seeded(5))

    assert float(loss(1.0, 6, 2).total(0.5, 1.0)) == pytest.approx(float(loss(1.0, 7, 2).total(0.5, 1.0)), abs=1e-5)
    assert float(loss(0.0, 6, 2).total(0.5, 1.0)) != pytest.approx(float(loss(0.0, 7, 2).total(0.5, 1.0)), abs=1e-3)
    assert float(loss(0.0, 6, UNCOUNTED).count) == 0 < float(loss(0.0, 6, 2).count)
