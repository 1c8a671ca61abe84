"""The loss averaged over the batch instead of summed: the step no longer grows with the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

    from unstuck.treatment.stage import Met

NAME = "mean-loss"
ANSWERS = ("L209",)
TEXT = "Average the loss over the batch."
RISK = "A learning rate that was chosen for the sum is then too short."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where the loss was seen to be made by a sum."""
    makers = known.get("loss", {}).get("makers") or []
    summed = any(m == "sum" or m.endswith(":sum") for m in makers)
    return (Variant("the loss averaged over the batch"),) if summed and known.get("meetings") else ()


def treat(treatment: Treatment) -> None:
    """Divide by the rows that met their targets on the way to this loss."""
    rows = [0]

    def met(meeting: Met) -> None:
        if meeting.gradient:
            rows[0] = max(rows[0], meeting.target.shape[0])

    def backward(loss: torch.Tensor) -> torch.Tensor:
        count, rows[0] = rows[0], 0
        if count < 2:
            return loss
        treatment.done("the loss divided by its rows")
        return loss / count

    treatment.stage.hear.met.append(met)
    treatment.stage.hear.backward.append(backward)


def change(known: Known, options: Options) -> Change:
    """Where the loss is made."""
    loss = known.get("loss", {}).get("name") or "loss"
    return Change(f'{loss} = {loss} / len(targets)  # or reduction="mean"')
