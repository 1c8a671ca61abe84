"""The output activation's range excludes some targets.

What it means
-------------
The network ends in an activation with a bounded range: a sigmoid gives numbers in (0, 1), tanh in (−1, 1), a
ReLU none below 0. Some targets lie outside that range, so no weights can give the right answer for them.

Why it hurts
------------
The output is driven to the end of its range, where the activation is flat: the gradient dies while the error
stays large. The examples outside the range cost capacity and teach nothing.

How it is judged
----------------
The activation is exact, from the graph; the outputs were seen to stay within its range (so nothing rescales
them afterwards), and the targets of most sampled batches lie outside it by at least half of their standard
deviation. It is an error when the run did not learn even half of what there is, a warning when it did or when
that could not be measured, and information when it learned four fifths. Targets of a binary cross-entropy
outside [0, 1] count too: with them that loss has no lowest value.

When it is wrong
----------------
An output that is scaled by the script after the activation: then its values leave the activation's range and
the rule is silent, unless the scaled values happen to have stayed small in all samples. Ranges that cut off
outliers on purpose.

What to do
----------
For targets of any size let the network end in a linear layer. To keep the activation, scale the targets into
its range and scale the answers back.

Sources
-------
Fault 48221692 (StackOverflow, collected in DeepLocalize, 2021): a sigmoid on targets from 3 to 103 leaves the
loss at 2180, where the variance is 910. Goodfellow, Bengio, Courville, Deep Learning, 2016, section 6.2.2
(output units).
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Severity
from unstuck.findings.evidence.head import (
    NUMBER_KINDS,
    Place,
    TermSeen,
    activation_name,
    bounds,
    nothing_to_read,
    number,
    places,
    unknown_head,
)
from unstuck.findings.evidence.loss_course import LossCourse, loss_course
from unstuck.record.recording import Recording

CODE = "L208"
NAME = "output-cannot-reach-targets"
CLAIM = "the output activation's range excludes some targets"
ENABLED = True
SICK = ("examples/sick/l208_diabetes_sigmoid.py",)
HEALTHY = ("examples/mended/l208_diabetes_sigmoid.py", "examples/healthy/digits_autoencoder.py")
THRESHOLDS = {
    "excess": (
        0.5,
        "how far the outermost target of a batch lies outside, in standard deviations of the targets: measurement "
        "noise "
        "around a physical limit stays below, standardized targets behind a sigmoid are at 2 and more",
    ),
    "rounding": (1e-3, "outputs this far outside the activation's range are still its own"),
}
_BINARY = ("bce", "bce_logits")
_MARGINS = ("hinge", "soft_margin")


def judge(recording: Recording) -> Answer:
    """Compare the range of the last activation with the range of the targets."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    some = places(recording, *NUMBER_KINDS, *_MARGINS, *_BINARY)
    if not some:
        return NotApplicable("no loss that compares outputs with numbers")
    for place in some:
        if place.kind in _BINARY:
            outside = _median_excess(place, (0.0, 1.0))
            if outside is not None and outside[0] > THRESHOLDS["excess"][0]:
                return _fired(recording, place, "the loss itself", (0.0, 1.0), outside)
    skipped = unknown_head(recording, some)
    if skipped is not None:
        return skipped
    bounded = False
    for place in some:
        if place.kind in _BINARY:
            continue
        limits = _limits(place)
        if limits is None:
            continue
        bounded = True
        outside = _median_excess(place, limits)
        if outside is not None and outside[0] > THRESHOLDS["excess"][0]:
            nearest = place.seen[-1].nearest or {}
            return _fired(recording, place, activation_name(nearest), limits, outside)
    if not bounded:
        return NotApplicable("no bounded activation at the end of the network")
    return Passed("the targets lie within the range of the last activation")


def _limits(place: Place) -> tuple[float, float] | None:
    """The range of the last activation, if the outputs were seen to keep to it."""
    kinds = {(t.nearest or {}).get("kind") for t in place.seen}
    if len(kinds) != 1:
        return None
    limits = bounds(str(kinds.pop()))
    if limits is None:
        return None
    low, high = limits
    slack = THRESHOLDS["rounding"][0]
    for seen in place.seen:
        least, most = number(seen.output.get("min")), number(seen.output.get("max"))
        if least is None or most is None or least < low - slack or most > high + slack:
            return None
        if not math.isfinite(least) or not math.isfinite(most):
            return None
    return limits


