"""Dropout that drowns the signal."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, NO_SAMPLES, STANDING, cross_entropy, features, run, whole
from literal_recordings import act

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.b606_dropout_too_strong import judge
from unstuck.record.recording import Event, Recording


def dropouts(*rates: float, accuracy: float = 0.3, events: Any = (), **parts: Any) -> Recording:
    modules = [{"name": f"net.drop{i}", "kind": "Dropout", "options": {"p": p}} for i, p in enumerate(rates)]
    model = {"name": "net", "params": [], "modules": modules}
    loss = FALLING if accuracy > 0.9 else STANDING
    given = {"inputs": [features()], **parts}
    return run(whole(cross_entropy(accuracy=accuracy)), loss=loss, models=(model,), parts=given, events=events)


@pytest.mark.parametrize(("rates", "noise"), [((0.9,), 9.0), ((0.8,), 4.0), ((0.7, 0.7), 4.67), ((0.5,) * 5, 5.0)])
def test_noise_above_the_signal(rates: tuple[float, ...], noise: float) -> None:
    answer = judge(dropouts(*rates))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert answer.evidence["noise_to_signal"] == pytest.approx(noise, rel=0.01)


def test_a_run_that_bears_it() -> None:
    answer = judge(dropouts(0.9, accuracy=0.97))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_the_advice_turns_the_rate_around() -> None:
    answer = judge(dropouts(0.9))
    assert isinstance(answer, Fired) and "p=0.1" in answer.advice[0].code and "write 0.1." in answer.advice[0].text


@pytest.mark.parametrize("rates", [(0.5,), (0.2, 0.5), (0.5, 0.5, 0.5), (0.1,) * 12, (0.1,) * 42, (0.4,) * 9])
def test_common_rates(rates: tuple[float, ...]) -> None:
    assert isinstance(judge(dropouts(*rates)), Passed)


@pytest.mark.parametrize(("names", "fires"), [("heads.{}", False), ("net.{}0", True)])
def test_masks_side_by_side_count_once(names: str, fires: bool) -> None:
    modules = [{"name": names.format(i), "kind": "Dropout", "options": {"p": 0.5}} for i in range(1, 6)]
    model = {"name": "net", "params": [], "modules": modules}
    found = judge(
        run(whole(cross_entropy(accuracy=0.3)), loss=STANDING, models=(model,), parts={"inputs": [features()]})
    )
    assert isinstance(found, Fired if fires else Passed)


def function(zero: float, arrives: float, accuracy: float = 0.3) -> Recording:
    shown = {
        "acts": [{**act("relu after fc1", zero=zero), "feeds": "fc2"}],
        "layers": [{"name": "fc2", "in_zero": arrives}],
    }
    return dropouts(accuracy=accuracy, **shown)


def test_dropout_as_a_function_is_measured() -> None:
    answer = judge(function(zero=0.5, arrives=0.95))  # a tenth of what is not zero arrives
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert answer.evidence["p"] == pytest.approx(0.9) and answer.evidence["measured"] is True
    assert isinstance(judge(function(zero=0.5, arrives=0.75)), Passed)
    assert isinstance(judge(function(zero=0.5, arrives=0.5)), NotApplicable)


def test_padding_differs_from_batch_to_batch_and_a_recurrent_layer_feeds_itself() -> None:
    padded = function(zero=0.0, arrives=0.9)
    for i, sample in enumerate(padded.main.samples):
        sample["layers"] = [{"name": "fc2", "in_zero": 0.75 + 0.02 * (i % 10)}]
    assert isinstance(judge(padded), NotApplicable)
    recurrent = function(zero=0.0, arrives=0.9)
    for sample in recurrent.main.samples:
        sample["acts"] = [{**act(f"tanh {i}", "tanh", zero=0.0), "feeds": "fc2"} for i in range(3)]
    assert isinstance(judge(recurrent), NotApplicable)


def test_dropout_that_was_switched_off() -> None:
    asleep = Event("training_in_eval", 0, {"model": "net", "modules": ["net.drop0"], "eval_modules": {"Dropout": 1}})
    assert isinstance(judge(dropouts(0.9, events=[asleep])), NotApplicable)


def test_a_model_that_is_not_trained() -> None:
    recording = dropouts(0.1)
    recording.models.append(
        {"name": "teacher", "modules": [{"name": "teacher.d", "kind": "Dropout", "options": {"p": 0.9}}]}
    )
    assert isinstance(judge(recording), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(dropouts()), NotApplicable)
