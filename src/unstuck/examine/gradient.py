"""Is backpropagation right, for a model at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from unstuck.landscape.gradient_check import BEST_STEP, GradientCheck, check_objective_gradient
from unstuck.launch.unwatched import unwatched
from unstuck.objective.contract import Objective
from unstuck.objective.model import ModelObjective


@unwatched()
def check_gradient(
    model: nn.Module | Objective,
    loss_fn: Callable[..., Any] | None = None,
    data: Any = None,
    *,
    gradient: Tensor | Mapping[str, Tensor] | Callable[[Tensor], Tensor] | None = None,
    step: float = BEST_STEP,
    seed: int = 0,
    **options: Any,
) -> GradientCheck:
    """Is backpropagation right, and if not, in which parameter? Two-sided differences in float64.

    Regularization belongs into ``call=(model, batch)`` so that loss and gradient both have it; with ``mode="train"``
    dropout's
    mask is fixed. Check at the start and again after some training: a bug may hide while weights are small.
    ``gradient``: a gradient of your own to check instead.

    *Cost*: two forward passes an entry (every entry up to 400, a sample of larger parameters).

    >>> model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    >>> check_gradient(model, nn.MSELoss(), (torch.randn(5, 3), torch.randn(5, 1))).right
    True
    """
    if isinstance(model, Objective):
        objective = model
    else:
        objective = ModelObjective(model, loss_fn, data, dtype=torch.float64, seed=seed, **options)
    return check_objective_gradient(objective, gradient=gradient, step=step, seed=seed)
