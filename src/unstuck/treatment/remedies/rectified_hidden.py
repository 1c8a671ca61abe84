"""Rectifiers in place of squashing hidden activations, with initial weights that suit them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant
from unstuck.treatment.remedies import initialization

NAME = "rectified-hidden"
ANSWERS = ("G301", "G304", "L212")
TEXT = "Use ReLU in the hidden layers instead of sigmoid or tanh."
RISK = "Hidden values are no longer bounded."
SPECIFIC = False
MORE_COMPUTE = False

SQUASHING = ("sigmoid", "tanh", "softsign", "hardtanh", "softmax")


def variants(known: Known) -> Sequence[Variant]:
    """Where hidden layers squash."""
    met = known.get("activations") or {}
    tail = [t["name"] for t in known.get("tail") or ()]
    hidden = [name for name in SQUASHING if met.get(name, 0) > tail.count(name)]
    return (Variant("ReLU in the hidden layers", {"names": hidden}),) if hidden and not known.get("loaded") else ()


def treat(treatment: Treatment) -> None:
    """Every activation of those names but the ones at the model's end."""
    from torch.nn import functional as F

    ends = {(t["name"], t["count"]) for t in treatment.known.get("tail") or ()}

    def make_for(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def make(inner: Callable[..., Any]) -> Callable[..., Any]:
            def rectified(given: Any, *args: Any, **kwargs: Any) -> Any:
                if not treatment.stage.depth or (name, treatment.stage.counts.get(name)) in ends:
                    return inner(given, *args, **kwargs)
                treatment.done("hidden layers rectified")
                return F.relu(given)

            return rectified

        return make

    for name in treatment.options["names"]:
        treatment.stage.wrap(name, make_for(name))
    initialization.treat(
        type(treatment)(treatment.stage, {"scheme": "he"}, treatment.known, treatment.generator, treatment.notes)
    )


def change(known: Known, options: Options) -> Change:
    """In the model."""
    return Change(f"nn.ReLU()  # in place of {', '.join(options['names'])} in the hidden layers")
