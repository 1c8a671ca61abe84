"""A loss that rises for good, or numbers that are none any more."""

from __future__ import annotations

import math

from unstuck.findings.contract import Verdict
from unstuck.findings.verdict.look import ALIVE, FEWEST_STEPS, Look

OWN_TARGETS = 100
"""Times the first loss. A value network's targets grow from one reward to the sum of a hundred (a discount of 0.99)
while it learns; a loss of squares then passes through larger numbers, but a network that runs away stops nowhere."""


def diverging(look: Look) -> Verdict | None:
    p = look.progress
    loss = look.loss
    if not loss:
        return None
    tail = loss.values[-max(1, len(loss) // 10) :]
    broken = sum(not math.isfinite(v) for v in tail)
    if broken and (not math.isfinite(loss.last) or 2 * broken >= len(tail)):
        first = next(s for s, v in loss if not math.isfinite(v))
        before = [v for s, v in loss if s < first]
        text = f"The loss is not a finite number from step {first} on"
        text += f"; just before, it was {before[-1]:.4g}." if before else ", the very first one."
        return Verdict("diverging", text, look.evidence(first_not_finite=first))
    bad = [e for e in look.recording.happened("nonfinite") if e.data.get("where") == "parameter"]
    if bad:
        name = bad[0].data.get("name", "a parameter")
        return Verdict(
            "diverging",
            f"{name} holds numbers that are not finite from step {bad[0].step} on.",
            look.evidence(first_not_finite=bad[0].step),
        )
    if p.start is None or p.end is None or look.n < FEWEST_STEPS:
        return None
    if look.negated and look.whole is not None and look.whole.direction == "falls":
        return Verdict(
            "diverging",
            f"The loss is negated: its data term rises from {-p.start:.4g} to {-p.end:.4g} over {look.n} steps.",
            look.evidence(),
        )
    if look.density_minimized and not look.opposed and look.whole is not None and look.whole.direction == "falls":
        return Verdict(
            "diverging",
            f"The log-density of the targets is minimized: it falls from {p.start:.4g} to {p.end:.4g} over {look.n} steps.",
            look.evidence(),
        )
    if look.third is None or look.half is None or look.opposed:
        return None
    scale = max(abs(p.start), look.third.scatter)
    rising = look.third.direction == "rises" and look.half.direction == "rises"
    if not look.bounded and p.start < 0 and abs(p.end) < ALIVE * abs(p.start):
        return None  # to zero from below: a policy that became sure, so that its weighted logarithms are none
    if look.own_targets and p.end < OWN_TARGETS * max(p.start, loss.finite().first):
        return None  # the targets grow with what is learned
    above = (
        p.end > p.start + 3 * look.third.scatter / math.sqrt(max(1, look.n // 10)) and p.end - p.start > 0.05 * scale
    )
    if rising and above:
        return Verdict(
            "diverging",
            f"The loss rises: {p.start:.4g} at the start, {p.end:.4g} over the last tenth of {look.n} steps, and "
            f"by {-look.third.gain:.3g} ± {look.third.error:.2g} over the last third.",
            look.evidence(),
        )
    return None
