"""A loss that wanders with the weights at a constant rate fires; batch noise alone does not."""

from __future__ import annotations

import random

import pytest
from literal_recordings import numbers, sample

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.hovering import hovering
from unstuck.findings.rules import u404_missing_decay as rule
from unstuck.record.recording import Recording, Series

STEPS = 600


def losses(wander: float, noise: float = 0.1, level: float = 0.7, stay: float = 0.8) -> list[float]:
    """A loss around a level: a place that remembers, and batches that do not."""
    draw = random.Random(3)
    place, found = 0.0, []
    for _ in range(STEPS):
        place = stay * place + draw.gauss(0, wander * (1 - stay**2) ** 0.5)
        found.append(max(0.0, level + place + draw.gauss(0, noise)))
    return found


def run(loss: list[float], r2: float = 0.4, cos: float = -0.1, **more) -> Recording:
    """A regression whose targets have variance one."""
    samples = [sample(s, term=numbers(r2), noise={"cos": cos, "share": 0.05}) for s in range(0, len(loss), 20)]
    return Recording.of(loss=loss, samples=samples, **more)


def test_the_loss_wanders() -> None:
    found = rule.judge(run(losses(0.2)))
    assert isinstance(found, Fired) and found.severity == "warning"
    assert found.evidence["loss_wander"] == pytest.approx(0.18, abs=0.06)
    assert "CosineAnnealingLR" in found.advice[0].code and str(STEPS) in found.advice[0].code


def test_noise_of_the_batches_alone() -> None:
    found = rule.judge(run(losses(0.0, noise=0.3)))
    assert isinstance(found, Passed) and "wanders by 0," in found.reason


def test_a_little_wandering() -> None:
    assert isinstance(rule.judge(run(losses(0.06, noise=0.02))), Passed)


def test_a_rate_that_decays() -> None:
    rates = [0.1 * (1 - s / STEPS) for s in range(STEPS)]
    assert isinstance(rule.judge(run(losses(0.2), learning_rate=rates)), NotApplicable)


def test_a_loss_that_still_falls() -> None:
    falling = [2.0 - 0.003 * i + v - 0.7 for i, v in enumerate(losses(0.1))]
    assert isinstance(rule.judge(run(falling)), Passed)


def test_hardly_anything_at_stake() -> None:
    """Bursts at a loss near zero: a hundredth of a constant answer's."""
    tiny = [v / 100 for v in losses(0.4)]
    found = rule.judge(run(tiny, r2=0.99))
    assert isinstance(found, Passed) and "little is at stake" in found.reason


def test_data_in_order() -> None:
    found = rule.judge(run(losses(0.2), cos=0.6))
    assert isinstance(found, Passed) and "the same way" in found.reason


def test_unknown_losses_and_short_runs() -> None:
    assert isinstance(rule.judge(Recording.of(loss=losses(0.2))), NotApplicable)
    assert isinstance(rule.judge(run([1.0] * 40)), Skipped)
    assert isinstance(rule.judge(Recording()), Skipped)


def test_false_calls_on_independent_noise_are_rare() -> None:
    calls = 0
    for seed in range(200):
        draw = random.Random(seed)
        found = hovering(Series(range(200), [draw.gauss(1, 0.3) for _ in range(200)]), 0, 200)
        assert found is not None
        calls += found.wander > 0
    assert calls <= 1


def test_wandering_is_measured() -> None:
    found = hovering(Series(range(STEPS), losses(0.2)), 0, STEPS)
    assert found is not None and found.wander == pytest.approx(0.18, abs=0.05)
    assert hovering(Series(range(10), [1.0] * 10), 0, 10) is None
