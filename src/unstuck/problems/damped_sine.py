"""sin(5πx)/(5πx) to be fitted by a small network: the homework's curve."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from unstuck.objective.formula import FormulaObjective


def damped_sine(
    hidden: int = 20, *, points: int = 64, activation: Callable[[Tensor], Tensor] = torch.relu, seed: int = 0
) -> FormulaObjective:
    """A 1-``hidden``-1 network on ``points`` of sin(5πx)/(5πx), x from 0.0001 to 1, under mean squared error, in float64.

    Parameters: input weights, their biases, output weights, output bias; drawn so that the kinks lie within the data.

    *Source*: MLDS 2018, homework 1.

    >>> damped_sine(20).size
    61
    """
    x = torch.linspace(1e-4, 1.0, points, dtype=torch.float64)
    y = torch.sin(5 * math.pi * x) / (5 * math.pi * x)
    source = torch.Generator().manual_seed(seed)

    def draw(scale: float) -> Tensor:
        return scale * torch.randn(hidden, generator=source, dtype=torch.float64)

    start = torch.cat([draw(3.0), draw(2.0), draw(hidden**-0.5), torch.zeros(1, dtype=torch.float64)])

    def loss(w: Tensor) -> Tensor:
        into, bias, out, level = w[:hidden], w[hidden : 2 * hidden], w[2 * hidden : 3 * hidden], w[3 * hidden]
        return (activation(x[:, None] * into + bias) @ out + level - y).pow(2).mean()

    return FormulaObjective(loss, start, name="damped sine")
