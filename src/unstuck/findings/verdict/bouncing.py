"""Steps that jump across the valley."""

from __future__ import annotations

import math

from unstuck.findings.contract import Verdict
from unstuck.findings.evidence.curvature import last_look, why_no_longer
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.progress import main_term
from unstuck.findings.verdict.leap import leapt
from unstuck.findings.verdict.look import ALIVE, FEWEST_STEPS, Look, standing

ABOVE = 0.02
"""Two percent above a constant answer's loss: rounding and class shares from samples stay well below."""
BOUNCE = -0.3
"""Mean cosine of successive gradients below which steps undo each other; independent noise gives about 0."""

BEYOND_NOISE = 2.0
"""Times the standard error of the kept batches' gradient: a mean that is zero lies beyond once in a hundred times."""


def bouncing(look: Look) -> Verdict | None:
    t = look.third
    p, finite = look.progress, look.loss.finite()
    if t is not None and look.n >= 3 * FEWEST_STEPS and leapt(look) and p.end is not None:
        return Verdict(
            "bouncing",
            f"The loss has leapt from {finite.first:.4g} to {max(finite.values):.4g} and is still at {p.end:.4g} over the last "
            f"tenth of {look.n} steps, far above where it began: steps have thrown it out of its valley.",
            look.evidence(),
        )
    if t is None or look.n < 3 * FEWEST_STEPS or not standing(look) or look.opposed:
        return None
    alive = _alive(look)
    if look.progress.state == "learned" or alive is None:
        return None
    rates = look.stream.learning_rate
    if rates and rates.last < 0.1 * max(rates.values):
        return None  # steps that a schedule has made short do not jump
    change = f"change over the last third {-t.gain:+.2g} ± {t.error:.2g}"
    if look.cosine is not None and look.cosine[0] + 2 * look.cosine[1] <= BOUNCE:
        mean, error = look.cosine
        return Verdict(
            "bouncing",
            f"The loss stands at {t.level:.4g} ({change}), yet successive gradients point against each other (mean "
            f"cosine {mean:.2f} ± {error:.2f}): the steps jump across the valley.",
            look.evidence(gradient_norm=alive),
        )
    if why_no_longer(look.recording) is None:
        return None  # longer steps were measured to fall faster
    constant = _worst_constant(look)
    if constant is not None and t.level > (1 + ABOVE) * constant + 3 * t.error and t.error < ABOVE * constant:
        return Verdict(
            "bouncing",
            f"The loss stands at {t.level:.4g} ({change}), above the {constant:.4g} that the output's bias alone "
            f"would reach, and the gradient's norm is {alive:.3g}: shorter steps would fall, these "
            "jump across the valley.",
            look.evidence(gradient_norm=alive, constant_answer_loss=constant),
        )
    return None


def _alive(look: Look) -> float | None:
    """The gradient's norm towards the end, where it is not small: beside its own first size, or beside its noise."""
    if look.gradient is not None:
        return look.gradient[1] if look.gradient[1] >= ALIVE * look.gradient[0] else None
    seen = last_look(look.recording)
    told = (seen.data.get("evidence") if seen is not None else None) or {}
    slope, noise = number(told.get("gradient_norm")), number(told.get("gradient_noise"))
    return slope if slope is not None and noise is not None and slope > BEYOND_NOISE * noise > 0 else None


def _worst_constant(look: Look) -> float | None:
    """The loss of a constant answer by the largest of its definitions: class weights can turn shares into equal ones."""
    course = look.progress.course
    if course.baseline is None:
        return None
    if course.kind != "nll":
        return course.baseline
    sizes = []
    for sample in look.stream.samples:
        pair = main_term(sample)
        shape = (pair[1].get("output") or {}).get("shape") if pair else None
        if pair and shape:
            place = int(pair[1].get("class_dim", 1) or 0)
            if place < len(shape):
                sizes.append(int(shape[place]))
    return max(course.baseline, math.log(max(sizes))) if sizes and max(sizes) > 1 else course.baseline
