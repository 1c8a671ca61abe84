"""The denominator of an adaptive rule shrank on a flat stretch, then a gradient came.

What it means
-------------
Adam and RMSprop divide by the recent size of the gradient. While the gradient is tiny (an easy stretch of the data, a
perfect fit) that size shrinks with it. The next gradient of the usual size is divided by far too little: with Adam's
defaults a step grows up to seven times the learning rate in every coordinate, with RMSprop ten times and more.

Why it hurts
------------
One such burst throws the weights from where they were. What had been learned is lost; the run climbs back from
there again and again, or units die and it never does.

How it is judged
----------------
For rules that divide: the loss had come down to less than a quarter of a constant answer's (or of its start) and later
stands again above twice that for part of the run. Before the leap the gradient was below a twentieth of its usual size
for a stretch, and the divisor, followed through the recorded gradients with the optimizer's own memory, had shrunk to
less than a third of its largest; with the leap came a gradient more than ten times the one before it and, where
such a step was sampled, a change of the weights at least three times the usual one of the stretch. It is an error
when the run has learned nothing at its end, a warning when it has not come halfway, has come back only in part from
far above a constant answer's loss, or has lost more than a tenth of its time, and left alone when the loss came back.
A run that leaps three times and more, within 40 steps out of stretches of 20 steps with a thousandth of a constant
answer's loss to a fifth above it, each time for three steps and more, is warned of by its loss alone: one strange
example lasts one step, and whole batches do not do that to a network that answers sensibly.

When it is wrong
----------------
New data with another distribution make loss and gradient leap by themselves; the leap is then there before the long
step. The sampled steps can miss the burst; then nothing is said.

What to do
----------
Raise epsilon to the size of the gradients that matter (1e-4 or so), keep the largest denominator (`amsgrad=True`), lower
the learning rate, or clip the gradient's norm.

Sources
-------
Reddi, Kale, Kumar, On the convergence of Adam and beyond, 2018. Molybog and others, A theory on Adam instability in
large-scale machine learning, 2023. Cohen and others, Adaptive gradient methods at the edge of stability, 2022.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.gradients import norms
from unstuck.findings.evidence.movement import step_ratios
from unstuck.findings.evidence.places import model_name, optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import Progress, progress
from unstuck.findings.evidence.setbacks import parts
from unstuck.record.recording import Recording, Series, Stream

CODE = "U406"
NAME = "adaptive-blow-up"
CLAIM = "the denominator shrank on a flat stretch, then a gradient came"
ENABLED = True
SICK = ("examples/sick/u406_digits_adam.py",)
HEALTHY = (
    "examples/mended/u406_digits_adam.py",
    "examples/healthy/corridor_dqn.py",
    "examples/healthy/digits_mlp_adam.py",
)
THRESHOLDS = {
    "still": (1e-3, "of a constant answer's loss: the task of the stretch is solved, its gradient next to nothing"),
    "stretch": (20, "steps at least that the loss stays below that"),
    "above": (
        1.2,
        "of a constant answer's loss: of a whole batch, no new data alone can do that to a sensible network",
    ),
    "lasts": (
        3,
        "of the ten steps around, at a quarter of that loss and more: one strange example lasts one step; the "
        "bursts of the one run known last three to ten",
    ),
    "leaps": (3, "times: one may be an odd batch"),
    "low": (0.25, "of a constant answer's loss (or of the first one): there was something to lose"),
    "back": (0.5, "of the same, at the top of the leap"),
    "flat": (0.05, "of the gradient's usual size, for the stretch before the leap"),
    "shrunk": (
        1 / 3,
        "of the largest divisor, at the last sample before the leap; 54 healthy and mended runs end at .56 or more",
    ),
    "gradient": (10.0, "times the gradient of the stretch came with the leap"),
    "step": (3.0, "times the relative change of the stretch; Adam's default is bounded by about seven"),
    "thrown": (1.5, "of a constant answer's loss at the top of the leap, for a run that came part of the way back"),
    "left": (0.15, "of a constant answer's loss at the end of such a run"),
    "lost": (0.1, "of the run above half of a constant answer's loss after it had been below a quarter"),
}


@dataclass(frozen=True)
class _Burst:
    step: int
    low: float  # loss before
    top: float  # loss after
    end: float
    flat: float  # gradient of the stretch over the usual one
    gradient: float  # of the leap over that of the stretch
    divisor: float  # before the leap over the largest one
    longer: float | None  # relative change at the leap over that of the stretch
    lost: float  # share of the run above half the constant answer's loss since


def judge(recording: Recording) -> Answer:
    """A leap out of a flat stretch, with the divisors that had shrunk there."""
    stream = recording.main
    groups = (stream.optimizer or {}).get("groups") or ()
    kind = optimizer_kind(stream)
    if not any(group.get("eps") is not None for group in groups) or kind in ("Adagrad", "SGD", "LBFGS"):
        return NotApplicable(f"{kind or 'the optimizer'} does not divide by the recent size of the gradient")
    if any(group.get("amsgrad") is True for group in groups):
        return NotApplicable("the largest denominator is kept")
    reached = progress(recording)
    again = _leaps(stream, reached)
    if len(again) >= THRESHOLDS["leaps"][0]:
        return _fired_again(recording, again, reached)
    if len(norms(stream)) < 10:
        return Skipped("the gradient's norm is known of fewer than ten steps")
    found = _burst(stream, reached)
    if found is None:
        return Passed("no leap out of a flat stretch")
    told = (
        f"after a flat stretch a gradient {found.gradient:.2g} times as large came at step {found.step}, and the loss went "
        f"from {found.low:.3g} to {found.top:.3g}"
    )
    whole = reached.baseline or reached.start or math.inf
    # Above a constant answer's loss the weights were thrown, not merely wrong about new data.
    thrown = found.top > THRESHOLDS["thrown"][0] * whole and found.end > THRESHOLDS["left"][0] * whole
    hurt = reached.state in ("none", "some") or thrown
    broken = not math.isfinite(found.end) or (hurt and found.end > 2 * found.low)
    if not broken and found.lost < THRESHOLDS["lost"][0]:
        return Passed(f"{told}; it came back to {found.end:.3g}")
    return _fired(recording, found, told, broken, reached)


def _memory(stream: Stream) -> float:
    """The factor by which the rule forgets squared gradients at each step."""
    groups = (stream.optimizer or {}).get("groups") or ()
    group = groups[0] if groups else {}
    betas, alpha = group.get("betas"), group.get("alpha")
    if isinstance(betas, list | tuple) and len(betas) > 1:
        return min(max(float(betas[1]), 0.0), 0.999999)
    return min(max(float(alpha), 0.0), 0.999999) if isinstance(alpha, int | float) else 0.999


def _divisor(history: Series, memory: float, step: int) -> float:
    """The divisor before a step over its largest so far, followed through the gradients that are known.

    Between two of them the gradient is taken to be the earlier one. The average is debiased, as Adam's is.
    """
    squares, largest, current = 0.0, 0.0, 0.0
    ends = [*list(history.steps)[1:], step]
    for (at, norm), end in zip(history, ends, strict=True):
        kept = memory ** max(1, int(end) - int(at))
        squares = kept * squares + (1 - kept) * norm * norm
        current = math.sqrt(squares / max(1e-300, 1 - memory ** max(1, int(end) - int(history.steps[0]))))
        largest = max(largest, current)
    return current / largest if largest > 0 else 1.0


def _burst(stream: Stream, reached: Progress) -> _Burst | None:
    whole = reached.baseline or reached.start
    if whole is None or not math.isfinite(whole) or whole <= 0 or not reached.course.bounded:
        return None
    course = parts(stream)
    low_at = next((i for i, (_, mean) in enumerate(course) if mean <= THRESHOLDS["low"][0] * whole), None)
    if low_at is None:
        return None
    back_at = next((i for i in range(low_at + 1, len(course)) if course[i][1] >= THRESHOLDS["back"][0] * whole), None)
    if back_at is None:
        return None
    # The burst lies in the part that stands high, or in the one before it: the first step that shows it.
    start, stop = course[back_at - 1][0], course[back_at + 1][0] if back_at + 1 < len(course) else stream.steps
    losses = stream.loss.between(start, stop)
    step = next((int(s) for s, v in losses if not math.isfinite(v) or v >= THRESHOLDS["back"][0] * whole), None)
    if step is None:
        return None
    history = norms(stream).finite()
    before = history.between(course[low_at][0], step)
    around = history.between(max(0, step - 2), step + max(20, (stop - start) // 2))
    usual = history.between(0, course[low_at][0])
    if len(before) < 3 or not around or not usual:
        return None
    stretch = statistics.median(before.values[-5:])
    size = statistics.median(usual.values)
    if stretch <= 0 or size <= 0:
        return None
    flat, gradient = stretch / size, max(around.values) / stretch
    divisor = _divisor(history.between(0, step), _memory(stream), step)
    if flat > THRESHOLDS["flat"][0] or gradient < THRESHOLDS["gradient"][0] or divisor > THRESHOLDS["shrunk"][0]:
        return None
    ratios = step_ratios(stream)
    calm, wild = ratios.between(course[low_at][0], step), ratios.between(step - 2, stop)
    longer = None
    if calm and wild and statistics.median(calm.values) > 0:
        longer = max(wild.values) / statistics.median(calm.values)
        if longer < THRESHOLDS["step"][0]:
            return None
    low = min(mean for _, mean in course[low_at:back_at])
    return _Burst(
        step=step,
        low=low,
        top=max(v for _, v in losses),
        end=course[-1][1],
        flat=flat,
        gradient=gradient,
        divisor=divisor,
        longer=longer,
        lost=sum(mean > THRESHOLDS["back"][0] * whole for _, mean in course[low_at:]) / len(course),
    )


@dataclass(frozen=True)
class _Leap:
    step: int
    top: float


def _leaps(stream: Stream, reached: Progress) -> list[_Leap]:
    """Where the loss leapt, out of a stretch in which it was next to nothing, above that of a constant answer."""
    whole = reached.baseline
    if whole is None or whole <= 0 or not math.isfinite(whole) or not reached.course.bounded:
        return []
    tops: dict[int, float] = {}
    still, above = THRESHOLDS["still"][0] * whole, THRESHOLDS["above"][0] * whole
    stretch = int(THRESHOLDS["stretch"][0])
    calm = start = left = 0  # steps below so far; where the last stretch ended, and how many steps are its own
    values = [value if math.isfinite(value) else math.inf for value in stream.loss.values]
    low = THRESHOLDS["low"][0] * whole
    for place, (step, value) in enumerate(stream.loss):
        if value < still:
            calm += 1
            continue
        if calm >= stretch:
            start, left = int(step), 2 * stretch
        calm = 0
        if left > 0:
            left -= 1
            around = values[max(0, place - 2) : place + 8]
            if values[place] >= above and sum(v >= low for v in around) >= THRESHOLDS["lasts"][0]:
                tops[start] = max(values[place], tops.get(start, 0.0))
    return [_Leap(step, top) for step, top in tops.items()]


def _fired_again(recording: Recording, again: list[_Leap], reached: Progress) -> Fired:
    stream = recording.main
    kind = optimizer_kind(stream)
    top = max(leap.top for leap in again)
    return Fired(
        sentence=f"{len(again)} times the loss leaps out of a stretch where it was next to nothing, up to {top:.3g} where a "
        f"constant answer gives {reached.baseline:.3g}, first at step {again[0].step}: {kind} divides by the recent size of "
        f"the gradient, which shrinks on such a stretch; {reached.sentence}.",
        severity="warning",
        confidence=0.65,
        where=f"step {again[0].step}",
        step=again[0].step,
        evidence={"leaps": len(again), "highest_loss": top, "constant_answer_loss": reached.baseline},
        advice=_advice(recording),
        line=optimizer_line(stream),
    )


def _fired(recording: Recording, found: _Burst, told: str, broken: bool, reached: Progress) -> Fired:
    stream = recording.main
    kind = optimizer_kind(stream)
    times = "" if found.longer is None else f", in steps {found.longer:.2g} times as long as before"
    return Fired(
        sentence=f"{told[0].upper()}{told[1:]}{times}: {kind} divides by the recent size of the gradient, which had shrunk "
        f"to {found.divisor:.1%} of its largest; {reached.sentence}.",
        severity="error" if broken and reached.state == "none" else "warning",
        confidence=0.75,
        where=f"step {found.step}",
        step=found.step,
        evidence={
            "loss_before": found.low,
            "loss_after": found.top,
            "loss_at_end": found.end,
            "gradient_of_stretch_over_usual": found.flat,
            "gradient_over_stretch": found.gradient,
            "divisor_over_largest": found.divisor,
            "step_over_stretch": found.longer,
            "share_lost": found.lost,
        },
        advice=_advice(recording),
        line=optimizer_line(stream),
    )


def _advice(recording: Recording) -> tuple[Advice, ...]:
    line = optimizer_line(recording.main)
    return (
        Advice(
            "raise epsilon",
            "Bound the division: an epsilon of the size of gradients that matter no longer.",
            "eps=1e-4",
            line,
        ),
        Advice(
            "keep the largest denominator",
            "Let the denominator never shrink (Adam and AdamW).",
            "amsgrad=True",
            line,
        ),
        Advice(
            "clip the gradient",
            "Bound the single step: clip the gradient's norm, between backward and step.",
            f"torch.nn.utils.clip_grad_norm_({model_name(recording)}.parameters(), max_norm=1.0)",
        ),
    )
