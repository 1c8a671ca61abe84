"""Trends are judged by the curve's own noise, and one spike does not tilt them."""

from __future__ import annotations

import math
import random

import pytest

from unstuck.findings.evidence.trend import block_means, clipped, mean_between, trend
from unstuck.record.recording import Series


def series(values: list[float]) -> Series:
    return Series(list(range(len(values))), values)


@pytest.mark.parametrize("n", [20, 100, 1000])
def test_false_calls_on_noise_are_rare(n: int) -> None:
    """Three standard errors at ten degrees of freedom: 1.3 % in theory, both sides together."""
    calls = 0
    for seed in range(300):
        draw = random.Random(seed)
        found = trend(series([draw.gauss(1, 0.2) for _ in range(n)]), 0, n)
        assert found is not None
        calls += found.direction != "level"
    assert calls <= 12


def test_neighbors_that_depend_on_each_other_do_not_fool_it() -> None:
    """A slow wander without trend: errors from single steps would call half of these a trend."""
    calls = 0
    for seed in range(200):
        draw = random.Random(seed)
        value, values = 0.0, []
        for _ in range(400):
            value = 0.8 * value + draw.gauss(0, 0.1)
            values.append(1 + value)
        found = trend(series(values), 0, 400)
        assert found is not None
        calls += found.direction != "level"
    assert calls <= 16


def test_the_gain_is_how_far_the_line_falls() -> None:
    found = trend(series([5 - 0.01 * i for i in range(240)]), 0, 240)
    assert found is not None
    # Block means lie half a block from the ends: eleven twelfths of 2.39.
    assert found.gain == pytest.approx(2.2, abs=0.01)
    assert found.direction == "falls" and found.error < 0.01


def test_rising() -> None:
    found = trend(series([1 + 0.1 * i for i in range(30)]), 0, 30)
    assert found is not None and found.direction == "rises" and found.gain < 0


def test_one_spike() -> None:
    values = [1.0 + 0.01 * math.sin(i) for i in range(200)]
    values[190] = 500.0
    found = trend(series(values), 0, 200)
    assert found is not None and found.direction == "level" and found.level < 1.1


def test_what_is_not_finite_is_left_out() -> None:
    values = [2 - 0.01 * i for i in range(60)]
    values[30] = math.nan
    found = trend(series(values), 0, 60)
    assert found is not None and found.direction == "falls"


def test_too_short() -> None:
    assert trend(series([1.0, 2.0, 3.0, 4.0, 5.0]), 0, 5) is None
    assert mean_between(series([1.0]), 5, 9) is None


def test_block_means_use_everything_once() -> None:
    values = [float(i) for i in range(17)]
    means = block_means(values, 5)
    assert len(means) == 5 and means[0] == 1.0 and means[-1] == 15.0


def test_clipping_keeps_short_lists() -> None:
    assert clipped([1.0, 9.0]) == [1.0, 9.0]


def test_very_many_values_give_the_same_line_as_a_part_of_them() -> None:
    """Bounds and scatter of a million steps are told from evenly spread ones; the means from all."""
    noise = random.Random(0)
    steps = range(200_000)
    long = Series(steps, [3 - 1e-5 * i + noise.gauss(0, 0.2) for i in steps])
    found = trend(long, 0, 200_000)
    assert found is not None and found.direction == "falls"
    assert found.gain == pytest.approx(2 * 11 / 12, abs=0.05)
    assert found.scatter == pytest.approx(0.2, rel=0.05) and found.level == pytest.approx(1.25, abs=0.05)


def test_spikes_among_very_many_values_are_pulled_in() -> None:
    values = [1e9 if i % 100_000 == 7 else 1.0 for i in range(200_000)]
    assert max(clipped(values)) == 1.0
