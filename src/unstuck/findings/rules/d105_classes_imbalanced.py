"""One class dominates, or only one class occurs.

What it means
-------------
Nearly all examples that the network was shown belong to one class, and its answer is that class; or every label
that was seen is the same.

Why it hurts
------------
Always naming the commonest class is then a good answer by the loss and by accuracy, and the gradient of the few
others drowns. With a single label the loss falls to zero and means nothing: often the labels were damaged on
the way (divided, rounded, filled).

How it is judged
----------------
The classes of all sampled batches are counted. Only one class, at an output made for several, is an error: in
samples from all over the run, or in the first ones when the loss then only fell to nearly nothing. A class with
at least 90 % of the examples is a warning only when the network has learned no more than to name it: in the
last sampled batches its right answers are just that class's examples. Where no batch from the end was sampled,
the loss must be that of always giving the class shares. Otherwise it is information. With class weights neither
holds, and there is no warning; nor with a loss that weighs its examples by itself (focal). Where the kept batches could be
answered at the end, fewer than half of their rare examples answered rightly is a warning too.

When it is wrong
----------------
The inputs say nothing about the rare class, so that naming the commonest is the best there is. Rare classes
that occur only in batches that were not sampled.

What to do
----------
One class only: print `y.unique(return_counts=True)` right before the loss and go back from there. Imbalance:
draw the classes evenly (`WeightedRandomSampler`), or weight the loss; and judge by recall of each class, not by
accuracy.

Sources
-------
He and Garcia, Learning from imbalanced data, 2009. Fault 59325381 (StackOverflow, collected in DeepLocalize,
2021): labels divided by 255 reach a loss of 8e-7 at 10 % accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Skipped
from unstuck.findings.evidence.classes import Batch, batch_counts, batches, classifier, entropy, majority, total
from unstuck.findings.evidence.head import Place, adversarial, nothing_to_read, number, places
from unstuck.findings.evidence.loss_course import FRESH, LossCourse, loss_course
from unstuck.findings.evidence.trend import mean_between
from unstuck.record.recording import Recording, Stream

CODE = "D105"
NAME = "classes-imbalanced"
CLAIM = "one class dominates, or only one class occurs"
ENABLED = True
SICK = ("examples/sick/d105_digits_nine.py",)
HEALTHY = ("examples/mended/d105_digits_nine.py", "examples/healthy/digits_gan.py")
THRESHOLDS = {
    "dominates": (0.9, "share of the commonest class from which its mere naming looks like success"),
    "examples": (100, "labels counted before a single class is more than chance"),
    "samples": (4, "sampled batches before a single class is more than a sorted beginning"),
    "faded": (0.02, "of the logarithm of the class count: a loss that only one class can bring about so soon"),
    "rare": (3, "rare examples among the last batches that must all have been missed"),
    "rare_kept": (8, "rare examples in the kept batches, for their right answers to be told"),
    "found": (0.15, "of the rare examples answered rightly, at most: as good as none"),
    "told_apart": (0.5, "of the rare examples answered rightly: the network does more than name the commonest"),
    "lead": (0.1, "part of the rare examples by which right answers may differ from the commonest class's examples"),
    "loss_learned": (
        0.75,
        "of the class shares' entropy: below it the rare ones are told apart, if not beyond even odds",
    ),
    "loss_near": (
        0.07,
        "distance of the loss from the class shares' entropy, as a part of it: the rare ones left no trace",
    ),
    "loss_near_most": (0.3, "the most that counting error of the rare labels may widen it: 0.8 of 1/√(their number)"),
    "loss_near_rare": (0.15, "the same where the commonest class has 97 %: so few rare ones make both numbers noisy"),
}


def judge(recording: Recording) -> Answer:
    """Count the classes, and see whether the network does more than name the commonest."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    stream = recording.main
    some = [
        p for p in places(recording, "nll", "cross_entropy_soft", "bce", "bce_logits", "gather", "mse")
        if p.stream == stream.number and _is_classes(p)
    ]  # fmt: skip
    if not some:
        return NotApplicable("no targets that are classes")
    if adversarial(recording):
        return NotApplicable("several optimizers: real and generated examples come in batches of their own")
    place = some[0]
    together = [t for p in some if p.kind == place.kind for t in p.seen]
    seen = batches(together)
    counts = total(seen)
    commonest = majority(counts)
    if commonest is None:
        return Skipped("the classes of the targets were not counted")
    course = loss_course(recording, stream)
    if len(counts) == 1:
        return _single(recording, place, seen, course)
    name, share = commonest
    if share < THRESHOLDS["dominates"][0]:
        return Passed(f"the commonest class has {share:.0%} of {sum(counts.values())} labels")
    return _dominated(recording, stream, place, name, share, sum(counts.values()), len(counts), entropy(counts), course)


