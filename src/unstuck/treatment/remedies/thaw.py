"""Frozen parameters trained again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant
from unstuck.treatment.remedies import all_parameters

if TYPE_CHECKING:
    import torch

NAME = "thaw"
ANSWERS = ("U409",)
TEXT = "Train the frozen parameters too."
RISK = "What was frozen by design (a pre-trained part) is changed."
SPECIFIC = False
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where a model has frozen parameters and was not pre-trained."""
    frozen = known.get("frozen") and known.get("optimizers") and not known.get("loaded")
    return (Variant("frozen parameters thawed"),) if frozen else ()


def treat(treatment: Treatment) -> None:
    """At each model's first call."""
    seen: set[int] = set()

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        if id(module) in seen:
            return
        seen.add(id(module))
        for parameter in module.parameters():
            if not parameter.requires_grad and parameter.is_floating_point():
                parameter.requires_grad_(True)
                treatment.done("frozen parameters thawed")
        return

    treatment.stage.hear.root_begins.append(begins)
    all_parameters.treat(treatment)


def change(known: Known, options: Options) -> Change:
    """Before the optimizer is made."""
    return Change("model.requires_grad_(True)  # before the optimizer is made, over all parameters")
