"""Single losses of evaluations put together."""

from __future__ import annotations

from typing import Any

import pytest
from literal_losses import FALLING, cross_entropy, run, whole

from unstuck.findings.evidence.evaluations import Evaluations, evaluations
from unstuck.record.recording import Event

LINE = {"file": "/home/me/train.py", "line": 41, "function": "validate", "text": "F.cross_entropy(model(x), y)"}


def batch(look: int, place: int, loss: float, *, examples: int = 64, mean: float = 4.5, **more: Any) -> Event:
    data = {
        "model": "net", "training": False, "look": look, "turn": 1, "place": place, "loss_kind": "nll", "value": loss,
        "reduction": "mean", "each": loss, "accuracy": 0.5 + 0.1 * place, "r2": None, "examples": examples,
        "target_mean": mean, "target_std": 2.9, "commonest": 0.1, "line": LINE, **more,
    }  # fmt: skip
    return Event("evaluation_loss", 10 * look, data)


def put_together(*events: Event) -> list[Evaluations]:
    return evaluations(run(whole(cross_entropy()), loss=FALLING, events=events))


def test_batches_of_a_set_count_by_their_examples() -> None:
    events = [
        batch(look, place, look + place, examples=16 if place == 4 else 64, mean=4.0 + place)
        for look in (1, 2, 3)
        for place in (1, 2, 3, 4)
    ]
    (series,) = put_together(*events)
    assert series.same_batch and series.examples == 208
    weighted = (64 * (1 + 2 + 3) + 16 * 4) / 208
    assert [look.loss for look in series.looks] == pytest.approx([look + weighted for look in (1, 2, 3)])
    assert series.looks[0].accuracy == pytest.approx((64 * (0.6 + 0.7 + 0.8) + 16 * 0.9) / 208)


def test_a_block_for_every_batch() -> None:
    events = [
        Event("evaluation_loss", 10 * step, {**batch(4 * step + turn, 1, turn, mean=4.0 + turn).data, "turn": turn})
        for step in (1, 2, 3)
        for turn in (1, 2, 3, 4)
    ]
    (series,) = put_together(*events)
    assert [look.loss for look in series.looks] == [2.5] * 3 and series.examples == 256


def test_a_sum_counts_for_each_element() -> None:
    (series,) = put_together(*(batch(look, 1, 640.0 / look, reduction="sum", each=10.0 / look) for look in (1, 2)))
    assert [look.loss for look in series.looks] == [10.0, 5.0]


def test_two_sets_in_one_block_stay_apart() -> None:
    events = [batch(look, place, place * look, mean=4.0 + place) for look in (1, 2, 3) for place in (1, 2)]
    assert sorted(series.looks[-1].loss for series in put_together(*events)) == [3.0, 6.0]


def test_a_larger_set_after_a_loader_is_another_one() -> None:
    sizes = {1: 64, 2: 64, 3: 64, 4: 300}
    events = [batch(look, p, p, examples=n, mean=4.0 + p) for look in (1, 2) for p, n in sizes.items()]
    assert sorted(series.examples for series in put_together(*events)) == [192, 300]


def test_looks_that_could_afford_less() -> None:
    def look(number: int, places: int) -> list[Event]:
        return [batch(number, place, number + place, mean=4.0 + place) for place in range(1, places + 1)]

    (series,) = put_together(*look(1, 4), *look(2, 4), *look(3, 4), *look(4, 4), *look(5, 1), *look(6, 4))
    assert [look.step for look in series.looks] == [10, 20, 30, 40, 60]  # one look is let go
    assert [look.examples for look in series.looks] == [256] * 5
    (series,) = put_together(*look(1, 4), *look(2, 4), *look(3, 4), *look(4, 1), *look(5, 1), *look(6, 4))
    assert [look.loss for look in series.looks] == [2, 3, 4, 5, 6, 7]  # of the first batch, which all have


def test_sets_that_are_shuffled_are_told_apart_by_their_turn() -> None:
    events = [
        batch(2 * look + turn, 1, 10 * turn + look, mean=4.0 + 0.01 * look + 0.001 * turn, turn=turn)
        for look in range(5)
        for turn in (1, 2)
    ]
    found = put_together(*events)
    assert [[look.loss for look in s.looks] for s in found] == [[10 + i for i in range(5)], [20 + i for i in range(5)]]
    assert not any(series.same_batch for series in found)


def test_what_was_not_reduced_is_left_out() -> None:
    assert put_together(*(batch(look, 1, 1.0, reduction="none") for look in (1, 2, 3))) == []
