"""An error planted in what an experiment tries is noticed by one of its criteria, and gone afterwards."""

import pytest

from unstuck.lab import catalog

CASES = [(name, index) for name in catalog.names() for index in range(len(catalog.load(name).planted))]


@pytest.mark.parametrize(("name", "index"), CASES, ids=[f"{name}-{index}" for name, index in CASES])
def test_a_planted_error_is_noticed(name, index):
    experiment = catalog.load(name)
    planted = experiment.planted[index]
    with planted.into():
        failed = {criterion.name for criterion in experiment.run(seed=0).criteria if not criterion.passed}
    assert failed, f"nothing noticed that {planted.what}"
    assert set(planted.notices) <= failed
