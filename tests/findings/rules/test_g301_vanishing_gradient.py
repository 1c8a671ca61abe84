"""Shrinking gradients fire only in a run that is hurt."""

from __future__ import annotations

from typing import Any

import pytest
from literal_recordings import STEPS, act, chain, classes, learned, sample, stuck, through_time, weight

from unstuck.findings.contract import Answer, Fired, NotApplicable, Passed, Skipped, Verdict
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


# -- through time -----------------------------------------------------------------------------------------------------


def recurrent(*entries: dict[str, Any], kind: str = "RNN", **more: Any) -> Recording:
    """A stuck run of a small recurrent network (three weights: no depth to speak of)."""
    model = {"m": 0, "name": "net", "params": [], "modules": [{"name": "net.rnn", "kind": kind}]}
    told = [sample(s, params=chain([0.1] * 3), recurrent=entries) for s in STEPS]
    return stuck(told, models=[model], **more)


def test_through_time_and_stuck() -> None:
    found = judge(recurrent(through_time(1e-7, 1e-1)))
    assert isinstance(found, Fired)
    assert (found.severity, found.where, found.step) == ("error", "net.rnn", 0)
    assert found.evidence["time_steps"] == 30
    # The first tenth of the steps holds the third one: 1e-7 · 10^(6 · 2 / 29) of the last one's .1.
    assert found.evidence["ratio_through_time"] == pytest.approx(10 ** (6 * 2 / 29 - 6))
    assert "of 30 time steps" in found.sentence
    assert any("orthogonal_(net.rnn.weight_hh_l0)" in advice.code for advice in found.advice)


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_advice_for_networks_with_gates(kind: str, gates: int) -> None:
    found = judge(recurrent(through_time(1e-7, 1e-1), kind=kind))
    assert isinstance(found, Fired)
    assert f"len(bias) // {gates}" in found.advice[0].code
    assert not any("orthogonal" in advice.code for advice in found.advice)
    assert found.confidence < judge(recurrent(through_time(1e-7, 1e-1))).confidence


def test_a_gradient_of_exactly_zero_at_the_first_time_steps() -> None:
    found = judge(recurrent(through_time(0.0, 1e-1)))
    assert isinstance(found, Fired) and found.evidence["ratio_through_time"] == 0.0


def test_a_ten_thousandth_through_time_is_usual() -> None:
    found = judge(recurrent(through_time(1e-5, 1e-1)))
    assert isinstance(found, Passed) and "time steps" in found.reason


def test_one_of_two_recurrent_layers_passes_the_gradient() -> None:
    both = through_time(1e-9, 1e-1), through_time(1e-2, 1e-1, weight="net.rnn.weight_hh_l1")
    assert isinstance(judge(recurrent(*both)), Passed)


def test_a_recurrent_network_that_learns_all_the_same() -> None:
    told = [sample(s, params=chain([0.1] * 3), recurrent=[through_time(1e-9, 1e-1)]) for s in STEPS]
    assert isinstance(judge(learned(told)), Passed)
    some = [sample(s, recurrent=[through_time(1e-9, 1e-1)], term=classes(0.3)) for s in STEPS]
    assert isinstance(judge(Recording.of(loss=[2.3 - 0.01 * i for i in range(60)], samples=some)), Passed)


def test_a_loss_that_still_falls_and_one_that_diverged() -> None:
    falling = recurrent(through_time(1e-9, 1e-1))
    falling.extras["verdict"] = Verdict("learning", "it falls")
    assert isinstance(judge(falling), Passed)
    diverged = recurrent(through_time(1e-9, 1e-1), loss=[2.3] * 40 + [50.0] * 20)
    assert isinstance(judge(diverged), Passed)


def test_profiles_that_are_damaged_are_left_out() -> None:
    whole = through_time(1e-9, 1e-1)
    for damage in ({"g": whole["g"][:-1]}, {"at": []}, {"steps": None}, {"g": ["nan"] * 16}, {"at": whole["at"][::-1]}):
        assert isinstance(judge(recurrent({**whole, **damage})), NotApplicable)
