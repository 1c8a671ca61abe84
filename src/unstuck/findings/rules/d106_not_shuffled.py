"""Successive batches are not exchangeable.

What it means
-------------
The examples come sorted: one batch holds nearly only one class, the next nearly only the next one. A batch
should be a small picture of the whole data.

Why it hurts
------------
The gradient of a sorted batch pulls toward its own class and undoes what the batches before it did. The loss
looks wonderful within a class and jumps at the next; at the end the network remembers best what came last.
Batch normalization learns the wrong statistics.

How it is judged
----------------
The classes of the sampled batches (the first twenty steps and later ones) are compared by Pearson's test:
batches drawn from shuffled data would be so uneven with a probability below one in a million, and at least a
third of the classes' variance lies between batches. With one example a batch, the share of successive examples
of the same class is tested instead. Where only the beginning was sampled and it is all of one class, the loss
must have leaped afterwards. Targets that are numbers must lie between batches to four fifths, and the loss must
have come less than four fifths of its way, since series in time are fed in order by custom. Always the same
full batch, or a loader without shuffling whose data is mixed, is no finding.

When it is wrong
----------------
Curricula and class-incremental learning present classes in turn on purpose.

What to do
----------
`DataLoader(..., shuffle=True)`, or a fresh permutation each epoch in a loop of one's own. Data that can only be
streamed: a large shuffle buffer, or mix the files.

Sources
-------
Bengio, Practical recommendations for gradient-based training of deep architectures, 2012, section 3.1 (order of
examples). Fault TDC shuffled (Ben Braiek and Khomh, 2023). Wilson and Hilferty, 1931 (tail of the test).
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Severity, Skipped
from unstuck.findings.evidence.classes import Batch, Mixing, batches, chi_square_tail, majority, mixing, repeats, total
from unstuck.findings.evidence.head import NUMBER_KINDS, Place, adversarial, nothing_to_read, number, places
from unstuck.findings.evidence.loss_course import FRESH, WELL, loss_course
from unstuck.record.recording import Fact, Recording

CODE = "D106"
NAME = "not-shuffled"
CLAIM = "successive batches are not exchangeable (sorted by class, the same order every epoch)"
ENABLED = True
SICK = ("examples/sick/d106_digits_by_folder.py", "examples/sick/d106_mnist_sorted.py")
HEALTHY = (
    "examples/mended/d106_digits_by_folder.py",
    "examples/mended/d106_mnist_sorted.py",
    "examples/healthy/digits_contrastive.py",
)
THRESHOLDS = {
    "chance": (1e-6, "probability of so uneven batches under shuffling: one false alarm in a million runs"),
    "between": (
        1 / 3,
        "share of the classes' variance between batches, corrected for chance: 0 when mixed, 1 when sorted; topics and "
        "lengths that cluster a little stay below",
    ),
    "sorted": (0.8, "batches of nearly one class each"),
    "leap": (2, "times the loss on the first class, reached when another one comes: a loss on one class only falls"),
    "batches": (5, "fewer sampled batches do not tell sorted data from odd ones"),
    "pairs": (10, "successive examples for the test of batches of one"),
}


def judge(recording: Recording) -> Answer:
    """Test whether the sampled batches are alike in their classes."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    stream = recording.main
    some = [
        p for p in places(recording, "nll", "cross_entropy_soft", "bce", "bce_logits", "mse")
        if p.stream == stream.number and _classes_of_examples(p)
    ]  # fmt: skip
    if not some:
        return _numbers(recording)
    if adversarial(recording):
        return NotApplicable("several optimizers: real and generated examples come in batches of their own")
    place = some[0]
    seen = batches([t for p in some if p.kind == place.kind for t in p.seen])
    if not seen:
        return Skipped("the classes of the targets were not counted")
    if len(seen) < THRESHOLDS["batches"][0]:
        return Skipped(f"only {len(seen)} batches were sampled")
    counts = total(seen)
    if len(counts) < 2:
        return _one_class_first(recording, place, seen)
    if statistics.median(b.size for b in seen) >= 2:
        mixed = mixing(seen)
        if mixed is None:
            return Skipped("too few examples in the sampled batches")
        if mixed.chance < THRESHOLDS["chance"][0] and mixed.between >= THRESHOLDS["between"][0]:
            return _uneven(recording, place, seen, mixed)
        return Passed(f"{max(0.0, mixed.between):.0%} of the classes' variance lies between batches")
    return _one_by_one(recording, place, seen)


