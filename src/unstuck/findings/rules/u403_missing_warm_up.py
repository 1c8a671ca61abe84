"""The first steps are unstable at the full learning rate, as a warm-up would prevent.

What it means
-------------
At the start a rule knows little: Adam and RMSprop have seen few gradients to divide by, a transformer that normalizes
after each block has its largest gradients now. The same rate that is right for the rest of the run is too long for
these steps. A warm-up begins with small steps and reaches the full rate after some hundred.

Why it hurts
------------
A few steps at the start throw the weights to a place with saturated or dead units, or with gradients that vanish on
their way back. The run never comes back from there, though its later steps are sound.

How it is judged
----------------
The rate must be within a factor of three of what is usual for the optimizer (beyond that it is just too long) and
must stand at its full height from the first step on; a look at the curvature, where there was one, must not have found
it below a twentieth of the longest stable one; and the run must not have come halfway. Then either sign
is enough. First: the loss leaps to more than half above its first value within the first steps, and the largest
relative change of the weights in the first five steps is more than five times that of later steps at the same rate,
so that only the first steps were long. Second: a network of attention blocks that normalize after each block, trained
by an adaptive rule at a rate above 3e-4, that has learned next to nothing.

When it is wrong
----------------
The first gradients may be large because of the data or the initial weights; those findings come first when their own
evidence is there. That a warm-up cures it is not shown by watching; a replay would show it.

What to do
----------
Let the rate rise from nearly nothing over the first few hundred steps (for RMSprop over about 1 / (1 − alpha) steps).
In transformers normalize before each block instead.

Sources
-------
Goyal and others, Accurate, large minibatch SGD, 2017. Liu and others, On the variance of the adaptive learning rate
and beyond (RAdam), 2020. Xiong and others, On layer normalization in the transformer architecture, 2020. Google's
Deep Learning Tuning Playbook, 2023 (warm-up is its first remedy for instability).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.curvature import ROOM, steepness
from unstuck.findings.evidence.movement import median, rate_is_unusual, step_ratios
from unstuck.findings.evidence.places import optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import Progress, progress
from unstuck.findings.evidence.rate_course import RateCourse, rate_course
from unstuck.record.recording import Recording, Stream

CODE = "U403"
NAME = "missing-warm-up"
CLAIM = "instability of the first steps that a warm-up cures"
ENABLED = True
SICK = ("examples/sick/u403_digits_rmsprop.py",)
HEALTHY = (
    "examples/mended/u403_digits_rmsprop.py",
    "examples/healthy/docs_char_gpt.py",
)
THRESHOLDS = {
    "usual": (3.0, "times the largest rate in common use: above that the rate itself is too long, and U401 speaks"),
    "full": (0.5, "of the largest rate at the first step: a warm-up begins far below"),
    "leap": (
        1.5,
        "times the first loss within the first steps; in 92 healthy and mended runs at most 1.75, and all learn",
    ),
    "first_steps": (30, "steps that a leap of the start shows in"),
    "longer": (
        5.0,
        "times the later relative change; the same runs have up to 29 as they converge, but 7 at most after a leap",
    ),
    "attention_rate": (3e-4, "usual peak of the rate for small transformers with warm-up"),
    "fewest_steps": (60, "fewer steps do not tell that the run never came back"),
}
_ADAPTIVE = ("Adam", "AdamW", "NAdam", "RMSprop", "Adamax", "Adafactor")


@dataclass(frozen=True)
class _Start:
    leap: float  # highest early loss over the first one
    leap_step: int
    early: float  # largest relative change in the first five steps
    later: float  # median of the later ones at about the same rate


def judge(recording: Recording) -> Answer:
    """A full rate from the first step on, a start that went wrong, later steps that are sound."""
    stream = recording.main
    course = rate_course(stream)
    if course is None:
        return NotApplicable("no learning rate was recorded")
    if stream.steps < THRESHOLDS["fewest_steps"][0] or len(stream.loss) < 20:
        return Skipped(f"only {stream.steps} steps")
    if course.first < THRESHOLDS["full"][0] * course.peak:
        return Passed(f"the rate rises from {course.first:.2g} to {course.peak:.2g}")
    reached = progress(recording)
    if reached.state == "unknown":
        return Skipped(f"whether the start did harm is not known: {reached.sentence}")
    if reached.state == "learned":
        return Passed(f"the start did no lasting harm: {reached.sentence}")
    kind = optimizer_kind(stream)
    unusual = rate_is_unusual(stream, course.peak)
    if unusual is not None and unusual > THRESHOLDS["usual"][0]:
        return Passed(f"the rate of {course.peak:g} is out of the usual for every step, not for the first ones only")
    steep = steepness(recording)
    if steep is not None and steep[0] < ROOM:
        return Passed(f"the rate stands at {steep[0]:.2g} of the longest stable one: shorter first steps cure nothing")
    start = _start(stream, course)
    if start is not None and start.leap >= THRESHOLDS["leap"][0] and _sane(stream, reached):
        ratio = start.early / start.later if start.later > 0 else math.inf
        if ratio >= THRESHOLDS["longer"][0]:
            return _fired(recording, course, reached, start)
    blocks = _attention(recording)
    if blocks and kind in _ADAPTIVE and course.peak > THRESHOLDS["attention_rate"][0] and reached.state == "none":
        return _transformer(recording, course, reached, blocks)
    if start is None:
        return Skipped("the changes of the weights in the first steps were not measured")
    return Passed(
        f"the loss rises to {start.leap:.2g} times its first value at most, and the first steps change the weights by "
        f"{start.early:.2g}, later ones by {start.later:.2g}"
    )


def _start(stream: Stream, course: RateCourse) -> _Start | None:
    ratios = step_ratios(stream)
    rates = dict(stream.learning_rate)
    early = [r for s, r in ratios if s < 5]
    later = [r for s, r in ratios if s >= 10 and rates.get(s, 0.0) >= 0.3 * course.peak]
    losses = stream.loss.between(0, int(THRESHOLDS["first_steps"][0]))
    if not early or len(later) < 3 or not losses or not math.isfinite(losses.first) or losses.first <= 0:
        return None
    highest, step = max((v if math.isfinite(v) else math.inf, s) for s, v in losses)
    return _Start(highest / losses.first, int(step), max(early), median(later))


def _sane(stream: Stream, reached: Progress) -> bool:
    """The first loss is about that of a constant answer: the initial weights are not at fault."""
    return reached.baseline is None or stream.loss.first <= 5 * reached.baseline


def _attention(recording: Recording) -> int:
    """How many blocks of attention normalize after themselves, as far as torch's own blocks tell."""
    count = 0
    for model in recording.models:
        for module in model.get("modules") or ():
            options = module.get("options")
            if str(module.get("kind")) in ("TransformerEncoderLayer", "TransformerDecoderLayer"):
                count += isinstance(options, Mapping) and options.get("norm_first") is False
    return count