def _is_classes(place: Place) -> bool:
    if place.kind == "mse":
        return place.share(lambda t: bool(t.target.get("one_hot"))) > 0.5
    if place.kind in ("bce", "bce_logits"):
        return place.share(lambda t: bool(t.target.get("binary"))) > 0.5
    return place.share(lambda t: bool(t.target.get("classes"))) > 0.5


def _single(recording: Recording, place: Place, seen: list[Batch], course: LossCourse) -> Answer:
    examples = sum(b.size for b in seen)
    only = next(iter(total(seen)))
    if examples < THRESHOLDS["examples"][0] or len(seen) < THRESHOLDS["samples"][0]:
        return Skipped(f"one class only, but just {examples} labels in {len(seen)} sampled batches were seen")
    late = seen[-1].step >= FRESH * (course.steps - 1)
    if not late and not _faded(recording.streams[place.stream], seen[-1].step, place, course):
        return Skipped("one class only, but no batch from the end of the run was sampled: the data may be sorted")
    classes = place.seen[0].class_count or 0
    if place.kind == "nll" and classes > 1 and not classifier(recording, classes):
        return Passed("the right answer always stands in the same place by design (a contrastive loss)")
    if place.kind == "nll" and classes == 1:
        return NotApplicable("an output for a single class")
    if place.kind in ("bce", "bce_logits") and not place.alone:
        return NotApplicable("one of several losses, each with a label of its own")
    return Fired(
        sentence=f"Every one of {examples} labels in {len(seen)} sampled batches is class {only}"
        + (f", though the output has {classes} classes" if classes > 1 else "")
        + f": the loss ({course.end:.3g} at the end) says nothing about telling classes apart."
        if course.end is not None
        else f"Every one of {examples} labels in {len(seen)} sampled batches is class {only}.",
        severity="error",
        confidence=0.93 if late else 0.85,
        where=f"targets of the loss at {place.where}" if place.line else "targets",
        step=place.seen[0].step,
        evidence={"labels": examples, "classes_seen": 1, "classes_of_output": classes or None, **course.evidence()},
        advice=(
            Advice(
                "look at the labels",
                "Print the labels right before the loss, and go back to the line that makes them all alike.",
                "print(y.dtype, y.unique(return_counts=True))   # want: class indices 0 … C−1 as torch.long",
                place.line,
            ),
        ),
        line=place.line,
    )


def _faded(stream: Stream, last: int, place: Place, course: LossCourse) -> bool:
    """After the last sample the loss only fell, to nearly nothing: no other class can have come."""
    before = stream.loss.between(0, last + 1).finite().values
    after = stream.loss.between(last + 1, stream.steps).finite().values
    classes = max(2, place.seen[0].class_count or 0)
    if len(before) == 0 or len(after) == 0 or course.end is None:
        return False
    return course.end <= THRESHOLDS["faded"][0] * math.log(classes) and max(after) <= max(before)


def _missed_at_end(recording: Recording, name: str) -> tuple[int, int] | None:
    """Of the rare examples among the kept batches, answered at the end: how many there are, how many are right."""
    for event in reversed(recording.happened("biopsy")):
        told = event.data.get("answers")
        if event.data.get("when") != "end" or not isinstance(told, Mapping):
            continue
        rare = [
            pair for label, pair in told.items() if str(label) != name and isinstance(pair, list) and len(pair) == 2
        ]
        count = sum(int(pair[0]) for pair in rare)
        return (count, sum(int(pair[1]) for pair in rare)) if count >= THRESHOLDS["rare_kept"][0] else None
    return None


