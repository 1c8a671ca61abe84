"""Shrinking gradients fire only in a run that is hurt."""

from __future__ import annotations

import pytest
from literal_recordings import STEPS, act, chain, classes, learned, sample, stuck, weight

from unstuck.findings.contract import Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import g301_vanishing_gradient as rule
from unstuck.record.recording import Recording

SHRINKING = [1e-9, 1e-8, 1e-6, 1e-5, 1e-3, 1e-1]


def judge(recording: Recording) -> Answer:
    return rule.judge(recording)


def test_shrinking_and_stuck() -> None:
    sigmoids = [act(f"sigmoid{i}", "sigmoid", order=i) for i in range(5)]
    found = judge(stuck([sample(s, params=chain(SHRINKING), acts=sigmoids) for s in STEPS]))
    assert isinstance(found, Fired)
    assert found.severity == "error" and found.where == "net.0"
    assert found.evidence["ratio"] == pytest.approx(1e-8)
    assert "5 layers of sigmoid" in found.sentence and "1.0e-08" in found.sentence
    assert any("ReLU" in advice.code for advice in found.advice)


def test_exactly_zero_below_a_wall() -> None:
    found = judge(stuck([sample(s, params=chain([0.0, 0.0, 0.0, 0.2, 0.3, 0.4])) for s in STEPS]))
    assert isinstance(found, Fired)
    assert found.confidence >= 0.95 and "exactly zero" in found.sentence


def test_widths_do_not_matter() -> None:
    """The gradient of a wide layer's weight is spread over more entries; in units of its own weights it is the same."""
    params = {
        f"net.{i}.weight": weight(g=g, w=w, order=i)
        for i, (g, w) in enumerate([(1e-5, 1e4), (1e-2, 10), (1, 0.1), (1, 0.1)])
    }
    assert isinstance(judge(stuck([sample(s, params=params) for s in STEPS])), Passed)


def test_a_run_that_learns_all_the_same() -> None:
    found = judge(learned([sample(s, params=chain(SHRINKING)) for s in STEPS]))
    assert isinstance(found, Passed) and "learns" in found.reason


def test_only_the_first_steps_are_small() -> None:
    """Residual branches that start at zero pass nothing in the first step."""
    found = judge(stuck([sample(s, params=chain(SHRINKING if s < 2 else [0.1] * 6)) for s in STEPS]))
    assert isinstance(found, Passed)


def test_frozen_early_layers_are_not_early_layers() -> None:
    params = chain([None, None, 0.1, 0.1, 0.2, 0.2])
    assert isinstance(judge(stuck([sample(s, params=params) for s in STEPS])), Passed)


def test_few_layers_and_few_samples() -> None:
    assert isinstance(judge(stuck([sample(s, params=chain(SHRINKING[:2])) for s in STEPS])), NotApplicable)
    assert isinstance(judge(stuck([sample(0, params=chain(SHRINKING))])), Skipped)
    assert isinstance(judge(Recording.of(loss=[1.0] * 9)), Skipped)


def test_a_quarter_of_the_way_is_a_warning() -> None:
    told = [sample(s, params=chain(SHRINKING), term=classes(0.3)) for s in STEPS]
    found = judge(Recording.of(loss=[2.3 - 0.01 * i for i in range(60)], samples=told))
    assert isinstance(found, Fired) and found.severity == "warning"


def test_adapters_that_start_at_zero() -> None:
    """Low-rank pairs: what reads the input gets no gradient at first, what writes the output is zero and gets one."""
    params = {}
    for i in range(6):
        params[f"net.{i}.A.weight"] = weight(g=1e-7, w=1.0, n=400, order=2 * i)
        params[f"net.{i}.B.weight"] = weight(g=0.2, w=1e-4, n=400, order=2 * i + 1)
    params["net.head.weight"] = weight(g=0.3, w=1.0, order=20)
    assert isinstance(judge(stuck([sample(s, params=params) for s in STEPS])), Passed)
