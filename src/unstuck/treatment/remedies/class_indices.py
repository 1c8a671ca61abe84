"""Labels as the loss wants them: 0, 1, … for the values that occur, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unstuck.treatment.contract import Change, Known, Options, Treatment, Variant

if TYPE_CHECKING:
    import torch

    from unstuck.treatment.stage import Met

NAME = "class-indices"
ANSWERS = ("D107",)
TEXT = "Number the classes 0, 1, … as the loss wants them."
RISK = "Predictions are such numbers too, and must be mapped back to the old labels."
SPECIFIC = True
MORE_COMPUTE = False


def variants(known: Known) -> Sequence[Variant]:
    """Where two values that are not 0 and 1 meet a loss for yes or no."""
    first = (known.get("meetings") or [{}])[0]
    values = (known.get("target") or {}).get("values") or []
    wrong = (
        str(first.get("function", "")).startswith("binary_cross_entropy") and len(values) == 2 and values != [0.0, 1.0]
    )
    return (Variant("classes numbered from zero", {"values": values}),) if wrong else ()


def treat(treatment: Treatment) -> None:
    """Where targets meet the output under gradient, after the yardstick has seen them as they are."""
    import torch

    values = torch.tensor([float(v) for v in treatment.options["values"]], dtype=torch.float64)

    def met(meeting: Met) -> torch.Tensor | None:
        if not meeting.gradient:
            return None
        with treatment.stage.aside():
            numbered = torch.searchsorted(
                values.to(meeting.target.device), meeting.target.detach().double().contiguous()
            )
        treatment.done("classes numbered from zero")
        return numbered.to(meeting.target.dtype)

    treatment.stage.hear.met.append(met)


def change(known: Known, options: Options) -> Change:
    """Where the labels are made."""
    return Change("y = torch.unique(y, return_inverse=True)[1]  # 0, 1, … in place of the labels")
