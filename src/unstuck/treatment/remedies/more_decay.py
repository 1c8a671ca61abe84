"""Weight decay, apart from the gradient, at a strength under which the weights forget their past twice over the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "more-decay"
ANSWERS = ("T702",)
TEXT = "Add weight decay."
RISK = "Too much of it holds the weights below what the task needs."
SPECIFIC = False
MORE_COMPUTE = False

FORGETS = 2.0  # decay × rate × steps: what the start left is e⁻² of itself at the end
MOST = 0.5  # of a weight in one step; beyond it the decay is the whole step


def variants(known: Known) -> Sequence[Variant]:
    """Where there is an optimizer with a rate and no decay yet."""
    options = (known.get("optimizers") or [{}])[0].get("options") or {}
    rate, steps = options.get("lr"), known.get("steps") or 0
    if not isinstance(rate, float) or rate <= 0.0 or steps < 1 or options.get("weight_decay"):
        return ()
    decay = float(f"{FORGETS / (rate * steps):.1g}")
    return (Variant(f"weight decay {decay:g}", {"decay": decay}),) if decay * rate <= MOST else ()


def treat(treatment: Treatment) -> None:
    """After each step every matrix of weights is made a little smaller; biases and scales are left alone."""
    decay = float(treatment.options["decay"])

    def ended(optimizer: torch.optim.Optimizer) -> None:
        with treatment.stage.aside():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.requires_grad and parameter.dim() >= 2:
                        parameter.mul_(1.0 - min(MOST, decay * float(group.get("lr") or 0.0)))
                        treatment.done(f"weight decay {decay:g}")

    treatment.stage.hear.step_ended.append(ended)


def change(known: Known, options: Options) -> Change:
    """At the optimizer."""
    return Change(
        f"torch.optim.AdamW(..., weight_decay={options['decay']:g})  # decoupled; with SGD weight_decay={options['decay']:g}"
    )
