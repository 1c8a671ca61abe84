"""Softmax or sigmoid before a loss that applies softmax itself."""

from __future__ import annotations

import math

import pytest
from literal_losses import (
    EMPTY,
    FALLING,
    IN_UNIT,
    LINE,
    NO_SAMPLES,
    OWN,
    PROBABILITIES,
    UNSEEN,
    active,
    cross_entropy,
    labels,
    one_hot,
    output,
    run,
    term,
    whole,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l201_double_softmax import judge

SOFTMAX = active("softmax", dim=1, size=10, name="softmax after out")


def test_softmax_before_cross_entropy() -> None:
    answer = judge(run(whole(cross_entropy(SOFTMAX, output=output(**PROBABILITIES), accuracy=0.2))))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.9
    assert answer.evidence["loss_floor"] == pytest.approx(math.log(math.e + 9) - 1)
    assert "1.461" in answer.sentence and "softmax after out" in answer.sentence
    assert answer.line == LINE and answer.step == 0
    assert "cross_entropy" in answer.advice[0].code


def test_the_floor_is_what_a_perfect_answer_costs() -> None:
    # The loss of the scores (1, 0, …, 0) under cross-entropy, computed the long way.
    answer = judge(run(whole(cross_entropy(SOFTMAX, output=output(**PROBABILITIES)))))
    assert isinstance(answer, Fired)
    scores = [1.0] + [0.0] * 9
    loss = -scores[0] + math.log(sum(map(math.exp, scores)))
    assert answer.evidence["loss_floor"] == pytest.approx(loss)


def test_a_run_that_learned_gets_a_warning() -> None:
    told = cross_entropy(SOFTMAX, output=output(**PROBABILITIES), accuracy=0.97)
    answer = judge(run(whole(told), loss=[1.5] * 100))
    assert isinstance(answer, Fired) and answer.severity == "warning"


def test_a_loss_at_its_floor_gets_a_warning_without_right_answers() -> None:
    told = cross_entropy(SOFTMAX, output=output(**PROBABILITIES))
    near = judge(run(whole(told), loss=[2.3] * 50 + [1.48] * 50))
    far = judge(run(whole(told), loss=[2.3] * 50 + [2.1] * 50))
    assert isinstance(near, Fired) and near.severity == "warning"
    assert isinstance(far, Fired) and far.severity == "error"


def test_soft_targets() -> None:
    told = term("cross_entropy_soft", (OWN, SOFTMAX), output=output(**PROBABILITIES), target=one_hot())
    assert isinstance(judge(run(whole(told))), Fired)


def test_a_sigmoid_for_each_class() -> None:
    told = cross_entropy(active("sigmoid"), output=output(**IN_UNIT))
    answer = judge(run(whole(told)))
    assert isinstance(answer, Fired) and 0.9 <= answer.confidence < 0.97


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(cross_entropy(), id="raw scores"),
        pytest.param(cross_entropy(active("relu")), id="relu"),
        pytest.param(cross_entropy(active("log_softmax", dim=1, size=10)), id="log-softmax twice changes nothing"),
        pytest.param(cross_entropy(active("log"), active("softmax", dim=1)), id="logarithm of a softmax"),
        pytest.param(
            cross_entropy(SOFTMAX, output=output(min=0.0, max=9.0, row_sum_one=0.0)),
            id="a gate: rows do not sum to one",
        ),
        pytest.param(
            cross_entropy(active("sigmoid"), output=output(min=-2.0, max=2.0)), id="a gate: values leave [0, 1]"
        ),
    ],
)
def test_health(told: dict) -> None:
    assert isinstance(judge(run(whole(told), loss=FALLING)), Passed)


def test_a_softmax_in_a_few_steps_is_not_the_rule() -> None:
    recording = run(whole(cross_entropy()))
    odd = run(whole(cross_entropy(SOFTMAX, output=output(**PROBABILITIES)))).main.samples
    recording.main.samples[:3] = odd[:3]
    assert isinstance(judge(recording), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    answer = judge(UNSEEN)
    assert isinstance(answer, Skipped) and "compiled" in answer.reason
    assert isinstance(judge(run(whole(term("mse", target=labels())))), NotApplicable)
    # A likelihood whose activations could not be read is not known to apply a softmax.
    assert not isinstance(judge(run(whole(term("nll", None)))), Fired)
