"""The optimizer's epsilon is so large, or so small, that the rule is not the one named.

What it means
-------------
Adam, RMSprop and Adagrad divide each entry of the step by the usual size of its gradient, plus an epsilon that only
guards against division by zero. Where epsilon is far larger than the gradients, all entries are divided by the same
number: the rule is plain gradient descent (with momentum) at the rate lr / epsilon. Where it rounds to zero in the
weights' own type, an entry that never had a gradient gets 0 / 0.

Why it hurts
------------
Gradients of a thousandth are usual. An epsilon of one makes the steps a thousand times shorter than the learning rate
says: the run crawls. An epsilon of zero, or one of 1e-8 beside weights in half precision, puts NaN into the
weights at the first step.

How it is judged
----------------
Too large: on sampled steps the watcher reads the divisors out of the optimizer's state. In the median sample nine
entries in ten (of those that ever had a gradient) must be divided by less than epsilon, the median one must be a tenth
of epsilon or less, the weights must change by less than a thousandth of themselves in a step, and the run must not
have come halfway. Where it learned all the same, the finding is for information. Too small: epsilon is zero in the
type of the weights, some entries never had a gradient, and the first number that is not finite stands in a weight.

When it is wrong
----------------
A large epsilon with a rate raised to match is a choice that some recipes make; then the steps are not short. Gradients
that are tiny for another reason (they vanish, the loss is divided by a large number) fall under any epsilon.

What to do
----------
Leave epsilon at the default of the library (1e-8; 1e-10 for Adagrad). With weights in half precision keep the
optimizer's numbers in single precision, as mixed precision does, or use an epsilon of 1e-4.

Sources
-------
Kingma and Ba, Adam, 2015. Choi and others, On empirical comparisons of optimizers for deep learning, 2019 (with a
large epsilon Adam includes momentum). PyTorch's documentation of `torch.optim.Adam` and `RMSprop`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.movement import median, step_ratios
from unstuck.findings.evidence.places import optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Fact, Recording, Stream

CODE = "U413"
NAME = "epsilon-misplaced"
CLAIM = "the optimizer's epsilon is so large or so small that the rule is not the one named"
ENABLED = True
SICK = (
    "examples/sick/u413_digits_adam.py",
    "examples/sick/u413_digits_half.py",
)
HEALTHY = (
    "examples/mended/u413_digits_adam.py",
    "examples/mended/u413_digits_half.py",
    "examples/healthy/digits_mlp_adam.py",
)
SMALLEST = {"float16": 2.0**-25, "bfloat16": 0.0, "float32": 2.0**-150, "float64": 0.0}
"""What rounds to zero in each type: half of its smallest number."""
THRESHOLDS = {
    "under": (0.9, "of the entries are divided by less than epsilon; 57 healthy and mended runs have at most .03"),
    "over": (
        10.0,
        "times the median divisor is epsilon, so that the step is that much shorter; the same runs have at most .0002",
    ),
    "usual": (1e-7, "the largest default in use; torch has 1e-8"),
    "short": (1e-3, "median relative change of the weights in one step; that is the usual one"),
    "fewest_samples": (3, "samples with divisors"),
}


@dataclass(frozen=True)
class _Sizes:
    eps: float
    under: float  # share of entries below epsilon
    middle: float  # the median divisor
    samples: int


def judge(recording: Recording) -> Answer:
    """Epsilon beside what it is added to."""
    stream = recording.main
    kind = optimizer_kind(stream)
    known = [group["eps"] for group in (stream.optimizer or {}).get("groups") or () if _is_number(group.get("eps"))]
    if not known:
        return NotApplicable(f"{kind or 'the optimizer'} has no epsilon")
    if kind == "Adadelta":
        return NotApplicable("Adadelta's epsilon stands inside its roots, and sets its first steps by design")
    broken = _too_small(recording, stream, kind)
    if broken is not None:
        return broken
    sizes = _sizes(stream)
    if sizes is None:
        return Skipped("the optimizer's divisors were not read")
    if sizes.samples < THRESHOLDS["fewest_samples"][0]:
        return Skipped(f"the divisors are known of {sizes.samples} steps only")
    told = f"epsilon is {sizes.eps:g}, the median divisor {sizes.middle:.2g}"
    if sizes.eps <= THRESHOLDS["usual"][0]:
        return Passed(f"{told}: an epsilon as small as the usual ones; where gradients are smaller, they are at fault")
    if sizes.under < THRESHOLDS["under"][0] or sizes.eps < THRESHOLDS["over"][0] * sizes.middle:
        return Passed(told)
    return _too_large(recording, stream, kind, sizes)


def _too_large(recording: Recording, stream: Stream, kind: str, sizes: _Sizes) -> Answer:
    reached = progress(recording)
    ratio = median(step_ratios(stream).values)
    short = math.isfinite(ratio) and ratio < THRESHOLDS["short"][0]
    if not short and reached.state == "learned":
        return Passed(f"epsilon is {sizes.eps:g}, above the divisors, and the rate makes up for it: {reached.sentence}")
    hurt = short and (reached.state in ("none", "some") or reached.lagging) and not reached.course.diverged
    times = sizes.eps / sizes.middle
    rate = stream.learning_rate.first if stream.learning_rate else None
    default = 1e-10 if kind == "Adagrad" else 1e-8
    return Fired(
        sentence=f"{kind} divides by the gradient's usual size plus epsilon, and epsilon is {sizes.eps:g} where that size "
        f"is {sizes.middle:.2g} in the median ({sizes.under:.0%} of the entries lie below epsilon): the steps are "
        f"{times:.2g} times shorter than the learning rate says"
        + (f", {ratio:.1g} of the weights" if math.isfinite(ratio) else "")
        + f"; {reached.sentence}.",
        severity="info" if not hurt else "error" if reached.state == "none" else "warning",
        confidence=0.85 if hurt else 0.6,
        where=f"{kind}(eps={sizes.eps:g})",
        step=0,
        evidence={
            "epsilon": sizes.eps,
            "median_divisor": sizes.middle,
            "share_below_epsilon": sizes.under,
            "relative_change": ratio if math.isfinite(ratio) else None,
            "learning_rate": rate,
        },
        advice=(
            Advice(
                "the default epsilon",
                f"Set epsilon back to {default:g}, where it guards against zero and does nothing else.",
                f"eps={default:g}",
                optimizer_line(stream),
            ),
        ),
        line=optimizer_line(stream),
    )


def _too_small(recording: Recording, stream: Stream, kind: str) -> Fired | None:
    groups = (stream.optimizer or {}).get("groups") or ()
    types = {
        str(p["name"]): str(p.get("dtype")) for m in recording.models for p in m.get("params") or () if "name" in p
    }
    zero: tuple[float, str] | None = None
    for group in groups:
        eps = group.get("eps")
        if not _is_number(eps):
            continue
        held = {types.get(str(name), "float32") for name in group.get("params") or ()} or {"float32"}
        rounded = [dtype for dtype in held if float(eps) <= SMALLEST.get(dtype, 0.0)]
        if rounded:
            zero = zero or (float(eps), rounded[0])
    if zero is None:
        return None
    first = next((e for e in recording.happened("nonfinite")), None)
    if first is None or first.data.get("where") not in ("parameter", "activation"):
        return None
    born = [
        float(group["alive"])
        for sample in stream.samples
        if first.step is None or sample["s"] <= first.step
        for group in sample.get("divisors") or ()
        if group.get("alive") is not None
    ]
    if not born or min(born) >= 1.0:
        return None
    reached = progress(recording)
    rounds = f"{zero[0]:g}, which is zero in {zero[1]}" if zero[0] else "zero"
    return Fired(
        sentence=f"{kind}'s epsilon is {rounds}, and {1 - min(born):.0%} of the entries have a divisor of zero: their step "
        f"is a division by zero. The first number that is not finite stands in {first.data.get('name', 'a parameter')} at "
        f"step {first.step}; {reached.sentence}.",
        severity="error",
        confidence=0.9,
        where=f"{kind}(eps={zero[0]:g})",
        step=first.step,
        evidence={"epsilon": zero[0], "type": zero[1], "share_with_zero_divisor": 1 - min(born)},
        advice=(
            Advice(
                "an epsilon above zero",
                "Use an epsilon that is a number in the weights' own type, or keep the weights in single precision and let "
                "autocast choose the type of each operation.",
                "eps=1e-8" if zero[1] != "float16" else "eps=1e-4",
                optimizer_line(stream),
            ),
        ),
        line=optimizer_line(stream),
    )


def _sizes(stream: Stream) -> _Sizes | None:
    """The median over the first samples, of the group with most entries."""
    seen: list[tuple[float, float, float]] = []
    for sample in stream.samples[:20]:
        groups: list[Mapping[str, object] | Fact] = [
            g for g in sample.get("divisors") or () if g.get("median") is not None
        ]
        if groups:
            most = max(groups, key=lambda g: g.get("entries") or 0)  # type: ignore[arg-type, return-value]
            seen.append((float(most["eps"]), float(most["under"]), float(most["median"])))  # type: ignore[arg-type]
    if not seen:
        return None
    return _Sizes(
        eps=statistics.median(e for e, _, _ in seen),
        under=statistics.median(u for _, u, _ in seen),
        middle=statistics.median(m for _, _, m in seen),
        samples=len(seen),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
