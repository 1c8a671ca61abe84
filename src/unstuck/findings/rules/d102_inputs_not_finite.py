"""NaN or infinity enters the model.

What it means
-------------
Some number in the inputs (or in the targets) is NaN or infinite before the network has done anything: a missing value,
a division by a deviation of zero, a logarithm of zero.

Why it hurts
------------
One NaN in a batch makes the loss NaN, its gradient NaN, and after one step every weight NaN. Nothing comes back from
there.

How it is judged
----------------
Exactly, by counting numbers that are not finite where they enter. It is an error when a loss, a gradient or a parameter
is not finite at the same step or later; information when the run stays finite all the same (a mask, or a model that
replaces missing values). Inputs that turn bad only after parameters did are the network's own answers fed back, and not
reported here.

When it is wrong
----------------
A batch that was seen with NaN but skipped by the script, when something else broke the run later.

What to do
----------
Find where the data gets it: check every column with `torch.isfinite`, drop or fill what is missing, add a small
constant before logarithms and divisions, leave out columns that never vary before dividing by their deviation.

Sources
-------
Exact test. Schoop, Huang, Hartmann, UMLAUT, 2021, and SageMaker Debugger have the same check.
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, Number, Passed, Skipped
from unstuck.findings.evidence.head import nothing_to_read, number
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.findings.evidence.places import at
from unstuck.record.recording import Fact, Recording

CODE = "D102"
NAME = "inputs-not-finite"
CLAIM = "NaN or infinity enters the model"
ENABLED = True
SICK = ("examples/sick/d102_breast_cancer_log.py",)
HEALTHY = ("examples/mended/d102_breast_cancer_log.py",)
THRESHOLDS: dict[str, tuple[float, str]] = {}


def judge(recording: Recording) -> Answer:
    """Count what is not finite in inputs and targets, and look at what came first."""
    entered = _entered(recording)
    if entered is None:
        if not _looked(recording):
            return nothing_to_read(recording) or Skipped("neither inputs nor targets were seen")
        return Passed("every input and target that was seen is finite")
    step, what, name, count, line = entered
    broken = _broken(recording)
    if broken is not None and broken[0] < step:
        return Passed(f"{broken[1]} was not finite at step {broken[0]}, before the {what} was at step {step}")
    course = loss_course(recording)
    evidence: dict[str, Number] = {"step": step, "steps": course.steps}
    if count is not None:
        evidence["not_finite_numbers"] = count
    many = (
        f"{count:g} numbers that are not finite" if count is not None and count > 1 else "a number that is not finite"
    )
    where = what if name.isdigit() else f"{what} {name}".strip()
    text = f"At step {step} the {where} holds {many}"
    if broken is None:
        text += "; loss, gradients and parameters stayed finite, so the model seems to replace or mask them."
        return Fired(text, "info", 0.6, where, step, evidence, (_advice(what, line),), line)
    when = "at the same step" if broken[0] == step else f"at step {broken[0]}"
    evidence["first_broken_step"] = broken[0]
    return Fired(
        sentence=f"{text}, and {broken[1]} is not finite {when}: nothing was broken before it came in.",
        severity="error",
        confidence=0.97 if broken[0] - step <= 1 else 0.85,
        where=where if not line else f"{where} ({at(line)})",
        step=step,
        evidence=evidence,
        advice=(_advice(what, line),),
        line=line,
    )


def _looked(recording: Recording) -> bool:
    return any(
        sample.get("inputs")
        or any(t.get("target") for loss in sample.get("losses") or () for t in loss.get("terms") or ())
        for stream in recording.streams.values()
        for sample in stream.samples
    )


def _entered(recording: Recording) -> tuple[int, str, str, float | None, Fact | None] | None:
    """First step at which data was not finite: step, input or target, name, count, line. Inputs before targets."""
    found: list[tuple[int, int, str, str, float | None, Fact | None]] = []
    for stream in recording.streams.values():
        for sample in stream.samples:
            step = int(sample["s"])
            for given in sample.get("inputs") or ():
                count = number(given.get("nonfinite"))
                if count:
                    found.append((step, 0, "input", str(given.get("name") or ""), count, None))
            for loss in sample.get("losses") or ():
                for term in loss.get("terms") or ():
                    target = term.get("target") or {}
                    count = number(target.get("nonfinite"))
                    if count and not target.get("reconstructed"):  # told from the output, which may be to blame itself
                        found.append((step, 1, "target", "", count, loss.get("line")))
    for event in recording.happened("nonfinite"):
        where = str(event.data.get("where"))
        if where in ("input", "target"):
            line = event.data.get("line")
            found.append(
                (event.step or 0, 0 if where == "input" else 1, where, str(event.data.get("name") or ""), None, line)
            )
    if not found:
        return None
    first = min(found, key=lambda f: (f[0], f[1], f[4] is None))
    line = first[5] or next((f[5] for f in found if f[5] and f[2] == first[2]), None)
    return first[0], first[2], first[3], first[4], line


def _broken(recording: Recording) -> tuple[int, str] | None:
    """First step at which something else was not finite, and what."""
    found: list[tuple[int, int, str]] = []
    for stream in recording.streams.values():
        for step, value in stream.loss:
            if not math.isfinite(value):
                found.append((step, 0, "the loss"))
                break
        for sample in stream.samples:
            for name, stat in (sample.get("params") or {}).items():
                # Weights are looked at before the step, gradients after the backward pass of the same step.
                if number(stat.get("wn")):
                    found.append((int(sample["s"]), 1, name))
                elif number(stat.get("gn")):
                    found.append((int(sample["s"]), 2, f"the gradient of {name}"))
    for event in recording.happened("nonfinite"):
        where = str(event.data.get("where"))
        if where not in ("input", "target"):
            found.append((event.step or 0, 3, f"the {where}"))
    if not found:
        return None
    step, _, what = min(found)
    return step, what


def _advice(what: str, line: Fact | None) -> Advice:
    tensor = "X" if what == "input" else "y"
    return Advice(
        "find and fill",
        "Look for the columns that are not finite where the data is loaded; fill or drop them.",
        f"bad = ~torch.isfinite({tensor})\n"
        "print('columns:', bad.any(0).nonzero().flatten().tolist(), 'rows:', int(bad.any(-1).sum()))\n"
        f"assert torch.isfinite({tensor}).all()",
        line,
    )
