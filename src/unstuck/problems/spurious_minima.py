"""Two minima that are not global, written down outright: ReLU units on any data, sigmoid units on three points."""

from __future__ import annotations

import torch
from torch import Tensor

from unstuck.objective.formula import FormulaObjective
from unstuck.problems.known_point import KnownPoint
from unstuck.problems.valley import valley_data

_SIGMOID = (1.5, -3.0)  # pre-activations of the two units, the same for all three points
_PULL = -3.0  # weight of the first unit's output; the second follows from the outputs' common value


def standardized_valley_data() -> tuple[Tensor, Tensor]:
    """The valley's ten points with mean 0 and variance 1 in both columns, (10) each.

    >>> [round(float(c.var(correction=0)), 12) for c in standardized_valley_data()]
    [1.0, 1.0]
    """
    x, y = ((c - c.mean()) / c.std(correction=0) for c in valley_data())
    return x, y


def all_units_on(*, lift: float = 4.0) -> KnownPoint:
    """½ Σ (u·relu(w x + b) + c − y)² with two units that are on for every point, so that the network is the best line.

    While both stay on, no change can beat the line: a minimum, although two bends fit better. Parameters
    (w₁, w₂, b₁, b₂, u₁, u₂, c); ``lift`` is how far above zero the units stand in the middle of the data.

    *Source*: Yun, Sra and Jadbabaie 2019, theorem 1.

    >>> round(all_units_on().objective.value(all_units_on().objective.start()), 6)
    0.277547
    """
    x, y = standardized_valley_data()
    slope = float((x * y).mean())  # both columns have mean 0 and variance 1

    def loss(w: Tensor) -> Tensor:
        hidden = torch.relu(w[:2, None] * x + w[2:4, None])
        return (w[4:6] @ hidden + w[6] - y).pow(2).sum() / 2

    start = torch.tensor([1.0, -1.0, lift, lift, slope / 2, -slope / 2, 0.0], dtype=torch.float64)
    least = float((y - slope * x).pow(2).sum() / 2)
    return KnownPoint(
        "ReLU, all units on",
        FormulaObjective(loss, start, name="two ReLU units on ten points"),
        "minimum",
        "Yun, Sra and Jadbabaie 2019",
        loss=least,
    )


def three_points_data() -> tuple[Tensor, Tensor]:
    """(1, 0), (0, 1) and the middle of both, (3, 2); targets 0, 0 and 1, (3).

    >>> three_points_data()[1].tolist()
    [0.0, 0.0, 1.0]
    """
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], dtype=torch.float64)
    return x, torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)


def three_points() -> KnownPoint:
    """½ Σ (u·σ(W x) − y)² with two sigmoid units, at weights where all three outputs are 1/3: loss 1/3, a minimum.

    Parameters: W (2 × 2, by rows), then u (2). The global minimum is 0.

    *Source*: Yun, Sra and Jadbabaie 2019, theorem 2.

    >>> round(three_points().objective.value(three_points().objective.start()), 12)
    0.333333333333
    """
    x, y = three_points_data()
    first, second = torch.sigmoid(torch.tensor(_SIGMOID, dtype=torch.float64)).tolist()
    weight = (1 / 3 - _PULL * first) / second

    def loss(w: Tensor) -> Tensor:
        out = torch.sigmoid(x @ w[:4].reshape(2, 2).T) @ w[4:]
        return (out - y).pow(2).sum() / 2

    rows = [value for value in _SIGMOID for _ in range(2)]
    start = torch.tensor([*rows, _PULL, weight], dtype=torch.float64)
    return KnownPoint(
        "sigmoid, three points",
        FormulaObjective(loss, start, name="two sigmoid units on three points"),
        "minimum",
        "Yun, Sra and Jadbabaie 2019",
        loss=1 / 3,
    )
