"""A softmax written out by hand that runs over the classes instead of over the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "class-dimension"
ANSWERS = ("L207",)
TEXT = "Sum over the classes (dimension 1), not over the batch."
RISK = "A normalization over the batch that was meant is gone."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where what the model gave was summed over the batch with that dimension kept, as a softmax does."""
    return (Variant("sums over the classes"),) if known.get("summed_over_batch") else ()


def treat(treatment: Treatment) -> None:
    """Every such sum of what comes from a model, in training and in evaluation."""
    import torch

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        def total(given: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(given, torch.Tensor) and is_over_batch(given, args, kwargs) and not treatment.stage.depth:
                treatment.done("sums over dimension 1")
                return inner(given, dim=1, keepdim=True)
            return inner(given, *args, **kwargs)

        return total

    treatment.stage.wrap("sum", make)


def is_over_batch(given: Any, args: tuple, kwargs: dict) -> bool:
    """Whether a call of ``sum`` runs over the rows of a table and keeps that dimension.

    >>> import torch
    >>> is_over_batch(torch.ones(4, 3), (), {"dim": 0, "keepdim": True}), is_over_batch(torch.ones(4, 3), (1,), {})
    (True, False)
    """
    dim = kwargs.get("dim", args[0] if args else None)
    kept = kwargs.get("keepdim", args[1] if len(args) > 1 else False)
    return bool(given.dim() == 2 and given.shape[1] > 1 and dim in (0, -2) and kept)


def change(known: Known, options: Options) -> Change:
    """At the sum."""
    return Change("exponentials / exponentials.sum(dim=1, keepdim=True)  # or torch.softmax(scores, dim=1)")
