"""An output activation whose range leaves some targets out."""

from __future__ import annotations

import pytest
from literal_losses import (
    EMPTY,
    IN_UNIT,
    NO_SAMPLES,
    UNSEEN,
    active,
    amounts,
    binary,
    output,
    run,
    squared,
    term,
    whole,
    yes_no,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l208_output_cannot_reach_targets import judge


def behind(kind: str, target: dict, r2: float | None = None, **stats: float) -> dict:
    return squared(active(kind), output=output((32, 1), **{**IN_UNIT, **stats}), target=target, r2=r2)


def test_a_sigmoid_on_large_numbers() -> None:
    answer = judge(run(whole(behind("sigmoid", amounts(36, 30, min=3.0, max=103.0), r2=-1.4)), loss=[2180.0] * 100))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.9
    assert "[0, 1]" in answer.sentence and "103" in answer.sentence


def test_a_sigmoid_on_standardized_numbers() -> None:
    answer = judge(run(whole(behind("sigmoid", amounts(), r2=0.3)), loss=[0.7] * 100))
    assert isinstance(answer, Fired) and answer.evidence["excess_in_standard_deviations"] == pytest.approx(2.0)


def test_a_relu_on_standardized_numbers() -> None:
    answer = judge(run(whole(behind("relu", amounts(), r2=0.2, max=4.0)), loss=[0.8] * 100))
    assert isinstance(answer, Fired) and "[0, ∞)" in answer.sentence


def test_severity_follows_what_was_learned() -> None:
    told = [
        judge(run(whole(behind("tanh", amounts(), r2=r2, min=-0.9)), loss=[1.0] * 10 + [1 - r2] * 90))
        for r2 in (0.3, 0.6, 0.9)
    ]
    assert [a.severity for a in told if isinstance(a, Fired)] == ["error", "warning", "info"]


def test_labels_of_minus_one_behind_a_sigmoid() -> None:
    told = term(
        "hinge", (active("sigmoid"),), output=output((32, 1), **IN_UNIT), target=amounts(0.0, 1.0, min=-1.0, max=1.0)
    )
    assert isinstance(judge(run(whole(told))), Fired)


@pytest.mark.parametrize("target", [amounts(5, 6, (32, 64), min=0.0, max=16.0), amounts(0.2, 0.98, min=-1.0, max=1.0)])
def test_binary_cross_entropy_on_targets_outside_its_range(target: dict) -> None:
    answer = judge(run(whole(binary("bce_logits", target=target)), loss=[-10.0 * i for i in range(100)]))
    assert isinstance(answer, Fired) and answer.severity == "error"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(behind("sigmoid", amounts(0.5, 0.2, min=0.0, max=1.0)), id="an autoencoder of pixels in [0, 1]"),
        pytest.param(behind("sigmoid", yes_no()), id="yes and no"),
        pytest.param(behind("tanh", amounts(0, 1, min=-1.0, max=1.0), min=-0.9), id="plus and minus one behind tanh"),
        pytest.param(behind("relu", amounts(1, 1.4, min=-0.2, max=9.0), max=8.0), id="noise around a physical limit"),
        pytest.param(behind("sigmoid", amounts(0.5, 0.2, min=-0.05, max=1.05)), id="a little outside"),
        pytest.param(
            binary("bce", active("sigmoid"), target=amounts(0.3, 0.3, min=0.0, max=1.0)), id="soft yes and no"
        ),
    ],
)
def test_health(told: dict) -> None:
    assert not isinstance(judge(run(whole(told))), Fired)


def test_an_output_that_is_scaled_afterwards_is_left_alone() -> None:
    assert isinstance(judge(run(whole(behind("tanh", amounts(0, 2), min=-1.9, max=1.9)))), NotApplicable)
    assert isinstance(judge(run(whole(squared(target=amounts(50, 10))))), NotApplicable)


def test_one_outlying_batch_is_not_the_rule() -> None:
    recording = run(whole(behind("sigmoid", amounts(0.5, 0.2, min=0.0, max=1.0))))
    recording.main.samples[3] = run(whole(behind("sigmoid", amounts(0.5, 0.2, min=0.0, max=9.0)))).main.samples[3]
    assert isinstance(judge(recording), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
    assert isinstance(judge(run(whole({**squared(), "head": None}))), Skipped)
    assert not isinstance(judge(run(whole({**behind("sigmoid", amounts()), "target": None}))), Fired)
