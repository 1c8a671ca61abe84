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
    sampled,
    squared,
    term,
    whole,
)
from literal_recordings import weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l211_wrong_sign import judge
from unstuck.findings.verdict import verdict
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


# --- log-densities ---------------------------------------------------------------------------------------------------

FALLING_DENSITY = [-1.4 - 30.0 * i for i in range(100)]
RISING_DENSITY = [-1.4 + 0.02 * i for i in range(100)]


def density(sign: int = -1, kind: str = "gaussian", factor: float = 1.0, r2: float | None = -2.0, **more: Any) -> dict:
    """A loss that is the logarithm of a density of the targets; sign −1: as it is, +1: minus it."""
    told = {"kind": kind, "sign": sign, "factor": factor, "r2": r2}
    return whole(term("custom"), log_density=told, **more)


@pytest.mark.parametrize("kind", ["gaussian", "laplace", "poisson"])
def test_a_log_density_without_its_minus(kind: str) -> None:
    answer = judge(run(density(kind=kind), loss=FALLING_DENSITY))
    assert isinstance(answer, Fired) and answer.severity == "error"
    assert f"{kind.capitalize()} log-density of the targets is minimized; it went from -1.4 to" in answer.sentence
    assert "-" in answer.advice[0].code


def test_a_fixed_width_is_a_weight_of_the_squares() -> None:
    told = whole(squared(weighted=True, sign=-1), log_density={"kind": "gaussian", "sign": -1, "factor": 2.0}, sign=-1)
    assert isinstance(judge(run(told, loss=FALLING_DENSITY)), Fired)


def test_a_log_density_and_an_optimizer_that_maximizes() -> None:
    groups = [{"lr": 0.1, "maximize": True, "params": ["w"]}]
    assert isinstance(judge(run(density(-1), loss=RISING_DENSITY, groups=groups)), Passed)
    assert isinstance(judge(run(density(+1), loss=[-v for v in FALLING_DENSITY], groups=groups)), Fired)


def test_a_log_density_that_ends_not_finite() -> None:
    assert isinstance(judge(run(density(), loss=[-1.0] * 50 + [float("nan")] * 50)), Fired)
    broken = whole(term("custom"), value=float("nan"))
    assert isinstance(judge(_samples(*[density()] * 8, *[broken] * 8)), Fired)


@pytest.mark.parametrize(
    ("told", "loss", "answer"),
    [
        pytest.param(density(+1), [-v for v in RISING_DENSITY], Passed, id="minus the log-density"),
        pytest.param(density(-1), RISING_DENSITY, Passed, id="the log-density rose"),
        pytest.param(density(-1, r2=0.8), FALLING_DENSITY, Passed, id="the targets are explained"),
        pytest.param(whole(term("custom")), FALLING_DENSITY, NotApplicable, id="no density"),
        pytest.param(whole(term("custom"), term("custom"), sign=-1), FALLING_DENSITY, NotApplicable, id="energies"),
        pytest.param(whole(squared(weighted=True, sign=-1)), FALLING_DENSITY, NotApplicable, id="weighted examples"),
    ],
)
def test_densities_that_are_left_alone(told: dict, loss: list[float], answer: type) -> None:
    assert isinstance(judge(run(told, loss=loss)), answer)


def _samples(*entries: dict) -> Recording:
    """One loss in each sampled step."""
    return Recording.of(
        loss=FALLING_DENSITY,
        samples=[sampled(step, entry) for step, entry in enumerate(entries)],
        optimizer={"o": 0, "kind": "Adam", "groups": [{"lr": 0.1, "params": ["w"]}]},
    )


def test_costs_of_sampled_actions_change_the_factor() -> None:
    costs = [3.0, 2.5, 7.25, 1.5, 1.25, 4.0, 0.5, 0.75]
    assert isinstance(judge(_samples(*(density(factor=c) for c in costs))), NotApplicable)
    assert isinstance(judge(_samples(*(density(factor=2.5) for _ in costs))), Fired)


def test_whole_costs_of_sampled_classes_and_switches() -> None:
    costs = [3.0, 2.0, 7.0, 1.0, 5.0, 4.0, 6.0, 9.0]
    for told in (binary("bce_logits"), picked(-1)):
        entries = [whole({**told, "sign": -1}, value=-2.3, sign=-1, factor=c) for c in costs]
        assert isinstance(judge(_samples(*entries)), NotApplicable)
        steady = [whole({**told, "sign": -1}, value=-2.3, sign=-1, factor=3.0) for _ in costs]
        assert isinstance(judge(_samples(*steady)), Fired)


def test_too_few_samples_or_other_losses_beside() -> None:
    assert isinstance(judge(_samples(*[density()] * 4)), NotApplicable)
    assert isinstance(judge(_samples(*[density()] * 6, *[whole(term("custom"))] * 6)), NotApplicable)
    elsewhere = {"file": "/home/me/train.py", "line": 30, "function": "main", "text": "second.backward()"}
    assert isinstance(judge(run(density(), density(line=elsewhere), loss=FALLING_DENSITY)), NotApplicable)


def test_the_verdict_does_not_call_it_learning() -> None:
    assert verdict(run(density(), loss=FALLING_DENSITY)).state == "diverging"
    assert verdict(run(whole(term("custom")), loss=FALLING_DENSITY)).state != "diverging"
    assert verdict(run(density(+1), loss=[-v for v in RISING_DENSITY])).state != "diverging"
    assert verdict(run(density(r2=0.8), loss=FALLING_DENSITY)).state != "diverging"


def action(weight: float, kind: str = "custom") -> dict[str, Any]:
    """Log-probabilities of drawn actions times advantages; a negative weight where they are minimized."""
    told = term(
        kind, (OWN,), output=output(), target=labels(), sign=0 if kind == "custom" else (1 if weight > 0 else -1)
    )
    return whole({**told, "weight": weight if kind == "custom" else 1.0})


def test_a_policy_gradient_without_its_minus() -> None:
    answer = judge(_samples(*[action(-1.0)] * 11, action(-1.0, "gather")))
    assert isinstance(answer, Fired) and answer.severity == "warning" and answer.confidence < 0.8
    assert "costs" in answer.sentence
    for names, severity in ((["advantage", "x"], "warning"), (["cost", "baseline"], "info"), (["x", "y"], "info")):
        named = judge(_samples({**action(-1.0), "names": names}, *[action(-1.0)] * 11))
        assert isinstance(named, Fired) and named.severity == severity


@pytest.mark.parametrize(
    "entries",
    [
        [action(1.0)] * 12,
        [action(-1.0)] * 9,  # too few
        [*[action(-1.0)] * 15, action(1.0)],
        [*[action(-1.0)] * 4, *[action(-1.0, "gather")] * 8],  # numbers of one sign: costs, as often as not
    ],
)
def test_policy_gradients_that_are_left_alone(entries: list[dict[str, Any]]) -> None:
    assert not isinstance(judge(_samples(*entries)), Fired)
