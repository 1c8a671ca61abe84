"""Clipping acts on nearly every step and so sets the length of the step.

What it means
-------------
Clipping is meant for the rare gradient that is far too long. Where the bound lies below the usual gradient, every
gradient is cut: the step then has the length of learning rate times bound, whatever the gradient says.

Why it hurts
------------
With plain gradient descent and momentum the run crawls: the steps are as many times too short as the gradient is
longer than the bound. Where single entries are clipped, the direction is no longer that of the gradient. Rules that
divide by the gradient's size (Adam and its kin) undo the first.

How it is judged
----------------
The gradient's norm before clipping and the bound are known for every step where `clip_grad_norm_` is called; else the
norm at the end of the backward pass is compared with the norm that the step finds, on sampled steps. The rule speaks
of optimizers whose step is as long as the gradient: at least nine steps in ten are clipped, and the median gradient
is more than three times as long as what is left of it. A run that did not come halfway, though its steps change the
weights by less than a thousandth (a hundredth where the bound is below 0.05), is warned of; one that learned is only
told.

When it is wrong
----------------
A bound chosen together with a large rate is normalized gradient descent, which is a fine rule; then the steps are not
short. What makes every gradient long (inputs that are not normalized, a summed loss) comes first when it is found.

What to do
----------
Print the norm that `clip_grad_norm_` returns and set the bound at two or three times its median; or raise the learning
rate by as much as the gradient is cut.

Sources
-------
Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, 2013 (a bound of half to ten times
the average norm). Goodfellow, Bengio, Courville, Deep Learning, 2016, section 10.11.1.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.movement import median, step_ratios
from unstuck.findings.evidence.places import model_name, optimizer_kind, optimizer_line
from unstuck.findings.evidence.progress import progress
from unstuck.findings.evidence.step_scale import grows_with_loss
from unstuck.record.recording import Recording, Stream

CODE = "U407"
NAME = "always-clipped"
CLAIM = "clipping acts on nearly every step and so sets the step length"
ENABLED = True
SICK = ("examples/sick/u407_digits_clip.py",)
HEALTHY = (
    "examples/mended/u407_digits_clip.py",
    "examples/mended/g302_digits_rnn.py",
    "examples/healthy/docs_char_gpt.py",
)
THRESHOLDS = {
    "steps": (
        0.9,
        "of the steps are clipped; of five healthy runs that clip one has more (all steps, to a ninth, and it learns)",
    ),
    "cut": (3.0, "times longer is the median gradient than what is left: less is within the choice of a rate"),
    "short": (0.001, "median relative change of the weights in one step, the usual one; sick runs have a tenth of it"),
    "tight": (0.05, "of the norm: bounds in common use lie between 0.25 and 10"),
    "short_if_tight": (0.01, "the same where the bound is out of the usual"),
    "fewest": (10, "steps whose clipping is known"),
}


@dataclass(frozen=True)
class _Clipping:
    share: float  # of the known steps that were clipped
    cut: float  # median of the norm before over the norm after
    known: int
    bound: float | None  # of the norm
    by: str


def judge(recording: Recording) -> Answer:
    """How many steps are clipped, by how much, and whether that leaves the steps too short."""
    stream = recording.main
    if not stream.steps:
        return NotApplicable("no training step was seen")
    found = _clipping(stream)
    if found is None:
        return NotApplicable("nothing clips the gradient, as far as was seen")
    if found.known < THRESHOLDS["fewest"][0]:
        return Skipped(f"clipping is known of {found.known} steps only")
    told = f"{found.share:.0%} of {found.known} steps are clipped, the median gradient to 1/{found.cut:.3g}"
    if found.share < THRESHOLDS["steps"][0] or found.cut < THRESHOLDS["cut"][0]:
        return Passed(told)
    kind = optimizer_kind(stream)
    if kind and not grows_with_loss(kind):
        return Passed(f"{told}; {kind} divides by the gradient's size, so that it takes no shorter steps for that")
    reached = progress(recording)
    stands = recording.extras.get("verdict")
    ratio = median(step_ratios(stream).values)
    tight = found.bound is not None and found.bound < THRESHOLDS["tight"][0]
    crawls = math.isfinite(ratio) and ratio < THRESHOLDS["short_if_tight" if tight else "short"][0]
    hurt = crawls and (reached.state in ("none", "some") or reached.lagging)
    if getattr(stands, "state", "") in ("diverging", "bouncing", "no-gradient") or reached.course.diverged:
        hurt = False
    rate = stream.learning_rate.first if stream.learning_rate else None
    where = f"clip_grad_norm_(max_norm={found.bound:g})" if found.bound is not None else found.by
    lower = f"one step changes the weights by {ratio:.1g} of their size; " if math.isfinite(ratio) else ""
    return Fired(
        sentence=f"The gradient is clipped in {found.share:.0%} of {found.known} steps, and the median one is "
        f"{found.cut:.3g} times as long as what is left of it: the bound, not the gradient, sets the step; "
        f"{lower}{reached.sentence}.",
        severity="info" if not hurt else "error" if reached.state == "none" else "warning",
        confidence=0.8 if hurt else 0.6,
        where=where,
        step=0,
        evidence={
            "share_clipped": found.share,
            "times_longer": found.cut,
            "bound": found.bound,
            "relative_change": ratio if math.isfinite(ratio) else None,
            "learning_rate": rate,
        },
        advice=_advice(recording, found, rate),
        line=optimizer_line(stream),
    )


def _clipping(stream: Stream) -> _Clipping | None:
    """From the calls of ``clip_grad_norm_`` where there are any, else from outside; None where nothing clips."""
    bounds = dict(stream.clip_maximum)
    pairs = [
        (norm, bounds[step])
        for step, norm in stream.clip_norm
        if step in bounds and math.isfinite(norm) and math.isfinite(bounds[step]) and bounds[step] > 0
    ]
    if pairs:
        cuts = [max(1.0, norm / bound) for norm, bound in pairs]
        share = sum(norm > bound for norm, bound in pairs) / len(pairs)
        return _Clipping(share, statistics.median(cuts), len(pairs), pairs[-1][1], "clip_grad_norm_")
    seen = [sample["clip"] for sample in stream.samples if sample.get("clip")]
    ends = [
        (float(c["before"]), float(c["left"]), c.get("values"))
        for c in seen
        if c.get("before") and c.get("left") and math.isfinite(c["before"]) and math.isfinite(c["left"])
    ]
    changed = [before / after for before, after, _ in ends if after < 0.999 * before]
    if not changed:
        return None
    by_value = next((v for _, _, v in reversed(ends) if v is not None), None)
    if by_value is None and not _same_length([after for before, after, _ in ends if after < 0.999 * before]):
        return None  # divided by a count, or changed in some other way: no bound
    cuts = [max(1.0, before / after) for before, after, _ in ends]
    by = f"clip_grad_value_({by_value:g})" if by_value is not None else "the script's own clipping"
    bound = None if by_value is not None else statistics.median(after for _, after, _ in ends)
    return _Clipping(len(changed) / len(ends), statistics.median(cuts), len(ends), bound, by)


def _same_length(norms: list[float]) -> bool:
    """What is left always has the same norm: a bound on it."""
    middle = statistics.median(norms)
    return len(norms) >= 3 and all(abs(norm - middle) <= 1e-3 * middle for norm in norms)


def _advice(recording: Recording, found: _Clipping, rate: float | None) -> tuple[Advice, ...]:
    advice = []
    if found.bound is not None:
        bound = 2 * found.cut * found.bound
        advice.append(
            Advice(
                "raise the bound",
                f"Let the bound catch only the unusual: twice the median norm is {bound:.2g}.",
                f"torch.nn.utils.clip_grad_norm_({model_name(recording)}.parameters(), max_norm={bound:.2g})",
            )
        )
    else:
        advice.append(Advice("raise the bound", "Let the bound catch only the unusual gradient, or leave it out."))
    if rate is not None:
        advice.append(
            Advice(
                "raise the learning rate",
                f"Or keep the bound and make up for it: the gradient is cut to 1/{found.cut:.2g}.",
                f"lr={rate * found.cut:.2g}",
                optimizer_line(recording.main),
            )
        )
    return tuple(advice)
