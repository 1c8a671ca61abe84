"""Other weights for the same function: hidden units in another order, and, for odd activations, with other signs."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from unstuck.core.errors import BadInput


def exchanged(model: nn.Sequential, order: Tensor, *, layer: int = 0) -> nn.Sequential:
    """A copy of the network in which unit ``order[i]`` of a hidden layer stands at place i; it computes the same.

    ``layer`` counts linear layers from 0; ``order`` is a permutation of its units, (units).

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> twin = exchanged(model, torch.tensor([2, 0, 1]))
    >>> bool(torch.allclose(twin(torch.ones(1, 2)), model(torch.ones(1, 2))))
    True
    """
    twin, entering, leaving = _copied(model, layer)
    if sorted(order.tolist()) != list(range(entering.out_features)):
        raise BadInput("order", got=order.tolist(), want=f"a permutation of 0 to {entering.out_features - 1}")
    with torch.no_grad():
        entering.weight.copy_(entering.weight[order].clone())
        entering.bias.copy_(entering.bias[order].clone())
        leaving.weight.copy_(leaving.weight[:, order].clone())
    return twin


def flipped(model: nn.Sequential, signs: Tensor, *, layer: int = 0) -> nn.Sequential:
    """A copy in which units with sign −1 have all their weights negated, in and out: the same function where the
    activation is odd (tanh). ``signs`` are 1 and −1, (units).

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> twin = flipped(model, torch.tensor([1.0, -1.0, -1.0]))
    >>> bool(torch.allclose(twin(torch.ones(1, 2)), model(torch.ones(1, 2))))
    True
    """
    twin, entering, leaving = _copied(model, layer)
    if signs.shape != (entering.out_features,) or not bool((signs.abs() == 1).all()):
        raise BadInput("signs", got=tuple(signs.shape), want=f"1 or −1 for each of {entering.out_features} units")
    with torch.no_grad():
        entering.weight.mul_(signs[:, None])
        entering.bias.mul_(signs)
        leaving.weight.mul_(signs)
    return twin


def log10_symmetries(units: int, *, odd: bool) -> float:
    """log₁₀ of the number of equal points: units!, and 2^units times that for an odd activation.

    >>> round(10 ** log10_symmetries(3, odd=True))
    48
    """
    return math.lgamma(units + 1) / math.log(10) + (units * math.log10(2) if odd else 0.0)


def _copied(model: nn.Sequential, layer: int) -> tuple[nn.Sequential, nn.Linear, nn.Linear]:
    twin = copy.deepcopy(model)
    linear = [part for part in twin if isinstance(part, nn.Linear)]
    if not 0 <= layer < len(linear) - 1:
        raise BadInput("layer", got=layer, want=f"a hidden layer, 0 to {len(linear) - 2}")
    return twin, linear[layer], linear[layer + 1]