def _numbers(recording: Recording) -> Answer:
    """Targets that are numbers: series in time are fed in order by custom, so it must have hurt as well."""
    stream = recording.main
    some = [p for p in places(recording, *NUMBER_KINDS) if p.stream == stream.number and p.alone]
    if not some or adversarial(recording):
        return NotApplicable("no targets that are one class for each example")
    place = some[0]
    batches_ = [b for t in place.seen if (b := _moments(t.target)) is not None]
    if len(batches_) < THRESHOLDS["batches"][0]:
        return NotApplicable("no targets that are one class or one number for each example")
    n = sum(b[0] for b in batches_)
    mean = sum(b[0] * b[1] for b in batches_) / n
    between = sum(b[0] * (b[1] - mean) ** 2 for b in batches_)
    within = sum(b[0] * b[2] ** 2 for b in batches_)
    if between + within <= 0 or n <= 2 * len(batches_):
        return Passed("the targets do not vary")
    share = between / (between + within)
    freedom = len(batches_) - 1
    chance = chi_square_tail(between / max(within / (n - len(batches_)), 1e-300), freedom)
    course = loss_course(recording)
    mixed = share < THRESHOLDS["sorted"][0] or chance >= THRESHOLDS["chance"][0]
    unhurt = course.fall is None or course.fall >= WELL
    if mixed or (unhurt and not course.diverged):
        return Passed(f"{share:.0%} of the targets' variance lies between batches")
    return _fired(
        recording,
        place,
        f"Batches hold targets of one size at a time: {share:.0%} of their variance lies between batches, where "
        f"shuffled "
        f"data gives {freedom / n:.0%}; {course.sentence}",
        "warning",
        0.6,
        {"variance_between_batches": share, "chance": chance, "batches": len(batches_), **course.evidence()},
    )


def _moments(target: Fact) -> tuple[int, float, float] | None:
    """Count, mean and deviation of a batch of single numbers."""
    shape = list(target.get("shape") or ())
    mean, std = number(target.get("mean")), number(target.get("std"))
    single = len(shape) == 1 or (len(shape) == 2 and int(shape[1]) == 1)
    if (
        not single
        or mean is None
        or std is None
        or not math.isfinite(mean)
        or not math.isfinite(std)
        or int(shape[0]) < 2
    ):
        return None
    return int(shape[0]), mean, std


def _classes_of_examples(place: Place) -> bool:
    """One class for each example: no pixels, no tokens, no several labels."""
    first = place.seen[0]
    shape = list(first.target.get("shape") or ())
    if place.kind == "nll":
        output = list(first.output.get("shape") or ())
        return len(shape) == 1 and len(output) <= 2 and bool(first.target.get("classes"))
    if place.kind in ("bce", "bce_logits"):
        return bool(first.target.get("binary")) and (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1))
    return bool(first.target.get("one_hot")) and len(shape) == 2


def _uneven(recording: Recording, place: Place, seen: list[Batch], mixed: Mixing) -> Fired:
    runs = [m for b in seen if b.size >= 2 and (m := majority(b.counts)) is not None]
    typical = statistics.median(share for _, share in runs)
    overall = majority(total(seen))
    assert overall is not None
    severity: Severity = "error" if mixed.between >= THRESHOLDS["sorted"][0] else "warning"
    examples = "; ".join(
        f"step {b.step}: {m[1]:.0%} class {m[0]}" for b in (seen[0], seen[-1]) if (m := majority(b.counts)) is not None
    )
    return _fired(
        recording,
        place,
        f"Batches hold one class at a time: in the middle one of {mixed.batches} sampled batches {typical:.0%} of "
        f"the examples are "
        f"of one class, while the commonest class of all has {overall[1]:.0%} ({examples}). Shuffled data would be "
        f"so uneven with "
        f"a probability below {max(mixed.chance, 1e-12):.0e}",
        severity,
        0.95 if severity == "error" else 0.8,
        {
            "variance_between_batches": mixed.between,
            "chance": mixed.chance,
            "batches": mixed.batches,
            "examples": mixed.examples,
            "commonest_in_batch": typical,
            "commonest_in_all": overall[1],
        },
    )


