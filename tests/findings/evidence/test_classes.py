"""Counting classes, and whether batches are alike."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from unstuck.findings.evidence.classes import (
    Batch,
    batch_counts,
    chi_square_tail,
    entropy,
    majority,
    mixing,
    repeats,
    total,
)


def exact_tail(value: float, freedom: int) -> float:
    """For an even number of degrees of freedom the tail is a sum of Poisson probabilities."""
    half = value / 2
    return sum(math.exp(-half + i * math.log(half) - math.lgamma(i + 1)) for i in range(freedom // 2))


@pytest.mark.parametrize("freedom", [10, 38, 171 - 1, 400])
@pytest.mark.parametrize("ratio", [0.6, 1.0, 1.4, 2.0, 3.0])
def test_the_tail_agrees_with_the_exact_sum(freedom: int, ratio: float) -> None:
    exact = exact_tail(ratio * freedom, freedom)
    found = chi_square_tail(ratio * freedom, freedom)
    if exact > 1e-12:
        assert math.log(found) == pytest.approx(math.log(exact), rel=0.05, abs=0.02)
    else:
        assert found < 1e-10


def test_nothing_uneven_is_certain() -> None:
    assert chi_square_tail(0.0, 5) == 1.0


def draw(seed: int, size: int, count: int) -> list[Batch]:
    chance = random.Random(seed)
    return [Batch(s, Counter(str(chance.randrange(10)) for _ in range(size))) for s in range(count)]


def test_shuffled_batches_are_as_uneven_as_chance_says() -> None:
    found = [mixing(draw(seed, 32, 20)) for seed in range(200)]
    chances = [m.chance for m in found if m is not None]
    assert len(chances) == 200
    assert 0.02 < sum(c < 0.1 for c in chances) / 200 < 0.2  # a tenth
    assert abs(sum(m.between for m in found if m is not None)) / 200 < 0.01  # corrected: nothing on average


def test_batches_of_one_class_each() -> None:
    found = mixing([Batch(s, {str(s % 10): 32}) for s in range(20)])
    assert found is not None
    assert found.between == pytest.approx(1.0) and found.chance < 1e-50
    assert found.examples == 640 and found.batches == 20


def test_what_cannot_be_compared() -> None:
    assert mixing([Batch(0, {"0": 5, "1": 5})]) is None
    assert mixing([Batch(s, {"0": 8}) for s in range(9)]) is None
    assert mixing([Batch(s, {str(s % 2): 1}) for s in range(9)]) is None


def test_neighbors() -> None:
    shares = {str(c): 0.1 for c in range(10)}
    same = repeats([Batch(s, {"3": 1}) for s in range(20)], shares)
    assert same is not None
    assert (same.pairs, same.same) == (19, 19)
    assert same.expected == pytest.approx(0.1) and same.chance == pytest.approx(1e-19)
    turns = repeats([Batch(s, {str(s % 10): 1}) for s in range(20)], shares)
    assert turns is not None and turns.chance == pytest.approx(1.0)
    assert repeats([Batch(s, {"3": 1}) for s in range(0, 40, 2)], shares) is None
    assert repeats([Batch(s, {"3": 1}) for s in range(20)], {"3": 1.0}) is None


def test_counts_of_one_batch() -> None:
    assert batch_counts({"classes": {"0": 3, "7": 1}, "distinct": 2}) == {"0": 3, "7": 1}
    assert batch_counts({"classes": {"0": 3}, "distinct": 65}) is None  # the list was cut off
    assert batch_counts({"binary": True, "mean": 0.25, "shape": [8]}) == {"0": 6, "1": 2}
    assert batch_counts({"binary": True, "mean": 1.0, "shape": [8, 1]}) == {"1": 8}
    assert batch_counts({"binary": True, "mean": 0.3, "shape": [8, 12]}) is None  # several labels each
    assert batch_counts({"mean": 1.5, "shape": [8]}) is None


def test_shares() -> None:
    counts = total([Batch(0, {"a": 3, "b": 1}), Batch(1, {"a": 3, "b": 1})])
    assert majority(counts) == ("a", 0.75)
    assert entropy(counts) == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert majority({}) is None and entropy({}) == 0.0
