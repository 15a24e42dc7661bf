"""Batches that are drawn ahead of their steps."""
import pytest
import torch

from vle_gen.training.ahead import Ahead


def drawn(generator: torch.Generator) -> torch.Tensor:
    return torch.rand(4, generator=generator)


def test_a_batch_depends_on_seed_and_step_alone():
    straight = Ahead(drawn, 3, torch.device("cpu"))
    wanted = [straight.take(step) for step in range(3)]
    resumed = Ahead(drawn, 3, torch.device("cpu"))
    resumed.begin(7)  # of no use: the run goes on elsewhere
    resumed.begin(1)
    assert torch.equal(resumed.take(1), wanted[1])
    assert torch.equal(resumed.take(2), wanted[2])
    assert not torch.equal(wanted[0], wanted[1])
    assert not torch.equal(Ahead(drawn, 4, torch.device("cpu")).take(0), wanted[0])


def test_what_fails_while_drawing_is_raised_where_the_batch_is_taken():
    def fails(generator: torch.Generator) -> torch.Tensor:
        raise ValueError("no such sprite")

    ahead = Ahead(fails, 0, torch.device("cpu"))
    ahead.begin(0)
    with pytest.raises(ValueError, match="no such sprite"):
        ahead.take(0)
