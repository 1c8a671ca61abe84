"""The loss hovers at the noise floor of a constant step: shorter steps at the end would fall below it.

What it means
-------------
Every batch points a little elsewhere. With a constant learning rate the weights never settle: they wander about the
lowest point at a distance that the rate sets, and the loss hovers above what the network has already learned to reach.

Why it hurts
------------
What was learned is there and is not cashed in. The weights that are kept are those of a random moment of the
wandering, so that the result of the run is a matter of luck.

How it is judged
----------------
The learning rate never changed and the loss stands over the last third. Then the scatter of the loss is taken apart:
batches drawn by chance make neighboring losses differ independently, while the place of the weights is common to
neighbors. What neighbors share, beyond four standard errors, is how far the loss itself wanders; the loss can fall by
at least about that much. The rule speaks when this is more than a sixth of the loss and more than a twentieth of that
of a constant answer, when successive gradients do not point the same way (which they would if batches came in order),
and when the run is not nearly perfect. There is a second sign: at rest the squares of the gradients and the rate (over
each parameter's denominator, where the rule has one) tell how high above the floor the noise keeps the loss, wander or
not. It speaks when that is more than a sixteenth of the loss and of that of a constant answer (an eighth for rules with
denominators), and single gradients are mostly noise.

When it is wrong
----------------
Data in a fixed order make neighboring losses alike without any wandering. Losses whose targets move (reinforcement
learning, adversaries) wander with them; such runs are left out as far as they are known.

What to do
----------
Let the learning rate fall towards the end of the run: a cosine or a line down to zero costs nothing. Or average the
weights over the last part of the run.

Sources
-------
Robbins and Monro, A stochastic approximation method, 1951. Pflug, Non-asymptotic confidence bounds for stochastic
approximation algorithms with constant step size, 1990 (successive gradients at the floor). Yaida,
Fluctuation-dissipation relations for stochastic gradient descent, 2019 (the second sign). Smith, Kindermans, Ying,
Le, Don't decay the learning rate, increase the batch size, 2018.
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.head import adversarial
from unstuck.findings.evidence.hovering import hovering, kept_up
from unstuck.findings.evidence.places import optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import progress
from unstuck.findings.evidence.rate_course import rate_course
from unstuck.findings.evidence.trend import Trend, trend
from unstuck.record.recording import Recording, Stream

CODE = "U404"
NAME = "missing-decay"
CLAIM = "the loss hovers at the noise floor of a constant step"
ENABLED = True
SICK = ("examples/sick/u404_diabetes_sgd.py",)
HEALTHY = (
    "examples/mended/u404_diabetes_sgd.py",
    "examples/healthy/linear_noise_floor.py",
    "examples/healthy/noisy_labels.py",
)
THRESHOLDS = {
    "of_level": (
        1 / 6,
        "of the loss is its wandering; of 29 healthy and mended runs that stand one has more (.93), at a loss near zero",
    ),
    "bursts": (2.0, "times the loss: a level that wanders so far cannot be the noise of the steps about it"),
    "of_baseline": (0.05, "of a constant answer's loss; the same runs have at most a hundredth"),
    "kept_up": (1 / 16, "of the loss, and of a constant answer's, that the noise of the steps keeps up at rest"),
    "kept_up_weighed": (
        1 / 8,
        "the same for rules with denominators, whose loss need not be at rest; of eleven sound runs that stand one has .064",
    ),
    "noisy": (0.35, "of a gradient's square is its mean's, at most: with more the run still goes somewhere"),
    "alike": (0.2, "mean cosine of successive gradients at most: data in order, or a run that still learns, has more"),
    "fewest_steps": (150, "fewer steps than fifty in the last third do not tell the two scatters apart"),
    "falls": (0.05, "of the loss over the last third, at most, for it to stand"),
}
_ERRORS = frozenset(
    {"nll", "cross_entropy_soft", "mse", "l1", "smooth_l1", "huber", "bce", "bce_logits", "soft_margin"}
)


def judge(recording: Recording) -> Answer:
    """A constant rate, a loss that stands, and how far it wanders."""
    stream = recording.main
    course = rate_course(stream)
    if course is None:
        return Skipped("no learning rate was recorded")
    if not course.constant or len(stream.learning_rates) > 1:
        return NotApplicable("the learning rate is not constant")
    if stream.steps < THRESHOLDS["fewest_steps"][0]:
        return Skipped(f"only {stream.steps} steps")
    if adversarial(recording):
        return NotApplicable("several optimizers on losses of their own: their losses move each other")
    reached = progress(recording)
    if reached.course.kind not in _ERRORS:
        return NotApplicable("no loss that is known to measure an error")
    if reached.baseline is None:
        return Skipped("the loss of a constant answer is not known")
    n = stream.steps
    third = trend(stream.loss, n - n // 3, n)
    half = trend(stream.loss, n // 2, n)
    found = hovering(stream.loss, n - n // 3, n)
    if third is None or half is None or found is None:
        return Skipped("too few finite losses in the last third")
    for part in (third, half):
        if part.direction != "level" and abs(part.gain) > THRESHOLDS["falls"][0] * abs(part.level):
            return Passed(f"the loss still moves: by {-part.gain:+.2g} over the last steps")
    told = (
        f"the loss stands at {found.level:.4g} and wanders by {found.wander:.2g}, batches differ by {found.scatter:.2g}"
    )
    excess = _excess(recording, found.level, reached.baseline, third, half)
    if excess is not None and reached.course.outcome != "well":
        return _at_rest(stream, found.level, excess, course.peak, reached.sentence)
    if found.wander < THRESHOLDS["of_level"][0] * found.level:
        return Passed(told)
    if found.wander > THRESHOLDS["bursts"][0] * found.level:
        return Passed(f"{told}: a few stretches hold nearly all of the loss, so the data change, not the weights")
    if found.wander < THRESHOLDS["of_baseline"][0] * reached.baseline or reached.course.outcome == "well":
        return Passed(f"{told}; little is at stake ({reached.sentence})")
    alike = _alike(stream)
    if alike is not None and alike > THRESHOLDS["alike"][0]:
        return Passed(f"{told}; but successive gradients point the same way (mean cosine {alike:.2f})")
    return _fired(stream, found.level, found.wander, found.scatter, course.peak, reached.sentence)


def _excess(recording: Recording, level: float, baseline: float, third: Trend, half: Trend) -> float | None:
    """What the noise keeps up, where that is known, much, and less than the loss itself."""
    n = recording.main.steps
    if third.direction != "level" or half.direction != "level":
        return None
    held = kept_up(recording, n - n // 3, n)
    if held is None or held.signal > THRESHOLDS["noisy"][0]:
        return None
    plain = optimizer_kind(recording.main) == "SGD"
    much = THRESHOLDS["kept_up" if plain else "kept_up_weighed"][0] * max(level, baseline)
    return held.excess if much <= held.excess <= level else None


def _at_rest(stream: Stream, level: float, excess: float, rate: float, sentence: str) -> Fired:
    n = stream.steps
    return Fired(
        sentence=f"The learning rate stays at {rate:g} to the end, and the loss stands still at {level:.4g}. Gradients of that "
        f"size keep it up by about {excess:.2g} ({excess / level:.0%}) at that rate: the noise of the steps balances their "
        f"descent, and shorter steps at the end would take that off; {sentence}.",
        severity="warning",
        confidence=0.65,
        where=f"{optimizer_kind(stream) or 'the optimizer'}(lr={rate:g})",
        step=n - n // 3,
        evidence={"learning_rate": rate, "loss_level": level, "kept_up_by_noise": excess, "steps": n},
        advice=_advice(stream, n),
        line=optimizer_line(stream),
    )


def _alike(stream: Stream) -> float | None:
    """Mean cosine of successive gradients over the second half."""
    tail = [
        s["noise"]["cos"] for s in stream.samples if s["s"] >= stream.steps // 2 and (s.get("noise") or {}).get("cos")
    ]
    known = [float(v) for v in tail if math.isfinite(v)]
    return statistics.fmean(known) if len(known) >= 3 else None


def _fired(stream: Stream, level: float, wander: float, scatter: float, rate: float, sentence: str) -> Fired:
    n = stream.steps
    return Fired(
        sentence=f"The learning rate stays at {rate:g} to the end, and the loss hovers: over the last third it stands at "
        f"{level:.4g}, but apart from what batches differ it wanders by {wander:.2g} ({wander / level:.0%}) with the "
        f"weights; shorter steps at the end would take off at least about that much; {sentence}.",
        severity="warning",
        confidence=0.75,
        where=f"{optimizer_kind(stream) or 'the optimizer'}(lr={rate:g})",
        step=n - n // 3,
        evidence={
            "learning_rate": rate,
            "loss_level": level,
            "loss_wander": wander,
            "batch_scatter": scatter,
            "steps": n,
        },
        advice=_advice(stream, n),
        line=optimizer_line(stream),
    )


def _advice(stream: Stream, n: int) -> tuple[Advice, ...]:
    return (
        Advice(
            "let the rate decay",
            f"Let the rate fall to zero over the {n} steps of the run.",
            f"scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max={n})\n"
            "# after every optimizer.step():\nscheduler.step()",
            optimizer_line(stream),
        ),
        Advice(
            "average the weights",
            "Or keep the mean of the weights over the last part of the run.",
            "averaged = torch.optim.swa_utils.AveragedModel(model)\naveraged.update_parameters(model)",
        ),
    )
