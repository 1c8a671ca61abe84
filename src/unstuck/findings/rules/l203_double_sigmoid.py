"""Probabilities go into a loss that applies the sigmoid itself.

What it means
-------------
`BCEWithLogitsLoss` (and the soft-margin losses) want a raw score of any sign and take the sigmoid themselves.
Here a sigmoid or a softmax stands before them, so the sigmoid is taken of numbers between 0 and 1.

Why it hurts
------------
The sigmoid of a number in [0, 1] lies between 0.5 and 0.73: no example can ever be called negative, and none
surely positive. The loss of a negative example stays above ln 2 = 0.693, that of a positive one above 0.313,
and the gradient shrinks twice.

How it is judged
----------------
Exactly, from the graph of the loss: a sigmoid or softmax is the last activation before a binary cross-entropy
with logits, and all values that entered the loss were seen to lie in [0, 1]. No threshold on how training went:
even a run whose loss reached its floor believes every example to be positive.

When it is wrong
----------------
A score that is in [0, 1] on purpose, for instance an agreement between 0 and 1 that is shifted later. Then a
shift would stand between the sigmoid and the loss, and the values would leave [0, 1].

What to do
----------
Remove the last sigmoid and keep the loss, which is the numerically safe order; or keep the sigmoid and use
`BCELoss`. At evaluation compare the raw score with 0 (or its sigmoid with 0.5).

Sources
-------
PyTorch, documentation of `BCEWithLogitsLoss`. The bounds: −ln σ(1) = 0.3133, −ln(1 − σ(0)) = ln 2.
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed
from unstuck.findings.evidence.head import (
    Place,
    TermSeen,
    activation_name,
    nothing_to_read,
    places,
    statistic,
    unknown_head,
)
from unstuck.findings.evidence.loss_course import LossCourse, loss_course
from unstuck.record.recording import Recording

CODE = "L203"
NAME = "double-sigmoid"
CLAIM = "probabilities go into a loss that applies the sigmoid itself"
ENABLED = True
SICK = ("examples/sick/l203_breast_cancer.py",)
HEALTHY = ("examples/mended/l203_breast_cancer.py",)
THRESHOLDS = {
    "samples": (0.5, "the same place may compute another loss in some steps: the majority of its samples counts"),
}
POSITIVE = math.log1p(math.exp(-1))
"""Lowest loss of a positive example when its score is at most 1."""
NEGATIVE = math.log(2)
"""Lowest loss of a negative example when its score is at least 0."""


def judge(recording: Recording) -> Answer:
    """Look at what feeds every loss that applies the sigmoid itself."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    some = places(recording, "bce_logits", "soft_margin")
    if not some:
        return NotApplicable("no loss that applies the sigmoid itself")
    skipped = unknown_head(recording, some)
    if skipped is not None:
        return skipped
    sick = [p for p in some if p.share(_bounded_scores) >= THRESHOLDS["samples"][0]]
    if not sick:
        return Passed("raw scores")
    place = sick[0]
    return _fired(place, loss_course(recording, recording.streams[place.stream]))


def _bounded_scores(seen: TermSeen) -> bool:
    nearest = seen.nearest
    return (
        nearest is not None
        and nearest.get("kind") in ("sigmoid", "softmax", "hardsigmoid")
        and bool(seen.output.get("in_unit"))
    )


def _fired(place: Place, course: LossCourse) -> Fired:
    first = place.first(_bounded_scores)
    assert first is not None and first.nearest is not None
    name = activation_name(first.nearest)
    low = min(statistic(place.seen, "output", "min"), default=0.0)
    high = max(statistic(place.seen, "output", "max"), default=1.0)
    floor = _floor(place)
    text = (
        f"{name} feeds a loss that applies the sigmoid itself: its scores lay in [{low:.3g}, {high:.3g}], so every "
        f"example is given a probability between {_sigmoid(low):.2f} and {_sigmoid(high):.2f}"
    )
    evidence = {"score_min": low, "score_max": high, "samples": len(place.seen), **course.evidence()}
    if floor is not None:
        evidence["loss_floor"] = floor
    ends = f"the loss ends at {course.end:.4g}" if course.end is not None else "the loss is not known"
    if floor is not None and place.alone:
        ends += f" and cannot fall below {floor:.3f}"
    return Fired(
        sentence=f"{text}; {ends}.",
        severity="error",
        confidence=0.96,
        where=str(first.nearest.get("name") or place.where),
        step=first.step,
        evidence=evidence,
        advice=(
            Advice(
                "hand raw scores to the loss",
                f"Remove the last {first.nearest.get('kind')} and keep the loss; compare the raw score with 0 at "
                f"evaluation.",
                "score = model(x)                    # no sigmoid at the end\n"
                "loss = torch.nn.functional.binary_cross_entropy_with_logits(score, y)\n"
                "predicted = score > 0",
                place.line,
            ),
        ),
        line=place.line,
    )


def _floor(place: Place) -> float | None:
    """The lowest mean loss that scores in [0, 1] can have on these targets."""
    means = [m for m in statistic(place.seen, "target", "mean") if math.isfinite(m)]
    yes_no = [bool(t.target.get("binary") or t.target.get("one_hot")) for t in place.seen]
    if not means or not all(yes_no) or place.kind != "bce_logits":
        return None
    share = statistics.fmean(means)
    return share * POSITIVE + (1 - share) * NEGATIVE


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
