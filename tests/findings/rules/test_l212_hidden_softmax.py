"""A softmax that feeds a layer, and those that weigh data."""

from __future__ import annotations

from typing import Any

from literal_losses import EMPTY, FALLING, NO_SAMPLES, STANDING, cross_entropy, run, whole
from literal_recordings import act

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l212_hidden_softmax import judge
from unstuck.record.recording import Recording


def inner(name: str = "softmax after fc1", feeds: str | None = "fc2", **more: Any) -> dict[str, Any]:
    return {**act(name, "softmax"), "feeds": feeds, "hidden": True, "units": 64, "std": 0.01, **more}


def with_acts(*acts: dict[str, Any], accuracy: float = 0.2) -> Recording:
    loss = FALLING if accuracy > 0.9 else STANDING
    return run(whole(cross_entropy(accuracy=accuracy)), loss=loss, parts={"acts": list(acts)})


def test_between_two_layers() -> None:
    answer = judge(with_acts(inner()))
    assert isinstance(answer, Fired)
    assert (answer.severity, answer.where) == ("warning", "softmax after fc1")
    assert "64 hidden units" in answer.sentence and "fc2" in answer.sentence


def test_two_in_a_row() -> None:
    answer = judge(with_acts(inner(), inner("softmax after fc2", "fc3")))
    assert isinstance(answer, Fired) and answer.severity == "error" and answer.evidence["softmaxes"] == 2


def test_a_code_that_learns() -> None:
    answer = judge(with_acts(inner(), accuracy=0.97))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_attention_and_the_last_layer() -> None:
    assert isinstance(judge(with_acts(inner(feeds=None))), Passed)
    assert isinstance(judge(with_acts(inner(feeds=None, hidden=False))), NotApplicable)
    assert isinstance(judge(with_acts(inner(units=1))), Passed)


def test_a_part_that_is_rarely_used() -> None:
    recording = with_acts(inner())
    for sample in recording.main.samples[2:]:
        sample["acts"] = [{**act("relu after fc1", "relu"), "feeds": "fc2"}]
    assert not isinstance(judge(recording), Fired)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(with_acts()), Skipped)
    linear = run(whole(cross_entropy()), parts={"layers": [{"name": "fc", "kind": "linear"}]})
    assert isinstance(judge(linear), NotApplicable)
    old = with_acts({k: v for k, v in inner().items() if k != "feeds"})
    assert isinstance(judge(old), Skipped)
