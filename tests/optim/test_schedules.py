"""Schedules: values, composition, and torch's own where it has them."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as theirs

from unstuck import optim
from unstuck.core.errors import BadInput
from unstuck.optim import schedules as s

ALL: list[Any] = [
    s.constant(0.5),
    s.constant(0.5, length=3),
    s.linear(0.1, 1.0, 10),
    s.warmup(10),
    s.warmup(10, start=0.2),
    s.gradual_warmup(5, from_factor=0.1),
    s.step([3, 8], gamma=0.5),
    s.step_every(4),
    s.polynomial(10, power=2.0, end=0.1),
    s.inverse_sqrt(),
    s.inverse_time(0.1),
    s.exponential(0.9),
    s.cosine(10),
    s.transformer(512, warm=10),
    s.one_cycle(20),
    s.table([0.1, 0.5, 0.2]),
    s.warmup(3) >> s.cosine(5) >> s.constant(0.1),
    s.warmup(3) * s.inverse_sqrt() * 0.5,
    s.Trigger(),
]


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_a_schedule_is_a_pure_function_that_can_be_stored(schedule: Any) -> None:
    forward = [schedule(t) for t in range(50)]
    backward = [schedule(t) for t in reversed(range(50))]
    assert forward == backward[::-1]
    assert all(isinstance(v, float) and 0 <= v <= 1.0001 for v in forward)
    again = pickle.loads(pickle.dumps(schedule))
    assert [again(t) for t in range(50)] == forward
    with pytest.raises(BadInput):
        schedule(-1)
    if schedule.length is not None and not isinstance(schedule, s.Trigger):
        assert schedule(schedule.length) == pytest.approx(schedule(10_000), abs=1e-12)


def test_then_needs_an_end_on_its_left() -> None:
    with pytest.raises(BadInput, match="end"):
        s.exponential(0.9) >> s.constant()  # type: ignore[unused-ignore]
    joined = s.warmup(4) >> s.cosine(6)
    assert joined.length == 10
    assert [joined(t) for t in (0, 3, 4, 7, 10, 99)] == pytest.approx([0.25, 1.0, 1.0, 0.5, 0.0, 0.0])
    assert (s.warmup(2) >> (lambda t: 0.5**t))(4) == 0.25


@pytest.mark.parametrize(
    "make",
    [
        lambda: s.warmup(0),
        lambda: s.cosine(-1),
        lambda: s.cosine(10, end=-1),
        lambda: s.step([1.5]),  # type: ignore[list-item]
        lambda: s.exponential(0.0),
        lambda: s.one_cycle(10, rise=0.0),
        lambda: s.table([]),
        lambda: s.polynomial(10, power=-1),
        lambda: s.inverse_sqrt(0.0),
    ],
)
def test_wrong_numbers_are_refused(make: Any) -> None:
    with pytest.raises(BadInput):
        make()


def test_the_transformer_s_schedule() -> None:
    schedule = s.transformer(512, warm=4000)
    values = [schedule(t) for t in range(20_000)]
    assert values.index(max(values)) == 3999  # the 4000th update
    assert max(values) == pytest.approx(6.9877e-4, rel=1e-4)
    assert values[1999] == pytest.approx(max(values) / 2)
    assert values[15_999] == pytest.approx(max(values) / 2)


def test_cosine_stays_down_where_torch_s_rises_again() -> None:
    p = torch.nn.Parameter(torch.ones(1))
    sgd = torch.optim.SGD([p], lr=1.0)
    wave = theirs.CosineAnnealingLR(sgd, 10)
    for _ in range(20):
        sgd.step()
        wave.step()
    assert sgd.param_groups[0]["lr"] == pytest.approx(1.0)
    assert s.cosine(10)(20) == 0.0


def test_resnet_s_trigger() -> None:
    """0.01 until the training error is below 80 %, then 0.1: by measure, not by step, and kept in a checkpoint."""
    trigger = s.Trigger(factor=0.1, below=0.8)
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = optim.SGD([p], lr=0.1, schedule=trigger)
    rates = []
    for step, error in enumerate([0.95, 0.9, 0.85, 0.79, 0.9, 0.7]):
        p.grad = torch.ones(1)
        optimizer.step()
        rates.append(optimizer.used[0]["lr"])
        trigger.reached(error, step=step)
    assert rates == pytest.approx([0.01] * 4 + [0.1] * 2)
    other = s.Trigger()
    other.load(trigger.state())
    assert other(4) == 1.0


MAKERS: list[tuple[str, Any]] = [
    ("step", lambda o: theirs.StepLR(o, 7, gamma=0.5)),
    ("multi", lambda o: theirs.MultiStepLR(o, [3, 9, 9], gamma=0.5)),
    ("constant", lambda o: theirs.ConstantLR(o, factor=0.3, total_iters=6)),
    ("linear", lambda o: theirs.LinearLR(o, start_factor=0.1, end_factor=0.9, total_iters=8)),
    ("exponential", lambda o: theirs.ExponentialLR(o, 0.9)),
    ("polynomial", lambda o: theirs.PolynomialLR(o, total_iters=15, power=2)),
    ("cosine", lambda o: theirs.CosineAnnealingLR(o, 12, eta_min=0.01)),
    ("restarts", lambda o: theirs.CosineAnnealingWarmRestarts(o, 4, T_mult=2)),
    ("lambda", lambda o: theirs.LambdaLR(o, lambda t: 1 / (1 + t))),
    ("one cycle", lambda o: theirs.OneCycleLR(o, max_lr=0.5, total_steps=40)),
    ("one cycle, linear", lambda o: theirs.OneCycleLR(o, 0.5, total_steps=40, anneal_strategy="linear", pct_start=0.4)),
    (
        "sequence",
        lambda o: theirs.SequentialLR(
            o,
            [theirs.LinearLR(o, 0.1, total_iters=5), theirs.ExponentialLR(o, 0.8), theirs.ConstantLR(o, 0.2, 3)],
            [5, 12],
        ),
    ),
    ("chain", lambda o: theirs.ChainedScheduler([theirs.ConstantLR(o, 0.1, 4), theirs.ExponentialLR(o, 0.9)])),
]


@pytest.mark.parametrize(("name", "make"), MAKERS, ids=[m[0] for m in MAKERS])
@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        (torch.optim.AdamW, {}),
        (torch.optim.RMSprop, {"alpha": 0.9}),
    ],
)
def test_a_run_read_in_the_middle_goes_on_as_torch_would(cls: Any, options: Any, name: str, make: Any) -> None:
    if cls is torch.optim.RMSprop and "cycle" in name:
        options = {**options, "momentum": 0.9}
    start = torch.linspace(-1, 1, 7, dtype=torch.float64)
    p = torch.nn.Parameter(start.clone())
    theirs_ = cls([p], lr=0.02, **options)
    scheduler = make(theirs_)

    def drive(q: torch.nn.Parameter, optimizer: Any, after: Any, first: int, last: int) -> None:
        for k in range(first, last):
            q.grad = torch.sin(q.detach() + k)
            optimizer.step()
            after()

    drive(p, theirs_, scheduler.step, 0, 10)
    reading = optim.read(theirs_, scheduler)
    assert reading.updates == 10
    assert "θ ← θ − " in reading.rule.formula
    q = torch.nn.Parameter(p.detach().clone())
    twin = cls([q], lr=0.02, **options)
    scheduler_state = twin.state_dict()
    scheduler_state["state"] = {k: dict(v) for k, v in theirs_.state_dict()["state"].items()}
    scheduler_state["param_groups"] = [{**g, "params": [0]} for g in theirs_.state_dict()["param_groups"]]
    twin.load_state_dict(__import__("copy").deepcopy(scheduler_state))
    ours = reading.resume(twin)
    drive(p, theirs_, scheduler.step, 10, 28)
    drive(q, ours, lambda: None, 10, 28)
    assert torch.allclose(p, q, rtol=1e-11, atol=1e-13)


def test_a_whole_rate_curve_is_read_in_epochs() -> None:
    p = torch.nn.Parameter(torch.ones(1))
    sgd = torch.optim.SGD([p], lr=0.3)
    schedule = optim.read(sgd, theirs.StepLR(sgd, 2, gamma=0.1), updates_per_epoch=50).rule.schedule
    assert schedule is not None
    assert [schedule(t) for t in (0, 99, 100, 250)] == pytest.approx([1.0, 1.0, 0.1, 0.01])


def test_what_cannot_be_read_says_so() -> None:
    p = torch.nn.Parameter(torch.ones(1))
    sgd = torch.optim.SGD([p], lr=0.3)
    reading = optim.read(sgd, theirs.ReduceLROnPlateau(sgd))
    assert reading.rule.schedule is None
    assert "ReduceLROnPlateau" in reading.notes[0]
    with pytest.raises(BadInput, match="CyclicLR"):
        optim.read(sgd, theirs.CyclicLR(sgd, 0.1, 0.2, cycle_momentum=False))
    with pytest.raises(BadInput, match="LBFGS"):
        optim.read(torch.optim.LBFGS([p]))


def test_ours_are_read_as_they_are() -> None:
    p = torch.nn.Parameter(torch.ones(1))
    ours = optim.Adam([p], schedule=s.cosine(10))
    reading = optim.read(ours)
    assert reading.rule.direction == optim.directions.Average(0.9)
    assert reading.rule.schedule is ours.schedules["lr"]
    both = optim.read(ours, theirs.ExponentialLR(ours, 0.5)).rule.schedule
    assert both is not None
    assert both(2) == pytest.approx(s.cosine(10)(2) * 0.25)


def test_scaled_rates() -> None:
    linear = optim.scale_rate(0.1, from_batch=256, to_batch=8192, warmup_updates=10)
    assert (linear.lr, linear.factor) == pytest.approx((3.2, 32))
    assert linear.lr * linear.schedule(0) == pytest.approx(0.1)
    assert linear.schedule(10) == 1.0
    root = optim.scale_rate(1e-3, from_batch=64, to_batch=1024, rule="sqrt")
    assert root.lr == pytest.approx(4e-3)
    with pytest.raises(BadInput):
        optim.scale_rate(0.1, from_batch=0, to_batch=8)
    with pytest.raises(BadInput):
        optim.scale_rate(0.1, from_batch=1, to_batch=8, rule="cube")
