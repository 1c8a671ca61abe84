"""A loss that wants log-probabilities or probabilities gets raw scores.

What it means
-------------
`NLLLoss` and `KLDivLoss` want log-probabilities, `BCELoss` wants probabilities. Here they get something else: raw
scores of any size, or probabilities without their logarithm.

Why it hurts
------------
The negative log-likelihood of a raw score is just the score with a minus sign: it has no lowest value, so training
makes the scores grow for ever while the loss runs to −∞ and the answers stay poor. Of probabilities without a
logarithm the loss is the mean probability: its gradient vanishes exactly for the examples that are most wrong.
A binary cross-entropy of raw scores takes logarithms of negative numbers and is not a number at all.

How it is judged
----------------
Exactly, from what entered the loss. For `NLLLoss`: no log-softmax stands before it, and the exponentials of its
input were seen not to sum to 1. For `KLDivLoss`: its input was seen to be positive, which no log-probability of a
class is. Raw scores picked or weighted by hand: nothing stands between them and the loss, which fell without bound.
For binary cross-entropy: torch itself refused the input, or a logarithm of raw scores made the first
loss not finite. It is an error, or a warning when most training answers are right all the same.

When it is wrong
----------------
`NLLLoss` used as a way to pick one entry of each row, for a score of one's own that is normalized elsewhere.
`KLDivLoss` between densities, which may exceed 1.

What to do
----------
Use `CrossEntropyLoss` on raw scores (it is log-softmax and `NLLLoss` in one), or put `log_softmax` at the end of
the network. For yes or no use `BCEWithLogitsLoss` on raw scores.

Sources
-------
PyTorch, documentation of `NLLLoss`, `KLDivLoss` and `BCELoss` (what each wants as input). Ben Braiek and Khomh,
Testing feedforward neural networks training programs, 2023 (logarithm of unbounded logits, fault IPS_7).
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed
from unstuck.findings.evidence.head import (
    Place,
    TermSeen,
    activation_name,
    adversarial,
    nothing_to_read,
    number,
    places,
    statistic,
)
from unstuck.findings.evidence.loss_course import LEARNED, LossCourse, loss_course
from unstuck.record.recording import Recording

CODE = "L202"
NAME = "missing-softmax"
CLAIM = "a loss that wants log-probabilities or probabilities gets raw scores"
ENABLED = True
SICK = ("examples/sick/l202_digits_nll.py",)
HEALTHY = ("examples/mended/l202_digits_nll.py",)
THRESHOLDS = {
    "normalized": (
        0.5,
        "share of rows whose exponentials sum to 1 within a thousandth: all or none, save in half precision",
    ),
    "positive": (1e-3, "a log-probability is at most 0; the margin is for rounding"),
    "ran_away": (100, "times its first value (at least 1) below zero: nothing that is meant to have a lowest value"),
    "samples": (0.5, "the same place may compute another loss in some steps: the majority of its samples counts"),
}
_REFUSED = "between 0 and 1"
_LINEAR = frozenset(
    {
        "Neg",
        "Mean",
        "Sum",
        "Sub",
        "Mul",
        "Div",
        "Index",
        "Gather",
        "Addmm",
        "Mm",
        "View",
        "Squeeze",
        "Unsqueeze",
        "Linear",
    }
)


def judge(recording: Recording) -> Answer:
    """Look at what enters every loss that wants (log-)probabilities."""
    refused = _refused(recording)
    if refused is not None:
        return refused
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    wanting = [p for p in places(recording, "nll", "kl", "bce") if p.share(lambda t: not t.applies_softmax) > 0.5]
    for place in wanting:
        if place.kind == "nll" and place.share(_not_normalized) >= THRESHOLDS["samples"][0]:
            return _log_likelihood(place, loss_course(recording, recording.streams[place.stream]))
        if place.kind == "kl" and place.share(_positive) >= THRESHOLDS["samples"][0]:
            return _divergence(place, loss_course(recording, recording.streams[place.stream]))
    for place in places(recording, "custom", "bce", "cross_entropy_soft"):
        if place.alone and not place.seen[0].applies_softmax and _log_of_scores(place.seen[0]):
            return _by_hand(place, loss_course(recording, recording.streams[place.stream]))
    if not adversarial(recording):
        for place in places(recording, "custom"):
            course = loss_course(recording, recording.streams[place.stream])
            if place.alone and place.share(_linear_in_scores) > THRESHOLDS["samples"][0] and _ran_away(course):
                return _linear(place, course)
    if not wanting:
        return NotApplicable("no loss that wants probabilities or log-probabilities")
    return Passed("the losses get the probabilities they want")


def _refused(recording: Recording) -> Fired | None:
    """The script died because torch's binary cross-entropy found its input outside [0, 1]."""
    exception = (recording.end or {}).get("exception")
    if not exception or _REFUSED not in str(exception.get("message", "")):
        return None
    line = exception.get("line")
    return Fired(
        sentence=f"The script ended with “{exception['message']}”: a binary cross-entropy wants probabilities and "
        f"got raw "
        "scores.",
        severity="error",
        confidence=0.9,
        where="the loss",
        step=recording.main.steps or None,
        evidence={"exception": str(exception.get("type"))},
        advice=(_with_logits(line),),
        line=line,
    )


