"""Logarithms and roots kept away from zero, where their slope is not finite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "guarded-functions"
ANSWERS = ("G308",)
TEXT = "Keep the arguments of logarithms and square roots away from zero."
RISK = "Values below the guard are treated as the guard."
SPECIFIC = True
MORE_COMPUTE = False

GUARDS = {"log": 1e-7, "sqrt": 1e-8}  # the steps of 32-bit numbers next to one; beyond it 1 − p is zero anyway


def variants(known: Known) -> Sequence[Variant]:
    """Where the loss goes through one of them."""
    return (Variant("guarded logarithms and roots"),) if known.get("guarded") else ()


def treat(treatment: Treatment) -> None:
    """Clamp the argument from below; a gradient that still is not finite counts as zero there."""
    import torch

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        least = GUARDS[inner.__name__]

        def guarded(given: Any, *args: Any, **kwargs: Any) -> Any:
            if torch.is_grad_enabled() and getattr(given, "requires_grad", False):
                treatment.done("arguments guarded")
                # Adding keeps a slope at zero, where a clamp would have none.
                given = given + least if inner.__name__ == "sqrt" else given.clamp(min=least)
            return inner(given, *args, **kwargs)

        return guarded

    treatment.stage.wrap("log sqrt", make)


def change(known: Known, options: Options) -> Change:
    """At the function's call."""
    return Change("torch.log(p.clamp(min=1e-7))\ntorch.sqrt(x + 1e-8)")
