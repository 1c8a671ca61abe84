"""How the loss went, against the best answer that ignores the inputs."""

from __future__ import annotations

import math

import pytest
from literal_losses import (
    FALLING,
    STANDING,
    amounts,
    binary,
    cross_entropy,
    one_hot,
    output,
    run,
    sampled,
    squared,
    term,
    whole,
    yes_no,
)

from unstuck.findings.evidence.loss_course import loss_course
from unstuck.record.recording import Recording


def test_a_classifier_that_learned() -> None:
    course = loss_course(run(whole(cross_entropy(accuracy=0.97)), loss=FALLING))
    assert course.outcome == "well" and not course.hurt and not course.diverged
    assert course.baseline == pytest.approx(math.log(10))
    assert course.skill == pytest.approx((0.97 - 0.1) / 0.9)
    assert "97%" in course.sentence


@pytest.mark.parametrize(("accuracy", "outcome"), [(0.1, "nothing"), (0.4, "some"), (0.7, "learned"), (0.9, "well")])
def test_outcomes(accuracy: float, outcome: str) -> None:
    assert loss_course(run(whole(cross_entropy(accuracy=accuracy)))).outcome == outcome


def test_the_better_of_answers_and_loss_counts() -> None:
    # Class weights or a smoothed label keep the loss high though the answers are right, and the reverse.
    assert loss_course(run(whole(cross_entropy(accuracy=0.97)), loss=STANDING)).outcome == "well"
    assert loss_course(run(whole(cross_entropy(accuracy=0.1)), loss=FALLING)).outcome == "well"


def test_old_samples_do_not_tell_how_it_ended() -> None:
    early = loss_course(run(whole(cross_entropy(accuracy=0.1)), loss=FALLING, steps=range(20)))
    assert early.accuracy is None and early.outcome == "well"


def test_the_baseline_is_on_the_scale_of_the_recorded_loss() -> None:
    halved = loss_course(run(whole(cross_entropy(), factor=0.5)))
    summed = loss_course(run(whole(cross_entropy(), sum_over=80)))
    assert halved.baseline == pytest.approx(0.5 * math.log(10))
    assert summed.baseline == pytest.approx(80 * math.log(10))


def test_baselines() -> None:
    numbers = loss_course(run(whole(squared(target=amounts(152, 77)))))
    assert numbers.baseline == pytest.approx(77**2)
    rows = loss_course(run(whole(squared(target=one_hot(), output=output((80, 10))))))
    assert rows.baseline == pytest.approx(0.1 * 0.9)
    yes = loss_course(run(whole(binary("bce_logits", target=yes_no(0.25)))))
    assert yes.baseline == pytest.approx(-(0.25 * math.log(0.25) + 0.75 * math.log(0.75)))
    halves = loss_course(run(whole(term("l1", (), output=output((32, 1)), target=yes_no(0.25)))))
    assert halves.baseline == pytest.approx(0.25)
    words = term("nll", (), output=output((512, 1000)), target={"shape": [512], "classes": {"0": 9}, "distinct": 65})
    assert loss_course(run(whole(words))).baseline == pytest.approx(math.log(1000))


def test_the_targets_of_different_batches_differ() -> None:
    samples = [sampled(s, whole(squared(target=amounts(10.0 * (s % 2), 1.0)))) for s in range(20)]
    assert loss_course(Recording.of(loss=[1.0] * 20, samples=samples)).baseline == pytest.approx(1 + 25)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(whole(cross_entropy(), term("custom")), id="several terms"),
        pytest.param(whole(cross_entropy(weighted=True)), id="weights for examples"),
        pytest.param(whole(squared(through=["sqrt"])), id="a root of it"),
        pytest.param(whole(squared(broadcast={"output": [8, 1], "target": [8], "joint": [8, 8]})), id="all pairs"),
        pytest.param(whole(cross_entropy(), sign=-1), id="negated"),
        pytest.param(whole(term("custom")), id="not recognized"),
        pytest.param(whole(squared(target=None)), id="no targets"),
    ],
)
def test_no_baseline(told: dict) -> None:
    assert loss_course(run(told)).baseline is None


def test_divergence() -> None:
    broken = loss_course(run(whole(squared()), loss=[1.0] * 50 + [math.nan] * 50))
    assert broken.outcome == "diverged" and broken.nonfinite_at == 50 and "step 50" in broken.sentence
    risen = loss_course(run(whole(squared()), loss=[1.0 + 0.2 * i for i in range(100)]))
    assert risen.outcome == "diverged"
    once = loss_course(run(whole(squared(r2=0.9)), loss=[1.0] * 50 + [math.inf] + [0.1] * 49))
    assert once.outcome == "well" and once.nonfinite_at == 50


def test_one_spike_does_not_move_the_end() -> None:
    loss = [0.1] * 95 + [50.0] + [0.1] * 4
    assert loss_course(run(whole(squared(r2=0.9)), loss=loss)).end == pytest.approx(0.1)


def test_nothing_at_all() -> None:
    course = loss_course(Recording())
    assert course.outcome == "unknown" and not course.hurt and course.evidence() == {"steps": 0}
    assert course.sentence == "no loss was recorded"


def test_a_loss_of_single_examples_that_are_solved_one_by_one() -> None:
    """Most cost nothing from the start, and a sum less a constant rounds below zero: bounded all the same, and learned."""
    loss = [0.0 if i % 3 else 2.0 * 0.9**i for i in range(100)] + [-6e-9] * 100
    course = loss_course(Recording.of(loss=loss))
    assert course.bounded and course.start == pytest.approx(sum(loss[:10]) / 10)
    assert not loss_course(Recording.of(loss=[0.5, 0.2, -0.1] * 20)).bounded
