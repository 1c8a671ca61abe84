"""Validation losses that turn up while the training loss falls."""

from __future__ import annotations

import random
from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, STANDING, cross_entropy, run, whole

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.t702_overfitting import judge
from unstuck.record.recording import Event, Recording

LINE = {"file": "/home/me/train.py", "line": 41, "function": "validate", "text": "loss_fn(model(x), y)"}
TURNING = [1.0, 0.7, 0.5, 0.45, 0.42, 0.44, 0.48, 0.55, 0.62, 0.7]
STEADY = [1.0, 0.7, 0.5, 0.45, 0.42, 0.41, 0.4, 0.4, 0.39, 0.39]


def looks(losses: list[float], accuracy: list[float] | None = None, **more: Any) -> list[Event]:
    found = []
    for i, loss in enumerate(losses):
        data = {
            "model": "net", "training": False, "look": i + 1, "place": 1, "loss_kind": "nll", "value": loss, "reduction": "mean",
            "accuracy": accuracy[i] if accuracy else None, "r2": None, "examples": 200, "target_mean": 4.5, "target_std": 2.9,
            "commonest": 0.1, "line": LINE, **more,
        }  # fmt: skip
        found.append(Event("evaluation_loss", 10 * i + 9, data))
    return found


def validated(events: list[Event], loss: list[float] = FALLING) -> Recording:
    return run(whole(cross_entropy(accuracy=0.97)), loss=loss, events=events)


def test_the_loss_turned_up() -> None:
    answer = judge(validated(looks(TURNING)))
    assert isinstance(answer, Fired)
    assert (answer.severity, answer.step, answer.where) == ("warning", 49, "train.py:41")
    assert answer.evidence["rise"] == pytest.approx(0.66 / 0.42 - 1)
    assert "best at step 49 (0.42)" in answer.sentence


def test_confidence_grows_and_so_do_right_answers() -> None:
    better = [0.5 + 0.04 * i for i in range(10)]
    answer = judge(validated(looks(TURNING, better)))
    assert isinstance(answer, Fired) and answer.severity == "info"
    answer = judge(validated(looks(TURNING, better[::-1])))
    assert isinstance(answer, Fired) and answer.severity == "warning"


def test_a_rise_that_rests_on_a_few_mistakes_is_information() -> None:
    answer = judge(validated(looks(TURNING, [0.97] * 10)))
    assert isinstance(answer, Fired) and answer.severity == "info"
    answer = judge(validated(looks(TURNING, [0.95] * 10)))
    assert isinstance(answer, Fired) and answer.severity == "warning"


def test_a_small_rise_is_information() -> None:
    answer = judge(validated(looks([1.0, 0.6, 0.5, 0.5, 0.51, 0.53, 0.55, 0.56, 0.57, 0.58])))
    assert isinstance(answer, Fired) and answer.severity == "info"


@pytest.mark.parametrize("seed", range(10))
def test_noise_is_no_turn(seed: int) -> None:
    draw = random.Random(seed)
    noisy = [v + 0.08 * draw.gauss(0, 1) for v in STEADY]
    assert not isinstance(judge(validated(looks(noisy))), Fired)


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(validated(looks(STEADY)), id="still improving"),
        pytest.param(validated(looks(TURNING), STANDING), id="the training loss does not fall: no overfitting"),
        pytest.param(validated(looks([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, 0.39, 0.6])), id="one look at the end"),
    ],
)
def test_health(recording: Recording) -> None:
    assert isinstance(judge(recording), Passed)


def test_training_and_validation_set_by_turns_on_one_line() -> None:
    training = looks([1.0 * 0.5**i for i in range(10)], target_mean=4.4)
    both = [event for pair in zip(training, looks(TURNING), strict=True) for event in pair]
    answer = judge(validated(both))
    assert isinstance(answer, Fired) and answer.evidence["best_validation_loss"] == 0.42
    both = [event for pair in zip(training, looks(STEADY), strict=True) for event in pair]
    assert isinstance(judge(validated(both)), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    passes = [Event("forward_without_gradient", 50, {"model": "net", "training": False, "inputs": []})]
    assert isinstance(judge(validated(passes)), Skipped)
    assert isinstance(judge(validated(looks(TURNING[:3]))), Skipped)
    assert isinstance(judge(validated(looks(TURNING, examples=4))), Skipped)


def test_what_is_measured_otherwise_than_trained_is_not_judged() -> None:
    answer = judge(validated(looks(TURNING, loss_kind="mse")))
    assert isinstance(answer, Skipped) and "another kind" in answer.reason
    assert isinstance(judge(validated(looks(TURNING, loss_kind="cross_entropy_soft"))), Fired)


def test_known_by_heart_and_never_half_right() -> None:
    """No turn at all: the evaluation stands high from the first look on, and the training loss goes to nothing."""
    by_heart = [2.3 * 0.85**i for i in range(100)]
    answer = judge(validated(looks([1.9, 1.8, 1.75, 1.74, 1.73, 1.73]), loss=by_heart))
    assert isinstance(answer, Fired) and answer.severity == "warning" and "by heart" in answer.sentence
    assert answer.evidence["best_validation_loss"] == 1.73
    assert isinstance(judge(validated(looks([1.9, 1.2, 0.6, 0.5, 0.45, 0.44]), loss=by_heart)), Passed)
    sure = looks([1.9, 1.8, 1.75, 1.74, 1.73, 1.73], [0.9] * 6)  # few mistakes, each with great confidence
    assert isinstance(judge(validated(sure, loss=by_heart)), Passed)
    half_way = [0.3 + 2.0 * 0.9**i for i in range(100)]
    assert isinstance(judge(validated(looks([1.9, 1.8, 1.75, 1.74, 1.73, 1.73]), loss=half_way)), Passed)


def test_other_classes_are_no_overfitting() -> None:
    split = looks(TURNING, target_mean=8.5, target_std=0.5)
    assert isinstance(judge(validated(split)), Skipped)
