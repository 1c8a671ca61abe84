"""Inputs that are the same for every example, and inputs that only look so."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import EMPTY, FALLING, NO_SAMPLES, STANDING, cross_entropy, features, labels, run, whole

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.d103_inputs_constant import judge
from unstuck.record.recording import Recording

ZEROS = features(
    mean=0.0, std=0.0, min=0.0, max=0.0, zero_share=1.0, batch_equal=True, feature_std_min=None, feature_std_median=None,
    feature_std_max=None, feature_mean_max=0.0, mean_to_std=0.0, constant_share=1.0,
)  # fmt: skip
SAME_IMAGE = features(mean=0.3, std=0.4, min=0.0, max=1.0, batch_equal=True, constant_share=1.0)
IDS = {"model": "net", "name": "ids", "shape": [32, 16], "dtype": "int64", "min": 0, "max": 800}
PADDING = {"model": "net", "name": "ids", "shape": [32, 16], "dtype": "int64", "min": 0, "max": 0}
MASK = features(name="mask", mean=1.0, std=0.0, min=1.0, max=1.0, batch_equal=True, constant_share=1.0)


def fed(*given: dict[str, Any], accuracy: float = 0.1, **term: Any) -> Recording:
    loss = FALLING if accuracy > 0.9 else STANDING
    return run(whole(cross_entropy(accuracy=accuracy, **term)), loss=loss, parts={"inputs": list(given)})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(ZEROS, "0 everywhere", id="zeros"),
        pytest.param(SAME_IMAGE, "the same for every example", id="one image"),
        pytest.param(PADDING, "0 everywhere", id="padding only"),
    ],
)
def test_nothing_tells_examples_apart(given: dict[str, Any], words: str) -> None:
    answer = judge(fed(given))
    assert isinstance(answer, Fired)
    assert (answer.severity, answer.step) == ("error", 0) and answer.confidence > 0.9
    assert words in answer.sentence and "targets differ" in answer.sentence


def test_a_fixed_input_by_design() -> None:
    same = labels({"3": 80}, distinct=1, batch_equal=True)
    assert isinstance(judge(fed(SAME_IMAGE, target=same)), Passed)


def test_a_run_that_learns_from_something_else() -> None:
    answer = judge(fed(ZEROS, accuracy=0.97))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_one_constant_input_among_others() -> None:
    assert isinstance(judge(fed(features(), MASK)), Passed)
    assert isinstance(judge(fed(IDS, MASK)), Passed)


def test_a_decoder_that_starts_from_zeros_beside_an_encoder() -> None:
    answer = judge(fed(features(), {**ZEROS, "model": "decoder"}))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    answer = judge(fed(features(), {**ZEROS, "model": "decoder"}, accuracy=0.97))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_most_columns_at_one_value_that_is_not_zero() -> None:
    stuck = features(features=40, constant_share=0.95, zero_share=0.05)
    answer = judge(fed(stuck))
    assert isinstance(answer, Fired) and answer.severity == "warning" and "2 of 40" in answer.sentence
    answer = judge(fed(stuck, accuracy=0.97))
    assert isinstance(answer, Fired) and answer.severity == "info"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(features(), id="a table"),
        pytest.param(features(features=5000, constant_share=0.95, zero_share=0.99), id="rare words"),
        pytest.param(features(features=784, constant_share=0.3, zero_share=0.8), id="images with an empty border"),
        pytest.param(features(features=3, constant_share=0.67), id="few columns"),
        pytest.param(IDS, id="words"),
    ],
)
def test_health(given: dict[str, Any]) -> None:
    assert isinstance(judge(fed(given)), Passed)


def test_a_head_behind_an_encoder_that_collapsed() -> None:
    assert isinstance(judge(fed(features(), {**ZEROS, "model": "head", "live": True})), Passed)


def test_rows_equal_within_a_batch_but_not_between() -> None:
    recording = fed(features())
    for i, sample in enumerate(recording.main.samples):
        sample["inputs"] = [features(mean=0.1 * i, batch_equal=True)]
    assert isinstance(judge(recording), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(run(whole(cross_entropy()))), Skipped)
    assert isinstance(judge(fed({**ZEROS, "examples": 3})), Skipped)


def test_words_that_are_all_unknown() -> None:
    """A vocabulary of letters in which words are looked up."""
    table = {
        "name": "net",
        "params": [{"name": "net.emb.weight", "shape": [28, 16]}],
        "modules": [{"name": "net.emb", "kind": "Embedding"}],
    }

    def read(high: int, rows: int = 28, accuracy: float = 0.1) -> Any:
        model = {**table, "params": [{"name": "net.emb.weight", "shape": [rows, 16]}]}
        given = {**IDS, "max": high}
        loss = FALLING if accuracy > 0.9 else STANDING
        told = whole(cross_entropy(accuracy=accuracy))
        return judge(run(told, loss=loss, models=(model,), parts={"inputs": [given]}))

    answer = read(1)
    assert isinstance(answer, Fired) and answer.severity == "warning" and answer.evidence["rows"] == 28
    assert isinstance(read(20), Passed)
    assert isinstance(read(1, rows=2), Passed)  # a table of two rows is made for two words
    assert isinstance(read(1, accuracy=0.97), Passed)
