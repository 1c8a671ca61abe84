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


def by_hand(moved: list[bool], stale: list[float]) -> Recording:
    """Backward passes of a script that writes out its updates; each is a sample."""
    samples = [
        {**sample(s, params=chain([1.0, 1.0], stale=old, u=0.1 if went else 0.0)), "o": -1}
        for s, (went, old) in enumerate(zip(moved, stale, strict=True))
    ]
    recording = Recording.of(loss=[1.0] * len(samples), samples=samples)
    (stream,) = recording.streams.values()
    stream.number = -1
    recording.streams.clear()
    recording.streams[-1] = stream
    return recording


def test_updates_that_the_script_writes_out() -> None:
    found = rule.judge(by_hand([True] * 8, [0.0] + [1.0] * 7))
    assert isinstance(found, Fired) and "7 of 7" in found.sentence
    assert "nothing clears" in found.sentence and "p.grad = None" in found.advice[0].code
    # Four passes for each update, which then clears the gradients: what is there between the passes is meant to be.
    assert not isinstance(rule.judge(by_hand([False, False, False, True] * 5, [0.0, 1.0, 1.0, 1.0] * 5)), Fired)


def test_parts_that_the_script_updates_by_turns() -> None:
    """A head at every pass, a body at every fourth; or two players by hand: what has not moved adds up by design."""
    params = [
        {
            "net.head": weight(u=0.1, stale=0.0, o=None),
            "net.body": weight(u=0.1 if s % 4 == 3 else 0.0, stale=1.0 if s % 4 else 0.0, o=None, order=1),
        }
        for s in range(20)
    ]
    recording = by_hand([True] * 20, [0.0] * 20)
    for told, one in zip(recording.streams[-1].samples, params, strict=True):
        told["params"] = one
    assert isinstance(rule.judge(recording), Passed)


def test_not_measured() -> None:
    assert isinstance(rule.judge(stuck([sample(s, params=chain([1.0])) for s in STEPS])), Skipped)
    assert isinstance(rule.judge(Recording()), NotApplicable)
