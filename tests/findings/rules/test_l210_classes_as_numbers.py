"""Class indices under a squared error, and numbers that are numbers."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, NO_SAMPLES, STANDING, TEN, amounts, cross_entropy, labels, output, run, squared, whole

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l210_classes_as_numbers import judge
from unstuck.record.recording import Recording


def regressed(counts: dict[str, int], r2: float = 0.5, **more: Any) -> Recording:
    n = sum(counts.values())
    target = labels(counts, shape=[n, 1], dtype="float32")
    return run(whole(squared(output=output((n, 1)), target=target, r2=r2, **more)), loss=STANDING)


def test_ten_classes_on_one_output() -> None:
    answer = judge(regressed(TEN))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    # Variance of 0 … 9 is 8.25; half of it is left: a deviation of 2.03 classes.
    assert answer.evidence["error_in_classes"] == pytest.approx(2.03, abs=0.01)
    assert answer.evidence["wrongly_rounded"] == pytest.approx(0.81, abs=0.02)


def test_three_kinds_of_wine() -> None:
    answer = judge(regressed({"0": 59, "1": 71, "2": 48}, r2=0.6))
    assert isinstance(answer, Fired) and answer.severity == "warning"


def test_a_fit_that_rounds_rightly() -> None:
    answer = judge(regressed({"0": 30, "1": 30, "2": 30}, r2=0.95))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_ratings_crowd_around_their_middle() -> None:
    answer = judge(regressed({"0": 1, "1": 10, "2": 60, "3": 70, "4": 12, "5": 2}))
    assert isinstance(answer, Fired) and answer.severity == "info"


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(regressed({"0": 40, "1": 40}), id="yes and no"),
        pytest.param(regressed({"1": 40, "2": 40, "3": 40}), id="not from zero"),
        pytest.param(regressed({"0": 40, "1": 40, "5": 40}), id="with gaps"),
        pytest.param(run(whole(squared())), id="amounts"),
        pytest.param(regressed(TEN, target_live=True), id="two outputs compared"),
    ],
)
def test_numbers(recording: Recording) -> None:
    assert isinstance(judge(recording), Passed | NotApplicable)


def test_several_outputs() -> None:
    told = squared(output=output((80, 10)), target=amounts(shape=(80, 10)))
    assert isinstance(judge(run(whole(told))), NotApplicable)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(run(whole(cross_entropy()))), NotApplicable)
