"""The run stands at a saddle: there is a way down, and the gradient does not show it.

What it means
-------------
The gradient cannot be told from zero, the loss surface curves downward along some direction, and a step along that
direction was measured to lower the loss. The finding carries that measurement; negative curvature alone is not one, for
nearly every network that trains well has some.

Why it hurts
------------
Gradient descent leaves a saddle only as fast as the part of its position along the way out grows, which starts from
rounding. Until then the loss stands still for as long as one likes, and the run looks finished.

How it is judged
----------------
From the look at kept batches that the watcher takes on a copy of the model. The gradient must be zero to rounding or
within the noise of at least four batches, the smallest eigenvalue of the Hessian certified negative, and the drop along
its eigenvector more than three times the loss's own noise, of which the gradient explains at most half. In a run that has
learned the same measurement is only told, not warned of.

When it is wrong
----------------
The drop is measured on the batches that were kept. With few of them it can be theirs alone.

What to do
----------
Step along the direction of negative curvature once (``unstuck.escape``). Noise helps too: smaller batches, or a random
step before going on. A start that breaks the symmetry avoids most saddles.

Sources
-------
Dauphin et al., Identifying and attacking the saddle point problem, 2014. Jin et al., How to escape saddle points
efficiently, 2017. Ge et al., Escaping from saddle points, 2015.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, Passed, Skipped
from unstuck.findings.evidence.curvature import FEWEST_PARTS, last_look, measured_verdict, why_not
from unstuck.findings.evidence.places import model_line, model_name
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Recording

CODE = "C501"
NAME = "saddle-point"
CLAIM = "the gradient is zero within its noise, and a step along negative curvature was measured to lower the loss"
ENABLED = True
SICK = ("examples/sick/c501_exclusive_or.py",)
HEALTHY = ("examples/mended/c501_exclusive_or.py", "examples/healthy/diabetes_linear.py")
THRESHOLDS = {
    "loss_errors": (3, "standard errors of the loss that the drop must exceed; set where the verdict is measured"),
    "slope_share": (0.5, "of the drop that the gradient may explain; stalled networks .08 to .18, healthy ones 18 up"),
    "parts": (FEWEST_PARTS, "batches: from fewer, a standard error is hardly known"),
}


def judge(recording: Recording) -> Answer:
    """Is the measured verdict a saddle?"""
    look = last_look(recording)
    if look is None:
        return Skipped(why_not(recording))
    verdict = measured_verdict(recording)
    if verdict is None or verdict.state != "saddle":
        smallest = look.data.get("smallest")
        curve = f"; the smallest curvature is {smallest:.3g}" if isinstance(smallest, float) else ""
        return Passed(f"the look at step {look.step} found {look.data['state']}{curve}")
    reached = progress(recording)
    keys = ("loss", "gradient_norm", "gradient_noise", "smallest_eigenvalue", "largest_eigenvalue", "escape_gain",
            "curvature_gain", "escape_step", "slope_share")  # fmt: skip
    model = model_name(recording)
    return Fired(
        sentence=f"{verdict.sentence} {reached.sentence[:1].upper()}{reached.sentence[1:]}.",
        severity="info" if reached.state == "learned" else "error" if reached.state == "none" else "warning",
        confidence=0.9 if reached.state != "learned" else 0.5,
        where=model,
        step=look.step,
        evidence={key: verdict.evidence.get(key) for key in keys},
        advice=(
            Advice(
                "escape",
                "Take one step along the direction of negative curvature, measured to lower the loss, and train on.",
                f"unstuck.escape({model}, loss_fn, data)  # moves the parameters of {model}",
                model_line(recording),
            ),
            Advice(
                "noise",
                "Train with smaller batches, or add a little noise to the weights once: chance finds the way out.",
            ),
        ),
        line=model_line(recording),
        basis="probed",
    )
