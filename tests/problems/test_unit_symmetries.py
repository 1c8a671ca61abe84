"""Exchanged and flipped hidden units leave a network's outputs as they are, and nothing else of it is touched."""

import math

import pytest
import torch
from torch import nn

from unstuck.core.errors import BadInput
from unstuck.problems.unit_symmetries import exchanged, flipped, log10_symmetries


def network(activation):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), activation(), nn.Linear(6, 5), activation(), nn.Linear(5, 2)).double()


@pytest.mark.parametrize("layer", [0, 1])
def test_the_function_stays_and_the_weights_move(layer):
    model, x = network(nn.Tanh), torch.randn(9, 4, dtype=torch.float64)
    units = (6, 5)[layer]
    before = [p.clone() for p in model.parameters()]
    for twin in (
        exchanged(model, torch.arange(units).roll(1), layer=layer),
        flipped(model, -torch.ones(units, dtype=torch.float64), layer=layer),
    ):
        assert float((twin(x) - model(x)).abs().max()) < 1e-14
        assert any(not torch.equal(a, b) for a, b in zip(twin.parameters(), before, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), before, strict=True))


def test_signs_may_not_be_flipped_through_relu():
    model, x = network(nn.ReLU), torch.randn(9, 4, dtype=torch.float64)
    twin = flipped(model, -torch.ones(6, dtype=torch.float64))
    assert float((twin(x) - model(x)).abs().max()) > 1e-3


def test_the_count():
    assert log10_symmetries(5, odd=False) == pytest.approx(math.log10(120))
    assert log10_symmetries(5, odd=True) == pytest.approx(math.log10(120 * 32))


def test_what_is_no_permutation_is_refused():
    for wrong in (
        lambda m: exchanged(m, torch.zeros(6, dtype=torch.long)),
        lambda m: exchanged(m, torch.arange(2), layer=2),
    ):
        with pytest.raises(BadInput):
            wrong(network(nn.Tanh))
    with pytest.raises(BadInput):
        flipped(network(nn.Tanh), torch.zeros(6, dtype=torch.float64))
