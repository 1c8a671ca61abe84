"""A descent to where the loss falls no more: limited-memory BFGS on the flat vector, which copes with kinks as well."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import torch
from torch import Tensor

from unstuck.objective.contract import Objective

ITERATIONS = 200
"""The small networks of the laboratory need 30 to 150 to stand still."""
TRACE = 20
"""Steps of gradients that the method remembers."""


class _Over(Exception):
    """Time is up, or the loss is no number any more."""


def descend(objective: Objective, start: Tensor, *, going: Callable[[], bool] = lambda: True) -> tuple[Tensor, float]:
    """The lowest place (flat vector) that a descent from ``start`` came to, and its loss; infinite where none is a number.

    It ends after 200 iterations, when nothing changes any more, or when ``going()`` says so; best in float64.
    *Cost*: about 250 gradients at most. *Source*: Liu and Nocedal 1989; Lewis and Overton 2013 for kinks.

    >>> from unstuck.objective import FormulaObjective
    >>> bowl = FormulaObjective(lambda w: (w - 3).pow(2).sum(), torch.zeros(2, dtype=torch.float64))
    >>> round(descend(bowl, bowl.start())[1], 9)
    0.0
    """
    place = start.detach().clone().requires_grad_(True)
    end, lowest = place.detach().clone(), math.inf
    method = torch.optim.LBFGS(
        [place],
        max_iter=ITERATIONS,
        history_size=TRACE,
        line_search_fn="strong_wolfe",
        tolerance_grad=1e-12,
        tolerance_change=1e-14,
    )

    def closure() -> float:
        nonlocal end, lowest
        found = objective.gradient(place.detach())
        if not going() or not math.isfinite(found.value):
            raise _Over
        place.grad = found.vector.to(place)
        if found.value < lowest:
            end, lowest = place.detach().clone(), found.value
        return found.value

    with contextlib.suppress(_Over):
        method.step(closure)  # type: ignore[no-untyped-call]
    return end, lowest
