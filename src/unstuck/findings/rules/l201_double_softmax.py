"""Probabilities go into a loss that applies softmax itself.

What it means
-------------
Cross-entropy in PyTorch wants raw scores: it takes the log-softmax itself. Here the network ends in a softmax
(or in a sigmoid for each class), so softmax is taken of numbers that already lie between 0 and 1.

Why it hurts
------------
Scores within [0, 1] can differ by at most 1, so with C classes the loss never believes the right class more
than e / (e + C − 1): 73 % for two classes, 23 % for ten. The loss cannot fall below ln(e + C − 1) − 1, and the
gradient passes two softmaxes, the inner of which is nearly flat once it is sure, right or wrong.

How it is judged
----------------
Exactly, from the graph of the loss: a cross-entropy whose own log-softmax is fed by a softmax whose rows were
seen to sum to 1, or by a sigmoid whose values all lay in [0, 1]. No threshold on how training went. It is an
error, or a warning when the run learned nevertheless (the loss reached its floor, or most answers are right).
A log-softmax before cross-entropy changes nothing (the second one finds its input normalized) and is not
reported.

When it is wrong
----------------
Scores that are meant to lie in [0, 1] and are used as such, for instance to keep the loss from growing sure.
Then the floor of the loss is intended.

What to do
----------
Remove the softmax (or sigmoid) from the end of the network and hand the raw scores to the loss. Take softmax
where probabilities are shown; argmax needs none. Or keep it and use `NLLLoss` on its logarithm.

Sources
-------
PyTorch, documentation of `CrossEntropyLoss` (its input is unnormalized). Fault TDC_redundant_softmax in
Ben Braiek and Khomh, Testing feedforward neural networks training programs, 2023: 72 % against 97 % right
answers after 141 steps. Floor of the loss: the softmax of a one-hot row, by hand.
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Severity
from unstuck.findings.evidence.head import (
    Place,
    TermSeen,
    activation_name,
    nothing_to_read,
    number,
    places,
    unknown_head,
)
from unstuck.findings.evidence.loss_course import LEARNED, WELL, LossCourse, loss_course
from unstuck.record.recording import Recording

CODE = "L201"
NAME = "double-softmax"
CLAIM = "probabilities go into a loss that applies softmax itself"
ENABLED = True
SICK = ("examples/sick/l201_digits_sequential.py", "examples/sick/l201_digits_conv.py")
HEALTHY = (
    "examples/mended/l201_digits_sequential.py",
    "examples/mended/l201_digits_conv.py",
    "examples/healthy/digits_label_smoothing.py",
)
THRESHOLDS = {
    "rows": (0.95, "share of rows that sum to 1 within a thousandth; exact but for half precision"),
    "samples": (0.5, "the same place may compute another loss in some steps: the majority of its samples counts"),
}


def judge(recording: Recording) -> Answer:
    """Look at what feeds every cross-entropy."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    some = [p for p in places(recording, "nll", "cross_entropy_soft") if p.share(_own_softmax) > 0.5]
    if not some:
        return NotApplicable("no loss that applies softmax itself")
    skipped = unknown_head(recording, some)
    if skipped is not None:
        return skipped
    sick = [p for p in some if p.share(_bounded_scores) >= THRESHOLDS["samples"][0]]
    if not sick:
        logs = any(p.share(lambda t: _nearest_is(t, "log_softmax")) > 0.5 for p in some)
        return Passed("a log-softmax stands before cross-entropy, which changes nothing" if logs else "raw scores")
    place = sick[0]
    first = place.first(_bounded_scores)
    assert first is not None and first.nearest is not None
    return _fired(place, first, loss_course(recording, recording.streams[place.stream]))


def _own_softmax(seen: TermSeen) -> bool:
    return seen.applies_softmax


def _nearest_is(seen: TermSeen, kind: str) -> bool:
    return seen.nearest is not None and seen.nearest.get("kind") == kind


def _bounded_scores(seen: TermSeen) -> bool:
    if _nearest_is(seen, "softmax"):
        rows = number(seen.output.get("row_sum_one"))
        return rows is not None and rows >= THRESHOLDS["rows"][0]
    if _nearest_is(seen, "sigmoid") or _nearest_is(seen, "hardsigmoid"):
        return bool(seen.output.get("in_unit")) and (seen.class_count or 0) > 1
    return False


def _fired(place: Place, first: TermSeen, course: LossCourse) -> Fired:
    activation = first.nearest or {}
    kind = str(activation.get("kind"))
    name = activation_name(activation)
    classes = first.class_count
    floor = math.log(math.e + classes - 1) - 1 if classes else None
    text = f"{name} feeds a cross-entropy that applies log-softmax itself"
    if floor is not None and classes is not None:
        text += (
            f": with {classes} classes its loss cannot fall below {floor:.3f}, "
            f"nor the right class be believed more than {math.e / (math.e + classes - 1):.0%}"
        )
    evidence = {"classes": classes, "loss_floor": floor, "samples": len(place.seen), **course.evidence()}
    if kind == "softmax":
        evidence["rows_that_sum_to_one"] = number(first.output.get("row_sum_one"))
    return Fired(
        sentence=f"{text}; {course.sentence}.",
        severity=_severity(course, floor),
        confidence=0.97 if kind == "softmax" else 0.93,
        where=str(activation.get("name") or place.where),
        step=first.step,
        evidence=evidence,
        advice=_advice(activation, kind, place),
        line=place.line,
    )


def _severity(course: LossCourse, floor: float | None) -> Severity:
    """A warning when the run got there all the same: by right answers, or nearly as low as its floor allows."""
    if course.skill is not None and course.skill >= LEARNED:
        return "warning"
    if floor is not None and course.baseline is not None and course.end is not None and course.baseline > floor:
        came = (course.baseline - course.end) / (course.baseline - floor)
        if came >= WELL:
            return "warning"
    return "error"


def _advice(activation: object, kind: str, place: Place) -> tuple[Advice, ...]:
    name = activation.get("name") if isinstance(activation, dict) else None
    drop = f"remove the {name or f'last {kind}'}"
    return (
        Advice(
            "hand raw scores to the loss",
            f"Let the network end in its last linear layer: {drop}; softmax belongs where probabilities are shown.",
            "scores = model(x)                  # no softmax, no sigmoid at the end\n"
            "loss = torch.nn.functional.cross_entropy(scores, y)\n"
            "probabilities = scores.softmax(dim=1)  # only to show them",
            place.line,
        ),
    )
