"""Probabilities into a loss that applies the sigmoid itself."""

from __future__ import annotations

import math

import pytest
from literal_losses import EMPTY, IN_UNIT, NO_SAMPLES, PROBABILITIES, UNSEEN, active, binary, output, run, whole, yes_no

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l203_double_sigmoid import judge


def test_sigmoid_before_logits_loss() -> None:
    told = binary(
        "bce_logits",
        active("sigmoid", name="sigmoid after out"),
        output=output((32, 1), **IN_UNIT),
        target=yes_no(0.625),
    )
    answer = judge(run(whole(told), loss=[0.7] * 100))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.9
    # Scores of 1 for the positive share and of 0 for the rest are the best that is left.
    best = 0.625 * -math.log(1 / (1 + math.exp(-1))) + 0.375 * -math.log(0.5)
    assert answer.evidence["loss_floor"] == pytest.approx(best)
    assert "0.50" in answer.sentence and "0.73" in answer.sentence


def test_softmax_before_logits_loss() -> None:
    told = binary(
        "bce_logits", active("softmax", dim=1), output=output((80, 10), **PROBABILITIES), target=yes_no(0.1, (80, 10))
    )
    assert isinstance(judge(run(whole(told))), Fired)


def test_sigmoid_before_soft_margin() -> None:
    assert isinstance(
        judge(run(whole(binary("soft_margin", active("sigmoid"), output=output((32, 1), **IN_UNIT))))), Fired
    )


def test_health() -> None:
    assert isinstance(judge(run(whole(binary("bce_logits")))), Passed)
    assert isinstance(judge(run(whole(binary("bce_logits", active("tanh"))))), Passed)
    # A gate that multiplies something else: the values leave [0, 1].
    assert isinstance(judge(run(whole(binary("bce_logits", active("sigmoid"), output=output((32, 1)))))), Passed)
    assert isinstance(
        judge(run(whole(binary("bce", active("sigmoid"), output=output((32, 1), **IN_UNIT))))), NotApplicable
    )


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
    answer = judge(
        run(whole({**binary("bce_logits"), "head": None}), parts={"unseen": [{"what": "checkpointed", "why": ""}]})
    )
    assert isinstance(answer, Skipped) and "checkpointed" in answer.reason
