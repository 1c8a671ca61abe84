"""NaN or infinity first appears in the named module at the named step.

What it means
-------------
A number became infinite or undefined: an overflow, a logarithm of zero, a division by zero, a root of zero in
the backward pass, an infinite input. From there it spreads: everything computed from a NaN is NaN.

Why it hurts
------------
One NaN in the loss makes every gradient NaN, one step makes every weight NaN, and no later step brings them
back.

How it is judged
----------------
Exactly. The watcher notes the first number that is not finite, with its place, its step and, where the graph
tells it, the operator. The finding asks that the loss or a parameter be not finite, or a gradient that no
gradient scaler handles. Masks of minus infinity inside a model, and the overflows by which a gradient scaler
finds its scale, are no sickness.

When it is wrong
----------------
It is not wrong about the number. The place is the first one looked at: between samples the loss is seen
first, although something before it may have been broken.

What to do
----------
Look at the named place. After a loss that grew first, the step was too long (U401). Out of the blue, it is a
logarithm, division, root or power of zero: keep its argument away from zero, or use the function that is safe
(log_softmax, a loss on scores). ``torch.autograd.set_detect_anomaly(True)`` names the line.

Sources
-------
PyTorch's notes on numerical accuracy and anomaly detection. Goldberg, What every computer scientist should
know about floating-point arithmetic, 1991.
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, Passed, Skipped
from unstuck.findings.evidence.places import at, backward_line
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Event, Recording, Stream

CODE = "G308"
NAME = "not-finite"
CLAIM = "NaN or infinity first appears in the named module at the named step"
ENABLED = True
SICK = ("examples/sick/g308_digits_siamese.py",)
HEALTHY = (
    "examples/mended/g308_digits_siamese.py",
    "examples/healthy/digits_autocast.py",
    "examples/healthy/docs_char_gpt.py",
)
THRESHOLDS = {"entries": (1, "a single number that is not finite; the test is exact")}

_WORDS = {
    "loss": "the loss",
    "parameter": "the parameter",
    "gradient": "the gradient of",
    "activation": "the output of",
    "input": "the input",
    "target": "the target",
}


def judge(recording: Recording) -> Answer:
    """The first number that is not finite, if the loss, a parameter or an unscaled gradient is struck."""
    events = recording.happened("nonfinite")
    broken = [(stream, s, v) for stream in recording.streams.values() for s, v in stream.loss if not math.isfinite(v)]
    if not any(stream.loss for stream in recording.streams.values()) and not events:
        return Skipped("no loss was recorded")
    skipped_steps = {e.step for e in recording.happened("scaler_skipped")}
    scaled = bool(skipped_steps)
    struck = [e for e in events if e.data.get("where") in ("parameter", "loss")]
    gradients = [e for e in events if e.data.get("where") == "gradient" and not scaled]
    if not broken and not struck and not gradients:
        count = sum(len(stream.loss) for stream in recording.streams.values())
        return Passed(f"all {count} losses are finite")
    first = min(events, key=lambda e: math.inf if e.step is None else e.step) if events else None
    stream = next((s for s, _, _ in broken), recording.main)
    lasts = bool(stream.loss) and not math.isfinite(stream.loss.last)
    parameter = any(e.data.get("where") == "parameter" for e in events)
    step = _first_step(first, broken)
    place, where = _place(first)
    before = _before(stream, step)
    many = sum(1 for _ in broken)
    ending = (
        f"from step {broken[0][1]} on the loss is not finite"
        if lasts
        else f"{many} losses are not finite in all, and the last one is finite again"
        if many
        else "the losses are finite still"
    )
    serious = lasts or parameter
    hurt = progress(recording).state == "none"
    grew = before is not None and before[1] > 10 * max(abs(before[0]), 1e-12)
    return Fired(
        sentence=f"The first number that is not finite is in {place} at step {step}; {ending}"
        + (f"; the loss went from {before[0]:.4g} to {before[1]:.4g} before that" if before else "")
        + ".",
        severity="error" if serious else "warning" if (many or gradients) and hurt else "info",
        confidence=0.99 if serious else 0.8,
        where=where or at(backward_line(stream)) or "the loss",
        step=step,
        evidence={
            "first_step": step,
            "losses_not_finite": many,
            "first_loss": before[0] if before else None,
            "last_finite_loss": before[1] if before else None,
            "operator": str(first.data.get("operator") or "") if first else "",
        },
        advice=_advice(first, grew=grew),
        line=(first.data.get("line") if first else None) or backward_line(stream),
    )


def _first_step(first: Event | None, broken: list[tuple[Stream, int, float]]) -> int:
    steps = [s for _, s, _ in broken]
    if first is not None and first.step is not None:
        steps.append(first.step)
    return min(steps, default=0)


def _place(first: Event | None) -> tuple[str, str]:
    if first is None:
        return "the loss", ""
    where = str(first.data.get("where") or "loss")
    name = str(first.data.get("name") or "")
    operator = str(first.data.get("operator") or "")
    text = " ".join(part for part in (_WORDS.get(where, where), name if where != "loss" else "") if part)
    return text + (f" (made by {operator})" if operator else ""), name


def _before(stream: Stream, step: int) -> tuple[float, float] | None:
    earlier = stream.loss.between(0, step).finite()
    if not earlier:
        return None
    return statistics.fmean(earlier.values[: max(1, len(earlier) // 20)]), float(earlier.last)


def _advice(first: Event | None, *, grew: bool) -> tuple[Advice, ...]:
    operator = str(first.data.get("operator") or "").lower() if first else ""
    line = first.data.get("line") if first else None
    found = []
    if "log" in operator:
        found.append(
            Advice(
                "a logarithm of zero",
                "Compute the log-probabilities from the scores in one function, which cannot take the logarithm "
                "of zero.",
                "torch.nn.functional.log_softmax(scores, dim=1)  # or cross_entropy on the scores",
                line,
            )
        )
    elif any(part in operator for part in ("sqrt", "pow", "div", "norm", "std", "rsqrt")):
        found.append(
            Advice(
                "away from zero",
                "The function or its derivative has no value at zero: add a small number to its argument.",
                "torch.sqrt(x + 1e-8)",
                line,
            )
        )
    if grew:
        found.append(
            Advice(
                "shorter steps",
                "The loss grew first: lower the learning rate, or clip the gradient's norm before the step.",
            )
        )
    found.append(
        Advice(
            "find the line",
            "Run a few steps with anomaly detection: it names the forward line whose backward made the first NaN.",
            "torch.autograd.set_detect_anomaly(True)",
            line,
        )
    )
    return tuple(found)
