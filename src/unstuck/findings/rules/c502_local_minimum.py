"""The run stands at a minimum, and the loss there is high.

What it means
-------------
The gradient is zero within its noise, or a descent along it gains less than a thousandth of the loss; and no direction was
found that leads down: no curvature below the stated bound, with the stated probability, and no lower loss among the samples
around. Yet other starts of the same model lead lower on the same examples, or the loss is hardly below that of a constant
answer, or well above what this very run had reached before.

Why it hurts
------------
No optimizer that only goes downhill leaves it, with whatever patience. More steps are wasted.

How it is judged
----------------
From the look at kept batches that the watcher takes on a copy of the model. The verdict must be a minimum. For stuck models
of up to 400 parameters, descents from up to 64 newly drawn starts follow, for some seconds: one must end lower by a
tenth of a constant answer's loss. Where none was made, the loss must still have more than half the way before it from a
constant answer to none, or stand at twice the lowest level that the run held over a tenth of its steps.

When it is wrong
----------------
The data may allow no better: noise in the targets sets a floor under every loss. Then a minimum is the success.

What to do
----------
Start again from other weights, with a wider network or another activation (leaky units leave no flat valleys behind). If
another start ends equally high, look at the data and the loss, not at the optimizer.

Sources
-------
Safran and Shamir, Spurious local minima are common in two-layer ReLU networks, 2018. Yun, Sra and Jadbabaie, Small
nonlinearities in activation functions create bad local minima, 2019.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, Passed, Skipped
from unstuck.findings.evidence.curvature import last_look, measured_verdict, next_to, other_starts, why_not
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.places import model_line, model_name
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Recording, Stream

CODE = "C502"
NAME = "local-minimum"
CLAIM = "the run stands at a minimum whose loss is above what it had reached, or hardly below a constant answer's"
ENABLED = True
SICK = ("examples/sick/c502_step_function.py",)
HEALTHY = ("examples/mended/c502_step_function.py", "examples/healthy/diabetes_linear.py")
THRESHOLDS = {
    "above_lowest": (2.0, "times the lowest level of an earlier tenth of the run: noise between tenths is far less"),
    "lower": (0.1, "of a constant answer's loss, by which another start must end lower: below, seeds differ"),
    "starts": (8, "other starts, none of them lower: then this minimum is what the model gives"),
    "remains": (0.5, "of a constant answer's loss that must be left; half the way is called learned throughout"),
}


def judge(recording: Recording) -> Answer:
    """Is the measured verdict a minimum, and the loss high?"""
    look = last_look(recording)
    if look is None:
        return Skipped(why_not(recording))
    verdict = measured_verdict(recording)
    if verdict is None or verdict.state != "minimum":
        return Passed(f"the look at step {look.step} found {look.data['state']}, not a minimum")
    reached = progress(recording)
    here = number(verdict.evidence.get("loss"))
    if here is None or not reached.course.bounded:
        return Passed("a minimum of a loss that can be negative: nothing says how low it could be")
    lowest = _lowest_tenth(recording.main)
    fallen_back = lowest is not None and lowest > 0 and here > THRESHOLDS["above_lowest"][0] * lowest
    high = reached.state in ("none", "some") and (
        reached.baseline is None or here > THRESHOLDS["remains"][0] * reached.baseline
    )
    others = other_starts(recording)
    unit = reached.baseline if reached.baseline is not None else reached.start
    lower = others is not None and unit is not None and here - others.lowest > THRESHOLDS["lower"][0] * abs(unit)
    if not fallen_back and not lower and others is not None and others.starts >= THRESHOLDS["starts"][0]:
        return Passed(f"a minimum, and none of {others.starts} other starts of this model led materially lower")
    if not fallen_back and not high and not lower:
        return Passed(f"a minimum, and a good one: {reached.sentence}")
    than = (
        f"{others.lower} of {others.starts} other starts {'leads' if others.lower == 1 else 'lead'} lower, to {others.lowest:.4g}"
        if lower and others is not None
        else f"it had stood at {lowest:.4g} before" if fallen_back else f"a constant answer gives {reached.baseline:.4g}"
        if reached.baseline is not None else reached.sentence
    )  # fmt: skip
    # Targets may hold no more than this; only a level that was reached, by the run or from another start, proves more.
    return Fired(
        sentence=f"The run ended {'next to' if next_to(verdict) else 'at'} a minimum, with a loss of {here:.4g}; {than}.",
        severity="info" if reached.state == "learned" else "warning",
        confidence=0.85 if lower else 0.8 if fallen_back else 0.65,
        where=model_name(recording),
        step=look.step,
        evidence={
            "loss": here,
            "lowest_level": lowest,
            "lowest_of_other_starts": others.lowest if others is not None else None,
            "other_starts": others.starts if others is not None else None,
            "constant_answer_loss": reached.baseline,
            "smallest_eigenvalue": verdict.evidence.get("smallest_eigenvalue"),
            "no_eigenvalue_below": verdict.evidence.get("no_eigenvalue_below"),
            "failure_probability": verdict.evidence.get("failure_probability"),
        },
        advice=(
            Advice(
                "other-start",
                "Start from several places and keep the one that ends lowest."
                if lower
                else "Start again from other weights: another seed, He's scale for ReLU.",
            ),
            Advice("wider", "Give the network more units, or leaky ones: fewer starts end in a poor minimum."),
        ),
        line=model_line(recording),
        basis="probed",
    )


def _lowest_tenth(stream: Stream) -> float | None:
    """The lowest mean loss over an earlier tenth of the run."""
    loss = stream.loss.finite()
    n = len(loss)
    if n < 40:
        return None
    size = n // 10
    means = [sum(loss.values[i : i + size]) / size for i in range(0, n - 2 * size, size)]
    return min(means) if means else None
