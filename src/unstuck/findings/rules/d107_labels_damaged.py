"""Class labels that are not the class indices: rescaled, rounded to a few, out of range.

What it means
-------------
On their way to the loss the labels went through arithmetic that was meant for something else: divided together with
the pixels, min-max scaled and cut to whole numbers, counted from 1, multiplied by a step, written as −1 and 1 for a
loss that wants 0 and 1.

Why it hurts
------------
The network learns what it is told. Labels divided by 255 and cut to whole numbers are all 0, and the loss falls to nearly
nothing at a tenth of right answers. Labels above 1 in a binary cross-entropy have no lowest loss: scores
grow without end. An index beyond the last output ends the script.

How it is judged
----------------
From the labels as the loss got them, counted over all sampled batches. An error, exactly: a script that ended
because a class index or a binary target is out of range; whole-number labels outside of 0 and 1 in a binary
cross-entropy; rows of class probabilities that do not sum to 1 but to one other number, or one-hot rows whose 1 became
something else. A warning: class indices that are all multiples of two or more; or that fill only the lower half of the
outputs 0 … C − 1 (up to 64), as labels do that were scaled down and cut; both only where the sampled batches are mixed
well enough to stand for all. Information: one class only (that is
classes-imbalanced), or an output that no label names.

When it is wrong
----------------
A network with more outputs than classes on purpose, whose classes happen to be the first ones. A network's output
for classes that come only later. Targets beyond 0 and 1 are also used to smooth an adversarial network's labels;
differences up to one half are left alone.

What to do
----------
Print the labels right before the loss, their kind and their distinct values; they must be whole numbers 0 … C − 1 in
`torch.long` for cross-entropy, 0 and 1 as floats for the binary one. Keep labels out of everything that scales inputs.

Sources
-------
StackOverflow 59325381 (labels divided by 255: loss 8e-7 at a tenth of right answers). PyTorch, documentation of
`CrossEntropyLoss` (class indices in [0, C), probabilities for each class) and of `BCEWithLogitsLoss` (targets between 0
and 1).
"""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from functools import reduce

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Severity
from unstuck.findings.evidence.classes import CUT_OFF, batches, classifier, mixing
from unstuck.findings.evidence.head import Place, TermSeen, adversarial, nothing_to_read, number, places
from unstuck.findings.evidence.loss_course import FRESH, loss_course
from unstuck.findings.evidence.places import at
from unstuck.record.recording import Recording

CODE = "D107"
NAME = "labels-damaged"
CLAIM = "class labels that are not the class indices: rescaled, rounded to one class, out of range"
ENABLED = True
SICK = ("examples/sick/d107_digits_scaled_labels.py", "examples/sick/d107_breast_cancer_one_two.py")
HEALTHY = ("examples/mended/d107_digits_scaled_labels.py", "examples/mended/d107_breast_cancer_one_two.py")
THRESHOLDS = {
    "labels": (200, "labels seen: with ten equal classes the chance that five stay unseen is below 1e-50"),
    "outputs": (64, "outputs up to which all classes of a batch are listed; larger ones are often larger than needed"),
    "mixed": (
        1e-3,
        "chance of batches so uneven in their classes; sorted data, whose later classes are yet to come, fall "
        "far below",
    ),
    "half": (0.5, "of the outputs never named, and all of them above the labels: scaled-down labels"),
    "apart": (0.2, "between a label's share among the cut numbers and at the loss: a part of the data is trained on"),
    "outside": (0.5, "beyond 0 and 1; adversarial networks smooth their labels by up to a third"),
    "row": (0.05, "from 1, the sum of a row of probabilities; smoothing and mixing keep it at 1"),
    "row_varies": (0.02, "a rescaled row has the same sum everywhere; weights or returns in place of it vary"),
}
_OUT_OF_RANGE = (
    (re.compile(r"[Tt]arget (-?\d+) is out of bounds"), "class index {} is out of range"),
    (re.compile(r"all elements of (?:target|input) should be between 0 and 1"), "targets lie outside of [0, 1]"),
    (re.compile(r"Class values must be smaller than num_classes"), "a class index is not below the number of classes"),
    (re.compile(r"nll_loss.*t >= 0 && t < n_classes|`t >= 0 && t < n_classes`"), "a class index is out of range"),
)


