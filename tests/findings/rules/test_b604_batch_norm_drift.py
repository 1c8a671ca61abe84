"""Running statistics against the batches they stand for."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, cross_entropy, run, whole
from literal_recordings import batch_norm

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.b604_batch_norm_drift import judge
from unstuck.record.recording import Event, Recording

SLOW = {
    "name": "net",
    "params": [],
    "modules": [{"name": "net.bn", "kind": "BatchNorm1d", "options": {"momentum": 0.001}}],
}


def evaluation(shift: float, ratio: float = 1.0, *, step: int = 99, examples: int = 200) -> Event:
    layer = {"name": "net.bn", "shift": shift, "ratio": ratio, "values": examples, "examples": examples}
    return Event("evaluation_norms", step, {"model": "net", "layers": [layer]})


def normalized(*events: Event, layers: Any = None) -> Recording:
    shown = [batch_norm([32, 16])] if layers is None else layers
    told = whole(cross_entropy(accuracy=0.97))
    return run(told, loss=FALLING, parts={"layers": shown}, models=(SLOW,), events=events)


@pytest.mark.parametrize(("shift", "ratio"), [(0.8, 1.3), (0.1, 3.0), (0.1, 0.3)])
def test_an_evaluation_shows_it(shift: float, ratio: float) -> None:
    late = [batch_norm([32, 16], running_shift=0.6, running_ratio=2.0)]
    answer = judge(normalized(evaluation(shift, ratio), layers=late))
    assert isinstance(answer, Fired)
    assert (answer.severity, answer.where, answer.step) == ("warning", "net.bn", 99)
    # 0.999 to the power of 99: the averages have hardly left their first values.
    assert "91% of them are still the first values" in answer.sentence


def test_a_layer_of_the_scripts_own() -> None:
    own = {**SLOW, "modules": [{"name": "net.bn", "kind": "Normalize", "options": {"momentum": 0.001}}]}
    told = whole(cross_entropy(accuracy=0.97))
    answer = judge(run(told, loss=FALLING, models=(own,), events=(evaluation(0.8, 1.3),)))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert answer.advice[0].code.startswith("torch.nn.BatchNorm1d(")
    assert isinstance(judge(run(told, loss=FALLING, models=(own,), events=(evaluation(0.1, 1.1),))), Passed)


def test_an_evaluation_of_other_data() -> None:
    """One class at a time, say: the averages had come to those of the training batches."""
    answer = judge(normalized(evaluation(2.0, 1.7), layers=[batch_norm([32, 16], running_shift=0.1)]))
    assert isinstance(answer, Passed) and "training batches" in answer.reason


def test_only_training_batches_show_it() -> None:
    answer = judge(normalized(layers=[batch_norm([32, 16], running_shift=1.5)]))
    assert isinstance(answer, Fired) and answer.severity == "info"
    assert isinstance(judge(normalized(layers=[batch_norm([32, 16], running_shift=0.6, running_ratio=2.6)])), Passed)


def test_the_last_evaluation_counts() -> None:
    assert isinstance(judge(normalized(evaluation(2.0, step=10), evaluation(0.05))), Passed)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param((evaluation(0.12, 1.03),), id="a deep network"),
        pytest.param((evaluation(0.8, examples=10),), id="ten examples scatter so"),
        pytest.param((evaluation(3.0, examples=2), evaluation(0.2)), id="two examples tell nothing"),
    ],
)
def test_health(events: tuple[Event, ...]) -> None:
    assert isinstance(judge(normalized(*events)), Passed)


def test_layers_that_train_by_their_running_statistics() -> None:
    assert isinstance(judge(normalized(evaluation(30.0), layers=[batch_norm([32, 16], training=False)])), NotApplicable)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    early = normalized()
    early.main.samples = early.main.samples[:20]
    assert isinstance(judge(early), Skipped)


def test_averages_that_cannot_be_late_are_information() -> None:
    """torch's usual momentum has forgotten the first values a hundred times over: the evaluation's data are others."""
    usual = {**SLOW, "modules": [{**SLOW["modules"][0], "options": {**SLOW["modules"][0]["options"], "momentum": 0.1}}]}
    told = whole(cross_entropy(accuracy=0.97))
    one_class = run(told, loss=FALLING, models=(usual,), events=[evaluation(0.8, 1.3)])
    answer = judge(one_class)
    assert isinstance(answer, Fired) and answer.severity == "info"
