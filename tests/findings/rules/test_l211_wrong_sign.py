"""An error that is maximized: negated, by the optimizer, or by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from literal_losses import (
    EMPTY,
    NO_SAMPLES,
    OWN,
    UNSEEN,
    binary,
    cross_entropy,
    labels,
    output,
    run,
    squared,
    term,
    whole,
)
from literal_recordings import weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l211_wrong_sign import judge
from unstuck.record.recording import Recording, Series

RISING = [1.2 + 20.0 * i for i in range(100)]
SINKING = [-v for v in RISING]


def picked(sign: int, **more: Any) -> dict[str, Any]:
    """Log-probabilities of the right classes picked by hand; sign −1 where they are minimized."""
    return term("gather", (OWN,), output=output(), target=labels(), sign=sign, **more)


def test_a_negated_error() -> None:
    answer = judge(run(whole(squared(), sign=-1, value=-1.0), loss=SINKING))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.95
    assert "went from 1.2 to" in answer.sentence


@pytest.mark.parametrize("told", [cross_entropy(accuracy=0.1), binary("bce"), binary("bce_logits")])
def test_other_errors(told: dict) -> None:
    assert isinstance(judge(run(whole(told, sign=-1), loss=SINKING)), Fired)
    assert isinstance(judge(run(whole({**told, "sign": -1}), loss=SINKING)), Fired)
    assert isinstance(judge(run(whole(told), loss=RISING)), Passed)


def test_log_probabilities_by_hand() -> None:
    wrong = judge(run(whole(picked(-1), sign=-1, value=-2.3), loss=SINKING))
    assert isinstance(wrong, Fired) and "log-probability" in wrong.sentence
    assert isinstance(judge(run(whole(picked(1), value=2.3), loss=[2.3] * 100)), Passed)


def test_the_optimizer_maximizes() -> None:
    groups = [{"lr": 0.1, "maximize": True, "params": ["w"]}]
    answer = judge(run(whole(cross_entropy(accuracy=0.1)), loss=RISING, groups=groups))
    assert isinstance(answer, Fired) and "told to maximize" in answer.sentence
    # Two signs cancel.
    twice = run(whole(cross_entropy(accuracy=0.9), sign=-1), loss=[-v for v in reversed(RISING)], groups=groups)
    assert isinstance(judge(twice), Passed)


def test_updates_by_hand_along_the_gradient() -> None:
    up = {"params": {f"w{i}": {**weight(), "d": 1.0} for i in range(3)}}
    down = {"params": {f"w{i}": {**weight(), "d": -1.0} for i in range(3)}}
    answer = judge(run(whole(squared()), loss=RISING, parts=up))
    assert isinstance(answer, Fired) and "along the gradient" in answer.sentence
    assert isinstance(judge(run(whole(squared()), loss=RISING, parts=down)), Passed)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(whole(term("custom"), sign=-1), id="a reward that is maximized"),
        pytest.param(whole(cross_entropy(), term("custom"), sign=-1), id="one of several terms"),
        pytest.param(whole(picked(-1, weighted=True), value=-0.5), id="a policy gradient on costs"),
        pytest.param(whole(picked(-1), value=0.7), id="log-probabilities times something"),
        pytest.param(whole(cross_entropy(modified=True), sign=-1), id="a function of the error"),
        pytest.param(
            whole(term("nll", (), output=output(log_normalized=0.0), target=labels()), sign=-1), id="raw scores"
        ),
    ],
)
def test_what_only_looks_like_it(told: dict) -> None:
    assert isinstance(judge(run(told, loss=SINKING)), NotApplicable)


def test_opponents_are_left_alone() -> None:
    one = run(whole(binary("bce_logits"), sign=-1), loss=SINKING).main
    other = replace(one, number=1, loss=Series(range(100), RISING))
    assert isinstance(judge(Recording(streams={0: one, 1: other})), NotApplicable)


def test_inputs_that_fool_a_network_are_searched_for() -> None:
    models = [{"name": "net", "params": [{"name": "fc.weight", "shape": [10, 64]}]}]
    groups = [{"lr": 0.1, "params": ["delta"]}]
    recording = run(whole(cross_entropy(), sign=-1), loss=SINKING, models=models, groups=groups)
    assert isinstance(judge(recording), NotApplicable)


def test_whoever_learned_did_not_climb() -> None:
    assert isinstance(judge(run(whole(cross_entropy(accuracy=0.97), sign=-1), loss=SINKING)), Passed)
    assert isinstance(judge(run(whole(squared(), sign=-1), loss=[-1.0] * 50 + [-0.1] * 50)), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
