"""Is backpropagation right? Its gradient against two-sided differences, in float64, parameter by parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.linalg.accurate_dots import dot, norm
from unstuck.linalg.random_start import generator
from unstuck.objective.contract import Objective

GREAT, LOOK, WORRY = 1e-7, 1e-5, 1e-3  # relative error by norms; the lectures' steps
BEST_STEP = 1e-5  # relative; measured in float64: 1e-5 gives 2e-10 where 1e-7 gives 2e-8 and 1e-3 4e-7
EVERY_ENTRY = 400  # parameters up to this size are checked entry by entry
ENTRIES = 24  # of larger ones, as many entries and ...
DIRECTIONS = 4  # ... random directions


@dataclass(frozen=True)
class ParameterCheck:
    """One parameter: ``error`` = ‖a − d‖ / (‖a‖ + ‖d‖) over what was compared (a: differences, d: backpropagation).

    ``verdict``: ``right``, ``look`` (above 1e-5), ``wrong`` (above 1e-3), or ``kinks`` when the loss has corners
    there and
    the rest agrees. ``worst`` is the entry farthest off, with both derivatives.
    """

    name: str
    verdict: str
    error: float
    compared: int
    kinks: int
    worst: tuple[int, ...]
    numerical: float
    analytic: float
    no_gradient: bool


@dataclass(frozen=True)
class GradientCheck:
    """All parameters, the worst first; ``right`` when none is wrong. ``evaluations``: forward passes spent."""

    right: bool
    error: float
    parameters: tuple[ParameterCheck, ...]
    evaluations: int
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "right": self.right,
            "error": self.error,
            "evaluations": self.evaluations,
            "sentence": self.sentence,
            "parameters": [
                {
                    "name": p.name,
                    "verdict": p.verdict,
                    "error": p.error,
                    "compared": p.compared,
                    "kinks": p.kinks,
                    "worst": list(p.worst),
                    "numerical": p.numerical,
                    "analytic": p.analytic,
                    "no_gradient": p.no_gradient,
                }
                for p in self.parameters
            ],
        }


def check_objective_gradient(
    objective: Objective,
    parameters: Tensor | None = None,
    *,
    gradient: Tensor | Mapping[str, Tensor] | Callable[[Tensor], Tensor] | None = None,
    step: float = BEST_STEP,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradient with two-sided differences of the loss, in float64.

    ``gradient``: another gradient to check instead of backpropagation's (a flat vector, tensors by name, or a
    function of
    the flat parameters). Small parameters are checked entry by entry, large ones on the entries of largest gradient,
    on random
    entries and along random directions. A corner of the loss (ReLU) shows as one-sided slopes that differ; it is
    counted and
    left out.

    *Cost*: two forward passes an entry, four on a corner.

    >>> from unstuck.objective import FormulaObjective
    >>> cubic = FormulaObjective(lambda w: (w ** 3).sum(), torch.tensor([1.0, 2.0], dtype=torch.float64))
    >>> check_objective_gradient(cubic).right
    True
    >>> check_objective_gradient(cubic, gradient=torch.tensor([3.0, 11.0])).parameters[0].verdict
    'wrong'
    """
    exact = objective.in_double()
    place = (exact.start() if parameters is None else parameters).double().detach()
    found = exact.gradient(place)
    analytic = _given(gradient, exact, place) if gradient is not None else found.vector
    source = generator(seed)
    checks: list[ParameterCheck] = []
    evaluations = 0
    floor = 1e-11 * max(abs(found.value), 1e-3) / step  # what rounding leaves of a difference
    for name, where in exact.layout.slices().items():
        shape = exact.layout.shapes[exact.layout.names.index(name)]
        check, spent = _check_one(exact, place, analytic, name, where, shape, found.value, step, floor, source)
        checks.append(check)
        evaluations += spent
    checks.sort(key=lambda c: (-("kinks", "right", "look", "wrong").index(c.verdict), -c.error))
    wrong = [c for c in checks if c.verdict == "wrong"]
    error = max((c.error for c in checks), default=0.0)
    return GradientCheck(not wrong, error, tuple(checks), evaluations, _sentence(checks, wrong, error))


def _given(gradient: Any, objective: Objective, place: Tensor) -> Tensor:
    if callable(gradient):
        gradient = gradient(place)
    if isinstance(gradient, Mapping):
        missing = set(objective.layout.names) - set(gradient)
        if missing:
            raise BadInput("gradient", got=sorted(gradient), want=f"also {', '.join(sorted(missing))}")
        return torch.cat([gradient[name].detach().double().reshape(-1) for name in objective.layout.names])
    vector: Tensor = gradient.detach().double().reshape(-1)
    if vector.numel() != objective.size:
        raise BadInput("gradient", got=tuple(vector.shape), want=f"{objective.size} numbers")
    return vector


