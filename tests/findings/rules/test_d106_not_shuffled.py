"""Batches that are not alike."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from literal_losses import (
    EMPTY,
    EVEN_STEPS,
    NO_SAMPLES,
    UNSEEN,
    amounts,
    binary,
    cross_entropy,
    labels,
    output,
    run,
    sampled,
    squared,
    whole,
    yes_no,
)

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.d106_not_shuffled import judge
from unstuck.record.recording import Event, Recording


def in_batches(
    data: list[int], size: int, steps: tuple[int, ...] = EVEN_STEPS, *, events: tuple[Event, ...] = ()
) -> Recording:
    """A run that walks through these labels again and again."""
    samples = []
    for step in steps:
        start = step * size % len(data)
        counts = Counter(str(c) for c in (data[start:] + data)[:size])
        told = cross_entropy(target=labels(dict(counts)), output=output((size, 10)), class_dim=1)
        samples.append(sampled(step, whole(told)))
    return Recording.of(loss=[2.3] * 100, samples=samples, events=events)


def ten(count: int) -> list[int]:
    return [i % 10 for i in range(count)]


def shuffled(data: list[int], seed: int) -> list[int]:
    data = list(data)
    random.Random(seed).shuffle(data)
    return data


@pytest.mark.parametrize("size", [4, 16, 50])
def test_sorted_by_class(size: int) -> None:
    answer = judge(in_batches(sorted(ten(1000)), size))
    assert isinstance(answer, Fired)
    assert answer.severity == "error" and answer.confidence >= 0.9
    assert answer.evidence["chance"] < 1e-6
    assert "100%" in answer.sentence and "randperm" in answer.advice[0].code


def test_the_loader_is_named() -> None:
    events = (Event("shuffle", None, {"sampler": "SequentialSampler", "loaders": 1}),)
    answer = judge(in_batches(sorted(ten(1000)), 50, events=events))
    assert (
        isinstance(answer, Fired) and "SequentialSampler" in answer.sentence and "shuffle=True" in answer.advice[0].code
    )
    assert isinstance(judge(in_batches(shuffled(ten(1000), 0), 50, events=events)), Passed)


def test_one_example_at_a_time() -> None:
    late = tuple(range(20)) + tuple(s for k in range(100, 1000, 45) for s in (k, k + 1))
    answer = judge(in_batches(sorted(ten(1000)), 1, late))
    assert isinstance(answer, Fired) and "cases" in answer.sentence
    assert isinstance(judge(in_batches(shuffled(ten(1000), 1), 1, late)), Passed)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("size", [2, 8, 32])
def test_shuffled_data_is_left_alone(seed: int, size: int) -> None:
    assert isinstance(judge(in_batches(shuffled(ten(1000), seed), size)), Passed)


def test_the_same_full_batch_every_step() -> None:
    assert isinstance(judge(in_batches(sorted(ten(40)), 40)), Passed)
    assert isinstance(judge(in_batches([0, 1, 1, 0], 4)), Passed)


def test_batches_that_differ_a_little() -> None:
    # Every batch leans toward one class (as batches of one length or one author do), but holds all.
    data = [c for b in range(100) for c in shuffled(ten(40) + [b % 10] * 10, b)]
    assert isinstance(judge(in_batches(data, 50)), Passed)


def test_yes_and_no_in_blocks() -> None:
    samples = [sampled(s, whole(binary("bce_logits", target=yes_no(float(s % 2))))) for s in range(20)]
    assert isinstance(judge(Recording.of(loss=[0.7] * 20, samples=samples)), Fired)


def test_a_beginning_of_one_class() -> None:
    samples = in_batches([0] * 1000 + [1] * 1000, 16, tuple(range(20))).main.samples
    fading = [2.3 * 0.8**i for i in range(62)]
    leaping = Recording.of(loss=[*fading, 9.0, 8.0, 6.0, *fading[:35]], samples=samples)
    answer = judge(leaping)
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert "first 320 examples" in answer.sentence and "step 62" in answer.sentence
    # One rare example among many: a spike that does not stay.
    assert isinstance(judge(Recording.of(loss=[*fading, 9.0, *fading[30:]], samples=samples)), NotApplicable)
    # Nothing but this class: the loss fades away. A contrastive loss: it stays where it is.
    assert isinstance(judge(Recording.of(loss=[*fading, *[0.0] * 38], samples=samples)), NotApplicable)
    assert isinstance(judge(Recording.of(loss=[2.3, 2.2] * 50, samples=samples)), NotApplicable)


def in_order(end: float) -> Recording:
    """Targets that rise from batch to batch; the loss starts at their variance and ends at a part of it."""
    samples = [sampled(s, whole(squared(target=amounts(s / 10, 0.03)))) for s in range(20)]
    return Recording.of(loss=[0.33] * 20 + [0.33 * end] * 80, samples=samples)


def test_numbers_in_order() -> None:
    answer = judge(in_order(0.6))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    assert "one size at a time" in answer.sentence
    # A series in time that is learned well is fed in order by custom.
    assert isinstance(judge(in_order(0.05)), Passed)
    assert isinstance(judge(run(whole(squared()), loss=[1.0] * 100)), Passed)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(squared(target=amounts(shape=(32, 5))), id="several numbers"),
        pytest.param(cross_entropy(target=labels(shape=[8, 16, 16]), output=output((8, 10, 16, 16))), id="pixels"),
        pytest.param(binary("bce_logits", target=yes_no(0.3, (32, 12))), id="several labels"),
    ],
)
def test_what_is_no_single_class_for_an_example(told: dict) -> None:
    assert isinstance(judge(run(whole(told))), NotApplicable)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(NO_SAMPLES), Skipped)
    assert isinstance(judge(UNSEEN), Skipped)
    assert isinstance(judge(in_batches(sorted(ten(1000)), 50, (0, 1, 2))), Skipped)
    assert isinstance(judge(run(whole(cross_entropy(target=labels({"3": 80}))))), NotApplicable)
