import pytest
import torch

from unstuck.objective import ModelObjective
from unstuck.problems import SMALL_NETWORKS, baldi_hornik, exclusive_or, linear_chain, linear_chain_network, valley


def test_the_chain_and_its_network_are_one_surface():
    for weights in ([0.3, -1.2], [0.5, 2.0, -0.7]):
        formula, network = linear_chain(weights), linear_chain_network(weights)
        place = torch.randn(len(weights), dtype=torch.float64)
        assert formula.value(place) == pytest.approx(network.value(place), rel=1e-12)


def test_the_valley_has_the_known_minimum_and_curvature():
    best = valley(intercept=-188.43319666, slope=2.66945497)
    with best.at() as point:
        eye = torch.eye(2, dtype=torch.float64)
        values = torch.linalg.eigvalsh(point.hvp_block(eye))
    assert values.tolist() == pytest.approx([5.573477, 1746830.43], rel=1e-6)


def test_autoencoder_losses_fall_with_the_number_of_ways_down():
    points = baldi_hornik()
    assert len(points) == 10 and sum(p.truth == "minimum" for p in points) == 1
    for point in points:
        assert point.objective.value(point.objective.start()) == pytest.approx(point.loss, rel=1e-12)


def test_exclusive_or_stands_still_at_one_half():
    found = exclusive_or().gradient(exclusive_or().start())
    assert found.value == pytest.approx(0.5) and float(found.vector.norm()) < 1e-15


@pytest.mark.parametrize("name", SMALL_NETWORKS.names)
def test_networks_are_made_alike_every_time_without_touching_random_numbers(name):
    state = torch.get_rng_state()
    first, second = (SMALL_NETWORKS(name, steps=5) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(a, b)
    objective = ModelObjective(first.model, first.loss, first.batches)
    assert len(first.batches) > 1 and len(first.batches[-1][0]) < len(first.batches[0][0])
    assert objective.size < 1000
