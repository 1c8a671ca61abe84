"""Exclusive or under absolute error: a network that answers ½ everywhere stands on a saddle."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unstuck.objective.model import ModelObjective


def exclusive_or(*, seed: int = 0, hidden: int = 4) -> ModelObjective:
    """A 2-``hidden``-1 network (tanh, sigmoid) on the four cases, all input weights zero: loss ½, gradient zero, a
    saddle.

    The four targets are balanced and no single input correlates with them, so the gradient vanishes; the product of
    both
    inputs does correlate, so a pair of input weights moving together lowers the loss.

    >>> exclusive_or().value(exclusive_or().start())
    0.5
    """
    source = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):  # what the layers draw at first is written over
        first, second = nn.Linear(2, hidden, dtype=torch.float64), nn.Linear(hidden, 1, dtype=torch.float64)
    with torch.no_grad():
        first.weight.zero_()
        first.bias.copy_(torch.randn(hidden, generator=source, dtype=torch.float64))
        second.weight.copy_(torch.randn(1, hidden, generator=source, dtype=torch.float64))
        second.bias.copy_(-(torch.tanh(first.bias) @ second.weight[0]))
    x, y = exclusive_or_data()
    return ModelObjective(nn.Sequential(first, nn.Tanh(), second, nn.Sigmoid()), nn.L1Loss(), (x, y))


def exclusive_or_data() -> tuple[Tensor, Tensor]:
    """The four cases and their answers, (4, 2) and (4, 1).

    >>> exclusive_or_data()[1].flatten().tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    x = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64)
    return x, (x.sum(dim=1, keepdim=True) == 1).double()
