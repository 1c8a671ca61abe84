"""How far the loss itself wanders in a stretch where it stands: apart from what one batch differs from the next."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unstuck.findings.evidence.trend import clipped
from unstuck.record.recording import Series

SURE = 4.0
"""Standard errors of the covariance of neighbors that independent batches would show."""


@dataclass(frozen=True)
class Hovering:
    """A stretch of losses, its line taken out."""

    level: float  # mean
    scatter: float  # standard deviation of single steps
    wander: float  # standard deviation of the loss itself, as neighbors share it; 0 when it is within chance
    steps: int


def hovering(series: Series, start: int, stop: int) -> Hovering | None:
    """Split the scatter of a stretch in two: the batches' and the weights'.

    Batches drawn independently make neighboring losses differ independently; what neighbors have in common is the
    place of the weights. Of a quadratic valley the mean excess of the loss over its floor is at least about as large
    as the deviation told here. None with fewer than 50 finite losses.

    >>> hovering(Series(range(60), [1.0] * 60), 0, 60).wander
    0.0
    """
    window = series.between(start, stop).finite()
    n = len(window)
    if n < 50:
        return None
    values = clipped(window.values)
    mean = math.fsum(values) / n
    half = (n - 1) / 2
    slope = math.fsum((i - half) * v for i, v in enumerate(values)) / (n * (n * n - 1) / 12)
    rest = [v - mean - slope * (i - half) for i, v in enumerate(values)]
    variance = math.fsum(r * r for r in rest) / n
    # Two neighbors: the nearest may be kept apart by momentum, or by drawing without putting back.
    shared = max(math.fsum(a * b for a, b in zip(rest, rest[lag:], strict=False)) / (n - lag) for lag in (1, 2))
    sure = shared > SURE * variance / math.sqrt(n)
    return Hovering(mean, math.sqrt(variance), math.sqrt(shared) if sure else 0.0, n)
