"""The first learning rate all the way: no schedule, no decay inside the rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "steady-rate"
ANSWERS = ("U405", "U412")
TEXT = "Keep the learning rate where it began."
RISK = "At the end the loss may hover at the noise of a constant step."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where there is a schedule or a decay."""
    decays = any(o.get("options", {}).get("lr_decay") for o in known.get("optimizers") or ())
    return (Variant("a steady learning rate"),) if decays or known.get("schedulers") else ()


def treat(treatment: Treatment) -> None:
    """The rate that the optimizer was made with, while a step is made."""
    first: dict[int, list[object]] = {}
    kept: dict[int, list[object]] = {}

    def made(optimizer: torch.optim.Optimizer) -> None:
        first[id(optimizer)] = [group.get("lr") for group in optimizer.param_groups]

    def begins(optimizer: torch.optim.Optimizer) -> None:
        if id(optimizer) in kept:
            return
        kept[id(optimizer)] = [group.get("lr") for group in optimizer.param_groups]
        for group, rate in zip(optimizer.param_groups, first.get(id(optimizer), ()), strict=False):
            if rate is not None:
                group["lr"] = rate
            if group.get("lr_decay"):
                group["lr_decay"] = 0.0
        treatment.done("rate kept")

    def ended(optimizer: torch.optim.Optimizer) -> None:
        for group, rate in zip(optimizer.param_groups, kept.pop(id(optimizer), ()), strict=False):
            if rate is not None:
                group["lr"] = rate

    treatment.stage.hear.optimizer_made.append(made)
    treatment.stage.hear.step_begins.append(begins)
    treatment.stage.hear.step_ended.append(ended)


def change(known: Known, options: Options) -> Change:
    """Leave the schedule out."""
    return Change("# leave out scheduler.step() (or lr_decay): the learning rate stays where it began")
