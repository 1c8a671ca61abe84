"""The schedule, or AdaGrad's growing denominator, has shrunk the step to nothing while much was left to learn.

What it means
-------------
A learning rate that decays lets the run settle at the end. When it decays too early, the run stops where it
happens to be. AdaGrad divides by the sum of all squared gradients so far, so its step shrinks without any
schedule.

Why it hurts
------------
Steps that change nothing cost as much time as steps that do. The loss stays where it was when the rate died,
above what the network could reach.

How it is judged
----------------
The learning rate (for AdaGrad the measured relative change of the weights) is below a hundredth of its
largest value for more than a third of the run, counted after its peak, so that neither a warm-up nor a cosine
that ends at zero is meant. Before it died, the loss was falling beyond its noise; since then it has not, or
far less. And the run has not come halfway from a constant answer to a perfect one. A run that learned, a long
tail that still improves, and groups of parameters with tiny rates are left alone.

When it is wrong
----------------
A hard task may stop improving for a reason of its own about when the rate decays.

What to do
----------
Let the schedule end when the training ends: set its length to the real number of steps, call it once per
epoch if it counts epochs, or decay by less. For AdaGrad, change to RMSprop or Adam, whose denominator
forgets.

Sources
-------
Duchi, Hazan, Singer, Adaptive subgradient methods, 2011. Zeiler, ADADELTA, 2012 (the shrinking step of
AdaGrad). Loshchilov and Hutter, SGDR, 2017.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.movement import step_ratios
from unstuck.findings.evidence.places import optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import Progress, progress
from unstuck.findings.evidence.trend import trend
from unstuck.record.recording import Recording, Series, Stream

CODE = "U405"
NAME = "step-decayed-away"
CLAIM = "the schedule or AdaGrad's growing denominator has shrunk the step to nothing"
ENABLED = True
SICK = (
    "examples/sick/u405_diabetes_adagrad.py",
    "examples/sick/u405_digits_exponential.py",
)
HEALTHY = (
    "examples/mended/u405_diabetes_adagrad.py",
    "examples/mended/u405_digits_exponential.py",
    "examples/healthy/digits_cnn_cosine.py",
)
THRESHOLDS = {
    "gone": (0.01, "of its peak: a cosine is below that for its last 6 % only, a linear decay for its last 1 %"),
    "tail": (1 / 3, "of the run: longer than the last stage of the usual step schedules"),
    "fewest_steps": (20, "fewer steps have no history before and after"),
    "left": (0.7, "of the starting loss remains, where neither right answers nor a constant answer's loss are known"),
    "sure": (2.0, "standard errors: that the loss was falling only has to be likely, for the rate is known exactly"),
    "at_once": (0.2, "of the run: a rate that is gone by then has left no time to learn in"),
    "early": (0.4, "of the run: of 92 healthy and mended runs none has a rate that goes before .66 of it"),
    "brief": (10, "steps at the full rate: so few show no fall to compare with"),
    "fast": (
        0.2,
        "of the loss that the run ends at, by which it fell over the second half of the time before the first decay",
    ),
    "much": (0.1, "of a constant answer's loss, that is left at the end"),
    "slower": (0.2, "of the earlier rate of fall, at most, since the step died"),
}


def judge(recording: Recording) -> Answer:
    """A step that died early, a loss that was falling until then, and a run that is not done."""
    stream = recording.main
    if not stream.learning_rate:
        return Skipped("no learning rate was recorded")
    n = stream.steps
    if n < THRESHOLDS["fewest_steps"][0]:
        return Skipped(f"only {n} steps")
    by_rate = _died(_effective(stream))
    adagrad = optimizer_kind(stream) == "Adagrad"
    by_change = _died(step_ratios(stream)) if adagrad and by_rate is None else None
    died = by_rate if by_rate is not None else by_change
    if died is None:
        if min(stream.learning_rate.values) == max(stream.learning_rate.values) and not adagrad:
            return NotApplicable("the learning rate is constant")
        return Passed(f"the learning rate ends at {stream.learning_rate.last:.3g}")
    step, peak, last = died
    if (n - step) < THRESHOLDS["tail"][0] * n:
        return Passed(f"the rate falls below a hundredth of its peak only at step {step} of {n}")
    reached = progress(recording)
    learned = reached.state == "learned" and not reached.lagging
    if learned and not _cut_short(stream, reached, step, n):
        return Passed(f"the rate is gone from step {step} on, and the run has learned: {reached.sentence}")
    before = trend(stream.loss, max(0, step - (n - step)), step) or trend(stream.loss, 0, step)
    whole_before = trend(stream.loss, 0, step)
    after = trend(stream.loss, step, n)
    if after is None or (before is None and whole_before is None and step >= 6):
        return Skipped("too few losses before or after the rate decayed")
    if reached.state == "unknown" and not _little_gained(reached):
        return Passed(f"the rate is gone from step {step} on, and the loss had come down by then: {reached.sentence}")
    sure = THRESHOLDS["sure"][0]
    falling = [t for t in (before, whole_before) if t is not None and t.gain > max(0.0, sure * t.error)]
    # A rate that died within the first few updates leaves no history: then the run has not begun.
    never_began = step < max(6, THRESHOLDS["at_once"][0] * n) and reached.state == "none"
    if not falling and not never_began:
        return Passed("the loss was not falling when the rate decayed")
    if falling:
        speed = falling[0].gain / max(1, falling[0].stop - falling[0].start)
        now = after.gain / max(1, after.stop - after.start)
        if now > THRESHOLDS["slower"][0] * speed:
            return Passed("the loss still falls at the small rate")
    what = "learning rate" if by_rate is not None else "relative change per step (AdaGrad's denominator)"
    fell = f"; it was falling by {falling[0].gain:.3g} ± {falling[0].error:.2g} before" if falling else ""
    return Fired(
        sentence=f"The {what} falls below a hundredth of its peak of {peak:.3g} at step {step} of {n} and ends at "
        f"{last:.2g}; from there on the loss changes by {-after.gain:+.2g} ± {after.error:.2g}{fell}; "
        f"{reached.sentence}.",
        severity="error" if reached.state == "none" else "warning",
        confidence=0.65 if learned else 0.85 if falling else 0.7,
        where="learning rate" if by_rate is not None else "Adagrad",
        step=step,
        evidence={
            "peak": peak,
            "last": last,
            "gone_at_step": step,
            "steps": n,
            "fall_before": falling[0].gain if falling else None,
            "fall_after": after.gain,
        },
        advice=_advice(stream, by_rate is not None, n),
        line=optimizer_line(stream),
    )


def _cut_short(stream: Stream, reached: Progress, step: int, n: int) -> bool:
    """The rate was gone early in the run, the loss fell fast until it was lowered, and much of it is left."""
    level, start = reached.end, reached.baseline
    if step > THRESHOLDS["early"][0] * n or level is None or start is None or level <= THRESHOLDS["much"][0] * start:
        return False
    peak = max(stream.learning_rate.values)
    lowered = next((int(s) for s, rate in stream.learning_rate if s > 0 and rate < 0.5 * peak), step)
    if lowered < THRESHOLDS["brief"][0] and step < THRESHOLDS["at_once"][0] * n:
        return True
    fall = trend(stream.loss, lowered // 2, lowered)
    return fall is not None and fall.gain > max(THRESHOLDS["fast"][0] * level, 3 * fall.error)


def _effective(stream: Stream) -> Series:
    """The learning rate that the rule really uses: Adagrad's own decay divides it by 1 + decay × step."""
    groups = (stream.optimizer or {}).get("groups") or ()
    decay = groups[0].get("lr_decay") if groups else None
    if any(len(rates) > 1 for _, rates in stream.learning_rates):
        return _largest(stream)
    if not isinstance(decay, int | float) or decay <= 0:
        return stream.learning_rate
    return Series(list(stream.learning_rate.steps), [rate / (1 + decay * step) for step, rate in stream.learning_rate])


