"""A loss that was thrown far above its beginning, and stands there."""

from __future__ import annotations

from unstuck.findings.verdict.look import Look

LEAPT = 3.0
"""Times what the loss began with. A fall from such a leap is a way back, not learning."""
WITHIN = 5
"""Steps in which it must have risen so far: a longer task, or an opponent that learns, raises a loss by and by."""


def leapt(look: Look) -> bool:
    """A loss that cannot be negative was thrown up within a few steps, and stands far above its own first values at the end."""
    p, finite = look.progress, look.loss.finite()
    if p.start is None or p.end is None or not finite or look.own_targets or look.opposed:
        return False
    first = max(p.start, finite.first)
    values = finite.values
    if min(values) < 0 or first <= 0 or p.end <= LEAPT * first:
        return False
    return any(
        value > LEAPT * first and value > LEAPT * min(values[max(0, i - WITHIN) : i])
        for i, value in enumerate(values)
        if i
    )
