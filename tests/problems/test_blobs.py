"""Clouds lie where they are said to, as wide as asked for."""

import pytest
import torch

from unstuck.core.errors import BadInput
from unstuck.problems.blobs import blobs


def test_centers_and_spread():
    x, y = blobs(4, count=8000, spread=0.5, seed=3)
    for label in range(4):
        cloud = x[y == label]
        assert len(cloud) == 2000
        assert float(cloud.mean(dim=0).norm()) == pytest.approx(2**0.5, abs=0.05)
        assert cloud.std(dim=0).tolist() == pytest.approx([0.5, 0.5], rel=0.06)


def test_same_seed_same_points_without_global_random_numbers():
    state = torch.get_rng_state()
    assert torch.equal(blobs(seed=1)[0], blobs(seed=1)[0]) and not torch.equal(blobs(seed=1)[0], blobs(seed=2)[0])
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(BadInput):
        blobs(1)
