"""Dropout noise dominates what the layers pass on.

What it means
-------------
Nine of ten units are dropped where people drop two to five: the rate was taken for the share to keep, or set high
against overfitting, or several strong dropouts stand in a row.

Why it hurts
------------
Dropping with probability p and scaling up by 1 / (1 − p) adds noise of variance p / (1 − p) times the mean square of
what passes: as much as the signal at 0.5, four times as much at 0.8, nine times at 0.9. The gradient is as noisy; the
network underfits, on the training set already.

How it is judged
----------------
By the sum of p / (1 − p) over the dropouts of 0.5 and more of the model (those in training mode; several side by side
count once), and, where no dropout module is seen, by the share of an activation's outputs that arrive as zeros in the
next layer beyond its own zeros. Rates below 0.5 are in common use, by the dozen where each stands in a branch of its own
that is added to what passes by (transformers), so they are left out of the sum. A warning when the noise is four times
the signal and more (0.8 once, 0.67 twice) and the run did not come four fifths of the way from a constant answer to a
perfect one, as seen in training, with dropout; information when it did.

When it is wrong
----------------
The run fails for another reason and dropout only adds to it. Training accuracy is measured with dropout on and
understates what the network answers without.

What to do
----------
Use 0.1 to 0.5. In PyTorch the rate is the share that is dropped, not the share that is kept. Drop less where layers are
narrow, and nothing right before the output.

Sources
-------
Srivastava and others, Dropout, 2014 (0.5 for hidden units, 0.2 for inputs; figure 9: training error rises steeply when
fewer than 0.3 are kept). Variance of inverted dropout: by hand. Fault of rates taken for keep-probabilities:
documentation of TensorFlow 1's `keep_prob` against PyTorch's `p`.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Severity, Skipped
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.loss_course import WELL, loss_course
from unstuck.record.recording import Recording, Stream

CODE = "B606"
NAME = "dropout-too-strong"
CLAIM = "dropout noise dominates what the layer passes on"
ENABLED = True
SICK = ("examples/sick/b606_digits_keep.py",)
HEALTHY = ("examples/mended/b606_digits_keep.py", "examples/healthy/digits_mc_dropout.py")
THRESHOLDS = {
    "strong": (0.5, "a rate in common use, and the highest one that is; lower ones stand by the dozen in transformers"),
    "noise": (4, "times the mean square of what passes, summed over the dropouts: 0.8 once; three times 0.5 is 3; 8 healthy "
                 "runs with dropout: at most 1, no false alarm"),
    "steady": (0.03, "deviation of the measured share over the samples; of 2000 units dropped at 0.5 one hundredth varies"),
    "measured": (0.7, "share dropped between an activation and the next layer, where no module tells it: pooling and "
                      "masks make zeros too"),
}  # fmt: skip


@dataclass(frozen=True)
class _Dropped:
    """One place where units are dropped."""

    name: str
    p: float
    measured: bool

    @property
    def noise(self) -> float:
        """Variance added, in mean squares of what passes."""
        return self.p / max(1e-6, 1 - self.p)


def judge(recording: Recording) -> Answer:
    """How much noise do the dropouts add, and did the run bear it?"""
    asleep = _asleep(recording)
    found = [d for d in _modules(recording) if d.name not in asleep]
    if not found:
        if not recording.main.samples:
            return (
                Skipped("no step was sampled") if recording.main.steps else NotApplicable("no training step was seen")
            )
        found = _measured(recording.main)
    if not found:
        return NotApplicable("no dropout in training mode")
    noise = sum(d.noise for d in _in_a_row(found))
    worst = max(found, key=lambda d: d.p)
    if noise < THRESHOLDS["noise"][0] or (worst.measured and worst.p < THRESHOLDS["measured"][0]):
        return Passed(
            f"dropouts of 0.5 and more add {noise:.2g} times the mean square of what passes ({worst.p:.2g} at {worst.name})"
        )
    course = loss_course(recording)
    short = course.reached is not None and course.reached < WELL
    severity: Severity = "warning" if short or course.diverged else "info"
    many = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    told = "about " if worst.measured else ""
    return Fired(
        sentence=f"{worst.name}{many} drops {told}{worst.p:.0%} of the units: the noise has {noise:.2g} times the mean "
        f"square of what passes; {course.sentence}.",
        severity=severity,
        confidence=(0.85 if course.hurt else 0.7) if severity == "warning" else 0.4,
        where=worst.name,
        step=int(recording.main.samples[0]["s"]) if recording.main.samples else None,
        evidence={
            "p": worst.p,
            "noise_to_signal": noise,
            "dropouts": len(found),
            "measured": worst.measured,
            **course.evidence(),
        },
        advice=(
            Advice(
                "drop less",
                "In PyTorch p is the share that is dropped. Use 0.1 to 0.5"
                + (
                    f"; if {worst.p:g} was meant as the share to keep, write {1 - worst.p:.2g}."
                    if THRESHOLDS["strong"][0] < worst.p < 1
                    else "."
                ),
                f"torch.nn.Dropout(p={min(0.5, worst.p / 2, round(1 - worst.p, 2)):.2g})",
            ),
        ),
    )


def _modules(recording: Recording) -> list[_Dropped]:
    """The dropout modules of the models that were trained."""
    trained = {str(given.get("model")) for sample in recording.main.samples for given in sample.get("inputs") or ()}
    found = []
    for model in recording.models:
        if trained and str(model.get("name")) not in trained and len(recording.models) > 1:
            continue
        for module in model.get("modules") or ():
            kind = str(module.get("kind", ""))
            p = number((module.get("options") or {}).get("p"))
            if "Dropout" in kind and p is not None and 0 < p <= 1:
                found.append(_Dropped(str(module.get("name")), p, measured=False))
    return found


def _in_a_row(found: list[_Dropped]) -> list[_Dropped]:
    """The strong ones that noise passes one after the other. Neighbors in one container stand side by side: several
    masks of one vector, whose answers are averaged."""
    counted: list[_Dropped] = []
    before = None
    for d in found:
        parent, _, place = d.name.rpartition(".")
        number = int(place) if place.isdigit() else None
        beside = number is not None and before is not None and before == (parent, number - 1, d.p)
        before = (parent, number, d.p) if number is not None else None
        if d.p >= THRESHOLDS["strong"][0] and not beside:
            counted.append(d)
    return counted


def _asleep(recording: Recording) -> set[str]:
    """Dropouts that were in evaluation mode while the model was trained."""
    return {str(name) for event in recording.happened("training_in_eval") for name in event.data.get("modules") or ()}


def _measured(stream: Stream) -> list[_Dropped]:
    """What arrives as zero in a layer beyond the zeros of the activation that feeds it."""
    shares: dict[tuple[str, str], list[float]] = {}
    for sample in stream.samples:
        entering = {str(layer.get("name")): number(layer.get("in_zero")) for layer in sample.get("layers") or ()}
        acts = sample.get("acts") or ()
        fed = Counter(str(act.get("feeds") or "") for act in acts)
        for act in acts:
            zero, layer = number(act.get("zero")), str(act.get("feeds") or "")
            arrives = entering.get(layer)
            # A layer that is fed several times in a pass, or by itself, is shown with its first use only.
            if zero is None or arrives is None or zero > 0.99 or fed[layer] > 1 or act.get("after") == layer:
                continue
            shares.setdefault((str(act.get("name")), layer), []).append(1 - (1 - arrives) / (1 - zero))
    found = []
    for (act_name, layer), values in shares.items():
        p = statistics.median(values)
        # A rate is the same at every step; what padding or a mask leaves out differs from batch to batch.
        steady = len(values) >= 3 and statistics.pstdev(values) <= THRESHOLDS["steady"][0]
        if p > 0.05 and steady:
            found.append(_Dropped(f"a dropout between {act_name} and {layer}", p, measured=True))
    return found
