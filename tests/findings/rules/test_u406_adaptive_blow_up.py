"""A burst out of a flat stretch fires; leaps with sound divisors, and those that come back at once, do not."""

from __future__ import annotations

from typing import Any

from literal_recordings import chain, classes, sample

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u406_adaptive_blow_up as rule
from unstuck.record.recording import Recording, Series

ADAM = {"o": 0, "kind": "Adam", "groups": [{"lr": 5e-3, "eps": 1e-8, "betas": [0.9, 0.95]}]}
FALL = [2.3 * 0.85**i for i in range(40)]
FLAT = [0.003] * 110
AT = 150


def run(
    after: list[float], *, gradient: float = 5.0, flat: float = 1e-4, change: float = 0.2,
    accuracy: float = 0.1, optimizer: dict[str, Any] = ADAM,
) -> Recording:  # fmt: skip
    """Learned by step 40, flat until step 150, and then this course of the loss."""
    loss = FALL + FLAT + after
    samples, norms = [], []
    for s in range(0, len(loss), 5):
        early, late = s < 40, s >= AT
        g = 1.0 if early else gradient if late else flat
        u = 0.003 if not late else change
        told = sample(s, params=chain([g], u=u), term=classes(accuracy if late else 0.97))
        samples.append(told)
        norms.append((s, g))
    recording = Recording.of(loss=loss, samples=samples, optimizer=optimizer, learning_rate=5e-3)
    recording.main.gradient_norm = Series([s for s, _ in norms], [g for _, g in norms])
    return recording


def test_a_burst_that_the_run_does_not_come_back_from() -> None:
    found = rule.judge(run([11.0, 8.0] + [2.4] * 88))
    assert isinstance(found, Fired) and found.severity == "error"
    assert found.step == AT and 1e-4 < found.evidence["divisor_over_largest"] < 0.1
    assert found.evidence["gradient_over_stretch"] == 5e4
    assert any(a.code == "eps=1e-4" for a in found.advice) and any("amsgrad" in a.code for a in found.advice)


def test_a_burst_that_cost_much_of_the_run() -> None:
    found = rule.judge(run([11.0] + [2.0] * 40 + [0.01] * 60, accuracy=0.95))
    assert isinstance(found, Fired) and found.severity == "warning"


def test_it_came_back_in_part() -> None:
    found = rule.judge(run([6.0, 5.0] + [1.0] * 5 + [0.6] * 80, accuracy=0.8))
    assert isinstance(found, Fired) and found.severity == "warning"


def test_it_came_back_at_once() -> None:
    assert isinstance(rule.judge(run([3.0, 2.0] + [1.5] * 6 + [0.01] * 80, accuracy=0.97)), Passed)


def test_a_long_memory_forgets_nothing_in_a_short_stretch() -> None:
    long = {"o": 0, "kind": "Adam", "groups": [{"lr": 5e-3, "eps": 1e-8, "betas": [0.9, 0.9999]}]}
    assert isinstance(rule.judge(run([11.0, 8.0] + [2.4] * 88, optimizer=long)), Passed)


def test_the_steps_were_not_longer() -> None:
    assert isinstance(rule.judge(run([11.0, 8.0] + [2.4] * 88, change=0.004)), Passed)


def test_no_flat_stretch() -> None:
    assert isinstance(rule.judge(run([11.0, 8.0] + [2.4] * 88, flat=0.5)), Passed)


def test_no_leap() -> None:
    assert isinstance(rule.judge(run([0.003] * 90, accuracy=0.97)), Passed)


def test_rules_that_cannot() -> None:
    burst = [11.0, 8.0] + [2.4] * 88
    sgd = {"o": 0, "kind": "SGD", "groups": [{"lr": 0.1}]}
    kept = {"o": 0, "kind": "Adam", "groups": [{"lr": 0.1, "eps": 1e-8, "amsgrad": True}]}
    assert isinstance(rule.judge(run(burst, optimizer=sgd)), NotApplicable)
    assert isinstance(rule.judge(run(burst, optimizer=kept)), NotApplicable)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 30, optimizer=ADAM)), Skipped)


def test_leaps_again_and_again() -> None:
    """Solved, thrown above a constant answer's loss, solved again: its loss alone tells."""
    samples = [sample(s, params=chain([1e-6], u=0.01), term=classes(0.9)) for s in (0, 5, 10)]

    def course(times: int, top: float, after: float = 0.6) -> Recording:
        back = [0.5 * top * after**i for i in range(24)]
        loss = [2.3 * 0.7**i for i in range(30)] + ([1e-5] * 60 + [top] + back) * times
        return Recording.of(loss=loss, samples=samples, optimizer=ADAM, learning_rate=5e-3)

    found = rule.judge(course(4, 6.0))
    assert isinstance(found, Fired) and found.evidence["leaps"] == 4 and found.evidence["highest_loss"] == 6.0
    assert not isinstance(rule.judge(course(4, 1.5)), Fired)  # no higher than an answer without sense
    assert not isinstance(rule.judge(course(2, 6.0)), Fired)
    assert not isinstance(rule.judge(course(4, 6.0, after=0.01)), Fired)  # strange examples, one at a time
    largest = {**ADAM, "groups": [{**ADAM["groups"][0], "amsgrad": True}]}
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 9, optimizer=largest)), NotApplicable)
