"""Clipping that sets the step of a run that crawls fires; as a mere fact it is told; of Adam it is no matter."""

from __future__ import annotations

from typing import Any

import pytest
from literal_recordings import STEPS, chain, learned, sample, stuck

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u407_always_clipped as rule
from unstuck.record.recording import Recording, Series

SGD = {"o": 0, "kind": "SGD", "groups": [{"lr": 0.1}]}
ADAM = {"o": 0, "kind": "Adam", "groups": [{"lr": 1e-3}]}


def clipped(recording: Recording, norms: list[float], bound: float) -> Recording:
    """``clip_grad_norm_`` called at every step."""
    recording.main.clip_norm = Series(range(len(norms)), norms)
    recording.main.clip_maximum = Series(range(len(norms)), [bound] * len(norms))
    return recording


def crawling(u: float = 1e-4, **more: Any) -> Recording:
    return stuck([sample(s, params=chain([0.5, 0.5], u=u)) for s in STEPS], **{"optimizer": SGD, **more})


def test_every_step_is_cut() -> None:
    found = rule.judge(clipped(crawling(), [0.5] * 60, 0.01))
    assert isinstance(found, Fired) and found.severity == "error"
    assert found.evidence["times_longer"] == pytest.approx(50) and found.evidence["share_clipped"] == 1.0
    assert "max_norm=1" in found.advice[0].code and found.where == "clip_grad_norm_(max_norm=0.01)"


def test_a_run_that_learns_is_only_told() -> None:
    well = learned([sample(s, params=chain([0.5], u=1e-4)) for s in STEPS], optimizer=SGD)
    found = rule.judge(clipped(well, [0.5] * 60, 0.01))
    assert isinstance(found, Fired) and found.severity == "info"


def test_long_steps_are_not_what_clipping_did() -> None:
    found = rule.judge(clipped(crawling(u=0.3), [0.5] * 60, 0.01))
    assert isinstance(found, Fired) and found.severity == "info"


def test_adam_takes_no_shorter_steps_for_that() -> None:
    found = rule.judge(clipped(crawling(optimizer=ADAM), [0.5] * 60, 0.01))
    assert isinstance(found, Passed) and "divides" in found.reason


def test_a_bound_for_the_unusual() -> None:
    assert isinstance(rule.judge(clipped(crawling(), [0.5] * 50 + [5.0] * 10, 1.0)), Passed)
    assert isinstance(rule.judge(clipped(crawling(), [1.5] * 60, 1.0)), Passed)  # cut by a third only


def seen(before: list[float], after: list[float], values: float | None = None) -> Recording:
    recording = crawling()
    samples = []
    for s, b, a in zip(range(len(before)), before, after, strict=True):
        told = sample(s, params=chain([a], u=1e-4), term=None)
        samples.append(
            {**told, "clip": {"before": b, "left": a, "values": values}, "losses": recording.main.samples[0]["losses"]}
        )
    return Recording.of(loss=[2.303] * 60, samples=samples, optimizer=SGD)


BEFORE = [0.5 + 0.02 * i for i in range(20)]


def test_clipping_by_value_is_seen_from_outside() -> None:
    found = rule.judge(seen(BEFORE, [0.01 + 1e-4 * i for i in range(20)], values=1e-4))
    assert isinstance(found, Fired) and found.severity == "error"
    assert found.where == "clip_grad_value_(0.0001)"


def test_clipping_by_hand_leaves_the_same_norm() -> None:
    found = rule.judge(seen(BEFORE, [0.01] * 20))
    assert isinstance(found, Fired) and found.evidence["bound"] == pytest.approx(0.01)


def test_a_mean_over_micro_batches_is_no_clipping() -> None:
    assert isinstance(rule.judge(seen(BEFORE, [b / 8 for b in BEFORE])), NotApplicable)


def test_nothing_clips() -> None:
    assert isinstance(rule.judge(seen(BEFORE, BEFORE)), NotApplicable)
    assert isinstance(rule.judge(crawling()), NotApplicable)
    assert isinstance(rule.judge(Recording()), NotApplicable)
    assert isinstance(rule.judge(clipped(crawling(), [0.5] * 4, 0.01)), Skipped)
