"""Another learning rate: every step multiplied by one factor, whatever schedule the script has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Edit, Known, Options, Treatment, Variant
from unstuck.treatment.rates import scale_rate

if TYPE_CHECKING:
    import torch

NAME = "learning-rate"
ANSWERS = ("U401", "U402", "G302", "U406", "L209", "G308", "D104", "D101", "C504", "B602", "U407")
TEXT = "Multiply the learning rate."
RISK = "A shorter step may need more epochs; a longer one may diverge later."
SPECIFIC = False
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Shorter steps first, too long a step being the commoner fault; longer ones where the loss was still falling."""
    if not known.get("optimizers") and not known.get("bare"):
        return ()
    falling = known.get("loss", {}).get("still_falling")
    factors = (10.0, 0.1, 100.0, 3.0, 0.3, 0.01) if falling else (0.1, 10.0, 0.01, 0.3, 3.0, 100.0)
    return tuple(Variant(f"learning rate × {factor:g}", {"factor": factor}) for factor in factors)


def treat(treatment: Treatment) -> None:
    """The same factor at every step; where the update is written by hand, on the gradients it is made of."""
    factor = float(treatment.options["factor"])
    if treatment.known.get("bare"):

        def backward(loss: torch.Tensor) -> torch.Tensor:
            treatment.done(f"learning rate × {factor:g}")
            return loss * factor

        treatment.stage.hear.backward.append(backward)
        return
    scale_rate(treatment, lambda step: factor, f"learning rate × {factor:g}")


def change(known: Known, options: Options) -> Change:
    """The rates multiplied where the optimizer is made, or the rate of an update that is written out."""
    if known.get("bare"):
        return Change(
            f"# multiply the learning rate of the update (tried as the gradient) by {float(options['factor']):g}"
        )
    made = (known.get("optimizers") or [{}])[0]
    name = made.get("name") or "optimizer"
    lines = (f"for group in {name}.param_groups:", f'    group["lr"] *= {float(options["factor"]):g}')
    line = made.get("line")
    safe = line is not None and str(name).isidentifier() and str(line.get("text", "")).startswith(f"{name} =")
    return Change("\n".join(lines), (Edit("after", line, lines),) if safe else ())
