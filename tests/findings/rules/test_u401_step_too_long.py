"""Long steps fire where they hurt; spikes that recover, high rates that learn and sick starts do not."""

from __future__ import annotations

import math
from typing import Any

import pytest
from literal_recordings import STEPS, chain, classes, learned, sample, stuck

from unstuck.findings.contract import Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u401_step_too_long as rule
from unstuck.record.recording import Recording, Series

LEAP = [2.3, 40.0, 15.0, 3.0, *[2.303] * 56]


def steps(u: float | None) -> list[dict[str, Any]]:
    return [sample(s, params=chain([0.1, 0.1], u=u)) for s in STEPS]


def test_a_leap_with_long_steps() -> None:
    found = rule.judge(stuck(steps(0.8), loss=LEAP, learning_rate=2.0))
    assert isinstance(found, Fired)
    assert (found.severity, found.step, found.where) == ("error", 1, "SGD(lr=2)")
    assert found.evidence["loss_leap"] == pytest.approx(40 / 2.3)
    assert "80%" in found.sentence and found.confidence >= 0.8
    assert found.advice[0].code == "lr=0.2"


def test_one_step_that_throws_the_weights() -> None:
    """Afterwards the weights are so large that no step looks long."""
    thrown = [sample(s, params=chain([0.1, 0.1], u=12.0 if s == 1 else 1e-5)) for s in STEPS]
    found = rule.judge(stuck(thrown, loss=LEAP, learning_rate=2.0))
    assert isinstance(found, Fired) and "1200%" in found.sentence


def test_long_steps_with_an_unusual_rate() -> None:
    """A loss that is bounded cannot leap."""
    adam = {"o": 0, "kind": "Adam", "groups": [{"lr": 1.0}]}
    found = rule.judge(stuck(steps(0.8), learning_rate=1.0, optimizer=adam))
    assert isinstance(found, Fired)
    assert found.evidence["rate_over_usual"] == pytest.approx(1 / 3e-3)


def test_a_loss_that_overflows() -> None:
    losses = [1.0, 5.0, 80.0, 1e4, 1e9, *[math.nan] * 5]
    assert isinstance(rule.judge(Recording.of(loss=losses, samples=steps(0.8))), Fired)


def test_updates_by_hand_at_a_rate_that_is_not_known() -> None:
    told = Recording.of(loss=[1.0, 5.0, 80.0, 1e4, 1e9, *[math.nan] * 5], samples=steps(0.8))
    told.main.learning_rate = Series()
    found = rule.judge(told)
    assert isinstance(found, Fired) and found.sentence.startswith("The steps are too long: ")


def test_a_nan_out_of_the_blue() -> None:
    losses = [1.0 - 0.01 * i for i in range(50)] + [math.nan] * 10
    assert isinstance(rule.judge(Recording.of(loss=losses, samples=steps(1e-3))), Passed)


def test_bouncing_with_long_steps() -> None:
    samples = [
        sample(s, params=chain([1.0, 1.0], u=0.3), noise={"cos": -0.9, "share": 0.9}, term=classes(0.1))
        for s in range(0, 60, 4)
    ]
    recording = Recording.of(loss=[2.6 + 0.3 * (-1) ** i for i in range(60)], samples=samples)
    found = rule.judge(recording)
    assert isinstance(found, Fired) and "against each other" in found.sentence


@pytest.mark.parametrize("u", [1e-3, 0.8])
def test_a_run_that_learned(u: float) -> None:
    assert isinstance(rule.judge(learned(steps(u), learning_rate=2.0)), Passed)


def test_a_spike_that_it_recovered_from() -> None:
    losses = [2.3, 30.0, 8.0] + [0.1 + 2.2 * 0.9**i for i in range(57)]
    assert isinstance(rule.judge(learned(steps(0.3), loss=losses)), Passed)


def test_stuck_with_short_steps() -> None:
    assert isinstance(rule.judge(stuck(steps(1e-3))), Passed)


def test_a_start_that_is_sick() -> None:
    """Raw inputs or large weights: the first loss is a thousand times that of a constant answer."""
    found = rule.judge(stuck(steps(0.8), loss=[3e3, 2e4, *[2.303] * 58]))
    assert isinstance(found, Passed) and "before the first step" in found.reason


def test_noisy_losses_of_an_unknown_kind() -> None:
    """A policy gradient: the loss says nothing, and the steps are short."""
    losses = [math.sin(7.3 * i) * 2 for i in range(60)]
    answer: Answer = rule.judge(Recording.of(loss=losses, samples=steps(2e-3)))
    assert isinstance(answer, Passed)


