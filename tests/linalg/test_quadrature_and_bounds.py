import numpy as np
import torch

from unstuck.linalg.lanczos import Lanczos
from unstuck.linalg.probability_bound import bound_below, relative_miss, share_interval
from unstuck.linalg.quadrature import gauss, mass_below
from unstuck.linalg.random_start import generator, random_unit


def _cycle(values, steps, seed):
    diagonal = torch.as_tensor(values, dtype=torch.float64)
    start = random_unit(len(values), like=diagonal, source=generator(seed))
    run = Lanczos(lambda v: diagonal * v, start, capacity=steps)
    run.extend(steps)
    return run.first_cycle, (start**2).numpy()


def test_gauss_rule_is_exact_to_its_degree():
    values = np.linspace(-2, 3, 400)
    cycle, weights = _cycle(values, 6, 0)
    rule = gauss(cycle)
    for power in range(12):
        assert np.isclose((rule.weights * rule.nodes**power).sum(), (weights * values**power).sum(), rtol=1e-9)


def test_mass_bounds_hold_for_the_start_vectors_own_measure():
    rng = np.random.default_rng(0)
    for seed in range(20):
        values = np.sort(np.concatenate([rng.normal(size=300) * 0.1, rng.uniform(0, 5, 5)]))
        cycle, weights = _cycle(values, 25, seed)
        for point in (-0.15, -0.01, 0.003, 0.08, 2.0):
            mass = mass_below(cycle, point)
            true = weights[values < point].sum()
            assert mass.least - 1e-10 <= true <= mass.most + 1e-10


def test_relative_miss_shrinks_with_steps_and_is_zero_when_complete():
    misses = [relative_miss(10_000, steps, 1e-3) for steps in (10, 30, 90)]
    assert misses[0] > misses[1] > misses[2] > 0
    assert relative_miss(50, 50, 1e-3) == 0


def test_lower_bound_fails_no_more_often_than_stated():
    # A hard spectrum: one negative eigenvalue far from nothing, everything else crowded at the top.
    failure, missed = 0.2, 0
    values = np.concatenate([[-1.0], np.linspace(0, 1, 499)])
    for seed in range(100):
        cycle, _ = _cycle(values, 8, seed)
        rule = gauss(cycle)
        bound = bound_below(rule.nodes[0], rule.nodes[-1], size=500, steps=8, failure=failure)
        missed += bound.value > -1.0
    assert missed / 100 <= failure


def test_share_interval_holds_the_truth_for_random_starts():
    size, share, missed = 400, 0.1, 0
    for seed in range(200):
        weights = random_unit(size, like=torch.zeros(1, dtype=torch.float64), source=generator(seed)) ** 2
        seen = float(weights[: int(share * size)].sum())
        low, high = share_interval(seen, seen, dimensions=size, probes=1, confidence=0.95)
        missed += not low <= share <= high
    assert missed / 200 <= 0.07
