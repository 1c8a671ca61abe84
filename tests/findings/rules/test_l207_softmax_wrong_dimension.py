"""A softmax that does not run over the classes."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import (
    EMPTY,
    FALLING,
    NO_SAMPLES,
    PROBABILITIES,
    UNSEEN,
    active,
    amounts,
    cross_entropy,
    labels,
    one_hot,
    run,
    squared,
    term,
    whole,
)
from literal_losses import output as out

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l207_softmax_wrong_dimension import judge


def over(kind: str, dim: int, shape: tuple[int, ...] = (80, 10)) -> dict:
    return active(kind, dim=dim, size=shape[dim], shape=list(shape))


def likelihood(
    dim: int, normalized: float | None, shape: tuple[int, ...] = (80, 10), accuracy: float | None = 0.1
) -> dict:
    stats = {} if normalized is None else {"log_normalized": normalized}
    return term(
        "nll", (over("log_softmax", dim, shape),), output=out(shape, **stats), target=labels(), accuracy=accuracy
    )


def test_over_the_batch() -> None:
    answer = judge(run(whole(likelihood(0, 0.0))))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.95
    assert "the batch" in answer.sentence and answer.evidence["class_dimension"] == 1
    assert "dim=1" in answer.advice[0].code


def test_right_answers_in_training_do_not_excuse_the_batch() -> None:
    answer = judge(run(whole(likelihood(0, 0.0, accuracy=0.97))))
    assert isinstance(answer, Fired) and answer.severity == "error"


def test_over_pixels_instead_of_classes() -> None:
    answer = judge(run(whole(likelihood(3, 0.0, (8, 3, 12, 12)))))
    assert isinstance(answer, Fired) and "dimension 3" in answer.sentence


def test_as_many_examples_as_classes() -> None:
    assert isinstance(judge(run(whole(likelihood(0, 0.1, (10, 10))))), Fired)
    assert isinstance(judge(run(whole(likelihood(1, 1.0, (10, 10))))), Passed)


def test_softmax_over_the_batch_before_cross_entropy() -> None:
    told = cross_entropy(over("softmax", 0), output=out(**{**PROBABILITIES, "row_sum_one": 0.0}))
    assert isinstance(judge(run(whole(told))), Fired)


def test_squared_error_on_one_hot_rows() -> None:
    told = squared(over("softmax", 0), output=out(**{**PROBABILITIES, "row_sum_one": 0.0}), target=one_hot())
    assert isinstance(judge(run(whole(told))), Fired)


def picked(dim: int, shape: tuple[int, ...], *, class_dim: int = 1, rows: float = 0.0) -> dict:
    stats = {**PROBABILITIES, "row_sum_one": rows}
    head = (active("log", shape=[shape[1 - class_dim]]), over("softmax", dim, shape))
    return term("gather", head, output=out(shape, **stats), target=labels(), accuracy=0.1, class_dim=class_dim)


def test_picked_by_hand_from_shares_of_the_batch() -> None:
    answer = judge(run(whole(picked(0, (6, 4)))))
    assert isinstance(answer, Fired) and "the batch (6 entries of (6, 4))" in answer.sentence
    logarithm = term("gather", (over("log_softmax", 0),), output=out(max=0.0), target=labels(), class_dim=1)
    assert isinstance(judge(run(whole(logarithm))), Fired)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(likelihood(1, 1.0), id="over the classes"),
        pytest.param(picked(1, (6, 4), rows=1.0), id="picked by hand, over the classes"),
        pytest.param(picked(0, (4, 6), class_dim=0), id="picked by hand, the classes come first"),
        pytest.param(picked(0, (16, 16)), id="picked from a square: contrastive"),
        pytest.param(likelihood(1, None), id="over the classes, values unknown"),
        pytest.param(likelihood(0, 1.0), id="values say it is right: a transposed view"),
        pytest.param(
            cross_entropy(over("softmax", 0, (80, 3)), output=out(row_sum_one=0.0)), id="a gate of another shape"
        ),
        pytest.param(
            squared(over("softmax", 0), output=out(row_sum_one=0.0), target=amounts(shape=(80, 10))),
            id="weights over the batch for numbers",
        ),
    ],
)
def test_health(told: dict) -> None:
    assert isinstance(judge(run(whole(told))), Passed)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
    assert isinstance(judge(run(whole(cross_entropy()))), NotApplicable)
    assert isinstance(judge(run(whole({**likelihood(0, 0.0), "head": None}))), Skipped)


def _pooling(dim: int, shape: list[int], target: list[int]) -> Any:
    act = {
        "name": "softmax after score",
        "kind": "softmax",
        "hidden": True,
        "dim": dim,
        "shape": shape,
        "units": shape[dim],
    }
    term = cross_entropy(accuracy=0.97)
    term["target"] = {**term["target"], "shape": target}
    return run(whole(term), loss=FALLING, parts={"acts": [act]})


def test_inside_the_model() -> None:
    answer = judge(_pooling(0, [32, 12], [32]))
    assert isinstance(answer, Fired) and answer.severity == "warning" and "over the batch" in answer.sentence
    assert answer.advice[0].code == "torch.softmax(scores, dim=1)"


@pytest.mark.parametrize(
    ("dim", "shape", "target"),
    [
        pytest.param(1, [32, 12], [32], id="inside each example"),
        pytest.param(0, [12, 32], [32], id="time first"),
        pytest.param(0, [32, 32], [32], id="as long as the batch is large"),
        pytest.param(0, [12, 32], [12, 32], id="a target at each time"),
    ],
)
def test_inside_the_model_as_it_should_be(dim: int, shape: list[int], target: list[int]) -> None:
    assert not isinstance(judge(_pooling(dim, shape, target)), Fired)
