"""What a probe proves, and the one case that watching shows."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, STANDING, cross_entropy, run, whole
from literal_recordings import weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.t703_underfitting import judge
from unstuck.record.recording import Event, Recording


def probed(**result: Any) -> Recording:
    given = {
        "examples": 16,
        "steps": 200,
        "first_loss": 2.4,
        "constant_loss": 2.2,
        "accuracy": None,
        "r2": None,
        **result,
    }
    event = Event("probe", None, {"name": "overfit-one-batch", "result": given})
    return run(whole(cross_entropy(accuracy=0.2)), events=[event])


def test_a_batch_that_cannot_be_fitted() -> None:
    answer = judge(probed(last_loss=1.9, accuracy=0.3))
    assert isinstance(answer, Fired)
    assert (answer.severity, answer.basis, answer.confidence) == ("error", "probed", 0.9)
    assert "16 examples" in answer.sentence and "30% of the answers right" in answer.sentence


def test_a_batch_that_is_fitted() -> None:
    assert isinstance(judge(probed(last_loss=0.01, accuracy=1.0)), Passed)
    assert isinstance(judge(probed(last_loss=0.9, accuracy=0.95)), Passed)  # a loss with a floor of its own
    assert isinstance(judge(probed(last_loss=0.1, constant_loss=None)), Passed)


def test_a_run_that_fits_disproves_a_probe_that_does_not() -> None:
    event = probed(last_loss=1.9, accuracy=0.3).events[0]
    answer = judge(run(whole(cross_entropy(accuracy=0.97)), loss=FALLING, events=[event]))
    assert isinstance(answer, Passed) and "itself fits" in answer.reason


def test_a_batch_that_nothing_can_fit() -> None:
    assert isinstance(judge(probed(last_loss=1.9, distinct_inputs=False)), Skipped)
    assert isinstance(judge(probed(last_loss=None)), Skipped)
    answer = judge(probed(last_loss=None, unseen="no batch was kept"))
    assert isinstance(answer, Skipped) and "no batch was kept" in answer.reason


def network(*widths: int, accuracy: float = 0.2, loss: list[float] = STANDING) -> Recording:
    sizes = (64, *widths, 10)
    shapes = [{"name": f"net.{i}.weight", "shape": [n, sizes[i]]} for i, n in enumerate(sizes[1:])]
    params = {p["name"]: weight(order=i, layer=f"net.{i}") for i, p in enumerate(shapes)}
    model = {"name": "net", "params": shapes, "modules": []}
    return run(whole(cross_entropy(accuracy=accuracy)), loss=loss, models=(model,), parts={"params": params})


@pytest.mark.parametrize("widths", [(1,), (32, 2), (2, 32)])
def test_everything_passes_one_or_two_units(widths: tuple[int, ...]) -> None:
    answer = judge(network(*widths))
    assert isinstance(answer, Fired) and answer.severity == "warning" and answer.basis == "watched"
    assert answer.evidence["units"] == min(widths)


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(network(32), id="wide: noise in the labels looks the same"),
        pytest.param(network(2, loss=[2.3 - 0.006 * i for i in range(100)]), id="still falling"),
        pytest.param(network(2, accuracy=0.7), id="two units that do"),
    ],
)
def test_watching_cannot_tell(recording: Recording) -> None:
    answer = judge(recording)
    assert isinstance(answer, Skipped) and "--probe" in answer.reason


def test_a_run_that_learned() -> None:
    assert isinstance(judge(network(32, accuracy=0.97, loss=FALLING)), Passed)
    assert isinstance(judge(EMPTY), NotApplicable)
