"""NaN or infinity in inputs or targets, and what came first."""

from __future__ import annotations

import math

from literal_losses import EMPTY, FALLING, NO_SAMPLES, amounts, cross_entropy, features, run, sampled, squared, whole
from literal_recordings import weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.d102_inputs_not_finite import judge
from unstuck.record.recording import Event, Recording

BROKEN = features(nonfinite=204)
LOSS = whole(cross_entropy())


def test_nan_enters_and_everything_breaks() -> None:
    answer = judge(run(LOSS, loss=[math.nan] * 100, parts={"inputs": [BROKEN]}))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.95
    assert answer.step == 0 and answer.evidence["not_finite_numbers"] == 204
    assert "204 numbers" in answer.sentence and "isfinite(X)" in answer.advice[0].code


def test_an_event_between_samples() -> None:
    line = {"file": "train.py", "line": 9, "function": "f", "text": "model(x)"}
    event = Event("nonfinite", 57, {"where": "input", "name": "x", "line": line})
    answer = judge(run(LOSS, loss=[2.3] * 57 + [math.nan] * 43, events=[event], parts={"inputs": [features()]}))
    assert isinstance(answer, Fired) and answer.step == 57 and "train.py:9" in answer.where


def test_targets() -> None:
    told = whole(squared(target=amounts(nonfinite=3)))
    answer = judge(run(told, loss=[math.nan] * 100))
    assert isinstance(answer, Fired) and "target" in answer.sentence and "isfinite(y)" in answer.advice[0].code


def test_targets_that_were_told_from_the_output_prove_nothing() -> None:
    told = whole(squared(target=amounts(nonfinite=3, reconstructed=True)))
    assert isinstance(judge(run(told, loss=[1.0] * 10 + [math.nan] * 90)), Passed)


def test_a_model_that_replaces_them() -> None:
    answer = judge(run(LOSS, loss=FALLING, parts={"inputs": [BROKEN]}))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_answers_that_are_fed_back_come_second() -> None:
    samples = [
        sampled(0, LOSS, inputs=[features()], params={"w": weight()}),
        sampled(1, LOSS, inputs=[features()], params={"w": {**weight(), "wn": 5}}),
        sampled(2, LOSS, inputs=[BROKEN], params={"w": {**weight(), "wn": 5}}),
    ]
    answer = judge(Recording.of(loss=[1.0, 1.0, math.nan], samples=samples))
    assert isinstance(answer, Passed) and "before" in answer.reason


def test_health() -> None:
    assert isinstance(judge(run(LOSS, loss=FALLING, parts={"inputs": [features()]})), Passed)
    # A run that breaks by itself: the inputs are finite.
    assert isinstance(judge(run(LOSS, loss=[2.3] * 9 + [math.nan] * 91, parts={"inputs": [features()]})), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
