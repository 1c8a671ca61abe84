"""Schedules called in the wrong place or beyond their end fire; ordinary ones do not."""

from __future__ import annotations

import math
from typing import Any

from literal_recordings import classes, event, learned, sample, stuck

from unstuck.findings.contract import Fired, NotApplicable, Passed, Skipped
from unstuck.findings.rules import u412_schedule_misused as rule
from unstuck.record.recording import Event, Recording

N, EPOCH = 400, 20


def loader() -> Event:
    """Twenty passes of twenty batches."""
    told = {"sampler": "RandomSampler", "examples": 640, "batch": 32, "passes": 20, "training": True}
    return event("shuffle", N, sampler="RandomSampler", loaders=[told])


def run(rates: list[float], *, loss: list[float] | None = None, passes: bool = True, **group: Any) -> Recording:
    return stuck(
        [sample(s, term=classes(0.1)) for s in range(0, N, 40)],
        loss=loss or [2.303] * N, learning_rate=rates, events=[loader()] if passes else [],
        optimizer={"o": 0, "kind": "SGD", "groups": [{"lr": rates[0], "initial_lr": rates[0], **group}]},
    )  # fmt: skip


HALVED_EACH_FIVE_CALLS = [0.1 * 0.5 ** (s // 5) for s in range(N)]


def test_a_step_schedule_called_after_every_batch() -> None:
    found = rule.judge(run(HALVED_EACH_FIVE_CALLS))
    assert isinstance(found, Fired) and found.severity == "error"
    assert found.evidence["gone_at_step"] == 35 and found.evidence["steps_in_a_pass"] == EPOCH
    assert "4 times in each pass" in found.sentence and "per epoch" in found.advice[0].name


def test_rates_that_are_set_by_hand() -> None:
    """No schedule was made that could have been called in the wrong place: the rate decayed away, which is U405."""
    assert isinstance(rule.judge(run(HALVED_EACH_FIVE_CALLS, initial_lr=None)), Passed)


def test_where_the_passes_are_not_known() -> None:
    fast = [0.1 * 0.9**s for s in range(N)]
    assert isinstance(rule.judge(run(fast, passes=False)), Fired)
    slower = [0.1 * 0.5 ** (s // 5) for s in range(N)]
    assert isinstance(rule.judge(run(slower, passes=False)), Passed)  # may be passes of five batches


def test_a_decay_by_epochs_is_not_meant() -> None:
    assert isinstance(rule.judge(run([0.1 * 0.1 ** (s // EPOCH) for s in range(N)])), Passed)


def test_a_run_that_learned_all_the_same() -> None:
    well = learned(
        [sample(s, term=classes(0.97)) for s in range(0, N, 40)],
        loss=[0.05 + 2.2 * 0.9**i for i in range(N)], learning_rate=HALVED_EACH_FIVE_CALLS, events=[loader()],
    )  # fmt: skip
    assert isinstance(rule.judge(well), Passed)


def one_cycle(call: int, total: int = N) -> float:
    rise = 0.3 * total
    return 0.004 + 0.096 * (0.5 - 0.5 * math.cos(math.pi * min(1.0, call / rise)))


def test_a_schedule_of_batches_called_once_an_epoch() -> None:
    found = rule.judge(run([one_cycle(s // EPOCH) for s in range(N)], max_lr=0.1, initial_lr=0.004))
    assert isinstance(found, Fired) and found.severity == "error"
    assert found.evidence["built_for"] == 0.1 and "after every batch" in found.advice[0].name


def test_a_rise_that_comes_to_its_end() -> None:
    rates = [one_cycle(s) for s in range(N)]
    assert isinstance(rule.judge(run(rates, max_lr=0.1, initial_lr=0.004)), Passed)


def built(name: str, rates: list[float], *, well: bool = True, **options: float) -> Recording:
    """A run whose only schedule was built with these numbers."""
    made = event("schedule", 0, name=name, options=options, line=None)
    group = {"lr": rates[0], "initial_lr": rates[0], **({"max_lr": 0.1} if name == "OneCycleLR" else {})}
    accuracy, loss = (0.97, [0.05 + 2.2 * 0.98**i for i in range(len(rates))]) if well else (0.6, [1.0] * len(rates))
    return learned(
        [sample(s, term=classes(accuracy)) for s in range(0, len(rates), 40)],
        loss=loss, learning_rate=rates, events=[loader(), made], optimizer={"o": 0, "kind": "SGD", "groups": [group]},
    )  # fmt: skip


ONCE_AN_EPOCH = [one_cycle(s // EPOCH) for s in range(N)]


def test_a_cycle_of_as_many_calls_as_steps_called_once_an_epoch() -> None:
    """The numbers say it; the run did well all the same."""
    found = rule.judge(built("OneCycleLR", ONCE_AN_EPOCH, total_steps=N))
    assert isinstance(found, Fired) and found.severity == "warning"
    assert (found.evidence["built_for_calls"], found.evidence["calls"], found.evidence["built_for"]) == (N, 20, 0.1)
    assert "built to reach 0.1" in found.sentence and "after every batch" in found.advice[0].name


def test_a_cycle_that_is_called_as_it_should_be() -> None:
    every_step = [one_cycle(s) for s in range(N)]
    assert isinstance(rule.judge(built("OneCycleLR", every_step, total_steps=N)), Passed)
    stopped_early = [one_cycle(s, 5 * N) for s in range(N)]  # far below its peak, after every batch
    assert isinstance(rule.judge(built("OneCycleLR", stopped_early, total_steps=5 * N)), Passed)
    epochs = [one_cycle(s // EPOCH, 20) for s in range(N)]
    assert isinstance(rule.judge(built("OneCycleLR", epochs, total_steps=20)), Passed)
    left = [one_cycle(s // EPOCH, 100) for s in range(N)]  # built for a hundred epochs and left after twenty
    assert isinstance(rule.judge(built("OneCycleLR", left, total_steps=100)), Passed)


def test_a_fall_of_as_many_calls_as_steps_called_once_an_epoch() -> None:
    held = [0.05 * (1 + math.cos(math.pi * (s // EPOCH) / N)) for s in range(N)]
    found = rule.judge(built("CosineAnnealingLR", held, T_max=N, eta_min=0.0))
    assert isinstance(found, Fired) and found.severity == "info"
    found = rule.judge(built("CosineAnnealingLR", held, well=False, T_max=N, eta_min=0.0))
    assert isinstance(found, Fired) and found.severity == "warning"
    line = [0.1 * (1 - 0.9 * (s // EPOCH) / N) for s in range(N)]
    told = {"start_factor": 1.0, "end_factor": 0.1, "total_iters": N}
    assert isinstance(rule.judge(built("LinearLR", line, **told)), Fired)
    assert isinstance(rule.judge(built("LinearLR", line, **told | {"end_factor": 0.8})), Passed)
    assert isinstance(rule.judge(built("CosineAnnealingLR", held, T_max=N, eta_min=0.08)), Passed)


def cosine(period: int) -> list[float]:
    return [0.05 * (1 + math.cos(math.pi * s / period)) for s in range(N)]


def test_a_cosine_beyond_its_end() -> None:
    """The loss falls to .5 and is back at 1.2 when the rate is back at its height."""
    loss = [2.3 - 1.8 * min(s, 200) / 200 + 0.7 * max(0, s - 200) / 200 for s in range(N)]
    found = rule.judge(run(cosine(200), loss=loss))
    assert isinstance(found, Fired) and found.severity == "warning"
    assert found.step == 200 and "climbs back" in found.sentence


def test_a_turn_that_did_no_harm_is_only_told() -> None:
    loss = [2.3 * 0.99**s for s in range(N)]
    found = rule.judge(run(cosine(250), loss=loss))
    assert isinstance(found, Fired) and found.severity == "info"


def waves(**more: Any) -> Recording:
    """A cosine told of twenty calls that gets four hundred, on the way to half of what there is."""
    made = event("schedule", 0, name="CosineAnnealingLR", options={"T_max": EPOCH, "eta_min": 0.0}, line=None)
    rates = [0.05 * (1 + math.cos(math.pi * s / EPOCH)) for s in range(N)]
    return stuck(
        [sample(s, term=classes(0.5)) for s in range(0, N, 40)],
        loss=[1.4] * N, learning_rate=rates, events=[loader(), made],
    ) if not more else learned(
        [sample(s, term=classes(0.97)) for s in range(0, N, 40)],
        loss=[0.05 + 2.2 * 0.9**i for i in range(N)], learning_rate=rates, events=[loader(), made],
    )  # fmt: skip


def test_a_cosine_that_goes_on_and_on() -> None:
    found = rule.judge(waves())
    assert isinstance(found, Fired) and found.severity == "warning" and found.evidence["built_for_calls"] == EPOCH
    assert f"T_max={EPOCH}" in found.sentence and "per epoch" in found.advice[0].name
    harmless = rule.judge(waves(well=True))
    assert isinstance(harmless, Fired) and harmless.severity == "info"


def test_restarts_and_cycles() -> None:
    loss = [2.3 * 0.99**s for s in range(N)]
    restarts = [0.05 * (1 + math.cos(math.pi * (s % 100) / 100)) for s in range(N)]
    cycles = [0.1 * abs(1 - (s % 100) / 50) for s in range(N)]
    assert isinstance(rule.judge(run(restarts, loss=loss)), Passed)
    assert isinstance(rule.judge(run(cycles, loss=loss)), Passed)


def test_a_cosine_of_the_right_length() -> None:
    assert isinstance(rule.judge(run(cosine(N))), Passed)


def test_nothing_to_judge() -> None:
    assert isinstance(rule.judge(run([0.1] * N)), NotApplicable)
    assert isinstance(rule.judge(Recording.of(loss=[1.0] * 5, learning_rate=[0.1, 0.05, 0.02, 0.01, 0.0])), Skipped)
    assert isinstance(rule.judge(Recording()), Skipped)


def test_a_run_that_ended_in_the_warm_up_of_its_cycle() -> None:
    """Built for fewer calls than one epoch has steps, so to be called once an epoch: it is the run that was cut short."""

    def told(total: int) -> Recording:
        recording = run([one_cycle(s // EPOCH) for s in range(N)], max_lr=0.1, initial_lr=0.004)
        recording.events.append(event("schedule", 0, name="OneCycleLR", options={"total_steps": total}, line=None))
        return recording

    assert isinstance(rule.judge(told(EPOCH - 1)), Passed)
    assert isinstance(rule.judge(told(10 * N)), Fired)
