"""The batch is far above the noise scale: updates are being wasted.

What it means
-------------
One batch's gradient already agrees with the next one's: there is hardly any noise left to average away. Half as many
examples in a step would give the same direction, and twice as many steps for the same work.

Why it hurts
------------
A run of so many epochs makes few steps. If the rate is not raised with the batch, the loss is still on its way down when
the epochs are over.

How it is judged
----------------
By gradients of neighboring steps (see batch-too-small): a batch of 256 examples and more, at most a quarter of the
mean square gradient noise. It is told only where the steps ran out: the loss was still falling at the end and
less than half of the way from a constant answer to a perfect one was made (three tenths by the loss of a classifier,
whose right answers run ahead of it). A warning when there were at most 300
steps, information when there were more.

When it is wrong
----------------
The rate is simply too low; then more steps and a larger rate help alike. A full-batch method by design (line search,
second order). Early in training the gradient is nearly free of noise for every batch; only the first steps of short
runs may have been seen.

What to do
----------
Use smaller batches (a quarter, say), which give more updates in the same number of epochs; or keep the batch and raise the
rate, up to in proportion, with a warm-up.

Sources
-------
McCandlish and others, An empirical model of large-batch training, 2018 (beyond the noise scale examples are
wasted). Keskar and others, On large-batch training, 2017. Goyal and others, 2017 (rate in proportion, warm-up).
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Severity, Skipped
from unstuck.findings.evidence.gradient_noise import gradient_noise
from unstuck.findings.evidence.head import adversarial
from unstuck.findings.evidence.loss_course import LEARNED, WELL, loss_course
from unstuck.findings.evidence.trend import trend
from unstuck.record.recording import Recording

CODE = "B602"
NAME = "batch-too-large"
CLAIM = "batch far above the noise scale: updates are being wasted"
ENABLED = True
SICK = ("examples/sick/b602_digits_whole.py",)
HEALTHY = ("examples/mended/b602_digits_whole.py", "examples/healthy/diabetes_linear.py")
THRESHOLDS = {
    "batch": (256, "examples; smaller ones are in common use whatever their noise"),
    "signal": (0.75, "share of the mean square gradient: the noise scale is a third of the batch or less"),
    "loss_reached": (0.3, "of the way by a classifier's loss alone, which right answers run ahead of"),
    "steps": (300, "few updates: ten epochs of thirty"),
    "samples": (4, "that measured the noise"),
    "steps_least": (12, "for a trend over the last third"),
}


def judge(recording: Recording) -> Answer:
    """Is there noise left to average, and did the steps run out?"""
    stream = recording.main
    if not stream.steps:
        return NotApplicable("no training step was seen")
    noise = gradient_noise(stream)
    if noise is None or noise.samples < THRESHOLDS["samples"][0]:
        return Skipped("the gradient's noise was not measured (it takes several sampled steps in a row)")
    if noise.batch < THRESHOLDS["batch"][0]:
        return Passed(f"batches of {noise.batch:.0f} examples")
    if noise.share < THRESHOLDS["signal"][0]:
        return Passed(f"{1 - noise.share:.0%} of the gradient is noise with {noise.batch:.0f} examples a step")
    if adversarial(recording) or len(stream.loss) < THRESHOLDS["steps_least"][0]:
        return NotApplicable("nothing tells whether more steps would have helped")
    course = loss_course(recording)
    last = trend(stream.loss, stream.steps - max(6, stream.steps // 3), stream.steps)
    behind = course.fall is not None and course.fall < THRESHOLDS["loss_reached"][0]
    short = course.reached is not None and (course.reached < LEARNED or (behind and course.reached < WELL))
    if not short or last is None or last.direction != "falls":
        return Passed(f"little noise with {noise.batch:.0f} examples a step, and the steps did not run out")
    severity: Severity = "warning" if course.steps <= THRESHOLDS["steps"][0] else "info"
    smaller = max(32, int(noise.batch) // 8)
    return Fired(
        sentence=f"Steps of {noise.batch:.0f} examples are {noise.share:.0%} signal: smaller batches would point the same way, "
        f"but the run made only {course.steps} steps and the loss was still falling; {course.sentence}.",
        severity=severity,
        confidence=0.7 if severity == "warning" else 0.4,
        where="the training batches",
        step=int(stream.samples[0]["s"]),
        evidence={
            "examples_in_a_step": noise.batch,
            "signal_share": noise.share,
            "noise_scale": noise.scale,
            "fall_last_third": last.gain,
            **course.evidence(),
        },
        advice=(
            Advice(
                "more steps from the same data",
                f"Use batches of about {smaller}: {int(noise.batch) // smaller} times the steps for the same work. Or raise the "
                "learning rate along with the batch.",
                f"DataLoader(train_set, batch_size={smaller}, shuffle=True)",
            ),
        ),
    )
