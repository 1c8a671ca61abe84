"""Targets too large for the loss and the step."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from literal_losses import (
    EMPTY,
    NO_SAMPLES,
    UNSEEN,
    active,
    amounts,
    cross_entropy,
    one_hot,
    output,
    run,
    sampled,
    squared,
    term,
    whole,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.d104_targets_not_normalized import judge
from unstuck.record.recording import Recording, Series

SUGAR = amounts(152.0, 77.0)


def told(r2: float | None, target: dict = SUGAR, mean: float = 0.0, varies: float = 40.0) -> dict:
    return whole(squared(target=target, output=output((32, 1), mean=mean, varies=varies), r2=r2))


def test_the_output_has_not_even_arrived() -> None:
    answer = judge(run(told(-2.6, mean=20.0), loss=[29000.0] * 50 + [21000.0] * 50, optimizer="Adam"))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.9
    assert "mean of 20" in answer.sentence and "152" in answer.sentence
    assert "y_train - y_mean" in answer.advice[0].code


def test_the_loss_exploded() -> None:
    answer = judge(run(told(None), loss=[29000.0, 1e9, 1e20] + [math.nan] * 97))
    assert isinstance(answer, Fired) and answer.severity == "error"


def test_smaller_targets_count_when_all_answers_died_alike() -> None:
    small = amounts(41.0, 37.0)
    dead = judge(run(told(0.0, small, mean=41.0, varies=0.0), loss=[20900.0] + [1360.0] * 99))
    assert isinstance(dead, Fired) and dead.severity == "error"
    assert isinstance(judge(run(told(0.0, small, mean=41.0), loss=[20900.0] + [1360.0] * 99)), Passed)


def test_a_run_that_copes() -> None:
    answer = judge(run(told(0.6, mean=150.0), loss=[29000.0] + [2400.0] * 99))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_a_run_that_was_half_over_before_it_arrived() -> None:
    answer = judge(run(told(0.3, mean=150.0), loss=[29000.0] * 50 + [4200.0] * 50))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert "50% of the run went by" in answer.sentence


def test_inputs_that_do_not_say_more() -> None:
    # It arrived at once; what it does not explain is not a matter of the targets' size.
    answer = judge(run(told(0.3, mean=150.0), loss=[29000.0] + [4200.0] * 99))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_without_late_samples_the_loss_tells() -> None:
    recording = run(told(-3.0), loss=[29000.0] * 50 + [21000.0] * 50, steps=range(20))
    answer = judge(recording)
    assert isinstance(answer, Fired) and answer.severity == "error"


def test_health() -> None:
    assert isinstance(judge(run(told(0.1, amounts(3.0, 9.0)), loss=[90.0] * 100)), Passed)
    assert isinstance(judge(run(whole(squared(target=one_hot())))), NotApplicable)
    assert isinstance(judge(run(whole(cross_entropy()))), NotApplicable)
    # A bounded output cannot follow at any scale: another finding.
    bounded = whole(squared(active("sigmoid"), target=SUGAR, output=output((32, 1)), r2=-1.0))
    assert isinstance(judge(run(bounded, loss=[29000.0] * 100)), Passed)
    # The value of a state beside the gain of a policy.
    assert isinstance(judge(run(whole(squared(target=SUGAR, r2=-1.0), term("custom")), loss=[1.0] * 100)), Passed)


def test_optimizers_with_losses_of_their_own() -> None:
    one = run(told(-2.6), loss=[29000.0] * 100).main
    other = replace(one, number=1, loss=Series(range(100), [5.0] * 100))
    assert isinstance(judge(Recording(streams={0: one, 1: other})), Passed)


def test_targets_that_are_not_known() -> None:
    lost = whole(squared(target=None))
    assert isinstance(
        judge(Recording.of(loss=[1e6] * 20, samples=[sampled(s, lost) for s in range(20)])), NotApplicable
    )


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)


def test_one_of_several_terms_that_drowns_the_others() -> None:
    """A count of pixels beside classes: its squares are the whole loss, from the first step to the last."""
    ink = squared(target=amounts(3758.0, 500.0), r2=-56.3, weight=0.5)
    value = 0.5 * 57.3 * 500.0**2 + 2.3
    falls = [value * 0.9**i + 17_000 for i in range(100)]
    answer = judge(run(whole(cross_entropy(accuracy=0.2), ink, value=value), loss=falls))
    assert isinstance(answer, Fired) and answer.severity == "warning" and "hardly count" in answer.sentence
    assert answer.evidence["other_terms"] == pytest.approx(math.log(10), rel=1e-3)
    small = [value * 0.8**i + 20 for i in range(100)]  # it ends at the size of the others
    assert isinstance(judge(run(whole(cross_entropy(accuracy=0.2), ink, value=value), loss=small)), Passed)
    cut = run(whole(cross_entropy(accuracy=0.2), ink, value=value), loss=small)  # the same, and clipped by that term
    steps = list(range(100))
    cut.main.clip_norm, cut.main.clip_maximum = Series(steps, [2000.0] * 100), Series(steps, [5.0] * 100)
    answer = judge(cut)
    assert isinstance(answer, Fired) and "1/400 of the gradient" in answer.sentence
    cut.main.clip_norm = Series(steps, [20.0] * 100)
    assert isinstance(judge(cut), Passed)
    shared = whole(cross_entropy(accuracy=0.2), ink, value=2 * value)  # another term is as large
    assert isinstance(judge(run(shared, loss=falls)), Passed)
