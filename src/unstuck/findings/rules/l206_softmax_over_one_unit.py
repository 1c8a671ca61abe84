"""A softmax over a single output is constant.

What it means
-------------
Softmax divides each number by the sum over a dimension. Over a dimension of size 1 it divides a number by
itself: the answer is 1 for every example, whatever the network computes.

Why it hurts
------------
A constant has no gradient. Every parameter's gradient is exactly zero, nothing ever trains, and the loss stands
where the constant 1 (for log-softmax: 0) puts it.

How it is judged
----------------
Exactly, from the graph of the loss: the last activation before it, the loss's own log-softmax included, runs
over a dimension of size 1, and the output was seen to be the same number for every example. No threshold.

When it is wrong
----------------
Attention over a single key is a softmax over one number too; what leaves it is multiplied with something that
varies, so the output is not constant and this is not reported.

What to do
----------
For yes or no with one output use a sigmoid, best inside the loss: `BCEWithLogitsLoss`. For a number use no
activation at all. For classes give the last layer one output for each class.

Sources
-------
Faults 31880720, 33969059 and 45442843 (questions on StackOverflow, collected by Wardat and others, DeepLocalize,
2021): gradient exactly zero in all three.
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed
from unstuck.findings.evidence.head import (
    SOFTMAXES,
    Place,
    TermSeen,
    activation_name,
    nothing_to_read,
    number,
    places,
    statistic,
    unknown_head,
)
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.record.recording import Fact, Recording

CODE = "L206"
NAME = "softmax-over-one-unit"
CLAIM = "a softmax over a single output is constant"
ENABLED = True
SICK = ("examples/sick/l206_breast_cancer.py",)
HEALTHY = ("examples/mended/l206_breast_cancer.py",)
THRESHOLDS = {
    "varies": (1e-6, "largest deviation of any output over a batch: a constant, but for rounding"),
}


def judge(recording: Recording) -> Answer:
    """Look for a softmax of size 1 before, or in, every loss."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    some = places(recording)
    skipped = unknown_head(recording, some)
    if skipped is not None:
        return skipped
    sick = [p for p in some if p.share(_constant) > 0.5]
    if sick:
        return _fired(recording, sick[0])
    if not any(_softmaxes(t) for p in some for t in p.seen):
        return NotApplicable("no softmax before or in the loss")
    return Passed("every softmax runs over more than one number")


def _softmaxes(seen: TermSeen) -> list[Fact]:
    """The loss's own softmax, and the script's last activation if that is one."""
    nearest = seen.nearest
    mine = [nearest] if nearest is not None and nearest.get("kind") in SOFTMAXES else []
    # A logarithm may stand between the softmax and the loss.
    head = seen.head or []
    if nearest is not None and nearest.get("kind") == "log" and len(head) > 1 and head[1].get("kind") == "softmax":
        mine = [head[1]]
    return [a for a in seen.own if a.get("kind") in SOFTMAXES] + mine


def _single(seen: TermSeen) -> Fact | None:
    return next((a for a in _softmaxes(seen) if a.get("size") == 1), None)


def _constant(seen: TermSeen) -> bool:
    """A softmax of size 1, and the output it makes does not vary."""
    activation = _single(seen)
    if activation is None:
        return False
    if activation.get("own"):
        return True  # nothing stands between the loss and its own softmax
    varies, deviation = number(seen.output.get("varies")), number(seen.output.get("std"))
    known = varies if varies is not None else deviation
    return known is None or not math.isfinite(known) or known <= THRESHOLDS["varies"][0]


def _fired(recording: Recording, place: Place) -> Fired:
    first = place.first(_constant)
    assert first is not None
    activation = _single(first) or {}
    course = loss_course(recording, recording.streams[place.stream])
    values = statistic(place.seen, "output", "mean")
    own = bool(activation.get("own"))
    name = "The loss's own log-softmax" if own else activation_name(activation)
    constant = 0 if own or activation.get("kind") == "log_softmax" else 1
    text = f"{name} runs over a single number, so it is {constant} for every example and no parameter gets a gradient"
    if course.start is not None and course.end is not None:
        text += f"; the loss was {course.start:.4g} at the start and is {course.end:.4g} after {course.steps} steps"
    evidence = {"softmax_size": 1, "samples": len(place.seen), **course.evidence()}
    if values and not own:
        evidence["output_mean"] = values[-1]
    numbers = place.kind in ("mse", "l1", "smooth_l1", "huber") and not first.target.get("binary")
    advice = (
        Advice(
            "no activation on numbers",
            "The targets are numbers: let the network end in its last linear layer.",
            "output = model(x)                   # no softmax at the end\nloss = "
            "torch.nn.functional.mse_loss(output, y)",
            place.line,
        )
        if numbers
        else Advice(
            "a sigmoid for one output",
            "One output for yes or no wants a sigmoid, best inside the loss; otherwise one output for each class.",
            "score = model(x).squeeze(1)         # no softmax at the end\n"
            "loss = torch.nn.functional.binary_cross_entropy_with_logits(score, y.float())",
            place.line,
        )
    )
    return Fired(
        sentence=text[0].upper() + text[1:] + ".",
        severity="error",
        confidence=0.98,
        where=str(activation.get("name") or place.where) if not own else place.where,
        step=first.step,
        evidence=evidence,
        advice=(advice,),
        line=place.line,
    )
