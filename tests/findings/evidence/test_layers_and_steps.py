"""Weights in forward order, gains at the start, steps relative to weights, gradient norms, places in the script."""

from __future__ import annotations

import math

import pytest
from literal_recordings import STEPS, act, chain, event, sample, stuck, weight

from unstuck.findings.evidence.activations import courses
from unstuck.findings.evidence.commands import run_again
from unstuck.findings.evidence.gradients import norm, norms
from unstuck.findings.evidence.layers import initial_gains, weights
from unstuck.findings.evidence.liveness import left_out, owned, trainable_names
from unstuck.findings.evidence.movement import median, rate_is_unusual, step_ratio, step_ratios
from unstuck.findings.evidence.places import at, backward_line, model_name
from unstuck.findings.evidence.progress import main_term, progress
from unstuck.record.recording import Recording, Series, Stream


def test_weights_are_in_forward_order_and_the_stream_s_own() -> None:
    params = {
        "b": weight(order=2),
        "a": weight(order=1),
        "bias": weight(order=1, role="bias"),
        "norm": weight(order=3, role="norm"),
        "other": weight(order=0, o=1),
        "nowhere": weight(order=None),
    }
    assert [w.name for w in weights(sample(0, params=params), Stream(0))] == ["a", "b"]
    assert [p.name for p in owned(sample(0, params=params), Stream(1))] == ["other"]


def test_pull_is_the_change_for_a_relative_change() -> None:
    (only,) = weights(sample(0, params={"a": weight(g=3.0, w=4.0)}), Stream(0))
    assert only.pull == 12.0
    (none,) = weights(sample(0, params={"a": weight(g=None)}), Stream(0))
    assert none.pull is None


@pytest.mark.parametrize(
    ("deviation", "norm_", "gain"),
    [(0.1, 10.0, 1.0), (0.0, 10.0, 1.0), (0.2, 20.0, 2.0)],
    ids=["random", "constant", "twice"],
)
def test_gains(deviation: float, norm_: float, gain: float) -> None:
    """Equal weights have no deviation; their size counts."""
    first = sample(
        0,
        params={"net.fc.weight": weight(w=norm_, wstd=deviation, n=10_000, layer="net.fc")},
        layers=[{"name": "net.fc", "order": 0, "fan_in": 100, "in_std": 1.0, "in_rms": 1.0}],
    )
    (found,) = initial_gains(Recording.of(samples=[first]).main)
    assert found.gain == pytest.approx(gain)


def test_no_gain_of_weights_that_are_zero_or_late() -> None:
    layers = [{"name": "net.0", "order": 0, "fan_in": 100}]
    zero = sample(0, params=chain([0.1], w=0.0, wstd=0.0), layers=layers)
    late = sample(9, params=chain([0.1]), layers=layers)
    for one in (zero, late):
        assert initial_gains(Recording.of(samples=[one]).main) == []


def test_step_ratio_is_the_median_over_weights_that_are_not_zero() -> None:
    params = {
        "a": weight(w=1.0, u=0.1),
        "b": weight(w=2.0, u=0.1),
        "c": weight(w=0.0, u=9.0),
        "d": weight(w=1.0, u=0.3),
    }
    assert step_ratio(sample(0, params=params), Stream(0)) == pytest.approx(0.1)
    assert step_ratio(sample(0, params={"a": weight(u=None)}), Stream(0)) is None
    assert len(step_ratios(stuck([sample(s, params=params) for s in STEPS]).main)) == len(STEPS)


def test_rates_against_the_usual() -> None:
    def of(kind: str, rate: float, **group: float) -> float | None:
        return rate_is_unusual(Stream(0, optimizer={"kind": kind, "groups": [{"lr": rate, **group}]}), rate)

    assert of("Adam", 3e-2) == pytest.approx(10)
    assert of("MyOwn", 1.0) is None
    assert of("SGD", 0.5) == of("SGD", 0.5, momentum=0.0) == pytest.approx(1)
    assert of("SGD", 0.1, momentum=0.9) == pytest.approx(1) and of("SGD", 1.0, momentum=0.9) == pytest.approx(10)
    assert math.isnan(median([math.nan])) and median([1.0, math.inf, 3.0]) == 2.0


def test_gradient_norms_come_from_clipping_then_samples_then_light_samples() -> None:
    stream = stuck([sample(0, params=chain([3.0, 4.0]))]).main
    stream.gradient_norm = Series([0, 7], [99.0, 7.0])
    stream.clip_norm = Series([1], [1.0])
    assert list(norms(stream)) == [(0, 5.0), (1, 1.0), (7, 7.0)]
    assert norm(sample(0, params=chain([None])), stream) is None


def test_courses_join_uses_of_one_name() -> None:
    acts = [act("relu", dead=1.0, order=1), act("relu", dead=0.2, order=1)]
    found = courses(stuck([sample(s, acts=[act("tanh", "tanh", order=0), *acts]) for s in STEPS]).main)
    assert [c.name for c in found] == ["tanh", "relu"]
    assert set(found[1].dead) == {0.2}


def test_since_and_last() -> None:
    (found,) = courses(stuck([sample(s, acts=[act("relu", dead=1.0 if s >= 20 else 0.0)]) for s in STEPS]).main)
    assert found.since("dead", 0.999) == 20
    assert found.last("dead", 3) == 1.0 and found.last("dead", 9) == 0.0
    assert found.since("dead", 1.1) is None
    missing = courses(stuck([sample(0, acts=[act("relu", dead=None)])]).main)[0]
    assert math.isnan(missing.last("dead"))


def test_trainable_and_left_out() -> None:
    model = {"name": "net", "params": [{"name": "a", "trainable": False}, {"name": "b"}]}
    told = event(
        "untracked", 3, params=[{"name": "a", "gradient": True, "moved": False}, {"name": "b", "gradient": False}]
    )
    recording = Recording(models=[model], events=[told])
    assert trainable_names(recording) == {"a": False, "b": True}
    assert left_out(recording) == ["a"]


def test_the_main_term_is_the_one_that_knows_right_from_wrong() -> None:
    terms = [{"kind": "penalty"}, {"kind": "custom"}, {"kind": "nll", "accuracy": 0.5}]
    found = main_term({"losses": [{"terms": terms}]})
    assert found is not None and found[1]["kind"] == "nll"
    assert main_term({"losses": [{"terms": terms[:1]}]}) is None


def test_progress_of_an_unknown_loss() -> None:
    assert progress(Recording.of(loss=[2.0] * 50)).state == "unknown"
    assert progress(Recording.of(loss=[2.0] * 10 + [0.5] * 90)).state == "learned"
    assert progress(Recording.of(loss=[-1.0 - i for i in range(50)])).state == "unknown"
    assert progress(Recording.of(loss=[1.0, math.nan, math.nan])).state == "none"


def test_places() -> None:
    line = {"file": "/home/me/train.py", "line": 12}
    assert at(line) == "train.py:12" and at(None) == ""
    assert model_name(Recording(models=[{"name": "not a name"}, {"name": "net"}])) == "net"
    assert model_name(Recording()) == "model"
    told = {**sample(0), "losses": [{"terms": [], "line": line}]}
    assert backward_line(Recording.of(samples=[told]).main) == line


def test_the_command_is_quoted() -> None:
    head = {"script": "/x/my train.py", "argv": ["/x/my train.py", "--name", "a b"]}
    assert run_again(Recording(head=head)) == "unstuck run '/x/my train.py' --name 'a b'"
