"""Batch-norm's running statistics kept up with the batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "fresh-statistics"
ANSWERS = ("B604",)
TEXT = "Let batch-norm's running statistics follow the batches (momentum 0.1)."
RISK = "With very small batches the statistics are noisier."
SPECIFIC = True
MORE_COMPUTE = False

USUAL = 0.1  # torch's own default
SLOW = 0.02  # below it the statistics need more than a hundred steps to follow


def variants(known: Known) -> Sequence[Variant]:
    """Where a batch-norm follows slowly."""
    least = known.get("batch_norm_momentum")
    return (Variant("batch-norm momentum 0.1"),) if least is not None and least < SLOW else ()


def treat(treatment: Treatment) -> None:
    """At every batch-norm under training."""

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        def batch_norm(given: Any, *args: Any, **kwargs: Any) -> Any:
            # given, running_mean, running_var, weight, bias, training, momentum, eps
            several = list(args)
            if len(several) > 5:
                several[5] = USUAL
            else:
                kwargs["momentum"] = USUAL
            treatment.done("statistics follow the batches")
            return inner(given, *several, **kwargs)

        return batch_norm

    treatment.stage.wrap("batch_norm", make)


def change(known: Known, options: Options) -> Change:
    """In the model."""
    return Change("nn.BatchNorm1d(units, momentum=0.1)")
