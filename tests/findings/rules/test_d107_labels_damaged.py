"""Labels that are not the class indices."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import (
    EMPTY,
    FALLING,
    NO_SAMPLES,
    STANDING,
    TEN,
    active,
    amounts,
    binary,
    cross_entropy,
    labels,
    one_hot,
    output,
    run,
    squared,
    term,
    whole,
    yes_no,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.d107_labels_damaged import judge
from unstuck.record.recording import Event, Recording

OWN_TEN = active("log_softmax", dim=1, size=10, own=True)


def classifier(counts: dict[str, int], **more: Any) -> Recording:
    """Ten outputs, whatever labels occur."""
    told = cross_entropy(counts=counts, output=output((sum(counts.values()), 10)), accuracy=0.9, **more)
    told["head"] = [OWN_TEN]
    return run(whole(told), loss=FALLING)


def test_scaled_down_and_cut() -> None:
    answer = judge(classifier({"0": 72, "1": 8}))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert "Only 0, 1 occur" in answer.sentence and answer.evidence["outputs"] == 10


def test_spaced_out() -> None:
    answer = judge(classifier({"0": 20, "3": 20, "6": 20, "9": 20}))
    assert isinstance(answer, Fired) and answer.severity == "warning" and answer.evidence["spacing"] == 3


def test_one_class_only_is_information() -> None:
    answer = judge(classifier({"0": 80}))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_sorted_data_whose_later_classes_are_yet_to_come() -> None:
    batches = [{"0": 80}] * 8 + [{"1": 80}] * 8 + [{"2": 80}] * 4
    recording = classifier({"0": 80})
    early = recording.main.samples[:20]
    for sample, counts in zip(early, batches, strict=True):
        sample["losses"] = [whole({**sample["losses"][0]["terms"][0], "target": labels(counts)})]
    recording.main.samples = early
    assert isinstance(judge(recording), Passed)


def test_a_script_that_ended_by_a_label() -> None:
    ended = {"status": 1, "exception": {"type": "IndexError", "message": "Target 10 is out of bounds.", "line": None}}
    answer = judge(run(whole(cross_entropy()), end=ended))
    assert isinstance(answer, Fired) and answer.severity == "error" and "class index 10" in answer.sentence
    ended["exception"]["message"] = "all elements of target should be between 0 and 1"
    assert isinstance(judge(run(whole(binary("bce")), end=ended)), Fired)
    ended["exception"]["message"] = "all elements of input should be between 0 and 1"
    assert isinstance(judge(run(whole(binary("bce")), end=ended)), Passed)
    ended["exception"]["message"] = "mat1 and mat2 shapes cannot be multiplied"
    assert isinstance(judge(run(whole(cross_entropy()), end=ended)), Passed)


@pytest.mark.parametrize(("low", "high", "do"), [(1.0, 2.0, "subtract 1"), (-1.0, 1.0, "(y + 1) / 2")])
def test_yes_and_no_in_other_numbers(low: float, high: float, do: str) -> None:
    target = yes_no(min=low, max=high, binary=False, mean=(low + high) / 2)
    answer = judge(run(whole(binary("bce_logits", target=target))))
    assert isinstance(answer, Fired) and answer.severity == "error" and do in answer.advice[0].text


@pytest.mark.parametrize("kind", ["cross_entropy_soft", "mse", "bce"])
def test_one_hot_rows_that_were_scaled_with_the_pixels(kind: str) -> None:
    scaled = one_hot(one_hot=False, binary=False, integer=False, max=1 / 255, mean=1 / 2550, classes=None)
    told = term(kind, (), output=output(), target=scaled, class_dim=1 if kind == "cross_entropy_soft" else None)
    answer = judge(run(whole(told)))
    assert isinstance(answer, Fired) and answer.severity == "error"
    assert answer.evidence["row_sum"] == pytest.approx(1 / 255)


def soft(mean: float, **stats: Any) -> dict[str, Any]:
    return amounts(mean=mean, std=0.2, shape=(80, 10), min=0.0, max=0.9, **stats)


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(classifier(TEN), id="ten classes"),
        pytest.param(classifier({str(c): 9 for c in range(9)}), id="one class that did not come"),
        pytest.param(classifier({"2": 40, "7": 40}), id="a network for more classes"),
        pytest.param(run(whole(binary("bce"))), id="0 and 1"),
        pytest.param(
            run(whole(binary("bce_logits", target=amounts(0.5, 0.3, min=-0.1, max=1.2)))), id="smoothed beyond"
        ),
        pytest.param(run(whole(term("cross_entropy_soft", output=output(), target=soft(0.1)))), id="probabilities"),
        pytest.param(run(whole(squared())), id="numbers"),
        pytest.param(run(whole(term("mse", output=output(), target=one_hot()))), id="one-hot"),
        pytest.param(run(whole(term("mse", output=output(), target=soft(0.4)))), id="an autoencoder"),
    ],
)
def test_health(recording: Recording) -> None:
    assert not isinstance(judge(recording), Fired)


def test_similarities_are_no_classifier() -> None:
    recording = classifier({"0": 72, "1": 8})
    recording.models.append({"name": "net", "params": [{"name": "net.weight", "shape": [64, 32]}]})
    assert isinstance(judge(recording), Passed)


def test_returns_in_place_of_probabilities_vary() -> None:
    recording = run(whole(term("cross_entropy_soft", output=output(), target=soft(0.1))), loss=STANDING)
    for i, sample in enumerate(recording.main.samples):
        sample["losses"] = [whole({**sample["losses"][0]["terms"][0], "target": soft(0.1 + 0.02 * i)})]
    assert isinstance(judge(recording), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(run(whole(squared()))), NotApplicable)


def cut(values: list[float], left: dict[str, int]) -> Event:
    told = {"entries": sum(left.values()), "distinct": len(values), "values": values[:8], "left": left}
    told |= {"lowest": min(values), "highest": max(values)}
    return Event("cut_to_whole", None, {**told, "distinct_left": len(left), "line": {"file": "a.py", "line": 3}})


def test_fractions_that_were_cut_off() -> None:
    recording = classifier({"0": 58, "1": 22})
    tenths = [i / 9 for i in range(10)]
    recording.events.append(cut(tenths, {"0": 900, "1": 340}))
    answer = judge(recording)
    assert isinstance(answer, Fired) and answer.severity == "error" and answer.line == {"file": "a.py", "line": 3}
    assert "10 different values (0, 0.111" in answer.sentence and "2 are left (0, 1)" in answer.sentence


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ([i / 20 for i in range(40)], {"0": 900, "1": 340}),  # measurements put into classes, on purpose
        ([0.0, 0.5, 1.0], {"0": 340, "1": 900}),  # something else: its shares are others
        ([0.0, 0.5, 3.0], {"0": 900, "3": 340}),  # labels of the loss that are not among them
        ([0.5, 1.0, 1.5], {"0": 900, "1": 340}),  # ratings, floored on purpose
        ([0.0, 1.0, 2.5], {"0": 900, "1": 200, "2": 140}),  # as many classes as before
    ],
)
def test_conversions_that_have_nothing_to_do_with_the_labels(values: list[float], left: dict[str, int]) -> None:
    recording = classifier({"0": 58, "1": 22})
    recording.events.append(cut(values, left))
    answer = judge(recording)
    assert not (isinstance(answer, Fired) and answer.severity == "error")
