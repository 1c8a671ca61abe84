"""The evaluation is of another kind than the training: inputs scaled otherwise, or other classes.

What it means
-------------
The same model is shown other numbers when it is evaluated: the training set was standardized and the test set was
not, pixels were divided by 255 in one place only, one loader normalizes and the other does not. Or data that were sorted by
class were split without shuffling, and the evaluation holds classes that training hardly saw.

Why it hurts
------------
The network was fitted to inputs of one size. Inputs ten times as large, or shifted by several deviations, lie where it
was never trained: its answers there mean nothing, and the test result says nothing about what was learned. The
training loss looks well throughout.

How it is judged
----------------
Feature by feature, from everything that entered the model in the watched evaluations (forward passes without
gradient) against everything that entered it in the sampled training steps. What is read as whole numbers (words) is
left out, and so is what another network puts out, which changes as that one learns; what is the same for a whole
batch at evaluation but not in training (the time of a flow or a diffusion, which a loop runs through); and inputs
that look as the training's targets do (a network that was taught to clean noisy images may be shown clean ones); and the
rows of an identity matrix, by which a script asks for the map itself. A
warning when the median feature has deviations more than 1.6 times as large or as small for images (channels,
thousands of pixels each) and more than three times for other inputs, or means more than one (three) training
deviations apart, over at least 16 examples, in more than half of the looks. A warning as well when most of four and
more features show it, each for itself, and the median mean is a deviation off: raw columns have all sorts of units,
some of which resemble a standardized one. And a warning when training is learned, the evaluation's answers are no
better than always naming its commonest class, and its targets lie more than one training deviation off, or vary by
less than two fifths, while every training batch shows the whole range.

When it is wrong
----------------
The evaluation looks at other data on purpose: a time series beyond the training range, a grid for a picture, inputs from
another source, noise. Strong augmentation changes the scale of training images; it stays below the bounds in common
use.

What to do
----------
Compute the mean and the deviation once, on the training set, and apply the same two numbers everywhere. Best is to put
them into the model or into one function that every loader uses.

Sources
-------
TheDeepChecker (Ben Braiek and Khomh, 2023): consistency of training and evaluation. Sculley and others, Hidden
technical debt in machine learning systems, 2015 (training and serving skew). Random halves of the digits data: median
shift 0.05, scale 0.97 to 1.03 (measured).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Severity, Skipped
from unstuck.findings.evidence.evaluations import evaluations, other_targets
from unstuck.findings.evidence.head import adversarial, number
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.findings.evidence.places import at
from unstuck.record.recording import Event, Recording

CODE = "D108"
NAME = "train-evaluation-mismatch"
CLAIM = "inputs at evaluation are scaled otherwise than in training, or the classes are others"
ENABLED = True
SICK = ("examples/sick/d108_breast_cancer_raw_test.py",)
HEALTHY = ("examples/mended/d108_breast_cancer_raw_test.py", "examples/healthy/digits_mc_dropout.py")
THRESHOLDS = {
    "examples": (16, "fewer examples do not tell a deviation"),
    "scale": (3, "ratio of deviations, for tables and sequences; 83 healthy and mended runs: 0.85 to 1.16, no false alarm"),
    "image_scale": (1.6, "for images: normalizing by (0.5, 0.5) halves the deviation; healthy runs: 0.9 to 1.1"),
    "shift": (3, "training deviations between the means, for tables and sequences; healthy runs: up to 0.31"),
    "image_shift": (1, "for images; leaving out a normalization by ImageNet's numbers shifts by 2"),
    "apart": (0.5, "of the features, each beyond the bounds of a table; 38 healthy and mended runs: at most 0.25"),
    "apart_features": (4, "features that vary in training: fewer may count the time, which goes on"),
    "apart_shift": (1, "training deviations between the means: rare words or classes differ in deviation alone"),
    "share": (0.5, "of an evaluation's inputs, more than which must show it: one unusual call, one of two sets do not count"),
    "like_targets": (0.2, "mean in deviations of the targets, and deviation as a share, within which inputs look as targets "
                          "do; halves of the digits differ by up to 0.05"),
}  # fmt: skip


def judge(recording: Recording) -> Answer:
    """Compare what enters the model in evaluation, and its targets, with those of the training."""
    others = _other_classes(recording)
    if others is not None:
        return others
    looks = [e for e in recording.happened("forward_without_gradient") if _in_evaluation(e)]
    if not looks:
        return NotApplicable("no evaluation (forward passes without gradient) was seen")
    if adversarial(recording):
        return NotApplicable("two networks that are shown each other's outputs")
    if loss_course(recording).beyond:
        return Skipped(
            "the loss rose so far beyond its beginning that the first inputs do not stand for all of the training's"
        )
    last: dict[tuple[str, str], tuple[Event, Mapping[str, Any]]] = {}
    inner = _from_other_networks(recording)
    compared = {id(event): list(_compared(recording, event)) for event in looks}
    for event in looks:
        for entry in compared[id(event)]:
            key = (str(entry.get("model") or ""), str(entry.get("name") or ""))
            if entry.get("against_training") is not None and key not in inner:
                last[key] = (event, entry)
    if not last:
        return Skipped("the inputs of the evaluations could not be compared with those of the training")
    seen = []
    for event, entry in last.values():
        against = entry["against_training"]
        examples = min(int(n) for n in against.get("examples") or (0,))
        if examples < THRESHOLDS["examples"][0]:
            continue
        fault = _fault(entry)
        if fault and (_swept(recording, entry) or _as_the_targets(recording, entry) or _unit_vectors(entry)):
            continue  # other numbers on purpose
        seen.append(entry)
        if fault and _steadily([e for event in looks for e in compared[id(event)]], entry):
            return _fired(recording, event, entry, fault, examples)
    if not seen:
        return Skipped(
            "too few examples were evaluated, or other ones than in training on purpose, to compare their scale"
        )
    shown = seen[0]["against_training"]
    return Passed(
        f"evaluation inputs have {shown['scale']:.2f} of the training's deviation, their means {shown['shift']:.2f} apart"
    )


def _other_classes(recording: Recording) -> Fired | None:
    """An evaluation on classes that the training did not show, and so with no right answers."""
    course = loss_course(recording)
    if course.outcome not in ("learned", "well"):
        return None
    for series in evaluations(recording):
        looks = [look for look in series.looks if look.accuracy is not None and look.commonest is not None]
        others = other_targets(recording, series) if looks else None
        if others is None or series.examples < THRESHOLDS["examples"][0]:
            continue
        best, commonest = max(look.accuracy or 0.0 for look in looks), looks[-1].commonest or 0.0
        if best > commonest:
            continue
        return Fired(
            sentence=f"The evaluation's labels have mean {others.mean:.3g} and deviation {others.deviation:.2g}, the training's "
            f"{others.training_mean:.3g} and {others.training_deviation:.2g}: it holds other classes than the model is "
            f"trained on, and at most {best:.0%} of its {series.examples} answers are right; {course.sentence}.",
            severity="warning",
            confidence=0.7,
            where=at(series.line) or "the evaluation",
            step=looks[0].step,
            evidence={
                "target_mean": others.mean,
                "target_deviation": others.deviation,
                "training_target_mean": others.training_mean,
                "training_target_deviation": others.training_deviation,
                "evaluation_accuracy": best,
                "examples": series.examples,
                **course.evidence(),
            },
            advice=(
                Advice(
                    "shuffle before you split",
                    "Draw the evaluation's examples from all of the data; keep the shares of the classes.",
                    "X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)",
                ),
            ),
            line=series.line,
        )
    return None


def _from_other_networks(recording: Recording) -> set[tuple[str, str]]:
    """Inputs that are another network's output: they change as that one learns."""
    return {
        (str(given.get("model") or ""), str(given.get("name") or ""))
        for stream in recording.streams.values()
        for sample in stream.samples
        for given in sample.get("inputs") or ()
        if given.get("live")
    }


