"""Regression targets of a size that the loss and step cannot cope with.

What it means
-------------
The network is to predict numbers in the hundreds or thousands (prices, counts, milligrams) in their raw unit, with a
squared or absolute error.

Why it hurts
------------
A new network answers with numbers of size one. The squared error starts at the square of the targets' size, its
gradient at their size: with SGD the first steps are hundreds of times too long and the loss explodes or the units die;
with Adam the output moves by a learning rate a step and needs thousands of steps only to reach the targets' mean.

How it is judged
----------------
The targets' mean or deviation is 100 or more (30, when the loss exploded or all answers ended alike), and the run
did not cope: the loss is not finite, or less than half of the targets' variance is explained and either the
answers have not even arrived at the targets' mean, or are all alike, or a third of the run went by before they
arrived. A run that copes, and one that explains little for another reason, gets information. Of several terms, one with
such targets is told when it makes up 98 % of the loss and the loss ends at a hundred times what constant answers to
the others cost: what the others teach is a hundredth of what moves the weights. Five times suffice where clipping cuts
the gradient to a twentieth and less in the median: it cuts the others' by the same factor.

When it is wrong
----------------
The learning rate alone is to blame (a smaller one would do), or the inputs carry nothing about the targets, so that
nothing could be explained at any scale.

What to do
----------
Train on (y − mean) / deviation with the training set's numbers and scale the answers back; for amounts that span
orders of magnitude take the logarithm first.

Sources
-------
LeCun, Bottou, Orr, Müller, Efficient BackProp, 1998 (targets within the range of the units). Faults 48934338 and
33969059 (StackOverflow, collected in DeepLocalize, 2021). Scikit-learn's diabetes data: Adam at 2e-3 explains nothing
of raw targets (mean 152) after 440 steps, 49 % of standardized ones (measured).
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Severity
from unstuck.findings.evidence.head import (
    CLASS_KINDS,
    NUMBER_KINDS,
    Place,
    adversarial,
    bounds,
    data_terms,
    nothing_to_read,
    number,
    places,
    statistic,
)
from unstuck.findings.evidence.loss_course import LossCourse, loss_course, target_variance
from unstuck.record.recording import Fact, Recording, Stream

CODE = "D104"
NAME = "targets-not-normalized"
CLAIM = "regression targets of a size that the loss and step cannot cope with"
ENABLED = True
SICK = ("examples/sick/d104_diabetes.py", "examples/sick/d104_diabetes_tanh.py")
HEALTHY = ("examples/mended/d104_diabetes.py", "examples/mended/d104_diabetes_tanh.py")
THRESHOLDS = {
    "large": (100, "mean or deviation of the targets: the first squared error and its gradient are 1e4 and 1e2 times "
              "those of standardized targets"),
    "died": (30, "the same, when the loss exploded or all answers are alike at the end: the gradient is 30 times that "
             "of standardized targets"),
    "all": (0.98, "of the loss, the share of one of several terms"),
    "drowned": (100, "times what constant answers to all other terms cost, at the end of the run still"),
    "drowned_and_cut": (5, "times the same, where the whole gradient is cut to the size that suits the largest term"),
    "cut": (20, "times shorter by clipping, in the median: a twentieth of the rate is left to the other terms"),
    "explained": (0.5, "halfway from the constant answer to the perfect one: the run copes"),
    "worse": (0.5, "loss above that of the mean alone, as a part of it: the output has not arrived there"),
    "spent": (0.3, "of the run that passed on the way to the mean alone: the steps are made for targets of size one"),
    "near": (1.5, "times the loss of the mean alone"),
    "behind": (1, "distance of the mean answer from the mean target at the end, in deviations: not even there"),
}  # fmt: skip


def judge(recording: Recording) -> Answer:
    """Measure the targets, and whether the run copes."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    numbers = [
        p
        for p in places(recording, *NUMBER_KINDS)
        if p.share(lambda t: bool(t.target) and not t.target.get("one_hot")) > 0.5
    ]
    if not numbers:
        return NotApplicable("no squared or absolute error on numbers")
    place = next((p for p in numbers if p.stream == recording.main.number), numbers[0])
    course = loss_course(recording, recording.streams[place.stream])
    means = [m for m in statistic(place.seen, "target", "mean") if math.isfinite(m)]
    variance = target_variance(list(place.seen))
    if not means or variance is None:
        return NotApplicable("the targets' statistics are not known")
    mean, deviation = statistics.fmean(means), math.sqrt(variance)
    size = max(abs(mean), deviation)
    exploded = course.diverged or _alike(place, deviation)
    if size < THRESHOLDS["died" if exploded else "large"][0]:
        return Passed(f"targets of mean {mean:.3g} and deviation {deviation:.3g}")
    if not place.alone:
        drowned = _drowned(recording.streams[place.stream], place, course, mean, deviation)
        if drowned is not None:
            return drowned
        return Passed("one of several terms: the loss as a whole is not on the scale of these targets")
    if _bounded(place) or adversarial(recording):
        return Passed("the output is bounded, or chases another network: the size of the targets is not what matters")
    return _fired(recording.streams[place.stream], place, course, mean, deviation, exploded=exploded)


