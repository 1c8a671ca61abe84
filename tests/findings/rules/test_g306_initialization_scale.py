"""Out-of-scale weights fire where they hurt, by the layers' gains and by what the signal really does."""

from __future__ import annotations

from typing import Any

import pytest
from literal_recordings import STEPS, classes, learned, sample, stuck, weight

from unstuck.findings.contract import Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import g306_initialization_scale as rule
from unstuck.record.recording import Recording


def start(
    deviation: float, *, fan_in: int = 100, layers: int = 3, out: float | None = None, rms: float = 1.0
) -> dict[str, Any]:
    """Step 0 of a plain chain of linear layers with weights of this deviation."""
    gain = deviation * fan_in**0.5
    params = {
        f"net.{i}.weight": weight(w=deviation * 100, wstd=deviation, n=10_000, order=i, layer=f"net.{i}")
        for i in range(layers)
    }
    described = [
        {
            "name": f"net.{i}",
            "kind": "Linear",
            "order": i,
            "fan_in": fan_in,
            "in_std": rms * gain**i,
            "in_rms": rms * gain**i,
        }
        for i in range(layers)
    ]
    size = rms * gain**layers if out is None else out
    term = classes(0.1)
    term["output"] = {**term["output"], "rms": size, "std": size}
    return sample(0, params=params, layers=described, term=term)


def run(first: dict[str, Any], *, fine: bool = False, first_loss: float = 2.3) -> Answer:
    rest = [sample(s) for s in STEPS[1:]]
    if fine:
        loss = [first_loss] + [0.1 + 2.2 * 0.9**i for i in range(59)]
        return rule.judge(learned([first, *rest], loss=loss))
    return rule.judge(stuck([first, *rest], loss=[first_loss] + [2.303] * 59))


def test_weights_ten_times_too_large() -> None:
    found = run(start(1.4), first_loss=3.5e3)
    assert isinstance(found, Fired)
    assert found.severity == "error" and found.step == 0
    assert found.evidence["gain"] == pytest.approx(14.0)
    assert "too large" in found.sentence and "2.74e+03-fold" in found.sentence


def test_weights_ten_times_too_small() -> None:
    found = run(start(0.005))
    assert isinstance(found, Fired)
    assert "too small" in found.sentence and found.evidence["gain"] == pytest.approx(0.05)


@pytest.mark.parametrize("deviation", [0.0577, 0.1, 0.141])
def test_usual_initializations(deviation: float) -> None:
    """PyTorch's default, Glorot, He."""
    assert isinstance(run(start(deviation)), Passed)


def test_large_weights_in_a_run_that_learns() -> None:
    """Most of three layers, and a first loss far above a constant answer's: learned by heart on top of noise."""
    found = run(start(1.4), fine=True, first_loss=3.5e3)
    assert isinstance(found, Fired) and found.severity == "warning" and found.confidence < 0.75
    assert isinstance(run(start(1.4), fine=True, first_loss=4.0), Passed)
    assert isinstance(run(start(0.8, layers=2), fine=True, first_loss=3.5e3), Passed)


def test_large_weights_tamed_by_normalization() -> None:
    assert isinstance(run(start(1.4, out=1.0)), Passed)


def test_large_inputs_with_usual_weights() -> None:
    """Raw pixels make everything large; the weights are not at fault."""
    assert isinstance(run(start(0.1, rms=75.0), first_loss=1e3), Passed)


def test_small_weights_before_normalization() -> None:
    """GPT-2's .02 in a small model: the signal does not shrink, for it is normalized."""
    first = start(0.02)
    for layer in first["layers"]:
        layer["in_std"] = layer["in_rms"] = 1.0
    assert isinstance(run(first), Passed)


def test_one_layer_and_missing_series() -> None:
    assert isinstance(run(start(1.4, layers=1)), NotApplicable)
    without = start(1.4)
    without["layers"] = []
    assert isinstance(run(without), Skipped)
    late = {**start(1.4), "s": 30}
    assert isinstance(rule.judge(stuck([late])), Skipped)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 9)), Skipped)