def judge(recording: Recording) -> Answer:
    """Are the labels what the loss takes them for?"""
    crashed = _ended_by_label(recording)
    if crashed is not None:
        return crashed
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    some = places(recording, "nll", "gather", "cross_entropy_soft", "bce", "bce_logits", "kl", "mse", "l1")
    applies = False
    for place in some:
        if not any(t.target for t in place.seen):
            continue
        found: Answer | None
        if place.kind in ("nll", "gather"):
            applies = True
            found = _cut(recording, place) or _indices(recording, place)
        elif place.kind in ("bce", "bce_logits"):
            applies = True
            found = _yes_no(recording, place) or _rows(recording, place)
        else:
            applies = applies or place.kind == "cross_entropy_soft"
            found = _rows(recording, place)
        if found is not None:
            return found
    if not applies:
        return NotApplicable("no loss on classes whose labels were seen")
    return Passed("the labels are class indices, or between 0 and 1")


def _ended_by_label(recording: Recording) -> Fired | None:
    exception = (recording.end or {}).get("exception") or {}
    message = str(exception.get("message") or "")
    for pattern, words in _OUT_OF_RANGE:
        match = pattern.search(message)
        if match is None or ("between 0 and 1" in message and "input" in match[0]):
            continue
        what = words.format(*match.groups()) if match.groups() else words
        line = exception.get("line")
        return Fired(
            sentence=f"The script ended because {what}: {message.splitlines()[0][:160]}",
            severity="error",
            confidence=0.95,
            where=at(line) or "labels",
            step=recording.main.steps or None,
            evidence={"steps": recording.main.steps, "exception": str(exception.get("type") or "")},
            advice=(_advice("the labels must be 0 … C − 1, and the last layer must have C outputs", line),),
            line=line,
        )
    return None


def _cut(recording: Recording, place: Place) -> Fired | None:
    """Labels that had fractions, and lost classes when these were cut off."""
    counts: Counter[int] = Counter()
    for seen in place.seen:
        for name, count in (seen.target.get("classes") or {}).items():
            value = number(name)
            counts[int(value) if value is not None else -1] += int(count)
    outputs = statistics.median_low([t.class_count or 0 for t in place.seen])
    for event in recording.happened("cut_to_whole"):
        told = event.data
        before, after = int(told.get("distinct") or 0), int(told.get("distinct_left") or 0)
        left = {int(value): int(count) for value, count in (told.get("left") or {}).items()}
        if not after < before <= outputs or not counts or not set(counts) <= set(left):
            continue
        low, high = number(told.get("lowest")), number(told.get("highest"))
        if low is None or high is None or low < 0 or high > 1:
            continue  # ratings or measurements put into classes; what was scaled lies between 0 and 1
        apart = max(abs(left[v] / sum(left.values()) - counts[v] / counts.total()) for v in left)
        if apart > THRESHOLDS["apart"][0]:
            continue
        values = [float(v) for v in told.get("values") or ()]
        listed = ", ".join(f"{v:.3g}" for v in values) + (", …" if before > len(values) else "")
        course = loss_course(recording, recording.streams[place.stream])
        return Fired(
            sentence=f"The labels had {before} different values ({listed}) and were cut to whole numbers: {after} "
            f"{'is' if after == 1 else 'are'} left ({_listed(sorted(left))}), for an output of {outputs} classes; "
            f"{course.sentence}.",
            severity="error",
            confidence=0.94,
            where=at(told.get("line")) or "labels",
            step=None,
            evidence={"values_before": before, "values_left": after, "outputs": outputs, **course.evidence()},
            advice=(
                _advice("keep the labels out of what scales the inputs: they must be 0 … C − 1", told.get("line")),
            ),
            line=told.get("line"),
        )
    return None


