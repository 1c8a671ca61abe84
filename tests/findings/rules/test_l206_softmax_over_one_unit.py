"""A softmax over a dimension of size one."""

from __future__ import annotations

from typing import Any

from literal_losses import (
    EMPTY,
    NO_SAMPLES,
    UNSEEN,
    active,
    amounts,
    binary,
    cross_entropy,
    output,
    run,
    squared,
    whole,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l206_softmax_over_one_unit import judge
from unstuck.record.recording import Recording

ONE = active("softmax", dim=1, size=1, name="softmax after out")
CONSTANT = {"mean": 1.0, "std": 0.0, "min": 1.0, "max": 1.0, "varies": 0.0, "in_unit": True}


def test_yes_or_no_behind_a_softmax() -> None:
    answer = judge(run(whole(binary("bce", ONE, output=output((32, 1), **CONSTANT))), loss=[37.5] * 100))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.95
    assert answer.where == "softmax after out"
    assert "37.5" in answer.sentence
    assert "binary_cross_entropy_with_logits" in answer.advice[0].code


def test_numbers_behind_a_softmax_want_no_activation() -> None:
    told = squared(ONE, output=output((32, 1), **CONSTANT), target=amounts(100, 20))
    answer = judge(run(whole(told), loss=[1e4] * 100))
    assert isinstance(answer, Fired) and "mse_loss" in answer.advice[0].code


def test_the_loss_applies_it_itself() -> None:
    answer = judge(run(whole(cross_entropy(counts={"0": 32})), loss=[0.0] * 100))
    assert isinstance(answer, Fired) and "own log-softmax" in answer.sentence


def test_a_logarithm_between() -> None:
    told = binary("bce", active("log"), ONE, output=output((32, 1), **CONSTANT))
    assert isinstance(judge(run(whole(told))), Fired)


def test_attention_over_one_key_is_not_constant() -> None:
    assert isinstance(judge(run(whole(squared(ONE, output=output((32, 4), varies=0.7))))), Passed)


def test_health() -> None:
    assert isinstance(judge(run(whole(cross_entropy()))), Passed)
    assert isinstance(judge(run(whole(squared()))), NotApplicable)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
    assert isinstance(judge(run(whole({**squared(), "head": None}))), Skipped)


def sampled(step: int, *, size: int = 1, gradient: float = 0.0, softmaxes: int = 1) -> dict[str, Any]:
    """A sample of a network whose pooling weights its items with a softmax."""
    acts = [
        {
            "name": "softmax after net.score" + (f" ({i + 1})" if i else ""), "after": "net.score", "kind": "softmax",
            "shape": [32, 12, 1] if i == 0 else [32, 1, 12], "dim": 2, "units": 1, "hidden": True, "feeds": None,
        }
        for i in range(softmaxes)
    ]  # fmt: skip
    if size > 1:
        acts[0]["shape"] = [32, 12, size]
    params = {
        "net.score.weight": {"layer": "net.score", "role": "weight", "g": gradient, "w": 1.0, "order": 1},
        "net.score.bias": {"layer": "net.score", "role": "bias", "g": gradient, "w": 1.0, "order": 1},
        "net.head.weight": {"layer": "net.head", "role": "weight", "g": 0.3, "w": 1.0, "order": 3},
    }
    return {"s": step, "full": True, "losses": [whole(cross_entropy(accuracy=0.1))], "acts": acts, "params": params}


def inside(*samples: dict[str, Any]) -> Any:
    return judge(Recording.of(loss=[2.3] * 100, samples=list(samples)))


def test_weights_over_one_item_inside_the_model() -> None:
    answer = inside(*(sampled(s) for s in range(5)))
    assert isinstance(answer, Fired) and answer.severity == "error"
    assert answer.where == "softmax after net.score" and "net.score" in answer.sentence
    assert answer.advice[0].code == "torch.softmax(scores, dim=1)"


def test_a_single_key_now_and_then_is_sound() -> None:
    assert isinstance(inside(*(sampled(s, size=1 + 3 * (s == 3), gradient=0.1 * (s == 3)) for s in range(5))), Passed)
    assert isinstance(inside(*(sampled(s, softmaxes=2) for s in range(5))), Passed)


def test_a_layer_that_learns_otherwise_or_too_few_samples() -> None:
    assert isinstance(inside(*(sampled(s, gradient=1e-9) for s in range(5))), Passed)
    assert isinstance(inside(sampled(0), sampled(1)), Passed)
