"""Where a point stands: saddle, minimum, maximum, flat, or no critical point and why; each claim with its
measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from unstuck.curvature.exam import spectrum_exam
from unstuck.curvature.operators import Operator, hessian
from unstuck.curvature.results import SpectrumReport, finite
from unstuck.landscape.deep_linear import recognized
from unstuck.landscape.line_search import EvenDescent, LineStep, along, even_descent, line_search, rounding_of
from unstuck.landscape.probing import BallProbe, probe_ball, scale_of, smoothness
from unstuck.linalg.accurate_dots import norm
from unstuck.objective.contract import Noise, Objective, Point
from unstuck.objective.model import ModelObjective

State = Literal["saddle", "maximum", "flat", "minimum", "bouncing", "converged", "descending", "no-gradient", "unknown"]

# Of a saddle's descent at most this much may be explained by the gradient. Measured: stalled exclusive-or networks
# 0.08 to 0.18; thirty healthy networks with negative curvature 18 to 100,000.
SLOPE_SHARE = 0.5
NOISE_FACTOR = 1.5  # ‖g‖² of a mean that is truly zero is the squared standard error; 1.5² covers its own scatter
GAIN_ERRORS = 3.0  # a saddle's gain, in standard errors of the loss
MATERIAL = 0.01  # a saddle's gain, as a share of the loss's own size


@dataclass(frozen=True)
class Standing:
    """What is claimed of the point, in a sentence, with every number it rests on.

    ``descent`` is the unit vector and signed step of the measured way down (saddles). ``spectrum`` is the exam it used.
    """

    state: State
    sentence: str
    evidence: Mapping[str, float | int | str | bool | None]
    spectrum: SpectrumReport | None = None
    descent: tuple[Tensor, float] | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, without vectors."""
        evidence = {k: finite(v) if isinstance(v, float) else v for k, v in self.evidence.items()}
        return {
            "state": self.state,
            "sentence": self.sentence,
            "evidence": evidence,
            "spectrum": None if self.spectrum is None else self.spectrum.as_json(),
        }


@dataclass
class _Case:
    """Everything measured so far."""

    objective: Objective  # as given
    exact: Objective  # in float64, for steps
    place: Tensor  # in float64
    value: float
    slope: float
    noise: Noise | None
    gradient: Tensor
    spectrum: SpectrumReport
    operator: Operator
    evidence: dict[str, float | int | str | bool | None]
    whole: bool  # one batch: the loss is what is trained, and its parts only tell what noise smaller batches would have

    @property
    def scale(self) -> float:
        return max(abs(self.spectrum.top), abs(self.spectrum.bottom))

    @property
    def resolution(self) -> float:
        """Eigenvalues smaller than this cannot be told from zero."""
        eps = float(torch.finfo(self.objective.dtype).eps)
        return max(self.spectrum.smallest[0].residual * 2, 1e3 * eps * self.scale, 1e-14)


def classify(
    objective: Objective,
    parameters: Tensor | None = None,
    *,
    lr: float | None = None,
    largest: int = 5,
    tolerance: float = 1e-3,
    max_vectors: int | None = None,
    max_products: int = 300,
    samples: int = 64,
    seed: int = 0,
) -> Standing:
    """Say where a point stands on the loss surface.

    A saddle needs a gradient that cannot be told from zero (by its own mini-batch noise, or to rounding) *and* a
    measured descent along negative curvature that the gradient cannot explain. ``lr``: the run's learning rate, to tell
    bouncing. A place whose gradient is alive may still be next to a minimum: :func:`~unstuck.landscape.nearby.nearby_minimum`.

    *Cost*: a spectrum exam (60 to 100 products), about 40 forward passes in float64; degenerate points some hundreds
    more.

    >>> from unstuck.objective import FormulaObjective
    >>> saddle = FormulaObjective(lambda w: (1 - w[0] * w[1]) ** 2, torch.zeros(2, dtype=torch.float64))
    >>> classify(saddle).state
    'saddle'
    """
    where = objective.start() if parameters is None else objective.check(parameters)
    with objective.at(where) as point:
        if not math.isfinite(point.value) or not bool(torch.isfinite(point.gradient).all()):
            return Standing("unknown", "The loss or its gradient is not finite here.", {"loss": point.value})
        if not point.reached:
            return Standing(
                "no-gradient",
                f"No path leads from the loss ({point.value:.6g}) to any of the {objective.size} parameters.",
                {"loss": point.value, "gradient_norm": 0.0},
            )
        operator = hessian(point)
        spectrum = spectrum_exam(
            operator,
            largest=min(largest, max(1, objective.size - 1)),
            tolerance=tolerance,
            max_vectors=max_vectors,
            max_products=max_products,
            seed=seed,
        )
        case = _measure(objective, where, point, spectrum, operator)
        return _judge(case, lr=lr, samples=samples, seed=seed)


