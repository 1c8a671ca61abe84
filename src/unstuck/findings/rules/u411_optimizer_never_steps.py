"""Backward passes without steps.

What it means
-------------
``backward`` only computes gradients. What changes the weights is the step, by an optimizer or by hand.

Why it hurts
------------
Without it the weights stay as they were initialized, whatever the loss prints.

How it is judged
----------------
Exactly: at the end of the run the recording holds the number of backward passes and of steps, and whether any
parameter changed in another way (updates by hand). It fires when there were several backward passes on a
loss, no step was made, and nothing moved; or when steps were made and then stopped for most of the run.
Scripts that only ask for gradients of inputs (saliency, attacks) have no optimizer and no targets, and get
information at most.

When it is wrong
----------------
A script that only measures gradients, or that accumulates them over the whole of its short run, looks alike.

What to do
----------
Call ``optimizer.step()`` after the backward pass. With a gradient scaler call ``scaler.step(optimizer)`` and
``scaler.update()``. Check the condition under which the step is made.

Sources
-------
PyTorch's documentation of ``torch.optim`` (taking an optimization step).
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.liveness import means_to_train
from unstuck.findings.evidence.places import at, backward_line
from unstuck.record.recording import Recording

CODE = "U411"
NAME = "optimizer-never-steps"
CLAIM = "backward passes without steps"
ENABLED = True
SICK = ("examples/sick/u411_digits.py",)
HEALTHY = (
    "examples/mended/u411_digits.py",
    "examples/healthy/digits_by_hand.py",
    "examples/healthy/digits_accumulation.py",
)
THRESHOLDS = {
    "fewest": (3, "backward passes: one or two may be a test"),
    "tail": (0.5, "of all backward passes came after the last step"),
    "longest_accumulation": (
        64,
        "backward passes after the last step: fewer may be an accumulation that the end cut off",
    ),
}


def judge(recording: Recording) -> Answer:
    """Backward passes, no steps, nothing moved."""
    totals = recording.happened("backward_without_step")
    stepped = sum(s.steps for n, s in recording.streams.items() if n >= 0)
    if not totals:
        if stepped:
            return Passed(f"{stepped} steps were made")
        return Skipped("the totals of backward passes and steps were not recorded")
    data = totals[-1].data
    backwards = int(data.get("backwards") or 0)
    steps = int(data.get("steps") or 0)
    after = int(data.get("last_step_backwards") or 0)
    if not backwards:
        return NotApplicable("backward was never called")
    if data.get("moved"):
        return Passed("the parameters change, by a step or by hand")
    if steps:
        if after > THRESHOLDS["longest_accumulation"][0] and after >= THRESHOLDS["tail"][0] * backwards:
            return _fired(recording, backwards, steps, after)
        return Passed(f"{steps} steps for {backwards} backward passes")
    if backwards < THRESHOLDS["fewest"][0]:
        return NotApplicable(f"only {backwards} backward passes, no training")
    return _fired(recording, backwards, steps, after)


def _fired(recording: Recording, backwards: int, steps: int, after: int) -> Answer:
    stream = recording.main
    line = backward_line(stream)
    cleared = recording.happened("zero_grad")
    trains = means_to_train(recording)
    counted = (
        f"backward() was called {backwards} times and no step was made: no parameter has changed"
        if not steps
        else f"backward() was called {after} times after the last of {steps} steps, and no parameter has changed since"
    )
    return Fired(
        sentence=counted + ".",
        severity="error" if trains else "info",
        confidence=0.95 if trains else 0.4,
        where=at(line) or (at(cleared[0].data.get("line")) if cleared else "") or "loss.backward()",
        step=0 if not steps else stream.steps,
        evidence={"backward_passes": backwards, "steps": steps, "since_last_step": after},
        advice=(
            Advice(
                "make the step",
                "Call the optimizer's step after every backward pass.",
                "loss.backward()\noptimizer.step()\noptimizer.zero_grad()",
                line,
            ),
        ),
        line=line,
    )
