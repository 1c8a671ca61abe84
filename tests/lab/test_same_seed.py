"""Same seed, same numbers; and the global random numbers are left alone."""

import pytest
import torch

from unstuck.lab import catalog


@pytest.mark.parametrize("name", catalog.names())
def test_same_seed_same_numbers(name):
    experiment = catalog.load(name)
    state = torch.get_rng_state()
    first, second = experiment.run(seed=3), experiment.run(seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    timed = {name for name, number in first.numbers.items() if number.unit in ("s", "ms", "µs")}
    assert {n: v.value for n, v in first.numbers.items() if n not in timed} == {
        n: v.value for n, v in second.numbers.items() if n not in timed
    }
