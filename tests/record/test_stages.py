"""Which stream of steps a run is judged by."""

from __future__ import annotations

from typing import Any

from unstuck.record.recording import Recording, Series, Stream
from unstuck.record.stages import MOST, side_by_side

ENCODER = [{"name": "enc.w", "shape": [16, 64]}, {"name": "head.w", "shape": [10, 16]}]
ANOTHER = [{"name": "student.w", "shape": [32, 64]}, {"name": "student.v", "shape": [10, 32]}]
AGAIN = [{"name": "model2.w", "shape": [16, 64]}, {"name": "model2.v", "shape": [10, 16]}]


def stream(number: int, begin: float, end: float, steps: int, *params: str) -> Stream:
    seconds = [begin + (end - begin) * i / (steps - 1) for i in range(steps)]
    at = list(range(steps))
    optimizer = {"kind": "Adam", "groups": [{"lr": 1e-3, "params": list(params)}]}
    return Stream(number, loss=Series(at, [1.0] * steps), seconds=Series(at, seconds), optimizer=optimizer)


def main(*streams: Stream, params: list[dict[str, Any]] | None = None) -> int:
    models = [{"name": "net", "params": params or ENCODER}]
    return Recording(streams={s.number: s for s in streams}, models=models).main.number


def test_the_longest_stream() -> None:
    assert main(stream(0, 0, 10, 100, "enc.w"), stream(1, 0, 10, 300, "head.w")) == 1
    assert Recording().main.steps == 0


def test_a_stage_that_goes_on_with_the_same_weights() -> None:
    first = stream(0, 0, 10, 900, "enc.w", "head.w")
    assert main(first, stream(1, 11, 12, 100, "head.w")) == 1
    assert main(first, stream(1, 11, 12, 30, "head.w")) == 0  # too short to be judged
    assert main(first, stream(1, 5, 12, 100, "head.w")) == 0  # side by side


def test_another_network_after_the_first() -> None:
    first = stream(0, 0, 10, 900, "enc.w", "head.w")
    assert main(first, stream(1, 11, 12, 100, "student.w", "student.v"), params=[*ENCODER, *ANOTHER]) == 1


def test_the_same_network_made_anew_is_a_repetition() -> None:
    first = stream(0, 0, 10, 100, "enc.w", "head.w")
    assert main(first, stream(1, 11, 20, 100, "model2.w", "model2.v"), params=[*ENCODER, *AGAIN]) == 0
    assert main(first, stream(1, 11, 20, 100, "parameter0", "parameter1")) == 0  # nothing tells them apart


def test_many_one_after_another_are_a_search() -> None:
    found = [stream(i, 10 * i, 10 * i + 9, 200 - i, "enc.w") for i in range(MOST + 1)]
    assert main(*found) == 0


def test_two_optimizers_in_the_last_stage_stay_side_by_side() -> None:
    first = stream(0, 0, 10, 900, "enc.w")
    assert main(first, stream(1, 11, 20, 100, "enc.w"), stream(2, 11, 20, 100, "head.w")) == 0


def test_side_by_side() -> None:
    first, second = stream(0, 0, 10, 100), stream(1, 11, 20, 100)
    assert not side_by_side([second, first]) and not side_by_side([first])
    assert side_by_side([first, stream(1, 9.9, 20, 100)])
    assert side_by_side([first, second, stream(2, 12, 13, 70)])
    assert not side_by_side([first, Stream(3)])
