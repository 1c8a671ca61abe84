"""Every input feature to zero mean and unit variance, by the statistics of the training batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "standardize-inputs"
ANSWERS = ("D101", "D102", "G304", "G303", "U401", "G306")
TEXT = "Standardize each input feature: subtract its training mean, divide by its training deviation."
RISK = "The same statistics must be kept for evaluation and use."
SPECIFIC = True
MORE_COMPUTE = False

WIDE = 0.5  # |mean| in deviations, or |log deviation|: below it standardizing changes next to nothing


def variants(known: Known) -> Sequence[Variant]:
    """Where some feature is not already standard."""
    found = known.get("input") or {}
    mean, deviation = found.get("mean"), found.get("std")
    if not mean or not deviation:
        return ()
    off = any(
        abs(m) > WIDE * max(s, 1e-12) or s > 1 + WIDE or (0 < s < 1 - WIDE)
        for m, s in zip(mean, deviation, strict=True)
    )
    return (Variant("standardized inputs"),) if off or found.get("not_finite") else ()


def treat(treatment: Treatment) -> None:
    """Change what enters the model, in training and in evaluation alike; what is not finite becomes the mean."""
    import torch

    found = treatment.known["input"]
    mean = torch.tensor(found["mean"], dtype=torch.float64)
    deviation = torch.tensor(found["std"], dtype=torch.float64)
    deviation = torch.where(deviation > 1e-12 * mean.abs().clamp(min=1.0), deviation, 1.0)

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        first = args[0] if args else None
        if not isinstance(first, torch.Tensor) or not first.is_floating_point() or treatment.stage.derived(first):
            return None
        axis = 1 if first.dim() in (2, 4, 5) else -1
        if first.dim() < 2 or first.shape[axis] != len(mean):
            return None
        shape = [1] * first.dim()
        shape[axis] = len(mean)
        with treatment.stage.aside():
            standard = (first.double() - mean.to(first.device).reshape(shape)) / deviation.to(first.device).reshape(
                shape
            )
            standard = torch.where(torch.isfinite(standard), standard, 0.0).to(first.dtype)
        treatment.done("inputs standardized")
        return (standard, *args[1:]), kwargs

    treatment.stage.hear.root_begins.append(begins)


def change(known: Known, options: Options) -> Change:
    """Where the data are made: its line is not known."""
    return Change(
        "mean, std = x_train.mean(0), x_train.std(0)\nx_train, x_test = (x_train - mean) / std, (x_test - mean) / std"
    )
