"""The first number that is not finite is named; masks and the scaler's search are not."""

from __future__ import annotations

import math

from literal_recordings import event, sample, stuck

from unstuck.findings.contract import Fired, Passed, Skipped
from unstuck.findings.rules import g308_not_finite as rule
from unstuck.record.recording import Recording


def test_a_loss_that_ends_not_finite() -> None:
    found = rule.judge(Recording.of(loss=[2.3, 2.2, 2.1] + [math.nan] * 10))
    assert isinstance(found, Fired)
    assert (found.severity, found.step) == ("error", 3)
    assert "from step 3 on" in found.sentence


def test_the_first_place_is_named() -> None:
    events = [
        event(
            "nonfinite",
            4,
            where="activation",
            name="net.log",
            operator="LogBackward0",
            line={"file": "t.py", "line": 9},
        ),
        event("nonfinite", 5, where="parameter", name="net.fc.weight"),
    ]
    found = rule.judge(Recording.of(loss=[2.3] * 5 + [math.nan] * 5, events=events))
    assert isinstance(found, Fired)
    assert found.step == 4 and found.where == "net.log"
    assert "LogBackward0" in found.sentence and "log_softmax" in found.advice[0].code


def test_a_loss_that_grew_first() -> None:
    found = rule.judge(Recording.of(loss=[1.0, 10.0, 1e4, 1e8, math.inf, math.nan]))
    assert isinstance(found, Fired)
    assert "1e+08" in found.sentence
    assert any(a.name == "shorter steps" for a in found.advice)


def test_one_that_passed() -> None:
    losses = [1.0] * 20
    losses[7] = math.inf
    found = rule.judge(Recording.of(loss=losses))
    assert isinstance(found, Fired) and found.severity == "info"


def test_a_mask_of_minus_infinity() -> None:
    masked = event("nonfinite", 0, where="activation", name="attention")
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 20, events=[masked])), Passed)


def test_the_scaler_looking_for_its_scale() -> None:
    events = [event("nonfinite", 0, where="gradient", name="net.fc.weight"), event("scaler_skipped", 0, scale=65536)]
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 20, events=events)), Passed)


def test_a_gradient_without_scaler() -> None:
    events = [event("nonfinite", 3, where="gradient", name="net.fc.weight")]
    found = rule.judge(Recording.of(loss=[1.0] * 20, events=events))
    assert isinstance(found, Fired) and found.severity == "info"
    found = rule.judge(stuck([sample(0)], events=events))
    assert isinstance(found, Fired) and found.severity == "warning"


def test_nothing_known() -> None:
    assert isinstance(rule.judge(Recording.of()), Skipped)