def _indices(recording: Recording, place: Place) -> Fired | None:
    """Class indices that are spaced, or fill only the lower part of the outputs."""
    counts: Counter[int] = Counter()
    for seen in place.seen:
        classes = seen.target.get("classes")
        if not classes or int(seen.target.get("distinct") or 0) > CUT_OFF:
            return None
        for name, count in classes.items():
            value = number(name)
            if value is None:
                return None
            counts[int(value)] += int(count)
    outputs = statistics.median_low([t.class_count or 0 for t in place.seen])
    labels = sum(counts.values())
    if not counts or labels < THRESHOLDS["labels"][0] or not 3 <= outputs <= THRESHOLDS["outputs"][0]:
        return None
    if not classifier(recording, outputs) or place.share(lambda t: bool(t.term.get("weighted"))) > 0.5:
        return None  # similarities within a batch, or actions weighted by their returns
    values = sorted(counts)
    if not _representative(recording, place, single=len(values) == 1):
        return None
    course = loss_course(recording, recording.streams[place.stream])
    evidence: dict[str, Number] = {
        "labels": labels,
        "classes_seen": len(values),
        "outputs": outputs,
        "lowest": values[0],
        "highest": values[-1],
        **course.evidence(),
    }
    step = reduce(math.gcd, values)
    if len(values) >= 3 and step >= 2:
        return _fired(
            place,
            f"All of {labels} labels are multiples of {step} ({_listed(values)}), though the output has {outputs} classes: "
            f"they were multiplied or spaced out on their way to the loss; {course.sentence}.",
            "warning",
            0.8,
            {**evidence, "spacing": step},
            f"divide by {step}, or number the classes anew",
        )
    above = outputs - 1 - values[-1]
    complete = values == list(range(len(values)))
    if len(values) == 1 and place.alone:
        return _fired(
            place,
            f"Every one of {labels} labels is {values[0]}, though the output has {outputs} classes: if the data holds "
            f"more than one class, the labels were scaled down or cut on their way; {course.sentence}.",
            "info",
            0.6,
            evidence,
            "print their distinct values before and after each step of preparation",
        )
    if len(values) > 1 and complete and above >= THRESHOLDS["half"][0] * outputs:
        return _fired(
            place,
            f"Only {_listed(values)} occur among {labels} labels, though the output has {outputs} classes: labels that "
            f"were scaled down and cut to whole numbers look so; {course.sentence}.",
            "warning",
            0.75,
            evidence,
            "compare the distinct labels with the classes of the data",
        )
    return None


def _representative(recording: Recording, place: Place, *, single: bool) -> bool:
    """The sampled batches stand for the whole run: well mixed among themselves, or sampled to its end."""
    steps = recording.streams[place.stream].steps
    if place.seen[-1].step >= FRESH * (steps - 1):
        return True
    mixed = mixing(batches(list(place.seen)))
    return not single and mixed is not None and mixed.chance > THRESHOLDS["mixed"][0]


