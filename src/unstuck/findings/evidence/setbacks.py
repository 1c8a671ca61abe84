"""How a run was set back: time spent above a constant answer's loss, and gains that were lost again."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from unstuck.findings.evidence.trend import clipped
from unstuck.record.recording import Stream

BLOCKS = 40
"""The run is looked at in so many parts, each the mean of its losses."""


@dataclass(frozen=True)
class Relapse:
    """A loss that fell, rose back to where a constant answer stands, and had not made up for it at the end."""

    best: float  # lowest part of the first two fifths
    best_step: int
    worst: float  # highest part after that
    worst_step: int
    end: float


def parts(stream: Stream) -> list[tuple[int, float]]:
    """(first step, mean loss) of up to forty parts of the run; a part with a loss that is not finite is infinite."""
    values = list(stream.loss)
    n = len(values)
    count = min(BLOCKS, n // 3)
    found = []
    for i in range(count):
        chunk = values[i * n // count : (i + 1) * n // count]
        finite = all(math.isfinite(v) for _, v in chunk)
        found.append((int(chunk[0][0]), statistics.fmean(clipped([v for _, v in chunk])) if finite else math.inf))
    return found


def share_above(stream: Stream, level: float) -> float:
    """In what share of the run the loss stood above a level."""
    found = parts(stream)
    return sum(mean > level for _, mean in found) / len(found) if found else 0.0


def relapse(stream: Stream, baseline: float | None) -> Relapse | None:
    """The relapse of a run; None when it had none, or the constant answer's loss is not known.

    It must have come a quarter of the way (.75 of the baseline), have lost all of it (.95), and end a tenth above its best.
    """
    found = parts(stream)
    if baseline is None or len(found) < 10:
        return None
    early = found[: int(0.4 * len(found))]
    best_step, best = min(early, key=lambda part: part[1])
    after = [part for part in found if part[0] > best_step]
    if not after:
        return None
    worst_step, worst = max(after, key=lambda part: part[1])
    end = statistics.fmean(mean for _, mean in found[-max(1, len(found) // 10) :])
    if best < 0.75 * baseline and worst >= 0.95 * baseline and end > 1.1 * best:
        return Relapse(best, best_step, worst, worst_step, end)
    return None