def _measure(objective: Objective, where: Tensor, point: Point, spectrum: SpectrumReport, operator: Operator) -> _Case:
    exact = objective.in_double()
    place = where.double()
    noise = point.noise
    whole = noise is None
    if noise is None and isinstance(objective, ModelObjective):
        parts = objective.in_parts(8)
        noise = parts.gradient(where).noise if parts is not objective else None
    slope = norm(point.gradient)
    evidence: dict[str, float | int | str | bool | None] = {
        "loss": point.value,
        "gradient_norm": slope,
        "gradient_noise": noise.standard_error if noise else None,
        "noise_parts": noise.parts if noise else 1,
        "loss_noise": noise.loss_error if noise else None,
        "largest_eigenvalue": spectrum.top,
        "smallest_eigenvalue": spectrum.bottom,
        "no_eigenvalue_below": finite(spectrum.lower_bound.value),
        "failure_probability": spectrum.lower_bound.failure,
        "negative_share": spectrum.shares.negative.value,
        "zero_share": spectrum.shares.zero.value,
        "products": spectrum.products,
        "kept_bytes": point.kept_bytes,
    }
    value = exact.value(place)
    return _Case(
        objective, exact, place, value, slope, noise, point.gradient.double(), spectrum, operator, evidence, whole
    )


def _judge(case: _Case, *, lr: float | None, samples: int, seed: int) -> Standing:
    vanished = _vanished(case)
    within_noise = case.noise is not None and case.slope <= NOISE_FACTOR * case.noise.standard_error
    case.evidence["gradient_is_zero"] = vanished
    case.evidence["gradient_within_noise"] = within_noise
    bottom, top = case.spectrum.bottom, case.spectrum.top
    negative = bottom < -case.resolution
    even = _even(case) if negative else None
    if even is not None:
        case.evidence |= {
            "curvature_gain": even.drop,
            "escape_step": even.step,
            "slope_share": even.slope_drop / even.drop if even.drop > 0 else None,
        }
    # Nothing to judge noise by: then the gradient must be too small to explain the descent.
    silent = case.whole or case.noise is None or case.noise.standard_error == 0
    near = even is not None and even.drop > 0 and even.slope_drop <= SLOPE_SHARE * even.drop
    if not (vanished or within_noise or (silent and near)):
        return _not_critical(case, lr)
    if vanished and top < -case.resolution and case.spectrum.method == "all eigenvalues":
        return Standing(
            "maximum",
            f"The gradient is zero and every curvature is negative (the largest is {top:.4g}): a maximum.",
            case.evidence,
            case.spectrum,
        )
    if even is not None and even.drop > 0 and near and _material(case, even, vanished):
        return _saddle(case, even)
    if not vanished and (case.whole or case.noise is None):
        return _not_critical(case, lr)
    if not vanished:
        return _noise_floor(case, lr, even)
    return _without_descent(case, negative=negative, samples=samples, seed=seed)


def _vanished(case: _Case) -> bool:
    eps = float(torch.finfo(case.objective.dtype).eps)
    reach = max(1.0, norm(case.place) / max(1.0, case.place.numel() ** 0.5))
    # The distance to the critical point, along the stiffest direction, is below what the precision resolves.
    return case.slope <= eps**0.5 * case.scale * reach or case.slope <= 100 * eps * abs(case.value)


def _even(case: _Case) -> EvenDescent:
    direction = case.spectrum.smallest[0].vector.double()
    return even_descent(
        along(case.exact, case.place, direction),
        case.value,
        curvature=case.spectrum.bottom,
        slope=case.slope,
        noise=rounding_of(case.exact, case.value) + 1e-15,
        reach=4 * scale_of(case.place),
    )


