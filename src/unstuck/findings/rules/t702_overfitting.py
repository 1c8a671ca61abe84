"""Training loss falls while validation loss rises.

What it means
-------------
The network goes on fitting the training examples closer, and from some epoch on that makes it worse on examples that it is
not trained on.

Why it hurts
------------
The weights of the last epoch are not the best ones that the run had. What is bought with more epochs is
confidence, in mistakes as well.

How it is judged
----------------
Only where the script's own evaluations compute a loss with one of torch's loss modules or loss functions, of the same
family as the training's (for classes, or for numbers): at least five looks at the same held-out batches (the first
ones of each evaluation), or at batches from the same place. The loss of the last ones (a fifth of the looks, in the
last fifth of the steps; at least two) is compared with the best. Reported when it is a tenth above the best, beyond
three standard errors of the looks' own scatter, while the training loss fell by a tenth and more since then. It is a
warning when the rise is a fifth and right answers (where they are known) did not become more, with eight mistakes and
more. It is a warning as well, turn or no turn, when the training loss ends below a hundredth of a constant answer's
loss while no evaluation ever came below half of it. Information otherwise: a classifier's loss may rise with its
confidence while its answers still improve, and that of a small batch with a single mistake.

When it is wrong
----------------
The watched batch is small and unlike the rest of the validation set. The script keeps the best weights and means to
train on. Training with strong augmentation and dropout makes the two losses hard to compare; only their
directions are compared here.

What to do
----------
Keep the weights of the best epoch (early stopping). More data, augmentation, weight decay or dropout, or a smaller network
move the turning point.

Sources
-------
Prechelt, Early stopping – but when?, 1998. Guo and others, On calibration of modern neural networks, 2017 (loss and
right answers part).
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Severity, Skipped
from unstuck.findings.evidence.evaluations import Evaluations, Look, evaluations, other_targets
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.findings.evidence.places import at
from unstuck.findings.evidence.trend import mean_between
from unstuck.record.recording import Recording

CODE = "T702"
NAME = "overfitting"
CLAIM = "training loss falls while validation loss rises"
ENABLED = True
SICK = ("examples/sick/t702_diabetes_wide.py",)
HEALTHY = ("examples/mended/t702_diabetes_wide.py", "examples/healthy/digits_label_smoothing.py")
THRESHOLDS = {
    "looks": (5, "at the same place, so that a turning point and a scatter can be told"),
    "rise": (0.1, "of the best validation loss: smaller ones are told by nobody"),
    "harm": (0.2, "of the best validation loss, for a warning"),
    "errors": (3, "standard errors of the looks' own scatter"),
    "fall": (0.1, "of the training loss since the best look: the network still fitted the training set closer"),
    "by_heart": (0.01, "of a constant answer's loss, at most, in training"),
    "answered": (0.5, "of the same, at least, in every evaluation: halfway was never reached"),
    "sure_of": (32, "examples in a look, where no turn of the loss is seen"),
    "examples": (16, "in a look"),
    "mistakes": (
        8,
        "in a look at the end, for a warning: the loss of a classifier rests on them, and one may double it",
    ),
}

FAMILIES = {
    **dict.fromkeys(
        ("nll", "cross_entropy_soft", "gather", "bce", "bce_logits", "kl", "soft_margin", "hinge"), "classes"
    ),
    **dict.fromkeys(("mse", "l1", "smooth_l1", "huber"), "numbers"),
}


def judge(recording: Recording) -> Answer:
    """Compare the course of the evaluation losses with that of the training loss."""
    if not recording.happened("forward_without_gradient") and not recording.happened("evaluation_loss"):
        return NotApplicable("no evaluation was seen")
    series = [e for e in evaluations(recording) if e.examples >= THRESHOLDS["examples"][0]]
    if not series:
        return Skipped("the evaluations compute no loss with a loss of torch's, so their loss was not seen")
    trained = {family for kind in _trained_on(recording) if (family := FAMILIES.get(kind)) is not None}
    if trained:  # what is measured otherwise than it is trained need not fall with it
        series = [e for e in series if FAMILIES.get(e.kind) in trained]
        if not series:
            return Skipped("the evaluations compute another kind of loss than the training does")
    long = [e for e in series if len(e.looks) >= THRESHOLDS["looks"][0]]
    if not long:
        return Skipped(f"only {len(series[0].looks)} evaluations of the same place: too few to tell a turning point")
    alike = [e for e in long if other_targets(recording, e) is None]
    if not alike:
        return Skipped(
            "the evaluation's targets are not drawn as the training's are: its loss shows that, and no turning point"
        )
    found = [f for e in alike if (f := _judge(recording, e)) is not None]
    if all(f.severity == "info" for f in found):
        found += [f for e in alike if (f := _by_heart(recording, e)) is not None]
    if found:
        return max(found, key=lambda f: (f.severity == "warning", f.confidence))
    first, last = long[0].looks[0], long[0].looks[-1]
    return Passed(f"the evaluation loss went from {first.loss:.3g} to {last.loss:.3g} and did not turn up for good")


def _judge(recording: Recording, series: Evaluations) -> Fired | None:
    looks = [look for look in series.looks if math.isfinite(look.loss)]
    n = len(looks)
    if n < THRESHOLDS["looks"][0]:
        return None
    late = looks[-1].step - (looks[-1].step - looks[0].step) / 5  # looks thin out as a run grows
    tail = max(2, min(n // 5, sum(look.step >= late for look in looks)))
    best_at = min(range(n), key=lambda i: looks[i].loss)
    best = looks[best_at]
    if best_at >= n - tail or best.loss <= 0:
        return None
    end = statistics.fmean(look.loss for look in looks[-tail:])
    rise = end / best.loss - 1
    scatter = _scatter(looks)
    error = scatter * math.sqrt(1 / tail + 1)
    if rise < THRESHOLDS["rise"][0] or end - best.loss <= THRESHOLDS["errors"][0] * error:
        return None
    fall = _training_fall(recording, best.step)
    if fall is None or fall < THRESHOLDS["fall"][0]:
        return None
    right, was_right = _accuracy(looks[-tail:]), best.accuracy
    better = right is not None and was_right is not None and right > was_right
    few = right is not None and (1 - right) * series.examples < THRESHOLDS["mistakes"][0]
    severity: Severity = "warning" if rise >= THRESHOLDS["harm"][0] and not better and not few else "info"
    text = (
        f"The validation loss was best at step {best.step} ({best.loss:.3g}) and ends at {end:.3g}, {rise:.0%} above, while "
        f"the training loss fell by another {fall:.0%}"
    )
    if right is not None and was_right is not None:
        text += f"; right answers there went from {was_right:.1%} to {right:.1%}"
    evidence: dict[str, Number] = {
        "best_validation_loss": best.loss,
        "last_validation_loss": end,
        "rise": rise,
        "standard_error": error,
        "training_fall_since": fall,
        "looks": n,
        "examples": series.examples,
    }
    if right is not None and was_right is not None:
        evidence.update({"accuracy_at_best": was_right, "accuracy_at_end": right})
    return Fired(
        sentence=text + ".",
        severity=severity,
        confidence=0.85 if severity == "warning" and series.same_batch else 0.6,
        where=at(series.line) or "the evaluation",
        step=best.step,
        evidence=evidence,
        advice=(
            Advice(
                "keep the best weights",
                f"Keep a copy of the weights whenever the validation loss is lowest (here step {best.step}) and return to it.",
                "if val_loss < best:\n    best, best_state = val_loss, copy.deepcopy(model.state_dict())",
                series.line,
            ),
            Advice(
                "hold it back",
                "Weight decay, dropout, augmentation or more data move the turning point.",
                "torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)",
            ),
        ),
        line=series.line,
    )


def _by_heart(recording: Recording, series: Evaluations) -> Fired | None:
    """The training examples are known by heart, and what is left out is answered hardly better than by a constant."""
    course = loss_course(recording)
    looks = [look for look in series.looks if math.isfinite(look.loss)]
    if course.baseline is None or course.end is None or series.kind != course.kind or not looks:
        return None
    best = min(look.loss for look in looks)
    known = course.end <= THRESHOLDS["by_heart"][0] * course.baseline
    if not known or best < THRESHOLDS["answered"][0] * course.baseline or series.examples < THRESHOLDS["sure_of"][0]:
        return None
    right = max((look.accuracy or 0.0 for look in looks), default=0.0)
    commonest = looks[-1].commonest
    if commonest is not None and right > commonest + 0.5 * (1 - commonest):
        return None  # a few wrong answers with great confidence: most of what is left out is answered
    return Fired(
        sentence=f"The training examples are known by heart: their loss ends at {course.end:.3g}, where a constant answer "
        f"costs {course.baseline:.3g}. In {len(looks)} evaluations the loss was never below {best:.3g}, "
        f"{best / course.baseline:.0%} of that.",
        severity="warning",
        confidence=0.65,
        where=at(series.line) or "the evaluation",
        step=looks[-1].step,
        evidence={
            "best_validation_loss": best,
            "looks": len(looks),
            "examples": series.examples,
            **course.evidence(),
        },
        advice=(
            Advice(
                "hold it back",
                "More examples, a smaller network, weight decay, dropout or augmentation; and stop early.",
                "torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)",
            ),
        ),
        line=series.line,
    )


def _trained_on(recording: Recording) -> set[str]:
    """Kinds of the data terms of the losses that the main stream of steps trains on."""
    return {
        str(term.get("kind"))
        for sample in recording.main.samples
        for loss in sample.get("losses") or ()
        for term in loss.get("terms") or ()
    }


def _scatter(looks: list[Look]) -> float:
    """How much a look differs from its neighbors by chance: from second differences, which a trend leaves alone."""
    values = [look.loss for look in looks]
    bends = [values[i - 1] - 2 * values[i] + values[i + 1] for i in range(1, len(values) - 1)]
    return statistics.median(abs(b) for b in bends) * 1.4826 / math.sqrt(6) if bends else 0.0


def _accuracy(looks: list[Look]) -> float | None:
    known = [look.accuracy for look in looks if look.accuracy is not None]
    return statistics.fmean(known) if known else None


def _training_fall(recording: Recording, since: int) -> float | None:
    """Share by which the training loss fell between the best look and the end."""
    stream = recording.main
    width = max(10, stream.steps // 20)
    before = mean_between(stream.loss, max(0, since - width), since + width)
    after = mean_between(stream.loss, stream.steps - width, stream.steps)
    if before is None or after is None or before <= 0:
        return None
    return 1 - after / before
