"""A softmax over a dimension of size one."""

from __future__ import annotations

from literal_losses import (
    EMPTY,
    NO_SAMPLES,
    UNSEEN,
    active,
    amounts,
    binary,
    cross_entropy,
    output,
    run,
    squared,
    whole,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l206_softmax_over_one_unit import judge

ONE = active("softmax", dim=1, size=1, name="softmax after out")
CONSTANT = {"mean": 1.0, "std": 0.0, "min": 1.0, "max": 1.0, "varies": 0.0, "in_unit": True}


def test_yes_or_no_behind_a_softmax() -> None:
    answer = judge(run(whole(binary("bce", ONE, output=output((32, 1), **CONSTANT))), loss=[37.5] * 100))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.95
    assert answer.where == "softmax after out"
    assert "37.5" in answer.sentence
    assert "binary_cross_entropy_with_logits" in answer.advice[0].code


def test_numbers_behind_a_softmax_want_no_activation() -> None:
    told = squared(ONE, output=output((32, 1), **CONSTANT), target=amounts(100, 20))
    answer = judge(run(whole(told), loss=[1e4] * 100))
    assert isinstance(answer, Fired) and "mse_loss" in answer.advice[0].code


def test_the_loss_applies_it_itself() -> None:
    answer = judge(run(whole(cross_entropy(counts={"0": 32})), loss=[0.0] * 100))
    assert isinstance(answer, Fired) and "own log-softmax" in answer.sentence


def test_a_logarithm_between() -> None:
    told = binary("bce", active("log"), ONE, output=output((32, 1), **CONSTANT))
    assert isinstance(judge(run(whole(told))), Fired)


def test_attention_over_one_key_is_not_constant() -> None:
    assert isinstance(judge(run(whole(squared(ONE, output=output((32, 4), varies=0.7))))), Passed)


def test_health() -> None:
    assert isinstance(judge(run(whole(cross_entropy()))), Passed)
    assert isinstance(judge(run(whole(squared()))), NotApplicable)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
    assert isinstance(judge(run(whole({**squared(), "head": None}))), Skipped)
