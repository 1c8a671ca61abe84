"""Backward passes that change nothing."""

from __future__ import annotations

from literal_recordings import classes, event, sample

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u411_optimizer_never_steps as rule
from unstuck.record.recording import Recording


def totals(backwards: int, steps: int, after: int, *, moved: bool = False) -> object:
    return event(
        "backward_without_step", None, backwards=backwards, steps=steps, last_step_backwards=after, moved=moved
    )


def run(*events: object, **more: object) -> object:
    return rule.judge(Recording.of(events=list(events), **more))  # type: ignore[arg-type]


def test_no_step_in_a_training_loop() -> None:
    line = {"file": "/x/train.py", "line": 8, "function": "main", "text": "optimizer.zero_grad()"}
    found = run(totals(200, 0, 200), event("zero_grad", 0, line=line))
    assert isinstance(found, Fired)
    assert found.severity == "error" and "200 times" in found.sentence and found.where == "train.py:8"


def test_no_step_on_a_loss_with_targets() -> None:
    found = run(totals(200, 0, 200), samples=[sample(0, term=classes(0.1))])
    assert isinstance(found, Fired) and found.severity == "error"


def test_gradients_of_inputs() -> None:
    found = run(totals(50, 0, 50))
    assert isinstance(found, Fired) and found.severity == "info"


def test_updates_by_hand() -> None:
    assert isinstance(run(totals(200, 0, 200, moved=True)), Passed)


def test_the_end_cut_off_an_accumulation() -> None:
    assert isinstance(run(totals(203, 50, 3)), Passed)


def test_steps_that_stopped() -> None:
    found = run(totals(1000, 100, 900), event("zero_grad", 0, line=None))
    assert isinstance(found, Fired) and "900 times" in found.sentence


def test_a_trial_and_no_totals() -> None:
    assert isinstance(run(totals(1, 0, 1)), NotApplicable)
    assert isinstance(rule.judge(Recording()), Skipped)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 5)), Passed)
