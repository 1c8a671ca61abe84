"""Another update rule on the same parameters, in place of the script's own."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "other-rule"
ANSWERS = ("U401", "U405", "U402", "C504", "G301", "U413", "C503", "B602")
TEXT = "Use another update rule."
RISK = "Its learning rate has to be chosen anew; schedules of the old rule no longer act."
SPECIFIC = False
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Adam where it is not already in use; momentum otherwise, at the rate of plain descent where that is in use: a step
    that is stable without momentum is stable with it (2 (1 + ρ) / λ against 2 / λ)."""
    made = known.get("optimizers") or []
    if not made:
        return ()
    adam = Variant("Adam at 0.001", {"rule": "Adam", "lr": 1e-3})
    momentum = Variant("momentum SGD at 0.01", {"rule": "Momentum", "lr": 1e-2})
    kind, settings = made[0]["kind"], made[0].get("options") or {}
    if kind in ("Adam", "AdamW"):
        return (momentum,)
    rate = settings.get("lr")
    if kind == "SGD" and not settings.get("momentum") and isinstance(rate, float) and rate != 1e-2:
        momentum = Variant(f"momentum 0.9 at {rate:g}", {"rule": "Momentum", "lr": rate})
    return (adam, momentum, Variant("Adam at 0.01", {"rule": "Adam", "lr": 1e-2}))


def treat(treatment: Treatment) -> None:
    """At the first step of each optimizer make the other rule over its parameters; from then on it steps."""
    rule, rate = str(treatment.options["rule"]), float(treatment.options["lr"])
    stage = treatment.stage

    def made(optimizer: torch.optim.Optimizer) -> None:
        if getattr(optimizer, "_stands_in", False):
            return
        inner: dict[str, Any] = {}

        def step(self: Any, closure: Any = None) -> Any:
            if "rule" not in inner:
                from unstuck.optim import SGD, Adam

                groups = [{"params": list(group["params"])} for group in self.param_groups]
                before = list(stage.hear.optimizer_made)
                stage.hear.optimizer_made.clear()
                try:
                    inner["rule"] = Adam(groups, lr=rate) if rule == "Adam" else SGD(groups, lr=rate, momentum=0.9)
                finally:
                    stage.hear.optimizer_made.extend(before)
                    stage.optimizers.pop()
            treatment.done(f"{rule} at {rate:g}")
            return inner["rule"].step(closure) if closure is not None else inner["rule"].step()

        optimizer.step = types.MethodType(step, optimizer)  # type: ignore[method-assign]

    stage.hear.optimizer_made.append(made)


def change(known: Known, options: Options) -> Change:
    """Where the optimizer is made."""
    if options["rule"] == "Adam":
        return Change(f"optimizer = torch.optim.Adam(model.parameters(), lr={options['lr']:g})")
    return Change(f"optimizer = torch.optim.SGD(model.parameters(), lr={options['lr']:g}, momentum=0.9)")
