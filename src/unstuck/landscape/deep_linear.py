"""Deep linear networks, where the decision is exact: every minimum is global, everything else is a saddle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unstuck.objective.batches import divide
from unstuck.objective.model import ModelObjective


@dataclass(frozen=True)
class LinearDecision:
    """``minimum`` says which; ``loss`` at the point and ``best`` (global) are means of squares as the loss takes
    them."""

    minimum: bool
    loss: float
    best: float
    hidden: int


def best_linear_loss(inputs: Tensor, targets: Tensor, rank: int) -> float:
    """The least sum of squares of ``targets − inputs Wᵀ`` over matrices W of at most the given rank.

    *Source*: Eckart and Young 1936, on the projection of the targets (Baldi and Hornik 1989, sec. 4).

    >>> best_linear_loss(torch.eye(2), torch.diag(torch.tensor([3.0, 1.0])), 1)
    1.0
    """
    basis, values, _ = torch.linalg.svd(inputs, full_matrices=False)
    basis = basis[:, values > 1e-12 * values.max()]
    inside = basis.T @ targets
    outside = float((targets - basis @ inside).pow(2).sum())
    lost = torch.linalg.svdvals(inside)[rank:]
    return round(outside + float(lost.pow(2).sum()), 15)


def decide_deep_linear(weights: Sequence[Tensor], inputs: Tensor, targets: Tensor) -> LinearDecision:
    """Whether a critical point of Σ‖targets − inputs W₁ᵀ…W_Lᵀ‖² is the global minimum; if not, it is a saddle.

    Holds for squared error whatever the widths; the data must span the inputs.

    *Source*: Kawaguchi 2016, theorem 2.3; Lu and Kawaguchi 2017; Yun, Sra and Jadbabaie 2018.

    >>> one = torch.ones(1, 1, dtype=torch.float64)
    >>> decide_deep_linear([0 * one, 0 * one, 0 * one], one, one).minimum
    False
    """
    product = inputs
    for weight in weights:
        product = product @ weight.T
    loss = float((targets - product).pow(2).sum())
    hidden = min((w.shape[0] for w in weights), default=0)
    best = best_linear_loss(inputs, targets, hidden)
    total = float(targets.pow(2).sum()) + loss
    return LinearDecision(loss - best <= 1e-8 * total, loss, best, hidden)


def recognized(objective: Any) -> LinearDecision | None:
    """The decision, when the objective is a plain chain of linear layers without bias under mean squared error."""
    if not isinstance(objective, ModelObjective):
        return None
    runner = objective.runner
    squared = runner.loss_fn is F.mse_loss or isinstance(runner.loss_fn, nn.MSELoss)
    if not squared or not isinstance(runner.model, nn.Sequential):
        return None
    layers = [layer for layer in runner.model if not isinstance(layer, nn.Identity | nn.Flatten)]
    if not layers or not all(isinstance(layer, nn.Linear) and layer.bias is None for layer in layers):
        return None
    if len(layers) != len(objective.layout.names):
        return None
    weights = objective.layout.split(objective.start().double())
    parts = [divide(batch, loss_is_given=True) for batch in objective.batches]
    inputs = torch.cat([part.args[0].double().flatten(1) for part in parts])
    targets = torch.cat([part.target.double() for part in parts])
    return decide_deep_linear(weights, inputs, targets)