def _swept(recording: Recording, entry: Mapping[str, Any]) -> bool:
    """One number for the whole batch, where training gave every example its own: a loop runs through it."""
    return entry.get("batch_equal") is True and _training_numbers(recording, entry).get("batch_equal") is False


def _unit_vectors(entry: Mapping[str, Any]) -> bool:
    """The rows of an identity matrix: the map itself is asked for, not answers to data."""
    shape, zeros, mean = list(entry.get("shape") or ()), number(entry.get("zero_share")), number(entry.get("mean"))
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2 or zeros is None or mean is None:
        return False
    share = 1.0 / shape[0]  # of the entries is one, the others are zero
    whole = number(entry.get("min")) == 0.0 and number(entry.get("max")) == 1.0
    return whole and math.isclose(1.0 - zeros, share, rel_tol=1e-3) and math.isclose(mean, share, rel_tol=1e-3)


def _as_the_targets(recording: Recording, entry: Mapping[str, Any]) -> bool:
    """Inputs like the training's targets, of the same shape: noisy ones were to be made clean, and these are clean."""
    mean, deviation = number(entry.get("mean")), number(entry.get("std"))
    if mean is None or deviation is None:
        return False
    near = THRESHOLDS["like_targets"][0]
    for stream in recording.streams.values():
        for _, _, term in stream.terms():
            target = term.get("target") or {}
            center, spread = number(target.get("mean")), number(target.get("std"))
            same = list(target.get("shape") or ())[1:] == list(entry.get("shape") or ())[1:]
            if not same or center is None or not spread or len(target.get("shape") or ()) < 2:
                continue
            if abs(mean - center) <= near * spread and abs(deviation - spread) <= near * spread:
                return True
    return False


def _in_evaluation(event: Event) -> bool:
    return not event.data.get("training") or not event.data.get("of_batch_modules")


def _image(entry: Mapping[str, Any]) -> bool:
    return len(entry.get("shape") or ()) == 4


