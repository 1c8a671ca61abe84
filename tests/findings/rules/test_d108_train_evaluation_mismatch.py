"""The same model fed other numbers when it is evaluated."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, cross_entropy, features, run, term, whole

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.d108_train_evaluation_mismatch import judge
from unstuck.record.recording import Event, Recording

LINE = {"file": "/home/me/train.py", "line": 33, "function": "evaluate", "text": "model(x)"}


def look(
    step: int = 50,
    *,
    scale: float = 1.0,
    shift: float = 0.0,
    apart: float = 0.0,
    count: int = 8,
    examples: int = 200,
    training: bool = False,
    **more: Any,
) -> Event:
    against = {"shift": shift, "scale": scale, "apart": apart, "features": count, "examples": [examples, 640]}
    entry = features(against_training=against, **more)
    data = {"model": "net", "training": training, "of_batch_modules": 1, "inputs": [entry], "line": LINE}
    return Event("forward_without_gradient", step, data)


def evaluated(*looks: Event) -> Recording:
    return run(whole(cross_entropy(accuracy=0.97)), loss=FALLING, parts={"inputs": [features()]}, events=looks)


IMAGE = {"shape": [64, 3, 32, 32]}


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(look(scale=40.0, shift=60.0), id="raw columns"),
        pytest.param(look(scale=255.0), id="raw pixels in a row"),
        pytest.param(look(scale=1 / 16), id="divided twice"),
        pytest.param(look(shift=4.0), id="an offset"),
        pytest.param(look(scale=0.85, shift=2.4, apart=0.62, count=13), id="raw columns of all sorts"),
        pytest.param(look(scale=0.5, shift=0.94, **IMAGE), id="images not normalized by one half"),
        pytest.param(look(scale=0.31, shift=0.13, **IMAGE), id="images not normalized by their own numbers"),
    ],
)
def test_other_numbers(event: Event) -> None:
    answer = judge(evaluated(event))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert answer.where == "train.py:33" and "examples" in answer.sentence


def test_the_sentence_names_both_scales() -> None:
    answer = judge(evaluated(look(scale=40.0, mean=62.0, std=228.0)))
    assert isinstance(answer, Fired)
    assert (
        "40 times" in answer.sentence
        and "deviation 228" in answer.sentence
        and "in training 0 and 1" in answer.sentence
    )
    assert answer.confidence == 0.9


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(look(), id="alike"),
        pytest.param(look(scale=0.75, shift=0.4), id="a small test set"),
        pytest.param(look(scale=1.8, shift=1.0), id="a grid for a picture"),
        pytest.param(look(scale=0.4, shift=0.1, apart=0.6, count=400), id="rare words that a small test set lacks"),
        pytest.param(look(scale=0.6, shift=1.2, apart=0.5, count=2), id="a time that goes on"),
        pytest.param(look(scale=1.3, shift=0.5, **IMAGE), id="training images with crops and erasing"),
    ],
)
def test_health(event: Event) -> None:
    assert isinstance(judge(evaluated(event)), Passed)


def test_one_unusual_call_among_evaluations() -> None:
    assert isinstance(judge(evaluated(*(look(s) for s in (20, 40, 60)), look(99, scale=50.0))), Passed)


def test_a_head_fed_by_a_network_that_learns() -> None:
    recording = evaluated(look(scale=16.5))
    for sample in recording.main.samples:
        sample["inputs"] = [features(live=True)]
    assert isinstance(judge(recording), Skipped)


def test_a_number_that_a_loop_runs_through() -> None:
    """The time of a flow: drawn for each example in training, one for the whole batch when samples are made."""
    assert isinstance(judge(evaluated(look(scale=0.05, batch_equal=True))), Skipped)


def test_the_rows_of_an_identity_matrix() -> None:
    """The script asks for the map itself: its product of matrices, say."""
    asked = {"shape": [16, 16], "zero_share": 0.9375, "mean": 0.0625, "std": 0.242, "min": 0.0, "max": 1.0}
    assert isinstance(judge(evaluated(look(scale=0.24, **asked))), Skipped)
    assert isinstance(judge(evaluated(look(scale=0.24, **{**asked, "zero_share": 0.5}))), Fired)


def test_clean_images_for_a_network_that_cleans() -> None:
    pixels = {"shape": [80, 1, 8, 8], "mean": 0.3, "std": 0.38}
    looks = look(scale=0.54, **pixels)
    target = {"shape": [80, 1, 8, 8], "mean": 0.31, "std": 0.37, "batch_equal": False}
    recording = run(
        whole(term("mse", target=target)), loss=FALLING, parts={"inputs": [features(**pixels)]}, events=[looks]
    )
    assert isinstance(judge(recording), Skipped)
    other = look(scale=54.0, **{**pixels, "mean": 30.0, "std": 38.0})
    recording.events[:] = [other]
    assert isinstance(judge(recording), Fired)


def test_two_sets_of_which_one_is_unlike_on_purpose() -> None:
    assert isinstance(judge(evaluated(look(90), look(91, scale=6.0))), Passed)


def test_too_few_examples() -> None:
    assert isinstance(judge(evaluated(look(scale=40.0, examples=4))), Skipped)


def test_statistics_estimated_again_in_training_mode_are_no_evaluation() -> None:
    assert isinstance(judge(evaluated(look(scale=40.0, training=True))), NotApplicable)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(evaluated()), NotApplicable)
    data = {"model": "net", "training": False, "inputs": [{"name": "ids", "dtype": "int64"}]}
    assert isinstance(judge(evaluated(Event("forward_without_gradient", 50, data))), Skipped)


def test_a_copy_with_averaged_weights_is_compared_with_its_original() -> None:
    params = [{"name": "w", "shape": [10, 8]}]
    models = ({"name": "net", "params": params}, {"name": "ema", "params": params})

    def evaluated_copy(**stats: Any) -> Recording:
        entry = features(model="ema", against_training=None, **stats)
        looks = Event("forward_without_gradient", 50, {"model": "ema", "inputs": [entry], "line": LINE})
        told = whole(cross_entropy(accuracy=0.97))
        return run(told, loss=FALLING, parts={"inputs": [features()]}, events=[looks], models=models)

    answer = judge(evaluated_copy(mean=0.16, std=0.015, feature_std_median=0.015))
    assert isinstance(answer, Fired) and "ema" in answer.sentence
    assert isinstance(judge(evaluated_copy(mean=0.02, std=0.98, feature_std_median=0.97)), Passed)


def test_classes_that_the_training_did_not_show() -> None:
    def split(mean: float, std: float, accuracy: float) -> Any:
        data = {
            "model": "net", "look": 1, "turn": 1, "loss_kind": "nll", "value": 8.0, "reduction": "mean", "examples": 360,
            "target_mean": mean, "target_std": std, "accuracy": accuracy, "commonest": 0.5, "line": LINE,
        }  # fmt: skip
        events = [Event("evaluation_loss", 50, data), look()]
        return judge(
            run(whole(cross_entropy(accuracy=0.97)), loss=FALLING, parts={"inputs": [features()]}, events=events)
        )

    answer = split(8.5, 0.5, 0.02)
    assert isinstance(answer, Fired) and "other classes" in answer.sentence and answer.evidence["examples"] == 360
    assert isinstance(split(4.4, 2.8, 0.02), Passed)  # drawn as the training's
    assert isinstance(split(8.5, 0.5, 0.9), Passed)  # one class at a time, and answered


def test_an_autoencoder_evaluated_as_it_is_trained() -> None:
    """Its inputs look as its targets do, and that is no excuse where none is needed."""
    target = {"shape": [32, 8], "mean": 0.0, "std": 1.0, "batch_equal": False}
    recording = run(whole(term("mse", target=target)), loss=FALLING, parts={"inputs": [features()]}, events=[look()])
    assert isinstance(judge(recording), Passed)