def _median_excess(place: Place, limits: tuple[float, float]) -> tuple[float, float, float] | None:
    """How far targets lie outside, in their standard deviations (median over batches), and their least and greatest."""
    low, high = limits
    excess: list[float] = []
    least, most = math.inf, -math.inf
    deviation = _deviation(place.seen)
    if deviation is None:
        return None
    for seen in place.seen:
        a, b = number(seen.target.get("min")), number(seen.target.get("max"))
        if a is None or b is None or not math.isfinite(a) or not math.isfinite(b):
            continue
        least, most = min(least, a), max(most, b)
        excess.append(max(0.0, low - a, b - high) / deviation)
    return (statistics.median(excess), least, most) if excess else None


def _deviation(seen: tuple[TermSeen, ...]) -> float | None:
    """Standard deviation of the targets over all samples; their size when they do not vary."""
    means = [m for t in seen if (m := number(t.target.get("mean"))) is not None and math.isfinite(m)]
    stds = [s for t in seen if (s := number(t.target.get("std"))) is not None and math.isfinite(s)]
    if not means or not stds:
        return None
    spread = math.sqrt(statistics.fmean(s**2 for s in stds) + statistics.pvariance(means))
    return spread if spread > 0 else max(abs(statistics.fmean(means)), 1e-12)


def _fired(
    recording: Recording, place: Place, name: str, limits: tuple[float, float], outside: tuple[float, float, float]
) -> Fired:
    course = loss_course(recording, recording.streams[place.stream])
    excess, least, most = outside
    low, high = limits
    binary = place.kind in _BINARY
    severity: Severity
    confidence: float
    if binary:
        severity, confidence = "error", 0.9
    else:
        severity, confidence = _severity(place, course)
    reach = (
        f"[{low:g}, {high:g}]"
        if math.isfinite(high) and math.isfinite(low)
        else (f"[{low:g}, ∞)" if math.isfinite(low) else f"(−∞, {high:g}]")
    )
    can = "wants targets in" if binary else "cannot leave"
    evidence: dict[str, Number] = {
        "target_min": least,
        "target_max": most,
        "excess_in_standard_deviations": excess,
        "samples": len(place.seen),
        **course.evidence(),
    }
    if math.isfinite(low):
        evidence["range_min"] = low
    if math.isfinite(high):
        evidence["range_max"] = high
    what = "a binary cross-entropy" if binary else name
    advice = (
        Advice(
            "targets in [0, 1]",
            "Bring the targets into [0, 1] before the loss (pixels by their largest value, labels −1 and 1 by (y + "
            "1) / 2).",
            "y = (y - y.min()) / (y.max() - y.min())   # with the training set's numbers, kept for evaluation",
            place.line,
        )
        if binary
        else Advice(
            "a linear output",
            f"Let the network end in its last linear layer, without {name}; or scale the targets into {reach}.",
            "model = torch.nn.Sequential(..., torch.nn.Linear(hidden, 1))   # nothing after it\n"
            "y_mean, y_std = y_train.mean(0), y_train.std(0)\n"
            "y_train = (y_train - y_mean) / y_std",
            place.line,
        )
    )
    text = f"{what} {can} {reach}, but the targets run from {least:.4g} to {most:.4g}; {course.sentence}."
    return Fired(
        sentence=text[0].upper() + text[1:] if binary else text,
        severity=severity,
        confidence=confidence,
        where=str((place.seen[-1].nearest or {}).get("name") or place.where) if not binary else place.where,
        step=place.seen[0].step,
        evidence=evidence,
        advice=(advice,),
        line=place.line,
    )


def _severity(place: Place, course: LossCourse) -> tuple[Severity, float]:
    if course.hurt:
        return ("error", 0.93) if place.alone else ("warning", 0.85)
    if course.outcome == "well" or not place.alone:
        return "info", 0.7
    return "warning", 0.75
