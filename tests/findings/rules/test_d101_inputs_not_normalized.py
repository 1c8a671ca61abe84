"""Inputs that are large, off center, on different scales or tiny, and whether that hurt."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, NO_SAMPLES, STANDING, cross_entropy, features, run, whole
from literal_recordings import act

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.d101_inputs_not_normalized import judge
from unstuck.record.recording import Recording

PIXELS = features(
    shape=[32, 1, 28, 28], mean=33.0, std=78.0, min=0.0, max=255.0, features=1, feature_std_min=78.0, feature_std_max=78.0,
    feature_mean_max=33.0, mean_to_std=0.42,
)  # fmt: skip
TABLE = features(
    mean=62.0, std=228.0, min=0.0, max=4254.0, features=30, feature_std_min=0.0026, feature_std_max=569.0,
    feature_mean_max=880.0, mean_to_std=1.6,
)  # fmt: skip
YEARS = features(
    mean=1985.0, std=20.0, min=1950.0, max=2020.0, features=1, feature_std_min=20.0, feature_std_max=20.0,
    feature_mean_max=1985.0, mean_to_std=99.0,
)  # fmt: skip
SHIFTED = features(
    mean=20.0,
    std=0.9,
    min=17.0,
    max=23.0,
    feature_std_min=0.8,
    feature_std_max=1.0,
    feature_mean_max=20.0,
    mean_to_std=20.0,
)
TWICE_DIVIDED = features(
    mean=5e-4, std=1.2e-3, min=0.0, max=3.9e-3, features=784, feature_std_min=1e-5, feature_std_max=1.8e-3,
    feature_mean_max=2e-3, mean_to_std=0.5,
)  # fmt: skip


def fed(given: dict, *, accuracy: float, loss: list[float] | None = None, **parts: Any) -> Recording:
    """A classifier of ten classes that gets these inputs."""
    return run(
        whole(cross_entropy(accuracy=accuracy)),
        loss=loss if loss is not None else FALLING if accuracy > 0.9 else STANDING,
        parts={"inputs": [given], **parts},
        models=parts.pop("models", ()),
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(PIXELS, "from 0 to 255", id="pixels"),
        pytest.param(TABLE, "factor of 2.19e+05", id="columns of different units"),
        pytest.param(YEARS, "mean 1.98e+03", id="years"),
        pytest.param(SHIFTED, "20 times their", id="far from zero"),
        pytest.param(TWICE_DIVIDED, "0.0039", id="divided twice"),
    ],
)
def test_a_run_that_was_hurt(given: dict, words: str) -> None:
    answer = judge(fed(given, accuracy=0.1))
    assert isinstance(answer, Fired)
    assert answer.severity in ("error", "warning") and answer.confidence >= 0.85
    assert words in answer.sentence
    assert answer.evidence["mean"] == given["mean"]


@pytest.mark.parametrize("given", [PIXELS, TABLE, YEARS, SHIFTED, TWICE_DIVIDED])
def test_a_run_that_copes(given: dict) -> None:
    answer = judge(fed(given, accuracy=0.97))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_the_first_loss_tells() -> None:
    answer = judge(fed(PIXELS, accuracy=0.1, loss=[60.0, 30.0, *STANDING[2:]]))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence == pytest.approx(0.93)
    assert "the first loss is 60" in answer.sentence
    assert "X / 255" in answer.advice[0].code


def test_a_violent_start_and_four_fifths_learned() -> None:
    loss = [60.0, 30.0, *FALLING[2:]]
    mostly = judge(fed(PIXELS, accuracy=0.8, loss=[60.0, 30.0, *[0.6] * 98]))
    wholly = judge(fed(PIXELS, accuracy=0.97, loss=loss))
    assert isinstance(mostly, Fired) and mostly.severity == "warning"
    assert isinstance(wholly, Fired) and wholly.severity == "info"


def test_plain_descent_on_pixels_and_four_fifths_learned() -> None:
    plain = judge(fed(PIXELS, accuracy=0.8, loss=FALLING))
    recording = fed(PIXELS, accuracy=0.8, loss=FALLING)
    recording.main.optimizer = {"o": 0, "kind": "Adam", "groups": []}
    rescaled = judge(recording)
    assert isinstance(plain, Fired) and plain.severity == "info"  # the loss has come down to a twentieth
    assert isinstance(rescaled, Fired) and rescaled.severity == "info"
    slow = [2.303] * 30 + [0.6] * 70
    recording = fed(PIXELS, accuracy=0.8, loss=slow)
    plain = judge(recording)
    assert isinstance(plain, Fired) and plain.severity == "warning"
    recording.main.optimizer = {"o": 0, "kind": "Adam", "groups": []}
    rescaled = judge(recording)
    assert isinstance(rescaled, Fired) and rescaled.severity == "info"


def test_saturation_before_the_first_step_tells() -> None:
    answer = judge(fed(YEARS, accuracy=0.1, acts=[act("tanh1", "tanh", saturated=1.0)]))
    assert isinstance(answer, Fired) and "saturated before the first step" in answer.sentence


def test_flat_ends_to_the_last_sample_tell() -> None:
    """A time from 0 to 1800 into a tanh: the loss may fall, three quarters of the way."""
    answer = judge(fed(YEARS, accuracy=0.75, acts=[act("tanh1", "tanh", saturated=0.98)]))
    assert isinstance(answer, Fired) and answer.severity == "warning" and "so the run copes" not in answer.sentence
    copes = judge(fed(YEARS, accuracy=0.97, acts=[act("tanh1", "tanh", saturated=0.98)]))
    assert isinstance(copes, Fired) and copes.severity == "info"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(features(), id="standardized"),
        pytest.param(
            features(mean=0.0, std=0.0, min=0.0, max=0.0, features=1, feature_std_max=568.0), id="a boundary's zeros"
        ),
        pytest.param(features(mean=0.13, std=0.31, min=0.0, max=1.0, mean_to_std=0.5), id="images in [0, 1]"),
        pytest.param(
            features(mean=0.9, std=0.25, min=0.0, max=1.0, feature_mean_max=1.0, mean_to_std=3.6), id="white images"
        ),
        pytest.param(
            features(mean=4.9, std=6.0, min=0.0, max=16.0, feature_std_max=6.5, feature_mean_max=12.0), id="0 to 16"
        ),
        pytest.param(features(feature_std_min=1e-5, feature_std_max=1.0), id="nearly constant columns"),
        pytest.param(
            features(mean=0.02, std=0.3, min=0.0, max=12.0, zero_share=0.98, feature_std_max=2.0), id="counts of words"
        ),
        pytest.param(features(mean=1e-3, std=0.03, min=0.0, max=1.0, zero_share=0.999), id="one-hot columns"),
    ],
)
def test_health_even_where_the_run_failed(given: dict) -> None:
    assert isinstance(judge(fed(given, accuracy=0.1)), Passed)


def test_a_model_that_normalizes_itself() -> None:
    layers = [{"name": "conv1", "kind": "Conv2d", "order": 0, "in_rms": 0.33}]
    answer = judge(fed(PIXELS, accuracy=0.1, layers=layers))
    assert isinstance(answer, Passed) and "rescales" in answer.reason
    layers = [{"name": "bn", "kind": "BatchNorm1d", "order": 0, "in_rms": 228.0}]
    answer = judge(fed(TABLE, accuracy=0.1, layers=layers))
    assert isinstance(answer, Passed) and "bn normalizes" in answer.reason
    layers = [{"name": "conv1", "kind": "Conv2d", "order": 0, "in_rms": 85.0}]
    assert isinstance(judge(fed(PIXELS, accuracy=0.1, layers=layers)), Fired)


def test_a_model_that_begins_with_a_normalization_without_parameters() -> None:
    models = [{"name": "net", "modules": [{"name": "", "kind": "Sequential"}, {"name": "0", "kind": "BatchNorm1d"}]}]
    recording = run(whole(cross_entropy(accuracy=0.1)), parts={"inputs": [TABLE]}, models=models)
    assert isinstance(judge(recording), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(run(whole(cross_entropy()))), Skipped)
    tokens = {"model": "net", "name": "ids", "shape": [8, 32], "dtype": "int64", "min": 0, "max": 5000}
    assert isinstance(judge(fed(tokens, accuracy=0.1)), NotApplicable)


def test_tiny_inputs_of_the_samples_do_not_stand_for_a_loss_that_leaps() -> None:
    leaps = [2.3] * 40 + [900.0] * 20 + [2.3] * 40
    answer = judge(fed(TWICE_DIVIDED, accuracy=0.1, loss=leaps))
    assert isinstance(answer, Passed) and "others follow" in answer.reason
    assert isinstance(judge(fed(PIXELS, accuracy=0.1, loss=leaps)), Fired)  # large ones make leaps
