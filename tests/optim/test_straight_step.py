"""The short road of one bucket and one kernel makes the same numbers as the general one, whatever changes between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from unstuck import optim
from unstuck.core.errors import BadInput


def _made(rule: Callable[..., optim.Optimizer]) -> tuple[optim.Optimizer, list[torch.nn.Parameter]]:
    generator = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(4, 3, generator=generator)) for _ in range(3)]
    return rule(params), params


def _rate(optimizer: Any, params: Any) -> None:
    optimizer.param_groups[0]["lr"] = 0.003


def _whole_rate(optimizer: Any, params: Any) -> None:
    optimizer.param_groups[0]["lr"] = 0


def _tensor_rate(optimizer: Any, params: Any) -> None:
    optimizer.param_groups[0]["lr"] = torch.tensor(0.004)


def _maximize(optimizer: Any, params: Any) -> None:
    optimizer.param_groups[0]["maximize"] = True


def _no_gradient(optimizer: Any, params: Any) -> None:
    params[1].grad = None


def _transposed_gradient(optimizer: Any, params: Any) -> None:
    params[1].grad = params[1].grad.t().contiguous().t()


def _laid_anew(optimizer: Any, params: Any) -> None:
    params[2].data = params[2].data.t().contiguous().t()


def _new_state(optimizer: Any, params: Any) -> None:
    for name, kept in optimizer.state[params[0]].items():
        if name != "step":
            optimizer.state[params[0]][name] = torch.zeros_like(kept)


def _loaded(optimizer: Any, params: Any) -> None:
    optimizer.load_state_dict(optimizer.state_dict())


def _another_group(optimizer: Any, params: Any) -> None:
    added = torch.nn.Parameter(torch.ones(2))
    added.grad = torch.ones(2)
    params.append(added)
    optimizer.add_param_group({"params": [added]})


def _schedule(optimizer: Any, params: Any) -> None:
    optimizer.schedules["lr"] = lambda update: 0.5


def _plain_form(optimizer: Any, params: Any) -> None:
    optimizer.lowering = "eager"


CHANGES = [
    _rate,
    _whole_rate,
    _tensor_rate,
    _maximize,
    _no_gradient,
    _transposed_gradient,
    _laid_anew,
    _new_state,
    _loaded,
    _another_group,
    _schedule,
    _plain_form,
]
RULES: list[Callable[..., optim.Optimizer]] = [
    lambda p: optim.SGD(p, lr=0.1),
    lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    lambda p: optim.Adam(p, lr=0.01),
]


@pytest.mark.parametrize("rule", RULES, ids=["sgd", "momentum", "adam"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__.strip("_"))
def test_both_roads_agree_after_every_change(rule: Callable[..., optim.Optimizer], change: Callable[..., None]) -> None:
    ends = []
    for straight in (True, False):
        optimizer, params = _made(rule)
        generator = torch.Generator().manual_seed(1)
        taken = 0
        for step in range(9):
            for p in params:
                p.grad = torch.randn(p.shape, generator=generator)
            if step == 4:
                change(optimizer, params)
            if not straight:
                optimizer._straight = None
            before = optimizer._straight is not None
            optimizer.step()
            taken += before and optimizer._straight is not None
        ends.append([p.detach().clone() for p in params])
        if straight:
            assert taken >= 3, "the short road was not taken"
        assert optimizer.param_groups[0]["updates"] == 9
    for a, b in zip(*ends, strict=True):
        assert torch.equal(a, b)


def _by_closure(optimizer: Any) -> None:
    optimizer.step(lambda: 0.0)


def _hooked(optimizer: Any) -> None:
    handle = optimizer.register_step_pre_hook(lambda *_: None)
    optimizer.step()
    handle.remove()


def _profiled(optimizer: Any) -> None:
    with torch.autograd.profiler.profile():
        optimizer.step()


@pytest.mark.parametrize("general", [_by_closure, _hooked, _profiled], ids=lambda f: f.__name__.strip("_"))
@pytest.mark.parametrize("rule", RULES, ids=["sgd", "momentum", "adam"])
def test_a_general_step_without_one_gradient_ends_the_short_road(
    rule: Callable[..., optim.Optimizer], general: Callable[[Any], None]
) -> None:
    ends = []
    for straight in (True, False):
        optimizer, params = _made(rule)
        generator = torch.Generator().manual_seed(1)
        for step in range(9):
            for p in params:
                p.grad = torch.randn(p.shape, generator=generator)
            if not straight:
                optimizer._straight = None
            if step == 4:
                params[1].grad = None
                general(optimizer)
            else:
                optimizer.step()
        ends.append([p.detach().clone() for p in params])
        if "step" in optimizer.state[params[0]]:
            assert [int(optimizer.state[p]["step"]) for p in params] == [9, 8, 9]
    for a, b in zip(*ends, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
def test_a_wrong_rate_is_refused_on_the_short_road_too(rate: float) -> None:
    optimizer, params = _made(RULES[0])
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer.step()
    assert optimizer._straight is not None
    kept = [p.detach().clone() for p in params]
    optimizer.param_groups[0]["lr"] = rate
    with pytest.raises(BadInput, match="lr"):
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(kept, params, strict=True))
