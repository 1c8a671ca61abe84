"""Input features without correlation: narrow valleys of the loss that correlated features make are made round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "decorrelate-inputs"
ANSWERS = ("C504", "U402")
TEXT = (
    "Decorrelate the input features: rotate to the principal axes of the training rows, divide by the deviations there."
)
RISK = "Directions of hardly any variance are blown up with the rest, their noise too."
SPECIFIC = True
MORE_COMPUTE = False

NARROW = (
    100.0  # condition number of the features' correlations: below, gradient descent takes tens of steps, not thousands
)
FLOOR = 1e-6  # of the largest variance: smaller ones are rounding of the features (float32 keeps 1e-7)


def variants(known: Known) -> Sequence[Variant]:
    """For rows of numbers whose features are strongly correlated."""
    rows = known.get("rows") or {}
    return (Variant("decorrelated inputs"),) if (rows.get("condition") or 0.0) >= NARROW else ()


def treat(treatment: Treatment) -> None:
    """Change what enters the model, in training and in evaluation alike."""
    import torch

    rows = torch.load(str(treatment.known["rows"]["file"]), weights_only=True)["inputs"].double()
    mean, turn = whitening(rows)

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        first = args[0] if args else None
        if not isinstance(first, torch.Tensor) or not first.is_floating_point() or treatment.stage.derived(first):
            return None
        if first.dim() != 2 or first.shape[1] != len(mean):
            return None
        with treatment.stage.aside():
            white = ((first.double() - mean.to(first.device)) @ turn.to(first.device)).to(first.dtype)
        treatment.done("inputs decorrelated")
        return (white, *args[1:]), kwargs

    treatment.stage.hear.root_begins.append(begins)


def whitening(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean and the matrix that makes rows uncorrelated, each feature as near to its old self as can be (ZCA).

    Features are brought to one scale first, so that units do not decide which directions count.
    """
    import torch

    mean, deviation = rows.mean(0), rows.std(0)
    deviation = torch.where(deviation > 1e-12 * mean.abs().clamp(min=1.0), deviation, 1.0)
    values, vectors = torch.linalg.eigh(torch.cov(((rows - mean) / deviation).T))
    values = values.clamp(min=FLOOR * float(values.max()))
    return mean, ((vectors / values.sqrt()) @ vectors.T) / deviation[:, None]


def change(known: Known, options: Options) -> Change:
    """Where the data are made: its line is not known."""
    return Change(
        "mean, std = x_train.mean(0), x_train.std(0)\n"
        "values, vectors = torch.linalg.eigh(torch.cov(((x_train - mean) / std).T))\n"
        "turn = vectors / values.clamp(min=1e-6 * values.max()).sqrt()\n"
        "x_train, x_test = (x_train - mean) / std @ turn, (x_test - mean) / std @ turn"
    )
