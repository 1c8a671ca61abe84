"""An epsilon that swallows the divisors, or rounds to zero, fires where it hurt."""

from __future__ import annotations

from typing import Any

from literal_recordings import STEPS, chain, classes, event, learned, sample, stuck

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u413_epsilon_misplaced as rule
from unstuck.record.recording import Recording


def adam(eps: float, kind: str = "Adam") -> dict[str, Any]:
    return {"o": 0, "kind": kind, "groups": [{"lr": 1e-3, "eps": eps, "params": ["net.0.weight", "net.1.weight"]}]}


def samples(
    eps: float, middle: float, *, u: float = 1e-4, alive: float = 1.0, steps: tuple[int, ...] = STEPS
) -> list[dict]:
    under = 1.0 if middle < eps else 0.0
    divisors = [{"group": 0, "eps": eps, "low": middle / 3, "median": middle, "high": 3 * middle, "under": under,
                 "alive": alive, "entries": 4000}]  # fmt: skip
    return [{**sample(s, params=chain([0.1, 0.1], u=u)), "divisors": divisors} for s in steps]


def test_an_epsilon_of_one() -> None:
    found = rule.judge(stuck(samples(1.0, 0.01), optimizer=adam(1.0), learning_rate=1e-3))
    assert isinstance(found, Fired) and found.severity == "error"
    assert found.where == "Adam(eps=1)" and "1e+02 times shorter" in found.sentence
    assert found.advice[0].code == "eps=1e-08"


def test_a_usual_epsilon() -> None:
    assert isinstance(rule.judge(stuck(samples(1e-8, 0.01), optimizer=adam(1e-8))), Passed)
    assert isinstance(rule.judge(stuck(samples(1e-3, 5e-4), optimizer=adam(1e-3))), Passed)  # near, not far above


def test_a_rate_that_makes_up_for_it() -> None:
    told = [{**s, "losses": sample(0, term=classes(0.97))["losses"]} for s in samples(1.0, 0.01, u=0.01)]
    assert isinstance(rule.judge(learned(told, optimizer=adam(1.0))), Passed)
    slow = [{**s, "losses": sample(0, term=classes(0.97))["losses"]} for s in samples(1.0, 0.01)]
    found = rule.judge(learned(slow, optimizer=adam(1.0)))
    assert isinstance(found, Fired) and found.severity == "info"


def half(dtype: str = "float16") -> list[dict[str, Any]]:
    names = ("net.0.weight", "net.1.weight")
    return [{"m": 0, "name": "net", "params": [{"name": n, "dtype": dtype, "shape": [4, 4]} for n in names]}]


BROKEN = [2.3] + [float("nan")] * 59
STRUCK = event("nonfinite", 0, where="parameter", name="net.0.weight")


def test_an_epsilon_that_is_zero_in_half_precision() -> None:
    told = samples(1e-8, 0.01, alive=0.2, steps=(0,))
    found = rule.judge(stuck(told, loss=BROKEN, optimizer=adam(1e-8), models=half(), events=[STRUCK]))
    assert isinstance(found, Fired) and found.severity == "error" and found.step == 0
    assert found.evidence["type"] == "float16" and found.advice[0].code == "eps=1e-4"
    whole = stuck(told, loss=BROKEN, optimizer=adam(1e-8), models=half("float32"), events=[STRUCK])
    assert not isinstance(rule.judge(whole), Fired)


def test_an_epsilon_of_zero() -> None:
    told = samples(0.0, 0.01, alive=0.9, steps=(0,))
    found = rule.judge(stuck(told, loss=BROKEN, optimizer=adam(0.0), models=half("float32"), events=[STRUCK]))
    assert isinstance(found, Fired) and "epsilon is zero" in found.sentence


def test_numbers_that_broke_elsewhere() -> None:
    """All entries have a divisor, or the input was the first to break."""
    alive = samples(0.0, 0.01, steps=(0,))
    assert not isinstance(rule.judge(stuck(alive, loss=BROKEN, optimizer=adam(0.0), events=[STRUCK])), Fired)
    told = samples(0.0, 0.01, alive=0.9, steps=(0,))
    entered = event("nonfinite", 0, where="input", name="x")
    assert not isinstance(rule.judge(stuck(told, loss=BROKEN, optimizer=adam(0.0), events=[entered, STRUCK])), Fired)


def test_nothing_to_judge() -> None:
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 9)), NotApplicable)
    assert isinstance(rule.judge(stuck(samples(1.0, 0.01), optimizer=adam(1.0, "Adadelta"))), NotApplicable)
    assert isinstance(rule.judge(stuck([], optimizer=adam(1.0))), Skipped)
