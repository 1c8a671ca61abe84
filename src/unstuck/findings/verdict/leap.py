"""A loss that was thrown far above its beginning, and stands there."""

from __future__ import annotations

from unstuck.findings.verdict.look import Look

LEAPT = 3.0
"""Times what the loss began with. A fall from such a leap is a way back, not learning."""


def leapt(look: Look) -> bool:
    """A loss that cannot be negative stands far above its own first values at the end."""
    p, finite = look.progress, look.loss.finite()
    if p.start is None or p.end is None or not finite or look.own_targets:
        return False
    first = max(p.start, finite.first)
    return min(finite.values) >= 0 and first > 0 and p.end > LEAPT * first
