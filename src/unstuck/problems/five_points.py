"""A network of one ReLU unit on five points: a bad minimum that lies on a kink, and a better one beside it."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.objective.formula import FormulaObjective
from unstuck.problems.known_point import KnownPoint

_X = (-1.0, 1.0, 3.0, 4.0, 5.0)
_Y = (3.0, -3.0, 0.0, 1.0, 2.0)


def five_points() -> list[KnownPoint]:
    """y = v·relu(w x + b) + c on (−1, 3), (1, −3), (3, 0), (4, 1), (5, 2); parameters (w, b, v, c), sum of squares.

    At (1, −3, 1, 0) the loss is 18: the two points on the left force it, and the unit switches on exactly at x = 3. At
    (−7, −4, 1, 0) it is 14.

    *Source*: Swirszcz, Czarnecki and Pascanu 2016.

    >>> [p.objective.value(p.objective.start()) for p in five_points()]
    [18.0, 14.0]
    """
    x, y = five_points_data()

    def loss(w: Tensor) -> Tensor:
        return (w[2] * torch.relu(w[0] * x + w[1]) + w[3] - y).pow(2).sum()

    return [
        KnownPoint(
            f"five points at {point}",
            FormulaObjective(loss, torch.tensor(point, dtype=torch.float64), name="five-point ReLU"),
            "minimum",
            "Swirszcz, Czarnecki and Pascanu 2016",
            loss=value,
        )
        for point, value in (((1.0, -3.0, 1.0, 0.0), 18.0), ((-7.0, -4.0, 1.0, 0.0), 14.0))
    ]


def five_points_data() -> tuple[Tensor, Tensor]:
    """The five inputs and targets, (5) each.

    >>> five_points_data()[1].tolist()
    [3.0, -3.0, 0.0, 1.0, 2.0]
    """
    return torch.tensor(_X, dtype=torch.float64), torch.tensor(_Y, dtype=torch.float64)
