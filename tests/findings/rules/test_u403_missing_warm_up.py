"""A start thrown off by the first steps fires; a warm-up, sound first steps and a rate that is too long do not."""

from __future__ import annotations

import pytest
from literal_recordings import STEPS, chain, classes, learned, sample, stuck

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u403_missing_warm_up as rule
from unstuck.record.recording import Event, Recording

RMSPROP = {"o": 0, "kind": "RMSprop", "groups": [{"lr": 2e-3, "alpha": 0.999}]}
ADAM = {"o": 0, "kind": "Adam", "groups": [{"lr": 1e-3}]}
LEAP = [2.3, 7.1, 9.4, 6.0] + [2.5] * 56
MANY = tuple(range(20)) + STEPS[5:]


def run(first: float, later: float, **more):
    """Weights of norm one that change by so much in the first five steps and later on."""
    samples = [sample(s, params=chain([0.5, 0.5], u=first if s < 5 else later)) for s in MANY]
    options = {"loss": LEAP, "learning_rate": 2e-3, "optimizer": RMSPROP, **more}
    return stuck(samples, **options)


def test_only_the_first_steps_were_long() -> None:
    found = rule.judge(run(1.2, 0.002))
    assert isinstance(found, Fired) and found.severity == "error" and found.confidence >= 0.8
    assert found.evidence["loss_leap"] == pytest.approx(9.4 / 2.3) and "120.0%" in found.sentence
    assert "1000" in found.advice[0].text  # one over one minus alpha


def test_a_rate_that_was_measured_to_be_short() -> None:
    told = {"look": "kept", "state": "descending", "rate_times_curvature": 0.01, "stable_limit": 2.0, "rule": "RMSprop"}
    found = rule.judge(run(1.2, 0.002, events=[Event("biopsy", 59, told)]))
    assert isinstance(found, Passed) and "longest stable" in found.reason


def test_every_step_is_long() -> None:
    assert isinstance(rule.judge(run(0.5, 0.3)), Passed)


def test_no_leap() -> None:
    assert isinstance(rule.judge(run(1.2, 0.002, loss=[2.303] * 60)), Passed)


def test_the_rate_warms_up() -> None:
    rates = [2e-3 * min(1.0, (s + 1) / 40) for s in range(60)]
    found = rule.judge(run(1.2, 0.002, learning_rate=rates))
    assert isinstance(found, Passed) and "rises" in found.reason


def test_a_rate_out_of_the_usual_is_another_sickness() -> None:
    assert isinstance(rule.judge(run(1.2, 0.002, learning_rate=0.5)), Passed)


def test_a_start_that_was_sick_before_the_first_step() -> None:
    assert isinstance(rule.judge(run(1.2, 0.002, loss=[60.0, 200.0] + [30.0] * 58)), Passed)


def test_a_run_that_learned() -> None:
    samples = [sample(s, params=chain([0.5], u=1.0 if s < 5 else 0.001)) for s in MANY]
    assert isinstance(rule.judge(learned(samples, optimizer=RMSPROP, learning_rate=2e-3)), Passed)


def blocks(norm_first: bool) -> list[dict]:
    module = {"name": "model.layer", "kind": "TransformerEncoderLayer", "options": {"norm_first": norm_first}}
    return [{"m": 0, "name": "model", "modules": [module], "params": []}]


def test_blocks_that_normalize_after_themselves() -> None:
    samples = [sample(s, params=chain([0.5]), term=classes(0.1)) for s in MANY]
    found = rule.judge(stuck(samples, optimizer=ADAM, learning_rate=1e-3, models=blocks(False)))
    assert isinstance(found, Fired) and found.severity == "warning"
    assert any(a.name == "normalize first" for a in found.advice)


def test_blocks_that_normalize_first_or_learn_or_step_little() -> None:
    samples = [sample(s, params=chain([0.5]), term=classes(0.1)) for s in MANY]
    assert isinstance(rule.judge(stuck(samples, optimizer=ADAM, learning_rate=1e-3, models=blocks(True))), Passed)
    assert isinstance(rule.judge(stuck(samples, optimizer=ADAM, learning_rate=1e-4, models=blocks(False))), Passed)
    well = [sample(s, params=chain([0.5])) for s in MANY]
    assert isinstance(rule.judge(learned(well, optimizer=ADAM, learning_rate=1e-3, models=blocks(False))), Passed)


def test_nothing_to_judge() -> None:
    assert isinstance(rule.judge(Recording()), NotApplicable)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 20)), Skipped)
    assert isinstance(rule.judge(stuck([], optimizer=ADAM, learning_rate=1e-3)), Skipped)
