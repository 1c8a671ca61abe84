"""Gradients carried over a step fire; accumulation by design does not."""

from __future__ import annotations

from literal_recordings import STEPS, chain, event, learned, sample, stuck, weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u410_gradients_accumulate as rule
from unstuck.record.recording import Recording


def test_never_cleared() -> None:
    samples = [sample(s, params=chain([1.0 + s, 1.0 + s], stale=1.0 if s else 0.0)) for s in STEPS]
    found = rule.judge(stuck(samples))
    assert isinstance(found, Fired)
    assert found.severity == "error" and found.confidence > 0.9
    assert "never called" in found.sentence and "8 of 8" in found.sentence
    assert "zero_grad" in found.advice[0].code


def test_it_is_exact_even_where_the_run_learns() -> None:
    assert isinstance(rule.judge(learned([sample(s, params=chain([1.0], stale=1.0)) for s in STEPS])), Fired)


def test_cleared_outside_the_loop() -> None:
    line = {"file": "/x/train.py", "line": 8, "function": "main", "text": "optimizer.zero_grad()"}
    samples = [sample(s, params=chain([1.0], stale=0.0 if s in (0, 20) else 1.0)) for s in STEPS]
    found = rule.judge(stuck(samples, events=[event("zero_grad", 0, line=line)]))
    assert isinstance(found, Fired) and found.where == "train.py:8"


def test_cleared() -> None:
    assert isinstance(rule.judge(learned([sample(s, params=chain([1.0], stale=0.0)) for s in STEPS])), Passed)


def test_a_part_of_the_gradient() -> None:
    """Some parameters shared with another loss, or a gradient that is only partly older."""
    params = chain([1.0, 1.0, 1.0], stale=0.0) | {"net.shared": weight(stale=1.0, order=5)}
    assert isinstance(rule.judge(learned([sample(s, params=params) for s in STEPS])), Passed)
    assert isinstance(rule.judge(learned([sample(s, params=chain([1.0], stale=0.6)) for s in STEPS])), Passed)


def test_the_other_optimizer_s_gradients() -> None:
    """The generator's backward pass fills the critic's gradients; the critic clears them at its own turn."""
    params = chain([1.0], stale=0.0) | {"critic.weight": weight(stale=1.0, o=1, order=3)}
    assert isinstance(rule.judge(learned([sample(s, params=params) for s in STEPS])), Passed)


def test_not_measured() -> None:
    assert isinstance(rule.judge(stuck([sample(s, params=chain([1.0])) for s in STEPS])), Skipped)
    assert isinstance(rule.judge(Recording()), NotApplicable)
