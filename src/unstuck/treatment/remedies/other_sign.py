"""The loss with the other sign: it was being maximized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Edit, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

NAME = "other-sign"
ANSWERS = ("L211",)
TEXT = "Minimize the loss instead of maximizing it."
RISK = "None, if it is a loss; a reward is to be maximized."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where the loss is below zero nearly always, which a log-likelihood of classes or a squared error never is."""
    return (Variant("the loss with the other sign"),) if known.get("loss", {}).get("negative_share", 0.0) > 0.9 else ()


def treat(treatment: Treatment) -> None:
    """Turn it around at the backward pass."""

    def backward(loss: torch.Tensor) -> torch.Tensor:
        treatment.done("the sign turned")
        return -loss

    treatment.stage.hear.backward.append(backward)


def change(known: Known, options: Options) -> Change:
    """One line before the backward pass."""
    loss = known.get("loss", {}).get("name")
    line = known.get("backward_line")
    lines = (f"{loss or 'loss'} = -{loss or 'loss'}",)
    if loss is None or line is None or not str(line.get("text", "")).startswith(f"{loss}.backward("):
        return Change(lines[0])
    return Change(lines[0], (Edit("before", line, lines),))
