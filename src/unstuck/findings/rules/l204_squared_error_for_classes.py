"""A classifier is trained with squared or absolute error.

What it means
-------------
The targets are classes (one-hot rows, or yes and no behind a sigmoid), and the loss is the squared or absolute
difference between the network's answer and the 0 or 1.

Why it hurts
------------
Behind a sigmoid or softmax the gradient of the squared error carries the factor p (1 − p). Where the network is
surely wrong, p is near 0 or 1 and the surface is flat: the worse the answer, the smaller the step. Cross-entropy
cancels that factor. With absolute error it is worse: already the gradient at p = ½ does not tell hard from easy
examples, and always giving the commonest answer is a place to get stuck.

How it is judged
----------------
The kind of loss and of targets are exact, from the graph. By itself that is a choice that often works, so it is
reported as information only. It is a warning when this run learned less than half of what there is (four fifths,
where a sigmoid or softmax makes the surface flat), measured by right answers against always naming the commonest
class, or when its loss is not finite.

When it is wrong
----------------
Least-squares adversarial networks, autoencoders on one-hot rows and calibrated (Brier) scores use squared error on
purpose: two optimizers, targets that are the inputs, or the same target for the whole batch are left alone. A run that
did not learn for another reason gets this as one warning among others.

What to do
----------
Use cross-entropy on raw scores for classes, and binary cross-entropy with logits for yes or no.

Sources
-------
Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010 (plateaus of the
quadratic cost). Hung-yi Lee's lecture on classification: squared error is flat where the loss is large. Faults
31556268 and 48385830 (StackOverflow, collected in DeepLocalize, 2021).
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Severity
from unstuck.findings.evidence.head import (
    NUMBER_KINDS,
    Place,
    TermSeen,
    adversarial,
    nothing_to_read,
    places,
)
from unstuck.findings.evidence.loss_course import LEARNED, WELL, LossCourse, loss_course
from unstuck.record.recording import Recording

CODE = "L204"
NAME = "squared-error-for-classes"
CLAIM = "a classifier is trained with squared or absolute error: the surface is flat where the loss is large"
ENABLED = True
SICK = ("examples/sick/l204_digits_mse.py",)
HEALTHY = ("examples/mended/l204_digits_mse.py", "examples/healthy/digits_autoencoder.py")
THRESHOLDS = {
    "learned": (
        LEARNED,
        "halfway from the constant answer to the perfect one: the choice of loss did not stop this run",
    ),
    "learned_squashed": (
        WELL,
        "behind a sigmoid or softmax the surface is flat for what is wrong: four fifths are asked",
    ),
    "samples": (0.5, "the same place may compute another loss in some steps: the majority of its samples counts"),
}
_SQUASHED = ("sigmoid", "softmax", "hardsigmoid")


def judge(recording: Recording) -> Answer:
    """Look for squared or absolute errors on classes, and at what became of the run."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    errors = places(recording, *NUMBER_KINDS)
    if not errors:
        return NotApplicable("no squared or absolute error")
    on_classes = [p for p in errors if p.share(_classes) >= THRESHOLDS["samples"][0]]
    if not on_classes:
        return NotApplicable("squared or absolute error on numbers, not on classes")
    place = on_classes[0]
    if adversarial(recording) or place.share(lambda t: bool(t.target.get("batch_equal"))) > 0.5:
        return Passed("squared error against one label for a whole batch, as in a least-squares adversarial network")
    if place.share(lambda t: _rebuilds(recording, t)) > 0.5:
        return Passed("the targets have the shape and values of the inputs: an autoencoder")
    return _fired(place, loss_course(recording, recording.streams[place.stream]))


def _classes(seen: TermSeen) -> bool:
    target = seen.target
    if target.get("one_hot"):
        return True
    shape = list(seen.output.get("shape") or target.get("shape") or ())
    single = len(shape) <= 1 or (len(shape) == 2 and shape[1] == 1)
    nearest = (seen.nearest or {}).get("kind")
    return bool(target.get("binary")) and single and nearest in _SQUASHED


def _rebuilds(recording: Recording, seen: TermSeen) -> bool:
    """The targets look like the inputs of the same step."""
    for sample in recording.streams[seen.stream].samples:
        if sample["s"] != seen.step:
            continue
        for given in sample.get("inputs") or ():
            same = all(given.get(k) == seen.target.get(k) for k in ("min", "max")) and given.get("mean") is not None
            close = same and abs(float(given["mean"]) - float(seen.target.get("mean") or 0.0)) < 1e-6
            if close and list(given.get("shape") or ()) == list(seen.target.get("shape") or ()):
                return True
    return False


def _fired(place: Place, course: LossCourse) -> Fired:
    first = place.first(_classes)
    assert first is not None
    one_hot = bool(first.target.get("one_hot"))
    squashed = next((a.get("kind") for a in (first.head or []) if a.get("kind") in _SQUASHED), None)
    loss = "absolute error" if place.kind == "l1" else "squared error" if place.kind == "mse" else f"{place.kind} error"
    targets = "one-hot classes" if one_hot else "yes/no targets"
    behind = f" behind a {squashed}" if squashed else ""
    evidence: dict[str, Number] = {"loss_kind": place.kind, "samples": len(place.seen), **course.evidence()}
    severity: Severity
    enough = THRESHOLDS["learned_squashed" if squashed else "learned"][0]
    if course.diverged or (course.reached is not None and course.reached < enough):
        severity, ends = "warning", f"{course.sentence}"
        confidence = 0.85 if squashed and course.outcome != "diverged" else 0.6
    elif course.outcome == "unknown":
        severity, ends, confidence = "info", "how well it learned could not be measured", 0.5
    else:
        severity, ends, confidence = "info", f"{course.sentence}, so it did not stop this run", 0.5
    code = (
        "loss = torch.nn.functional.cross_entropy(scores, labels)   # raw scores and class indices, no one-hot"
        if one_hot
        else "loss = torch.nn.functional.binary_cross_entropy_with_logits(score, y)   # raw score, no sigmoid"
    )
    return Fired(
        sentence=f"A classifier is trained with {loss} on {targets}{behind}; {ends}.",
        severity=severity,
        confidence=confidence,
        where=place.where,
        step=first.step,
        evidence=evidence,
        advice=(
            Advice(
                "cross-entropy",
                "Cross-entropy has its steepest slope where the answer is most wrong; hand it raw scores.",
                code,
                place.line,
            ),
        ),
        line=place.line,
    )
