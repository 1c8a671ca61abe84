"""Walks on a surface by the lectures' rules in plain arithmetic; the page's script does the same in the browser."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unstuck.lab.charts import Playground

FAR = 1e12  # beyond this a walk has left the picture for good


@dataclass(frozen=True)
class Walk:
    """``points``: the start and every place after; ``diverged``: it ended early, far away."""

    rule: str
    points: tuple[tuple[float, ...], ...]
    diverged: bool


def walk(ground: Playground, rule: str) -> Walk:
    """The playground's first settings followed for its number of steps.

    >>> from unstuck.lab.charts import Slider
    >>> from unstuck.problems import Surface
    >>> from unstuck.lab.words import alike
    >>> bowl = Playground("bowl", alike("L"), Surface("x**2", "2*x"), ((-1, 1), (0, 1)), (1.0,), Slider(0, 1, 0.25),
    ...     Slider(0, 1, 0.0), alike("L"), steps=2)
    >>> walk(bowl, "gradient").points
    ((1.0,), (0.5,), (0.25,))
    """
    rate, kept = ground.step_size.value, ground.momentum.value
    place = [float(x) for x in ground.start]
    moved, squares, means = [0.0] * len(place), [0.0] * len(place), [0.0] * len(place)
    points = [tuple(place)]
    for step in range(ground.steps):
        ahead = [x + kept * m for x, m in zip(place, moved, strict=True)] if rule == "nesterov" else place
        try:
            slope = ground.surface.slope(*ahead)
        except (ArithmeticError, ValueError):
            return Walk(rule, tuple(points), True)
        for axis, g in enumerate(slope):
            moved[axis] = _step(rule, axis, step, g, rate, kept, moved, squares, means)
            place[axis] += moved[axis]
        if not all(math.isfinite(x) and abs(x) < FAR for x in place):
            return Walk(rule, tuple(points), True)
        points.append(tuple(place))
    return Walk(rule, tuple(points), False)


def _step(
    rule: str,
    axis: int,
    step: int,
    g: float,
    rate: float,
    kept: float,
    moved: list[float],
    squares: list[float],
    means: list[float],
) -> float:
    """What is added to one coordinate; a zero denominator means no step."""
    if rule == "gradient":
        return -rate * g
    if rule in ("momentum", "nesterov"):
        return kept * moved[axis] - rate * g
    if rule in ("adagrad", "adagrad-mean"):
        squares[axis] += g * g
        size = math.sqrt(squares[axis] / (step + 1 if rule == "adagrad-mean" else 1))
        return -rate * g / size if size else 0.0
    if rule == "rmsprop":
        squares[axis] = g * g if step == 0 else 0.9 * squares[axis] + 0.1 * g * g
        size = math.sqrt(squares[axis])
        return -rate * g / size if size else 0.0
    means[axis] = kept * means[axis] + (1 - kept) * g  # adam
    squares[axis] = 0.999 * squares[axis] + 0.001 * g * g
    size = math.sqrt(squares[axis] / (1 - 0.999 ** (step + 1))) + 1e-8
    return -rate * means[axis] / (1 - kept ** (step + 1)) / size
