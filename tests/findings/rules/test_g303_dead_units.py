"""Walls of dead units fire; shares that healthy networks have do not."""

from __future__ import annotations

import pytest
from literal_recordings import STEPS, act, learned, sample, stuck

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped, Verdict
from unstuck.findings.rules import g303_dead_units as rule
from unstuck.record.recording import Recording


def layers(dead: float, other: float = 0.1) -> list[dict[str, object]]:
    return [act("relu0", dead=other, order=0), act("relu1", dead=dead, order=1)]


def test_a_wall() -> None:
    found = rule.judge(stuck([sample(s, acts=layers(1.0 if s >= 5 else 0.2)) for s in STEPS]))
    assert isinstance(found, Fired)
    assert (found.severity, found.where, found.step) == ("error", "net.1", 5)
    assert "all 64 units" in found.sentence and "step 5" in found.sentence
    assert found.advice[0].name == "lower the learning rate"


def test_a_wall_from_the_start() -> None:
    found = rule.judge(stuck([sample(s, acts=layers(1.0, 1.0)) for s in STEPS]))
    assert isinstance(found, Fired)
    assert found.step == 0 and "2 of 2 ReLU layers" in found.sentence
    assert found.advice[0].name == "initialize"


def test_a_wall_that_the_network_goes_around() -> None:
    found = rule.judge(learned([sample(s, acts=layers(1.0)) for s in STEPS]))
    assert isinstance(found, Fired) and found.severity == "info"


def test_nearly_all_dead_and_stuck() -> None:
    found = rule.judge(stuck([sample(s, acts=layers(0.95)) for s in STEPS]))
    assert isinstance(found, Fired) and found.severity == "warning"
    assert isinstance(rule.judge(learned([sample(s, acts=layers(0.95)) for s in STEPS])), Passed)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.62, 0.85])
def test_shares_that_healthy_networks_have(share: float) -> None:
    assert isinstance(rule.judge(learned([sample(s, acts=layers(share)) for s in STEPS])), Passed)
    assert isinstance(rule.judge(stuck([sample(s, acts=layers(share)) for s in STEPS])), Passed)


def test_dead_for_a_while_only() -> None:
    assert isinstance(rule.judge(stuck([sample(s, acts=layers(1.0 if s < 20 else 0.3)) for s in STEPS])), Passed)


def test_many_zeros_are_not_dead_units() -> None:
    acts = [act("relu0", zero=0.97, dead=0.1)]
    assert isinstance(rule.judge(stuck([sample(s, acts=acts) for s in STEPS])), Passed)


def test_alive_in_one_of_two_uses() -> None:
    """The same module on real and on generated data: dead on one of them is not dead."""
    acts = [act("relu0", dead=1.0), act("relu0", dead=0.1)]
    assert isinstance(rule.judge(stuck([sample(s, acts=acts) for s in STEPS])), Passed)


def test_other_activations_and_missing_samples() -> None:
    tanh = [act("tanh0", "tanh", dead=1.0)]
    assert isinstance(rule.judge(stuck([sample(s, acts=tanh) for s in STEPS])), NotApplicable)
    assert isinstance(rule.judge(stuck([sample(0, acts=layers(1.0))])), Skipped)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 9)), Skipped)


def test_a_wall_in_a_run_of_which_nothing_is_known_but_that_it_falls() -> None:
    recording = Recording.of(
        loss=[3.0 - 0.02 * i for i in range(60)], samples=[sample(s, acts=layers(1.0)) for s in STEPS]
    )
    recording.extras["verdict"] = Verdict("learning", "It falls.")
    found = rule.judge(recording)
    assert isinstance(found, Fired) and found.severity == "info"
