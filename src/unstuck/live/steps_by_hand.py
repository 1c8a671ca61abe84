"""Updates that a script writes out itself: its backward passes are the steps, once weights are seen to move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unstuck.live.budget import clock
from unstuck.live.fast_path import BY_HAND, Track

if TYPE_CHECKING:
    from unstuck.live.watcher import Watcher

HELD_BACK = 64  # backward passes without a step before they are written as a stream of their own


class StepsByHand:
    """The stream of steps that no optimizer made; ``track`` is None as long as there may be none."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.track: Track | None = None
        self.held: list[tuple[Any, int, float]] = []  # backward passes not yet known to be steps: loss, examples, time

    @property
    def count(self) -> int:
        """Steps so far."""
        return self.track.steps if self.track is not None else 0

    def heard(self, loss: Any, examples: int) -> None:
        """A backward pass, and no optimizer has stepped yet: accumulation, updates by hand, or no updates at all."""
        watcher = self.watcher
        if self.track is None:
            if not watcher.sampler.leaves_moved() and len(self.held) < HELD_BACK:
                self.held.append((loss, examples, watcher.now()))
                return
            self.begin()
            for value, size, at in self.held:
                self.write(value, at, size)
            self.held.clear()
        self.write(loss, watcher.now(), examples)
        watcher.fast.values.clear()
        watcher.fast.examples.clear()
        track = self.track
        assert track is not None
        if watcher.schedule.sampling:
            watcher.schedule.sampled(track)
        elif watcher.fast.steps >= watcher.fast.next_look:
            watcher.schedule.look(None, track, track.steps - 1, clock())

    def begin(self) -> None:
        """From now on there are steps."""
        self.track = Track(BY_HAND, None)

    def write(self, loss: Any, at: float, examples: int = 0) -> None:
        """One step, to the journal."""
        track = self.track
        assert track is not None
        line = {"e": "step", "o": BY_HAND, "s": track.steps, "t": round(at, 6)}
        if examples:
            line["b"] = examples
        self.watcher.step_lines.write(line, [loss])
        track.steps += 1
        self.watcher.fast.steps += 1
