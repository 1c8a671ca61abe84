"""The beginnings of a recording: what was known at ever later steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unstuck.record.recording import Recording, Stream

FIRST = 5
FACTOR = 1.6


def beginnings(recording: Recording) -> Iterator[tuple[int, Recording]]:
    """(step, recording up to it) at 5 steps and ever 1.6 times as many, and at last the whole.

    What is known only at the end (the end itself, looks and probes made there) is in the last alone.
    """
    total = recording.main.steps
    step = FIRST
    while step < total:
        yield step, up_to(recording, step)
        step = max(step + 1, int(step * FACTOR))
    yield total, recording


def up_to(recording: Recording, step: int) -> Recording:
    """What the recording held after ``step`` steps of its longest stream.

    >>> up_to(Recording.of(loss=[3.0, 2.0, 1.0]), 2).main.loss.values
    [3.0, 2.0]
    """
    total = max(1, recording.main.steps)
    streams = {
        n: _cut(s, step if s is recording.main else round(s.steps * step / total)) for n, s in recording.streams.items()
    }
    events = [e for e in recording.events if e.step is None or e.step < step]
    return replace(recording, streams=streams, events=events, end=None, complete=False, extras={})


def _cut(stream: Stream, step: int) -> Stream:
    names = (
        "loss", "learning_rate", "batch_size", "backwards", "seconds", "clip_norm", "gradient_norm", "clip_maximum",
    )  # fmt: skip
    return replace(
        stream,
        learning_rates=[entry for entry in stream.learning_rates if entry[0] < step],
        samples=[s for s in stream.samples if s["s"] < step],
        **{name: getattr(stream, name).between(0, step) for name in names},
    )