def _not_normalized(seen: TermSeen) -> bool:
    if seen.applies_softmax:
        return False
    share = number(seen.term.get("log_normalized"))
    if share is None:
        share = number(seen.output.get("log_normalized"))
    nearest = (seen.nearest or {}).get("kind")
    if nearest == "log_softmax":
        return False  # normalized, over whatever dimension: that is another finding
    if share is not None:
        return share < THRESHOLDS["normalized"][0]
    if seen.head is None:
        return False
    if nearest == "softmax":
        return True
    return _positive(seen)


def _positive(seen: TermSeen) -> bool:
    """Something larger than 0 entered: not the logarithm of a probability."""
    high = number(seen.output.get("max"))
    # Where the script takes a logarithm, what was looked at may stand before it: probabilities, at most 1.
    most = 1 if (seen.nearest or {}).get("kind") == "log" else 0
    return high is not None and high > most + THRESHOLDS["positive"][0]


def _log_of_scores(seen: TermSeen) -> bool:
    """A logarithm by hand, of something that is no probability, that is not finite at once."""
    head = [a.get("kind") for a in seen.head or [] if a.get("kind") != "log"]
    if seen.head is None or (head and head[0] in ("sigmoid", "softmax", "exp", "softplus", "hardsigmoid")):
        return False
    value = number(seen.loss.get("value"))
    broken = value is not None and not math.isfinite(value)
    low, high = number(seen.output.get("min")), number(seen.output.get("max"))
    return broken and ((low is not None and low < 0) or (high is not None and high > 1))


def _linear_in_scores(seen: TermSeen) -> bool:
    """Raw scores of classes picked or weighted, added up and negated: nothing between them and the loss."""
    shape = list(seen.output.get("shape") or [])
    path = [str(name).removesuffix("0").removesuffix("Backward") for name in seen.term.get("op") or ()]
    if seen.term.get("head") != [] or len(shape) != 2 or int(shape[1]) < 2 or not path:
        return False
    picks = any(name in ("Index", "Gather") for name in path) or bool(seen.term.get("weighted"))
    return picks and all(name in _LINEAR for name in path)


def _ran_away(course: LossCourse) -> bool:
    """The loss fell below any bound."""
    if course.first is None or course.best is None:
        return False
    return course.best < -THRESHOLDS["ran_away"][0] * max(1.0, abs(course.first))


def _linear(place: Place, course: LossCourse) -> Fired:
    first = place.seen[0]
    return Fired(
        sentence=f"The loss is a plain mean of raw scores, which has no lowest value: it went from "
        f"{course.first:.4g} to "
        f"{course.best:.4g}; a likelihood takes the log-softmax of the scores first.",
        severity="error",
        confidence=0.85,
        where=place.where,
        step=first.step,
        evidence={"lowest_loss": course.best, "samples": len(place.seen), **course.evidence()},
        advice=(_cross_entropy(place),),
        line=place.line,
    )


