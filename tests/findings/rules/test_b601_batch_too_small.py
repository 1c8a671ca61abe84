"""Noise that stops a run of tiny batches, and noise that does no harm."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from literal_losses import EMPTY, EVEN_STEPS, FALLING, NO_SAMPLES, sampled, squared, whole

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.b601_batch_too_small import judge
from unstuck.record.recording import Recording, Series

draw = random.Random(0)
HOVERING = [0.95 + 0.2 * draw.gauss(0, 1) ** 2 for _ in range(100)]


def noisy(share: float, *, batch: int, loss: list[float] = HOVERING, r2: float = 0.0, pairs: int = 8) -> Recording:
    noise = {"cos": 0.1, "norm": 1.0, "share": share, "pairs": pairs}
    samples = [sampled(s, whole(squared(r2=r2)), noise=noise) for s in EVEN_STEPS]
    return Recording.of(loss=loss, batch_size=batch, samples=samples)


def test_one_example_a_step_and_nothing_learned() -> None:
    answer = judge(noisy(0.05, batch=1))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert answer.evidence["noise_scale"] == pytest.approx(19)
    assert "95% noise" in answer.sentence and "Steps of 1 example are" in answer.sentence


def test_noise_alone_is_information() -> None:
    half = [1.0 - 0.004 * i for i in range(100)]
    answer = judge(noisy(0.05, batch=2, loss=half, r2=0.55))
    assert isinstance(answer, Fired) and answer.severity == "info"
    answer = judge(noisy(0.02, batch=8))
    assert isinstance(answer, Fired) and answer.severity == "info"


SCATTERED = [2.0 + 1.2 * draw.gauss(0, 1) for _ in range(900)]  # noisy targets: the batches differ, the loss stands
WANDERING = [1.2 + 0.3 * math.sin(i / 9) + 0.1 * draw.gauss(0, 1) for i in range(900)]


def test_noise_of_the_targets_is_no_harm_of_the_steps() -> None:
    at_rest = judge(noisy(0.02, batch=4, loss=SCATTERED, r2=0.2))
    assert isinstance(at_rest, Fired) and at_rest.severity == "info"
    thrown_about = judge(noisy(0.02, batch=4, loss=WANDERING, r2=0.2))
    assert isinstance(thrown_about, Fired) and thrown_about.severity == "warning"
    lowered = noisy(0.02, batch=4, loss=WANDERING, r2=0.2)
    rates = Series(range(900), [1e-3 * (1 - i / 900) for i in range(900)])
    lowered.main.learning_rate = rates
    answer = judge(lowered)
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_text_has_a_floor_that_nobody_knows() -> None:
    recording = noisy(0.05, batch=4)
    for sample in recording.main.samples:
        sample["inputs"] = [{"model": "net", "name": "ids", "shape": [4, 64], "dtype": "int64", "min": 0, "max": 60}]
    answer = judge(recording)
    assert isinstance(answer, Fired) and answer.severity == "info"


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(noisy(0.05, batch=16), id="a common batch"),
        pytest.param(noisy(0.5, batch=1), id="half signal"),
        pytest.param(noisy(0.15, batch=8), id="four fifths noise, eight examples"),
        pytest.param(noisy(0.01, batch=1, loss=FALLING, r2=0.95), id="learned well"),
        pytest.param(noisy(0.01, batch=1, loss=[1.0 * 1.2**i for i in range(100)]), id="diverged"),
    ],
)
def test_health(recording: Recording) -> None:
    assert isinstance(judge(recording), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(noisy(0.05, batch=1, pairs=2)), Skipped)


def test_two_networks_against_each_other() -> None:
    recording = noisy(0.05, batch=1)
    other: Any = noisy(0.05, batch=1, loss=FALLING).main
    other.number = 1
    recording.streams[1] = other
    assert isinstance(judge(recording), NotApplicable)