def _one_class_first(recording: Recording, place: Place, seen: list[Batch]) -> Answer:
    """Only one class in the samples, all from the beginning, and then a loss that others must have caused."""
    stream = recording.main
    classes = max(2, place.seen[0].class_count or 0)
    examples = sum(b.size for b in seen)
    last = seen[-1].step
    before = stream.loss.between(last - len(seen) // 2, last + 1).finite().values
    after = stream.loss.between(last + 1, stream.steps).finite().values
    if len(before) == 0 or len(after) == 0 or last >= FRESH * stream.steps:
        return NotApplicable("a single class was seen")
    scale = statistics.median(t.weight * (number(t.loss.get("sum_over")) or 1.0) for t in place.seen)
    top = max(after)
    at_top = list(after).index(top)
    # A rare example among a common class is one spike; a new class stays for a while.
    stays = statistics.median(after[at_top : at_top + 5]) > max(before)
    leap = stays and top > THRESHOLDS["leap"][0] * max(before) and top > 0.5 * scale * math.log(classes)
    chance = float(classes) ** -(examples - 1) if examples < 300 else 0.0
    if not leap or chance >= THRESHOLDS["chance"][0]:
        return NotApplicable("a single class was seen")
    only = next(iter(seen[0].counts))
    step = next(s for s, v in stream.loss if s > last and v == top)
    return _fired(
        recording,
        place,
        f"The first {examples} examples are all of class {only} of {classes}, and when others came the loss leaped "
        f"from "
        f"{max(before):.3g} to {top:.3g} (step {step})",
        "warning",
        0.8,
        {"examples": examples, "classes_of_output": classes, "loss_before": max(before), "loss_after": top},
    )


def _one_by_one(recording: Recording, place: Place, seen: list[Batch]) -> Answer:
    counts = total(seen)
    shares = {c: k / sum(counts.values()) for c, k in counts.items()}
    found = repeats(seen, shares)
    if found is None or found.pairs < THRESHOLDS["pairs"][0]:
        return Skipped("too few successive examples were sampled")
    share = found.same / found.pairs
    if (
        found.chance < THRESHOLDS["chance"][0]
        and (share - found.expected) / (1 - found.expected) >= THRESHOLDS["between"][0]
    ):
        return _fired(
            recording,
            place,
            f"Successive examples are of the same class in {found.same} of {found.pairs} cases, where shuffled data "
            f"gives "
            f"{found.expected:.0%} (chance {max(found.chance, 1e-12):.0e})",
            "warning",
            0.85,
            {"same_class_neighbors": share, "expected": found.expected, "chance": found.chance, "pairs": found.pairs},
        )
    return Passed(f"successive examples share a class in {found.same} of {found.pairs} cases")


def _fired(
    recording: Recording, place: Place, text: str, severity: Severity, confidence: float, evidence: dict[str, Number]
) -> Fired:
    course = loss_course(recording)
    samplers = [str(e.data["sampler"]) for e in recording.happened("shuffle") if e.data.get("sampler")]
    if samplers:
        text += f"; the loader's sampler is {samplers[-1]}"
        evidence["sampler"] = samplers[-1]
    loader = bool(samplers)
    return Fired(
        sentence=text + ".",
        severity=severity,
        confidence=confidence,
        where="order of the training data",
        step=place.seen[0].step,
        evidence={**evidence, "steps": course.steps},
        advice=(
            Advice(
                "shuffle",
                "Shuffle the examples anew in each epoch.",
                "loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)"
                if loader
                else "order = torch.randperm(len(X))   # anew in each epoch\nX, y = X[order], y[order]",
                place.line,
            ),
        ),
        line=place.line,
    )
