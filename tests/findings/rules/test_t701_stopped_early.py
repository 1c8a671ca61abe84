"""Training that ended on its way down."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

import pytest
from literal_losses import EMPTY, cross_entropy, run, squared, term, whole
from literal_recordings import weight

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules.t701_stopped_early import judge
from unstuck.record.recording import Event, Recording, Series

STOPPED = {"status": 0, "exception": None}


def noisy(level: list[float], noise: float = 0.05, seed: int = 0) -> list[float]:
    draw = random.Random(seed)
    return [v + noise * draw.gauss(0, 1) for v in level]


def classifier(loss: list[float], accuracy: float, **more: object) -> Recording:
    return run(whole(cross_entropy(accuracy=accuracy)), loss=loss, end=STOPPED, **more)  # type: ignore[arg-type]


STRAIGHT = [2.3 - 0.004 * i for i in range(100)]  # to 1.9
ACCELERATING = [2.3 - 6e-5 * i**2 for i in range(100)]  # to 1.7


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("level", [STRAIGHT, ACCELERATING])
def test_most_of_the_way_is_left(level: list[float], seed: int) -> None:
    answer = judge(classifier(noisy(level, 0.02, seed), 0.4))
    assert isinstance(answer, Fired)
    assert answer.severity == "warning"
    assert 0.15 < answer.evidence["part_of_all_gained"] < 0.8  # type: ignore[operator]
    assert answer.step == 99 and "0.3 or 1" in answer.advice[1].text


def test_numbers_far_from_their_mean() -> None:
    loss = [41.9 - 0.18 * i for i in range(100)]
    answer = judge(run(whole(squared(r2=-1.0)), loss=loss, end=STOPPED))
    assert isinstance(answer, Fired) and answer.severity == "warning"


def test_right_answers_run_ahead_of_the_loss() -> None:
    assert isinstance(answer := judge(classifier(noisy(STRAIGHT, 0.02), 0.6)), Fired) and answer.severity == "warning"
    assert isinstance(judge(classifier(noisy(STRAIGHT, 0.02), 0.95)), Passed)


def test_half_of_the_way_at_full_speed() -> None:
    fast = noisy([2.3 - 0.011 * i for i in range(100)], 0.03)  # to 1.2 in a straight line
    slowing = noisy([1.1 + 1.2 * math.exp(-i / 45) for i in range(100)], 0.03)  # to 1.23, ever more slowly
    answer = judge(classifier(fast, 0.8))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    answer = judge(classifier(slowing, 0.8))
    assert not isinstance(answer, Fired) or answer.severity == "info"


def test_a_short_demonstration_that_still_improves() -> None:
    loss = noisy([0.3 + 2.0 * math.exp(-i / 40) for i in range(100)], 0.03)
    answer = judge(classifier(loss, 0.88))
    assert isinstance(answer, Passed) or (isinstance(answer, Fired) and answer.severity == "info")
    assert isinstance(judge(classifier(loss, 0.95)), Passed)


@pytest.mark.parametrize("seed", range(10))
def test_converged_runs(seed: int) -> None:
    level = [0.6 + 0.12 * math.exp(-i / 10) for i in range(200)]  # labels with noise: what is left cannot be learned
    assert isinstance(judge(classifier(noisy(level, 0.05, seed), 0.2)), Passed)
    assert isinstance(judge(classifier(noisy([2.303] * 200, 0.05, seed), 0.1)), Passed)


def test_a_language_model_that_slows_down() -> None:
    loss = noisy([1.8 + 2.4 / (1 + i / 8) for i in range(200)], 0.05)
    told = cross_entropy(accuracy=0.35, target=None, output={"shape": [512, 65]})
    told["head"] = [{**told["head"][0], "size": 65}]
    assert not isinstance(judge(run(whole(told), loss=loss, end=STOPPED)), Fired)


def test_parts_that_do_not_train_are_another_reason() -> None:
    params = {"a.weight": weight(g=None), "b.weight": weight()}
    answer = judge(run(whole(cross_entropy(accuracy=0.4)), loss=STRAIGHT, end=STOPPED, parts={"params": params}))
    assert isinstance(answer, Fired) and answer.severity == "info"
    events = [Event("untracked", None, {"model": "net", "params": []})]
    answer = judge(run(whole(cross_entropy(accuracy=0.4)), loss=STRAIGHT, end=STOPPED, events=events))
    assert isinstance(answer, Fired) and answer.severity == "info"


def test_a_violent_start_does_not_count_as_progress() -> None:
    fast = noisy([2.25 - 0.006 * i for i in range(100)], 0.02)
    answer = judge(classifier([60.0, 30.0, 12.0, 5.0, *fast[4:]], 0.4))
    assert isinstance(answer, Fired) and answer.severity == "warning"


def test_text_has_a_floor_that_nobody_knows() -> None:
    tokens = {"inputs": [{"model": "net", "name": "ids", "shape": [16, 32], "dtype": "int64", "min": 0, "max": 64}]}
    told = whole(cross_entropy(accuracy=0.4))
    steep = judge(run(told, loss=noisy([2.3 - 0.011 * i for i in range(100)], 0.03), end=STOPPED, parts=tokens))
    half = judge(run(told, loss=noisy([2.3 - 0.006 * i for i in range(100)], 0.03), end=STOPPED, parts=tokens))
    begun = judge(run(told, loss=noisy([2.3 - 0.003 * i for i in range(100)], 0.02), end=STOPPED, parts=tokens))
    assert isinstance(steep, Fired) and steep.severity == "warning"  # a quarter of what was left, in the last third
    assert isinstance(half, Fired) and half.severity == "info"
    assert isinstance(begun, Fired) and begun.severity == "warning"


def test_a_fall_that_slowed_and_still_pays() -> None:
    loss = noisy([0.55 + 1.75 * 0.982**i for i in range(100)], 0.02)
    answer = judge(run(whole(cross_entropy(accuracy=0.7)), loss=loss, end=STOPPED))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    cooled = [0.1 * (1 - i / 100) for i in range(100)]
    ended = judge(run(whole(cross_entropy(accuracy=0.7)), loss=loss, end=STOPPED, learning_rate=cooled))
    assert not (isinstance(ended, Fired) and ended.severity == "warning")


def looked(falls: list[float | None], *, steps: int = 100, state: str = "descending", **more: Any) -> Recording:
    """A run that came half of its way, whose last third stands in its noise, and what more updates gained from its end."""
    tried = {"before": 0.5, "steps": 20, "multiples": [1.0, 4.0, 16.0, 64.0], "falls": falls, "separate": True}
    tried |= more.pop("tried", {})
    look = Event("biopsy", steps, {"look": "kept", "when": "end", "state": state, "trial": tried})
    loss = noisy([0.5 + 0.5 * math.exp(-i / 10) for i in range(steps)], 0.05)
    return run(more.pop("told", whole(squared(r2=0.5))), loss=loss, end=STOPPED, events=[look], **more)


STANDS = [0.002, 0.004, -0.1, None]
STILL_FALLS = [0.025, 0.02, 0.06, None]


def test_more_updates_that_still_gain() -> None:
    answer = judge(looked(STILL_FALLS))
    assert isinstance(answer, Fired) and answer.severity == "warning" and answer.step == 99
    assert answer.evidence["measured_fall"] == 0.025 and "5.0%" in answer.sentence and "own rate" in answer.sentence
    assert isinstance(judge(looked(STANDS)), Passed)
    assert isinstance(judge(looked([0.012, 0.02, 0.03, None])), Passed)  # less than three hundredths


def test_the_way_of_eighty_updates() -> None:
    answer = judge(looked([0.005, 0.036, 0.13, None], state="converged"))
    assert isinstance(answer, Fired) and answer.evidence["measured_at_multiple"] == 4.0
    assert "four times" in answer.sentence
    assert isinstance(judge(looked([0.005, -0.036, 0.13, None])), Passed)


def test_more_updates_that_tell_nothing() -> None:
    assert isinstance(judge(looked(STILL_FALLS, state="converged")), Passed)  # a gradient within its noise
    assert isinstance(judge(looked(STILL_FALLS, tried={"separate": False})), Passed)  # judged on what it was made on
    assert isinstance(judge(looked(STILL_FALLS, steps=300)), Passed)  # twenty updates are too little of it
    assert isinstance(judge(looked(STILL_FALLS, told=whole(squared(r2=0.85)))), Passed)  # far on its way
    cooled = [0.1 * (1 - i / 100) for i in range(100)]
    assert isinstance(judge(looked(STILL_FALLS, learning_rate=cooled)), Passed)
    tokens = {"inputs": [{"model": "net", "name": "ids", "shape": [16, 32], "dtype": "int64", "min": 0, "max": 64}]}
    assert isinstance(judge(looked(STILL_FALLS, parts=tokens)), Passed)


def test_a_loss_that_rose_before_it_fell() -> None:
    loss = [0.3 + 0.01 * i for i in range(60)] + [0.9 - 0.01 * i for i in range(40)]
    assert isinstance(judge(run(whole(squared(r2=0.0)), loss=loss, end=STOPPED)), Passed)


def test_several_terms_have_no_known_end() -> None:
    recording = run(whole(squared(r2=0.0), term("custom")), loss=STRAIGHT, end=STOPPED)
    assert isinstance(judge(recording), Passed)


def test_runs_that_did_not_end_by_themselves() -> None:
    crash = {"status": 1, "exception": {"type": "ValueError", "message": "x"}}
    assert isinstance(judge(run(whole(cross_entropy(accuracy=0.4)), loss=STRAIGHT, end=crash)), NotApplicable)
    killed = replace(run(whole(cross_entropy(accuracy=0.4)), loss=STRAIGHT), complete=False)
    assert isinstance(judge(killed), NotApplicable)


def test_losses_that_tell_nothing() -> None:
    assert isinstance(judge(classifier([2.3] * 50 + [math.nan] * 50, 0.1)), NotApplicable)
    assert isinstance(judge(run(whole(term("custom")), loss=[-v for v in range(100)], end=STOPPED)), NotApplicable)
    one = classifier(STRAIGHT, 0.4).main
    other = replace(one, number=1, loss=Series(range(100), [0.4] * 100))
    assert isinstance(judge(Recording(streams={0: one, 1: other})), NotApplicable)


def test_what_is_not_seen() -> None:
    assert isinstance(judge(EMPTY), NotApplicable)
    assert isinstance(judge(Recording.of(loss=[2.3, 2.2], end=STOPPED)), Skipped)


def test_it_says_how_much_of_the_schedule_was_left() -> None:
    made = Event("schedule", 0, {"name": "CosineAnnealingLR", "options": {"T_max": 1000}})
    recording = classifier(noisy(STRAIGHT, 0.02), 0.4, events=[made])
    recording.main.learning_rate = Series(range(100), [0.1 - 1e-6 * s for s in range(100)])
    answer = judge(recording)
    assert isinstance(answer, Fired) and "CosineAnnealingLR was built for 1000 calls and got 100" in answer.sentence
    assert answer.evidence["schedule_left"] == pytest.approx(0.9)


def test_a_sum_of_terms_that_halved_in_the_last_third() -> None:
    """A physics-informed network's: nobody knows how low it gets, but it was on its way."""
    both = whole(squared(), squared())
    halved = noisy([2.0 * 0.97**i for i in range(120)], 0.01)
    answer = judge(run(both, loss=halved, end=STOPPED))
    assert isinstance(answer, Fired) and answer.severity == "warning"
    late = [max(2.0 * 0.9**i, 0.0) for i in range(120)]  # halves for ever, and has come all of its way
    assert not isinstance(judge(run(both, loss=late, end=STOPPED)), Fired)
    slower = noisy([2.0 * 0.97 ** min(i, 90) for i in range(120)], 0.01)
    assert not isinstance(judge(run(both, loss=slower, end=STOPPED)), Fired)
    resting = run(both, loss=halved, end=STOPPED)
    resting.main.learning_rate = Series(range(120), [0.95**i for i in range(120)])
    assert not isinstance(judge(resting), Fired)
