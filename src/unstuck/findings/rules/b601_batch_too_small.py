"""The gradient is mostly noise: the batch is far below the measured noise scale.

What it means
-------------
Each step sees so few examples that its gradient points mostly where these few happen to pull. The mean gradient, the
part that all batches share, is a small fraction of what is applied.

Why it hurts
------------
The steps shake the weights more than they move them. With a constant rate the loss hovers at a level that the noise
sets, and far below a useful batch size the hardware idles. The rate must be lowered in proportion, or more
examples averaged.

How it is judged
----------------
By gradients of neighboring steps: their inner product estimates the squared mean gradient, and its share in the
mean square gives the noise scale, the batch size at which noise and signal are equal. Told only for batches of at most
eight examples whose noise scale is ten times the batch and more. That alone is information, since small batches are slow
rather than wrong. It is a warning when the harm was measured: at most four examples, a noise scale four times
the batch (at the start, or in the batches kept at the end), the loss stands still over the last third of the
steps without having diverged, less than half of the way from a constant answer to a perfect one was made, the rate was
not lowered to a tenth, and the noise is seen to keep a sixteenth of the loss up, to make it wander by as much, or to
have taken back half of what was gained.

When it is wrong
----------------
At the end of every training the mean gradient vanishes and all is noise; that is why a run that learned well gets
nothing, and one on text, of which nobody knows how much can be learned, no warning. Targets that are noisy themselves
leave a loss that no batch size lowers. Another fault that stops the
learning (units that died) also leaves nothing but noise.

What to do
----------
Take 32 examples and more, or accumulate gradients over several batches before a step. Or lower the rate along the run.

Sources
-------
McCandlish and others, An empirical model of large-batch training, 2018, section 2.2 (noise scale, critical batch size).
Masters and Luschi, Revisiting small batch training, 2018 (batches of 2 to 32 are fine with a fitting rate).
"""

from __future__ import annotations

import math
from dataclasses import replace

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Severity, Skipped
from unstuck.findings.evidence.feeding import reads_tokens
from unstuck.findings.evidence.gradient_noise import gradient_noise
from unstuck.findings.evidence.head import adversarial
from unstuck.findings.evidence.hovering import at_the_end, hovering, kept_up
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.findings.evidence.trend import trend
from unstuck.record.recording import Recording

CODE = "B601"
NAME = "batch-too-small"
CLAIM = "the gradient is mostly noise: batch far below the measured noise scale"
ENABLED = True
SICK = ("examples/sick/b601_diabetes_single.py",)
HEALTHY = ("examples/mended/b601_diabetes_single.py", "examples/healthy/noisy_labels.py")
THRESHOLDS = {
    "batch": (8, "examples; batches of 16 and more are in common use and not called small, whatever their noise"),
    "harmful": (4, "examples at most for a warning"),
    "noise": (10, "times the batch, the noise scale: nine tenths of the mean square gradient are noise"),
    "noise_harmful": (4, "times the batch, where the harm shows as well: four fifths are noise"),
    "costs": (1 / 16, "of the loss, that the noise of the steps keeps up or makes it wander"),
    "as_much": (2, "times that: what the run has gained on a constant answer, noise has taken half as much of it back"),
    "lowered": (0.1, "of the highest rate: the steps' noise has gone down with it"),
    "samples": (4, "that measured the noise"),
}


def judge(recording: Recording) -> Answer:
    """How much of the gradient is noise, and did that stop the run?"""
    stream = recording.main
    if not stream.steps:
        return NotApplicable("no training step was seen")
    noise = gradient_noise(stream)
    if noise is None or noise.samples < THRESHOLDS["samples"][0]:
        return Skipped("the gradient's noise was not measured (it takes several sampled steps in a row)")
    late = at_the_end(recording)
    if late is not None and noise.batch <= THRESHOLDS["harmful"][0] and late[1] < noise.share:
        noise = replace(noise, share=late[1])  # the first gradients agree more than those where it stands
    if noise.batch > THRESHOLDS["batch"][0]:
        return Passed(f"batches of {noise.batch:.0f} examples; about {noise.share:.0%} of the gradient is signal")
    if noise.scale < THRESHOLDS["noise_harmful"][0] * noise.batch:
        return Passed(f"about {noise.share:.0%} of the gradient is signal, with {noise.batch:.0f} examples a step")
    if adversarial(recording):
        return NotApplicable("two networks against each other: their gradients turn by design")
    course = loss_course(recording)
    if course.diverged:
        return Passed("the loss diverged, which noise alone does not do")
    if course.outcome in ("well", "unknown"):
        return Passed(f"mostly noise with {noise.batch:.0f} examples a step, yet {course.sentence}")
    last = trend(stream.loss, stream.steps - max(6, stream.steps // 3), stream.steps)
    stands = last is not None and last.direction != "falls"
    few = noise.batch <= THRESHOLDS["harmful"][0] and not reads_tokens(recording)
    severity: Severity = "warning" if few and course.hurt and stands and _costs(recording) else "info"
    if severity == "info" and noise.scale < THRESHOLDS["noise"][0] * noise.batch:
        return Passed(f"about {noise.share:.0%} of the gradient is signal, with {noise.batch:.0f} examples a step")
    scale = f"about {noise.scale:.0f} examples" if math.isfinite(noise.scale) else "more examples than can be measured"
    return Fired(
        sentence=f"Steps of {noise.batch:.0f} example{'s' if noise.batch != 1 else ''} are {1 - noise.share:.0%} noise: noise "
        f"and signal would be equal at {scale}"
        + (", and the loss no longer falls" if stands else "")
        + f"; {course.sentence}.",
        severity=severity,
        confidence=0.65 if severity == "warning" else 0.4,
        where="the training batches",
        step=int(stream.samples[0]["s"]),
        evidence={
            "examples_in_a_step": noise.batch,
            "signal_share": noise.share,
            "noise_scale": noise.scale if math.isfinite(noise.scale) else None,
            **course.evidence(),
        },
        advice=(
            Advice(
                "average more examples",
                "Use batches of 32 and more, or step once for several backward passes, or lower the rate over time.",
                "DataLoader(train_set, batch_size=32, shuffle=True)",
            ),
        ),
    )


def _costs(recording: Recording) -> bool:
    """Whether the noise of the steps is seen to keep the loss up. Targets that no model can tell make noise as well, but
    once the rate has been lowered, or where the loss itself stands still, there is nothing left to gain by averaging."""
    stream = recording.main
    rates = stream.learning_rate.finite().values
    if len(rates) and rates[-1] < THRESHOLDS["lowered"][0] * max(rates):
        return False
    start = stream.steps - max(6, stream.steps // 3)
    kept, hover = kept_up(recording, start, stream.steps), hovering(stream.loss, start, stream.steps)
    if kept is None and hover is None:
        return True  # too short a run to tell
    excess = max(kept.excess if kept is not None else 0.0, hover.wander if hover is not None else 0.0)
    course = loss_course(recording)
    level = hover.level if hover is not None else course.end or math.inf
    gained = (course.baseline or -math.inf) - level
    return excess >= THRESHOLDS["costs"][0] * abs(level) or 0 < gained <= THRESHOLDS["as_much"][0] * excess