def _dominated(
    recording: Recording,
    stream: Stream,
    place: Place,
    name: str,
    share: float,
    labels: int,
    classes: int,
    baseline: float,
    course: LossCourse,
) -> Answer:
    evidence: dict[str, Number] = {
        "labels": labels,
        "classes_seen": classes,
        "commonest_class": name,
        "class_share_loss": baseline,
        **course.evidence(),
    }
    missed = _missed_at_end(recording, name)
    naming = _names_only(place, name, course.steps)
    scale = course.baseline / baseline if course.baseline and baseline else 1.0
    # The last third of the steps, since rare examples make single losses jump.
    end = mean_between(stream.loss, stream.steps * 2 // 3, stream.steps)
    part = end / (baseline * scale) if end is not None and math.isfinite(end) and baseline else None
    near = THRESHOLDS["loss_near_rare" if share >= 0.97 else "loss_near"][0]
    if share >= 0.97:  # the entropy rests on a handful of rare labels: nearness within their own counting error
        near = max(near, min(THRESHOLDS["loss_near_most"][0], 0.8 / math.sqrt(max(1.0, labels * (1.0 - share)))))
    by_loss = course.baseline is not None and part is not None and abs(part - 1) <= near
    weighted = any(t.term.get("class_weights") or t.term.get("modified") for t in place.seen)
    if naming and part is not None and part < THRESHOLDS["loss_learned"][0]:
        naming = False  # it tells the rare ones apart, though not beyond even odds
    collapsed = naming if naming is not None else by_loss and not weighted
    partly = missed is not None and missed[1] < THRESHOLDS["told_apart"][0] * missed[0] and not collapsed
    if missed is not None and (missed[1] <= THRESHOLDS["found"][0] * missed[0] or partly):
        naming = missed[1] <= THRESHOLDS["found"][0] * missed[0]
        collapsed = True
        course_text = f"of {missed[0]} rare examples in the batches that were kept {missed[1]} are answered rightly"
    else:
        course_text = course.sentence
        if missed is not None and missed[1] >= THRESHOLDS["told_apart"][0] * missed[0]:
            collapsed = False
    text = f"{share:.1%} of {labels} labels are class {name}"
    if collapsed and naming:
        every = "nearly every" if missed is not None and missed[1] else "every"
        text += f", and at the end the network gives that answer to {every} example: {course_text}"
    elif collapsed and partly and missed is not None:
        text += f", and at the end {course_text}"
    elif part is not None:
        text += f"; the loss is {end:.3g}, where always giving the class shares costs {baseline * scale:.3g}"
    if collapsed and not naming and not partly:
        text += ": the network has learned to name the commonest class"
    return Fired(
        sentence=text + ".",
        # A loss that weighs its examples (focal, by class) was chosen for such labels; answers may be ranked, not counted.
        severity="warning" if collapsed and not weighted else "info",
        confidence=0.85 if collapsed and naming and not weighted else 0.6 if collapsed else 0.5,
        where=f"targets of the loss at {place.where}" if place.line else "targets",
        step=place.seen[0].step,
        evidence=evidence,
        advice=(
            Advice(
                "draw the classes evenly",
                "Draw rare classes as often as common ones, or weight the loss; judge by the recall of each class.",
                "weights = 1.0 / torch.bincount(y_train)[y_train]\n"
                "sampler = torch.utils.data.WeightedRandomSampler(weights, len(weights))\n"
                "loader = DataLoader(train_set, batch_size=batch_size, sampler=sampler)",
                place.line,
            ),
        ),
        line=place.line,
    )


def _names_only(place: Place, name: str, steps: int) -> bool | None:
    """Whether the right answers at the end are the examples of one class; None when too few rare ones were seen."""
    right = common = rare = 0.0
    for seen in [t for t in place.seen if t.step >= FRESH * (steps - 1)][-20:]:
        counts = batch_counts(seen.target)
        accuracy = number(seen.term.get("accuracy"))
        if counts is None or accuracy is None:
            continue
        size = sum(counts.values())
        right += accuracy * size
        common += counts.get(name, 0)
        rare += size - counts.get(name, 0)
    if rare < THRESHOLDS["rare"][0]:
        return None
    return abs(right - common) <= THRESHOLDS["lead"][0] * rare + 1e-6
