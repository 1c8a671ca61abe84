"""No weight decay, and dropout at a fifth of what it was: what holds the weights down or drowns the signal goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "less-regularization"
ANSWERS = ("U408", "B606", "T703")
TEXT = "Lower weight decay and dropout."
RISK = "The network may fit noise."
SPECIFIC = False
MORE_COMPUTE = False

LEFT = 0.2  # of a dropout's share


def variants(known: Known) -> Sequence[Variant]:
    """Where there is something to lower."""
    decay = any(o.get("options", {}).get("weight_decay") for o in known.get("optimizers") or ())
    dropout = any("Dropout" in name for name in known.get("modules") or ())
    found = []
    if decay:
        found.append(Variant("no weight decay", {"decay": True, "dropout": False}))
    if dropout:
        found.append(Variant("dropout at a fifth", {"decay": False, "dropout": True}))
    return found


def treat(treatment: Treatment) -> None:
    """Weight decay while a step is made; dropout where it is drawn."""
    kept: dict[int, list[object]] = {}

    def begins(optimizer: torch.optim.Optimizer) -> None:
        kept[id(optimizer)] = [group.get("weight_decay") for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            if group.get("weight_decay"):
                group["weight_decay"] = 0.0
                treatment.done("no weight decay")

    def ended(optimizer: torch.optim.Optimizer) -> None:
        for group, value in zip(optimizer.param_groups, kept.pop(id(optimizer), ()), strict=False):
            if value is not None:
                group["weight_decay"] = value

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        def dropout(given: Any, p: float = 0.5, *args: Any, **kwargs: Any) -> Any:
            treatment.done("dropout lowered")
            return inner(given, LEFT * p, *args, **kwargs)

        return dropout

    if treatment.options["decay"]:
        treatment.stage.hear.step_begins.append(begins)
        treatment.stage.hear.step_ended.append(ended)
    if treatment.options["dropout"]:
        treatment.stage.wrap("dropout dropout1d dropout2d dropout3d", make)


def change(known: Known, options: Options) -> Change:
    """At the optimizer or in the model."""
    return Change("weight_decay=0.0  # of the optimizer" if options["decay"] else "nn.Dropout(p / 5)")