def _drowned(stream: Stream, place: Place, course: LossCourse, mean: float, deviation: float) -> Fired | None:
    """Raw targets in one of several terms that make up all of the loss, to the end: the others hardly count."""
    first = place.seen[0]
    r2, spread = number(first.term.get("r2")), number(first.target.get("std"))
    if place.kind != "mse" or course.end is None or not math.isfinite(course.end) or not first.plain:
        return None
    others = [_usual(t) for t in data_terms(first.loss) if t is not first.term]
    value = number(first.loss.get("value"))
    if r2 is None or not spread or not value or not others or None in others:
        return None
    share = first.weight * (1 - r2) * spread**2 / value
    rest = sum(v for v in others if v is not None)
    cut = _cut(stream)
    least = THRESHOLDS["drowned_and_cut" if cut >= THRESHOLDS["cut"][0] else "drowned"][0]
    if not THRESHOLDS["all"][0] <= share <= 2 - THRESHOLDS["all"][0] or course.end < least * rest:
        return None
    clipped = f" Clipping leaves 1/{cut:.3g} of the gradient, of theirs too." if cut >= THRESHOLDS["cut"][0] else ""
    return Fired(
        sentence=f"One of {len(others) + 1} terms of the loss makes up {share:.3%} of it: its targets have a mean of {mean:.4g} "
        f"and a deviation of {deviation:.4g}. The loss goes from {value:.4g} to {course.end:.4g}, where constant answers "
        f"to the other terms cost {rest:.3g} together: they hardly count.{clipped}",
        severity="warning",
        confidence=0.75,
        where=f"targets of the loss at {place.where}" if place.line else "targets",
        step=first.step,
        evidence={
            "target_mean": mean,
            "target_deviation": deviation,
            "share_of_loss": share,
            "other_terms": rest,
            **course.evidence(),
        },
        advice=(_standardize(place),),
        line=place.line,
    )


def _cut(stream: Stream) -> float:
    """By what factor clipping shortens the gradient, in the median; 1 where nothing clips."""
    bounds = dict(stream.clip_maximum)
    cuts = [
        max(1.0, norm / bounds[step]) for step, norm in stream.clip_norm if bounds.get(step, 0.0) > 0 and norm == norm
    ]
    return statistics.median(cuts) if cuts else 1.0


def _usual(term: Fact) -> float | None:
    """About what a constant answer costs in a term; None when that is not known."""
    weight = abs(number(term.get("weight")) or 0.0)
    target = term.get("target") or {}
    kind = term.get("kind")
    if kind in CLASS_KINDS:
        shape = (term.get("output") or {}).get("shape") or ()
        place = int(number(term.get("class_dim")) or 0)
        return weight * math.log(max(2, int(shape[place]))) if place < len(shape) else None
    if kind in ("bce", "bce_logits"):
        return weight * math.log(2)
    spread = number(target.get("std"))
    if kind in NUMBER_KINDS and spread is not None:
        return weight * (spread**2 if kind == "mse" else spread)
    return None


