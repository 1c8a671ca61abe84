"""The steps are far shorter than the loss surface allows.

What it means
-------------
The direction is right and pays for many times the step: with a rate several times as long, twenty updates bring what the
run needs hundreds for, and the curvature leaves room for it.

Why it hurts
------------
The loss falls so slowly that the run looks stuck, and training ends before it has begun.

How it is judged
----------------
From the look at kept batches at the end of the run. Twenty updates from there on a copy, at the run's highest rate and at
4, 16 and 64 times it, are judged by the loss of other batches than they were made on. A longer rate must gain at least
five times as much, and a twentieth of the loss; the highest rate of the run must stand below a twentieth of the stable
limit that the measured curvature sets; and the run must not have learned, unless it left a fifth of the way undone and
the longer rate gains two fifths of the loss that is left. A rate that its schedule has brought down to
less than a hundredth is not asked.
Where no such look was possible, the steps themselves tell: in a run that learned next to nothing though its gradients
live, all steps together, had they gone one way, would have changed the median weight by less than a twentieth of itself.

When it is wrong
----------------
A short rate can be wanted, when weights that were trained before shall change little.

What to do
----------
Multiply the rate by the factor that gained most, and look again. ``unstuck.find_rate`` tries the whole range.

Sources
-------
Smith, Cyclical learning rates for training neural networks, 2017. Cohen et al., Gradient descent on neural networks
typically occurs at the edge of stability, 2021 (healthy runs stand at the limit, not far below it).
"""

from __future__ import annotations

import math
import statistics

from unstuck.findings.contract import Advice, Answer, Fired, NotApplicable, Passed, Skipped
from unstuck.findings.evidence.curvature import (
    PAYS,
    ROOM,
    SHARE,
    last_look,
    steepness,
    trial,
    why_no_longer,
    why_not,
    worth_more,
)
from unstuck.findings.evidence.head import number
from unstuck.findings.evidence.layers import weights
from unstuck.findings.evidence.movement import step_ratios
from unstuck.findings.evidence.places import optimizer_line
from unstuck.findings.evidence.progress import progress
from unstuck.record.recording import Recording

CODE = "U402"
NAME = "step-too-short"
CLAIM = "the same direction pays for many times the step"
ENABLED = True
SICK = ("examples/sick/u402_digits_sgd.py", "examples/sick/u402_wine_adam.py")
HEALTHY = (
    "examples/mended/u402_digits_sgd.py",
    "examples/mended/u402_wine_adam.py",
    "examples/healthy/diabetes_linear.py",
)
THRESHOLDS = {
    "room": (ROOM, "of the stable limit, at most: twenty times the rate would still be stable"),
    "pays": (PAYS, "times the fall at the run's own rate"),
    "share": (SHARE, "of the loss, that the better rate must gain in twenty updates"),
    "nothing": (0.01, "of the loss, at the best of the rates tried"),
    "path": (
        0.05,
        "of a weight's size, all steps together; 160 sound runs go at least .7, those that stand with dead units nothing",
    ),
    "alive": (0.9, "of the weights have a gradient in the first samples"),
    "fewest_steps": (50, "steps: in fewer even a good rate has not come far"),
}


def judge(recording: Recording) -> Answer:
    """Room below the stable limit, a longer rate that gains far more, and a run that has not learned?"""
    if not recording.main.steps:
        return NotApplicable("no training step was seen")
    tried, steep = trial(recording), steepness(recording)
    # A trial whose every rate gains next to nothing tells as little as none.
    if tried is None or steep is None or abs(tried.best[1]) < THRESHOLDS["nothing"][0] * tried.before:
        watched = _watched(recording)
        if watched is not None:
            return watched
    if last_look(recording) is None:
        return Skipped(why_not(recording))
    if tried is None or steep is None:
        return Skipped("no rates were tried on kept batches, or the optimizer's rule is not known")
    found = why_no_longer(recording)
    if found is not None:
        return Passed(found)
    reached = progress(recording)
    learned = reached.state == "learned"
    if learned and not worth_more(reached.course, tried.best[1], tried.before):
        return Passed(f"longer steps would gain more, and the run learns: {reached.sentence}")
    if reached.state == "unknown" or recording.main.steps < THRESHOLDS["fewest_steps"][0]:
        return Passed(f"longer steps would gain more; whether the run has learned is not known: {reached.sentence}")
    multiple, fall = tried.best
    rate = number(last_look(recording).data.get("peak_rate")) or 0.0  # type: ignore[union-attr]
    own = max(tried.own, 0.0)
    return Fired(
        sentence=f"The learning rate of {rate:.3g} is {steep[0]:.2g} of the longest stable one. From where the run ended, "
        f"{tried.steps} updates at {multiple:g} times the rate lower the loss of {tried.before:.4g} on other batches by "
        f"{fall:.3g}, {tried.steps} at its own by {own:.2g}; {reached.sentence}.",
        severity="error" if reached.state == "none" else "warning",
        confidence=0.75 if learned else 0.85,
        where="learning rate",
        step=recording.main.steps,
        evidence={
            "rate": rate,
            "share_of_stable_limit": steep[0],
            "best_multiple": multiple,
            "fall_best": fall,
            "fall_own": tried.own,
            "loss_before": tried.before,
            "updates": tried.steps,
        },
        advice=(
            Advice(
                "longer-steps",
                f"Multiply the learning rate by {multiple:g}; it was tried on a copy.",
                f"lr={rate * multiple:.3g}",
                optimizer_line(recording.main),
            ),
            Advice(
                "range-test",
                "Or search the whole range once.",
                "unstuck.find_rate(model, loss_fn, loader, optimizer)",
            ),
        ),
        line=optimizer_line(recording.main),
        basis="probed",
    )


def _watched(recording: Recording) -> Fired | None:
    """Steps so short that all of them together could not have led anywhere."""
    stream = recording.main
    ratios = [r for r in step_ratios(stream).values if math.isfinite(r)]
    seen = [w for sample in stream.samples[:10] for w in weights(sample, stream)]
    reached = progress(recording)
    if not ratios or not seen or reached.state != "none" or reached.course.diverged:
        return None
    if stream.steps < THRESHOLDS["fewest_steps"][0]:
        return None
    path = statistics.median(ratios) * stream.steps
    alive = sum(1 for w in seen if w.g) / len(seen)
    if not 0 < path < THRESHOLDS["path"][0] or alive < THRESHOLDS["alive"][0]:
        return None
    rate = max(stream.learning_rate.values) if stream.learning_rate else None
    multiple = 10.0 ** max(1, round(math.log10(1 / path)))
    return Fired(
        sentence=f"A step changes the median weight by {statistics.median(ratios):.1g} of its size: all {stream.steps} steps "
        f"together, had they gone one way, by {path:.1%}; {reached.sentence}.",
        severity="warning",
        confidence=0.7,
        where="learning rate",
        step=0,
        evidence={"rate": rate, "relative_change": statistics.median(ratios), "path": path, "steps": stream.steps},
        advice=(
            Advice(
                "longer-steps",
                f"Multiply the learning rate by {multiple:g}, and search around there.",
                f"lr={rate * multiple:.3g}" if rate else "lr=...",
                optimizer_line(stream),
            ),
            Advice(
                "range-test",
                "Or search the whole range once.",
                "unstuck.find_rate(model, loss_fn, loader, optimizer)",
            ),
        ),
        line=optimizer_line(stream),
    )
