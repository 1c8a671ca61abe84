"""A sharp minimum: a flatter one was measured to do better on data that was not trained on.

What it means
-------------
This model on this data ends where the loss rises steeply around, and a trial on copies found a flatter place that does
better on batches neither copy had seen.

Why it hurts
------------
Where the loss rises steeply, data that differs a little from the training data stands higher up. Sharpness as such proves
nothing: rescaling two layers against each other changes it and leaves the network as it was. So only a measured
alternative counts.

How it is judged
----------------
From a probe on fresh copies, made when asked for (``--probe``): updates by Adam on half of the kept batches, once plain
and once sharpness-aware, both judged on the other half. The flatter end must have at most half the sharpness and an
evaluation loss lower by more than two standard errors over the batches, and by a twentieth.

When it is wrong
----------------
Few evaluation batches make a difference look sure that is not.

What to do
----------
Train with sharpness-aware minimization or average the weights of the last epochs; a higher rate or smaller batches keep
a run out of sharp places as well.

Sources
-------
Keskar et al., On large-batch training for deep learning, 2017. Dinh et al., Sharp minima can generalize for deep nets,
2017 (why sharpness alone is no proof). Foret et al., Sharpness-aware minimization, 2021.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, Passed, Skipped
from unstuck.findings.evidence.commands import run_with_probe
from unstuck.findings.evidence.places import model_name, optimizer_line
from unstuck.findings.evidence.probe_results import figure, probe_result
from unstuck.record.recording import Recording

CODE = "C505"
NAME = "sharp-minimum"
CLAIM = "sharpness high enough to cost generalization, against a measured flatter alternative"
ENABLED = True
SICK = ("examples/sick/c505_digits_few.py",)
HEALTHY = ("examples/mended/c505_digits_few.py",)
THRESHOLDS = {
    "flatter": (0.5, "of the sharpness, at most, at the alternative"),
    "errors": (2.0, "standard errors by which its evaluation loss must be lower, paired over batches"),
    "gain": (0.05, "of the evaluation loss, that the alternative must gain, so that it matters"),
}


def judge(recording: Recording) -> Answer:
    """Did a probe find a flatter place that does better?"""
    result = probe_result(recording, "flatter-alternative")
    if result is None:
        return Skipped(f"needs a trial on a copy: {run_with_probe(recording)}")
    if result.get("unseen"):
        return Skipped(str(result["unseen"]))
    names = (
        "sharpness",
        "flatter_sharpness",
        "training",
        "flatter_training",
        "evaluation",
        "flatter_evaluation",
        "error",
    )
    figures = {name: figure(result, name) for name in names}
    if any(value is None for value in figures.values()):
        return Skipped("the trial on a copy came to no numbers")
    f = {name: value for name, value in figures.items() if value is not None}
    gain = f["evaluation"] - f["flatter_evaluation"]
    flatter = f["flatter_sharpness"] <= THRESHOLDS["flatter"][0] * f["sharpness"]
    sure = gain > THRESHOLDS["errors"][0] * f["error"] and gain > THRESHOLDS["gain"][0] * f["evaluation"]
    if not (flatter and sure):
        return Passed(
            f"the flatter end has curvature {f['flatter_sharpness']:.3g} against {f['sharpness']:.3g} and an evaluation "
            f"loss of {f['flatter_evaluation']:.4g} against {f['evaluation']:.4g}"
        )
    return Fired(
        sentence=f"A copy trained on half of the kept batches ends at a largest curvature of {f['sharpness']:.3g}, one "
        f"trained by sharpness-aware updates at {f['flatter_sharpness']:.3g}. On the other half the flatter one has a loss "
        f"of {f['flatter_evaluation']:.4g} instead of {f['evaluation']:.4g} (difference {gain:.2g} ± {f['error']:.2g}; in "
        f"training {f['flatter_training']:.3g} instead of {f['training']:.3g}).",
        severity="warning",
        confidence=0.7,
        where=model_name(recording),
        step=recording.main.steps,
        evidence={**f, "gain": gain},
        advice=(
            Advice(
                "sharpness-aware",
                "Minimize the worst loss nearby instead of the loss.",
                "optimizer = unstuck.optim.SAM(optimizer)",
                optimizer_line(recording.main),
            ),
            Advice(
                "average-weights", "Average the weights over the last epochs (SWA) and refresh the batch statistics."
            ),
        ),
        line=optimizer_line(recording.main),
        basis="probed",
    )
