"""Normalization of each example by itself where the batch is too small to average over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

NAME = "normalize-examples"
ANSWERS = ("B603", "B604")
TEXT = "Normalize each example by itself (GroupNorm, or LayerNorm for plain vectors) in place of over the batch."
RISK = "Running statistics of a trained network are no longer used; where batches are large, batch-norm often trains faster."
SPECIFIC = True
MORE_COMPUTE = False

FEW = 8  # examples in a batch; more of them are a fair average
GROUPS = 8  # of channels; with plain vectors all units are one group


def variants(known: Known) -> Sequence[Variant]:
    """Where a batch normalization sees a few examples at a time."""
    shape = (known.get("input") or {}).get("shape") or ()
    normalized = any("BatchNorm" in name for name in known.get("modules") or ())
    return (Variant("each example normalized by itself"),) if normalized and shape and shape[0] <= FEW else ()


def treat(treatment: Treatment) -> None:
    """Every batch-norm, in training and in evaluation: the same function of one example in both."""
    import torch
    from torch.nn import functional as F

    def make(inner: Callable[..., Any]) -> Callable[..., Any]:
        def batch_norm(given: Any, *args: Any, **kwargs: Any) -> Any:
            if inner is torch.batch_norm:  # its arguments stand in another order
                return inner(given, *args, **kwargs)
            names = ("running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
            said = {**dict(zip(names, args, strict=False)), **kwargs}
            channels = given.shape[1]
            groups = GROUPS if given.dim() > 2 and channels % GROUPS == 0 else 1
            treatment.done("examples normalized by themselves")
            return F.group_norm(given, groups, said.get("weight"), said.get("bias"), said.get("eps", 1e-5))

        return batch_norm

    treatment.stage.wrap("batch_norm", make)


def change(known: Known, options: Options) -> Change:
    """In the model."""
    return Change(
        f"nn.GroupNorm({GROUPS}, channels)  # nn.LayerNorm(units) after a linear layer; in place of nn.BatchNorm"
    )