def _largest(stream: Stream) -> Series:
    """The largest rate of all groups at every step: a group that is held still does not stop the others."""
    changes = sorted(stream.learning_rates, key=lambda change: change[0])
    values: list[float] = []
    position = 0
    current = max(changes[0][1], default=0.0)
    for step in stream.learning_rate.steps:
        while position < len(changes) and changes[position][0] <= step:
            current = max(changes[position][1], default=current)
            position += 1
        values.append(float(current))
    return Series(list(stream.learning_rate.steps), values)


def _little_gained(reached: Progress) -> bool:
    """The loss ends near its start; used where nothing better is known."""
    start, end = reached.start, reached.end
    return start is not None and end is not None and start > 0 and end > THRESHOLDS["left"][0] * start


def _died(series: Series) -> tuple[int, float, float] | None:
    """From which step on the series stays below a hundredth of its peak: (step, peak, last value)."""
    known = series.finite()
    if len(known) < 4:
        return None
    peak = max(known.values)
    if peak <= 0 or known.last >= THRESHOLDS["gone"][0] * peak:
        return None
    died = known.steps[-1]
    for step, value in zip(reversed(list(known.steps)), reversed(list(known.values)), strict=True):
        if value >= THRESHOLDS["gone"][0] * peak:
            break
        died = step
    return int(died), float(peak), float(known.last)


def _advice(stream: Stream, scheduled: bool, n: int) -> tuple[Advice, ...]:
    line = optimizer_line(stream)
    if scheduled:
        return (
            Advice(
                "stretch the schedule",
                f"The run has {n} steps: let the schedule end there, and step it once per epoch if it counts epochs.",
                f"torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max={n})  # stepped after every batch",
                line,
            ),
        )
    return (
        Advice(
            "a denominator that forgets",
            "RMSprop and Adam average the squared gradients instead of summing them, so their step does not die.",
            "torch.optim.Adam(params, lr=1e-3)",
            line,
        ),
    )
