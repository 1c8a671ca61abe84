"""Running statistics differ from the batches', so evaluation sees another network than training.

What it means
-------------
In training a batch normalization uses the mean and variance of its batch; in evaluation it uses running averages. Here
the averages stand far from what the batches show: they move too slowly (a momentum of 0.001 in a short run), were taken
from batches of another kind, or the layers in front of them move too fast.

Why it hurts
------------
At evaluation every channel is shifted and stretched by the difference, layer by layer. Training looks well, the test
result is poor, and nothing in the loss tells.

How it is judged
----------------
Where the script evaluates: the running mean against the mean of what enters each layer at the first pass of an evaluation,
in that batch's deviations, and the ratio of the deviations, each the median over the layer's channels. Otherwise at the
sampled steps of the last fifth of the run, against the training batches. A warning when an evaluation shows a distance
of half a deviation, beyond what the mean of so few examples varies by itself, or deviations that differ by a factor of
two; information when only training batches show one deviation, or a factor of five, since single batches scatter.
Layers that also train by their running statistics are left out. A layer of the script's own counts when it keeps
`running_mean` and `running_var`.

When it is wrong
----------------
The evaluation's inputs are scaled otherwise than in training (see train-evaluation-mismatch), or of one class. Two kinds of
batches pass the same layers by turns (a discriminator that sees real and made images): averages between the two fit
neither, and adversarial pairs are left out. A last stretch at a high rate moves the statistics; they
settle when the rate falls.

What to do
----------
Set PyTorch's momentum (the weight of the new batch, 0.1 by default; Keras's 0.99 is 0.01 here). In a short run use 0.1
or more, or `momentum=None` (a plain mean). Or estimate the averages anew before the evaluation: a few dozen
forward passes over training batches in training mode, without gradient.

Sources
-------
Ioffe and Szegedy, Batch normalization, 2015, algorithm 2. PyTorch, documentation of `BatchNorm1d` (momentum). Share of
the first values left in a running average after k steps: (1 − momentum)^k: with 0.001 and 500 steps, 61 %.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Severity, Skipped
from unstuck.findings.evidence.batch_norms import module_kinds, normalizers, typical
from unstuck.findings.evidence.head import adversarial, number
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.record.recording import Recording

CODE = "B604"
NAME = "batch-norm-drift"
CLAIM = "running statistics differ from the batches', so evaluation sees another network"
ENABLED = True
SICK = ("examples/sick/b604_digits_momentum.py",)
HEALTHY = ("examples/mended/b604_digits_momentum.py", "examples/mended/b605_digits_batch_norm.py")
THRESHOLDS = {
    "shift": (
        0.5,
        "deviations between running mean and the evaluation's mean, median channel; healthy runs: at most 0.12",
    ),
    "ratio": (2, "between the deviations; healthy runs: 0.99 to 1.03"),
    "chance": (3, "times what the mean of so many examples varies by itself, 1 / √examples"),
    "training_shift": (1, "the same against single training batches; healthy runs: at most 0.3"),
    "training_ratio": (5, "a deep network of sigmoids that answers 97 % rightly has 2.6"),
    "arrived": (0.3, "deviations from the training batches' means; averages that are late have .5 and more"),
    "arrived_ratio": (1.6, "the same of the deviations; sound ones have 1.05 to 1.45 by step 19, late ones 2.5"),
    "settled": (10, "steps after which that is asked"),
    "first": (0.05, "of the running averages are still the first values, at least, where they are late"),
    "samples": (2, "in the last fifth of the run, where no evaluation was seen"),
    "examples": (8, "in an evaluation's batch"),
}


@dataclass(frozen=True)
class _Drift:
    name: str
    step: int
    shift: float
    ratio: float
    examples: int
    evaluated: bool

    @property
    def size(self) -> float:
        """How many times over its bound the worse of the two is."""
        stretched = max(self.ratio, 1 / self.ratio) if self.ratio > 0 else math.inf
        by_chance = THRESHOLDS["chance"][0] / math.sqrt(max(1, self.examples))
        which = "" if self.evaluated else "training_"
        far, much = THRESHOLDS[f"{which}shift"][0], THRESHOLDS[f"{which}ratio"][0]
        return max(self.shift / max(far, by_chance), math.log(stretched) / math.log(much))


def judge(recording: Recording) -> Answer:
    """Compare running with batch statistics, in evaluation or late in the run."""
    seen = normalizers(recording) or recording.happened("evaluation_norms")
    if not seen and not any("BatchNorm" in kind for kind in module_kinds(recording).values()):
        return NotApplicable("no batch normalization")
    if adversarial(recording):
        return NotApplicable("two networks whose batches differ by turns")
    if _trains_by_running_statistics(recording):
        return NotApplicable("the batch normalizations also train by their running statistics")
    evaluated = _in_evaluation(recording)
    arrived = _arrived(recording)
    measured = [d for d in evaluated if d.name not in arrived] if evaluated else _late_in_training(recording)
    if evaluated and not measured:
        return Passed("the running statistics stand where those of the training batches do, at every layer")
    if not measured:
        return Skipped("no evaluation and no step late in the run showed the running statistics")
    worst = max(measured, key=lambda d: d.size)
    if worst.size < 1:
        return Passed(f"running means stand {worst.shift:.2g} deviations from the batches' at {worst.name}")
    return _fired(recording, worst, [d for d in measured if d.size >= 1])


def _trains_by_running_statistics(recording: Recording) -> bool:
    """In every late sample that shows them, the layers were in evaluation mode: training and evaluation agree."""
    modes = [
        layer.get("training")
        for sample in recording.main.samples[-5:]
        for layer in sample.get("layers") or ()
        if layer.get("kind") == "batch_norm"
    ]
    return bool(modes) and all(mode is False for mode in modes)


def _in_evaluation(recording: Recording) -> list[_Drift]:
    """Of the last evaluation that was looked into."""
    for event in reversed(recording.happened("evaluation_norms")):
        found = []
        for layer in event.data.get("layers") or ():
            shift, ratio = number(layer.get("shift")), number(layer.get("ratio"))
            examples = int(layer.get("examples") or 0)
            if shift is not None and ratio is not None and examples >= THRESHOLDS["examples"][0]:
                found.append(_Drift(str(layer.get("name")), event.step or 0, shift, ratio, examples, True))
        if found:
            return found
    return []


def _arrived(recording: Recording) -> set[str]:
    """Layers whose running statistics had come to those of the training batches: an evaluation that differs from them
    was given other data (one class at a time, another place), and no average is late."""
    found = set()
    for layer in normalizers(recording):
        shifts, ratios = layer.late("shift"), [r for r in layer.late("ratio") if r > 0]
        if layer.steps[-1] < THRESHOLDS["settled"][0] or len(shifts) < THRESHOLDS["samples"][0] or not ratios:
            continue
        stretched = math.exp(abs(statistics.median(map(math.log, ratios))))
        if statistics.median(shifts) <= THRESHOLDS["arrived"][0] and stretched <= THRESHOLDS["arrived_ratio"][0]:
            found.add(layer.name)
    return found


def _late(recording: Recording, name: str) -> bool:
    """The training batches themselves were seen to differ from the running statistics late in the run."""
    return any(d.name == name and d.size >= 1 for d in _late_in_training(recording))


def _late_in_training(recording: Recording) -> list[_Drift]:
    measured = []
    for layer in normalizers(recording):
        if layer.steps[-1] < 0.8 * (recording.main.steps - 1):
            continue
        shifts, ratios = layer.late("shift"), layer.late("ratio")
        if len(shifts) >= THRESHOLDS["samples"][0] and ratios:
            shift, ratio = statistics.median(shifts), statistics.median(ratios)
            measured.append(_Drift(layer.name, layer.steps[-1], shift, ratio, typical(layer.values), False))
    return measured


def _fired(recording: Recording, worst: _Drift, all_of: list[_Drift]) -> Fired:
    course = loss_course(recording)
    momentum = _momentum(recording, worst.name)
    # Averages that have forgotten their first values many times over are not late: other data are shown at evaluation.
    late = momentum is None or not 0.01 <= momentum < 1 or (1 - momentum) ** worst.step > THRESHOLDS["first"][0]
    severity: Severity = "warning" if worst.evaluated and (late or _late(recording, worst.name)) else "info"
    kind = module_kinds(recording).get(worst.name) or "BatchNorm1d"
    if "BatchNorm" not in kind:
        kind = "BatchNorm1d"
        if momentum is None or not late:
            severity = "info"  # it may normalize by its running statistics in training too, as of observations
    many = f" (and {len(all_of) - 1} more layers)" if len(all_of) > 1 else ""
    theirs = "what enters it at evaluation has" if worst.evaluated else "the training batches have"
    text = (
        f"{worst.name}{many} holds running means {worst.shift:.2g} deviations away from the means that {theirs}, and "
        f"running deviations {worst.ratio:.2g} times as large (step {worst.step})"
    )
    if momentum is not None and 0 < momentum < 1:
        left = (1 - momentum) ** worst.step
        if left > 0.05:
            text += f": with momentum {momentum:g}, {left:.0%} of them are still the first values"
    return Fired(
        sentence=f"{text}; evaluation sees another network than training.",
        severity=severity,
        confidence=0.88 if worst.evaluated else 0.5,
        where=worst.name,
        step=worst.step,
        evidence={
            "shift": worst.shift,
            "deviation_ratio": worst.ratio,
            "layers": len(all_of),
            "examples": worst.examples,
            "momentum": momentum,
            **course.evidence(),
        },
        advice=(
            Advice(
                "let the averages arrive",
                "Use PyTorch's momentum of 0.1, the weight of the new batch, or a plain mean over all batches.",
                f"torch.nn.{kind}(features, momentum=0.1)   # or momentum=None",
            ),
        ),
    )


def _momentum(recording: Recording, name: str) -> float | None:
    for model in recording.models:
        for module in model.get("modules") or ():
            if module.get("name") == name:
                value = (module.get("options") or {}).get("momentum")
                return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    return None
