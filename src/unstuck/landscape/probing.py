"""What eigenvalues leave open is asked of the loss itself: samples in small balls, descent inside them, paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unstuck.curvature.operators import Operator
from unstuck.landscape.line_search import rounding_of
from unstuck.linalg.accurate_dots import norm
from unstuck.linalg.random_start import generator
from unstuck.objective.contract import Objective

RADII = (1e-3, 1e-2, 0.1, 0.3)  # in units of the point's own scale
FAR = (0.6, 1.0)  # beyond, where high orders begin to show: believed only along a path that never rises


@dataclass(frozen=True)
class BallProbe:
    """What was found around a point.

    ``lower``: a point with a lower loss reached along a path that never rises (flat vector), or none; ``drop`` its
    gain and
    ``radius`` its distance. ``plateau``: the loss was exactly constant on every sample of the ball, or
    on the
    first fifth of the way down. ``samples`` evaluations were made, ``descents`` searches run.
    """

    lower: Tensor | None
    drop: float
    radius: float
    plateau: bool
    samples: int
    descents: int


def scale_of(parameters: Tensor) -> float:
    """The length that counts as large at this point: the parameters' own size, at least 1 for small problems."""
    return max(1.0, norm(parameters) / 2)


def probe_ball(
    objective: Objective,
    parameters: Tensor,
    value: float,
    *,
    null: Tensor | None = None,
    samples: int = 64,
    descents: int = 6,
    seed: int = 0,
) -> BallProbe:
    """Look for a lower point around a critical point whose eigenvalues do not decide.

    Random directions in the null space (rows of ``null``; everywhere when not given) at several radii, then descent
    held
    inside the ball from the lowest samples. Another valley behind a ridge does not count: the way there must never
    rise.

    *Cost*: 6 × samples forward passes and about 40 × descents gradients.
    """
    source = generator(seed)
    noise = rounding_of(objective, value) + 1e-15
    scale = scale_of(parameters)
    spent = 0
    searched = 0
    flat = True
    for radius in (*RADII, *FAR):
        directions = _directions(parameters, null, samples, source)
        points = parameters + radius * scale * directions
        losses = np.array(objective.values(points))
        spent += samples
        losses[~np.isfinite(losses)] = np.inf
        if radius in RADII and np.any(np.abs(losses - value) > noise):
            flat = False
        order = np.argsort(losses)
        starts = [points[int(order[0])], *(points[int(i)] for i in order[1:descents])]
        for start in starts:
            here = objective.value(start)
            end, reached = start, here
            if not flat and radius in RADII:
                end, reached = _descend_in_ball(objective, parameters, start, radius * scale)
                searched += 1
            if reached < value - 4 * noise:
                path = _path(objective, parameters, start, end, value)
                spent += len(path)
                if max(path) <= value + 2 * noise:
                    head = path[: max(2, len(path) // 5)]
                    plateau = all(x == value for x in head)
                    return BallProbe(end, value - reached, norm(end - parameters), plateau, spent, searched)
    return BallProbe(None, 0.0, FAR[-1] * scale, flat, spent, searched)


def _directions(parameters: Tensor, null: Tensor | None, count: int, source: torch.Generator) -> Tensor:
    dimensions = parameters.numel() if null is None else null.shape[0]
    draws = torch.randn(count, dimensions, generator=source, dtype=torch.float64).to(parameters)
    vectors = draws if null is None else draws @ null.to(parameters)
    return torch.nn.functional.normalize(vectors, dim=1)


def _descend_in_ball(objective: Objective, center: Tensor, start: Tensor, radius: float) -> tuple[Tensor, float]:
    """Gradient steps with an adapting length, drawn back into the ball of twice the radius."""
    here = objective.gradient(start)
    place, value = start, here.value
    step = radius / max(norm(here.vector), 1e-300) * 0.25
    for _ in range(30):
        slope = norm(here.vector)
        if slope == 0 or step * slope < 1e-12 * radius:
            break
        trial = place - step * here.vector
        offset = trial - center
        distance = norm(offset)
        if distance > 2 * radius:
            trial = center + offset * (2 * radius / distance)
        there = objective.gradient(trial)
        if there.value < value:
            place, value, here = trial, there.value, there
            step *= 2.0
        else:
            step *= 0.3
    return place, value


def _path(objective: Objective, center: Tensor, start: Tensor, end: Tensor, value: float) -> list[float]:
    """Losses along the lowest of three ways: straight, bent like a parabola, or out to the start and down from
    there."""
    steps = torch.linspace(0, 1, 33, dtype=torch.float64)[1:].tolist()
    offset, first = end - center, start - center
    along = first * (float(torch.dot(offset, first)) / float(torch.dot(first, first)))
    best: list[float] | None = None
    for way in ("straight", "parabola", "corner"):
        if way == "straight":
            places = [center + t * offset for t in steps]
        elif way == "parabola":
            places = [center + t * along + t * t * (offset - along) for t in steps]
        else:
            places = [center + t * first for t in steps] + [start + t * (end - start) for t in steps]
        losses = [objective.value(place) for place in places]
        if best is None or max(losses) < max(best):
            best = losses
        if max(best) <= value:
            break
    assert best is not None
    return best


@dataclass(frozen=True)
class Smoothness:
    """``mismatch``: how far gradient differences stray from the Hessian's prediction, relative to it; ``kinked``
    when that
    does not vanish as the distance shrinks (a smooth loss loses a factor of 10 each time)."""

    mismatch: tuple[float, ...]
    kinked: bool


def smoothness(
    objective: Objective, parameters: Tensor, operator: Operator, *, scale: float, seed: int = 0
) -> Smoothness:
    """Whether the point lies on a kink, where second derivatives say nothing. *Cost*: 24 gradients and 4 products."""
    source = generator(seed)
    radii = (1e-3, 1e-4, 1e-5)
    directions = _directions(parameters, None, 4, source)
    images = [operator(direction.to(operator.like)).to(parameters) for direction in directions]
    worst = []
    for radius in radii:
        length = radius * scale_of(parameters)
        gaps = []
        for direction, image in zip(directions, images, strict=True):
            ahead = objective.gradient(parameters + length * direction).vector
            behind = objective.gradient(parameters - length * direction).vector
            # Not the central difference: a kink in the second derivative cancels in it by half only.
            here = norm(ahead - behind - 2 * length * image) / (2 * length)
            one_sided = norm(ahead + behind - 2 * objective.gradient(parameters).vector) / (2 * length)
            gaps.append(max(here, one_sided))
        worst.append(max(gaps) / max(scale, 1e-300))
    kinked = worst[-1] > 0.02 and worst[-1] > 0.3 * worst[0]
    return Smoothness(tuple(worst), kinked)
