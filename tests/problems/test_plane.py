"""Surfaces of one and two numbers: their slopes, their known points, and one reading of them by Python and by torch."""

import pytest
import torch

from unstuck.core.errors import BadInput
from unstuck.problems import linear_chain, linear_chain_slopes, plane
from unstuck.problems.surface import Surface

SURFACES = {name: found for name, found in vars(plane).items() if isinstance(found, Surface)}


def double(*place):
    return torch.tensor(place, dtype=torch.float64)


@pytest.mark.parametrize("name", SURFACES)
def test_the_slope_by_hand_is_that_of_the_loss(name):
    surface = SURFACES[name]
    places = torch.rand(surface.dimensions, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 4 - 2
    for place in places.T:
        slope = surface.objective(*place.tolist()).at().gradient
        assert surface.slope(*place.tolist()) == pytest.approx(slope.tolist(), rel=1e-12, abs=1e-12)
        assert surface.slope_tensor(place).tolist() == pytest.approx(slope.tolist(), rel=1e-12, abs=1e-12)
        assert float(surface.tensor(place)) == pytest.approx(surface.value(*place.tolist()), rel=1e-14)
    assert surface.slope_tensor(places).shape == places.shape and surface.tensor(places).shape == (5,)


@pytest.mark.parametrize(
    ("surface", "place", "loss"),
    [
        (plane.BEALE, (3.0, 0.5), 0.0),
        (plane.ROSENBROCK, (1.0, 1.0), 0.0),
        (plane.LONG_VALLEY, (0.0, 0.0), 0.0),
        (plane.WORST_NETWORK, (0.0, 0.0), 1.0),
        (plane.SADDLE, (0.0, 0.0), 0.0),
        (plane.MONKEY_SADDLE, (0.0, 0.0), 0.0),
    ],
)
def test_known_critical_points(surface, place, loss):
    assert surface.value(*place) == loss and max(map(abs, surface.slope(*place))) == 0.0


def test_a_constant_slope_has_the_places_shape():
    assert Surface("x", "1").slope_tensor(double(3.0)).tolist() == [1.0]
    assert Surface("max(x, y) + exp(x)", "0", "0").tensor(double(0.0, 2.0)).item() == 3.0


def test_slopes_of_many_chains_are_those_of_each():
    weights = torch.randn(12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weights[1] = 0.0
    for length in (1, 2, 3, 4):
        found = linear_chain_slopes(weights, length).reshape(-1, length)
        for chain, slope in zip(weights.reshape(-1, length), found, strict=True):
            wanted = linear_chain(chain.tolist()).gradient(chain).vector
            assert torch.allclose(slope, wanted, rtol=1e-12, atol=1e-14)


def test_only_plain_arithmetic():
    with pytest.raises(BadInput):
        Surface("__import__('os')", "1")
