"""Relapses and time above a constant answer's loss."""

from __future__ import annotations

import math

import pytest

from unstuck.findings.evidence.setbacks import parts, relapse, share_above
from unstuck.record.recording import Recording, Stream


def stream(values: list[float]) -> Stream:
    return Recording.of(loss=values).main


FELL_AND_ROSE = [2.3 - 0.02 * i for i in range(60)] + [2.4] * 60 + [1.5] * 80


def test_a_relapse() -> None:
    found = relapse(stream(FELL_AND_ROSE), 2.3)
    assert found is not None
    assert found.best < 1.2 and found.worst == pytest.approx(2.4) and found.end == pytest.approx(1.5)


@pytest.mark.parametrize(
    "values",
    [
        [2.3 - 0.01 * i for i in range(200)],
        FELL_AND_ROSE[:120] + [0.5] * 80,
        [2.3 - 0.02 * i for i in range(60)] + [1.6] * 140,
        [2.3] * 200,
        [2.3, 1.0, 2.3],
    ],
    ids=["falls", "comes back to its best", "loses a part", "never fell", "too short"],
)
def test_no_relapse(values: list[float]) -> None:
    assert relapse(stream(values), 2.3) is None


def test_without_a_measure_there_is_no_relapse() -> None:
    assert relapse(stream(FELL_AND_ROSE), None) is None


def test_share_above() -> None:
    assert share_above(stream([3.0] * 50 + [1.0] * 150), 2.0) == pytest.approx(0.25)
    assert share_above(stream([]), 2.0) == 0.0


def test_parts_with_a_loss_that_is_not_finite() -> None:
    found = parts(stream([1.0] * 60 + [math.nan] * 60))
    assert len(found) == 40 and found[0] == (0, 1.0) and found[-1][1] == math.inf
