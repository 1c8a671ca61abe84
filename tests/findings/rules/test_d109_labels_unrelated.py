"""Own labels against shuffled ones, as a probe measured them."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, STANDING, cross_entropy, run, whole

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.d109_labels_unrelated import judge
from unstuck.record.recording import Event, Recording


def probed(**result: Any) -> Recording:
    given = {
        "standard_error": 0.03,
        "constant_loss": 2.3,
        "steps": 60,
        "examples": 960,
        "left_out": 320,
        "repeats": 3,
        **result,
    }
    event = Event("probe", None, {"name": "shuffled-labels", "result": given})
    return run(whole(cross_entropy(accuracy=0.97)), loss=FALLING, events=[event])


def test_no_better_than_shuffled() -> None:
    answer = judge(probed(loss=2.46, shuffled_loss=2.44))
    assert isinstance(answer, Fired)
    assert (answer.severity, answer.basis) == ("error", "probed")
    assert "2.46" in answer.sentence and "2.44 with shuffled labels" in answer.sentence


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({"loss": 0.9, "shuffled_loss": 2.5}, id="far ahead"),
        pytest.param({"loss": 2.35, "shuffled_loss": 2.5}, id="ahead of shuffled ones, beyond the error"),
        pytest.param({"loss": 2.1, "shuffled_loss": 2.12}, id="better than a constant answer"),
    ],
)
def test_labels_that_tell(result: dict[str, float]) -> None:
    assert isinstance(judge(probed(**result)), Passed)


def test_an_advantage_within_the_error_is_none() -> None:
    assert isinstance(judge(probed(loss=2.45, shuffled_loss=2.5)), Fired)
    assert isinstance(judge(probed(loss=2.49, shuffled_loss=2.5, standard_error=0.0)), Fired)


def test_a_copy_that_cannot_even_learn_by_heart_proves_nothing() -> None:
    recording = probed(loss=2.46, shuffled_loss=2.44)
    alone = {"name": "overfit-one-batch", "result": {"last_loss": 1.9, "constant_loss": 2.2}}
    recording.events.append(Event("probe", None, alone))
    answer = judge(recording)
    assert isinstance(answer, Skipped) and "fit one batch" in answer.reason


def test_a_probe_without_losses() -> None:
    assert isinstance(judge(probed(loss=None, shuffled_loss=2.4)), Skipped)
    answer = judge(probed(loss=None, shuffled_loss=None, unseen="the labels were not found"))
    assert isinstance(answer, Skipped) and "the labels were not found" in answer.reason


def first_epoch(accuracy: float, examples: int) -> Recording:
    loaders = [{"sampler": "RandomSampler", "examples": examples, "training": True}]
    shuffle = Event("shuffle", 99, {"sampler": "RandomSampler", "loaders": loaders})
    return run(whole(cross_entropy(accuracy=accuracy)), loss=STANDING, events=[shuffle])


def test_right_before_any_example_came_again() -> None:
    answer = judge(first_epoch(0.4, examples=640))  # twenty steps of 32
    assert isinstance(answer, Passed) and "40%" in answer.reason


def test_right_by_chance_or_by_heart() -> None:
    assert isinstance(judge(first_epoch(0.11, examples=640)), Skipped)
    assert isinstance(judge(first_epoch(0.9, examples=20)), Skipped)  # every step sees them all again


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    answer = judge(run(whole(cross_entropy(accuracy=0.97)), loss=FALLING))
    assert isinstance(answer, Skipped) and "--probe" in answer.reason


def learned_by_heart(*, accuracy: float, loss: float) -> Recording:
    """Training answers right, and five looks at an evaluation of two hundred examples of ten classes."""
    looks = [
        Event(
            "evaluation_loss", step,
            {"model": "net", "look": step, "loss_kind": "nll", "value": loss + 0.1 * i, "accuracy": accuracy, "examples": 200,
             "commonest": 0.12, "target_mean": 4.5, "target_std": 2.9, "reduction": "mean", "line": None},
        )
        for i, step in enumerate((20, 40, 60, 80, 99))
    ]  # fmt: skip
    return run(whole(cross_entropy(accuracy=0.97)), loss=FALLING, events=looks)


def test_learned_by_heart_only() -> None:
    answer = judge(learned_by_heart(accuracy=0.13, loss=2.4))
    assert isinstance(answer, Fired) and answer.basis == "watched" and "13%" in answer.sentence
    assert not isinstance(judge(learned_by_heart(accuracy=0.3, loss=2.4)), Fired)  # above chance
    assert not isinstance(judge(learned_by_heart(accuracy=0.13, loss=2.1)), Fired)  # below a constant answer's loss


def test_copies_that_learn_by_heart_whatever_the_labels() -> None:
    """A table of factors learns each row by itself: far worse than a constant on what it has not seen."""
    data = {
        "name": "shuffled-labels",
        "loss": 6.67,
        "shuffled_loss": 6.61,
        "standard_error": 0.16,
        "constant_loss": 0.88,
    }
    answer = judge(run(whole(cross_entropy(accuracy=0.5)), events=[Event("probe", 99, data)]))
    assert isinstance(answer, Skipped) and "by heart" in answer.reason


def at_the_end(strongest: float, loss: list[float], *, examples: int = 400) -> Recording:
    told = {"examples": examples, "strongest": strongest, "seen_by": "a straight line of inputs", "kinds": 9}
    event = Event("biopsy", 99, {"look": "kept", "when": "end", "dependence": told})
    return run(whole(cross_entropy(accuracy=0.11)), loss=loss, events=[event])


CONSTANT = [2.3026] * 100
LATE = [2.3026] * 30 + [2.3026 - 0.004 * i for i in range(70)]
EARLY = [2.3026 - 0.02 * min(i, 14) for i in range(100)]


@pytest.mark.parametrize(("loss", "confidence"), [(CONSTANT, 0.7), (LATE, 0.6)])
def test_neither_the_network_nor_neighbors_find_a_tie(loss: list[float], confidence: float) -> None:
    answer = judge(at_the_end(1.4, loss))
    assert isinstance(answer, Fired) and answer.confidence == confidence
    assert "400 of its training examples" in answer.sentence and "1.4 deviations" in answer.sentence


def test_what_was_found_at_once_was_not_learned_by_heart() -> None:
    assert isinstance(judge(at_the_end(1.4, EARLY)), Skipped)


def test_who_came_far_or_was_tested_on_few_is_left_to_a_probe() -> None:
    assert isinstance(judge(at_the_end(1.4, FALLING)), Skipped)
    assert isinstance(judge(at_the_end(1.4, CONSTANT, examples=80)), Skipped)
    assert isinstance(judge(at_the_end(4.0, CONSTANT)), Skipped)  # between chance and a sure tie


def test_a_sure_tie_acquits_the_labels() -> None:
    answer = judge(at_the_end(35.0, CONSTANT))
    assert isinstance(answer, Passed) and "35 deviations" in answer.reason
