"""Evaluation inputs on the scale of the training inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "matching-inputs"
ANSWERS = ("D108",)
TEXT = "Scale the evaluation inputs as the training inputs are scaled."
RISK = "Here their own mean and deviation are used, which must not be done with single examples; use the training's."
SPECIFIC = True
MORE_COMPUTE = False

OFF = 2.0  # deviations of the mean, or factor of the deviation: beyond what another sample of the same data has


def variants(known: Known) -> Sequence[Variant]:
    """Where most features lie far from where they lay in training: single ones do by chance."""
    found = known.get("input") or {}
    other = known.get("evaluation_input") or {}
    if not found.get("mean") or not other.get("mean") or len(found["mean"]) != len(other["mean"]):
        return ()
    varying = [row for row in zip(found["mean"], found["std"], other["mean"], other["std"], strict=True) if row[1] > 0]
    off = sum(abs(m2 - m) > OFF * s or s2 > OFF * s or s2 * OFF < s for m, s, m2, s2 in varying)
    return (Variant("evaluation inputs on the training's scale"),) if off > 0.5 * len(varying) else ()


def treat(treatment: Treatment) -> None:
    """Map evaluation inputs by both sides' means and deviations."""
    import torch

    def column(side: str, key: str) -> torch.Tensor:
        return torch.tensor(treatment.known[side][key], dtype=torch.float64)

    mean, deviation = column("input", "mean"), column("input", "std")
    other_mean, other = column("evaluation_input", "mean"), column("evaluation_input", "std")
    other = torch.where(other > 0, other, 1.0)

    def begins(module: torch.nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        first = args[0] if args else None
        if torch.is_grad_enabled() or not isinstance(first, torch.Tensor) or not first.is_floating_point():
            return None
        axis = 1 if first.dim() in (2, 4, 5) else -1
        if first.dim() < 2 or first.shape[axis] != len(mean) or treatment.stage.derived(first):
            return None
        shape = [1] * first.dim()
        shape[axis] = len(mean)
        with treatment.stage.aside():
            here = [c.to(first.device).reshape(shape) for c in (mean, deviation, other_mean, other)]
            standard = (first.double() - here[2]) / here[3]
            mapped = (standard * here[1] + here[0]).to(first.dtype)
        treatment.done("evaluation inputs rescaled")
        return (mapped, *args[1:]), kwargs

    treatment.stage.hear.root_begins.append(begins)


def change(known: Known, options: Options) -> Change:
    """Where the data are made."""
    return Change("x_test = (x_test - mean) / std  # the training's mean and std")
