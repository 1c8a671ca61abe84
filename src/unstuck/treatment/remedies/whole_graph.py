"""Nothing detached inside the model: gradients reach the layers before the cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "whole-graph"
ANSWERS = ("G307", "U409")
TEXT = "Leave out the detach() (or the way through a list) inside the model."
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

    def make_list(inner: Callable[..., Any]) -> Callable[..., Any]:
        def tolist(given: Any) -> Any:
            plain = inner(given)
            if treatment.stage.depth and torch.is_grad_enabled() and isinstance(plain, list):
                plain = _Listed(plain)
                plain.source = given
            return plain

        return tolist

    def make_tensor(inner: Callable[..., Any]) -> Callable[..., Any]:
        def tensor(data: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(data, _Listed):
                treatment.done("graph kept whole")
                return data.source
            return inner(data, *args, **kwargs)

        return tensor

    treatment.stage.wrap("detach", make)
    treatment.stage.wrap("tolist", make_list)
    treatment.stage.wrap("tensor as_tensor", make_tensor)


class _Listed(list):
    """A tensor's values as a list that remembers the tensor."""

    source: Any = None


def change(known: Known, options: Options) -> Change:
    """In the model's forward."""
    return Change("# leave out .detach() and .tolist() in forward()")
