"""A line through ten points whose inputs are in the hundreds: a valley 313,418 times longer than wide."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.objective.formula import FormulaObjective

_X = (338.0, 333.0, 328.0, 207.0, 226.0, 25.0, 179.0, 60.0, 208.0, 606.0)
_Y = (640.0, 633.0, 619.0, 393.0, 428.0, 27.0, 193.0, 66.0, 226.0, 1591.0)


def valley_data() -> tuple[Tensor, Tensor]:
    """The ten inputs and targets, (10) each.

    >>> [len(column) for column in valley_data()]
    [10, 10]
    """
    return torch.tensor(_X, dtype=torch.float64), torch.tensor(_Y, dtype=torch.float64)


def valley(*, intercept: float = -120.0, slope: float = -4.0) -> FormulaObjective:
    """Sum of squares of y − b − w x at (b, w); its minimum is (−188.4332, 2.66945).

    >>> round(valley(intercept=-188.43319666, slope=2.66945497).value(valley(intercept=-188.43319666,
    ...     slope=2.66945497).start()), 2)
    101936.73
    """
    x, y = valley_data()

    def loss(w: Tensor) -> Tensor:
        return (y - w[0] - w[1] * x).pow(2).sum()

    return FormulaObjective(loss, torch.tensor([intercept, slope], dtype=torch.float64), name="valley")