def _log_likelihood(place: Place, course: LossCourse) -> Fired:
    first = place.first(_not_normalized)
    assert first is not None
    nearest = first.nearest
    kind = (nearest or {}).get("kind")
    low, high = (
        min(statistic(place.seen, "output", "min"), default=None),
        max(statistic(place.seen, "output", "max"), default=None),
    )
    evidence: dict[str, Number] = {"samples": len(place.seen), **course.evidence()}
    if low is not None and high is not None:
        evidence["input_min"], evidence["input_max"] = low, high
    span = f", from {low:.3g} to {high:.3g}" if low is not None and high is not None else ""
    if kind in ("softmax", "sigmoid") and nearest is not None:
        what = f"probabilities from {activation_name(nearest)} without their logarithm"
        text = (
            f"The negative log-likelihood gets {what}{span}: its loss is minus the mean probability, which is flat "
            f"where the "
            f"answer is most wrong; {course.sentence}."
        )
    else:
        what = f"raw scores{span}" if kind is None else f"what {activation_name(nearest or {})} makes{span}"
        text = f"The negative log-likelihood gets {what} instead of log-probabilities"
        if course.end is not None and course.end < 0:
            text += f": its loss has no lowest value and stands at {course.end:.4g} after {course.steps} steps"
            if course.accuracy is not None:
                text += f", with {course.accuracy:.0%} of the training answers right"
        elif course.nonfinite_at is not None:
            text += f", and the loss is not finite from step {course.nonfinite_at} on"
        text += "."
    return Fired(
        sentence=text,
        severity="warning" if course.skill is not None and course.skill >= LEARNED else "error",
        confidence=0.96,
        where=place.where,
        step=first.step,
        evidence=evidence,
        advice=(_cross_entropy(place),),
        line=place.line,
    )


def _cross_entropy(place: Place) -> Advice:
    return Advice(
        "cross-entropy on raw scores",
        "Hand raw scores to cross-entropy, which takes the log-softmax itself, or end the network in a log-softmax.",
        "criterion = torch.nn.CrossEntropyLoss()   # on raw scores, no softmax before it\n"
        "# or, to keep NLLLoss:\n"
        "log_probabilities = torch.nn.functional.log_softmax(scores, dim=1)",
        place.line,
    )


def _divergence(place: Place, course: LossCourse) -> Fired:
    first = place.first(_positive)
    assert first is not None
    high = max(statistic(place.seen, "output", "max"))
    what = (
        f"probabilities from {activation_name(first.nearest)} without their logarithm"
        if first.nearest is not None and first.nearest.get("kind") == "softmax"
        else "raw scores"
    )
    return Fired(
        sentence=f"The Kullback–Leibler loss wants log-probabilities, which are at most 0, and gets {what} of up to "
        f"{high:.3g}; "
        f"{course.sentence}.",
        severity="error" if place.alone or _ran_away(course) else "warning",
        confidence=0.9,
        where=place.where,
        step=first.step,
        evidence={"input_max": high, "samples": len(place.seen), **course.evidence()},
        advice=(
            Advice(
                "take the log-softmax",
                "The first argument of kl_div is the logarithm of a distribution.",
                "loss = torch.nn.functional.kl_div(scores.log_softmax(dim=1), target, reduction='batchmean')",
                place.line,
            ),
        ),
        line=place.line,
    )


def _by_hand(place: Place, course: LossCourse) -> Fired:
    first = place.seen[0]
    low, high = number(first.output.get("min")), number(first.output.get("max"))
    return Fired(
        sentence=f"A logarithm by hand is taken of raw scores (from {low:.3g} to {high:.3g}), so the loss is not "
        f"finite from step "
        f"{first.step} on.",
        severity="error",
        confidence=0.85,
        where=place.where,
        step=first.step,
        evidence={"input_min": low, "input_max": high, **course.evidence()},
        advice=(_with_logits(place.line),),
        line=place.line,
    )


def _with_logits(line: object) -> Advice:
    return Advice(
        "the loss on raw scores",
        "Use the loss that takes the sigmoid itself (or cross-entropy for classes): it wants raw scores and stays "
        "finite.",
        "loss = torch.nn.functional.binary_cross_entropy_with_logits(score, y)",
        line if isinstance(line, dict) else None,
    )
