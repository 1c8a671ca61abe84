"""The smallest deep network: one number through a chain of weights, (1 − w₁w₂…w_L)²."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unstuck.objective.formula import FormulaObjective
from unstuck.objective.model import ModelObjective


def linear_chain(weights: Sequence[float]) -> FormulaObjective:
    """The surface (1 − w₁…w_L)² at the given weights.

    At (0, 0) the Hessian is [[0, −2], [−2, 0]]: eigenvalues ±2. At (0, 0, 0) it is zero, and still a saddle.

    >>> linear_chain([0.0, 0.0]).at().gradient.tolist()
    [0.0, 0.0]
    """
    start = torch.tensor(list(weights), dtype=torch.float64)
    return FormulaObjective(lambda w: (1 - w.prod()) ** 2, start, name=f"(1 − w1…w{len(start)})²")


def linear_chain_slopes(weights: Tensor, length: int) -> Tensor:
    """The gradient of Σ (1 − w₁…w_L)² over many chains of ``length`` weights laid end to end; shape as ``weights``.

    *Cost*: length² products a chain.

    >>> linear_chain_slopes(torch.tensor([0.5, 1.0, 0.0, 2.0]), 2).tolist()
    [-1.0, -0.5, -4.0, -0.0]
    """
    chains = weights.reshape(-1, length)
    own = torch.eye(length, dtype=torch.bool, device=weights.device)
    # The product of the others directly: dividing the whole by a weight fails where one is zero.
    others = chains[:, None, :].masked_fill(own, 1.0).prod(2)
    return (-2 * (1 - chains.prod(1, keepdim=True)) * others).reshape(weights.shape)


def linear_chain_network(weights: Sequence[float]) -> ModelObjective:
    """The same as a network of one-unit linear layers under squared error, one datum x = y = 1.

    >>> linear_chain_network([1.0, 1.0]).value(torch.ones(2, dtype=torch.float64))
    0.0
    """
    layers = [nn.Linear(1, 1, bias=False, dtype=torch.float64) for _ in weights]
    with torch.no_grad():
        for layer, weight in zip(layers, weights, strict=True):
            layer.weight.fill_(weight)
    one = torch.ones(1, 1, dtype=torch.float64)
    return ModelObjective(nn.Sequential(*layers), nn.MSELoss(), (one, one))
