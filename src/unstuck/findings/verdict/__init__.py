"""Where the run stands: one verdict, from the history of the loss and the noise of the gradient.

The states are tried in a fixed order and the first that can be shown wins. ``saddle``, ``maximum``, ``flat``,
``minimum`` and ``slow`` cannot be shown by watching: they need curvature or a replay. They come from the look that
the watcher takes on a copy of the model (``biopsy`` events), or from whoever puts a
:class:`~unstuck.findings.contract.Verdict` into ``recording.extras["measured"]``; each takes its place in the order.
"""

from __future__ import annotations

from collections.abc import Callable

from unstuck.findings.contract import Verdict
from unstuck.findings.verdict.bouncing import bouncing
from unstuck.findings.verdict.converged import converged
from unstuck.findings.verdict.diverging import diverging
from unstuck.findings.verdict.learning import learning
from unstuck.findings.verdict.look import Look
from unstuck.findings.verdict.measured import (
    at_the_noise_floor,
    jumps,
    measured,
    next_to_a_minimum,
    one_step_gains_more,
)
from unstuck.findings.verdict.no_gradient import no_gradient
from unstuck.findings.verdict.not_moving import not_moving
from unstuck.findings.verdict.unknown import unknown
from unstuck.record.recording import Recording

__all__ = ["MEASURED", "STATES", "verdict"]

STATES = (
    "diverging",
    "no-gradient",
    "not-moving",
    "saddle",
    "maximum",
    "flat",
    "minimum",
    "bouncing",
    "converged",
    "slow",
    "learning",
    "unknown",
)
MEASURED = ("saddle", "maximum", "flat", "minimum", "slow")
"""The states that need more than a recording of a watched run."""


_SHOWN: dict[str, Callable[[Look], Verdict | None]] = {
    "diverging": diverging,
    "no-gradient": no_gradient,
    "not-moving": not_moving,
    "bouncing": bouncing,
    "converged": converged,
    "learning": learning,
}


def verdict(recording: Recording) -> Verdict:
    """Where the run stands, with the numbers it rests on.

    >>> verdict(Recording.of(loss=[2.3 * 0.97**i for i in range(60)])).state
    'learning'
    >>> verdict(Recording.of(loss=[2.3, 2.2])).state
    'unknown'
    """
    stream = recording.main
    made = Look(recording, stream)
    for state in STATES:
        if state in MEASURED:
            told = recording.extras.get("measured") or measured(made)
            if isinstance(told, Verdict) and told.state == state:
                return told
            continue
        if state == "unknown":
            break
        found = _SHOWN[state](made)
        if found is not None:
            return found
    last = (jumps, at_the_noise_floor, next_to_a_minimum, one_step_gains_more)
    return next((found for tell in last if (found := tell(made)) is not None), None) or unknown(made)
