"""Which of several streams of steps is the training that counts: stages, repetitions and optimizers side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unstuck.record.recording import Stream

FEWEST = 60
"""Steps of a stage that has a course of its own to be judged by."""
MOST = 3
"""Streams one after another that are stages; more of them are a search or folds."""


def main_stream(streams: Iterable[Stream], models: Sequence[Mapping[str, Any]]) -> Stream | None:
    """The last stage of a training that has stages, else the stream with most steps; None without any stream.

    A stage begins after the longest stream has ended, trains the same weights on or another network, and is long
    enough to be judged. The same network from the start again (a fold, a trial of another rate) is a repetition.
    """
    every = list(streams)
    if not every:
        return None
    # Backward passes that no optimizer stepped on form stream −1; where an optimizer stepped, they are not the run.
    longest = max(every, key=lambda s: (s.number >= 0 and s.steps > 0, s.steps, -s.number))
    if longest.number < 0 or not longest.seconds:
        return longest
    stepped = [s for s in every if s.number >= 0 and s.seconds]
    later = [s for s in stepped if s is not longest and s.seconds.first > longest.seconds.last and s.steps >= FEWEST]
    if not later or len(stepped) > MOST:
        return longest
    last = max(later, key=lambda s: s.seconds.first)
    beside = any(s is not last and s.seconds.last > last.seconds.first for s in stepped)
    return longest if beside or _repeats(longest, last, models) else last


def side_by_side(streams: Iterable[Stream]) -> bool:
    """Whether any two streams with steps ran at the same time: optimizers that alternate, not stages or folds."""
    timed = sorted((s for s in streams if s.steps and s.seconds), key=lambda s: s.seconds.first)
    return any(two.seconds.first < one.seconds.last for one, two in itertools.pairwise(timed))


def _repeats(one: Stream, other: Stream, models: Sequence[Mapping[str, Any]]) -> bool:
    """Tensors of the same shapes under other names: the same network made anew."""
    first, second = _names(one), _names(other)
    if not first or not second or set(first) & set(second):
        return False
    shapes = {str(p["name"]): tuple(p.get("shape") or ()) for model in models for p in model.get("params") or ()}
    return [shapes.get(name) for name in first] == [shapes.get(name) for name in second] or (
        len(first) == len(second) and not set(second) & set(shapes)
    )


def _names(stream: Stream) -> list[str]:
    groups = (stream.optimizer or {}).get("groups") or ()
    return [str(name) for group in groups for name in group.get("params") or ()]