def test_no_step_and_nothing_measured() -> None:
    assert isinstance(rule.judge(Recording()), NotApplicable)
    assert isinstance(rule.judge(stuck(steps(None))), Skipped)


def run(loss: list[float], u: float, accuracy: float, **more: Any) -> Answer:
    n = len(loss)
    samples = [sample(s, params=chain([0.1, 0.1], u=u), term=classes(accuracy)) for s in (*range(10), n - 2, n - 1)]
    return rule.judge(Recording.of(loss=loss, samples=samples, **more))


def late_learner(above: int, n: int = 400) -> list[float]:
    """Leaps to 25, stays above a constant answer for so many steps, and has learned at the end."""
    return [2.3, *[25.0] * above, *[2.2 - 1.8 * i / (n - above) for i in range(n - above - 1)]]


def test_time_lost_above_a_constant_answer() -> None:
    found = run(late_learner(100), 0.3, 0.85)
    assert isinstance(found, Fired)
    assert found.severity == "warning" and found.evidence["share_above_constant_answer"] > 0.2
    assert "25% of the run" in found.sentence


def test_a_short_leap_in_a_run_that_learned() -> None:
    assert isinstance(run(late_learner(10), 0.3, 0.85), Passed)


def test_a_long_leap_with_short_steps() -> None:
    """Not the step's doing: a broken batch, a reset."""
    assert isinstance(run(late_learner(100), 0.003, 0.85), Passed)


def test_half_a_sickness_takes_all_three_signs() -> None:
    loss = [2.3, 20.0, 9.0, *[2.3 - 0.5 * i / 60 for i in range(57)]]
    adam = {"o": 0, "kind": "Adam", "groups": [{"lr": 0.3}]}
    assert isinstance(run(loss, 0.3, 0.3, learning_rate=0.3, optimizer=adam), Fired)
    assert isinstance(run(loss, 0.01, 0.3, learning_rate=0.3, optimizer=adam), Passed)
    assert isinstance(run(loss, 0.3, 0.3, learning_rate=0.1), Passed)


def test_a_leap_of_the_gradient_is_not_the_step_s() -> None:
    losses = [1.0, 1.0, 1e3, 1.0, 1e6, *[math.nan] * 5]
    found = rule.judge(Recording.of(loss=losses, samples=steps(0.02)))
    assert isinstance(found, Passed) and "0.02" in found.reason


def cooled(n: int = 400, peak: float = 0.3) -> list[float]:
    """A warm-up of twenty steps, then a cosine."""
    return [peak * ((s + 1) / 20 if s < 20 else 0.5 * (1 + math.cos(math.pi * (s - 20) / (n - 20)))) for s in range(n)]


def held_up(level: float, *, until: int = 150, end: float = 0.7, n: int = 400) -> list[float]:
    """Stands, and falls to its end from then on."""
    return [level if s < until else level + (end - level) * (s - until) / (n - until) for s in range(n)]


def scheduled(loss: list[float], u: float, *, accuracy: float = 0.7, peak: float = 0.3, kind: str = "AdamW") -> Answer:
    rates = cooled(len(loss), peak)
    return run(loss, u, accuracy, learning_rate=rates, optimizer={"o": 0, "kind": kind, "groups": [{"lr": rates[0]}]})


def test_held_up_until_the_rate_came_down() -> None:
    found = scheduled(held_up(2.2), 0.2)
    assert isinstance(found, Fired) and found.severity == "warning"
    assert found.evidence["learning_rate"] == pytest.approx(0.3) and found.evidence["held_at_loss"] == pytest.approx(
        2.2
    )
    assert found.evidence["held_from_step"] == 14 and "only as the rate comes down" in found.sentence
    assert found.advice[0].code == "lr=0.03"


def test_half_held_up_takes_a_rate_that_is_unusual_too() -> None:
    assert isinstance(scheduled(held_up(1.6), 0.2), Fired)
    assert isinstance(scheduled(held_up(1.6), 0.2, peak=1e-3), Passed)
    assert isinstance(scheduled(held_up(2.2), 0.2, peak=1e-3), Fired)


def test_what_holds_up_is_not_the_step() -> None:
    """Short steps; a loss that falls while the rate is high, and its noise goes; a loss that ends well; nothing after."""
    assert isinstance(scheduled(held_up(2.2), 0.03), Passed)
    assert isinstance(scheduled(held_up(2.2, until=15), 0.2), Passed)
    assert isinstance(scheduled(held_up(0.8, end=0.6), 0.2), Passed)
    assert isinstance(scheduled(held_up(2.2, end=0.1), 0.2, accuracy=0.97), Passed)
    assert not isinstance(scheduled(held_up(2.2, end=2.1), 0.2, peak=1e-3, accuracy=0.3), Fired)
