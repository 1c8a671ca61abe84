"""The verdict where the loss's course shows nothing, and a look at the kept batches the noise floor or a way down."""

from __future__ import annotations

import random
from typing import Any

import pytest
from literal_recordings import STEPS, classes, sample

from unstuck.findings.verdict import verdict
from unstuck.record.recording import Event, Recording


def noisy(level: float, size: float, steps: int = 100) -> list[float]:
    draw = random.Random(0)
    return [level + draw.gauss(0, size) for _ in range(steps)]


def looked(
    loss: list[float],
    *,
    state: str = "converged",
    parts: int = 8,
    drop: float = 0.002,
    own: float = 0.0,
    examples: int = 512,
    **term: Any,
) -> Recording:
    evidence = {"noise_parts": parts, "gain_left": 0.002, "loss_noise": 0.008, "line_search_drop": drop}
    tried = {"before": 2.3, "steps": 20, "multiples": [1.0, 4.0], "falls": [own, own], "separate": True}
    data = {"look": "kept", "when": "end", "state": state, "examples": examples, "evidence": evidence, "trial": tried}
    samples = [sample(s, term=classes(0.1, **term)) for s in STEPS]
    return Recording.of(loss=loss, samples=samples, events=[Event("biopsy", 99, data)])


@pytest.mark.parametrize(
    "loss", [noisy(0.7, 0.3), noisy(2.303, 0.01)], ids=["too noisy to tell", "at a constant answer"]
)
def test_the_gradient_is_within_its_noise(loss: list[float]) -> None:
    found = verdict(looked(loss))
    assert found.state == "converged" and "512 kept examples" in found.sentence and "0.002" in found.sentence
    assert found.evidence["basis"] == "probed" and found.evidence["learned_nothing"] == (loss[0] > 1.5)
    assert verdict(looked(loss, state="descending", drop=0.02)).state == "unknown"
    nowhere = verdict(looked(loss, state="descending"))  # beyond its noise, and yet no step gains what noise would hide
    assert nowhere.state == "converged" and "leads nowhere" in nowhere.sentence
    assert verdict(looked(loss, state="descending", own=0.02)).state == "unknown"


def test_two_batches_are_a_witness_only_beside_a_loss_that_stands() -> None:
    assert verdict(looked(noisy(0.7, 0.3), parts=2)).state == "unknown"
    assert verdict(looked(noisy(2.303, 0.01), parts=2)).state == "converged"
    assert verdict(looked(noisy(2.303, 0.01), parts=1)).state == "unknown"
    assert verdict(looked(noisy(2.303, 0.01), examples=8)).state == "unknown"


def test_at_a_constant_answer_two_batches_are_enough() -> None:
    rough = noisy(2.303, 0.2)  # no hundredth of the loss could be told from it
    assert verdict(looked(rough, parts=2)).state == "converged"
    assert verdict(looked(noisy(2.9, 0.2), parts=2)).state == "unknown"


def test_the_steps_that_the_look_saw_jump() -> None:
    stands = noisy(2.303, 0.01)
    assert verdict(looked(stands, state="bouncing")).state == "bouncing"
    assert verdict(looked([2.3 * 0.97**i for i in range(100)], state="bouncing")).state == "learning"


def test_all_data_in_one_batch_has_no_noise() -> None:
    recording = looked([2.303 - 1e-6 * i for i in range(100)], state="descending", drop=0.2, parts=1)
    recording.happened("biopsy")[-1].data["evidence"]["loss_noise"] = None
    assert verdict(recording).state == "slow"


def test_what_falls_or_measures_nothing_is_not_at_rest() -> None:
    assert verdict(looked([2.3 * 0.97**i for i in range(100)])).state == "learning"
    below = [-1.0 - 30 * i for i in range(100)]  # no loss of classes goes below zero
    assert verdict(looked(below, kind="nll")).state == "learning"


def test_a_plateau_with_a_gradient_that_one_longer_step_uses() -> None:
    stands = noisy(2.303, 0.01)
    found = verdict(looked(stands, state="descending", drop=0.2))
    assert found.state == "slow" and "0.2" in found.sentence and found.evidence["basis"] == "probed"
    for more in ({"drop": 0.02}, {"drop": 0.2, "own": 0.1}, {"drop": 0.2, "own": -0.5}):
        assert verdict(looked(stands, state="descending", **more)).state == "unknown"
    assert verdict(looked(noisy(2.303, 0.3), state="descending", drop=0.2)).state == "unknown"
