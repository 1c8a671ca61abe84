"""Targets that a network makes while it is trained: values of a next state, a slow copy's answers."""

from __future__ import annotations

from unstuck.record.recording import Recording, Stream

BEGINNING = 20
"""Steps that are watched closely at the start of every run."""
OFTEN = 0.5
"""Share of these steps in which a network is asked without a gradient; an evaluation is asked once in an epoch."""


def own_targets(recording: Recording, stream: Stream | None = None) -> bool:
    """Whether a network is asked without a gradient in most of the first steps, as where it makes its own targets.

    Such targets move as it learns: a loss that rises may be a value that grows, and the best constant answer of the
    beginning is none later on. (A teacher that is asked at every step looks the same; what it says does not move.)

    >>> own_targets(Recording())
    False
    """
    stream = stream or recording.main
    first = min(BEGINNING, stream.steps)
    asked = {
        event.step
        for event in recording.happened("forward_without_gradient")
        if event.step is not None and 0 < event.step < first and event.stream in (stream.number, 0)
    }
    return first > 4 and len(asked) >= OFTEN * (first - 1)