def _fault(entry: Mapping[str, Any]) -> str:
    """What differs: the scale, the place, most features in either way, or nothing ("")."""
    against = entry["against_training"]
    scale, shift = number(against.get("scale")), number(against.get("shift"))
    if scale is None or shift is None:
        return ""
    far, moved = (THRESHOLDS[f"{'image_' if _image(entry) else ''}{key}"][0] for key in ("scale", "shift"))
    if scale >= far or scale <= 1 / far:
        return "scale"
    if shift >= moved:
        return "shift"
    apart, features = number(against.get("apart")) or 0.0, int(against.get("features") or 0)
    most = apart > THRESHOLDS["apart"][0] and features >= THRESHOLDS["apart_features"][0]
    return "apart" if most and shift >= THRESHOLDS["apart_shift"][0] else ""


def _compared(recording: Recording, event: Event) -> Iterator[Mapping[str, Any]]:
    """What entered in an evaluation, against the training; a copy's inputs (averaged weights) against its original's."""
    for entry in event.data.get("inputs") or ():
        against = entry.get("against_training") or _against_original(recording, entry)
        yield {**entry, "against_training": against}


def _against_original(recording: Recording, entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Scale and place by the numbers over all entries: those of each feature are kept for the trained model alone."""
    models = {str(m.get("name")): m for m in recording.models}
    copy = models.get(str(entry.get("model")))
    if copy is None:
        return None
    for sample in reversed(recording.main.samples):
        for given in sample.get("inputs") or ():
            original = models.get(str(given.get("model")))
            if original is None or original is copy or given.get("name") != entry.get("name"):
                continue
            alike = [[p.get("shape") for p in m.get("params") or ()] for m in (original, copy)]
            spread, other = number(given.get("feature_std_median")), number(entry.get("feature_std_median"))
            mean, place, whole = number(given.get("mean")), number(entry.get("mean")), number(given.get("std"))
            if alike[0] != alike[1] or not alike[0] or not spread or other is None or not whole:
                continue
            if mean is None or place is None:
                continue
            counts = [int(entry.get("examples") or 0), int(given.get("examples") or 0)]
            return {"scale": other / spread, "shift": abs(place - mean) / whole, "apart": 0.0, "examples": counts}
    return None


def _steadily(entries: list[Mapping[str, Any]], like: Mapping[str, Any]) -> bool:
    """Most looks at this input show it: one call for a picture is no evaluation."""
    found = [
        bool(_fault(entry))
        for entry in entries
        if entry.get("against_training") is not None
        and (entry.get("model"), entry.get("name")) == (like.get("model"), like.get("name"))
    ]
    return sum(found) > THRESHOLDS["share"][0] * len(found)


def _fired(recording: Recording, event: Event, entry: Mapping[str, Any], fault: str, examples: int) -> Fired:
    against = entry["against_training"]
    scale, shift = float(against["scale"]), float(against["shift"])
    apart, features = number(against.get("apart")) or 0.0, int(against.get("features") or 0)
    name = str(entry.get("name") or "")
    what = (
        f"the input {name} of {entry.get('model')}"
        if name and not name.isdigit()
        else f"what enters {entry.get('model')}"
    )
    times = f"{scale:.3g} times" if scale >= 1 else f"1/{1 / scale:.3g}" if scale > 0 else "not"
    text = {
        "scale": f"At evaluation the median feature of {what} varies {times} as much as in training",
        "shift": f"At evaluation the median feature of {what} lies {shift:.3g} training deviations from where it was in training",
        "apart": f"At evaluation {apart * features:.0f} of {features} features of {what} lie elsewhere or vary otherwise than in "
        f"training (the median one {shift:.2g} training deviations away)",
    }[fault]
    trained = _training_numbers(recording, entry)
    here = f"(mean {_show(entry.get('mean'))}, deviation {_show(entry.get('std'))}"
    there = f"; in training {_show(trained.get('mean'))} and {_show(trained.get('std'))})" if trained else ")"
    plain = scale >= 5 or scale <= 0.2 or shift >= 5
    severity: Severity = "warning"
    line = event.data.get("line")
    return Fired(
        sentence=f"{text} {here}{there}, over {examples} examples: the model was never trained on such numbers.",
        severity=severity,
        confidence=0.9 if plain else 0.75,
        where=at(line) or f"evaluation of {entry.get('model')}",
        step=event.step,
        evidence={
            "scale": scale,
            "shift": shift,
            "features_apart": number(against.get("apart")),
            "features": features,
            "examples": examples,
        },
        advice=(
            Advice(
                "the same numbers everywhere",
                "Scale the evaluation's inputs with the training set's mean and deviation, in one place for both.",
                "mean, std = X_train.mean(0), X_train.std(0)\nX_train, X_test = (X_train - mean) / std, (X_test - mean) / std",
                line,
            ),
        ),
        line=line,
    )


def _training_numbers(recording: Recording, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    for stream in recording.streams.values():
        for sample in stream.samples:
            for given in sample.get("inputs") or ():
                if (given.get("model"), given.get("name")) == (entry.get("model"), entry.get("name")):
                    return given  # type: ignore[no-any-return]
    return {}


def _show(value: object) -> str:
    found = number(value)
    return "?" if found is None else f"{found:.3g}"
