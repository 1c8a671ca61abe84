"""A sharp minimum: a flatter one was measured to do better on data that was not trained on.

What it means
-------------
Around the point where the run ended the loss rises steeply, and a trial on a copy found a flatter place with the same
training loss and a lower loss on the evaluation data.

Why it hurts
------------
Where the loss rises steeply, data that differs a little from the training data stands higher up. Sharpness as such proves
nothing: rescaling two layers against each other changes it and leaves the network as it was. So only a measured
alternative counts.

How it is judged
----------------
From a probe on a copy, made when asked for: the same number of updates once by the run's own rule and once by
sharpness-aware ones, both judged on evaluation batches. The flatter end must have at most half the sharpness, a training
loss no higher than a tenth above, and an evaluation loss lower by more than two standard errors over the batches.

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
    "training": (1.1, "times the training loss, at most, at the alternative"),
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
    as_low = f["flatter_training"] <= THRESHOLDS["training"][0] * f["training"] + 1e-3
    sure = gain > THRESHOLDS["errors"][0] * f["error"] and gain > THRESHOLDS["gain"][0] * f["evaluation"]
    if not (flatter and as_low and sure):
        return Passed(
            f"the flatter end has curvature {f['flatter_sharpness']:.3g} against {f['sharpness']:.3g} and an evaluation "
            f"loss of {f['flatter_evaluation']:.4g} against {f['evaluation']:.4g}"
        )
    return Fired(
        sentence=f"The largest curvature at the end is {f['sharpness']:.3g}. Sharpness-aware updates on a copy reach a "
        f"place with {f['flatter_sharpness']:.3g}, the training loss {f['flatter_training']:.3g} (here "
        f"{f['training']:.3g}) and the evaluation loss {f['flatter_evaluation']:.4g} instead of {f['evaluation']:.4g} "
        f"(difference {gain:.2g} ± {f['error']:.2g}).",
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
