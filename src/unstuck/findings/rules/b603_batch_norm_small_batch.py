"""Batch normalization takes its statistics over too few examples.

What it means
-------------
A batch-normalization layer computes mean and variance of each channel over the batch, and the batch holds two,
three or four examples: by design, for lack of memory, or because accumulation of gradients makes a large batch of small
parts (each part is normalized by itself).

Why it hurts
------------
A mean of four numbers is off by half a deviation, so each example is shifted by chance according to its company.
With two examples every output is plus or minus one: all that is left is which one was larger. The running averages,
collected from such batches, give the evaluation another network than the one that was trained.

How it is judged
----------------
From the shape of what entered each layer. The script ended with "Expected more than 1 value per channel": an error.
Statistics over two to four numbers (a table with so many rows): a warning. Over at most two images: a warning when the
run did not come halfway or the running statistics stand more than half a deviation away from the batches', information
otherwise, because positions of an image help. Statistics over five to eight rows: information, a warning when the run
did not come halfway.

When it is wrong
----------------
Fine-tuning with small batches may work well enough when the network was trained elsewhere. Layers in evaluation mode
(frozen) are not counted, nor are group, layer and instance normalization.

What to do
----------
Use batches of 16 and more, or GroupNorm or LayerNorm, which need no batch. Where memory is short: SyncBatchNorm over
several processes, or freeze the layers of a trained network with `eval()`. Leave out a last batch that is
too small with `drop_last=True`.

Sources
-------
Ioffe and Szegedy, Batch normalization, 2015. Wu and He, Group normalization, 2018: error of a ResNet-50 rises from 23.6
to 34.7 % as the batch falls from 32 to 2. Error of a mean of n numbers: 1 / √n deviations.
"""

from __future__ import annotations

import math

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Severity, Skipped
from unstuck.findings.evidence.batch_norms import Normalizer, module_kinds, normalizers, typical
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.loss_course import LossCourse, loss_course
from unstuck.findings.evidence.places import at
from unstuck.record.recording import Recording

CODE = "B603"
NAME = "batch-norm-small-batch"
CLAIM = "batch statistics over too few examples"
ENABLED = True
SICK = ("examples/sick/b603_wine_pairs.py",)
HEALTHY = ("examples/mended/b603_wine_pairs.py", "examples/mended/b605_digits_batch_norm.py")
THRESHOLDS = {
    "few": (4, "the mean of four numbers is off by half a deviation; with two all outputs are plus or minus one"),
    "some": (8, "the mean of eight is off by a third: a run may bear it"),
    "images": (2, "images in a batch; the positions of one image are alike, so they do not replace examples"),
    "drift": (
        0.5,
        "of a deviation, between running and batch means (median channel) late in the run; healthy runs: 0.25",
    ),
}


def judge(recording: Recording) -> Answer:
    """Over how many examples does each batch normalization average?"""
    crashed = _ended(recording)
    if crashed is not None:
        return crashed
    found = normalizers(recording)
    if not found:
        if not any("BatchNorm" in kind for kind in module_kinds(recording).values()):
            return NotApplicable("no batch normalization")
        layers = any(sample.get("layers") for sample in recording.main.samples)
        return (
            NotApplicable("the batch normalizations were not in training mode when sampled")
            if layers
            else Skipped("the layers could not be looked at")
        )
    worst = min(found, key=lambda n: (typical(n.values), typical(n.examples)))
    rows, values = typical(worst.examples), typical(worst.values)
    course = loss_course(recording)
    tables = values == rows
    if not rows:
        return Skipped("the shapes that entered the batch normalizations are not known")
    drift = max((v for n in found for v in n.late("shift")), default=0.0)
    hurt = course.hurt
    severity: Severity | None = None
    confidence = 0.5
    if tables and rows <= THRESHOLDS["few"][0]:
        severity, confidence = "warning", 0.9 if hurt or rows <= 2 else 0.8
    elif tables and rows <= THRESHOLDS["some"][0]:
        severity, confidence = ("warning", 0.6) if hurt else ("info", 0.5)
    elif not tables and rows <= THRESHOLDS["images"][0]:
        bad = hurt or drift > THRESHOLDS["drift"][0]
        severity, confidence = ("warning", 0.75) if bad else ("info", 0.5)
    if severity is None:
        return Passed(f"batch statistics rest on {rows} examples ({values} numbers a channel)")
    return _fired(recording, worst, len(found), rows, values, severity, confidence, course)


def _ended(recording: Recording) -> Fired | None:
    exception = (recording.end or {}).get("exception") or {}
    message = str(exception.get("message") or "")
    if "Expected more than 1 value per channel when training" not in message:
        return None
    line = exception.get("line")
    return Fired(
        sentence=f"The script ended because a batch of one example reached a batch normalization in training mode "
        f"({message.splitlines()[0][:120]}).",
        severity="error",
        confidence=0.97,
        where=at(line) or "batch normalization",
        step=recording.main.steps or None,
        evidence={"steps": recording.main.steps},
        advice=(
            Advice(
                "leave out the rest",
                "The last batch holds what is left over, here one example; leave it out, or use evaluation mode where "
                "nothing is trained.",
                "DataLoader(train_set, batch_size=batch_size, shuffle=True, drop_last=True)",
                line,
            ),
        ),
        line=line,
    )


def _fired(
    recording: Recording,
    worst: Normalizer,
    layers: int,
    rows: int,
    values: int,
    severity: Severity,
    confidence: float,
    course: LossCourse,
) -> Fired:
    parts = [v for v in recording.main.backwards.values if (number(v) or 1) > 1]
    accumulated = len(parts) > 0.5 * max(1, len(recording.main.backwards.values))
    many = f" and {layers - 1} more layers" if layers > 1 else ""
    why = (
        "with two rows every output is plus or minus one"
        if values == 2
        else f"a mean of {values} is off by {1 / math.sqrt(values):.0%} of a deviation"
        if values == rows
        else f"{values} positions of {rows} image{'s' if rows > 1 else ''} are no independent examples"
    )
    text = f"{worst.name}{many} normalize{'' if many else 's'} by batches of {rows} example{'s' if rows > 1 else ''}: {why}"
    if accumulated:
        text += "; accumulating gradients does not help, each part is normalized by itself"
    return Fired(
        sentence=f"{text}; {course.sentence}.",
        severity=severity,
        confidence=confidence,
        where=worst.name,
        step=worst.steps[0],
        evidence={
            "examples": rows,
            "values_per_channel": values,
            "layers": layers,
            "accumulated": accumulated,
            **course.evidence(),
        },
        advice=(
            Advice(
                "larger batches, or GroupNorm",
                "Take batches of 16 and more, or a normalization that needs no batch.",
                "torch.nn.GroupNorm(8, channels)   # images; torch.nn.LayerNorm(features) for tables",
            ),
        ),
    )
