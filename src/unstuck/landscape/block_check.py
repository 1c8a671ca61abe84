"""A gradient check in a handful of forward passes: two directions for each parameter, as a first look."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.linalg.accurate_dots import dot, norm
from unstuck.linalg.random_start import generator, random_unit
from unstuck.objective.contract import Objective

STEP = 1e-5  # relative to the parameter's size; see gradient_check
WRONG = 1e-2  # relative; differences at two steps that agree leave less than 1e-6
SMOOTH = 1e-3  # by which the differences at two steps may disagree, or the place is a corner


@dataclass(frozen=True)
class BlockCheck:
    """One parameter along two directions (its gradient, a random one): slopes by differences and by backpropagation.

    ``wrong``: they contradict each other where the loss is smooth. ``numerical`` and ``analytic`` are those of the
    direction that is farthest off, ``error`` their difference over the larger one. ``flat``: the differences are zero
    where backpropagation's slope is not, as with rounding that lets the gradient through on purpose.
    """

    name: str
    wrong: bool
    numerical: float
    analytic: float
    error: float
    flat: bool


def check_blocks(objective: Objective, parameters: Tensor | None = None, *, seed: int = 0) -> tuple[BlockCheck, ...]:
    """Backpropagation against differences of the loss in float64, the worst parameter first.

    *Cost*: one gradient and eight forward passes for each parameter tensor.

    >>> from unstuck.objective import FormulaObjective
    >>> cubic = FormulaObjective(lambda w: (w ** 3).sum(), torch.tensor([1.0, 2.0], dtype=torch.float64))
    >>> [check.wrong for check in check_blocks(cubic)]
    [False]
    """
    exact = objective.in_double()
    place = (exact.start() if parameters is None else parameters).double().detach()
    found = exact.gradient(place)
    source = generator(seed)
    floor = 1e-10 * max(abs(found.value), 1e-3)  # what rounding leaves of a difference, times the step
    checks = []
    for name, where in exact.layout.slices().items():
        block = found.vector[where]
        size = max(1e-2, norm(place[where]) / max(1, block.numel()) ** 0.5)
        step = STEP * size * max(1, block.numel()) ** 0.5
        directions = [random_unit(block.numel(), like=block, source=source)]
        if norm(block) > 0:
            directions.insert(0, block / norm(block))
        checks.append(
            max((_along(exact, place, where, name, d, block, step, floor / step) for d in directions), key=_rank)
        )
    return tuple(sorted(checks, key=_rank, reverse=True))


def _rank(check: BlockCheck) -> tuple[bool, float]:
    return check.wrong, check.error


def _along(
    exact: Objective, place: Tensor, where: slice, name: str, way: Tensor, block: Tensor, step: float, floor: float
) -> BlockCheck:
    whole = torch.zeros_like(place)
    whole[where] = way
    slopes = [(exact.value(place + h * whole) - exact.value(place - h * whole)) / (2 * h) for h in (step, step / 2)]
    analytic = dot(block, way)
    numerical = slopes[1]
    larger = max(abs(analytic), abs(numerical))
    smooth = abs(slopes[0] - slopes[1]) <= SMOOTH * larger + floor
    error = abs(analytic - numerical) / larger if larger > 0 else 0.0
    wrong = smooth and abs(analytic - numerical) > WRONG * larger + floor
    return BlockCheck(name, wrong, numerical, analytic, error, flat=abs(numerical) <= floor)
