"""Outputs and targets that broadcast to a table of all pairs."""

from __future__ import annotations

import pytest
from literal_losses import EMPTY, NO_SAMPLES, UNSEEN, run, squared, term, whole

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l205_broadcast_targets import judge


def meeting(output: list[int], target: list[int], joint: list[int]) -> dict:
    return {"output": output, "target": target, "joint": joint}


@pytest.mark.parametrize(("output", "target"), [([32, 1], [32]), ([32], [32, 1])])
def test_a_column_against_a_row_of_numbers(output: list[int], target: list[int]) -> None:
    answer = judge(run(whole(squared(broadcast=meeting(output, target, [32, 32]))), loss=[1.0] * 100))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.95
    assert answer.evidence["joint_shape"] == "(32, 32)"
    assert "(32,)" in answer.sentence and "(32, 1)" in answer.sentence
    assert "unsqueeze" in answer.advice[0].code


def test_other_losses_too() -> None:
    told = term("smooth_l1", broadcast=meeting([8, 1], [8], [8, 8]))
    assert isinstance(judge(run(whole(told))), Fired)


def test_all_pairs_in_two_dimensions_have_a_constant_as_best_answer() -> None:
    told = squared(broadcast=meeting([32, 1], [1, 32], [32, 32]))
    answer = judge(run(whole(told)))
    assert isinstance(answer, Fired) and answer.severity == "warning"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(squared(), id="equal shapes"),
        pytest.param(squared(broadcast=meeting([32, 8, 1], [32, 1, 8], [32, 8, 8])), id="quantiles: three dimensions"),
        pytest.param(squared(broadcast=meeting([32, 1], [1, 32], [32, 32]), weighted=True), id="pairs with weights"),
        pytest.param(
            squared(broadcast=meeting([32, 1], [1, 32], [32, 32]), target_live=True), id="both sides of a model"
        ),
    ],
)
def test_health(told: dict) -> None:
    assert isinstance(judge(run(whole(told))), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
