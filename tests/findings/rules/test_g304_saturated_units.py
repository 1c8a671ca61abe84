"""Flat hidden units and wrong sure outputs fire; right sure outputs, gates and attention do not."""

from __future__ import annotations

import pytest
from literal_recordings import STEPS, act, classes, learned, sample, stuck, weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import g304_saturated_units as rule
from unstuck.record.recording import Recording


def one(kind: str, share: float, *, hidden: bool = True) -> list[dict[str, object]]:
    return [act(f"{kind}0", kind, saturated=share, hidden=hidden)]


@pytest.mark.parametrize("kind", ["sigmoid", "tanh"])
def test_hidden_units_on_their_flat_ends(kind: str) -> None:
    found = rule.judge(stuck([sample(s, acts=one(kind, 0.97)) for s in STEPS]))
    assert isinstance(found, Fired)
    assert found.severity == "error" and found.step == 0
    assert "97%" in found.sentence and "already at the first sample" in found.sentence


def test_more_than_half() -> None:
    found = rule.judge(stuck([sample(s, acts=one("tanh", 0.6 if s > 2 else 0.1)) for s in STEPS]))
    assert isinstance(found, Fired)
    assert found.severity == "warning" and found.step == 5


def test_sure_and_wrong_outputs() -> None:
    found = rule.judge(stuck([sample(s, acts=one("softmax", 1.0, hidden=False)) for s in STEPS]))
    assert isinstance(found, Fired)
    assert any("CrossEntropyLoss" in advice.code for advice in found.advice)


def test_sure_and_right_outputs() -> None:
    for kind in ("sigmoid", "softmax"):
        assert isinstance(rule.judge(learned([sample(s, acts=one(kind, 1.0, hidden=False)) for s in STEPS])), Passed)


def test_flat_units_in_a_run_that_learns() -> None:
    assert isinstance(rule.judge(learned([sample(s, acts=one("sigmoid", 0.9)) for s in STEPS])), Passed)


def test_a_start_so_wide_that_most_layers_are_flat() -> None:
    """By heart such a network learns its examples all the same."""
    for deviation, kind in ((0.9, Fired), (0.2, Passed)):
        params = {
            f"net.{i}.weight": weight(w=deviation * 100, wstd=deviation, n=10_000, order=i, layer=f"net.{i}")
            for i in range(4)
        }
        layers = [{"name": f"net.{i}", "order": i, "fan_in": 100, "in_std": 0.8, "in_rms": 0.8} for i in range(4)]
        found = rule.judge(learned([sample(s, acts=one("tanh", 0.7), params=params, layers=layers) for s in STEPS]))
        assert isinstance(found, kind)
        assert not isinstance(found, Fired) or found.severity == "warning"


def test_attention_is_not_looked_at() -> None:
    assert isinstance(rule.judge(stuck([sample(s, acts=one("softmax", 1.0)) for s in STEPS])), NotApplicable)


def test_half_and_less() -> None:
    assert isinstance(rule.judge(stuck([sample(s, acts=one("tanh", 0.45)) for s in STEPS])), Passed)


def test_nothing_of_the_kind_and_nothing_known() -> None:
    assert isinstance(rule.judge(stuck([sample(s, acts=one("relu", 1.0)) for s in STEPS])), NotApplicable)
    assert isinstance(rule.judge(stuck([sample(0, acts=one("tanh", 1.0))])), Skipped)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 9)), Skipped)


def test_flat_from_the_first_sample_on_in_a_run_that_came_a_quarter_of_the_way() -> None:
    def some(share: float, first: float) -> Recording:
        told = [sample(s, acts=one("tanh", share if s else first), term=classes(0.3)) for s in STEPS]
        return Recording.of(loss=[2.3 - 0.01 * i for i in range(60)], samples=told)

    found = rule.judge(some(0.95, 0.95))
    assert isinstance(found, Fired) and found.severity == "warning"
    assert isinstance(rule.judge(some(0.95, 0.1)), Passed)


# -- softmaxes that weigh data ----------------------------------------------------------------------------------------


def attention(first: float | None, last: float | None, *, accuracy: float = 0.1, since: int = 3) -> Recording:
    """Shares of sure rows up to step ``since``, and from there on."""
    told = [
        sample(s, acts=[act("softmax after q", "softmax", sharp=first if s < since else last)], term=classes(accuracy))
        for s in STEPS
    ]
    return Recording.of(loss=[2.303 - 0.01 * i * (accuracy > 0.2) for i in range(60)], samples=told)


def test_attention_that_is_sure_from_the_start() -> None:
    found = rule.judge(attention(0.95, 0.97))
    assert isinstance(found, Fired)
    assert (found.severity, found.where, found.step) == ("error", "net.0", 0)
    assert "95%" in found.sentence and "97%" in found.sentence and "before anything is learned" in found.sentence
    assert found.evidence["sure_at_start"] == 0.95
    assert any("** 0.5" in advice.code for advice in found.advice)
    assert isinstance(again := rule.judge(attention(0.6, 0.97, accuracy=0.3)), Fired) and again.severity == "warning"


def test_attention_that_becomes_sure_or_lets_go_or_does_no_harm() -> None:
    for recording in (
        attention(0.0, 1.0),  # it became sure in training
        attention(0.95, 0.3),  # it is no longer so
        attention(None, 1.0),  # how it began is not known
        attention(0.4, 0.4),
    ):
        assert isinstance(rule.judge(recording), Passed)
    fine = [sample(s, acts=[act("softmax after q", "softmax", sharp=1.0)]) for s in STEPS]
    found = rule.judge(learned(fine))
    assert isinstance(found, Passed) and "learns all the same" in found.reason


def test_units_come_before_attention() -> None:
    acts = [act("tanh0", "tanh", saturated=0.97), act("softmax after q", "softmax", sharp=0.97)]
    found = rule.judge(stuck([sample(s, acts=acts) for s in STEPS]))
    assert isinstance(found, Fired) and "tanh0" in found.sentence


def test_attention_in_a_fused_kernel() -> None:
    told = [sample(s, acts=one("gelu", 0.0)) for s in STEPS]
    for entry in told:
        entry["unseen"] = [{"what": "attention weights", "why": "a fused kernel keeps none"}]
    found = rule.judge(stuck(told))
    assert isinstance(found, Skipped) and "fused kernel" in found.reason
