"""Raw scores where (log-)probabilities are wanted."""

from __future__ import annotations

import math
from typing import Any

import pytest
from literal_losses import (
    EMPTY,
    FALLING,
    NO_SAMPLES,
    OWN,
    PROBABILITIES,
    UNSEEN,
    active,
    binary,
    cross_entropy,
    labels,
    one_hot,
    output,
    run,
    term,
    whole,
    yes_no,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.l202_missing_softmax import judge

SINKING = [-0.1 - 3.0 * i for i in range(100)]


def likelihood(*head: dict[str, Any], normalized: float, **stats: Any) -> dict[str, Any]:
    """``NLLLoss`` on something."""
    return term("nll", head, output=output(log_normalized=normalized, **stats), target=labels(), accuracy=0.1)


def test_raw_scores_into_a_likelihood() -> None:
    answer = judge(run(whole(likelihood(normalized=0.0)), loss=SINKING))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.9
    assert "-283" in answer.sentence and "10%" in answer.sentence


def test_probabilities_without_logarithm() -> None:
    told = {**likelihood(active("softmax", dim=1, size=10), normalized=0.0, **PROBABILITIES), "accuracy": 0.9}
    answer = judge(run(whole(told), loss=[-0.1] * 50 + [-0.9] * 50))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert "without their logarithm" in answer.sentence


@pytest.mark.parametrize("inside", ["term", "output"])
def test_normalized_by_hand(inside: str) -> None:
    told = likelihood(normalized=0.0)
    told["output"].pop("log_normalized")
    (told if inside == "term" else told["output"])["log_normalized"] = 1.0
    assert isinstance(judge(run(whole(told), loss=FALLING)), Passed)


def test_log_softmax_and_cross_entropy_are_sound() -> None:
    assert isinstance(judge(run(whole(likelihood(active("log_softmax", dim=1), normalized=1.0)))), Passed)
    assert isinstance(judge(run(whole(cross_entropy()))), NotApplicable)


def test_a_log_softmax_over_the_wrong_dimension_is_another_finding() -> None:
    assert isinstance(judge(run(whole(likelihood(active("log_softmax", dim=0), normalized=0.0)))), Passed)


def test_without_the_sums_only_positive_numbers_tell() -> None:
    raw = likelihood(normalized=0.0)
    raw["output"].pop("log_normalized")
    assert isinstance(judge(run(whole(raw), loss=SINKING)), Fired)
    negative = likelihood(normalized=0.0, min=-9.0, max=-0.1)
    negative["output"].pop("log_normalized")
    assert isinstance(judge(run(whole(negative), loss=FALLING)), Passed)


def test_divergence_of_raw_scores_and_of_log_probabilities() -> None:
    raw = term("kl", (), output=output(max=4.0), target=one_hot())
    answer = judge(run(whole(raw)))
    assert isinstance(answer, Fired) and answer.evidence["input_max"] == 4.0
    sound = term("kl", (active("log_softmax", dim=1),), output=output(min=-9.0, max=0.0), target=one_hot())
    assert isinstance(judge(run(whole(sound))), Passed)


def test_a_logarithm_before_a_divergence_of_what_is_at_most_one_is_sound() -> None:
    shares = term("kl", (active("log"), active("softmax", dim=1)), output=output(min=0.01, max=0.9), target=one_hot())
    assert isinstance(judge(run(whole(shares))), Passed)
    more = term("kl", (active("log"),), output=output(min=0.01, max=7.5), target=one_hot())
    assert isinstance(judge(run(whole(more))), Fired)


def test_a_divergence_beside_another_term_that_runs_away_is_an_error() -> None:
    raw = term("kl", (), output=output(max=4.0), target=one_hot())
    beside = judge(run(whole(raw, cross_entropy()), loss=FALLING))
    assert isinstance(beside, Fired) and beside.severity == "warning"
    away = judge(run(whole(raw, cross_entropy()), loss=SINKING))
    assert isinstance(away, Fired) and away.severity == "error"


def test_latent_divergence_of_a_variational_autoencoder() -> None:
    told = (binary("bce", active("sigmoid")), term("kl", (), latent=True, output=None, target=None))
    assert isinstance(judge(run(whole(*told))), Passed)


def test_torch_refused_the_scores() -> None:
    end = {
        "status": 1,
        "exception": {"type": "RuntimeError", "message": "all elements of input should be between 0 and 1"},
    }
    answer = judge(run(loss=(), steps=(), end=end))
    assert isinstance(answer, Fired) and answer.severity == "error"
    other = {"status": 1, "exception": {"type": "ValueError", "message": "no such file"}}
    assert not isinstance(judge(run(whole(cross_entropy()), end=other)), Fired)


def test_logarithm_of_raw_scores_by_hand() -> None:
    raw = binary("bce", output=output((32, 1), min=-0.4, max=0.3))
    answer = judge(run(whole(raw, value=math.nan), loss=[math.nan] * 100))
    assert isinstance(answer, Fired) and "-0.4" in answer.sentence
    sound = binary("bce", active("sigmoid"), output=output((32, 1), min=0.1, max=0.9), target=yes_no())
    assert isinstance(judge(run(whole(sound, value=0.7))), Passed)


def picked(**more: Any) -> dict[str, Any]:
    """``-scores[range, y].mean()``: raw scores picked by hand."""
    path = ["NegBackward0", "MeanBackward0", "IndexBackward0", "AddmmBackward0"]
    return term("custom", (), op=path, output=output((64, 10)), target=None, **more)


def test_raw_scores_picked_by_hand() -> None:
    assert isinstance(judge(run(whole(picked()), loss=SINKING)), Fired)
    # The same loss that stays where it is may be anything.
    assert not isinstance(judge(run(whole(picked()), loss=[-0.1 - 0.01 * i for i in range(100)])), Fired)
    # A policy gradient takes the logarithm first.
    policy = {**picked(), "head": [OWN]}
    assert not isinstance(judge(run(whole(policy), loss=SINKING)), Fired)
    # One term of several: a margin.
    assert not isinstance(judge(run(whole(picked(), term("custom")), loss=SINKING)), Fired)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
    assert isinstance(judge(run(whole(term("nll", None)))), Passed)
