"""Ways off a critical point: negative curvature, noise, Newton's step with its sign put right."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.curvature.operators import Operator, hessian
from unstuck.curvature.single_questions import extremes
from unstuck.landscape.line_search import along, even_descent, line_search, rounding_of
from unstuck.landscape.probing import scale_of
from unstuck.linalg.accurate_dots import norm
from unstuck.linalg.lanczos import Lanczos
from unstuck.linalg.random_start import generator, random_unit
from unstuck.objective.contract import Objective

Method = Literal["negative-curvature", "perturbed-gradient", "newton", "saddle-free-newton"]


@dataclass(frozen=True)
class Escape:
    """Where the way out led: ``parameters`` (flat), losses before and after, and what was done, in a sentence.

    ``escaped``: the loss is lower than before, measured in float64. When not, ``parameters`` are the old ones.
    """

    method: Method
    escaped: bool
    parameters: Tensor
    loss_before: float
    loss_after: float
    distance: float
    steps: int
    curvature: float | None
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, without the parameters."""
        return {
            "method": self.method,
            "escaped": self.escaped,
            "loss_before": self.loss_before,
            "loss_after": self.loss_after,
            "distance": self.distance,
            "steps": self.steps,
            "curvature": self.curvature,
            "sentence": self.sentence,
        }


def leave(
    objective: Objective,
    parameters: Tensor | None = None,
    *,
    method: Method = "negative-curvature",
    steps: int = 1,
    tolerance: float = 1e-2,
    max_vectors: int | None = None,
    radius: float | None = None,
    damping: float = 0.0,
    seed: int = 0,
) -> Escape:
    """Leave a critical point.

    ``negative-curvature`` (default): both signs along the most negative eigenvector, the better one taken by a line
    search
    that only accepts a lower loss. ``perturbed-gradient``: a small random step, then gradient descent. ``newton``:
    −H⁻¹g,
    which goes to the nearest critical point, saddles included. ``saddle-free-newton``: −|H|⁻¹g in the Krylov space
    of g.

    *Cost*: 20 to 60 products a step, and a line search of about 20 forward passes in float64.
    *Source*: Jin et al. 2017 (perturbed gradient descent); Dauphin et al. 2014 (saddle-free Newton).

    >>> from unstuck.objective import FormulaObjective
    >>> worst = FormulaObjective(lambda w: (1 - w[0] * w[1]) ** 2, torch.zeros(2, dtype=torch.float64))
    >>> leave(worst).loss_after < 0.5
    True
    """
    place = (objective.start() if parameters is None else objective.check(parameters)).detach()
    ways: dict[str, Callable[[], Escape]] = {
        "negative-curvature": lambda: _by_curvature(objective, place, steps, tolerance, max_vectors, seed),
        "perturbed-gradient": lambda: _by_noise(objective, place, max(steps, 200), radius, seed),
        "newton": lambda: _by_newton(objective, place, steps, damping, seed, absolute=False),
        "saddle-free-newton": lambda: _by_newton(objective, place, steps, damping, seed, absolute=True),
    }
    if method not in ways:
        raise BadInput("method", got=method, want=", ".join(ways))
    return ways[method]()


def _result(
    method: Method,
    objective: Objective,
    start: Tensor,
    end: Tensor,
    before: float,
    steps: int,
    curvature: float | None,
    how: str,
) -> Escape:
    after = objective.in_double().value(end.double())
    escaped = after < before - rounding_of(objective.in_double(), before)
    distance = norm((end - start).double())
    if escaped:
        sentence = f"{how}: the loss fell from {before:.6g} to {after:.6g} over a distance of {distance:.2g}."
    else:
        sentence = f"{how}: no lower loss was found."
        end, after = start, before
    return Escape(method, escaped, end, before, after, distance if escaped else 0.0, steps, curvature, sentence)


def _by_curvature(
    objective: Objective, start: Tensor, steps: int, tolerance: float, max_vectors: int | None, seed: int
) -> Escape:
    exact = objective.in_double()
    place = start
    before = value = exact.value(start.double())
    first: float | None = None
    taken = 0
    for index in range(steps):
        with objective.at(place) as point:
            low = extremes(
                hessian(point), largest=1, smallest=1, tolerance=tolerance, max_vectors=max_vectors, seed=seed + index
            )
            slope = norm(point.gradient)
        pair = low.smallest[0] if low.smallest else low.largest[0]
        first = pair.value if first is None else first
        if pair.value >= -2 * pair.residual:
            break
        direction = pair.vector.double()
        loss = along(exact, place.double(), direction)
        noise = rounding_of(exact, value) + 1e-15
        reach = 4 * scale_of(place)
        even = even_descent(loss, value, curvature=pair.value, slope=slope, noise=noise, reach=reach)
        length = even.step or math.sqrt(1e-3 * max(abs(value), 1e-6) / abs(pair.value))
        found = [
            line_search(along(exact, place.double(), sign * direction), value, first=length, noise=noise)
            for sign in (1.0, -1.0)
        ]
        best = max((0, 1), key=lambda i: found[i].drop)
        if found[best].drop <= 0:
            break
        signed = (1.0, -1.0)[best] * found[best].step
        place = (place.double() + signed * direction).to(place)
        value = exact.value(place.double())
        taken += 1
    if taken == 0 and first is not None and first >= 0:
        how = f"No negative curvature (the smallest is {first:.3g})"
    else:
        how = f"Along curvature {first:.4g}, the better sign" if first is not None else "Along negative curvature"
    return _result("negative-curvature", objective, start, place, before, taken, first, how)


