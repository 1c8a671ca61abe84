"""Logarithms, roots and exponentials kept where their values and slopes are finite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "guarded-functions"
ANSWERS = ("G308",)
TEXT = "Keep logarithms and square roots away from zero, and let exponentials go on as straight lines."
RISK = "Values beyond the guard are no longer the function's."
SPECIFIC = True
MORE_COMPUTE = False

GUARDS = {"log": 1e-7, "sqrt": 1e-8}  # the steps of 32-bit numbers next to one; beyond it 1 − p is zero anyway
BEND = 0.0  # of an exponential: from there on its slope is one, and layers of it do not amplify


def variants(known: Known) -> Sequence[Variant]:
    """Where the loss goes through one of them."""
    through = set(known.get("guarded") or ())
    found = []
    if through & set(GUARDS):
        found.append(Variant("guarded logarithms and roots", {"functions": sorted(GUARDS)}))
    if "exp" in through:
        found.append(Variant(f"exponentials straight above {BEND:g}", {"functions": ["exp"]}))
    return tuple(found)


def treat(treatment: Treatment) -> None:
    """Keep the argument from below, or bend the function; a gradient that still is not finite counts as zero there."""
    import torch

    def trained(given: Any) -> bool:
        return torch.is_grad_enabled() and getattr(given, "requires_grad", False)

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        name = inner.__name__.rstrip("_")
        in_place = inner.__name__.endswith("_")

        def guarded(given: Any, *args: Any, **kwargs: Any) -> Any:
            if trained(given) and not in_place and given.is_floating_point():
                treatment.done("arguments guarded")
                # Adding keeps a slope at zero, where a clamp would have none.
                given = given + GUARDS[name] if name == "sqrt" else given.clamp(min=GUARDS[name])
            return inner(given, *args, **kwargs)

        return guarded

    def make_bent(inner: Callable[..., Any]) -> Callable[..., Any]:
        in_place = inner.__name__.endswith("_")

        def bent(given: Any, *args: Any, **kwargs: Any) -> Any:
            real = isinstance(given, torch.Tensor) and given.is_floating_point()
            if in_place or not real or not (treatment.stage.depth or trained(given)):
                return inner(given, *args, **kwargs)
            treatment.done("exponentials bent")
            return inner(given.clamp(max=BEND), *args, **kwargs) + (given - BEND).clamp(min=0)

        return bent

    functions = treatment.options.get("functions", sorted(GUARDS))
    treatment.stage.wrap(" ".join(f for f in functions if f in GUARDS), make)
    if "exp" in functions:
        treatment.stage.wrap("exp", make_bent)


def change(known: Known, options: Options) -> Change:
    """At the function's call."""
    if "exp" in options.get("functions", ()):
        return Change("torch.nn.functional.elu(x) + 1  # in place of torch.exp(x): the same below zero, 1 + x above")
    return Change("torch.log(p.clamp(min=1e-7))\ntorch.sqrt(x + 1e-8)")
