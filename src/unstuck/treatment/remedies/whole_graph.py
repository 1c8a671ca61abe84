"""Nothing detached inside the model: gradients reach the layers before the cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "whole-graph"
ANSWERS = ("G307", "U409")
TEXT = "Leave out the detach() inside the model."
RISK = "A part that was cut off by design is trained too."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where the forward pass detaches something that has a gradient."""
    return (Variant("no detach() inside the model"),) if known.get("detached") else ()


def treat(treatment: Treatment) -> None:
    """``detach`` gives back its own argument while a model computes under gradient."""
    import torch

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        def detach(given: Any, *args: Any, **kwargs: Any) -> Any:
            if treatment.stage.depth and torch.is_grad_enabled():
                treatment.done("graph kept whole")
                return given
            return inner(given, *args, **kwargs)

        return detach

    treatment.stage.wrap("detach", make)


def change(known: Known, options: Options) -> Change:
    """In the model's forward."""
    return Change("# leave out .detach() in forward()")
