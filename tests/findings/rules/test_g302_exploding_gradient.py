"""A gradient out of proportion, or far above its own history, fires only where it left damage."""

from __future__ import annotations

import math

from literal_recordings import STEPS, chain, learned, sample, stuck, weight

from unstuck.findings.contract import Fired, Passed, Skipped
from unstuck.findings.rules import g302_exploding_gradient as rule
from unstuck.record.recording import Recording, Series


def test_out_of_proportion_at_the_start() -> None:
    params = {"net.0.weight": weight(g=5e6, w=4.0), "net.1.weight": weight(g=10.0, w=4.0, order=1)}
    found = rule.judge(stuck([sample(s, params=params if s < 3 else chain([0.1, 0.1])) for s in STEPS]))
    assert isinstance(found, Fired)
    assert found.where == "net.0" and found.step == 0 and found.severity == "error"


def _leap(after: float, *, start: float = 0.5) -> Recording:
    loss = [start] * 40 + [after] * 20
    samples = [sample(s, params=chain([300.0 if s == 40 else 1.0] * 2)) for s in STEPS]
    return stuck(samples, loss=loss)


def test_a_leap_that_left_damage() -> None:
    found = rule.judge(_leap(5.0))
    assert isinstance(found, Fired)
    assert found.step == 40 and found.evidence["loss_at_end"] == 5.0
    assert "300 times" in found.sentence


def test_a_leap_that_ends_not_finite() -> None:
    assert isinstance(rule.judge(_leap(math.nan)), Fired)


def test_a_leap_that_it_recovered_from() -> None:
    found = rule.judge(_leap(0.5))
    assert isinstance(found, Passed) and "recovered" in found.reason


def test_a_run_that_learned_with_large_gradients() -> None:
    samples = [sample(s, params=chain([5e6 if s == 0 else 1.0])) for s in STEPS]
    assert isinstance(rule.judge(learned(samples)), Passed)


def test_clipped_norms_are_the_history() -> None:
    """Every step's norm before clipping is known; large ones in a run that learns are what clipping is for."""
    recording = learned([sample(0, params=chain([1.0]))])
    steps = list(range(60))
    recording.main.clip_norm = Series(steps, [1e4 if s == 30 else 1.0 for s in steps])
    assert isinstance(rule.judge(recording), Passed)


def test_nothing_known() -> None:
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 20)), Skipped)
