"""The usual epsilon under the root of an adaptive rule, or a larger one against blow-ups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "epsilon"
ANSWERS = ("U413", "U406")
TEXT = "Set the optimizer's epsilon."
RISK = "A larger one makes the rule more like plain gradient descent."
SPECIFIC = False
MORE_COMPUTE = False

USUAL = 1e-8  # torch's own default; far above it the rule is another one
LARGER = 1e-3  # small against a working root mean square, large against one that has shrunk on a flat stretch


def variants(known: Known) -> Sequence[Variant]:
    """Back to the usual one where it is larger, else a larger one."""
    eps = [o["options"]["eps"] for o in known.get("optimizers") or () if "eps" in o.get("options", {})]
    if not eps:
        return ()
    value = USUAL if max(eps) > 1e-5 else LARGER
    return (Variant(f"epsilon {value:g}", {"eps": value}),)


def treat(treatment: Treatment) -> None:
    """Set before every step, for whatever groups there are."""
    value = float(treatment.options["eps"])

    def begins(optimizer: torch.optim.Optimizer) -> None:
        for group in optimizer.param_groups:
            if "eps" in group:
                group["eps"] = value
                treatment.done(f"epsilon {value:g}")

    treatment.stage.hear.step_begins.append(begins)


def change(known: Known, options: Options) -> Change:
    """Where the optimizer is made."""
    return Change(f"eps={float(options['eps']):g}  # of the optimizer")
