"""Shapes like (N, 1) and (N,) broadcast to (N, N) inside the loss.

What it means
-------------
The network's output has the shape (N, 1) and the targets have (N,), or the reverse. Subtracting them does not
compare example with example: broadcasting makes a table of N × N differences, each output against the targets
of all examples of the batch.

Why it hurts
------------
The mean of that table is smallest when every output equals the mean of the targets. The network is taught to
ignore its input, the loss settles at the targets' variance, and nothing fails loudly.

How it is judged
----------------
Exactly, from the shapes in the graph of the loss: output and target were both expanded to more elements than
either has. Shapes with different numbers of dimensions, like (N, 1) against (N,), are an error. Two dimensions
on both sides, like (N, 1) against (1, N), are a warning when the plain mean of a squared or absolute error is
taken over all pairs, since its best answer is a constant however it was meant. More dimensions on both sides
are taken for all pairs on purpose and not reported.

When it is wrong
----------------
Losses over all pairs (quantile regression, ranking, kernels) broadcast on purpose. They insert dimensions into
both sides, so that the numbers of dimensions agree.

What to do
----------
Give both the same shape before the loss: `y = y.unsqueeze(1)` once where the data is loaded, or
`model(x).squeeze(1)`. An assertion on the shapes costs nothing.

Sources
-------
PyTorch, broadcasting semantics, and the warning in `MSELoss`. Fault TDC_broadcast_N1_vs_N in Ben Braiek and
Khomh, Testing feedforward neural networks training programs, 2023: explained variance .08 instead of .86.
"""

from __future__ import annotations

from unstuck.findings.contract import Advice, Answer, Fired, Passed, Severity
from unstuck.findings.evidence.head import NUMBER_KINDS, Place, TermSeen, nothing_to_read, places, shape_text
from unstuck.findings.evidence.loss_course import loss_course
from unstuck.record.recording import Recording

CODE = "L205"
NAME = "broadcast-targets"
CLAIM = "shapes like (N, 1) and (N,) broadcast to (N, N) inside the loss"
ENABLED = True
SICK = ("examples/sick/l205_diabetes.py", "examples/sick/l205_breast_cancer_by_hand.py")
HEALTHY = ("examples/mended/l205_diabetes.py", "examples/mended/l205_breast_cancer_by_hand.py")
THRESHOLDS: dict[str, tuple[float, str]] = {}


def judge(recording: Recording) -> Answer:
    """Look at the shapes that meet in every loss."""
    nothing = nothing_to_read(recording)
    if nothing is not None:
        return nothing
    some = places(recording)
    accidents = [p for p in some if p.first(_different_dimensions) is not None]
    if accidents:
        return _fired(recording, accidents[0], _different_dimensions, severity="error", confidence=0.98)
    pairs = [p for p in some if p.alone and p.kind in NUMBER_KINDS and p.first(_two_dimensional_pairs) is not None]
    if pairs:
        return _fired(recording, pairs[0], _two_dimensional_pairs, severity="warning", confidence=0.8)
    return Passed("outputs and targets meet in equal shapes")


def _shapes(seen: TermSeen) -> tuple[list[int], list[int]] | None:
    meeting = seen.term.get("broadcast")
    if not meeting:
        return None
    output, target = meeting.get("output"), meeting.get("target")
    if not isinstance(output, list | tuple) or not isinstance(target, list | tuple) or not output or not target:
        return None
    return [int(n) for n in output], [int(n) for n in target]


def _different_dimensions(seen: TermSeen) -> bool:
    shapes = _shapes(seen)
    return shapes is not None and seen.plain and len(shapes[0]) != len(shapes[1])


def _two_dimensional_pairs(seen: TermSeen) -> bool:
    shapes = _shapes(seen)
    if shapes is None:
        return False
    output, target = shapes
    return len(output) == len(target) == 2 and seen.plain and not seen.term.get("target_live")


def _fired(recording: Recording, place: Place, holds: object, *, severity: Severity, confidence: float) -> Fired:
    first = place.first(holds)  # type: ignore[arg-type]
    assert first is not None
    meeting = first.term["broadcast"]
    output, target, joint = meeting.get("output"), meeting.get("target"), meeting.get("joint")
    course = loss_course(recording, recording.streams[place.stream])
    evidence = {
        "output_shape": shape_text(output),
        "target_shape": shape_text(target),
        "joint_shape": shape_text(joint),
        "samples": len(place.seen),
        **course.evidence(),
    }
    longer_output = len(output) > len(target)
    code = (
        "y = y.unsqueeze(-1)                 # targets of the shape of the output\n"
        "assert output.shape == y.shape, (output.shape, y.shape)"
        if longer_output or len(output) == len(target)
        else "output = output.unsqueeze(-1)       # or y = y.squeeze(-1)\n"
        "assert output.shape == y.shape, (output.shape, y.shape)"
    )
    return Fired(
        sentence=f"The loss compares an output of shape {shape_text(output)} with targets of shape "
        f"{shape_text(target)}: "
        f"both are broadcast to {shape_text(joint)}, every output against every target, so the best answer is the mean "
        f"of the targets; {course.sentence}.",
        severity=severity,
        confidence=confidence,
        where=place.where,
        step=first.step,
        evidence=evidence,
        advice=(
            Advice(
                "make the shapes equal", "Give output and targets the same shape before the loss.", code, place.line
            ),
        ),
        line=place.line,
    )
