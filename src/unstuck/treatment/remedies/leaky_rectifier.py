"""A rectifier with a slope below zero: units that were dead get a gradient again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "leaky-rectifier"
ANSWERS = ("G303",)
TEXT = "Use a leaky rectifier instead of ReLU."
RISK = "Activations are no longer sparse."
SPECIFIC = False
MORE_COMPUTE = False

SLOPE = 0.2


def variants(known: Known) -> Sequence[Variant]:
    """Where there is a ReLU."""
    return (Variant(f"LeakyReLU({SLOPE})", {"slope": SLOPE}),) if (known.get("activations") or {}).get("relu") else ()


def treat(treatment: Treatment) -> None:
    """Every ReLU, however it is called."""
    from torch.nn import functional as F

    slope = float(treatment.options["slope"])

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        def leaky(given: Any, *args: Any, **kwargs: Any) -> Any:
            treatment.done("leaky rectifiers")
            return F.leaky_relu(given, slope)

        return leaky

    treatment.stage.wrap("relu", make)


def change(known: Known, options: Options) -> Change:
    """In the model."""
    slope = options["slope"]
    return Change(f"nn.LeakyReLU({slope})  # in place of nn.ReLU(); F.leaky_relu(x, {slope}) in place of F.relu(x)")
