"""The run stands on a flat stretch of the loss surface.

What it means
-------------
The gradient is zero to rounding, some directions have no curvature at all and the loss is constant along them: nothing
tells downhill from uphill here. The way down, if there is one, begins farther off.

Why it hurts
------------
Steps are proportional to the gradient; without one they have no length. Adaptive rules divide by the gradient's size and
walk at random instead.

How it is judged
----------------
From the look at kept batches that the watcher takes on a copy of the model: the verdict is flat, and the run has not
learned. Why a network is flat is another finding's matter: dead or saturated units, a start that is too small.

When it is wrong
----------------
A run whose loss is exactly zero stands on a flat stretch as well, and wants nothing more.

What to do
----------
Find what flattened it: see the findings beside this one. Otherwise start anew from larger weights, or with units that do
not saturate.

Sources
-------
Hochreiter and Schmidhuber, Flat minima, 1997 (for the term). Glorot and Bengio, Understanding the difficulty of training
deep feedforward neural networks, 2010.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, Passed, Skipped
from unstuck.findings.evidence.curvature import last_look, measured_verdict, why_not
from unstuck.findings.evidence.places import model_line, model_name
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Recording

CODE = "C503"
NAME = "flat-region"
CLAIM = "gradient and curvature are zero in some directions, and probing them did not lead down"
ENABLED = True
SICK = ("examples/sick/c503_iris_far_out.py",)
HEALTHY = ("examples/mended/c503_iris_far_out.py", "examples/healthy/diabetes_linear.py")
THRESHOLDS = {
    "gradient": (1.5e-8, "of the curvature, in float32's square root of rounding: set where the verdict is measured"),
}


def judge(recording: Recording) -> Answer:
    """Is the measured verdict flat?"""
    look = last_look(recording)
    if look is None:
        return Skipped(why_not(recording))
    verdict = measured_verdict(recording)
    if verdict is None or verdict.state != "flat":
        return Passed(f"the look at step {look.step} found {look.data['state']}, not a flat stretch")
    reached = progress(recording)
    if reached.state == "learned":
        return Passed(f"flat, at a loss that wants nothing more: {reached.sentence}")
    return Fired(
        sentence=f"{verdict.sentence} {reached.sentence[:1].upper()}{reached.sentence[1:]}.",
        severity="warning",
        confidence=0.7,
        where=model_name(recording),
        step=look.step,
        evidence={
            key: verdict.evidence.get(key)
            for key in (
                "loss",
                "gradient_norm",
                "largest_eigenvalue",
                "smallest_eigenvalue",
                "zero_share",
                "probe_radius",
            )
        },
        advice=(
            Advice("other-start", "Start again from weights of the usual scale, so that no unit begins on a flat end."),
            Advice("other-units", "Use units that do not saturate, and a loss that stays steep where it is large."),
        ),
        line=model_line(recording),
        basis="probed",
    )
