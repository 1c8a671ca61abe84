"""Squared or absolute error on classes, and what is no classifier though it looks like one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from literal_losses import (
    EMPTY,
    IN_UNIT,
    NO_SAMPLES,
    PROBABILITIES,
    UNSEEN,
    active,
    amounts,
    features,
    one_hot,
    output,
    run,
    squared,
    term,
    whole,
    yes_no,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l204_squared_error_for_classes import judge
from unstuck.record.recording import Recording, Series

SOFTMAX = active("softmax", dim=1, size=10)


def classifier(accuracy: float) -> dict:
    return squared(SOFTMAX, output=output(**PROBABILITIES), target=one_hot(), accuracy=accuracy)


def test_a_stuck_classifier_is_warned_of() -> None:
    answer = judge(run(whole(classifier(0.2)), loss=[0.09] * 100))
    assert isinstance(answer, Fired)
    assert answer.severity == "warning" and answer.confidence == pytest.approx(0.85)
    assert "behind a softmax" in answer.sentence and "20%" in answer.sentence
    assert "cross_entropy" in answer.advice[0].code


def test_one_that_learned_is_information_only() -> None:
    answer = judge(run(whole(classifier(0.97)), loss=[0.09] * 20 + [0.01] * 80))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_absolute_error_behind_a_sigmoid() -> None:
    told = term("l1", (active("sigmoid"),), output=output((4, 1), **IN_UNIT), target=yes_no(0.5, (4, 1)), r2=0.0)
    answer = judge(run(whole(told), loss=[0.5] * 100))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert "absolute error on yes/no targets behind a sigmoid" in answer.sentence


def test_behind_a_softmax_more_is_asked_than_on_raw_scores() -> None:
    flat = judge(run(whole(classifier(0.7)), loss=[0.09] * 20 + [0.05] * 80))
    straight = judge(
        run(whole(squared(output=output(), target=one_hot(), accuracy=0.7)), loss=[0.09] * 20 + [0.05] * 80)
    )
    assert isinstance(flat, Fired) and flat.severity == "warning"
    assert isinstance(straight, Fired) and straight.severity == "info"


def test_exclusive_or_that_is_solved() -> None:
    told = squared(active("sigmoid"), output=output((4, 1), **IN_UNIT), target=yes_no(0.5, (4, 1)), r2=0.99)
    answer = judge(run(whole(told), loss=[0.25] * 50 + [0.001] * 50))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_without_late_samples_the_loss_decides() -> None:
    stuck = judge(run(whole({**classifier(0.1)}), loss=[0.09] * 100, steps=range(20)))
    learned = judge(run(whole({**classifier(0.1)}), loss=[0.09] * 20 + [0.01] * 80, steps=range(20)))
    assert isinstance(stuck, Fired) and stuck.severity == "warning"
    assert isinstance(learned, Fired) and learned.severity == "info"


def test_numbers_are_not_classes() -> None:
    assert isinstance(judge(run(whole(squared()))), NotApplicable)
    assert isinstance(judge(run(whole(squared(active("sigmoid"), target=amounts(0.5, 0.1))))), NotApplicable)


def test_an_image_of_zeros_and_ones_is_not_a_class() -> None:
    told = squared(active("sigmoid"), output=output((32, 64), **IN_UNIT), target=yes_no(0.4, (32, 64)))
    assert isinstance(judge(run(whole(told))), NotApplicable)


def test_an_autoencoder_of_one_hot_rows() -> None:
    rows = one_hot({str(c): 1 for c in range(8)}, mean=0.125)
    told = squared(active("sigmoid"), output=output((8, 8), **IN_UNIT), target=rows)
    given = features(shape=[8, 8], mean=0.125, min=0.0, max=1.0)
    assert isinstance(judge(run(whole(told), loss=[0.1] * 100, parts={"inputs": [given]})), Passed)


def test_least_squares_adversaries() -> None:
    told = squared(active("sigmoid"), output=output((32, 1), **IN_UNIT), target=yes_no(1.0, batch_equal=True))
    assert isinstance(judge(run(whole(told), loss=[0.3] * 100)), Passed)
    one = run(whole(squared(active("sigmoid"), output=output((32, 1), **IN_UNIT), target=yes_no())), loss=[0.3] * 100)
    other = replace(one.main, number=1, loss=Series(range(100), [0.4] * 100))
    assert isinstance(judge(Recording(streams={0: one.main, 1: other})), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
