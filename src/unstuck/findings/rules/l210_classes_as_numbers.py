"""Class indices are regressed as if neighboring classes were alike.

What it means
-------------
The network has one output, and a squared (or absolute) error pulls it towards the number of the class: 0, 1, 2, … The
class 3 is then closer to 4 than to 9, and halfway between the classes 0 and 8 lies the class 4.

Why it hurts
------------
Numbers of classes are names. An output that hesitates between two classes lands on a third one, and the surface that the
network must bend through all classes in their accidental order is far harder than a border between each two.
The mean class is a comfortable answer that costs little.

How it is judged
----------------
From the targets of a squared or absolute error with a single output: whole numbers 0 … K − 1 with K from three to
64, each occurring, and about as often as every other (from half to twice its share), as classes are in collected
data sets. Counts and ratings, which are numbers indeed, crowd around their middle; where the shares are uneven
that is information. It is a warning when the error that is left rounds more than a tenth of the examples to a
wrong class (taken as normal, its deviation exceeds 0.3), information when it does not.

When it is wrong
----------------
The numbers are amounts whose values happen to be evenly spread (a dial from 0 to 9, months of age in groups). Ordered
classes may be regressed with good reason; compare with a loss made for order.

What to do
----------
Give the network one output for each class and train it with cross-entropy on the class indices. Take the largest
output as the answer, not the rounded one.

Sources
-------
Goodfellow, Bengio, Courville, Deep learning, 2016, section 6.2.2.3 (softmax units for several classes). Share of wrong
roundings: two-sided tail of the normal distribution beyond one half.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Severity
from unstuck.findings.evidence.classes import batches, total
from unstuck.findings.evidence.head import NUMBER_KINDS, Place, TermSeen, nothing_to_read, number, places
from unstuck.findings.evidence.loss_course import FRESH, loss_course
from unstuck.record.recording import Recording

CODE = "L210"
NAME = "classes-as-numbers"
CLAIM = "class indices are regressed as if neighbors were alike"
ENABLED = True
SICK = ("examples/sick/l210_digits_number.py",)
HEALTHY = ("examples/mended/l210_digits_number.py", "examples/healthy/diabetes_linear.py")
THRESHOLDS = {
    "classes": (3, "two numbers are a yes or no, where every order is right"),
    "most_classes": (64, "as many as the recording lists; more are rarely classes"),
    "share": (2, "how many times its even share a class may have or lack; wine's varieties: 0.8 to 1.2, digits 0.97 to "
                 "1.02; wine ratings 3 to 9: 0.03 to 3"),
    "each": (20, "examples seen for each class, so that its share is known to a third"),
    "wrong": (0.1, "share of examples that rounding puts into a wrong class"),
    "samples": (0.9, "of the samples at this place hold whole numbers; a running target changes"),
}  # fmt: skip


def judge(recording: Recording) -> Answer:
    """Look for a regression on class indices, and at how many of them it misses."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    errors = [p for p in places(recording, *NUMBER_KINDS) if p.share(_single) > 0.5]
    if not errors:
        return NotApplicable("no single output that is compared with a number")
    for place in errors:
        found = _judge(recording, place)
        if found is not None:
            return found
    return Passed("the targets are numbers, not class indices")


def _single(seen: TermSeen) -> bool:
    """One number an example, compared with a target that is given (not with another output)."""
    shape = list(seen.output.get("shape") or seen.target.get("shape") or ())
    one = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
    return one and not seen.term.get("target_live") and bool(seen.target)


def _judge(recording: Recording, place: Place) -> Fired | None:
    whole = place.share(lambda t: bool(t.target.get("integer")) and not t.target.get("one_hot"))
    if whole < THRESHOLDS["samples"][0]:
        return None
    counts = _numbers(place)
    kinds = len(counts)
    least, most = THRESHOLDS["classes"][0], THRESHOLDS["most_classes"][0]
    if not least <= kinds <= most or sorted(counts) != list(range(kinds)):
        return None
    examples = sum(counts.values())
    if examples < THRESHOLDS["each"][0] * kinds:
        return None
    even = examples / kinds
    ratio = THRESHOLDS["share"][0]
    evenly = all(even / ratio <= n <= even * ratio for n in counts.values())
    deviation = _deviation_left(recording, place, counts)
    wrong = None if deviation is None else math.erfc(0.5 / (deviation * math.sqrt(2))) if deviation > 0 else 0.0
    misses = wrong is not None and wrong > THRESHOLDS["wrong"][0]
    severity: Severity = "warning" if evenly and misses else "info"
    course = loss_course(recording, recording.streams[place.stream])
    ends = (
        f"the error left is {deviation:.2g} classes, which rounds about {wrong:.0%} of them wrongly"
        if deviation is not None and wrong is not None
        else course.sentence
    )
    shares = [n / examples for n in counts.values()]
    return Fired(
        sentence=f"One output is pulled towards the whole numbers 0 to {kinds - 1}, "
        + (
            f"which occur about equally often ({min(shares):.0%} to {max(shares):.0%}), like classes; "
            if evenly
            else ""
        )
        + f"{ends}.",
        severity=severity,
        confidence=0.85 if severity == "warning" else 0.4,
        where=place.where,
        step=place.seen[0].step,
        evidence={
            "classes": kinds,
            "labels": examples,
            "smallest_share": min(shares),
            "largest_share": max(shares),
            "error_in_classes": deviation,
            "wrongly_rounded": wrong,
            **course.evidence(),
        },
        advice=(
            Advice(
                "one output for each class",
                "If these numbers are classes: as many outputs as classes, and cross-entropy.",
                f"model = torch.nn.Sequential(..., torch.nn.Linear(hidden, {kinds}))\n"
                "loss = torch.nn.functional.cross_entropy(model(x), y.long())",
                place.line,
            ),
        ),
        line=place.line,
    )


def _numbers(place: Place) -> Counter[int]:
    """How often each whole number occurs; empty when some are none, or when they are not known."""
    found: Counter[int] = Counter()
    for name, count in total(batches(list(place.seen))).items():
        value = number(name)
        if value is None or value != int(value):
            return Counter()
        found[int(value)] += count
    return found


def _deviation_left(recording: Recording, place: Place, counts: Counter[int]) -> float | None:
    """Root mean square of the last errors, from the explained variance; None when it is not known."""
    steps = recording.streams[place.stream].steps
    late = [t for t in place.seen if t.step >= FRESH * (steps - 1)] or list(place.seen[-3:])
    explained = [r for t in late if (r := number(t.term.get("r2"))) is not None and math.isfinite(r)]
    if not explained:
        return None
    n = sum(counts.values())
    mean = sum(v * k for v, k in counts.items()) / n
    variance = sum(k * (v - mean) ** 2 for v, k in counts.items()) / n
    return math.sqrt(max(0.0, 1 - statistics.median(explained)) * variance)
