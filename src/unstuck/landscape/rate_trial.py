"""Whether other rates, or curvature itself, would fall faster from here: a few steps each, judged on other batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from unstuck.core.errors import BadInput
from unstuck.curvature.operators import hessian
from unstuck.landscape.escape import newton_steps
from unstuck.objective.contract import Objective

MULTIPLES = (1.0, 4.0, 16.0, 64.0)


@dataclass(frozen=True)
class RateTrial:
    """``falls``: by how much the judging loss fell after ``steps`` steps at each multiple of the rate.

    ``newton``: its fall after one step along −(|H| + damping)⁻¹g, the best of a few dampings and lengths;
    None when not asked for.
    ``before``: the judging loss at the start.
    """

    before: float
    steps: int
    multiples: tuple[float, ...]
    falls: tuple[float, ...]
    newton: float | None

    @property
    def own(self) -> float:
        """The fall at the run's own rate."""
        return self.falls[0]

    @property
    def best(self) -> int:
        """Where in ``multiples`` the largest fall is."""
        return max(range(len(self.falls)), key=lambda i: self.falls[i] if math.isfinite(self.falls[i]) else -math.inf)

    def as_json(self) -> dict[str, object]:
        """Plain numbers; a fall that is not finite is None."""
        falls = [f if math.isfinite(f) else None for f in self.falls]
        newton = self.newton if self.newton is not None and math.isfinite(self.newton) else None
        return {
            "before": self.before,
            "steps": self.steps,
            "multiples": list(self.multiples),
            "falls": falls,
            "newton": newton,
        }


def rate_trial(
    training: Objective,
    judging: Objective,
    start: Tensor,
    scale: Tensor,
    *,
    steps: int = 20,
    multiples: Sequence[float] = MULTIPLES,
    newton: bool = True,
    dampings: Sequence[float] = (1e-2, 1e-4, 1e-6),
) -> RateTrial:
    """Descend from ``start`` with θ ← θ − k·scale·∇ for each multiple k and say how far the judging loss fell.

    ``scale`` (n): the rate divided by the rule's denominators, as they stand. ``training`` and ``judging`` should be
    losses of different batches: a long step must not be praised for learning the few batches it was tried on.
    *Cost*: ``steps`` gradients for each multiple, and up to 30 products for Newton's step.

    >>> import torch
    >>> from unstuck.objective import FormulaObjective
    >>> bowl = FormulaObjective(lambda w: (w * w).sum(), torch.ones(1, dtype=torch.float64))
    >>> trial = rate_trial(bowl, bowl, torch.ones(1), torch.full((1,), 0.001))
    >>> trial.multiples[trial.best], round(trial.newton, 3)
    (64.0, 1.0)
    """
    place = training.check(start)
    if scale.shape != place.shape:
        raise BadInput("scale", got=tuple(scale.shape), want=f"{tuple(place.shape)}, one for each parameter")
    scale = scale.to(place)
    before = judging.value(place)
    tried: list[float] = []
    falls: list[float] = []
    for multiple in multiples:
        at = place.clone()
        fine = True
        for _ in range(steps):
            here = training.gradient(at)
            fine = math.isfinite(here.value) and bool(here.vector.isfinite().all())
            if not fine:
                break
            at = at - multiple * scale * here.vector
        tried.append(float(multiple))
        falls.append(before - judging.value(at) if fine else -math.inf)
        if not math.isfinite(falls[-1]):
            falls[-1] = -math.inf
            break
    found: float | None = None
    if newton:
        with training.at(place) as point:
            found_steps = newton_steps(
                hessian(point), point.gradient, absolute=True, dampings=dampings, max_products=30
            )
        ends = [judging.value(place + length * step.step) for step in found_steps for length in (1.0, 0.3, 0.1)]
        finite = [before - end for end in ends if math.isfinite(end)]
        found = max(finite) if finite else None
    return RateTrial(before, steps, tuple(tried), tuple(falls), found)
