"""Features reach the model far from zero mean and unit variance, or on very different scales.

What it means
-------------
The numbers that enter the first layer are large (raw pixels from 0 to 255, prices, years), far from zero compared
with how much they vary, of scales that differ a thousandfold from feature to feature, or all tiny.

Why it hurts
------------
The gradient of the first layer is proportional to its inputs and the curvature to their squares: inputs of size 100
make the surface ten thousand times steeper than inputs of size 1. A common learning rate is then too long at the
first step (units die, sigmoids saturate, the loss explodes), or too short along the small features: the valley is
narrow. Tiny inputs leave the network blind.

How it is judged
----------------
By the statistics of the inputs, measured where they enter the model and checked where they enter a layer (a model that
divides by 255 itself is fine, and so is one that begins with a normalization layer). Inputs that are badly scaled are
reported as a warning or error only when this run was hurt: it diverged or learned less than half of what there
is; or it learned less than nine tenths, and either began with a loss many times that of a constant answer or
was trained by plain gradient descent on huge or tiny inputs; or what the inputs reach first stood on its flat ends from
the first sample to the last. A run that learned well on raw inputs gets information.

When it is wrong
----------------
The run failed for another reason, and its inputs are large but harmless. Counts of words are not standardized by
custom; they are not reported unless they are large.

What to do
----------
Subtract the training set's mean and divide by its standard deviation, feature by feature (pixels: divide by 255, or
use one mean and deviation a channel). Keep the two numbers and use them at evaluation too.

Sources
-------
LeCun, Bottou, Orr, Müller, Efficient BackProp, 1998, section 4.3. Andrew Ng's lecture on normalizing inputs (narrow
valley). Faults TDC_missing_norm and TDC_double_norm (Ben Braiek and Khomh, 2023), 55328966, 45442843 (StackOverflow).
Scikit-learn's breast cancer data: condition of the curvature 2.4e12 raw, 1.0e5 standardized (measured).
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Number, Passed, Severity, Skipped
from unstuck.findings.evidence.feeding import Feed, feeds, normalizes_at_the_door, reaches_a_layer
from unstuck.findings.evidence.head import nothing_to_read, number, unseen
from unstuck.findings.evidence.loss_course import WELL, LossCourse, loss_course
from unstuck.findings.evidence.places import model_line
from unstuck.findings.evidence.step_scale import grows_with_loss
from unstuck.record.recording import Recording, Stream

CODE = "D101"
NAME = "inputs-not-normalized"
CLAIM = (
    "features reach the model far from zero mean and unit variance, or on scales that differ so much that the loss "
    "surface is a narrow valley"
)
ENABLED = True
SICK = ("examples/sick/d101_breast_cancer.py", "examples/sick/d101_mnist_conv.py", "examples/sick/d101_wine_linear.py")
HEALTHY = (
    "examples/mended/d101_breast_cancer.py",
    "examples/mended/d101_mnist_conv.py",
    "examples/mended/d101_wine_linear.py",
)
THRESHOLDS = {
    "large": (10, "root mean square: curvature a hundred times that of unit inputs; pixels in [0, 1], digits from 0 to "
              "16 and standardized data stay below"),
    "huge": (30, "curvature a thousand times that of unit inputs: a rate that suits unit inputs is far beyond stable"),
    "offset": (10, "size of the feature means against their deviations: condition of the curvature above 100; images, "
               "the least centered common data, reach 4"),
    "offset_size": (2, "an offset this small is taken up by the first bias at once"),
    "spread": (1000, "largest feature deviation over the smallest: condition of the curvature above a million"),
    "tiny": (0.05, "root mean square below which the first layer's bias outweighs its inputs"),
    "tiny_size": (0.1, "and no entry is larger, so that it is not sparse data, whose few entries are of size one"),
    "copes": (0.9, "of the way from the constant answer to the perfect one; with a violent start and less than this, a "
              "smoother surface had more to give"),
    "flat": (0.5, "of the first activation's entries on its flat ends, at the first sample and at the last; of 478 sound "
             "runs none has such inputs and this"),
    "first_loss": (10, "first loss over that of a constant answer: common initialization starts near 1"),
}  # fmt: skip


def judge(recording: Recording) -> Answer:
    """Measure the inputs, and whether the run was hurt."""
    stream = recording.main
    if not stream.samples:
        return nothing_to_read(recording) or Skipped("no step was sampled")
    some = feeds(stream)
    if not some:
        if any(sample.get("inputs") for sample in stream.samples):
            return NotApplicable("the inputs are whole numbers (tokens), which an embedding looks up")
        return Skipped("the inputs of the model were not seen: " + (unseen(recording) or "no model was called"))
    course = loss_course(recording)
    reasons: list[str] = []
    for feed in some:
        fault = _fault(feed)
        if fault is None:
            continue
        layer = normalizes_at_the_door(recording, stream, feed.model)
        if fault == "tiny" and course.beyond:  # they make small outputs and small steps, never a leap
            reasons.append(
                f"the sampled inputs are tiny, but others follow: the loss rose from {_show(course.first)} to "
                f"{_show(course.highest)}"
            )
        elif layer is not None:
            reasons.append(f"{layer} normalizes what enters")
        elif reaches_a_layer(stream, feed) is False:
            reasons.append("the model rescales its inputs before the first layer")
        else:
            return _fired(recording, stream, feed, fault, course)
    if reasons:
        return Passed("; ".join(dict.fromkeys(reasons)))
    shown = some[0]
    return Passed(f"mean {_show(shown.mean)}, deviation {_show(shown.std)}")


def _fault(feed: Feed) -> str | None:
    """What is wrong with the inputs: large, offset, spread, tiny; None when nothing is."""
    rms, size = feed.rms, feed.size
    if rms is None or size is None or size == 0:  # a boundary's zeros, say, beside the inputs of the data
        return None
    offset = feed.mean_to_std
    far = abs(feed.feature_mean_max or 0) >= THRESHOLDS["offset_size"][0]
    if offset is not None and offset >= THRESHOLDS["offset"][0] and far:
        return "offset"
    if max(rms, feed.feature_std_max or 0) >= THRESHOLDS["large"][0]:
        return "spread" if (feed.spread or 0) >= THRESHOLDS["spread"][0] else "large"
    if 0 < rms <= THRESHOLDS["tiny"][0] and size <= THRESHOLDS["tiny_size"][0]:
        return "tiny"
    return None


def _fired(recording: Recording, stream: Stream, feed: Feed, fault: str, course: LossCourse) -> Fired:
    start = _violent_start(stream, course)
    severity: Severity = "info"
    confidence = 0.6
    sizes = (feed.rms or 0, feed.feature_std_max or 0)
    huge = max(sizes) >= THRESHOLDS["huge"][0] or fault == "tiny"
    flat = _stays_flat(stream) and (course.reached is None or course.reached < THRESHOLDS["copes"][0])
    hurt = course.hurt or flat or _short_of(course, plain=huge and _plain(stream), violent=start is not None)
    if hurt:
        bad = course.outcome in ("diverged", "nothing") or start is not None
        severity = "error" if huge and bad and course.hurt else "warning"
        confidence = 0.93 if start is not None else 0.88 if course.outcome in ("diverged", "nothing") else 0.75
        if feed.index:
            severity, confidence = "warning", min(confidence, 0.6)
    name = f"The input {feed.name}" if feed.name and not feed.name.isdigit() else "The input"
    range_ = f"(deviations from {_show(feed.feature_std_min)} to {_show(feed.feature_std_max)})"
    what = {
        "large": f"{name} is large: its entries run from {_show(feed.low)} to {_show(feed.high)} "
        f"(mean {_show(feed.mean)}, deviation {_show(feed.std)})",
        "spread": f"{name} has features on scales that differ by a factor of {_show(feed.spread)} {range_}",
        "offset": f"{name} lies far from zero: its features' means are {_show(feed.mean_to_std)} times their "
        f"deviations "
        f"(mean {_show(feed.mean)}, deviation {_show(feed.feature_std_max)})",
        "tiny": f"{name} is tiny: no entry is larger than {_show(feed.size)} (deviation {_show(feed.std)})",
    }[fault]
    parts = [what, "a layer is made for a mean near 0 and a deviation near 1"]
    if start is not None and hurt:
        parts.append(start)
    parts.append(course.sentence if hurt else f"{course.sentence}, so the run copes")
    evidence: dict[str, Number] = {}
    for key, value in (
        ("mean", feed.mean),
        ("deviation", feed.std),
        ("min", feed.low),
        ("max", feed.high),
        ("feature_deviation_min", feed.feature_std_min),
        ("feature_deviation_max", feed.feature_std_max),
        ("mean_to_deviation", feed.mean_to_std),
        ("scale_ratio", feed.spread),
    ):
        if value is not None:
            evidence[key] = value
    return Fired(
        sentence="; ".join(parts) + ".",
        severity=severity,
        confidence=confidence,
        where=" ".join(
            x for x in (f"input {feed.name}" if feed.name else "input", f"of {feed.model}" if feed.model else "") if x
        ),
        step=feed.step,
        evidence={**evidence, **course.evidence()},
        advice=(_advice(feed, fault),),
        line=model_line(recording, feed.model),
    )


def _plain(stream: Stream) -> bool:
    """Plain gradient descent, whose step follows the curvature that the inputs make; no rule that rescales it."""
    return grows_with_loss(str((stream.optimizer or {}).get("kind") or ""))


def _short_of(course: LossCourse, *, plain: bool, violent: bool) -> bool:
    """It learned more than half, but not what it should, and the inputs are known to stand in the way.

    By the loss alone a classifier seems to have learned less than it has: without answers less is asked.
    """
    if course.skill is not None and course.reached is not None:
        return (plain or violent) and course.reached < THRESHOLDS["copes"][0]
    return plain and course.reached is not None and course.reached < WELL


def _stays_flat(stream: Stream) -> bool:
    """Most of what the inputs reach first stands on its flat ends from the first sample to the last."""
    with_acts = [sample for sample in stream.samples if sample.get("acts")]
    if len(with_acts) < 2:
        return False
    shares = []
    for sample in (with_acts[0], with_acts[-1]):
        hidden = [act for act in sample["acts"] if act.get("hidden")]
        if not hidden:
            return False
        first = min(hidden, key=lambda act: number(act.get("order")) or 0.0)
        shares.append(number(first.get("saturated")) or 0.0)
    return min(shares) > THRESHOLDS["flat"][0]


def _violent_start(stream: Stream, course: LossCourse) -> str | None:
    """What the inputs did at the very first steps."""
    if course.first is not None and course.baseline and course.first > THRESHOLDS["first_loss"][0] * course.baseline:
        return f"the first loss is {course.first:.4g}, where a constant answer gives {course.baseline:.3g}"
    for sample in stream.samples[:1]:
        for act in sample.get("acts") or ():
            flat = number(act.get("saturated"))
            if flat is not None and flat > 0.5 and act.get("hidden"):
                return f"{flat:.0%} of {act.get('name')} is saturated before the first step"
    finite = stream.loss.finite()
    if (
        course.first
        and course.highest
        and course.baseline
        and course.highest > 100 * max(course.baseline, course.first)
    ):
        step = next(s for s, v in finite if v == course.highest)
        return f"the loss rose to {course.highest:.4g} at step {step}"
    return None


def _advice(feed: Feed, fault: str) -> Advice:
    pixels = (
        fault == "large"
        and feed.low is not None
        and feed.high is not None
        and feed.low >= 0
        and 100 < feed.high <= 255
        and (len(feed.shape) >= 3 or (feed.features or 0) >= 64)
    )
    if pixels:
        return Advice(
            "scale the pixels",
            "Bring the pixels to [0, 1] (or standardize them) where they are loaded.",
            "X = X / 255.0",
        )
    text = "Standardize every feature with the training set's mean and deviation, at evaluation too."
    if fault == "tiny":
        text = "The inputs are tiny: they may have been divided twice. " + text
    return Advice(
        "standardize",
        text,
        "mean, std = X_train.mean(0), X_train.std(0)\nX_train = (X_train - mean) / std\nX_test = (X_test - mean) / std",
    )


def _show(value: float | None) -> str:
    return "?" if value is None or not math.isfinite(value) else f"{value:.3g}"
