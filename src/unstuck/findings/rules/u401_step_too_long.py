"""The step exceeds what the loss surface allows, and the loss says so.

What it means
-------------
A step of gradient descent goes downhill only as far as the slope holds. With a learning rate above two over
the largest curvature each step lands higher on the other side of the valley than it started from.

Why it hurts
------------
The loss leaps in the first updates and may never come back: weights are thrown where units are dead or
saturated, and the run settles at the loss of a constant answer. Or it jumps from wall to wall for ever. Or it
overflows.

How it is judged
----------------
A run that learned is not reported, whatever its learning rate or its spikes, unless one of two things holds. A
leap with long steps cost it an eighth of its time, above the loss of a constant answer, and it has not
converged since. Or long steps held it up: over the whole stretch in which a schedule kept the rate near its
height (30 steps and a tenth of the run or more) the loss hardly fell; in the second half of that stretch it
stood near the loss of a constant answer (where the rate is also more than ten times the usual, not halfway
from it); it fell surely, by a quarter or more, only when the rate came down; and the run has not come four
fifths of its way. Such a step lets nothing be learned, even if the end of the schedule makes up for most of it.
In a run that lost time, and in one that learned next to nothing, that bounces or that diverges, the rule looks
for a sane start (a first loss not far above that of a constant answer) and then for three signs: the loss leaps
to several times its first value within the first updates; the median weight changes by more than a tenth of
itself in single steps, where a hundredth is already much, or one of the first steps changes it by more than all
of itself; the rate is more than ten times the usual for the optimizer.
A leap or a diverging loss together with long steps, or long steps with an unusual rate, are enough; a run
that has learned something must show all three. A leap with steps that are known to be short is the gradient's
(G302).

When it is wrong
----------------
Something else that makes the loss leap, such as inputs that are not normalized or a summed loss, makes any
usual rate too long. Those findings come first when their own evidence is there. Tiny toy networks stand long
relative steps.

What to do
----------
Lower the learning rate tenfold, and warm it up over the first steps. Clipping the gradient's norm bounds
single steps.

Sources
-------
LeCun, Bottou, Orr, Müller, Efficient BackProp, 1998. Smith, Cyclical learning rates, 2017 (range test).
Google's Deep Learning Tuning Playbook, 2023. TheDeepChecker, 2021 (relative changes above a tenth are too
long).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.movement import median, rate_is_unusual, step_ratios
from unstuck.findings.evidence.places import model_name, optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import Progress, progress
from unstuck.findings.evidence.rate_course import rate_course
from unstuck.findings.evidence.setbacks import share_above
from unstuck.findings.evidence.trend import mean_between, trend
from unstuck.findings.verdict import verdict
from unstuck.record.recording import Recording, Stream

CODE = "U401"
NAME = "step-too-long"
CLAIM = "the step exceeds what the measured curvature allows, or the loss says so"
ENABLED = True
SICK = (
    "examples/sick/u401_digits_adam.py",
    "examples/sick/u401_digits_sgd.py",
)
HEALTHY = (
    "examples/mended/u401_digits_adam.py",
    "examples/mended/u401_digits_sgd.py",
    "examples/healthy/corridor_reinforce.py",
    "examples/healthy/breast_cancer_lbfgs.py",
    "examples/healthy/noisy_labels.py",
)
THRESHOLDS = {
    "time_lost": (
        0.12,
        "of the run above a constant answer's loss; of 402 healthy runs that leapt the worst lost a tenth, and "
        "converged",
    ),
    "near_peak": (0.75, "of the highest rate: there a schedule has the step that was asked for"),
    "held_steps": (30, "steps near the highest rate, and a tenth of the run: fewer are a short rise"),
    "held": (
        0.85,
        "of a constant answer's loss, over the second half of those steps; of 144 sound runs with a schedule three that "
        "learn stand so high, with steps of 3 % of the weights at most",
    ),
    "held_unusual": (
        0.5,
        "of it where the rate is out of the usual as well; the sound runs that have both stand at .36 at most",
    ),
    "held_fall": (
        0.2,
        "of the loss there that it may have lost during those steps: hardly more than noise in a third of a run",
    ),
    "then_gained": (
        0.25,
        "of the loss that was held up, that the run gained after: learning began; the sick run of all kinds that came "
        "nearest without it gained .19",
    ),
    "long_run": (200, "steps: in fewer, a tenth of them is a handful"),
    "ratio": (
        0.1,
        "median |change| / |weight| of one step; TheDeepChecker's upper bound, a hundred times the usual 1e-3",
    ),
    "thrown": (1.0, "|change| / |weight| of a single step: nothing of the weights before it is left"),
    "thrown_by": (5, "the steps before which a wrong rate throws them"),
    "leap": (
        3.0,
        "times the first loss within the first updates; of 402 healthy runs five rise more (at most tenfold), "
        "all learn",
    ),
    "rate": (10.0, "times the largest rate in common use for the optimizer"),
    "sane_start": (5.0, "times the loss of a constant answer at step 0: above it the start is sick, not the step"),
    "first_steps": (50, "the updates that a wrong rate shows in"),
}


@dataclass(frozen=True)
class _Signs:
    leap: float | None  # highest loss of the first updates over the first loss
    leap_step: int | None
    ratio: float | None  # median relative change in the first samples, or the largest later one when the loss diverges
    rate: float | None
    unusual: float | None  # the rate over the usual one


@dataclass(frozen=True)
class _Held:
    start: int  # first step near the highest rate
    stop: int
    level: float  # loss over the second half of these steps
    baseline: float
    peak: float


def judge(recording: Recording) -> Answer:
    """Long steps, a leap of the loss and an unusual rate, in a run that was hurt."""
    stream = recording.main
    if not stream.steps:
        return NotApplicable("no training step was seen")
    if len(stream.loss) < 3:
        return Skipped("fewer than three losses were recorded")
    reached = progress(recording)
    stands = recording.extras.get("verdict") or verdict(recording)
    signs = _signs(stream, stands.state)
    lost = 0.0 if stands.state == "converged" else _time_lost(stream, signs, reached)
    if stands.state != "diverging" and not lost and (held := _held_up(stream, signs, reached)):
        return _fired_held(stream, signs, reached, held)
    if reached.state == "learned" and stands.state != "diverging" and not lost:
        return Passed(f"the run learns: {reached.sentence}")
    bad = stands.state in ("diverging", "bouncing") or bool(lost)
    leapt = (signs.leap or 0) >= THRESHOLDS["leap"][0]
    unusual = (signs.unusual or 0) >= THRESHOLDS["rate"][0]
    if not bad and reached.state != "none":
        # Between nothing and much: only with a rate out of the usual, or when the loss leapt far and stands still.
        far = (signs.leap or 0) > 2 * THRESHOLDS["leap"][0] and _long(signs) and stands.state == "unknown"
        some = reached.state == "some" and ((unusual and _long(signs)) or far)
        adrift = reached.state == "unknown" and unusual and _long(signs) and stands.state == "unknown"
        if not (some or adrift):
            return Passed(f"the loss is not hurt by the step: {reached.sentence}")
    if not _sane_start(stream, reached):
        return Passed("the loss is out of range before the first step: the start is at fault, not the step")
    points = 2 * leapt + 2 * _long(signs) + unusual + (stands.state == "bouncing") + 2 * _overflowed(stream, signs)
    # Steps that are known to be short do not throw the weights away: then the gradient leapt, not the step.
    if points >= 3 and signs.ratio is not None and not _long(signs) and not unusual:
        return Passed(f"the loss leaps, but one step changes the weights by {signs.ratio:.2g} of their size only")
    if points < 3:
        if signs.ratio is None and not leapt:
            return Skipped("the changes of the weights were not measured, and the loss did not leap")
        return Passed(f"steps of {signs.ratio or 0:.2g} of the weights, and no leap of the loss in the first updates")
    return _fired(recording, signs, reached, stands.state, points, lost)


def _signs(stream: Stream, state: str) -> _Signs:
    first_steps = int(THRESHOLDS["first_steps"][0])
    losses = stream.loss.between(0, first_steps)
    first = losses.values[0] if losses else math.nan
    leap, leap_step = None, None
    if losses and math.isfinite(first) and first > 0:
        rest = [(v if math.isfinite(v) else math.inf, s) for s, v in losses if s > losses.steps[0]]
        if rest:
            highest, leap_step = max(rest, key=lambda pair: (pair[0], -pair[1]))
            leap = highest / first
    ratios = step_ratios(stream)
    early = ratios.between(0, 10)
    ratio = median(early.values) if early else None
    thrown = max((v for s, v in ratios if s < THRESHOLDS["thrown_by"][0] and math.isfinite(v)), default=0.0)
    if ratio is not None and thrown >= THRESHOLDS["thrown"][0]:
        ratio = max(ratio, thrown)  # weights that one step multiplied look still afterwards, next to their new size
    if state in ("diverging", "bouncing") and ratios:
        late = median(ratios.values[-5:])
        ratio = max(r for r in (ratio, late) if r is not None and not math.isnan(r)) if not math.isnan(late) else ratio
    rate = stream.learning_rate.first if stream.learning_rate else None
    every = [rate for _, rates in stream.learning_rates for rate in rates]
    peak = max([*stream.learning_rate.values, *every]) if stream.learning_rate else None
    return _Signs(leap, leap_step, ratio, rate, rate_is_unusual(stream, peak) if peak else None)


def _time_lost(stream: Stream, signs: _Signs, reached: Progress) -> float:
    """The share of a long run that a leap with long steps cost: spent above the loss of a constant answer."""
    if reached.baseline is None or stream.steps < THRESHOLDS["long_run"][0] or not _long(signs):
        return 0.0
    if (signs.leap or 0) < THRESHOLDS["leap"][0]:
        return 0.0
    share = share_above(stream, 1.05 * reached.baseline)
    return share if share >= THRESHOLDS["time_lost"][0] else 0.0


def _held_up(stream: Stream, signs: _Signs, reached: Progress) -> _Held | None:
    """The loss stood at a constant answer's while the rate was high, with long steps, and fell as the rate came down."""
    course, base = rate_course(stream), reached.baseline
    if course is None or course.constant or base is None or not _long(signs) or reached.course.outcome == "well":
        return None
    near = THRESHOLDS["near_peak"][0] * course.peak
    rates = stream.learning_rate.finite()
    near_peak = [s for s, rate in rates if rate >= near]
    start, stop = int(near_peak[0]), int(near_peak[-1]) + 1
    if len(near_peak) < len(rates.between(start, stop)):
        return None  # cycles: the rate came down between
    if stop - start < max(THRESHOLDS["held_steps"][0], 0.1 * course.steps) or not _sane_start(stream, reached):
        return None
    during, after = trend(stream.loss, start, stop), trend(stream.loss, stop, course.steps)
    level = mean_between(stream.loss, (start + stop) // 2, stop)
    if during is None or after is None or level is None or reached.end is None:
        return None
    unusual = (signs.unusual or 0) >= THRESHOLDS["rate"][0]
    high_up = level >= THRESHOLDS["held_unusual" if unusual else "held"][0] * base
    stood = high_up and (during.direction != "falls" or during.gain < THRESHOLDS["held_fall"][0] * level)
    began = after.direction == "falls" and level - reached.end >= THRESHOLDS["then_gained"][0] * level
    return _Held(start, stop, level, base, course.peak) if stood and began else None


def _long(signs: _Signs) -> bool:
    return signs.ratio is not None and signs.ratio >= THRESHOLDS["ratio"][0]


def _overflowed(stream: Stream, signs: _Signs) -> bool:
    """The loss ends not finite after it had grown: not a NaN out of the blue."""
    if not stream.loss or math.isfinite(stream.loss.last):
        return False
    finite = stream.loss.finite()
    return len(finite) >= 2 and max(finite.values) >= 10 * abs(finite.first) and max(finite.values) > 0


def _sane_start(stream: Stream, reached: Progress) -> bool:
    first = stream.loss.first
    if not math.isfinite(first):
        return False
    return reached.baseline is None or first <= THRESHOLDS["sane_start"][0] * reached.baseline


def _fired(recording: Recording, signs: _Signs, reached: Progress, state: str, points: int, lost: float) -> Answer:
    stream = recording.main
    kind = optimizer_kind(stream) or "the optimizer"
    parts = []
    if signs.leap is not None and signs.leap >= THRESHOLDS["leap"][0]:
        size = (
            f"{signs.leap:.3g} times its first value of {stream.loss.first:.4g}"
            if math.isfinite(signs.leap)
            else "infinity"
        )
        parts.append(f"the loss leaps to {size} by step {signs.leap_step}")
    if _long(signs):
        parts.append(f"one step changes the weights by {signs.ratio:.0%} of their size (usual: 0.1 %)")
    if signs.unusual is not None and signs.unusual >= THRESHOLDS["rate"][0]:
        parts.append(f"the rate is {signs.unusual:.3g} times the largest in common use for {kind}")
    if state == "bouncing":
        parts.append("successive gradients point against each other")
    if not parts:
        parts.append("the loss grows until it overflows")
    if lost:
        parts.append(f"for {lost:.0%} of the run the loss is above that of a constant answer")
    rate = signs.rate
    lower = rate / 10 if rate else None
    advice = []
    if lower is not None:
        advice.append(
            Advice(
                "lower the learning rate",
                f"Lower the learning rate from {rate:g} to {lower:g}, and lower still if the loss leaps again.",
                f"lr={lower:g}",
                optimizer_line(stream),
            )
        )
    advice.append(
        Advice(
            "clip the gradient",
            "Bound the single step: clip the gradient's norm, between backward and step.",
            f"torch.nn.utils.clip_grad_norm_({model_name(recording)}.parameters(), max_norm=1.0)",
        )
    )
    return Fired(
        sentence=("The steps are too long: " if rate is None else f"The steps are too long (learning rate {rate:g}): ")
        + "; ".join(parts)
        + f"; {reached.sentence}.",
        severity="error" if reached.state == "none" or state == "diverging" else "warning",
        confidence={3: 0.7, 4: 0.8}.get(points, 0.9),
        where=f"{kind}(lr={rate:g})" if rate is not None else kind,
        step=signs.leap_step if signs.leap is not None and signs.leap >= THRESHOLDS["leap"][0] else 0,
        evidence={
            "learning_rate": rate,
            "loss_leap": signs.leap,
            "relative_change": signs.ratio,
            "rate_over_usual": signs.unusual,
            "first_loss": stream.loss.first,
            "share_above_constant_answer": lost or None,
        },
        advice=tuple(advice),
        line=optimizer_line(stream),
    )


def _fired_held(stream: Stream, signs: _Signs, reached: Progress, held: _Held) -> Fired:
    """A warning: the run learned, when its schedule had made the step short enough."""
    kind = optimizer_kind(stream) or "the optimizer"
    unusual = ""
    if signs.unusual is not None and signs.unusual >= THRESHOLDS["rate"][0]:
        unusual = f", {signs.unusual:.3g} times the largest in common use for {kind}"
    return Fired(
        sentence=f"The steps are too long near the highest learning rate ({held.peak:.3g}{unusual}): from step {held.start} "
        f"to {held.stop} of {stream.steps} the loss stands at {held.level:.4g} (a constant answer gives "
        f"{held.baseline:.4g}) and falls only as the rate comes down; one step changes the weights by {signs.ratio:.0%} of "
        f"their size (usual: 0.1 %); the run ends at a loss of {reached.end:.4g}.",
        severity="warning",
        confidence=0.8,
        where=f"{kind}(lr={held.peak:.3g})",
        step=held.start,
        evidence={
            "learning_rate": held.peak,
            "relative_change": signs.ratio,
            "rate_over_usual": signs.unusual,
            "held_from_step": held.start,
            "held_to_step": held.stop,
            "held_at_loss": held.level,
            "constant_answer_loss": held.baseline,
            "last_loss": reached.end,
        },
        advice=(
            Advice(
                "lower the learning rate",
                f"Lower the highest learning rate from {held.peak:.3g} to {held.peak / 10:.3g}, and lower still if the loss "
                "stands there again.",
                f"lr={held.peak / 10:.3g}",
                optimizer_line(stream),
            ),
        ),
        line=optimizer_line(stream),
    )
