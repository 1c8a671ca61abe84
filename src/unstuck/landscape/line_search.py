"""How far along a direction: shrink until the loss falls, then grow while it goes on falling."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unstuck.objective.contract import Objective

Along = Callable[[float], float]


@dataclass(frozen=True)
class LineStep:
    """``step`` (signed; 0 when nothing lower was found) with the loss there, the drop (≥ 0), and evaluations spent."""

    step: float
    value: float
    drop: float
    evaluations: int


@dataclass(frozen=True)
class EvenDescent:
    """Descent that curvature makes: half of L(θ+s·u) + L(θ−s·u), minus L(θ), is −``drop`` at ``step``.

    The first-order part cancels in it, so a slope cannot be mistaken for a saddle. ``line_drop`` is what the better
    sign
    alone gained, ``sign`` which it was; ``slope_drop`` what a slope of the given size could have made over the same
    step.
    """

    step: float
    sign: int
    drop: float
    line_drop: float
    slope_drop: float
    evaluations: int


def rounding_of(objective: Objective, value: float) -> float:
    """Differences of the loss below this are rounding."""
    return 32 * float(torch.finfo(objective.dtype).eps) * max(abs(value), 1e-300)


def along(objective: Objective, origin: Tensor, direction: Tensor) -> Along:
    """The loss as a function of the step along a direction."""
    home = origin.detach()
    way = direction.to(home)
    return lambda step: objective.value(home + step * way)


def line_search(loss: Along, value: float, *, first: float, noise: float, shrink: int = 40, grow: int = 30) -> LineStep:
    """A step with a lower loss, guaranteed when one is returned. *Cost*: one forward pass an evaluation.

    >>> line_search(lambda s: (s - 3.0) ** 2, 9.0, first=1.0, noise=1e-12).step
    2.0
    """
    step, evaluations = first, 0
    best = LineStep(0.0, value, 0.0, 0)
    for _ in range(shrink):
        here = loss(step)
        evaluations += 1
        if math.isfinite(here) and here < value - noise:
            best = LineStep(step, here, value - here, evaluations)
            break
        step *= 0.5
    else:
        return LineStep(0.0, value, 0.0, evaluations)
    for factor in (2.0, 0.5):
        if factor == 0.5 and best.step != step:
            break
        trial = best.step
        for _ in range(grow):
            trial *= factor
            here = loss(trial)
            evaluations += 1
            if not math.isfinite(here) or here >= best.value:
                break
            best = LineStep(trial, here, value - here, evaluations)
    return LineStep(best.step, best.value, best.drop, evaluations)


def even_descent(
    loss: Along, value: float, *, curvature: float, slope: float, noise: float, reach: float
) -> EvenDescent:
    """Step out on both sides along negative curvature while the mean of both sides goes on falling.

    ``curvature`` < 0 along the direction; ``slope`` the gradient's length; ``reach`` the longest step. *Cost*: two
    forward
    passes a step, about 20.
    """
    # Start where the predicted drop stands a hundred times above rounding.
    step = min(math.sqrt(200 * max(noise, 1e-300) / max(abs(curvature), 1e-300)), reach)
    best = EvenDescent(0.0, 1, 0.0, 0.0, 0.0, 0)
    evaluations = 0
    while step <= reach * (1 + 1e-9):
        plus, minus = loss(step), loss(-step)
        evaluations += 2
        if not (math.isfinite(plus) and math.isfinite(minus)):
            break
        drop = value - 0.5 * (plus + minus)
        if drop > max(best.drop, noise):
            sign = 1 if plus <= minus else -1
            best = EvenDescent(step, sign, drop, value - min(plus, minus), slope * step, evaluations)
        elif best.drop > 0:
            break
        step *= 2
    return EvenDescent(best.step, best.sign, best.drop, best.line_drop, best.slope_drop, evaluations)