def _material(case: _Case, even: EvenDescent, vanished: bool) -> bool:
    """Worth the name: above the loss's own noise, and not a ripple at the bottom."""
    error = case.noise.loss_error if case.noise is not None and not case.whole else 0.0
    if vanished and error == 0.0:
        return True
    case.evidence["gain_in_errors"] = even.drop / error if error > 0 else None
    sign = float(even.sign)
    direction = case.spectrum.smallest[0].vector.double()
    further = line_search(
        along(case.exact, case.place, sign * direction),
        case.value,
        first=even.step,
        noise=rounding_of(case.exact, case.value) + 1e-15,
    )
    case.evidence["escape_gain"] = further.drop
    # Where the gradient is zero to rounding the descent is a fact of this loss; its batches' scatter has no say in it.
    above_noise = vanished or even.drop > GAIN_ERRORS * error
    return above_noise and further.drop > MATERIAL * abs(case.value)


def _saddle(case: _Case, even: EvenDescent) -> Standing:
    direction = case.spectrum.smallest[0].vector
    sentence = (
        f"A saddle: the gradient ({case.slope:.2g}) {_zero_words(case)}, curvature reaches "
        f"{case.spectrum.bottom:.4g}, and a "
        f"step of {even.step:.2g} along that direction lowered the loss from {case.value:.6g} to "
        f"{case.value - even.line_drop:.6g} (the gradient explains at most {even.slope_drop:.2g} of it)."
    )
    return Standing("saddle", sentence, case.evidence, case.spectrum, (direction, even.sign * even.step))


def _zero_words(case: _Case) -> str:
    if case.evidence["gradient_is_zero"]:
        return "is zero to rounding"
    if case.evidence["gradient_within_noise"] and case.noise is not None:
        return f"is within its own mini-batch noise ({case.noise.standard_error:.2g})"
    return "is far too small to explain the descent"


def _downhill(case: _Case) -> LineStep:
    """The best step along the gradient. *Cost*: about 20 forward passes."""
    direction = -case.gradient / max(case.slope, 1e-300)
    first = case.slope / case.scale if case.scale > 0 else 1.0
    noise = rounding_of(case.exact, case.value) + 1e-15
    return line_search(along(case.exact, case.place, direction), case.value, first=first, noise=noise)


def _not_critical(case: _Case, lr: float | None) -> Standing:
    down = _downhill(case)
    best_rate = down.step / case.slope if case.slope else 0.0
    case.evidence |= {"line_search_drop": down.drop, "line_search_rate": best_rate, "lr": lr}
    if lr is not None and down.drop > 0:
        taken = case.exact.value(case.place - lr * case.gradient)
        case.evidence["loss_after_own_step"] = taken
        if lr * case.spectrum.top > 2 and not taken < case.value:
            return Standing(
                "bouncing",
                f"Not a critical point: the gradient ({case.slope:.2g}) is alive, but a step of {lr:g} is above "
                f"2/λmax = {2 / case.spectrum.top:.2g} and lands at {taken:.6g} instead of below {case.value:.6g}: "
                "the steps "
                "jump across the valley.",
                case.evidence,
                case.spectrum,
            )
    if down.drop <= 0:
        return Standing(
            "unknown",
            f"The gradient ({case.slope:.2g}) is not small, yet no step along it lowers the loss: a kink, or a "
            "gradient that is "
            "wrong. A gradient check would tell.",
            case.evidence,
            case.spectrum,
        )
    against = (
        f", {case.slope / case.noise.standard_error:.1f} times its noise,"
        if case.noise and case.noise.standard_error
        else ""
    )
    return Standing(
        "descending",
        f"Not a critical point: the gradient ({case.slope:.2g}){against} still leads down; a step of "
        f"{best_rate:.2g} times it "
        f"lowers the loss from {case.value:.6g} to {down.value:.6g}.",
        case.evidence,
        case.spectrum,
    )


def _noise_floor(case: _Case, lr: float | None, even: EvenDescent | None) -> Standing:
    assert case.noise is not None
    down = _downhill(case)
    gain = max(down.drop, even.line_drop if even is not None else 0.0)
    case.evidence |= {"line_search_drop": down.drop, "gain_left": gain}
    if gain > GAIN_ERRORS * case.noise.loss_error and gain > MATERIAL * abs(case.value):
        return Standing(
            "descending",
            f"The gradient ({case.slope:.2g}) is within its mini-batch noise ({case.noise.standard_error:.2g}), "
            "but a step "
            f"along it lowers the loss by {gain:.2g}, more than the noise of the loss ({case.noise.loss_error:.2g}).",
            case.evidence,
            case.spectrum,
        )
    return Standing(
        "converged",
        f"At the noise floor: the gradient ({case.slope:.2g}) is within its mini-batch noise "
        f"({case.noise.standard_error:.2g}) "
        f"and what a step can still gain ({gain:.2g}) is not more than the noise of the loss "
        f"({case.noise.loss_error:.2g}).",
        case.evidence,
        case.spectrum,
    )