def _standardize(place: Place) -> Advice:
    return Advice(
        "standardize the targets",
        "Train on standardized targets and scale the answers back when they are used.",
        "y_mean, y_std = y_train.mean(0), y_train.std(0)\n"
        "y_train = (y_train - y_mean) / y_std\n"
        "prediction = model(x) * y_std + y_mean",
        place.line,
    )


def _alike(place: Place, deviation: float) -> bool:
    """The answers at the end are the same for every example: the hidden units died."""
    varies = [v for t in place.seen[-3:] if (v := number(t.output.get("varies"))) is not None]
    return bool(varies) and max(varies) < 1e-3 * deviation and len(place.seen) > 3


def _bounded(place: Place) -> bool:
    kind = (place.seen[-1].nearest or {}).get("kind")
    limits = bounds(str(kind))
    return limits is not None and math.isfinite(limits[1]) and limits[1] > 0


def _explained(place: Place, course: LossCourse) -> float | None:
    known = [v for v in (course.r2, course.fall) if v is not None and math.isfinite(v)]
    return max(known) if known else None


def _spent(stream: Stream, course: LossCourse) -> float | None:
    """Share of the run that went by before the loss was near that of the best constant answer."""
    if course.baseline is None or not stream.loss:
        return None
    near = THRESHOLDS["near"][0] * course.baseline
    values = list(stream.loss.values)
    width = max(1, len(values) // 50)
    for i in range(0, len(values), width):
        if statistics.fmean(values[i : i + width]) <= near:
            return i / len(values)
    return 1.0


def _fired(stream: Stream, place: Place, course: LossCourse, mean: float, deviation: float, *, exploded: bool) -> Fired:
    explained = _explained(place, course)
    arrived = [
        v for t in place.seen[-5:] if t.step >= 0.6 * course.steps and (v := number(t.output.get("mean"))) is not None
    ]
    answer = statistics.fmean(arrived) if arrived and all(map(math.isfinite, arrived)) else None
    squared = place.kind == "mse"
    behind = (answer is not None and abs(answer - mean) > THRESHOLDS["behind"][0] * deviation) or (
        course.fall is not None and course.fall < -THRESHOLDS["worse"][0]
    )
    spent = _spent(stream, course)
    late = spent is not None and spent >= THRESHOLDS["spent"][0]
    severity: Severity = "info"
    confidence = 0.5
    if course.diverged:
        severity, confidence, ends = "error", 0.85, course.sentence
    elif explained is None:
        ends = "how much it explains could not be measured"
    elif explained >= THRESHOLDS["explained"][0]:
        ends = f"{explained:.0%} of their variance is explained, so the run copes"
    else:
        ends = f"after {course.steps} steps {max(0.0, explained):.0%} of their variance is explained"
        if behind or exploded or late:
            severity = "error" if (behind or exploded) and explained <= 0.1 else "warning"
            confidence = 0.9 if behind else 0.8 if exploded else 0.7
        if behind and answer is not None:
            ends += f" and the answers have a mean of {answer:.4g}"
        elif exploded:
            ends += " and all answers are alike"
        elif late and spent is not None:
            ends += f", and {spent:.0%} of the run went by before the loss came down to what the mean alone costs"
    first = f"; the first loss is {course.first:.4g}" if course.first is not None and squared else ""
    evidence: dict[str, Number] = {"target_mean": mean, "target_deviation": deviation, **course.evidence()}
    if answer is not None:
        evidence["answer_mean_at_end"] = answer
    return Fired(
        sentence=f"The targets have a mean of {mean:.4g} and a deviation of {deviation:.4g}{first}; {ends}.",
        severity=severity,
        confidence=confidence,
        where=f"targets of the loss at {place.where}" if place.line else "targets",
        step=place.seen[0].step,
        evidence=evidence,
        advice=(_standardize(place),),
        line=place.line,
    )
