"""A factor on the learning rate for each step, put on while the step is made and taken off again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Treatment

if TYPE_CHECKING:
    import torch


def scale_rate(treatment: Treatment, factor: Callable[[int], float], note: str, *, of_first: bool = False) -> None:
    """Multiply every group's rate by ``factor(step)``; schedules and hand-written rates stay in charge.

    ``of_first``: the rate that the optimizer was made with, whatever a schedule has set since.
    """
    first: dict[int, list[Any]] = {}
    steps: dict[int, int] = {}
    kept: dict[int, list[object]] = {}

    def made(optimizer: torch.optim.Optimizer) -> None:
        first[id(optimizer)] = [group.get("lr") for group in optimizer.param_groups]

    def begins(optimizer: torch.optim.Optimizer) -> None:
        key = id(optimizer)
        if key in kept:
            return
        kept[key] = [group.get("lr") for group in optimizer.param_groups]
        by = factor(steps.get(key, 0))
        for number, group in enumerate(optimizer.param_groups):
            rates = first.get(key, [])
            rate = rates[number] if of_first and number < len(rates) else group.get("lr")
            if rate is not None:
                group["lr"] = rate * by
        treatment.done(note)

    def ended(optimizer: torch.optim.Optimizer) -> None:
        key = id(optimizer)
        steps[key] = steps.get(key, 0) + 1
        for group, rate in zip(optimizer.param_groups, kept.pop(key, ()), strict=False):
            if rate is not None:
                group["lr"] = rate

    treatment.stage.hear.optimizer_made.append(made)
    treatment.stage.hear.step_begins.append(begins)
    treatment.stage.hear.step_ended.append(ended)