def _without_descent(case: _Case, *, negative: bool, samples: int, seed: int) -> Standing:
    """The gradient is zero and no quadratic descent was found: exact theory, kinks, then the null space."""
    exact = recognized(case.objective) if bool(torch.equal(case.place, case.objective.start().double())) else None
    if exact is not None:
        case.evidence |= {"global_minimum_loss": exact.best, "decided_by": "deep linear theory"}
        if exact.minimum:
            return _minimum(
                case, "and the loss equals the best a linear map of this rank can reach: a global minimum", None
            )
    smooth = smoothness(case.exact, case.place, case.operator, scale=max(case.scale, 1e-12), seed=seed)
    case.evidence["kinked"] = smooth.kinked
    if negative and not smooth.kinked:
        return Standing(
            "unknown",
            f"The smallest curvature is {case.spectrum.bottom:.3g}, but no step along it lowered the loss measurably.",
            case.evidence,
            case.spectrum,
        )
    null = None if smooth.kinked else _null_space(case)
    if null is not None and null.shape[0] == 0 and not smooth.kinked:
        return _minimum(case, "and every curvature is positive", None)
    many = samples * 16 if smooth.kinked else samples
    probe = probe_ball(case.exact, case.place, case.value, null=null, samples=many, seed=seed)
    case.evidence |= {
        "probe_samples": probe.samples,
        "probe_descents": probe.descents,
        "probe_radius": probe.radius,
        "probe_drop": probe.drop,
        "decided_by": "sampling (the point lies on a kink)" if smooth.kinked else "probing the null space",
    }
    if probe.lower is not None and not probe.plateau:
        return _degenerate_saddle(case, probe, smooth.kinked)
    if exact is not None:  # theory says saddle, and the loss is too flat for the probe
        return Standing(
            "unknown",
            f"Deep linear theory says this is a saddle (the loss is {case.value:.4g}, the global minimum "
            f"{exact.best:.4g}), "
            "but the loss is so flat here that no descent could be measured.",
            case.evidence,
            case.spectrum,
        )
    if probe.plateau:
        way = (
            f"; a way down begins beyond it ({probe.drop:.3g} lower at distance {probe.radius:.2g})"
            if probe.drop
            else ""
        )
        return Standing(
            "flat",
            "A flat region: the gradient is zero, curvature is zero in some directions and the loss is exactly "
            "constant along "
            f"them{way}.",
            case.evidence,
            case.spectrum,
        )
    how = (
        "and none of {0} samples up to distance {1:.2g} is lower (the point lies on a kink)"
        if smooth.kinked
        else ("and probing the directions of zero curvature ({0} samples up to distance {1:.2g}) found no descent")
    )
    return _minimum(case, how.format(probe.samples, probe.radius), probe)


def _null_space(case: _Case) -> Tensor | None:
    """Eigenvectors of zero curvature as rows, when all are known; nothing known: none."""
    if case.spectrum.method != "all eigenvalues":
        return None
    from unstuck.curvature.dense import dense_spectrum

    spectrum = dense_spectrum(case.operator)
    flat = spectrum.values.abs() <= max(case.resolution, 1e-6 * case.scale)
    return spectrum.vectors[flat]


def _minimum(case: _Case, how: str, probe: BallProbe | None) -> Standing:
    bound = case.spectrum.lower_bound
    sure = (
        ""
        if bound.failure == 0
        else f" (no curvature below {bound.value:.3g}, wrong with probability {bound.failure:g})"
    )
    strict = case.spectrum.bottom > case.resolution and probe is None
    case.evidence["strict"] = strict
    return Standing(
        "minimum",
        f"A {'strict' if strict else 'degenerate'} minimum: the gradient ({case.slope:.2g}) is zero, the smallest "
        "curvature is "
        f"{case.spectrum.bottom:.4g}{sure}, {how}.",
        case.evidence,
        case.spectrum,
    )


def _degenerate_saddle(case: _Case, probe: BallProbe, kinked: bool) -> Standing:
    assert probe.lower is not None
    offset = probe.lower - case.place
    length = norm(offset)
    what = "on a kink" if kinked else "with no curvature that shows it"
    return Standing(
        "saddle",
        f"A saddle {what}: the gradient is zero, and {length:.2g} away, along a path that never rises, the loss is "
        "lower by "
        f"{probe.drop:.3g}.",
        case.evidence,
        case.spectrum,
        (offset / length, length),
    )
