"""The loss sums over the batch, so the step grows with the batch size.

What it means
-------------
The loss is the sum over the examples of a batch (or over all their entries), not the mean. Its gradient is that
of the mean, multiplied by the number of summands.

Why it hurts
------------
With SGD and its kin the step is the learning rate times the gradient, so it is multiplied too: with 64 examples a
rate of 0.1 acts like 6.4. The first steps are then long enough to kill every ReLU or to reach infinity, and a
smaller last batch, or another batch size, changes the step silently.

How it is judged
----------------
The sum is exact, from the graph of the loss. By itself it is a choice (variational autoencoders, rates tuned for
it) and at most information. It is an error or a warning only with an optimizer whose step grows with the loss, when no
clipping bounds the gradient, the rate times the number of summands is above what trains such networks, and the run
diverged, died or did not learn even half of what there is.

When it is wrong
----------------
Adam, RMSprop and other rules that divide by the size of the gradient hardly notice; with them this is never more
than information (their ε, clipping thresholds and weight decay still shift). A run that failed for another reason at
a rate tuned for the sum.

What to do
----------
`reduction="mean"` (the default), or divide by the batch size; then choose the rate anew.

Sources
-------
Goyal and others, Accurate, large minibatch SGD, 2017 (loss scale, batch size and rate go together). Fault
TDC_loss_sum in Ben Braiek and Khomh, 2023: rate 0.1 with batch 64 kills all units.
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Severity
from unstuck.findings.evidence.head import Place, TermSeen, nothing_to_read, number, places
from unstuck.findings.evidence.loss_course import LossCourse, loss_course
from unstuck.findings.evidence.step_scale import grows_with_loss
from unstuck.record.recording import Recording, Stream

CODE = "L209"
NAME = "loss-summed"
CLAIM = "the loss sums over the batch, so the step grows with the batch size"
ENABLED = True
SICK = ("examples/sick/l209_digits_sum.py",)
HEALTHY = ("examples/mended/l209_digits_sum.py", "examples/healthy/digits_vae.py")
THRESHOLDS = {
    "summands": (2, "a sum over one number is a mean"),
    "effective_rate": (
        0.5,
        "learning rate times summands: plain SGD on networks without normalization is rarely stable above a few tenths",
    ),
    "effective_rate_with_momentum": (
        0.2,
        "the same with momentum of 0.8 and more, which lengthens steps fivefold and more",
    ),
    "dead": (0.95, "share of a hidden layer's units that are zero for every example of the batch"),
}


def judge(recording: Recording) -> Answer:
    """Look for sums, and for what they did to this run."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    summed = [p for p in places(recording) if _summands(p) >= THRESHOLDS["summands"][0]]
    if not summed:
        return Passed("the losses are means over the batch")
    place = max(summed, key=_summands)
    stream = recording.streams[place.stream]
    kind = str((stream.optimizer or {}).get("kind") or "")
    if stream.number >= 0 and not kind:
        return NotApplicable("a summed loss, but the optimizer is not known")
    course = loss_course(recording, stream)
    return _fired(place, stream, kind, course)


def _summands(place: Place) -> float:
    """How many numbers are added up, less what a factor takes back (a division by the sum of weights, say)."""
    counts = [n * min(1.0, t.weight or 1.0) for t in place.seen if (n := number(_over_batch(t))) is not None]
    return statistics.median(counts) if counts else 1.0


def _over_batch(seen: TermSeen) -> object:
    """Examples summed over; a sum over the entries of one example, averaged over the batch, is none."""
    given = seen.term.get("sum_over_batch", seen.loss.get("sum_over_batch"))
    if given is not None and (number(given) or 1) <= 1:
        return 1
    return seen.term.get("sum_over", seen.loss.get("sum_over"))


def _fired(place: Place, stream: Stream, kind: str, course: LossCourse) -> Fired:
    summands = _summands(place)
    rate = stream.learning_rate.first if stream.learning_rate else math.nan
    effective = rate * summands
    dead = _dead(stream)
    clipped = len(stream.clip_maximum) > 0.5 * max(1, len(stream.loss))
    scales = grows_with_loss(kind) if kind else True
    hurts = course.diverged or course.hurt or dead is not None
    momentum = max(
        (number(g.get("momentum")) or 0.0 for g in (stream.optimizer or {}).get("groups") or ()), default=0.0
    )
    limit = THRESHOLDS["effective_rate_with_momentum" if momentum >= 0.8 else "effective_rate"][0]
    too_long = effective > limit or course.diverged
    evidence: dict[str, Number] = {
        "summands": summands,
        "learning_rate": rate,
        "effective_rate": effective,
        **course.evidence(),
    }
    text = f"The loss sums over {summands:.0f} numbers instead of averaging them"
    severity: Severity = "info"
    confidence = 0.9
    # A limit so high that the loss leaps all the same bounds nothing.
    bounded = clipped and not course.diverged and not course.beyond
    if scales and not bounded and hurts and too_long:
        text += f": with {kind or 'updates by hand'} a rate of {rate:g} acts like {effective:.3g} on the mean"
        if dead is not None:
            evidence["dead_layer"] = dead
            text += f"; the units of {dead} are dead"
        broke = course.diverged or dead is not None or course.outcome == "nothing"
        severity = "error" if broke and effective > limit else "warning"
        confidence = 0.9 if severity == "error" else 0.75 if effective > limit else 0.6
        text += f"; {course.sentence}"
    elif not scales:
        text += f"; {kind} divides by the size of the gradient, so its step hardly changes"
    elif bounded:
        text += "; clipping bounds the step"
    elif hurts:
        text += f"; with a rate of {rate:g} it acts like {effective:.3g} on the mean, which is not too much"
    else:
        text += f"; with a rate of {rate:g} it acts like {effective:.3g} on the mean; {course.sentence}"
    return Fired(
        sentence=text + ".",
        severity=severity,
        confidence=confidence,
        where=place.where,
        step=place.seen[0].step,
        evidence=evidence,
        advice=(
            Advice(
                "average over the batch",
                "Take the mean, so that the step no longer depends on the batch size.",
                "criterion = torch.nn.CrossEntropyLoss(reduction='mean')   # or: loss = loss / len(batch)",
                place.line,
            ),
        ),
        line=place.line,
    )


def _dead(stream: Stream) -> str | None:
    """A hidden ReLU layer that died during the run; None when there is none."""
    for name in stream.activations():
        course = stream.activation(name, "dead")
        if len(course) < 2 or course.last < THRESHOLDS["dead"][0] or course.first > 0.9:
            continue
        kinds = {a.get("kind") for s in stream.samples for a in s.get("acts") or () if a.get("name") == name}
        if kinds <= {"relu", "relu6", "leaky_relu", "elu", "gelu", "silu"}:
            return name
    return None
