"""A loss that sums over the batch, and when that hurts."""

from __future__ import annotations

import math

import pytest
from literal_losses import EMPTY, FALLING, NO_SAMPLES, UNSEEN, cross_entropy, run, squared, whole
from literal_recordings import act

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l209_loss_summed import judge
from unstuck.record.recording import Series

SUMMED = {"sum_over": 80}


def summed(accuracy: float) -> dict:
    return whole(cross_entropy(reduction="sum", accuracy=accuracy), **SUMMED)


def test_plain_descent_that_died() -> None:
    answer = judge(run(summed(0.1), loss=[184.0] * 100))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.9
    assert answer.evidence["effective_rate"] == pytest.approx(8.0)
    assert "acts like 8" in answer.sentence


def test_plain_descent_that_diverged() -> None:
    answer = judge(run(summed(0.1), loss=[184.0] * 10 + [math.nan] * 90))
    assert isinstance(answer, Fired) and answer.severity == "error"


def test_a_dead_layer_is_named() -> None:
    recording = run(summed(0.1), loss=[184.0] * 100)
    for sample in recording.main.samples:
        sample["acts"] = [act("relu1", dead=0.0 if sample["s"] < 3 else 1.0)]
    answer = judge(recording)
    assert isinstance(answer, Fired) and answer.evidence["dead_layer"] == "relu1"


def test_a_rate_that_was_tuned_for_the_sum() -> None:
    learned = judge(run(summed(0.97), loss=[80 * v for v in FALLING], learning_rate=0.001))
    stuck = judge(run(summed(0.1), loss=[184.0] * 100, learning_rate=1e-6))
    assert isinstance(learned, Fired) and learned.severity == "info"
    assert isinstance(stuck, Fired) and stuck.severity == "info"


def test_momentum_lengthens_the_step() -> None:
    groups = [{"lr": 0.004, "momentum": 0.9, "params": ["w"]}]
    with_it = judge(run(summed(0.1), loss=[184.0] * 100, learning_rate=0.004, groups=groups))
    without = judge(run(summed(0.1), loss=[184.0] * 100, learning_rate=0.004))
    assert isinstance(with_it, Fired) and with_it.severity == "error"
    assert isinstance(without, Fired) and without.severity == "info"


@pytest.mark.parametrize("kind", ["Adam", "AdamW", "RMSprop", "SomethingUnknown"])
def test_rules_that_divide_by_the_gradient_do_not_care(kind: str) -> None:
    answer = judge(run(summed(0.1), loss=[184.0] * 100, optimizer=kind))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_clipping_bounds_the_step() -> None:
    recording = run(summed(0.1), loss=[184.0] * 100)
    recording.main.clip_maximum = Series(range(100), [1.0] * 100)
    answer = judge(recording)
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_a_limit_that_lets_the_loss_leap_bounds_nothing() -> None:
    recording = run(summed(0.1), loss=[184.0] * 10 + [90_000.0] + [400.0] * 89)
    recording.main.clip_maximum = Series(range(100), [100.0] * 100)
    answer = judge(recording)
    assert isinstance(answer, Fired) and answer.severity == "error"


def test_means_are_sound() -> None:
    assert isinstance(judge(run(whole(cross_entropy()))), Passed)
    # Summed over pixels, averaged over the batch: the step does not grow with the batch.
    assert isinstance(judge(run(whole(squared(), sum_over=784, sum_over_batch=1))), Passed)
    # Divided by the sum of weights.
    assert isinstance(judge(run(whole(cross_entropy(), sum_over=80, factor=1 / 79.2))), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
