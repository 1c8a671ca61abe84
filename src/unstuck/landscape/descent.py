"""A descent to where the loss falls no more: BFGS on the flat vector of a small model, which copes with kinks as well."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from unstuck.linalg.accurate_dots import norm
from unstuck.objective.contract import Objective

ITERATIONS = 200
"""The small networks of the laboratory need 30 to 150 to stand still."""
FALL, SLOPE = 1e-4, 0.9
"""Of the line search: the part of the promised fall that is enough, and of the slope that may remain; the usual ones."""
BISECTIONS = 40

# torch's own LBFGS would do, but making any optimizer of torch imports its compiler: seconds, in a script that has none.


def descend(objective: Objective, start: Tensor, *, going: Callable[[], bool] = lambda: True) -> tuple[Tensor, float]:
    """The lowest place (flat vector, n) that a descent from ``start`` came to, and its loss; infinite where that is no number.

    It ends after 200 iterations, when no step leads lower any more, or when ``going()`` says so; best in float64, for up to
    some hundred parameters. *Cost*: about 250 gradients at most; n² numbers.

    *Source*: Lewis and Overton, Nonsmooth optimization via quasi-Newton methods, 2013: BFGS with a line search by bisection.

    >>> from unstuck.objective import FormulaObjective
    >>> bowl = FormulaObjective(lambda w: ((w - 3) * torch.tensor([1.0, 9.0])).pow(2).sum(), torch.zeros(2).double())
    >>> round(descend(bowl, bowl.start())[1], 9)
    0.0
    """
    place = start.detach().clone()
    here = objective.gradient(place) if going() else None
    if here is None or not math.isfinite(here.value):
        return place, math.inf
    value, slope = here.value, here.vector.to(place)
    inverse = torch.eye(place.numel(), dtype=place.dtype, device=place.device)
    for iteration in range(ITERATIONS):
        way = -(inverse @ slope)
        if not float(way @ slope) < 0:
            break
        first = min(1.0, 1.0 / norm(slope)) if iteration == 0 else 1.0
        step = _wolfe(objective, place, way, value, float(way @ slope), first, going)
        if step is None:
            break
        length, value, after = step
        moved, turned = length * way, after - slope
        place, slope = place + moved, after
        against = float(moved @ turned)
        if against > 0:
            if iteration == 0:
                inverse *= against / float(turned @ turned)
            image = inverse @ turned
            inverse += (1 + float(turned @ image) / against) / against * torch.outer(moved, moved)
            inverse -= (torch.outer(image, moved) + torch.outer(moved, image)) / against
    return place, value


def _wolfe(
    objective: Objective,
    place: Tensor,
    way: Tensor,
    value: float,
    slope: float,
    length: float,
    going: Callable[[], bool],
) -> tuple[float, float, Tensor] | None:
    """A length that falls enough and is not too short, by bisection; else the best that fell; None where none did."""
    low, high = 0.0, math.inf
    best: tuple[float, float, Tensor] | None = None
    for _ in range(BISECTIONS):
        if not going():
            break
        there = objective.gradient(place + length * way)
        gradient = there.vector.to(place)
        if not (there.value < value and there.value <= value + FALL * length * slope):
            high = length
        else:
            if best is None or there.value < best[1]:
                best = length, there.value, gradient
            if float(gradient @ way) >= SLOPE * slope:
                break
            low = length
        length = 2 * low if high == math.inf else 0.5 * (low + high)
    return best
