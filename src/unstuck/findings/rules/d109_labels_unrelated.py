"""The labels carry no more information about the inputs than shuffled labels do.

What it means
-------------
Inputs and labels got out of step: one of the two was shuffled or sorted alone, rows were dropped from one table only,
the wrong column was taken, or there is nothing to be learned from these inputs at all.

Why it hurts
------------
A large network learns such labels by heart and the training loss falls as if all were well; on other examples it does no
better than a constant answer. A small one stays at the loss of the constant answer, with nothing wrong in its code.

How it is judged
----------------
Proved by a probe (`--probe`): copies of the model are trained for the same few steps, on the run's own labels and
on shuffled ones, and each is judged on batches that were left out, with labels of its own kind. If the own labels are no
better there, by two standard errors of the difference and by a hundredth of the loss, and no better than a constant
answer either, nothing ties them to the inputs; an error. Without a probe the rule passes where right answers in the
first epoch, before any example came a second time, exceed the commonest class's share by five standard errors. It
speaks where a classifier learned its training examples while three and more looks at the script's own evaluation
never showed more right answers than chance, nor a loss below that of a constant answer. It also speaks where the run
stayed at the loss of a constant answer, or left it late and by less than a third, and a test of up to 400 of its
training examples at the end finds no tie either: their nearest neighbors and a straight line, in the inputs as they
are, in their spectra and in their sorted values, name the target no better than shuffled targets (a permutation test).
Where that test finds a sure tie the rule passes. Otherwise it is skipped.

When it is wrong
----------------
A task that takes more steps than the probe makes before anything can be seen (a rare class, a puzzle such as parity).
The rule's result then says only that the labels are hard. Neighbors and straight lines see no puzzle either: a run that
is stuck on one by another fault is called by this name. Labels that are noise by nature are called so rightly.

What to do
----------
Print a few inputs beside their labels at the place where batches are made, and check them by eye. Shuffle, split and
filter both with the same index.

Sources
-------
Zhang and others, Understanding deep learning requires rethinking generalization, 2017 (networks fit shuffled labels).
Ojala and Garriga, Permutation tests for studying classifier performance, 2010. Friedman and Rafsky, Graph-theoretic
measures of multivariate association, 1983 (neighbors that agree).
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Skipped
from unstuck.findings.evidence.classes import batch_counts
from unstuck.findings.evidence.commands import run_with_probe
from unstuck.findings.evidence.dependence import Relation, relation
from unstuck.findings.evidence.evaluations import evaluations, other_targets
from unstuck.findings.evidence.head import number, seen_terms
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.findings.evidence.probe_results import figure, probe_result
from unstuck.record.recording import Fact, Recording

CODE = "D109"
NAME = "labels-unrelated"
CLAIM = "the labels carry no more information about the inputs than shuffled labels do"
ENABLED = True
SICK = ("examples/sick/d109_digits_sorted_inputs.py",)
HEALTHY = ("examples/mended/d109_digits_sorted_inputs.py", "examples/healthy/digits_mlp_adam.py")
THRESHOLDS = {
    "errors": (2, "standard errors by which the own labels must do better than shuffled ones: one chance in forty"),
    "gain": (0.01, "of the shuffled labels' loss: a smaller advantage is none"),
    "constant": (0.02, "of the constant answer's loss: better than it by more is knowledge of the inputs"),
    "worse": (
        3,
        "times the loss of a constant answer: tables of factors learn each row by heart; shuffled labels of digits "
        "come to 1.5",
    ),
    "fits": (0.5, "of the constant answer's loss, on one batch: a copy that cannot learn by heart proves nothing"),
    "looks": (3, "at the same evaluation"),
    "shown": (
        0.15,
        "of the way from chance to all right, which the answers must be known to stay below, by two standard "
        "errors: 45 examples of ten classes do, of two classes it takes 200",
    ),
    "chance": (3, "standard errors above the commonest class's share that are still chance"),
    "sure": (5, "standard errors above the commonest class in the first epoch"),
    "far": (0.3, "of the constant answer's loss: who came farther by heart is told by an evaluation alone"),
    "early": (
        0.015,
        "of the constant answer's loss, in the second twentieth: what can be learned is learned from then on",
    ),
    "apart": (3.0, "deviations of chance in the strongest of nine likenesses: shuffled labels gave 1.7 to 3"),
}


_PAIRS = Advice(
    "look at pairs",
    "Print a few inputs beside their labels where the batches are made; shuffle and filter both with one index.",
    "order = torch.randperm(len(X))\nX, y = X[order], y[order]",
)


def judge(recording: Recording) -> Answer:
    """Do the labels tell more than shuffled ones?"""
    result = probe_result(recording, "shuffled-labels")
    if result is not None:
        return _probed(recording, result)
    if not recording.main.steps:
        return NotApplicable("no training step was seen")
    early = _first_epoch(recording)
    if early is not None:
        return Passed(early)
    by_heart = _by_heart_only(recording)
    if by_heart is not None:
        return by_heart
    tied = relation(recording)
    if tied is not None and tied.sure:
        return Passed(
            f"{tied.seen_by} tells the targets of {tied.examples} training examples, {tied.strongest:.0f} deviations of "
            "chance better than shuffled ones"
        )
    # Where the loss rises far beyond its beginning, the first examples, which are kept, are not what is trained on later.
    whole = not loss_course(recording).beyond
    if tied is not None and tied.none and whole and (untied := _nothing_ties(recording, tied)) is not None:
        return untied
    return Skipped(
        "watching cannot tell labels learned by heart from labels learned; a probe can: " + run_with_probe(recording)
    )


def _probed(recording: Recording, result: Fact) -> Answer:
    if result.get("unseen"):
        return Skipped(f"the probe could not be made: {result['unseen']}")
    own, shuffled = figure(result, "loss"), figure(result, "shuffled_loss")
    error, constant = figure(result, "standard_error"), figure(result, "constant_loss")
    if own is None or shuffled is None or not math.isfinite(shuffled):
        return Skipped("the probe gave no losses to compare")
    error = error if error is not None and math.isfinite(error) else 0.0
    gain = shuffled - own
    shown = f"{own:.3g} on batches left out of the training, {shuffled:.3g} with shuffled labels (± {error:.2g})"
    ahead = gain > max(THRESHOLDS["errors"][0] * error, THRESHOLDS["gain"][0] * abs(shuffled))
    knows = constant is not None and own < (1 - THRESHOLDS["constant"][0]) * constant
    if ahead or knows:
        return Passed(f"the labels tell of the inputs: the loss is {shown}")
    evidence: dict[str, Number] = {
        "loss": own,
        "shuffled_loss": shuffled,
        "standard_error": error,
        "constant_answer_loss": constant,
        "steps": figure(result, "steps"),
        "repeats": figure(result, "repeats"),
        "examples": figure(result, "examples"),
    }
    alone = probe_result(recording, "overfit-one-batch") or {}
    last, level = figure(alone, "last_loss"), figure(alone, "constant_loss") or figure(alone, "first_loss")
    if last is not None and level is not None and last > THRESHOLDS["fits"][0] * level:
        return Skipped(f"the copies cannot even fit one batch (its loss is {last:.3g}), so no labels would do better")
    if constant is not None and own > THRESHOLDS["worse"][0] * constant:
        return Skipped(
            f"the copies answer the batches left out far worse than a constant does ({own:.3g} against {constant:.3g}): they "
            "learn by heart, whatever the labels"
        )
    with_constant = f"; a constant answer has {constant:.3g}" if constant is not None else ""
    return Fired(
        sentence=f"A copy of the model trained on these labels does no better than one trained on shuffled labels: the loss "
        f"is {shown}{with_constant}.",
        severity="error",
        confidence=0.85 if constant is not None else 0.7,
        where="the labels",
        step=None,
        evidence=evidence,
        advice=(_PAIRS,),
        basis="probed",
    )


def _by_heart_only(recording: Recording) -> Fired | None:
    """Training answers that are learned, and answers of evaluations that were never better than a constant one."""
    course = loss_course(recording)
    if course.outcome not in ("learned", "well") or course.baseline is None:
        return None
    for series in evaluations(recording):
        looks = [look for look in series.looks if look.accuracy is not None and look.commonest is not None]
        if len(looks) < THRESHOLDS["looks"][0] or series.kind != course.kind or other_targets(recording, series):
            continue
        best = max(look.accuracy or 0.0 for look in looks)
        usual = statistics.median(look.accuracy or 0.0 for look in looks)
        chance = max(look.commonest or 0.0 for look in looks)
        error = math.sqrt(chance * (1 - chance) / series.examples)
        at_most = usual + 2 * math.sqrt(usual * (1 - usual) / series.examples)
        lowest = min(look.loss for look in looks)
        if (
            best > chance + THRESHOLDS["chance"][0] * error
            or at_most > chance + THRESHOLDS["shown"][0] * (1 - chance)
            or lowest < (1 - THRESHOLDS["constant"][0]) * course.baseline
        ):
            continue
        return Fired(
            sentence=f"The training examples are learned, but in {len(looks)} looks at the evaluation at most {best:.0%} of "
            f"{series.examples} answers are right, where always naming the commonest class gives {chance:.0%}, and the loss "
            f"there is never below {lowest:.3g}; {course.sentence}. The labels do not belong to the inputs, there or in "
            "training.",
            severity="error",
            confidence=0.6,  # told from no more than a handful of runs
            where="the labels",
            step=looks[0].step,
            evidence={
                "evaluation_accuracy": best,
                "commonest_class_share": chance,
                "evaluation_loss": lowest,
                "looks": len(looks),
                **course.evidence(),
            },
            advice=(_PAIRS,),
        )
    return None


def _nothing_ties(recording: Recording, tied: Relation) -> Fired | None:
    """The network found nothing before it had time to learn by heart, and nor do neighbors or a straight line."""
    course = loss_course(recording)
    losses = recording.main.loss
    if course.fall is None or course.baseline is None or losses is None or course.fall > THRESHOLDS["far"][0]:
        return None
    constant = course.fall <= THRESHOLDS["constant"][0]
    if not constant:
        length = len(losses)
        early = [v for v in losses.values[length // 20 : length // 10] if math.isfinite(v)]
        if not early or statistics.fmean(early) < (1 - THRESHOLDS["early"][0]) * course.baseline:
            return None
    for series in evaluations(recording):
        looks = [look for look in series.looks if look.accuracy is not None and look.commonest is not None]
        for look in looks:
            chance = look.commonest or 0.0
            error = math.sqrt(max(chance * (1 - chance), 1e-12) / series.examples)
            if (look.accuracy or 0.0) > chance + THRESHOLDS["chance"][0] * error:
                return None
    how = "found nothing" if constant else "found nothing at first, and little later, as by heart"
    return Fired(
        sentence=f"The network {how}: {course.sentence}. Nor do nearest neighbors or a straight line tell the targets of "
        f"{tied.examples} of its training examples better than shuffled ones (at best {tied.strongest:.1f} deviations of "
        "chance): nothing that was looked for ties the targets to the inputs.",
        severity="warning",
        confidence=0.7 if constant else 0.6,
        where="the labels",
        step=None,
        evidence={"strongest_relation": tied.strongest, "examples": tied.examples, **course.evidence()},
        advice=(_PAIRS,),
    )


def _first_epoch(recording: Recording) -> str | None:
    """Right answers on examples that had not been seen before; None when that is not known or not sure."""
    sizes = [
        int(loader.get("examples") or 0)
        for event in recording.happened("shuffle")
        for loader in event.data.get("loaders") or ()
        if loader.get("training")
    ]
    batch = recording.main.batch_size
    if not sizes or not batch:
        return None
    last = min(sizes) // max(1, int(max(batch.values)))  # steps of the first epoch
    right = seen = 0.0
    counts: dict[str, int] = {}
    for term in seen_terms(recording.main):
        labels, accuracy = batch_counts(term.target), number(term.term.get("accuracy"))
        if term.step >= last or labels is None or accuracy is None:
            continue
        n = sum(labels.values())
        right, seen = right + accuracy * n, seen + n
        for name, count in labels.items():
            counts[name] = counts.get(name, 0) + count
    if not seen or len(counts) < 2:
        return None
    share = max(counts.values()) / sum(counts.values())
    sigma = (right - seen * share) / math.sqrt(seen * share * (1 - share))
    if sigma < THRESHOLDS["sure"][0]:
        return None
    return f"{right / seen:.0%} of {seen:.0f} answers in the first epoch are right, the commonest class has {share:.0%}"
