"""Leave a saddle, on the model itself if asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from unstuck.landscape.escape import Escape, Method, leave
from unstuck.launch.unwatched import unwatched
from unstuck.objective.contract import Objective
from unstuck.objective.model import ModelObjective, unwrapped


@unwatched()
def escape(
    model: nn.Module | Objective,
    loss_fn: Callable[..., Any] | None = None,
    data: Any = None,
    *,
    method: Method = "negative-curvature",
    steps: int = 1,
    apply: bool = False,
    seed: int = 0,
    **options: Any,
) -> Escape:
    """Leave a saddle along verified negative curvature; the loss is guaranteed to be lower where ``escaped`` is true.

    ``apply=True`` writes the new parameters into the model (only when the loss fell). ``method``: see
    :func:`unstuck.landscape.leave`. Other options go to :class:`unstuck.objective.ModelObjective` (``mode``,
    ``call``, …).

    >>> from unstuck.problems import exclusive_or
    >>> escape(exclusive_or(), steps=3).escaped
    True
    """
    objective = model if isinstance(model, Objective) else ModelObjective(model, loss_fn, data, seed=seed, **options)
    found = leave(objective, method=method, steps=steps, seed=seed)
    if apply and found.escaped and isinstance(model, nn.Module):
        own = dict(unwrapped(model).named_parameters())
        with torch.no_grad():
            for name, value in zip(objective.layout.names, objective.layout.split(found.parameters), strict=True):
                own[name].copy_(value)
    return found
