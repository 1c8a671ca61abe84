"""How the learning rate went: when it changed, where it died, whether it came back."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from unstuck.record.recording import Recording, Stream

GONE = 0.01
"""Below this share of its peak a rate changes nothing any more: a cosine is there for its last 6 % only."""


@dataclass(frozen=True)
class RateCourse:
    """The rate of the first group over the steps of a run."""

    steps: int
    first: float
    last: float
    peak: float
    peak_step: int
    lowest: float  # from the peak on
    lowest_step: int
    changes: tuple[int, ...]  # the steps at which it differs from the step before
    gone_step: int | None  # from here to the end it is below a hundredth of its peak
    turns: tuple[int, ...]  # steps at which a fall of a half or more has turned into a rise of as much

    @property
    def constant(self) -> bool:
        """It never changed."""
        return not self.changes

    def spacing(self, stop: int) -> float | None:
        """Median number of steps between its changes before ``stop``; None with fewer than three of them."""
        kept = [s for s in self.changes if s <= stop]
        gaps = sorted(b - a for a, b in itertools.pairwise(kept))
        return float(gaps[len(gaps) // 2]) if len(gaps) >= 2 else None


def rate_course(stream: Stream) -> RateCourse | None:
    """The course of a stream's rate; None when it was not recorded or is zero throughout.

    >>> from unstuck.record.recording import Recording
    >>> found = rate_course(Recording.of(learning_rate=[0.1, 0.05, 0.025, 0.0], loss=[1.0] * 4).main)
    >>> found.changes, found.gone_step
    ((1, 2, 3), 3)
    """
    series = stream.learning_rate.finite()
    values, steps = series.values, series.steps
    if not len(values):
        return None
    peak = max(values)
    if peak <= 0:
        return None
    if min(values) == peak:
        return RateCourse(stream.steps, peak, peak, peak, int(steps[0]), peak, int(steps[0]), (), None, ())
    at = next(i for i, v in enumerate(values) if v == peak)
    lowest = min(range(at, len(values)), key=values.__getitem__)
    changes = tuple(int(steps[i]) for i in range(1, len(values)) if values[i] != values[i - 1])
    gone = None
    if values[-1] < GONE * peak:
        last = max(i for i, v in enumerate(values) if v >= GONE * peak)
        gone = int(steps[last + 1])
    turns: list[int] = []
    highest, low, low_at = values[0], math.inf, 0
    for i, v in enumerate(values):
        if v > highest:
            highest = v
        if v < low and v <= 0.5 * highest:
            low, low_at = v, i
        if math.isfinite(low) and v >= low + 0.5 * (highest - low):
            turns.append(int(steps[low_at]))
            highest, low = v, math.inf
    return RateCourse(
        steps=stream.steps,
        first=float(values[0]),
        last=float(values[-1]),
        peak=float(peak),
        peak_step=int(steps[at]),
        lowest=float(values[lowest]),
        lowest_step=int(steps[lowest]),
        changes=changes,
        gone_step=gone,
        turns=tuple(turns),
    )


def epoch_steps(recording: Recording) -> int | None:
    """How many steps a pass over the training data takes, from what the data loader told; None when it is not known.

    The loader that fed the training gave so many batches in each of its passes.
    """
    for event in reversed(recording.happened("shuffle")):
        for loader in event.data.get("loaders") or ():
            examples, batch, passes = loader.get("examples"), loader.get("batch"), loader.get("passes")
            if not (loader.get("training") and examples and batch and passes):
                continue
            steps = math.ceil(int(examples) / int(batch))
            # Accumulation makes fewer steps than batches: the passes and the steps of the run tell which it is.
            made = recording.main.steps / int(passes)
            return max(1, round(made)) if made < 0.75 * steps else steps
    return None
