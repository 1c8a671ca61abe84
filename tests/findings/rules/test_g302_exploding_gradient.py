"""A gradient out of proportion, or far above its own history, fires only where it left damage."""

from __future__ import annotations

import math

import pytest
from literal_recordings import STEPS, chain, classes, learned, sample, stuck, through_time, weight

from unstuck.findings.contract import Fired, Passed, Skipped
from unstuck.findings.rules import g302_exploding_gradient as rule
from unstuck.record.recording import Recording, Series


def test_out_of_proportion_at_the_start() -> None:
    params = {"net.0.weight": weight(g=5e6, w=4.0), "net.1.weight": weight(g=10.0, w=4.0, order=1)}
    found = rule.judge(stuck([sample(s, params=params if s < 3 else chain([0.1, 0.1])) for s in STEPS]))
    assert isinstance(found, Fired)
    assert found.where == "net.0" and found.step == 0 and found.severity == "error"


def _leap(after: float, *, start: float = 0.5) -> Recording:
    loss = [start] * 40 + [after] * 20
    samples = [sample(s, params=chain([300.0 if s == 40 else 1.0] * 2)) for s in STEPS]
    return stuck(samples, loss=loss)


def test_a_leap_that_left_damage() -> None:
    found = rule.judge(_leap(5.0))
    assert isinstance(found, Fired)
    assert found.step == 40 and found.evidence["loss_at_end"] == 5.0
    assert "300 times" in found.sentence


def test_a_leap_that_ends_not_finite() -> None:
    assert isinstance(rule.judge(_leap(math.nan)), Fired)


def test_a_leap_that_it_recovered_from() -> None:
    found = rule.judge(_leap(0.5))
    assert isinstance(found, Passed) and "recovered" in found.reason


def test_a_run_that_learned_with_large_gradients() -> None:
    samples = [sample(s, params=chain([5e6 if s == 0 else 1.0])) for s in STEPS]
    assert isinstance(rule.judge(learned(samples)), Passed)


def test_clipped_norms_are_the_history() -> None:
    """Every step's norm before clipping is known; large ones in a run that learns are what clipping is for."""
    recording = learned([sample(0, params=chain([1.0]))])
    steps = list(range(60))
    recording.main.clip_norm = Series(steps, [1e4 if s == 30 else 1.0 for s in steps])
    assert isinstance(rule.judge(recording), Passed)


def test_nothing_known() -> None:
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 20)), Skipped)


def deep(first: float, last: float, layers: int = 8) -> dict[str, dict[str, object]]:
    """Gradients that grow steadily from the last hidden layer back to the first, and an output layer of .1."""
    hidden = [first * (last / first) ** (i / (layers - 1)) for i in range(layers)]
    return chain([*hidden, 0.1])


def some(samples: list[dict[str, object]], **more: object) -> Recording:
    """A run that came a quarter of the way."""
    told = [{**s, "losses": sample(0, term=classes(0.3))["losses"]} for s in samples]
    return Recording.of(loss=[2.3 - 0.01 * i for i in range(60)], samples=told, **more)  # type: ignore[arg-type]


def test_growth_through_the_layers() -> None:
    found = rule.judge(some([sample(s, params=deep(200.0, 1.0)) for s in range(10)]))
    assert isinstance(found, Fired)
    assert (found.severity, found.where) == ("warning", "net.0")
    assert found.evidence["growth"] > 30 and "net.7" in found.sentence


def test_growth_that_healthy_networks_have() -> None:
    assert isinstance(rule.judge(some([sample(s, params=deep(16.0, 9.0)) for s in range(10)])), Passed)
    assert isinstance(rule.judge(some([sample(s, params=deep(200.0, 150.0)) for s in range(10)])), Passed)
    assert isinstance(rule.judge(learned([sample(s, params=deep(200.0, 1.0)) for s in range(10)])), Passed)


def recurrent(kind: str, gradients: list[float], *, end: float = 1.6, clipped: bool = False) -> Recording:
    """Falls to 1.2 by step 40, is back at 2.5 from step 80 to 120, and then falls to ``end``."""
    loss = [2.3 - 1.1 * i / 40 for i in range(40)] + [1.2 + 1.3 * i / 40 for i in range(40)] + [2.5] * 40
    loss += [2.5 - (2.5 - end) * i / 80 for i in range(80)] + [end] * 40
    steps = [0, 2, 4, 60, 90, 150]
    samples = [sample(s, params=chain([g]), term=classes(0.3)) for s, g in zip(steps, gradients, strict=True)]
    model = {"m": 0, "name": "net", "params": [], "modules": [{"name": "net.rnn", "kind": kind}]}
    recording = Recording.of(loss=loss, samples=samples, models=[model])
    if clipped:
        recording.main.clip_norm = Series([0, 60], [1.0, 9.0])
    return recording


def test_a_recurrent_network_that_lost_what_it_had_learned() -> None:
    found = rule.judge(recurrent("RNN", [1.0, 1.0, 1.0, 8.0, 4.0, 2.0]))
    assert isinstance(found, Fired)
    assert found.severity == "warning" and found.where == "RNN"
    assert found.evidence["times_first_steps"] == 8.0 and "nothing clips it" in found.sentence


def test_recurrent_look_alikes() -> None:
    grew = [1.0, 1.0, 1.0, 8.0, 4.0, 2.0]
    for recording in (
        recurrent("Linear", grew),
        recurrent("RNN", [1.0] * 6),
        recurrent("LSTM", grew, end=0.5),  # it came back to its best
        recurrent("GRU", grew, clipped=True),
    ):
        assert isinstance(rule.judge(recording), Passed)


def through(first: float, last: float, *, step: int = 0, accuracy: float = 0.3, g: float = 200.0) -> Recording:
    """A recurrent network of weight norm 1 and gradient ``g``, that came a quarter of the way."""
    params = {"net.rnn.weight_hh_l0": weight(g=g, w=1.0, layer="net.rnn"), **chain([0.1])}
    told = [
        sample(s, params=params, recurrent=[through_time(first, last)], term=classes(accuracy))
        for s in (*range(step, 9), 58, 59)
    ]
    return Recording.of(loss=[2.3 - 0.01 * i for i in range(60)], samples=told)


def test_growth_through_time_before_the_first_step() -> None:
    found = rule.judge(through(1e3, 1e-1))
    assert isinstance(found, Fired)
    assert (found.severity, found.where, found.step) == ("warning", "net.rnn", 0)
    # The largest norm of the last tenth of thirty steps is that at step 28 or 26.1 at the earliest: 28.
    assert found.evidence["growth_through_time"] == pytest.approx(10 ** (4 * 28 / 29))
    assert any("orthogonal_(net.rnn.weight_hh_l0)" in advice.code for advice in found.advice)


def test_growth_through_time_that_does_no_harm() -> None:
    for recording in (
        through(5.0, 1e-1),  # fiftyfold
        through(1e3, 1e-1, g=20.0),  # a large factor of something small
        through(1e3, 1e-1, step=3),  # how it began is not known
        through(1e3, 1e-1, accuracy=0.97),
    ):
        assert isinstance(rule.judge(recording), Passed)