def _by_noise(objective: Objective, start: Tensor, steps: int, radius: float | None, seed: int) -> Escape:
    """One random step of the given length, then gradient descent with halving steps; again when nothing came of it."""
    source = generator(seed)
    before = objective.in_double().value(start.double())
    radius = radius if radius is not None else 1e-2 * scale_of(start)
    best, best_value, spent = start, before, 0
    for _ in range(3):
        kick = random_unit(objective.size, like=start, source=source)
        place = start + radius * kick
        here = objective.gradient(place)
        rate = radius / max(norm(here.vector), 1e-300)
        for _ in range(steps):
            trial = place - rate * here.vector
            there = objective.gradient(trial)
            spent += 1
            if math.isfinite(there.value) and there.value <= here.value:
                place, here, rate = trial, there, rate * 1.5
            else:
                rate *= 0.5
        if here.value < best_value:
            best, best_value = place, here.value
            break
        radius *= 3
    how = f"A random step of length {radius:.2g} and {spent} gradient steps"
    return _result("perturbed-gradient", objective, start, best, before, spent, None, how)


@dataclass(frozen=True)
class NewtonStep:
    """``step`` (n) for the parameters, the Krylov space it was found in, and the smallest |curvature| it divided by."""

    step: Tensor
    products: int
    smallest: float
    singular: bool


def newton_step(
    operator: Operator,
    gradient: Tensor,
    *,
    absolute: bool,
    damping: float = 0.0,
    max_products: int = 60,
    tolerance: float = 1e-10,
) -> NewtonStep:
    """−H⁻¹g or, with ``absolute``, −|H|⁻¹g, in the Krylov space that starts at g. *Cost*: up to ``max_products``
    products.

    Curvatures below 1e-10 of the largest are left out and ``singular`` says so: along them Newton's step has no length.
    """
    return newton_steps(
        operator, gradient, absolute=absolute, dampings=(damping,), max_products=max_products, tolerance=tolerance
    )[0]


def newton_steps(
    operator: Operator,
    gradient: Tensor,
    *,
    absolute: bool,
    dampings: Sequence[float],
    max_products: int = 60,
    tolerance: float = 1e-10,
) -> list[NewtonStep]:
    """Newton's step for each damping (a share of the largest curvature), all from one Krylov space.

    *Cost*: up to ``max_products`` products together.
    """
    length = norm(gradient)
    if length == 0:
        return [NewtonStep(torch.zeros_like(gradient), 0, math.nan, True) for _ in dampings]
    run = Lanczos(operator, gradient / length, capacity=min(max_products, operator.size))
    while not run.exhausted and run.products < max_products:
        run.extend(4)
        values, turn = np.linalg.eigh(run.projected)
        solved = turn @ (turn[0] / np.where(np.abs(values) > 0, np.abs(values), np.inf))
        if run.coupling * abs(solved[-1]) < tolerance:
            break
    values, turn = np.linalg.eigh(run.projected)
    scale = float(np.abs(values).max())
    used = np.abs(values) > 1e-10 * scale
    # Only directions that the gradient has a part in count as missing.
    singular = bool(np.any(~used & (np.abs(turn[0]) > 1e-8)))
    smallest = float(np.abs(values[used]).min()) if used.any() else math.nan
    steps = []
    for damping in dampings:
        divisor = (np.abs(values) if absolute else values) + damping * scale
        coefficients = turn @ (turn[0] * length / np.where(used, divisor, np.inf))
        steps.append(NewtonStep(-run.vectors(coefficients[:, None])[0], run.products, smallest, singular))
    return steps


def _by_newton(objective: Objective, start: Tensor, steps: int, damping: float, seed: int, *, absolute: bool) -> Escape:
    before = objective.in_double().value(start.double())
    place = start
    taken = 0
    singular = False
    curvature: float | None = None
    for _ in range(steps):
        with objective.at(place) as point:
            step = newton_step(hessian(point), point.gradient, absolute=absolute, damping=damping)
        if norm(step.step) == 0:
            break
        singular = singular or step.singular
        curvature = step.smallest
        place = place + step.step
        taken += 1
    name: Method = "saddle-free-newton" if absolute else "newton"
    how = f"{taken} {'saddle-free ' if absolute else ''}Newton steps" + (
        " (the Hessian is singular along the gradient)" if singular else ""
    )
    if taken == 0:
        how = "The gradient is exactly zero, so Newton's step is too"
    return _result(name, objective, start, place, before, taken, curvature, how)
