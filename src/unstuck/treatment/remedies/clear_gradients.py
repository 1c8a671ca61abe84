"""Gradients cleared after every step, so that none is used twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Edit, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "clear-gradients"
ANSWERS = ("U410",)
TEXT = "Call optimizer.zero_grad() before every backward pass that a step follows."
RISK = "None, unless gradients are kept over steps by design."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where gradients of an earlier step were still there at the next backward pass."""
    return (Variant("gradients cleared after each step"),) if known.get("gradients_kept", 0.0) > 0.1 else ()


def treat(treatment: Treatment) -> None:
    """Clear right after the step."""

    def ended(optimizer: torch.optim.Optimizer) -> None:
        treatment.done("gradients cleared")
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    treatment.stage.hear.step_ended.append(ended)


def change(known: Known, options: Options) -> Change:
    """One line before the backward pass."""
    name = (known.get("optimizers") or [{}])[0].get("name") or "optimizer"
    lines = (f"{name}.zero_grad()",)
    line = known.get("backward_line")
    if line is None or (known.get("optimizers") or [{}])[0].get("name") is None:
        return Change(lines[0])
    return Change(lines[0], (Edit("before", line, lines),))
