"""Batch statistics over too few examples."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, STANDING, cross_entropy, run, whole
from literal_recordings import batch_norm

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.b603_batch_norm_small_batch import judge
from unstuck.record.recording import Recording, Series

NET = {
    "name": "net",
    "params": [],
    "modules": [{"name": "net.bn", "kind": "BatchNorm1d", "options": {"momentum": 0.1}}],
}


def normalized(*layers: dict[str, Any], accuracy: float = 0.2, models: Any = (NET,)) -> Recording:
    loss = FALLING if accuracy > 0.9 else STANDING
    return run(whole(cross_entropy(accuracy=accuracy)), loss=loss, parts={"layers": list(layers)}, models=models)


@pytest.mark.parametrize("rows", [2, 3, 4])
@pytest.mark.parametrize("accuracy", [0.2, 0.97])
def test_rows_of_a_table(rows: int, accuracy: float) -> None:
    answer = judge(normalized(batch_norm([rows, 16]), accuracy=accuracy))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert answer.where == "net.bn" and f"batches of {rows} examples" in answer.sentence


def test_two_rows_are_plus_or_minus_one() -> None:
    answer = judge(normalized(batch_norm([2, 16])))
    assert isinstance(answer, Fired) and "plus or minus one" in answer.sentence


def test_eight_rows() -> None:
    hurt, well = judge(normalized(batch_norm([8, 16]))), judge(normalized(batch_norm([8, 16]), accuracy=0.97))
    assert isinstance(hurt, Fired) and hurt.severity == "warning"
    assert isinstance(well, Fired) and well.severity == "info"


def test_two_images() -> None:
    well = judge(normalized(batch_norm([2, 16, 32, 32]), accuracy=0.97))
    drifting = judge(normalized(batch_norm([2, 16, 32, 32], running_shift=0.8), accuracy=0.97))
    assert isinstance(well, Fired) and well.severity == "info"
    assert isinstance(drifting, Fired) and drifting.severity == "warning"


def test_accumulation_does_not_help() -> None:
    recording = normalized(batch_norm([4, 16]))
    recording.main.backwards = Series(range(100), [8] * 100)
    answer = judge(recording)
    assert isinstance(answer, Fired) and "accumulating" in answer.sentence and answer.evidence["accumulated"] is True


def test_the_layer_with_fewest_examples_counts() -> None:
    answer = judge(normalized(batch_norm([64, 16]), batch_norm([4, 8], "net.last")))
    assert isinstance(answer, Fired) and answer.where == "net.last"


def test_a_script_that_ended_by_a_single_example() -> None:
    message = "Expected more than 1 value per channel when training, got input size torch.Size([1, 16])"
    ended = {"status": 1, "exception": {"type": "ValueError", "message": message, "line": None}}
    answer = judge(run(whole(cross_entropy()), end=ended))
    assert isinstance(answer, Fired) and answer.severity == "error"


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param(batch_norm([32, 16]), id="a table"),
        pytest.param(batch_norm([4, 16, 8, 8]), id="four images"),
        pytest.param(batch_norm([16, 3, 200]), id="sequences"),
    ],
)
def test_health(layer: dict[str, Any]) -> None:
    assert isinstance(judge(normalized(layer)), Passed)


def test_a_last_batch_that_is_smaller() -> None:
    recording = normalized(batch_norm([32, 16]))
    recording.main.samples[-1]["layers"] = [batch_norm([2, 16])]
    assert isinstance(judge(recording), Passed)


def test_what_is_no_batch_normalization() -> None:
    instance = {"name": "net", "modules": [{"name": "net.bn", "kind": "InstanceNorm2d"}]}
    assert isinstance(judge(normalized(batch_norm([1, 64, 8, 8]), models=(instance,))), NotApplicable)
    assert isinstance(judge(normalized(batch_norm([2, 16], training=False))), NotApplicable)
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(normalized()), Skipped)