def _fired(recording: Recording, course: RateCourse, reached: Progress, start: _Start) -> Fired:
    stream = recording.main
    leap = f"{start.leap:.3g} times its first value" if math.isfinite(start.leap) else "infinity"
    return Fired(
        sentence=f"The learning rate stands at {course.first:g} from the first step on, and the first steps are unstable: "
        f"they change the weights by up to {start.early:.1%}, later ones at the same rate by {start.later:.2%}, and the "
        f"loss leaps to {leap} by step {start.leap_step}; {reached.sentence}.",
        severity="error" if reached.state == "none" else "warning",
        confidence=0.8,
        where=f"{optimizer_kind(stream) or 'the optimizer'}(lr={course.first:g})",
        step=0,
        evidence={
            "learning_rate": course.first,
            "loss_leap": start.leap,
            "relative_change_first": start.early,
            "relative_change_later": start.later,
        },
        advice=_advice(stream),
        line=optimizer_line(stream),
    )


def _transformer(recording: Recording, course: RateCourse, reached: Progress, blocks: int) -> Fired:
    stream = recording.main
    kind = optimizer_kind(stream)
    return Fired(
        sentence=f"{blocks} blocks of attention that normalize after themselves are trained with {kind} at a rate of "
        f"{course.first:g} from the first step on: such networks need a warm-up; {reached.sentence}.",
        severity="warning",
        confidence=0.6,
        where=f"{kind}(lr={course.first:g})",
        step=0,
        evidence={"learning_rate": course.first, "blocks": blocks},
        advice=(
            *_advice(stream),
            Advice("normalize first", "Normalize before each block instead of after it.", "norm_first=True"),
        ),
        line=optimizer_line(stream),
    )


def _advice(stream: Stream) -> tuple[Advice, ...]:
    groups = (stream.optimizer or {}).get("groups") or ()
    alpha = groups[0].get("alpha") if groups else None
    steps = max(1, min(300, stream.steps // 10))
    if isinstance(alpha, float) and 0 < alpha < 1:
        steps = max(100, min(2000, round(1 / (1 - alpha))))
    return (
        Advice(
            "warm up",
            f"Let the learning rate rise from nearly nothing to its value over the first {steps} steps.",
            f"scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters={steps})\n"
            "# after every optimizer.step():\nscheduler.step()",
            optimizer_line(stream),
        ),
    )
