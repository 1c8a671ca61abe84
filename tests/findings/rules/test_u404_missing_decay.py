"""A loss that wanders with the weights at a constant rate fires; batch noise alone does not."""

from __future__ import annotations

import random

import pytest
import torch
from literal_recordings import numbers, sample, weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.hovering import hovering
from unstuck.findings.rules import u404_missing_decay as rule
from unstuck.record.recording import Event, Recording, Series

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


def at_rest(rate: float, square: float, *, momentum: float = 0.0, kind: str = "SGD") -> Recording:
    """A loss that stands among its batches' noise, with gradients of this mean square."""
    draw = random.Random(5)
    samples = [
        sample(s, term=numbers(0.3), params={"w": weight(g=square**0.5)}, noise={"cos": 0.0, "share": 0.05, "pairs": 8})
        for s in range(0, STEPS, 10)
    ]
    told = {"o": 0, "kind": kind, "groups": [{"lr": rate, "momentum": momentum, "params": ["w"]}]}
    loss = [0.7 + draw.gauss(0, 0.2) for _ in range(STEPS)]
    return Recording.of(loss=loss, samples=samples, learning_rate=rate, optimizer=told, batch_size=8)


def test_noise_that_keeps_the_loss_up_without_any_wandering() -> None:
    found = rule.judge(at_rest(0.02, 30.0))
    assert isinstance(found, Fired) and found.evidence["kept_up_by_noise"] == pytest.approx(0.15)
    with_momentum = rule.judge(at_rest(0.002, 30.0, momentum=0.9))
    assert isinstance(with_momentum, Fired) and with_momentum.evidence["kept_up_by_noise"] == pytest.approx(0.15)
    assert isinstance(rule.judge(at_rest(0.002, 30.0)), Passed)
    assert isinstance(rule.judge(at_rest(0.02, 30.0, kind="Adam")), Passed)  # of its divisors nothing is known


def test_what_a_look_has_measured_of_a_rule_with_denominators() -> None:
    for square, kind in ((0.6, Fired), (0.3, Passed)):
        recording = at_rest(0.02, 30.0, kind="Adam")
        told = {"look": "kept", "state": "converged", "steps_at_rest": {"square": square, "signal": 0.02, "parts": 8}}
        recording.events.append(Event("biopsy", STEPS, told))
        found = rule.judge(recording)
        assert isinstance(found, kind)
        assert not isinstance(found, Fired) or found.evidence["kept_up_by_noise"] == pytest.approx(0.15)


def test_what_noise_keeps_up_under_adam() -> None:
    """A quarter of rate times gradient's square over its denominator, summed: within a third on noisy valleys."""
    source = torch.Generator().manual_seed(0)
    curvature, spread = torch.logspace(-1, 1, 40), torch.logspace(0.5, -0.5, 40)
    w = torch.zeros(40, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.003)
    excess = squares = 0.0
    count = 6000
    for step in range(2 * count):
        w.grad = curvature * w.detach() + spread * torch.randn(40, generator=source)
        optimizer.step()
        if step >= count:
            divisor = optimizer.state[w]["exp_avg_sq"].sqrt()
            squares += float((0.003 * w.grad**2 / divisor).sum()) / count
            excess += float(0.5 * (curvature * w.detach() ** 2).sum()) / count
    assert squares / 4 == pytest.approx(excess, rel=0.33)


def test_what_noise_keeps_up_is_that_of_a_noisy_quadratic() -> None:
    """Stochastic descent on λw²/2 with additive noise: the excess is known, ηs²/(2(2 − ηλ))."""
    rate, curvature, spread = 0.05, 2.0, 3.0
    draw = random.Random(7)
    w, squares, excess, count = 0.0, 0.0, 0.0, 200_000
    for _ in range(count):
        g = curvature * w + draw.gauss(0, spread)
        squares += g * g / count
        excess += 0.5 * curvature * w * w / count
        w -= rate * g
    exact = rate * spread**2 / (2 * (2 - rate * curvature))
    assert excess == pytest.approx(exact, rel=0.03)
    assert rate * squares / 4 == pytest.approx(exact, rel=0.03)


def test_a_few_stretches_that_hold_all_of_the_loss() -> None:
    """An alarm that rings now and then: its data are others, and no shorter step would take that off."""
    bursts = [0.9 if i % 100 < 10 else 0.001 for i in range(STEPS)]
    found = rule.judge(run(bursts))
    assert isinstance(found, Passed) and "the data change" in found.reason