def _yes_no(recording: Recording, place: Place) -> Fired | None:
    """Whole-number labels beyond 0 and 1 in a binary cross-entropy."""
    lows = [v for t in place.seen if (v := number(t.target.get("min"))) is not None and math.isfinite(v)]
    highs = [v for t in place.seen if (v := number(t.target.get("max"))) is not None and math.isfinite(v)]
    if not lows or not highs:
        return None
    low, high = min(lows), max(highs)
    margin = THRESHOLDS["outside"][0]
    few = max(int(t.target.get("distinct") or 65) for t in place.seen) <= 20
    whole = place.share(lambda t: bool(t.target.get("integer"))) > 0.9
    if not (few and whole) or (low >= -margin and high <= 1 + margin):
        return None
    course = loss_course(recording, recording.streams[place.stream])
    one_two = low == 1 and high == 2
    return _fired(
        place,
        f"A binary cross-entropy wants labels 0 and 1, but these are whole numbers from {low:g} to {high:g}: such a loss "
        f"has no lowest value; {course.sentence}.",
        "warning" if adversarial(recording) else "error",
        0.6 if adversarial(recording) else 0.93,
        {"lowest": low, "highest": high, "samples": len(place.seen), **course.evidence()},
        "subtract 1"
        if one_two
        else "(y + 1) / 2"
        if (low, high) == (-1, 1)
        else "make them 0 and 1, or use cross-entropy",
    )


def _rows(recording: Recording, place: Place) -> Fired | None:
    """Rows of class probabilities, or one-hot rows, that were scaled with something else."""
    sums = [s for t in place.seen if (s := _row_sum(t)) is not None]
    if len(sums) < 0.9 * len(place.seen) or not sums:
        return None
    middle = statistics.median(sums)
    if middle <= 0 or max(abs(s - middle) for s in sums) > THRESHOLDS["row_varies"][0] * middle:
        return None
    if abs(middle - 1) <= THRESHOLDS["row"][0]:
        return None
    rescaled = all(_one_value_a_row(t, s) for t, s in zip(place.seen, sums, strict=False))
    if place.kind != "cross_entropy_soft" and not rescaled:
        return None  # numbers of another meaning
    course = loss_course(recording, recording.streams[place.stream])
    what = "one-hot rows hold" if rescaled else "rows of class probabilities sum to"
    return _fired(
        place,
        f"The targets' {what} {middle:.4g} where 1 belongs, in {len(sums)} sampled batches: they were scaled with "
        f"something else; {course.sentence}.",
        "error" if rescaled or course.hurt else "info",
        0.85 if rescaled else 0.6,
        {"row_sum": middle, "samples": len(sums), **course.evidence()},
        f"divide them by {middle:.4g}, or leave them out of the scaling",
    )


def _row_sum(seen: TermSeen) -> float | None:
    """Mean sum of a row over the classes; None where the targets are not rows of nonnegative numbers."""
    target = seen.target
    shape = target.get("shape") or ()
    mean, low = number(target.get("mean")), number(target.get("min"))
    if len(shape) < 2 or mean is None or low is None or low < 0 or not math.isfinite(mean):
        return None
    classes = int(shape[seen.class_dim if seen.kind == "cross_entropy_soft" else len(shape) - 1])
    return mean * classes if classes >= 2 else None


def _one_value_a_row(seen: TermSeen, total: float) -> bool:
    """Two distinct values, zero and one more, and each row holds that one once."""
    high, low = number(seen.target.get("max")), number(seen.target.get("min"))
    if int(seen.target.get("distinct") or 0) != 2 or low != 0 or not high:
        return False
    return abs(total - high) <= 1e-3 * high


def _listed(values: list[int]) -> str:
    shown = [str(v) for v in values[:6]] + (["…"] if len(values) > 6 else [])
    return ", ".join(shown)


def _fired(
    place: Place, sentence: str, severity: Severity, confidence: float, evidence: dict[str, Number], do: str
) -> Fired:
    return Fired(
        sentence=sentence,
        severity=severity,
        confidence=confidence,
        where=f"targets of the loss at {place.where}" if place.line else "targets",
        step=place.seen[0].step,
        evidence=evidence,
        advice=(_advice(do, place.line),),
        line=place.line,
    )


def _advice(do: str, line: object) -> Advice:
    return Advice(
        "mend the labels",
        f"Print the labels right before the loss: {do}.",
        "print(y.dtype, y.unique())   # want: class indices 0 … C−1 as torch.long (0.0 and 1.0 for a binary loss)",
        line if isinstance(line, dict) else None,
    )
