"""The first learning rate all the way: no schedule, no decay inside the rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant
from unstuck.treatment.rates import scale_rate

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

    def begins(optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            if group.get("lr_decay"):
                group["lr_decay"] = 0.0

    treatment.stage.hear.step_begins.append(begins)
    scale_rate(treatment, lambda step: 1.0, "rate kept", of_first=True)


def change(known: Known, options: Options) -> Change:
    """Leave the schedule out."""
    return Change("# leave out scheduler.step() (or lr_decay): the learning rate stays where it began")
