"""A step that died while much was left fires; planned decay does not."""

from __future__ import annotations

import math
import random

from literal_recordings import chain, classes, learned, sample

from unstuck.findings.contract import Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u405_step_decayed_away as rule
from unstuck.record.recording import Recording

DRAW = random.Random(0)
N = 200
EARLY = [0.1 * 0.9**i for i in range(N)]  # a hundredth after 44 steps
FROZEN = [2.3 - 0.9 * (1 - 0.9**i) + DRAW.gauss(0, 0.02) for i in range(N)]  # ends at 1.4, of 2.3
COSINE = [0.1 * (1 + math.cos(math.pi * i / N)) / 2 for i in range(N)]


def run(loss: list[float], rate: list[float], accuracy: float, **more: object) -> Answer:
    samples = [sample(s, term=classes(accuracy)) for s in range(0, N, 10)]
    return rule.judge(Recording.of(loss=loss, learning_rate=rate, samples=samples, **more))  # type: ignore[arg-type]


def test_decayed_too_early() -> None:
    found = run(FROZEN, EARLY, 0.4)
    assert isinstance(found, Fired)
    assert found.step == 44 and found.severity == "warning"
    assert "44 of 200" in found.sentence


def test_decayed_before_anything_was_learned() -> None:
    found = run([2.3 + DRAW.gauss(0, 0.02) for _ in range(N)], [0.1 * 0.5**i for i in range(N)], 0.1)
    assert isinstance(found, Fired) and found.severity == "error"


def test_a_cosine_that_ends_at_zero() -> None:
    assert isinstance(run(FROZEN, COSINE, 0.4), Passed)


def test_a_warm_up() -> None:
    rates = [0.1 * min(1, (i + 1) / 100) for i in range(N)]
    assert isinstance(run(FROZEN, rates, 0.4), Passed)


def test_early_decay_in_a_run_that_learned() -> None:
    learned_loss = [0.05 + 2.2 * 0.85**i for i in range(N)]
    assert isinstance(run(learned_loss, EARLY, 0.97), Passed)


def test_a_small_rate_that_still_learns() -> None:
    falling = [2.3 - 0.004 * i for i in range(N)]
    assert isinstance(run(falling, EARLY, 0.4), Passed)


def test_a_loss_that_stood_before_the_rate_died() -> None:
    flat = [2.3 + DRAW.gauss(0, 0.02) for _ in range(N)]
    assert isinstance(run(flat, EARLY, 0.3), Passed)


def test_adagrad_whose_denominator_grew() -> None:
    adagrad = {"o": 0, "kind": "Adagrad", "groups": [{"lr": 0.01}]}
    samples = [
        sample(s, params=chain([1.0, 1.0], u=0.02 * 0.9**s), term=classes(0.4)) for s in [*range(20), *range(20, N, 10)]
    ]
    found = rule.judge(Recording.of(loss=FROZEN, learning_rate=0.01, samples=samples, optimizer=adagrad))
    assert isinstance(found, Fired) and found.where == "Adagrad"


def test_adagrad_that_learns() -> None:
    adagrad = {"o": 0, "kind": "Adagrad", "groups": [{"lr": 0.01}]}
    samples = [sample(s, params=chain([1.0, 1.0], u=0.02 / (1 + s) ** 0.5)) for s in range(0, 60, 2)]
    assert isinstance(rule.judge(learned(samples, optimizer=adagrad)), Passed)


def test_a_constant_rate_and_a_short_run() -> None:
    assert isinstance(run(FROZEN, [0.1] * N, 0.4), NotApplicable)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 5, learning_rate=[0.1, 0.01, 1e-3, 1e-4, 1e-5])), Skipped)
    assert isinstance(rule.judge(Recording()), Skipped)


def test_adagrad_with_a_decay_of_its_own() -> None:
    """The rate in use is lr / (1 + decay × step): a hundredth after 198 steps of a decay of .5."""
    optimizer = {"o": 0, "kind": "Adagrad", "groups": [{"lr": 0.02, "lr_decay": 0.5}]}
    n = 660
    loss = [0.36 + 0.06 * 0.98**i + DRAW.gauss(0, 0.01) for i in range(n)]
    found = rule.judge(Recording.of(loss=loss, learning_rate=0.02, optimizer=optimizer))
    assert isinstance(found, Fired) and found.step == 199
    plain = {"o": 0, "kind": "Adagrad", "groups": [{"lr": 0.02, "lr_decay": 0.0}]}
    assert not isinstance(rule.judge(Recording.of(loss=loss, learning_rate=0.02, optimizer=plain)), Fired)


def test_an_unknown_loss_that_came_down() -> None:
    """Nothing to compare with, and half of the loss gone: it may well be done."""
    loss = [1 + 2 * 0.9**i for i in range(N)]
    assert isinstance(rule.judge(Recording.of(loss=loss, learning_rate=EARLY)), Passed)


def test_a_first_group_that_is_held_still() -> None:
    """The recording's rate is the first group's; what counts is the largest."""
    recording = Recording.of(loss=FROZEN, learning_rate=EARLY, samples=[sample(190, term=classes(0.4))])
    assert isinstance(rule.judge(recording), Fired)
    recording.main.learning_rates = [(i, [rate, 0.1]) for i, rate in enumerate(EARLY)]
    assert not isinstance(rule.judge(recording), Fired)


def test_gone_at_once_though_the_loss_was_falling() -> None:
    """A plateau schedule that waits for a larger number: a sixth of the loss is left, after a tenth of the run."""
    fast = [0.4 + 1.9 * 0.93**i if i < 20 else 0.4 + 1.9 * 0.93**20 for i in range(N)]
    rate = [0.1 if i < 20 else 1e-2 if i < 25 else 1e-3 if i < 28 else 1e-5 for i in range(N)]
    found = run([v / 2 for v in fast], rate, 0.7)
    assert isinstance(found, Fired) and found.severity == "warning" and found.confidence < 0.8
    slow = [0.35 + DRAW.gauss(0, 0.02) for _ in range(N)]  # it stood still when the rate went
    assert isinstance(run(slow, rate, 0.7), Passed)


def test_gone_within_a_few_steps_though_the_loss_came_down() -> None:
    """A decay that was meant for epochs, made at every step: half of a constant answer's loss is left for good."""
    down = [1.2 - 0.1 * i if i < 6 else 0.6 + DRAW.gauss(0, 0.01) for i in range(N)]
    found = run(down, [0.1 * 0.5**i for i in range(N)], 0.7)
    assert isinstance(found, Fired) and found.severity == "warning" and found.step == 7


def test_gone_after_a_quarter_of_the_run() -> None:
    steps = [0.1 * 0.3 ** (i // 15) for i in range(N)]
    halves = [1.15 * 0.93**i if i < 14 else 0.42 + DRAW.gauss(0, 0.01) for i in range(N)]
    assert isinstance(run(halves, steps, 0.7), Fired)
    late = [0.1 * 0.3 ** (i // 30) for i in range(N)]  # after 0.6 of the run
    assert isinstance(run(halves, late, 0.7), Passed)


def test_a_decay_over_a_short_time_that_left_nothing() -> None:
    """A noise floor of half a constant answer's loss, reached long before the rate was lowered."""
    loss = [0.55 + 0.5 * 0.4**i + DRAW.gauss(0, 0.02) for i in range(1000)]
    rate = [0.1 * max(0.0, 1 - i / 45) for i in range(1000)]
    samples = [sample(s, term=classes(0.7)) for s in range(0, 1000, 50)]
    assert isinstance(rule.judge(Recording.of(loss=loss, learning_rate=rate, samples=samples)), Passed)
