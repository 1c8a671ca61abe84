"""Batches without noise whose steps ran out, and those whose steps sufficed."""

from __future__ import annotations

import pytest
from literal_losses import EMPTY, EVEN_STEPS, FALLING, NO_SAMPLES, STANDING, cross_entropy, sampled, whole

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.b602_batch_too_large import judge
from unstuck.record.recording import Recording

STRAIGHT = [2.3 - 0.004 * i for i in range(100)]


def quiet(
    share: float = 0.9, *, batch: int = 1024, loss: list[float] = STRAIGHT, accuracy: float = 0.4, repeat: int = 1
) -> Recording:
    noise = {"cos": 0.9, "norm": 1.0, "share": share, "pairs": 8}
    samples = [sampled(s * repeat, whole(cross_entropy(accuracy=accuracy)), noise=noise) for s in EVEN_STEPS]
    return Recording.of(loss=[v for v in loss for _ in range(repeat)], batch_size=batch, samples=samples)


def test_the_steps_ran_out() -> None:
    answer = judge(quiet())
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert answer.evidence["noise_scale"] == pytest.approx(1024 / 9)
    assert "batch_size=128" in answer.advice[0].code


def test_right_answers_run_ahead_of_the_loss() -> None:
    assert isinstance(judge(quiet(accuracy=0.6)), Fired)
    assert isinstance(judge(quiet(accuracy=0.9)), Passed)


def test_many_steps_are_information() -> None:
    answer = judge(quiet(repeat=5))
    assert isinstance(answer, Fired) and answer.severity == "info"


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(quiet(batch=128), id="a common batch"),
        pytest.param(quiet(0.5), id="half noise"),
        pytest.param(quiet(loss=FALLING, accuracy=0.97), id="learned well"),
        pytest.param(quiet(loss=STANDING, accuracy=0.1), id="another fault: the loss stands"),
    ],
)
def test_health(recording: Recording) -> None:
    assert isinstance(judge(recording), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
