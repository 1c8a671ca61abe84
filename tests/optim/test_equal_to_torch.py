"""The rules that torch has, against torch: float64, 200 steps, within 1e-14 of the largest parameter."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from unstuck import optim

PAIRS: list[tuple[str, type, type, dict[str, Any]]] = [
    ("sgd", optim.SGD, torch.optim.SGD, {"lr": 0.01}),
    ("sgd decay", optim.SGD, torch.optim.SGD, {"lr": 0.01, "weight_decay": 0.1}),
    ("momentum", optim.SGD, torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    ("momentum maximize", optim.SGD, torch.optim.SGD, {"lr": 1e-3, "momentum": 0.5, "maximize": True}),
    ("dampening", optim.SGD, torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ("nesterov", optim.SGD, torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("adagrad", optim.AdaGrad, torch.optim.Adagrad, {"lr": 0.1}),
    (
        "adagrad all",
        optim.AdaGrad,
        torch.optim.Adagrad,
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.2, "maximize": True},
    ),
    ("rmsprop", optim.RMSProp, torch.optim.RMSprop, {"lr": 0.01}),
    ("rmsprop decay", optim.RMSProp, torch.optim.RMSprop, {"lr": 0.01, "weight_decay": 0.1, "alpha": 0.9}),
    ("rmsprop maximize", optim.RMSProp, torch.optim.RMSprop, {"lr": 0.01, "maximize": True}),
    ("rmsprop centered", optim.RMSProp, torch.optim.RMSprop, {"lr": 0.01, "centered": True, "weight_decay": 0.1}),
    (
        "rmsprop momentum",
        optim.RMSProp,
        torch.optim.RMSprop,
        {"lr": 1e-3, "centered": True, "momentum": 0.9, "maximize": True},
    ),
    ("adam", optim.Adam, torch.optim.Adam, {"lr": 0.01}),
    ("adam decay", optim.Adam, torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1, "betas": (0.8, 0.95)}),
    ("amsgrad", optim.Adam, torch.optim.Adam, {"lr": 0.01, "amsgrad": True, "maximize": True}),
    ("adamw", optim.AdamW, torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    ("adamw amsgrad", optim.AdamW, torch.optim.AdamW, {"lr": 0.01, "amsgrad": True}),
    ("radam", optim.RAdam, torch.optim.RAdam, {"lr": 0.01}),
    ("radam decay", optim.RAdam, torch.optim.RAdam, {"lr": 0.01, "weight_decay": 0.1, "betas": (0.9, 0.9)}),
    ("radamw", optim.RAdam, torch.optim.RAdam, {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("nadam", optim.NAdam, torch.optim.NAdam, {"lr": 0.01}),
    ("nadam decay", optim.NAdam, torch.optim.NAdam, {"lr": 0.01, "weight_decay": 0.1, "momentum_decay": 0.02}),
    ("nadamw", optim.NAdam, torch.optim.NAdam, {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("adamax", optim.Adamax, torch.optim.Adamax, {"lr": 0.01, "weight_decay": 0.1}),
    ("adadelta", optim.Adadelta, torch.optim.Adadelta, {"weight_decay": 0.1, "maximize": True}),
    ("adadelta rho", optim.Adadelta, torch.optim.Adadelta, {"lr": 0.5, "rho": 0.8}),
]


def _layers(seed: int) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(7, 5), (7,), (3, 7), (1,), (2, 3, 2)]
    return [torch.nn.Parameter(torch.randn(s, generator=generator, dtype=torch.float64)) for s in shapes]


_DRIVE = torch.sin(torch.arange(35, dtype=torch.float64))


@torch.no_grad()
def _set_gradients(params: list[torch.nn.Parameter], step: int) -> None:
    """Bounded, changing from step to step, dependent on the parameters; one parameter misses a step now and then."""
    for i, p in enumerate(params):
        drive = _DRIVE[: p.numel()].view(p.shape) * math.cos(0.7 * step + i)
        p.grad = torch.sin(p - 0.3 * i) + drive
    if step % 7 == 3:
        params[3].grad = None


def _groups(params: list[torch.nn.Parameter], many: bool, kwargs: dict[str, Any]) -> list[dict[str, Any]]:
    if not many:
        return [{"params": params}]
    return [{"params": params[:2]}, {"params": params[2:4], "lr": 0.5 * kwargs.get("lr", 1.0)}, {"params": params[4:]}]


@pytest.fixture(autouse=True)
def _double_by_default() -> Iterator[None]:
    """torch keeps NAdam's product of weights in the default type: in float32 it is off by 1e-10."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    ("changing", "many", "lowering"),
    [(False, False, "auto"), (False, True, "auto"), (True, False, "auto"), (True, True, "auto"), (True, True, "eager")],
)
@pytest.mark.parametrize(("ours", "theirs", "kwargs"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
def test_equal_to_torch(
    ours: type, theirs: type, kwargs: dict[str, Any], changing: bool, many: bool, lowering: str
) -> None:
    mine, other = _layers(0), _layers(0)
    a = ours(_groups(mine, many, kwargs), **kwargs, lowering=lowering)
    b = theirs(_groups(other, many, kwargs), **kwargs)
    schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(o, 150, eta_min=1e-4) for o in (a, b)] if changing else []
    for step in range(200):
        for params, optimizer in ((mine, a), (other, b)):
            _set_gradients(params, step)
            optimizer.step()
        for schedule in schedules:
            schedule.step()
    largest = max(float(p.detach().abs().max()) for p in other)
    gap = max(float((p - q).detach().abs().max()) for p, q in zip(mine, other, strict=True))
    assert gap <= 1e-14 * largest, (gap, largest, a.plans())