def _check_one(
    objective: Objective,
    place: Tensor,
    analytic: Tensor,
    name: str,
    where: slice,
    shape: tuple[int, ...],
    value: float,
    step: float,
    floor: float,
    source: torch.Generator,
) -> tuple[ParameterCheck, int]:
    own = analytic[where]
    count = own.numel()
    if count <= EVERY_ENTRY:
        entries = list(range(count))
        directions = 0
    else:
        largest = own.abs().topk(ENTRIES // 2).indices.tolist()
        others = torch.randint(0, count, (ENTRIES // 2,), generator=source).tolist()
        entries = sorted({*largest, *others})
        directions = DIRECTIONS
    numbers, exacts, places, kinks, spent = [], [], [], 0, 0

    def compare(direction: Tensor, size: float, label: int) -> None:
        nonlocal kinks, spent
        numerical, kinked, used = _slope(objective, place, direction, value, step * size, floor / size)
        spent += used
        if kinked:
            kinks += 1
            return
        numbers.append(numerical)
        exacts.append(dot(analytic, direction))
        places.append(label)

    for entry in entries:
        direction = torch.zeros_like(place)
        direction[where.start + entry] = 1.0
        compare(direction, max(1.0, abs(float(place[where.start + entry]))), entry)
    for _ in range(directions):
        direction = torch.zeros_like(place)
        draw = torch.randn(count, generator=source, dtype=torch.float64).to(place)
        direction[where] = draw / norm(draw)
        compare(direction, 1.0, -1)
    if not numbers:
        return ParameterCheck(name, "kinks", 0.0, 0, kinks, (), 0.0, 0.0, bool((own == 0).all())), spent
    a, d = torch.tensor(numbers, dtype=torch.float64), torch.tensor(exacts, dtype=torch.float64)
    gap, size = norm(a - d), norm(a) + norm(d)
    error = 0.0 if gap <= floor * math.sqrt(len(numbers)) else gap / size
    verdict = "wrong" if error > WORRY else ("look" if error > LOOK else "right")
    worst = int((a - d).abs().argmax())
    label = places[worst]
    index = _unravel(label, shape) if label >= 0 else ()
    check = ParameterCheck(
        name, verdict, error, len(numbers), kinks, index, float(a[worst]), float(d[worst]), bool((own == 0).all())
    )
    return check, spent


def _slope(
    objective: Objective, place: Tensor, direction: Tensor, value: float, step: float, floor: float
) -> tuple[float, bool, int]:
    """Two-sided slope, whether a corner lies within the step, and the evaluations spent.

    Where the one-sided slopes differ by more than curvature explains, a step a hundred times shorter decides:
    curvature's
    share of the difference shrinks with the step, a corner's does not unless it lies beyond the shorter step.
    """
    plus, minus = objective.value(place + step * direction), objective.value(place - step * direction)
    slope = (plus - minus) / (2 * step)
    bend = abs(plus + minus - 2 * value) / step  # difference of the one-sided slopes
    size = max(abs(plus - value), abs(minus - value)) / step
    if bend <= 1e-3 * size or bend <= 100 * floor:
        return slope, False, 2
    short = step / 100
    plus, minus = objective.value(place + short * direction), objective.value(place - short * direction)
    closer = (plus - minus) / (2 * short)
    closer_bend = abs(plus + minus - 2 * value) / short
    if closer_bend > 0.2 * bend and closer_bend > 100 * floor * 100:
        return closer, True, 4
    if abs(closer - slope) > 1e-4 * size:  # a corner between the short and the long step: trust the short one
        return closer, False, 4
    return slope, False, 4


def _unravel(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    place: list[int] = []
    for extent in reversed(shape):
        place.append(index % extent)
        index //= extent
    return tuple(reversed(place))


def _sentence(checks: list[ParameterCheck], wrong: list[ParameterCheck], error: float) -> str:
    kinks = sum(c.kinks for c in checks)
    corners = f" ({kinks} derivatives on corners of the loss left out)" if kinks else ""
    if not wrong:
        agreed = f"Backpropagation agrees with differences in all {len(checks)} parameters"
        return f"{agreed}: relative error {error:.1e}{corners}."
    first = wrong[0]
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    what = "no gradient reaches it" if first.no_gradient else f"backpropagation says {first.analytic:.6g}"
    return (
        f"The gradient is wrong in {first.name}{more}: at entry {list(first.worst)} differences give "
        f"{first.numerical:.6g}, "
        f"{what} (relative error {first.error:.1e}){corners}."
    )
