"""Reading terms: where they are computed, what stands before them, and when optimizers are opponents."""

from __future__ import annotations

from dataclasses import replace

from literal_losses import (
    EMPTY,
    LINE,
    NO_SAMPLES,
    OWN,
    UNSEEN,
    active,
    cross_entropy,
    output,
    run,
    sampled,
    squared,
    term,
    whole,
)

from unstuck.findings.contract import NotApplicable, Skipped
from unstuck.findings.evidence import head
from unstuck.record.recording import Recording, Series


def first(told: dict) -> head.TermSeen:
    return head.places(run(told))[0].seen[0]


def test_the_losses_own_activation_is_told_apart() -> None:
    seen = first(whole(cross_entropy(active("softmax", dim=1))))
    assert seen.applies_softmax and seen.nearest is not None and seen.nearest["kind"] == "softmax"
    assert [a["kind"] for a in seen.own] == ["log_softmax"]
    assert first(whole(cross_entropy())).nearest is None
    assert first(whole(term("nll", None))).head is None


def test_direction() -> None:
    assert first(whole(squared())).direction == 1
    assert first(whole(squared(), sign=-1)).direction == -1
    assert first(whole(squared(sign=-1))).direction == -1  # the term's own sign goes before the loss's
    assert first(whole(term("gather", (OWN,)))).direction == 0  # a log-probability without a sign tells nothing


def test_class_count() -> None:
    assert first(whole(cross_entropy())).class_count == 10
    assert first(whole(term("nll", (), output=output((8, 3, 16, 16))))).class_count == 3
    assert first(whole(term("nll", (), output=None))).class_count is None
    assert first(whole(cross_entropy())).plain and not first(whole(cross_entropy(weighted=True))).plain


def test_places_by_line_position_and_kind() -> None:
    other = {**LINE, "line": 30}
    recording = run(whole(cross_entropy(), squared()), whole(squared(), line=other))
    found = head.places(recording)
    assert [(p.where, p.kind, p.alone) for p in found] == [
        ("train.py:21", "nll", False),
        ("train.py:21", "mse", False),
        ("train.py:30", "mse", False),
    ]
    assert [p.kind for p in head.places(recording, "nll")] == ["nll"]


def test_micro_batches_are_one_place_and_penalties_none() -> None:
    recording = run(whole(cross_entropy(), term("penalty")), whole(cross_entropy(), term("penalty")))
    (place,) = head.places(recording)
    assert place.alone and len(place.seen) == 2 * len(recording.main.samples)


def test_why_nothing_can_be_read() -> None:
    assert isinstance(head.nothing_to_read(EMPTY), NotApplicable)
    assert isinstance(head.nothing_to_read(NO_SAMPLES), Skipped)
    hidden = head.nothing_to_read(UNSEEN)
    assert isinstance(hidden, Skipped) and "compiled" in hidden.reason
    assert head.nothing_to_read(run(whole(squared()))) is None
    assert isinstance(head.nothing_to_read(run(whole(term("penalty")))), Skipped)


def two(other_loss: list[float], later: float = 0.0) -> Recording:
    one = run(whole(squared()), loss=[1.0] * 100).main
    seconds = Series(range(100), [later + 0.001 * i for i in range(100)])
    return Recording(streams={0: one, 1: replace(one, number=1, loss=Series(range(100), other_loss), seconds=seconds)})


def test_opponents() -> None:
    assert head.adversarial(two([2.0] * 100))
    assert not head.adversarial(two([1.0] * 100))  # they share one loss
    assert not head.adversarial(two([2.0] * 100, later=5.0))  # one after the other
    assert not head.adversarial(run(whole(squared())))


def test_names_for_people() -> None:
    assert head.activation_name(active("log_softmax", dim=0, name="log_softmax after out")) == (
        "log-softmax after out (over dimension 0)"
    )
    assert head.activation_name(active("sigmoid")) == "sigmoid"
    assert head.Place(0, "mse", None, (), True).where == "the loss (mse)"


def test_statistics_that_are_missing_are_left_out() -> None:
    samples = [sampled(0, whole(squared())), sampled(1, whole(squared(output=None)))]
    (place,) = head.places(Recording.of(loss=[1.0, 1.0], samples=samples))
    assert head.statistic(place.seen, "output", "max") == [3.0]
