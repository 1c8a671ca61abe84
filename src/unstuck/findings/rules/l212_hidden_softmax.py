"""A softmax between hidden layers throttles the signal and the gradient.

What it means
-------------
Inside the network a softmax stands where an activation such as ReLU belongs: the units of a layer are made to sum to
1, and the next layer gets those shares.

Why it hurts
------------
Each of n units carries about 1 / n, and together they carry one number less than there are units. The slope of a
softmax is p (1 − p), at most a quarter and about 1 / n at the start: the gradient behind it is n times smaller, and
again at the next one. Once a unit wins it passes nothing at all. The network learns slowly, or only its last layer.

How it is judged
----------------
From the graph of the loss: a softmax whose result is the only thing that the next layer takes (through views, pooling
and dropout). An attention's weights, a gate, a mixture of experts multiply data and are none. That much is exact.
It is a warning when the run ended with less than four fifths of the way from a constant answer to a perfect one, an
error when it did not come halfway and two or more such places stand in a row, information when the run learned well.

When it is wrong
----------------
The shares are the point: a discrete code (Gumbel softmax), soft assignment to learned prototypes, a memory that is
read by weights. Such runs that learn get information; one that fails for another reason is blamed here.

What to do
----------
Replace the softmax between layers by ReLU (or GELU, tanh). One softmax belongs at the end of a classifier, and with
cross-entropy it is inside the loss.

Sources
-------
StackOverflow faults 31880720 and 45442843 (a softmax in the wrong place) in Ben Braiek and Khomh, 2023. Slope of the
softmax: its Jacobian diag(p) − p pᵀ has norm at most one half, and 1 / n for even shares, by hand.
"""

from __future__ import annotations

import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Severity, Skipped
from unstuck.findings.evidence.head import nothing_to_read, number, unseen
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.record.recording import Fact, Recording

CODE = "L212"
NAME = "hidden-softmax"
CLAIM = "a softmax between hidden layers throttles the gradient"
ENABLED = True
SICK = ("examples/sick/l212_digits_mlp.py",)
HEALTHY = ("examples/mended/l212_digits_mlp.py", "examples/healthy/docs_char_gpt.py")
THRESHOLDS = {
    "units": (2, "a softmax over one unit is constant, which softmax-over-one-unit says"),
    "samples": (0.5, "of the samples that show the activation; a part that is used now and then does not count"),
    "in_a_row": (2, "each divides the gradient by about its number of units"),
}


def judge(recording: Recording) -> Answer:
    """Look for a softmax that feeds a layer, and at what became of the run."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    stream = recording.main
    shown = [sample for sample in stream.samples if sample.get("acts")]
    if not shown and any(sample.get("layers") for sample in stream.samples):
        return NotApplicable("no activation inside the network")
    if not shown:
        return Skipped("no activation was seen: " + (unseen(recording) or "the graph names none"))
    if not any("feeds" in act for sample in shown for act in sample["acts"]):
        return Skipped("the recording does not say what each activation feeds")
    found: dict[str, list[Fact]] = {}
    for sample in shown:
        for act in sample["acts"]:
            if act.get("kind") == "softmax" and act.get("feeds") and (act.get("units") or 0) >= THRESHOLDS["units"][0]:
                found.setdefault(str(act["name"]), []).append(act)
    hidden = {name: acts for name, acts in found.items() if len(acts) >= THRESHOLDS["samples"][0] * len(shown)}
    if not hidden:
        some = any(act.get("kind") == "softmax" and act.get("hidden") for sample in shown for act in sample["acts"])
        if some:
            return Passed("the softmaxes inside weigh data (attention, gates); none feeds a layer alone")
        return NotApplicable("no softmax inside the network")
    course = loss_course(recording)
    first = next(iter(hidden.values()))[0]
    severity: Severity = "info"
    confidence = 0.5
    if course.hurt:
        severity = "error" if len(hidden) >= THRESHOLDS["in_a_row"][0] else "warning"
        confidence = 0.88
    elif course.outcome == "learned":
        severity, confidence = "warning", 0.75
    units = int(first.get("units") or 0)
    spread = [v for acts in hidden.values() for a in acts if (v := number(a.get("std"))) is not None]
    names = list(hidden)
    which = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    return Fired(
        sentence=f"A softmax over {units} hidden units ({which}) is all that {first.get('feeds')} gets: each passes about "
        f"1/{units} of what a unit would, and about 1/{units} of the gradient back; {course.sentence}.",
        severity=severity,
        confidence=confidence,
        where=names[0],
        step=int(shown[0]["s"]),
        evidence={
            "softmaxes": len(hidden),
            "units": units,
            "deviation": statistics.median(spread) if spread else None,
            **course.evidence(),
        },
        advice=(
            Advice(
                "an activation instead",
                f"Put ReLU where {names[0]} stands; keep the softmax for the end (inside cross-entropy).",
                "torch.nn.ReLU()   # instead of torch.nn.Softmax(dim=1)",
            ),
        ),
    )
