"""Gradients are not cleared between steps, and not by design.

What it means
-------------
PyTorch adds each backward pass to the gradients that are there. Without ``zero_grad`` every step moves along
the sum of all gradients since the run began.

Why it hurts
------------
The sum grows with the number of steps and points where the weights were long ago. It acts as a momentum that
never forgets: the steps get longer and longer, overshoot, and the loss rises, swings or sticks.

How it is judged
----------------
Exactly: before the first backward pass of a step the watcher looks whether the gradient that the step before used is
still there, bit for bit. It fires when at least half of the parameters carry theirs over in most samples (a part that
is zero, as behind a dead unit, cannot be told). Adding several backward passes before one step is accumulation by
design and carries nothing over a step; gradients that another model's loss put there are judged only at this
optimizer's own steps. Where the script writes out its updates, it looks at those weights that went against
their gradient before a backward pass and after it.

When it is wrong
----------------
A script may keep old gradients on purpose as a kind of momentum. This is rare; the optimizer's momentum does
it better.

What to do
----------
Clear the gradients once per step: before the backward pass, or right after the step.

Sources
-------
PyTorch's documentation of ``Optimizer.zero_grad``. StackOverflow 60335387, reproduced in TrainCheck, 2025.
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.gradients import norms
from unstuck.findings.evidence.liveness import owned, with_parameters
from unstuck.findings.evidence.places import at, backward_line
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Fact, Recording, Stream

CODE = "U410"
NAME = "gradients-accumulate"
CLAIM = "gradients are not cleared between steps, and not by design"
ENABLED = True
SICK = (
    "examples/sick/u410_diabetes_epoch.py",
    "examples/sick/u410_digits_conv.py",
)
HEALTHY = (
    "examples/mended/u410_diabetes_epoch.py",
    "examples/mended/u410_digits_conv.py",
    "examples/healthy/digits_accumulation.py",
    "examples/healthy/digits_gan.py",
    "examples/healthy/digits_two_optimizers.py",
)
THRESHOLDS = {
    "carried": (0.99, "all of a gradient; the margin is for rounding of the comparison"),
    "parameters": (
        0.5,
        "half the parameters; in 402 healthy runs not a single one carries over (dead units hide some)",
    ),
    "samples": (0.5, "most samples: a script that clears once in many steps carries over in between"),
    "fewest_samples": (3, "the first step has nothing to carry over, the second may be odd"),
}


ALONG = -0.8
"""Cosine of a change with the gradient: a step of plain descent has −1."""


def judge(recording: Recording) -> Answer:
    """The share of the gradient that is carried over from before the previous step, at each stream's own steps."""
    if not any(s.steps for s in recording.streams.values()):
        return NotApplicable("no step was made")
    known = False
    for stream in recording.streams.values():
        shares = [share for s in _after_a_step(stream) if (share := _carried(s)) is not None]
        if len(shares) < THRESHOLDS["fewest_samples"][0]:
            continue
        known = True
        kept = [share for share in shares if share >= THRESHOLDS["parameters"][0]]
        if len(kept) >= THRESHOLDS["samples"][0] * len(shares):
            return _fired(recording, stream, len(kept), len(shares))
    if not known:
        return Skipped("what a gradient carries over from before a step was not measured")
    return Passed("the gradients are cleared between steps")


def _after_a_step(stream: Stream) -> list[Fact]:
    """The samples that follow a step, with what may carry over in each. Where the script writes out its updates, each
    backward pass has a sample, and only a parameter that went against its gradient before the pass and after it counts: to
    the others' gradients the script adds by design."""
    samples = [s for s in with_parameters(stream) if s["s"] > 0]
    if stream.number >= 0:
        return [{**s, "params": {p.name: p.stat for p in owned(s, stream)}} for s in samples]
    longest: dict[str, float] = {}  # step over gradient, by parameter
    for s in stream.samples:
        for name, p in (s.get("params") or {}).items():
            longest[name] = max(longest.get(name, 0.0), _reach(p))
    along = {
        int(s["s"]): {name for name, p in (s.get("params") or {}).items() if _reach(p) > 0.5 * longest[name]}
        for s in stream.samples
    }
    return [
        {
            **s,
            "params": {
                n: p for n, p in s["params"].items() if n in along[int(s["s"])] & along.get(int(s["s"]) - 1, set())
            },
        }
        for s in samples
    ]


def _reach(stat: Fact) -> float:
    """The length of a step against the gradient, over the gradient's: the rate of plain descent. 0 for other changes."""
    change, gradient = stat.get("u") or 0.0, stat.get("g") or 0.0
    return float(change / gradient) if gradient > 0 and (stat.get("d") or 0.0) < ALONG else 0.0


def _carried(sample: Fact) -> float | None:
    """Which share of the parameters with a gradient carries over all of it; None when that was not measured."""
    stale = [
        float(stat["stale"])
        for stat in sample["params"].values()
        if stat.get("stale") is not None and stat.get("g") is not None and math.isfinite(stat["g"])
    ]
    return statistics.fmean(s >= THRESHOLDS["carried"][0] for s in stale) if stale else None


def _fired(recording: Recording, stream: Stream, kept: int, samples: int) -> Answer:
    history = norms(stream).finite()
    grew = ""
    if len(history) >= 4 and history.values[0] > 0:
        grew = f", and its norm went from {history.first:.3g} to {history.last:.3g}"
    reached = progress(recording, stream)
    cleared = recording.happened("zero_grad")
    where = at(cleared[0].data.get("line")) if cleared else ""
    by_hand = stream.number < 0
    note = " (zero_grad was never called)" if not by_hand else " (nothing clears it after the update)"
    if where:
        note = f" (zero_grad was called at {where}, but not between these steps)"
    line = (cleared[0].data.get("line") if cleared else None) or backward_line(stream)
    return Fired(
        sentence=f"The gradient is carried over from step to step in {kept} of {samples} samples{note}{grew}; "
        f"{reached.sentence}.",
        severity="error",
        confidence=0.97,
        where=where or at(backward_line(stream)) or "the update",
        step=1,
        evidence={
            "samples_carried_over": kept,
            "samples": samples,
            "first_gradient_norm": history.first if history else None,
            "last_gradient_norm": history.last if history else None,
        },
        advice=(
            Advice(
                "clear the gradients",
                "Clear the gradients once for every step, before the backward pass.",
                "for p in parameters:\n    p.grad = None  # after the update"
                if by_hand
                else "optimizer.zero_grad()\nloss.backward()\noptimizer.step()",
                backward_line(stream),
            ),
        ),
        line=line,
    )
