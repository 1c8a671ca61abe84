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
RECTIFIERS = "relu clamp clamp_min clip maximum"


def cuts_at_zero(name: str, args: tuple, kwargs: dict) -> bool:
    """Whether a call of one of these functions is max(x, 0) and nothing else."""
    if name == "relu":
        return True
    if name == "maximum":
        bound = args[1] if len(args) > 1 else kwargs.get("other")
        return getattr(bound, "requires_grad", True) is False and not bool(bound.any())  # type: ignore[union-attr]
    low = args[1] if len(args) > 1 else kwargs.get("min")
    high = args[2] if len(args) > 2 else kwargs.get("max")
    return high is None and isinstance(low, int | float) and low == 0


def variants(known: Known) -> Sequence[Variant]:
    """Where there is a ReLU, or max(x, 0) by another name."""
    seen = known.get("rectified") or (known.get("activations") or {}).get("relu")
    return (Variant(f"LeakyReLU({SLOPE})", {"slope": SLOPE}),) if seen else ()


def treat(treatment: Treatment) -> None:
    """Every ReLU, however it is called or written."""
    from torch.nn import functional as F

    slope = float(treatment.options["slope"])

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        name = inner.__name__.rstrip("_")

        def leaky(given: Any, *args: Any, **kwargs: Any) -> Any:
            # Outside of a model such a function is part of a loss, unless the network is written out.
            hidden = name == "relu" or stage.depth > 0 or (stage.by_hand and getattr(given, "requires_grad", False))
            if not hidden or not cuts_at_zero(name, (given, *args), kwargs):
                return inner(given, *args, **kwargs)
            treatment.done("leaky rectifiers")
            in_place = inner.__name__.endswith("_")
            return F.leaky_relu_(given, slope) if in_place else F.leaky_relu(given, slope)

        leaky.__name__ = inner.__name__
        return leaky

    stage = treatment.stage
    stage.wrap(RECTIFIERS, make)


def change(known: Known, options: Options) -> Change:
    """In the model."""
    slope = options["slope"]
    return Change(f"nn.LeakyReLU({slope})  # in place of nn.ReLU(); F.leaky_relu(x, {slope}) in place of F.relu(x)")
