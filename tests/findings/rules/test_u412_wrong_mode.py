"""A plateau's schedule whose mode contradicts its measure fires; right modes, overfitting and noise do not."""

from __future__ import annotations

import random
from typing import Any

import pytest
from literal_recordings import classes, event, learned, sample

from unstuck.findings.contract import Advice, Fired
from unstuck.findings.evidence.plateaus import kind_of_measure, plateaus
from unstuck.findings.rules import u412_schedule_misused as rule
from unstuck.record.recording import Event, Recording

EPOCH, CALLS = 20, 20
N = EPOCH * CALLS


def cuts_of(values: list[float], mode: str, patience: int) -> list[list[Any]]:
    """What torch's schedule does with these measures."""
    best, bad, rate = None, 0, 0.1
    found: list[list[Any]] = []
    for call, value in enumerate(values, 1):
        better = best is None or (value < best if mode == "min" else value > best)
        best, bad = (value, 0) if better else (best, bad + 1)
        if bad > patience:
            found.append([call, call * EPOCH, rate, rate * 0.1])
            rate, bad = rate * 0.1, 0
    return found


def plateau(values: list[float], mode: str, handed: str = "metric", patience: int = 2) -> Event:
    line = {"file": "train.py", "line": 30, "function": "main", "text": f"scheduler.step({handed})"}
    return event(
        "plateau", N, number=0, name="ReduceLROnPlateau", mode=mode, factor=0.1, patience=patience, calls=len(values),
        values=[[EPOCH * (i + 1), v] for i, v in enumerate(values)], cuts=cuts_of(values, mode, patience), line=line,
    )  # fmt: skip


def run(told: Event, *more: Event) -> Recording:
    rates = [0.1] * N
    for _, step, _, after in told.data["cuts"]:
        rates[step:] = [after] * (N - step)
    return learned(
        [sample(s, term=classes(0.9)) for s in range(0, N, 40)],
        loss=[0.3 + 2.0 * 0.995**i for i in range(N)], learning_rate=rates, events=[told, *more],
    )  # fmt: skip


FALLS = [0.25 + 0.5 * 0.8**i for i in range(CALLS)]
RISES = [0.9 - 0.5 * 0.8**i for i in range(CALLS)]


def evaluated(**series: list[float]) -> list[Event]:
    """The script's evaluations, as the watcher heard them at the end of each epoch."""
    return [
        event(
            "evaluation_loss", EPOCH * (i + 1), model="net", training=False, look=i + 1, turn=1, place=1,
            loss_kind="nll", reduction="mean", examples=500, target_mean=4.5, target_std=2.9, commonest=0.1, r2=None,
            line={"file": "train.py", "line": 20}, value=series["loss"][i], each=series["loss"][i],
            accuracy=series["accuracy"][i],
        )
        for i in range(CALLS)
    ]  # fmt: skip


@pytest.mark.parametrize("handed", ["val_loss", "epoch_error", "metric"])
def test_a_loss_that_falls_under_max(handed: str) -> None:
    """Where its name does not tell, it falls with the training loss."""
    found = rule.judge(run(plateau(FALLS, "max", handed)))
    assert isinstance(found, Fired) and found.severity == "warning"
    assert found.evidence["first_cut_at_step"] == 80 and found.evidence["mode"] == "max"
    assert isinstance(found.advice[0], Advice) and 'mode="min"' in found.advice[0].code


@pytest.mark.parametrize("handed", ["val_acc", "metrics['valF1']", "meter.accuracy"])
def test_a_score_that_rises_under_min(handed: str) -> None:
    found = rule.judge(run(plateau(RISES, "min", handed)))
    assert isinstance(found, Fired) and 'mode="max"' in found.advice[0].code


def test_a_score_known_by_what_the_evaluation_measured() -> None:
    heard = evaluated(loss=FALLS, accuracy=RISES)
    percent = [100 * v for v in RISES]
    for values in (RISES, percent):
        assert isinstance(rule.judge(run(plateau(values, "min"), *heard)), Fired)


NOISE = random.Random(0)
OVERFIT = [0.6, 0.5, 0.45, *(0.45 + 0.05 * i for i in range(1, CALLS - 2))]


@pytest.mark.parametrize(
    ("values", "mode", "handed"),
    [
        pytest.param(FALLS, "min", "val_loss", id="a loss under min"),
        pytest.param(RISES, "max", "val_acc", id="an accuracy under max"),
        pytest.param([-v for v in FALLS], "max", "-val_loss", id="a negated loss under max"),
        pytest.param([1 - v for v in RISES], "min", "1 - val_acc", id="a share of wrong answers under min"),
        pytest.param(OVERFIT, "min", "val_loss", id="overfitting"),
        pytest.param([0.4 + 0.03 * i for i in range(CALLS)], "min", "val_loss", id="overfitting from the first epoch"),
        pytest.param(
            [0.4 + 0.03 * i for i in range(CALLS)], "min", "metric", id="something that rises, not known what"
        ),
        pytest.param([0.9 - 0.01 * i for i in range(CALLS)], "max", "val_acc", id="an accuracy that is lost"),
        pytest.param([0.6 + NOISE.gauss(0, 0.1) for _ in range(CALLS)], "max", "val_loss", id="noise"),
        pytest.param(FALLS[:5], "max", "val_loss", id="five calls"),
    ],
)
def test_schedules_that_are_sound(values: list[float], mode: str, handed: str) -> None:
    assert not isinstance(rule.judge(run(plateau(values, mode, handed))), Fired)


def test_a_rate_that_was_never_cut() -> None:
    assert not isinstance(rule.judge(run(plateau(FALLS, "max", "val_loss", patience=50))), Fired)


def test_overfitting_known_by_what_the_evaluation_measured() -> None:
    rises = [0.4 + 0.03 * i for i in range(CALLS)]
    heard = evaluated(loss=rises, accuracy=[0.7] * CALLS)
    recording = run(plateau(rises, "min", "acc"), *heard)
    assert not isinstance(rule.judge(recording), Fired)
    assert kind_of_measure(recording, plateaus(recording)[0]) == "loss"


def test_measures_that_could_not_all_be_read() -> None:
    told = plateau(FALLS, "max", "val_loss")
    told.data["calls"] = CALLS + 4  # type: ignore[index]
    assert not isinstance(rule.judge(run(told)), Fired)
