"""The minimum next to a place whose gradient is still alive: a descent that gains next to nothing, and what is around its end."""

from __future__ import annotations

import math
from collections.abc import Callable

from unstuck.curvature.exam import spectrum_exam
from unstuck.curvature.operators import hessian
from unstuck.landscape.critical_point import Standing
from unstuck.landscape.descent import descend
from unstuck.landscape.probing import probe_ball, smoothness
from unstuck.linalg.accurate_dots import norm
from unstuck.objective.contract import Objective

NEARLY = 1e-3
"""Of the loss, that may still be gained on the way. Chosen: nobody trains on for it."""
NEGATIVE = 1e-5
"""Of the largest curvature: a smallest one further below zero is a way down. Where layers scale against each other it is zero,
but for the gradient that the descent left, some 1e-8 of the first."""
MOST = 400
"""Parameters, for the whole Hessian is needed."""
SAMPLES, DESCENTS = 24, 2
"""Around the end of the descent, at each of six radii; and from how many of them a way down is sought."""


def nearby_minimum(
    objective: Objective, standing: Standing, *, going: Callable[[], bool] = lambda: True
) -> Standing | None:
    """Where a place is next to a minimum, that is said of it; None where it is not, or time is up.

    ``standing`` must be ``descending`` or ``unknown``, and the loss what is trained, so without noise: a descent that
    cannot gain a thousandth of it, no negative curvature at its end, and no path from there that leads lower by as much.
    Kinks do not hinder it. ``objective`` at the place, in float64.

    *Cost*: about 250 gradients, n products, and 200 to 500 evaluations around the end.

    >>> import torch
    >>> from unstuck.landscape.critical_point import classify
    >>> from unstuck.objective import FormulaObjective
    >>> valley = FormulaObjective(lambda w: 1 + w[0] ** 2 + 1e-4 * w[1] ** 2, torch.tensor([0.0, 1.0], dtype=torch.float64))
    >>> standing = classify(valley)
    >>> standing.state, nearby_minimum(valley, standing).state
    ('descending', 'minimum')
    """
    if (
        standing.state not in ("descending", "unknown")
        or objective.size > MOST
        or standing.evidence.get("gradient_noise") is not None
    ):
        return None
    start = objective.start()
    value = objective.value(start)
    slope = standing.evidence.get("gradient_norm")
    if not math.isfinite(value) or not isinstance(slope, float):
        return None
    end, reached = descend(objective, start, going=going)
    gain = value - reached
    if not going() or not 0 <= gain <= NEARLY * abs(value):
        return None
    with objective.at(end) as point:
        operator = hessian(point)
        exam = spectrum_exam(operator, largest=1)
        scale = max(abs(exam.top), abs(exam.bottom), 1e-12)
        kinked = smoothness(objective, end, operator, scale=scale).kinked
    if not kinked and exam.bottom < -NEGATIVE * scale:
        return None
    probe = probe_ball(objective, end, reached, samples=SAMPLES, descents=DESCENTS)
    if probe.plateau or (probe.lower is not None and probe.drop > NEARLY * abs(reached)):
        return None
    distance = norm(end - start)
    shown = "it lies on a kink" if kinked else f"the smallest curvature there is {exam.bottom:.3g}"
    sentence = (
        f"Next to a minimum: the gradient is {slope:.2g}, and a descent from here ends {distance:.2g} away, at {reached:.6g} "
        f"instead of {value:.6g}; {shown}, and no path from there leads lower by a thousandth of the loss "
        f"({probe.samples} samples)."
    )
    evidence = {
        **standing.evidence,
        "distance": distance,
        "gain_left": gain,
        "smallest_eigenvalue_there": exam.bottom,
        "kinked": kinked,
        "probe_samples": probe.samples,
        "probe_radius": probe.radius,
    }
    return Standing("minimum", sentence, evidence, standing.spectrum)
